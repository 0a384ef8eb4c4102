//! For tests of the runtime, here and in the simulator: a kind of room that has nothing to do with cards, and a service for it.

pub mod counter;
pub mod till;

pub use counter::Counter;
pub use till::{Till, Trouble};
