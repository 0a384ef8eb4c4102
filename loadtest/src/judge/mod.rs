//! What is promised, and who judges it: [`promise`] names each, [`shadow`] reads the journals, whatever store they are in.

pub mod counter;
pub mod promise;
pub mod shadow;

pub use counter::judge_counters;
pub use promise::Promise;
pub use shadow::{Shadow, digest};
