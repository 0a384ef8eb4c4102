//! A hand as others read it. All forms are of a [`Seen`], so none can tell a card that its viewer was not shown.
//!
//! - [`json`]: for pages and programs of ours; [`frames`]: for those that follow tables. [`files`]: Open Hand History, PHH and text, for programs of others and for people.

pub mod files;
pub mod frames;
pub mod json;

use holdem::{Deck, Event, Hand};

use crate::{Name, Seen};

/// What is told of a hand that does not stand in its record.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// What it is called.
    pub name: &'a Name,
    /// What its chips are.
    pub money: Money,
    /// The broker has lost it: it does not count.
    pub is_void: bool,
}

/// What chips are, to programs of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Money {
    /// Nobody's, or given away.
    Play {
        /// Digits behind the point.
        digits: u8,
    },
    /// A currency of the world, by the code in the record.
    Real {
        /// Digits behind the point.
        digits: u8,
    },
}

impl Money {
    /// Chips that are nobody's.
    pub const NOBODYS: Self = Self::Play { digits: 0 };

    /// Digits behind the point.
    pub fn digits(self) -> u8 {
        match self {
            Self::Play { digits } | Self::Real { digits } => digits,
        }
    }
}

/// The hand when it was over, as its viewer saw it; `told` is shown each event, and the hand before it.
fn replayed(seen: &Seen, mut told: impl FnMut(u32, &Event, &Hand)) -> Hand {
    let mut hand = Hand::new(&seen.setup, Deck::unknown()).expect("a hand that was played");
    for (at_ms, event) in &seen.events {
        told(*at_ms, event, &hand);
        hand.apply(event);
    }
    hand
}
