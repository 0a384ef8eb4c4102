//! The process that owns rooms: the kinds of rooms that a house has, its command line ([`flags`]), what stands around a
//! worker ([`process`]), the keys that it seals with ([`seal_keys`]), the way to the cage ([`cage_client`]), who hears of finished hands
//! ([`hands`]), who is asked for AI players ([`agents`]), the tables that a house begins with ([`opening`]), and the tournaments that it offers ([`schedule`]).
//!
//! The runtime is the crate [`rooms`], which knows no kind; each kind is a crate of its own, of which this one makes the registry.

pub mod agents;
pub mod cage_client;
pub mod flags;
pub mod hands;
pub mod opening;
pub mod process;
pub mod schedule;
pub mod seal_keys;

pub use opening::{OpenError, Opening, open_floor, open_jobs, open_queue, open_table, open_tables, tables};
use std::sync::Arc;

use rooms::Kinds;

/// The kinds of rooms that a house has. Nobody keeps their hands and plays for their AI players, until
/// [somebody](hands::Recording) is [there](agents::Asking).
pub fn kinds() -> Kinds {
    kinds_of(true)
}

/// The same for a house in which players may open tables, or may not.
pub fn kinds_of(players_open_tables: bool) -> Kinds {
    let kinds = Kinds::default().with::<table::Table>().with::<talk::Talk>().with::<cash::Cash>();
    let kinds = kinds.with::<tournament::Tournament>().with::<tournament::TournamentTable>();
    let kinds = kinds.with::<queue::Queue>().with::<queue::QueueTable>();
    let kinds = kinds.with::<jobs::Jobs>();
    let kinds = kinds.with::<hosted::Hosted>().served_by(::hands::SERVICE, Arc::new(hands::Nobody));
    let kinds = kinds.served_by(seats::SERVICE, Arc::new(agents::Nobody));
    if players_open_tables { kinds.with::<floor::Floor<true>>() } else { kinds.with::<floor::Floor<false>>() }
}
