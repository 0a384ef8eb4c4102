//! What is promised, and who judges it: [`shadow`] reads the journals, whatever store they are in.

mod counter;
pub mod shadow;

pub use shadow::{Promise, Shadow, digest};
