//! The client's side of the protocol: connection, view, referee, and bots of a few styles.
//!
//! Everything but [`connect`], [`guest`], [`member`] and [`way`] is without I/O: bytes and time come in, messages come out, all chance comes from a
//! seed. So the house's bots, the swarm and the simulator run the same client.
//!
//! In reading order:
//!
//! - [`client`]: hello, resume, commands, rooms. Built of [`incoming`] (reading messages), [`follower`] (keyframes and deltas
//!   of rooms of any [`kind`] folded into a view, those of tables judged in [`watched`], the rest in `others`), [`answers`] (every command has one) and
//!   [`questions`] (asked until there is one).
//! - [`referee`], [`fair_play`] and [`breach`]: what must never be seen, and the count of what was. [`tournament_referee`]: what a whole tournament must come to; [`purse`]: what
//!   an account must.
//! - [`bot`]: who plays; [`decision`]: how, by a [strategy](strategies) that sees what the client sees.
//! - [`contestant`]: a bot that plays tournaments. [`invited`]: one that plays for a seat which a table asks somebody to play for.
//! - [`mind`]: what moves a client: a bot, or another guest. [`visitor`]: what guests that are no bots have in common. [`connect`]: a mind over real WebSockets; [`comeback`]: what follows the end of one; [`guest`]: tokens;
//!   [`member`]: those of somebody with an account; [`way`]: by TLS or not, and where to.

pub mod answers;
pub mod bot;
pub mod breach;
pub mod client;
pub mod comeback;
pub mod connect;
pub mod contestant;
pub mod decision;
pub mod fair_play;
pub mod follower;
pub mod guest;
pub mod incoming;
pub mod invited;
pub mod kind;
pub mod looking;
pub mod member;
pub mod mind;
mod others;
pub mod purse;
pub mod questions;
pub mod referee;
pub mod tournament_referee;
pub mod visitor;
pub mod watched;
pub mod way;

pub use bot::{Bot, Character, Habits};
pub use breach::{Breach, Breaches};
pub use client::{Client, Heard};
pub use contestant::Contestant;
pub use invited::Invited;
pub use mind::Mind;
pub use purse::{Purse, Purses};
pub use strategies::{Style, Temper};
