//! Cards, and the two places where they lie: a player's hole cards and a board.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const RANKS: &[u8; 13] = b"23456789TJQKA";
const SUITS: &[u8; 4] = b"cdhs";

/// A playing card, numbered `4 * rank + suit`: rank 0 is the deuce and 12 the ace, suits are clubs, diamonds, hearts,
/// spades. So 0 is `2c`, 3 is `2s`, 51 is `As`.
///
/// Written rank then suit (`As`, `Td`); serialized as that string where the format is human-readable, else as the number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Card(u8);

impl Card {
    /// How many cards there are.
    pub const COUNT: u8 = 52;

    /// The card of that number, or `None` past 51.
    pub const fn new(number: u8) -> Option<Card> {
        if number < Card::COUNT { Some(Card(number)) } else { None }
    }

    /// The card's number, 0 to 51.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// 0 for the deuce to 12 for the ace.
    pub const fn rank(self) -> u8 {
        self.0 / 4
    }

    /// 0 clubs, 1 diamonds, 2 hearts, 3 spades.
    pub const fn suit(self) -> u8 {
        self.0 % 4
    }

    /// All 52 in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Card> + Clone {
        (0..Card::COUNT).map(Card)
    }
}

impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", RANKS[self.rank() as usize] as char, SUITS[self.suit() as usize] as char)
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that names no card.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a card: {0:?} (a card is a rank of 23456789TJQKA and a suit of cdhs, as in \"As\")")]
pub struct NotACard(pub String);

impl FromStr for Card {
    type Err = NotACard;
    fn from_str(text: &str) -> Result<Card, NotACard> {
        let card = match *text.as_bytes() {
            [rank, suit] => RANKS
                .iter()
                .position(|&r| r == rank)
                .zip(SUITS.iter().position(|&s| s == suit))
                .map(|(rank, suit)| Card((4 * rank + suit) as u8)),
            _ => None,
        };
        card.ok_or_else(|| NotACard(text.to_owned()))
    }
}

impl Serialize for Card {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_u8(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Card {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Card, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            text.parse().map_err(de::Error::custom)
        } else {
            let number = u8::deserialize(deserializer)?;
            Card::new(number).ok_or_else(|| de::Error::custom("card number past 51"))
        }
    }
}

/// The most hole cards any variant deals.
pub const HOLE_MAX: usize = 6;

/// The cards dealt to one player. Each is known or not: the dealer knows all, an observer (or an old hand record) may
/// know only how many there are.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HoleCards {
    len: u8,
    cards: [Option<Card>; HOLE_MAX],
}

impl HoleCards {
    /// No cards.
    pub const NONE: HoleCards = HoleCards { len: 0, cards: [None; HOLE_MAX] };

    /// `count` cards of which nothing is known. At most [`HOLE_MAX`].
    pub fn hidden(count: usize) -> HoleCards {
        assert!(count <= HOLE_MAX, "no variant deals {count} hole cards");
        HoleCards { len: count as u8, cards: [None; HOLE_MAX] }
    }

    /// Adds a card; `None` is a card face down. Past [`HOLE_MAX`] it is an error of the caller and panics.
    pub fn push(&mut self, card: Option<Card>) {
        self.cards[self.len as usize] = card;
        self.len += 1;
    }

    /// How many cards, known or not.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether no card was dealt.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The cards in the order dealt; `None` is one that is not known here.
    pub fn iter(&self) -> impl Iterator<Item = Option<Card>> + '_ {
        self.cards[..self.len()].iter().copied()
    }

    /// The cards if every one of them is known.
    pub fn known(&self) -> Option<impl Iterator<Item = Card> + '_> {
        self.iter().all(|card| card.is_some()).then(|| self.iter().flatten())
    }

    /// What is known of them here or there: of the same cards, in the same order.
    #[must_use]
    pub(crate) fn or(&self, others: &HoleCards) -> HoleCards {
        let mut cards = *self;
        for (mine, other) in cards.cards.iter_mut().zip(others.cards).take(self.len()) {
            *mine = mine.or(other);
        }
        cards
    }

    /// Only those that are wanted, the others face down.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(Card) -> bool) -> HoleCards {
        let mut cards = *self;
        for card in &mut cards.cards {
            *card = card.filter(|card| wanted(*card));
        }
        cards
    }

    /// The same number of cards, all face down: what other players may see.
    #[must_use]
    pub fn face_down(&self) -> HoleCards {
        HoleCards::hidden(self.len())
    }
}

impl FromIterator<Card> for HoleCards {
    fn from_iter<I: IntoIterator<Item = Card>>(cards: I) -> HoleCards {
        let mut hole = HoleCards::NONE;
        for card in cards {
            hole.push(Some(card));
        }
        hole
    }
}

/// Without separators, an unknown card as `??`: `AsKd`, `????`.
impl fmt::Display for HoleCards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for card in self.iter() {
            match card {
                Some(card) => write!(f, "{card}")?,
                None => f.write_str("??")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for HoleCards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The most cards on a board.
pub const BOARD_MAX: usize = 5;

/// Community cards, in the order dealt.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Board {
    len: u8,
    cards: [Option<Card>; BOARD_MAX],
}

impl Board {
    /// No cards yet.
    pub const EMPTY: Board = Board { len: 0, cards: [None; BOARD_MAX] };

    /// Adds a card; `None` is one that is not known here. Past [`BOARD_MAX`] it is an error of the caller and panics.
    pub fn push(&mut self, card: Option<Card>) {
        self.cards[self.len as usize] = card;
        self.len += 1;
    }

    /// How many cards.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether nothing was dealt yet.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The cards in the order dealt; `None` is one that is not known here.
    pub fn iter(&self) -> impl Iterator<Item = Option<Card>> + '_ {
        self.cards[..self.len()].iter().copied()
    }

    /// The cards if every one of them is known.
    pub fn known(&self) -> Option<impl Iterator<Item = Card> + '_> {
        self.iter().all(|card| card.is_some()).then(|| self.iter().flatten())
    }
}

impl FromIterator<Card> for Board {
    fn from_iter<I: IntoIterator<Item = Card>>(cards: I) -> Board {
        let mut board = Board::EMPTY;
        for card in cards {
            board.push(Some(card));
        }
        board
    }
}

/// Without separators, an unknown card as `??`.
impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for card in self.iter() {
            match card {
                Some(card) => write!(f, "{card}")?,
                None => f.write_str("??")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
