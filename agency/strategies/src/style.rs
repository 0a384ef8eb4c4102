//! Styles: a few kinds of player that are quick to decide, as the house and the swarm have them.

use holdem::{Action, Card, Chips, RaiseRange};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::{
    hand_strength::strength,
    pot_odds, push_fold,
    sensible::{self, Temper},
    spot::Spot,
    strategy::Strategy,
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
    /// Reckons what each action brings: see [`pot_odds`].
    PotOdds,
    /// The same, and with a short stack all or nothing, as is best: see [`push_fold`].
    PushFold,
}

impl Style {
    /// The kinds that see every corner of the rules, in turn: bot `i` of a crowd plays style `i`.
    pub fn of_crowd(i: usize) -> Self {
        [Self::Tight, Self::LooseAggressive, Self::RandomLegal][i % 3]
    }

    /// Whether it is of those kinds.
    pub fn is_of_crowd(self) -> bool {
        matches!(self, Self::Tight | Self::LooseAggressive | Self::RandomLegal)
    }

    /// The kinds that know the game, in turn: bot `i` of a house plays style `i`.
    pub fn of_house(i: usize) -> Self {
        Self::Sensible([Temper::Solid, Temper::Loose, Temper::Tight][i % 3])
    }
}

impl Strategy for Style {
    fn decide(&self, spot: &Spot, rng: &mut dyn Rng) -> Action {
        match self {
            Self::Sensible(temper) => sensible::decide(*temper, spot, rng),
            Self::PotOdds => pot_odds::decide(spot, rng),
            Self::PushFold => push_fold::decide(spot, rng),
            Self::RandomLegal => random_legal(spot, rng),
            Self::Tight | Self::LooseAggressive => self.by_looks(spot, rng),
        }
    }
}

impl Style {
    fn by_looks(self, spot: &Spot, rng: &mut dyn Rng) -> Action {
        let hole: Vec<Card> = spot.hole.iter().flatten().collect();
        let board: Vec<Card> = spot.board.iter().flatten().collect();
        // Nobody is sure of their own judgement: without this bots of one style would all fold to each other.
        let feeling = strength(&hole, &board) + rng.random_range(-0.1..0.1);
        let price = spot.price();
        match self {
            Self::Tight if feeling > 0.8 => spot.raise_to(spot.pot_part(0.7)),
            Self::Tight if feeling > 0.42 + 0.5 * price => spot.call_or_check(),
            Self::LooseAggressive if feeling > 0.55 || rng.random_bool(0.12) => {
                spot.raise_to(spot.pot_part(rng.random_range(0.5..1.5)))
            }
            Self::LooseAggressive if feeling > 0.22 + 0.5 * price => spot.call_or_check(),
            _ => spot.check_or_fold(),
        }
    }
}

fn random_legal(spot: &Spot, rng: &mut dyn Rng) -> Action {
    match (rng.random_range(0..10), spot.legal.raise) {
        (0..=1, _) => spot.check_or_fold(),
        (2..=6, _) | (_, None) => spot.call_or_check(),
        (7, Some(RaiseRange { min_to, .. })) => Action::RaiseTo(min_to),
        (8, Some(RaiseRange { min_to, max_to, .. })) => {
            // Small raises are likelier than large ones, yet every size occurs.
            let part = rng.random_range(0.0..1.0_f64).powi(3);
            Action::RaiseTo(min_to + Chips(((max_to - min_to).0 as f64 * part) as u64))
        }
        (_, Some(RaiseRange { min_to, max_to, .. })) => {
            Action::RaiseTo(if rng.random_bool(0.3) { max_to } else { min_to })
        }
    }
}
