//! The kinds of broken promise that a referee can see, and how many of each were seen.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How many breaches are described in words; the others are only counted.
const DESCRIBED_MAX: usize = 8;

/// A broken promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breach {
    /// A frame was left out, or the own part that belongs to one.
    Gap,
    /// A frame came twice, or from an epoch that is over.
    Repeat,
    /// Views that must be equal differ, an event does not fit, or a message cannot be read.
    Fold,
    /// Chips were made or lost, or a pot went to somebody who cannot win it.
    Chips,
    /// A rule of the table was broken: see [`FairPlay`](crate::fair_play::FairPlay).
    Rules,
    /// A card was seen that must not be seen, or twice.
    Privacy,
    /// A command was answered twice, never, unasked, or before its frame.
    Answer,
    /// An account does not hold what its player has brought to tables and taken home: see [`Purse`](crate::purse::Purse).
    Money,
}

/// Counts by kind. `jumped` and `lost` are no breaches: see the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Breaches {
    /// See [`Breach::Gap`].
    pub gap: u64,
    /// See [`Breach::Repeat`].
    pub repeat: u64,
    /// See [`Breach::Fold`].
    pub fold: u64,
    /// See [`Breach::Chips`].
    pub chips: u64,
    /// See [`Breach::Rules`].
    pub rules: u64,
    /// See [`Breach::Privacy`].
    pub privacy: u64,
    /// See [`Breach::Answer`].
    pub answer: u64,
    /// See [`Breach::Money`].
    pub money: u64,
    /// Keyframes that went past frames not seen: legal after a slow read or a long absence.
    #[serde(skip)]
    pub jumped: u64,
    /// Keyframes of a later epoch that went back, or hands that were dealt again: the broker lost frames that had been seen.
    #[serde(skip)]
    pub lost: u64,
    /// The first few breaches in words.
    #[serde(skip)]
    pub described: Vec<String>,
}

impl Breaches {
    /// Counts one; `what` is only called for the first few.
    pub fn count<D: fmt::Display>(&mut self, breach: Breach, what: impl FnOnce() -> D) {
        if self.described.len() < DESCRIBED_MAX {
            self.described.push(format!("{breach:?}: {}", what()));
        }
        let counter = match breach {
            Breach::Gap => &mut self.gap,
            Breach::Repeat => &mut self.repeat,
            Breach::Fold => &mut self.fold,
            Breach::Chips => &mut self.chips,
            Breach::Rules => &mut self.rules,
            Breach::Privacy => &mut self.privacy,
            Breach::Answer => &mut self.answer,
            Breach::Money => &mut self.money,
        };
        *counter += 1;
    }

    /// All breaches together.
    pub fn total(&self) -> u64 {
        self.gap + self.repeat + self.fold + self.chips + self.rules + self.privacy + self.answer + self.money
    }

    /// Adds another client's counts.
    pub fn add(&mut self, other: &Self) {
        self.gap += other.gap;
        self.repeat += other.repeat;
        self.fold += other.fold;
        self.chips += other.chips;
        self.rules += other.rules;
        self.privacy += other.privacy;
        self.answer += other.answer;
        self.money += other.money;
        self.jumped += other.jumped;
        self.lost += other.lost;
        let room = DESCRIBED_MAX.saturating_sub(self.described.len());
        self.described.extend(other.described.iter().take(room).cloned());
    }
}
