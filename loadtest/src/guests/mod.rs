//! Guests that are no players, in the simulator and in chaos.
//!
//! - [`stranger`]: who has no seat, and talks. [`teller`]: who uses counters.

pub mod stranger;
pub mod teller;
