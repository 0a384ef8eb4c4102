//! How bots choose: a few kinds of player, each a function of what a player may know.

use protocol::table::{ActKind, Card, RaiseLimits, TableView, TurnView};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::{
    hand_strength::strength,
    sensible::{self, Temper},
};

/// A kind of player.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Anything that is legal, all-in as readily as the minimum: sees every corner of the rules.
    RandomLegal,
    /// Few hands, and those for their worth.
    Tight,
    /// Many hands, raising when in doubt, sometimes with nothing.
    LooseAggressive,
    /// As people do who know the game.
    Sensible(Temper),
}

/// What a bot does with its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// What.
    pub kind: ActKind,
    /// The street's total after a bet or raise.
    pub to: Option<u64>,
}

impl Style {
    /// The kinds that see every corner of the rules, in turn: bot `i` of a crowd plays style `i`.
    pub fn of_crowd(i: usize) -> Self {
        [Self::Tight, Self::LooseAggressive, Self::RandomLegal][i % 3]
    }

    /// The kinds that know the game, in turn: bot `i` of a house plays style `i`.
    pub fn of_house(i: usize) -> Self {
        Self::Sensible([Temper::Solid, Temper::Loose, Temper::Tight][i % 3])
    }

    /// Chooses a legal action for the player whose turn it is.
    pub fn choose(self, turn: &TurnView, view: &TableView, hole: &[Card], rng: &mut impl Rng) -> Choice {
        if let Self::Sensible(temper) = self {
            return sensible::choose(temper, turn, view, hole, rng);
        }
        let board = view.hand.as_ref().and_then(|hand| hand.boards.first()).map_or(&[][..], Vec::as_slice);
        // Nobody is sure of their own judgement: without this bots of one style would all fold to each other.
        let feeling = strength(hole, board) + rng.random_range(-0.1..0.1);
        let price = price(turn, view);
        match self {
            Self::RandomLegal => random_legal(turn, rng),
            Self::Tight if feeling > 0.8 => raise_by(turn, pot_part(turn, view, 0.7)),
            Self::Tight if feeling > 0.42 + 0.5 * price => call_or_check(turn),
            Self::LooseAggressive if feeling > 0.55 || rng.random_bool(0.12) => {
                let part = rng.random_range(0.5..1.5);
                raise_by(turn, pot_part(turn, view, part))
            }
            Self::LooseAggressive if feeling > 0.22 + 0.5 * price => call_or_check(turn),
            Self::Tight | Self::LooseAggressive | Self::Sensible(_) => check_or_fold(turn),
        }
    }

    /// How long the turn is thought about, as a part of what is usual.
    pub(crate) fn pondering(self, turn: &TurnView, view: &TableView) -> f64 {
        match self {
            Self::Sensible(_) => sensible::pondering(turn, view),
            Self::RandomLegal | Self::Tight | Self::LooseAggressive => 1.0,
        }
    }
}

/// What a call costs as a part of what could then be won: 0.0 (free) to about 0.5.
pub(crate) fn price(turn: &TurnView, view: &TableView) -> f64 {
    let call = turn.call.unwrap_or(0) as f64;
    call / (pot(view) as f64 + call).max(1.0)
}

pub(crate) fn pot(view: &TableView) -> u64 {
    let pots: u64 = view.hand.iter().flat_map(|hand| &hand.pots).map(|pot| pot.amount).sum();
    pots + view.seats.iter().flatten().map(|seat| seat.bet).sum::<u64>()
}

/// The street's total for a raise by a part of the pot after calling.
pub(crate) fn pot_part(turn: &TurnView, view: &TableView, part: f64) -> u64 {
    let highest = view.seats.iter().flatten().map(|seat| seat.bet).max().unwrap_or(0);
    let after_call = pot(view) + turn.call.unwrap_or(0);
    highest + (after_call as f64 * part) as u64
}

pub(crate) fn check_or_fold(turn: &TurnView) -> Choice {
    let kind = if turn.call.is_none() { ActKind::Check } else { ActKind::Fold };
    Choice { kind, to: None }
}

