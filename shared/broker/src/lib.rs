//! What nodes know of each other and keep in the broker. It knows no rules of any game, and no kind of room.
//!
//! In reading order:
//!
//! - [`clock`], [`channel`]: time, and what things are called in the broker.
//! - [`bus`], [`store`], [`ports`]: the two ports to the world, each with a `memory` and a `redis` adapter;
//!   [`wire`] is what goes wrong between nodes and the memory adapters in a simulation.
//! - [`queue`]: a third port, for what is worked off: pushed, taken, and done.
//! - [`redis`]: the connections that both `redis` adapters use. [`resp`]: what is said to Redis without its client library.
//! - [`entry`], [`seal`]: what a room's journal holds, and how its secrets are kept. [`pass`]: how the house's own processes know each other.
//! - [`node`]: what nodes say to each other; [`lobby`]: of their rooms, to those who look for one. [`directory`]: which rooms there are,
//!   and who owns them.
//! - [`members`]: which nodes live. [`shares`]: how its partitions are shared among them. [`revocations`]: which tokens are void. [`parts`]: in which rooms somebody has a part. [`questions`]: what rooms answer.
//! - `testing` (a feature): the crate `servers`, real Redis servers for tests.

pub mod bus;
pub mod channel;
pub mod clock;
pub mod directory;
pub mod entry;
pub mod lobby;
pub mod members;
pub mod node;
pub mod parts;
pub mod pass;
pub mod ports;
mod publisher;
pub mod questions;
pub mod queue;
pub mod redis;
pub mod resp;
pub mod revocations;
pub mod seal;
mod sentinels;
pub mod shares;
pub mod store;
pub mod wire;

#[cfg(feature = "testing")]
pub use servers as testing;
