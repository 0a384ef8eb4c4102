//! For tests of the runtime, here and in the simulator: kinds of rooms that have nothing to do with cards, and a service for one.

pub mod counter;
pub mod postbox;
pub mod till;

pub use counter::Counter;
pub use postbox::Postbox;
pub use till::{Till, Trouble};
