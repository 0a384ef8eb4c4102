//! The counters of a simulated house and of chaos: rooms without cards, which only tests have.

use std::sync::Arc;

use broker::{directory::Readers, node::RoomSpec, ports::Ports, store::Unavailable};
use protocol::{id::RoomId, rail::RailConfig};
use rooms::{
    open_room,
    room::Room as _,
    testing::{Counter, counter::Settings},
};

/// Their clocks are due so long after something was added, milliseconds; 0: never. In turn.
const TICKS_MS: [u64; 3] = [0, 700, 5_000];

/// The names of so many.
pub(crate) fn named(count: usize) -> Arc<[RoomId]> {
    (1..=count).map(|number| RoomId::new(&format!("c{number}")).expect("a name")).collect()
}

/// The names of so many that only so many may watch: nobody is there but who presses to get in.
pub(crate) fn narrow(count: usize) -> Arc<[RoomId]> {
    (1..=count).map(|number| RoomId::new(&format!("n{number}")).expect("a name")).collect()
}

/// Whether it is one of those.
pub(crate) fn is_narrow(room: &RoomId) -> bool {
    room.as_str().starts_with('n')
}

/// Opens them, with this rail. Each may write to all others.
///
/// # Errors
/// When the store is out of reach.
pub(crate) async fn open(counters: &[RoomId], rail: RailConfig, ports: &Ports) -> Result<(), Unavailable> {
    for (room, tick_ms) in counters.iter().zip(TICKS_MS.into_iter().cycle()) {
        let peers = counters.iter().filter(|other| *other != room).cloned().collect();
        let spec = RoomSpec::new(Counter::NAME, &Settings { tick_ms, peers }).with_rail(rail);
        open_room(ports, room, &spec, Readers::OfThisRelease).await?;
    }
    Ok(())
}
