//! For tests of the runtime, here and in the simulator: kinds of rooms that have nothing to do with cards, a service for one, and how
//! full mailboxes were.

pub mod counter;
pub mod depth;
pub mod postbox;
pub mod till;

pub use counter::Counter;
pub use postbox::Postbox;
pub use till::{Till, Trouble};
