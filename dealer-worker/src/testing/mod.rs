//! For tests of the runtime, here and in the simulator: a kind of room that has nothing to do with cards.

pub mod counter;

pub use counter::Counter;
