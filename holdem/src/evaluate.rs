//! How strong five to seven cards are. The only module that knows `rs_poker`.

use std::fmt;

use rs_poker::core::{CoreRank, Rank, SevenCardAccum};
use smallvec::SmallVec;

use crate::card::{BOARD_MAX, Board, Card, HOLE_MAX, HoleCards};
use crate::variant::Variant;

/// The strength of a player's best five cards: greater wins, equal splits. Comparable within one variant only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Strength(u32);

/// The classes of hands, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HandClass {
    /// Nothing.
    HighCard,
    /// Two of a rank.
    OnePair,
    /// Two pairs.
    TwoPair,
    /// Three of a rank.
    ThreeOfAKind,
    /// Five ranks in a row.
    Straight,
    /// Five of a suit.
    Flush,
    /// Three of a rank and two of another.
    FullHouse,
    /// Four of a rank.
    FourOfAKind,
    /// Five ranks in a row of one suit.
    StraightFlush,
}

/// Bits of a strength that order hands of one class.
const WITHIN_CLASS_BITS: u32 = 16;

impl Strength {
    fn new(variant: Variant, class: HandClass, within: u16) -> Strength {
        // Short deck: a flush is rarer than a full house and beats it.
        let order = match (variant, class) {
            (Variant::ShortDeck, HandClass::Flush) => HandClass::FullHouse as u32,
            (Variant::ShortDeck, HandClass::FullHouse) => HandClass::Flush as u32,
            (_, class) => class as u32,
        };
        // The class itself rides in the low bits, below everything that decides: it is equal whenever the order is.
        Strength(order << (WITHIN_CLASS_BITS + 4) | u32::from(within) << 4 | class as u32)
    }

    /// The class of the hand.
    pub fn class(self) -> HandClass {
        use HandClass::*;
        const CLASSES: [HandClass; 9] = [
            HighCard,
            OnePair,
            TwoPair,
            ThreeOfAKind,
            Straight,
            Flush,
            FullHouse,
            FourOfAKind,
            StraightFlush,
        ];
        CLASSES[(self.0 & 0xf) as usize]
    }
}

impl fmt::Debug for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({:#x})", self.class(), self.0)
    }
}

impl fmt::Display for HandClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HandClass::HighCard => "high card",
            HandClass::OnePair => "one pair",
            HandClass::TwoPair => "two pair",
            HandClass::ThreeOfAKind => "three of a kind",
            HandClass::Straight => "straight",
            HandClass::Flush => "flush",
            HandClass::FullHouse => "full house",
            HandClass::FourOfAKind => "four of a kind",
            HandClass::StraightFlush => "straight flush",
        })
    }
}

/// The strength of a player's hand on a complete board, or `None` if a card is unknown or the board not complete.
pub fn strength(variant: Variant, hole: &HoleCards, board: &Board) -> Option<Strength> {
    if board.len() != BOARD_MAX || hole.len() != variant.hole_cards() {
        return None;
    }
    let hole: SmallVec<[Card; HOLE_MAX]> = hole.known()?.collect();
    let board: SmallVec<[Card; BOARD_MAX]> = board.known()?.collect();
    Some(match variant {
        Variant::Holdem | Variant::ShortDeck => best(variant, hole.iter().chain(&board).copied()),
        Variant::Omaha | Variant::Omaha5 | Variant::Omaha6 => exactly_two(variant, &hole, &board),
    })
}

/// The best hand of exactly two hole cards and three of the board.
fn exactly_two(variant: Variant, hole: &[Card], board: &[Card]) -> Strength {
    let mut best_yet = Strength(0);
    for (i, &first) in hole.iter().enumerate() {
        for &second in &hole[i + 1..] {
            for out in 0..board.len() {
                for out_too in out + 1..board.len() {
                    let three = (0..board.len()).filter(|&at| at != out && at != out_too).map(|at| board[at]);
                    best_yet = best_yet.max(best(variant, [first, second].into_iter().chain(three)));
                }
            }
        }
    }
    best_yet
}

/// The best hand of five to seven cards.
pub fn best(variant: Variant, cards: impl Iterator<Item = Card>) -> Strength {
    let mut accum = SevenCardAccum::new();
    let mut by_suit = [0u16; 4];
    for card in cards {
        accum.add(foreign(card));
        by_suit[card.suit() as usize] |= 1 << card.rank();
    }
    let rank = accum.rank();
    let class = class_of(rank);
    if variant == Variant::ShortDeck
        && let Some(low) = short_deck_wheel(by_suit)
        && (low as u32) > class as u32
    {
        // Below every other straight: nothing orders it within its class.
        return Strength::new(variant, low, 0);
    }
    Strength::new(variant, class, rank.value_bits())
}

/// A-6-7-8-9, which is a straight in short deck only.
fn short_deck_wheel(by_suit: [u16; 4]) -> Option<HandClass> {
    /// Ranks six, seven, eight, nine and ace.
    const WHEEL: u16 = 0b1_0000_1111_0000;
    let holds = |ranks: u16| ranks & WHEEL == WHEEL;
    if by_suit.into_iter().any(holds) {
        Some(HandClass::StraightFlush)
    } else if holds(by_suit.into_iter().fold(0, |all, suit| all | suit)) {
        Some(HandClass::Straight)
    } else {
        None
    }
}

fn foreign(card: Card) -> rs_poker::core::Card {
    use rs_poker::core::{Card as Foreign, Suit, Value};
    const SUITS: [Suit; 4] = [Suit::Club, Suit::Diamond, Suit::Heart, Suit::Spade];
    Foreign::new(Value::from_u8(card.rank()), SUITS[card.suit() as usize])
}

fn class_of(rank: Rank) -> HandClass {
    match rank.category() {
        CoreRank::HighCard => HandClass::HighCard,
        CoreRank::OnePair => HandClass::OnePair,
        CoreRank::TwoPair => HandClass::TwoPair,
        CoreRank::ThreeOfAKind => HandClass::ThreeOfAKind,
        CoreRank::Straight => HandClass::Straight,
        CoreRank::Flush => HandClass::Flush,
        CoreRank::FullHouse => HandClass::FullHouse,
        CoreRank::FourOfAKind => HandClass::FourOfAKind,
        CoreRank::StraightFlush => HandClass::StraightFlush,
    }
}
