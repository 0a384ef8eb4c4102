//! How players decide: strategies over what a player may know, and nothing else.
//!
//! Pure and deterministic: no I/O, no clock, all chance from outside. The house's bots, the swarm, the simulator and matches
//! in the engine play the same strategies.
//!
//! In reading order:
//!
//! - [`spot`]: what a player may know when it is his turn; [`strategy`]: who decides by it.
//! - [`style`]: quick kinds of player. Those of the crowd look at `hand_strength`, the sensible ones ([`sensible`]) at
//!   `starting_hand` and `equity`.
//! - [`pot_odds`]: reckons what each action brings against what others may hold. [`combo`]: hands of two cards by number.

pub mod all_in;
pub mod combo;
mod equity;
mod hand_strength;
pub mod named;
pub mod pot_odds;
pub mod push_fold;
pub mod sensible;
pub mod spot;
mod starting_hand;
pub mod strategy;
pub mod style;

pub use sensible::Temper;
pub use spot::{Deed, Did, Seen, Spot};
pub use strategy::Strategy;
pub use style::Style;
