//! Tournaments, from a sit & go at one table to thousands of entries: who belongs where, levels, places and prizes; and the tables at which they
//! are played.
//!
//! A tournament is a star. Its room ([`director`]) is the only authority on *who belongs where*, each table ([`at_table`]) on *which seat and how many chips*. They
//! write each other [`letters`], each heard once and in order, so that every entry is at exactly one place with exactly its chips whatever process dies.
//! Tables know the schedule and compute the level themselves: a new level costs no message.
//!
//! In reading order:
//!
//! - [`settings`], [`presets`]: what a tournament is set to. [`clock`]: levels and breaks. [`payout`]: prizes. [`places`]: who is better of those that go out
//!   at once. [`seating`], [`balance`]: who sits where. All of these are pure.
//! - [`letters`]: what a tournament and its tables say to each other.
//! - [`director`]: the tournament. [`at_table`]: a table of it.

pub mod at_table;
pub mod balance;
pub mod clock;
pub mod director;
pub mod letters;
pub mod payout;
pub mod places;
pub mod presets;
pub mod seating;
pub mod settings;

pub use at_table::TournamentTable;
pub use director::{Settings, Tournament, stakes::Price};
