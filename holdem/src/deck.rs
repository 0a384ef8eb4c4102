//! A deck in the order it will be dealt, and the shuffle that makes one from a seed.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::card::Card;
use crate::variant::Variant;

/// The secret a shuffle follows from: 32 bytes that only the dealer has seen.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed(pub [u8; 32]);

/// A seed decides every card of a hand, so it does not leak into logs.
impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(secret)")
    }
}

/// The cards still to be dealt, in order. A card that is not known here (in an old record, or on an observer's side) is
/// `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deck {
    cards: SmallVec<[Option<Card>; 52]>,
    dealt: u8,
}

impl Deck {
    /// The variant's deck shuffled by the seed: Fisher-Yates from the last card down, the exchange partner drawn from a
    /// ChaCha20 key stream without bias. `docs/rules.md` specifies it to the bit, with test vectors.
    pub fn shuffled(variant: Variant, seed: &Seed) -> Deck {
        let mut cards: SmallVec<[Option<Card>; 52]> = variant.deck().map(Some).collect();
        let mut stream = ChaCha20Rng::from_seed(seed.0);
        for last in (1..cards.len()).rev() {
            let partner = below(&mut stream, last as u32 + 1) as usize;
            cards.swap(last, partner);
        }
        Deck { cards, dealt: 0 }
    }

    /// A deck in the given order, for replays and tests. Cards past the end of the order are unknown when dealt.
    pub fn from_order(cards: impl IntoIterator<Item = Option<Card>>) -> Deck {
        Deck { cards: cards.into_iter().collect(), dealt: 0 }
    }

    /// A deck of which nothing is known: what an observer holds who follows a hand by its events.
    pub fn unknown() -> Deck {
        Deck { cards: SmallVec::new(), dealt: 0 }
    }

    /// The card `ahead` places below the top; `None` if it is not known here.
    pub(crate) fn peek(&self, ahead: usize) -> Option<Card> {
        self.cards.get(self.dealt as usize + ahead).copied().flatten()
    }

    /// Removes cards from the top: dealt or burnt.
    pub(crate) fn remove(&mut self, count: usize) {
        self.dealt = self.dealt.saturating_add(count as u8);
    }

    /// Overwrites the order: from now on no card is known here.
    pub(crate) fn forget(&mut self) {
        self.cards.fill(None);
    }

    /// The whole order, dealt cards included.
    pub fn order(&self) -> &[Option<Card>] {
        &self.cards
    }

    /// The same deck before its first card was dealt.
    #[must_use]
    pub fn from_the_top(mut self) -> Deck {
        self.dealt = 0;
        self
    }

    /// How many cards have left the deck.
    pub fn dealt(&self) -> usize {
        self.dealt as usize
    }
}

/// A number below `bound` drawn without bias: the low `k` bits of successive 32-bit words, where `k` is the fewest bits
/// that hold `bound - 1`, until one is below `bound`.
fn below(stream: &mut ChaCha20Rng, bound: u32) -> u32 {
    let mask = bound.next_power_of_two() - 1;
    loop {
        let candidate = stream.next_u32() & mask;
        if candidate < bound {
            return candidate;
        }
    }
}
