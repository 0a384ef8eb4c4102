//! Hands that are over: written down once each, found by who has played them, and added up.
//!
//! In reading order:
//!
//! - [`keep`](fn@keep): writing one down, and what it says of those before.
//! - [`find`]: hands by their players and their tables.
//! - [`checkpoint`]: what is signed of them.
//! - [`sums`](fn@sums): what somebody did in all of a period.

pub mod checkpoint;
pub mod find;
mod keep;
mod sums;

pub use keep::{NewHand, Written, forget, keep, keep_all};
pub use sums::{Period, Sum, sums};
