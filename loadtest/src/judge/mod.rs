//! What is promised, and who judges it: [`shadow`] reads the journals, whatever store they are in.

pub mod shadow;

pub use shadow::{Promise, Shadow, digest};
