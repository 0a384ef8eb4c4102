//! A relay: terminates players' WebSockets, checks their tokens, carries commands to rooms and frames to watchers.
//!
//! It knows no rules and keeps nothing that another relay could not rebuild from the journals. `docs/architecture.md` says how
//! it fits in. In reading order:
//!
//! - [`config`]: every bound, with unit and default. [`door`]: where it listens.
//! - [`relay`]: the composition: what a relay consists of, and its running.
//! - `http`: from an HTTP request to a WebSocket ([`ops::serve`] accepts it). [`lead`]: or to the pit at which it is better off; `homes`: which one that is.
//! - [`session`], `limits`, [`keys`], `revoked`: what one client says, and whether it is still to be heard.
//! - `peer`, [`mod@line`], `registry`, `sessions`: its connection as the rest of the relay, and the other relays, see it.
//! - `switchboard`: where each message of the bus goes.
//! - `hub`, `room`, `window`: the rooms that are followed, and their frames; `catalogue`: which there are.
//! - `rail`: what those get who are shown a room late.
//! - `delivery`: who watches, and what a watcher gets; `pass`: the same where there are many.
//! - `commands`, `presence`: what a room's owner is told; `questions`: what it is asked.
//! - `tend`: subscriptions, and gaps repaired from the journal; `listening`: saying so to owners that want to know; `places`: who may watch where only so many may.
//! - `lobby`: the directory of rooms, and what clients see of it.
//! - `works`, `outgoing`, `metrics`: what all of these use.
//! - `condition`: whether the relay hears and reads what it should; `drain`: leaving.
//!
//! Locks are taken in this order, and never the other way: the hub's map, a room, the rooms that need attention; the catalogue;
//! the lobby's viewers, its directory; the registry; what a connection has shown, or is near; the revocations; and last of all a socket.

mod catalogue;
mod commands;
mod condition;
pub mod config;
mod delivery;
pub mod door;
mod drain;
mod homes;
mod http;
mod hub;
pub mod keys;
pub mod lead;
mod limits;
pub mod line;
mod listening;
mod lobby;
mod metrics;
mod outgoing;
mod pass;
mod peer;
mod places;
pub mod planted;
mod presence;
mod questions;
mod rail;
mod registry;
pub mod relay;
mod revoked;
mod room;
pub mod session;
mod sessions;
mod switchboard;
mod tend;
mod window;
mod works;

pub use config::RelayConfig;
pub use keys::Keys;
pub use lead::{Arrival, Edge, Near};
pub use line::Line;
pub use relay::Relay;
pub use session::Session;
