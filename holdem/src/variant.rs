//! What differs between the games: the deck, the hole cards, how they combine with the board, and the bet limit.

use serde::{Deserialize, Serialize};

use crate::card::Card;

/// A game of the hold'em family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Variant {
    /// Two hole cards, any of which play.
    #[default]
    Holdem,
    /// Hold'em without deuces to fives: a flush beats a full house, and the ace also plays below the six.
    ShortDeck,
    /// Four hole cards, exactly two of which play.
    Omaha,
    /// Five hole cards, exactly two of which play.
    Omaha5,
    /// Six hole cards, exactly two of which play.
    Omaha6,
}

impl Variant {
    /// How many cards each player is dealt.
    pub const fn hole_cards(self) -> usize {
        match self {
            Variant::Holdem | Variant::ShortDeck => 2,
            Variant::Omaha => 4,
            Variant::Omaha5 => 5,
            Variant::Omaha6 => 6,
        }
    }

    /// The cards of an unshuffled deck, in the order of their numbers.
    pub fn deck(self) -> impl Iterator<Item = Card> + Clone {
        /// Rank number of the six, the lowest card of a short deck.
        const SIX: u8 = 4;
        let lowest = if self == Variant::ShortDeck { SIX } else { 0 };
        Card::all().filter(move |card| card.rank() >= lowest)
    }

    /// How many players one deck serves: hole cards, a five-card board and three burns. Ten is the most in any game.
    pub fn players_max(self) -> usize {
        const BOARD_AND_BURNS: usize = 8;
        ((self.deck().count() - BOARD_AND_BURNS) / self.hole_cards()).min(crate::seat::SEATS_MAX)
    }
}

/// How much may be bet at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Limit {
    /// Up to everything a player has.
    #[default]
    NoLimit,
    /// Up to the size of the pot after calling.
    PotLimit,
}