pub(crate) fn call_or_check(turn: &TurnView) -> Choice {
    let kind = if turn.call.is_none() { ActKind::Check } else { ActKind::Call };
    Choice { kind, to: None }
}

pub(crate) fn raise_by(turn: &TurnView, to: u64) -> Choice {
    turn.raise.map_or_else(|| call_or_check(turn), |limits| raise_to(limits, to))
}

fn raise_to(limits: RaiseLimits, to: u64) -> Choice {
    let kind = if limits.bet { ActKind::Bet } else { ActKind::Raise };
    Choice { kind, to: Some(to.clamp(limits.min, limits.max)) }
}

fn random_legal(turn: &TurnView, rng: &mut impl Rng) -> Choice {
    match (rng.random_range(0..10), turn.raise) {
        (0..=1, _) => check_or_fold(turn),
        (2..=6, _) | (_, None) => call_or_check(turn),
        (7, Some(limits)) => raise_to(limits, limits.min),
        (8, Some(limits)) => {
            // Small raises are likelier than large ones, yet every size occurs.
            let part = rng.random_range(0.0..1.0_f64).powi(3);
            raise_to(limits, limits.min + ((limits.max - limits.min) as f64 * part) as u64)
        }
        (_, Some(limits)) => raise_to(limits, if rng.random_bool(0.3) { limits.max } else { limits.min }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use protocol::{
        id::UserId,
        table::{SeatStatus, StreetName, TableConfig, TableEvent},
    };
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const ALL: [Style; 6] = [
        Style::Tight,
        Style::LooseAggressive,
        Style::RandomLegal,
        Style::Sensible(Temper::Tight),
        Style::Sensible(Temper::Solid),
        Style::Sensible(Temper::Loose),
    ];

    /// A table at which the player of seat 0 has so many chips and one opponent has bet.
    fn view(stack: u64, board: &[Card]) -> TableView {
        let mut view = TableView::new(TableConfig::default());
        for (seat, name, stack) in [(0, "ann", stack), (1, "bob", 500)] {
            let (user, status) = (UserId::new(name).unwrap(), SeatStatus::Playing);
            let seated =
                TableEvent::Seated { seat, user, name: name.into(), bot: false, stack, status, bank_ms: 0 };
            view.apply(&seated).unwrap();
        }
        view.apply(&TableEvent::HandStarted { hand: 1, button: 0, seats: vec![1, 0] }).unwrap();
        let (street, cards) = (StreetName::Flop, board.to_vec());
        view.apply(&TableEvent::Street { street, cards, run: 0 }).unwrap();
        view
    }

    proptest! {
        #[test]
        fn every_style_chooses_only_what_is_legal(
            seed: u64, style in proptest::sample::select(&ALL[..]), call in proptest::option::of(1u64..500),
            raise in proptest::option::of((1u64..1000, 0u64..1000, any::<bool>())),
            stack in 1u64..1000, on_board: bool,
        ) {
            let raise = raise.map(|(min, more, bet)| RaiseLimits { min, max: min + more, bet });
            let turn = TurnView { turn: 1, seat: 0, deadline_ms: 0, call, raise };
            let board = ["Qs", "7d", "2c"].map(|card| Card::new(card).unwrap());
            let view = view(stack, &board[..if on_board { 3 } else { 0 }]);
            let hole = [Card::new("As").unwrap(), Card::new("Kd").unwrap()];
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let choice = style.choose(&turn, &view, &hole, &mut rng);
            match choice.kind {
                ActKind::Fold | ActKind::Call => prop_assert!(call.is_some()),
                ActKind::Check => prop_assert!(call.is_none()),
                ActKind::Bet => prop_assert!(raise.unwrap().bet),
                ActKind::Raise => prop_assert!(!raise.unwrap().bet),
            }
            let to_is_legal = choice.to.is_none_or(|to| {
                let limits = raise.unwrap();
                (limits.min..=limits.max).contains(&to)
            });
            prop_assert!(to_is_legal);
        }
    }
}
