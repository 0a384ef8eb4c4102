//! PHH, the poker hand history format: TOML with one line of notation per action.
//!
//! - [`decimal`]: amounts, exact ones and those that floats leave traces in; [`notation`]: one action.
//! - `document`: the hands in a file's TOML; `fields`: a hand's table as a [`record`].
//! - [`replay`]: plays a record through the engine, from the deck that `cards` makes of it; [`verdict`]: compares the stacks.
//! - [`render`]: writes a hand's events as a record.

mod cards;
pub mod decimal;
pub mod document;
mod fields;
pub mod notation;
pub mod record;
pub mod render;
pub mod replay;
pub mod verdict;

pub use document::parse_all;
pub use record::{PhhError, Record};
pub use render::record_of;
pub use replay::{Replay, ReplayError};
pub use verdict::Verdict;
