//! PHH, the poker hand history format: TOML with one line of notation per action.
//!
//! - [`toml`]: the subset of TOML, with exact decimals; [`notation`]: one action; [`record`]: a file's fields.
//! - [`replay`]: plays a record through the engine, from the deck that `cards` makes of it, and compares the stacks.
//! - [`render`]: writes a hand's events as a record.

mod cards;
pub mod notation;
pub mod record;
pub mod render;
pub mod replay;
pub mod toml;

pub use record::{PhhError, Record, parse_all};
pub use render::record_of;
pub use replay::{Replay, ReplayError, Verdict};
