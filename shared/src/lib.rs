//! What the nodes of the house have in common. It knows no rules of any game.
//!
//! In reading order:
//!
//! - [`id`], [`clock`], [`channel`]: names, positions in a journal, time, and what things are called in the broker.
//! - [`bounds`]: bounds that two programs keep together.
//! - [`protocol`]: what clients and the house say to each other.
//! - [`entry`], [`seal`]: what a room's journal holds, and how its secrets are kept.
//! - [`node`]: what nodes say to each other; [`lobby`]: of their rooms, to those who look for one. [`directory`]: which rooms there are,
//!   and who owns them.
//! - [`bus`], [`store`], [`ports`]: the two ports to the world, each with a `memory` and a `redis` adapter;
//!   [`wire`] is what goes wrong between nodes and the memory adapters in a simulation.
//! - [`redis`]: the connections that both `redis` adapters use.
//! - [`members`]: which nodes live.
//! - [`token`]: who a client is.
//! - [`text`]: what people write for others to see.
//! - [`telemetry`], [`outlet`], [`readiness`]: logs, metrics, the way out for lines, health.
//! - [`flags`], [`config`], [`listen`], [`signals`]: how flags are read, those that all binaries share, addresses to listen
//!   on, and being told to end.
//! - `testing` (a feature): real Redis servers for tests.

pub mod bounds;
pub mod bus;
pub mod channel;
pub mod clock;
pub mod config;
pub mod directory;
pub mod entry;
pub mod flags;
pub mod id;
pub mod listen;
pub mod lobby;
pub mod members;
pub mod node;
pub mod outlet;
pub mod ports;
pub mod protocol;
mod publisher;
pub mod readiness;
pub mod redis;
pub mod resp;
pub mod seal;
mod sentinels;
pub mod serve;
pub mod signals;
pub mod store;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod text;
pub mod token;
pub mod wire;
