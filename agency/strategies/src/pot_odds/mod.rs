//! `pot-odds`: what others may hold is narrowed by what they have done; the rest is dealt many times over, and of all that could be
//! done what brings most on average is done. Others are taken for people who stay in where the price is right.
//!
//! - `scores`: how good each hand is on a board; `ranges`: what others may hold; `rollout`: what each action brings.
//! - `opening`: before the flop, by ranges.

mod opening;
mod ranges;
mod rollout;
mod scores;

use holdem::{Action, Card, Variant};
use rand::Rng;
use smallvec::SmallVec;

use crate::{
    sensible::{self, Temper},
    spot::Spot,
};

/// Chooses a legal action.
pub(crate) fn decide(spot: &Spot, rng: &mut dyn Rng) -> Action {
    let hole: SmallVec<[Card; 2]> = spot.hole.iter().flatten().collect();
    if hole.len() != 2 || spot.rules.variant != Variant::Holdem {
        // It knows hold'em alone; at other games it plays as books recommend.
        return sensible::decide(Temper::Solid, spot, rng);
    }
    let hole = [hole[0], hole[1]];
    let by_the_book = if spot.board.is_empty() { opening::decide(spot, hole) } else { None };
    by_the_book.unwrap_or_else(|| rollout::decide(spot, hole, rng))
}
