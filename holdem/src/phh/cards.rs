//! The cards a record names, as the deck from which the engine deals just these.

use super::notation::What;
use super::record::Record;
use super::replay::ReplayError;
use crate::card::{BOARD_MAX, Card, HoleCards};
use crate::deck::Deck;
use crate::hand::RUNS_MAX;
use crate::variant::Variant;

/// The cards a record names.
pub(super) struct RecordedCards {
    hole: Vec<HoleCards>,
    hole_each: usize,
    /// Community cards in the order dealt, over all boards.
    board: Vec<Option<Card>>,
    /// How many of them lay there at the last action.
    shared: usize,
    variant: Variant,
}

impl RecordedCards {
    pub(super) fn of(record: &Record) -> Result<RecordedCards, ReplayError> {
        let players = record.players();
        let hole_each = record.variant.hole_cards();
        let mut hole = vec![HoleCards::hidden(hole_each); players];
        // Dealt so far: a record may deal a hand card by card.
        let mut dealt = vec![HoleCards::NONE; players];
        let mut board = Vec::new();
        let mut shared = 0;
        for action in &record.actions {
            match action.what {
                Some(What::Show(player, cards))
                    if player < players && cards.len() == hole_each && cards.known().is_some() =>
                {
                    let shown = |card: Card| cards.iter().flatten().any(|other| other == card);
                    if !hole[player].iter().flatten().all(shown) {
                        return Err(ReplayError::ShowsOthers { player: player + 1 });
                    }
                    hole[player] = cards;
                }
                // Some of the cards may be unknown.
                Some(What::Hole(player, cards)) => {
                    let room = dealt.get(player).map_or(0, |dealt| hole_each - dealt.len());
                    // Cards that nobody saw may be told again when they are known.
                    let told_again = cards.len() == hole_each
                        && dealt.get(player).is_some_and(|dealt| dealt.iter().flatten().next().is_none());
                    if cards.len() > room && !told_again {
                        return Err(ReplayError::HoleCards { player: player + 1, players, each: hole_each });
                    }
                    if told_again {
                        dealt[player] = HoleCards::NONE;
                    }
                    cards.iter().for_each(|card| dealt[player].push(card));
                    if dealt[player].len() == hole_each {
                        hole[player] = dealt[player];
                    }
                }
                Some(What::Board(cards)) => board.extend(cards.iter()),
                Some(What::Fold(_) | What::CheckOrCall(_) | What::BetOrRaiseTo(..)) => shared = board.len(),
                _ => {}
            }
        }
        Ok(RecordedCards { hole, hole_each, board, shared, variant: record.variant })
    }

    /// How many boards the community cards make: what is dealt past the first five after the last action makes further
    /// runs, which share the streets dealt before it.
    pub(super) fn runs(&self) -> usize {
        let each = BOARD_MAX.saturating_sub(self.shared);
        let extra = self.board.len().saturating_sub(BOARD_MAX);
        if each > 0 && extra.is_multiple_of(each) { 1 + extra / each } else { 1 }
    }

    /// The deck from which the engine deals just these cards: hole cards one at a time around the table, and an unknown
    /// card burnt before each street.
    pub(super) fn deck(&self) -> Result<Deck, ReplayError> {
        let mut order: Vec<Option<Card>> = Vec::new();
        for round in 0..self.hole_each {
            order.extend(self.hole.iter().map(|hole| hole.iter().nth(round).flatten()));
        }
        let runs = self.runs();
        let first = &self.board[..self.board.len().min(BOARD_MAX)];
        let later = &self.board[first.len()..];
        if (runs == 1 && !later.is_empty()) || runs > RUNS_MAX {
            return Err(ReplayError::Board);
        }
        let streets = |cards: &[Option<Card>], mut on_board: usize, order: &mut Vec<Option<Card>>| {
            let mut cards = cards.iter().copied();
            while on_board < BOARD_MAX {
                let street = if on_board == 0 { 3 } else { 1 };
                order.push(None);
                order.extend((0..street).map(|_| cards.next().flatten()));
                on_board += street;
            }
        };
        streets(first, 0, &mut order);
        if runs > 1 {
            later.chunks(BOARD_MAX - self.shared).for_each(|run| streets(run, self.shared, &mut order));
        }
        let mut seen = [false; Card::COUNT as usize];
        for card in order.iter().flatten() {
            if self.variant.deck().all(|other| other != *card) {
                return Err(ReplayError::NotInTheDeck(*card));
            }
            if std::mem::replace(&mut seen[card.get() as usize], true) {
                return Err(ReplayError::CardTwice(*card));
            }
        }
        Ok(Deck::from_order(order))
    }
}
