//! What is promised, and who judges it: [`shadow`] reads the journals, whatever store they are in.

pub mod counter;
pub mod shadow;

pub use counter::judge_counters;
pub use shadow::{Promise, Shadow, digest};
