//! The client's side of the protocol: connection, view, referee, and bots of a few styles.
//!
//! Everything but [`connect`] and [`guest`] is without I/O: bytes and time come in, messages come out, all chance comes from a
//! seed. So the house's bots, the swarm and the simulator run the same client.
//!
//! In reading order:
//!
//! - [`client`]: hello, resume, commands, rooms. Built of [`incoming`] (reading messages), [`follower`] (keyframes and deltas
//!   folded into a view, judged in [`watched`]) and [`answers`] (every command has one).
//! - [`referee`] and [`breach`]: what must never be seen, and the count of what was.
//! - [`bot`]: who plays; [`style`] and [`hand_strength`]: how.
//! - [`connect`]: a bot over real WebSockets; [`comeback`]: what follows the end of one; [`guest`]: tokens.

pub mod answers;
pub mod bot;
pub mod breach;
pub mod client;
pub mod comeback;
pub mod connect;
pub mod follower;
pub mod guest;
pub mod hand_strength;
pub mod incoming;
pub mod referee;
pub mod style;
pub mod watched;

pub use bot::{Bot, Character, Habits};
pub use breach::{Breach, Breaches};
pub use client::{Client, Heard};
pub use style::Style;
