//! One entry of `actions`: `d dh p1 AsKs`, `p2 cbr 300 # a comment`.

use std::fmt;

use super::decimal::{Decimal, Written};
use crate::card::{Board, Card, HOLE_MAX, HoleCards};

/// What an entry says, and its commentary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notation {
    /// What happened; `None` for a bare comment.
    pub what: Option<What>,
    /// The text after the hash.
    pub comment: Option<String>,
}

/// What happened. Players count from 0 (`p1` is 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// `d dh pN CARDS`
    Hole(usize, HoleCards),
    /// `d db CARDS`
    Board(Board),
    /// `pN f`
    Fold(usize),
    /// `pN cc`
    CheckOrCall(usize),
    /// `pN cbr AMOUNT`
    BetOrRaiseTo(usize, Decimal),
    /// `pN sm CARDS`; unknown ones were neither shown nor mucked.
    Show(usize, HoleCards),
    /// `pN sm -`: the cards he was dealt.
    ShowDealt(usize),
    /// `pN sm`
    Muck(usize),
}

/// An entry that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an action of the games we model: {0:?}")]
pub struct NotAnAction(pub String);

impl std::str::FromStr for Notation {
    type Err = NotAnAction;

    /// An amount must be an exact [`Decimal`].
    fn from_str(text: &str) -> Result<Notation, NotAnAction> {
        Notation::read(text, |amount| written(amount)?.exact())
    }
}

impl Notation {
    /// Reads an entry in which `amount` says what an amount means.
    pub(super) fn read(
        text: &str,
        amount: impl FnOnce(&str) -> Option<Decimal>,
    ) -> Result<Notation, NotAnAction> {
        let (action, comment) = match text.split_once('#') {
            Some((action, comment)) => (action, Some(comment.trim().to_owned())),
            None => (text, None),
        };
        let words: Vec<&str> = action.split_whitespace().collect();
        let what = match words.as_slice() {
            [] => None,
            words => Some(parse(words, amount).ok_or_else(|| NotAnAction(text.to_owned()))?),
        };
        Ok(Notation { what, comment })
    }

    /// The amount in an entry, if there is one that is a number.
    pub(super) fn written_amount(text: &str) -> Option<Written> {
        let mut words = text.split('#').next()?.split_whitespace().skip(1);
        if words.next()? == "cbr" { written(words.next()?) } else { None }
    }
}

fn parse(words: &[&str], amount: impl FnOnce(&str) -> Option<Decimal>) -> Option<What> {
    Some(match *words {
        ["d", "dh", who, cards] => What::Hole(player(who)?, hole(cards)?),
        ["d", "db", cards] => What::Board(board(cards)?),
        [who, "f"] => What::Fold(player(who)?),
        [who, "cc"] => What::CheckOrCall(player(who)?),
        [who, "cbr", to] => What::BetOrRaiseTo(player(who)?, amount(to)?),
        [who, "sm"] => What::Muck(player(who)?),
        [who, "sm", "-"] => What::ShowDealt(player(who)?),
        [who, "sm", cards] => What::Show(player(who)?, hole(cards)?),
        _ => return None,
    })
}

fn player(text: &str) -> Option<usize> {
    let number: usize = text.strip_prefix('p')?.parse().ok()?;
    number.checked_sub(1).filter(|&index| index < crate::seat::SEATS_MAX)
}

/// An amount; groups of thousands may be set off by commas.
fn written(text: &str) -> Option<Written> {
    Written::parse(&text.replace(',', ""))
}

/// Two characters a card. A card of which rank or suit is unknown counts as unknown.
fn cards(text: &str) -> Option<Vec<Option<Card>>> {
    let bytes = text.as_bytes();
    if !text.is_ascii() || !bytes.len().is_multiple_of(2) {
        return None;
    }
    (0..bytes.len() / 2)
        .map(|at| {
            let card = &text[2 * at..2 * at + 2];
            if card.contains('?') { Some(None) } else { card.parse().ok().map(Some) }
        })
        .collect()
}

fn hole(text: &str) -> Option<HoleCards> {
    let cards = cards(text)?;
    if cards.len() > HOLE_MAX {
        return None;
    }
    let mut hole = HoleCards::NONE;
    cards.into_iter().for_each(|card| hole.push(card));
    Some(hole)
}

fn board(text: &str) -> Option<Board> {
    let cards = cards(text)?;
    if cards.len() > 3 {
        return None;
    }
    let mut board = Board::EMPTY;
    cards.into_iter().for_each(|card| board.push(card));
    Some(board)
}

impl fmt::Display for Notation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(what) = &self.what {
            what.fmt(f)?;
        }
        match (&self.what, &self.comment) {
            (_, None) => Ok(()),
            (None, Some(comment)) => write!(f, "# {comment}"),
            (Some(_), Some(comment)) => write!(f, " # {comment}"),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Hole(player, cards) => write!(f, "d dh p{} {cards}", player + 1),
            What::Board(cards) => write!(f, "d db {cards}"),
            What::Fold(player) => write!(f, "p{} f", player + 1),
            What::CheckOrCall(player) => write!(f, "p{} cc", player + 1),
            What::BetOrRaiseTo(player, amount) => write!(f, "p{} cbr {amount}", player + 1),
            What::Show(player, cards) => write!(f, "p{} sm {cards}", player + 1),
            What::ShowDealt(player) => write!(f, "p{} sm -", player + 1),
            What::Muck(player) => write!(f, "p{} sm", player + 1),
        }
    }
}
