//! Rules of poker as dealt in the best card rooms: pure, deterministic, no I/O, no clock, no randomness of its own.
//!
//! A [`Hand`] is a state machine. Commands ([`Hand::start`], [`Hand::act`], [`Hand::vote_runs`], [`Hand::show`]) decide
//! [`Event`]s and hand them to a sink; every state change is an event put through [`Hand::apply`], so replaying the
//! events onto [`Hand::new`] with the same setup and deck gives the same state. Everything random comes in as a
//! [`Seed`]. Rules follow the TDA rules of 2022 and Robert's Rules; `docs/rules.md` says where each is and what tests it.
//!
//! ```
//! use holdem::{Action, Chips, Deck, Hand, HandRules, HandSetup, Seed, Variant};
//!
//! let rules = HandRules::no_limit_holdem(Chips(50), Chips(100));
//! let setup = HandSetup::simple(rules, 0, &[Chips(10_000), Chips(10_000), Chips(10_000)]);
//! let deck = Deck::shuffled(Variant::Holdem, &Seed([7; 32]));
//! let mut events = Vec::new();
//! let mut hand = Hand::start(&setup, deck.clone(), |event| events.push(event))?;
//! while let Some(seat) = hand.to_act() {
//!     let legal = hand.legal_actions().expect("a seat is to act");
//!     let action = if legal.check { Action::Check } else { Action::Call };
//!     hand.act(seat, action, |event| events.push(event))?;
//! }
//! assert!(hand.ended());
//!
//! let mut replayed = Hand::new(&setup, deck)?;
//! events.iter().for_each(|event| replayed.apply(event));
//! assert_eq!(replayed, hand);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Modules, in reading order:
//!
//! - [`chips`], [`card`], [`seat`], [`deck`]: money, cards, places, and the shuffle.
//! - [`variant`]: what differs between hold'em, short deck and Omaha; [`setup`]: what is decided before a hand.
//! - [`event`] and [`action`]: the two message sets, what happens and what is asked for.
//! - [`hand`] and [`player`]: the state and how events change it.
//! - `dealing`: the course of a hand between decisions; `betting`: turns and limits; `showdown`: who shows, who wins.
//! - [`between`]: who plays the next hand, where the button goes, who posts what.
//! - [`pot`]: main and side pots; [`evaluate`]: how strong a hand is; [`made`]: of which five cards.
//! - [`phh`]: hand histories read, replayed and written; [`history`]: for other eyes (Open Hand History, text).

pub mod action;
mod betting;
pub mod between;
pub mod card;
pub mod chips;
mod dealing;
pub mod deck;
pub mod evaluate;
pub mod event;
pub mod hand;
pub mod history;
pub mod made;
pub mod phh;
pub mod player;
pub mod pot;
pub mod seat;
pub mod setup;
mod showdown;
pub mod variant;

pub use action::{Action, LegalActions, RaiseKind, RaiseRange, Refusal, RefusalCode};
pub use card::{Board, Card, HoleCards};
pub use chips::Chips;
pub use deck::{Deck, Seed};
pub use event::{Did, Event, PostKind, ShowReason, Street};
pub use hand::{Hand, RUNS_MAX};
pub use player::{Player, ShowChoice};
pub use pot::{Pot, Pots};
pub use seat::{SEATS_MAX, SeatIndex, SeatSet};
pub use setup::{AnteOrder, HandRules, HandSetup, Post, Rake, SeatSetup, SetupError};
pub use variant::{Limit, Variant};

/// Holds the example of the read-me to its word.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
