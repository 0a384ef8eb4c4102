//! What others may hold, by what they have done: each action makes hands likelier with which people do it.

use std::sync::LazyLock;

use holdem::{Card, SeatIndex, Street};

use super::scores::{self, Scores};
use crate::{
    combo::{ALL, COMBOS, mask},
    spot::{Deed, Did, Spot},
    starting_hand::better_share,
};

/// How likely each hand is, by its number; they need not add up to one.
pub(super) type Range = Vec<f32>;

/// The share of all hands that are better before the flop.
pub(super) static SHARES: LazyLock<Vec<f32>> =
    LazyLock::new(|| ALL.iter().map(|combo| better_share(&combo.cards) as f32).collect());

/// People do anything at times.
const SURPRISE: f32 = 0.02;

/// From 0 to 1 around `at`, over about twice the width on each side.
pub(super) fn rises(value: f32, at: f32, width: f32) -> f32 {
    1.0 / (1.0 + ((at - value) / width).exp())
}

/// The range of a player who is in the hand, as another sees it who holds `hole`.
pub(super) fn of(seat: SeatIndex, spot: &Spot, known: u64) -> Range {
    let possible = |combo: &crate::combo::Combo| if combo.mask & known == 0 { 1.0 } else { 0.0 };
    let mut range: Range = ALL.iter().map(possible).collect();
    let board: Vec<Card> = spot.board.iter().flatten().collect();
    for (at, deed) in spot.deeds.iter().enumerate().filter(|(_, deed)| deed.seat == seat) {
        match deed.street {
            Street::Preflop => before_the_flop(&mut range, deed, &spot.deeds[..at], spot),
            street => {
                let scores = scores::on(&board[..board.len().min(cards(street))]);
                after_it(&mut range, deed, &scores);
            }
        }
    }
    range
}

const fn cards(street: Street) -> usize {
    match street {
        Street::Preflop => 0,
        Street::Flop => 3,
        Street::Turn => 4,
        Street::River => 5,
    }
}

fn before_the_flop(range: &mut Range, deed: &Deed, before: &[Deed], spot: &Spot) {
    let raises = before.iter().filter(|deed| deed.did == Did::Raise).count();
    let big_blind = spot.big_blind() as f32;
    let paid = deed.paid as f32 / big_blind;
    let players = spot.players.len();
    let opens = match players {
        ..=2 => 0.5,
        3 => 0.38,
        4..=6 => 0.28,
        _ => 0.2,
    };
    let likelihood = |share: f32| -> f32 {
        match (deed.did, raises) {
            // All chips of a deep stack are not put in to steal the blinds.
            (Did::Raise, 0) if paid > 15.0 => 1.0 - rises(share, 0.08, 0.02),
            (Did::Raise, 0) => 1.0 - rises(share, opens, 0.05),
            (Did::Raise, 1) => 1.0 - rises(share, if paid > 25.0 { 0.035 } else { 0.06 }, 0.012),
            (Did::Raise, _) => 1.0 - rises(share, 0.03, 0.006),
            (Did::Call, 0) => rises(share, 0.08, 0.03) * (1.0 - rises(share, 0.5, 0.08)),
            (Did::Call, 1) if paid > 15.0 => 1.0 - rises(share, 0.07, 0.02),
            (Did::Call, 1) => (0.3 + 0.7 * rises(share, 0.03, 0.01)) * (1.0 - rises(share, 0.25, 0.05)),
            (Did::Call, _) if paid > 20.0 => 1.0 - rises(share, 0.04, 0.01),
            (Did::Call, _) => 1.0 - rises(share, 0.09, 0.02),
            (Did::Check, _) => 0.3 + 0.7 * rises(share, 0.12, 0.03),
            (Did::Fold, _) => 1.0,
        }
    };
    for (weight, share) in range.iter_mut().zip(SHARES.iter()) {
        *weight *= likelihood(*share) + SURPRISE;
    }
}

fn after_it(range: &mut Range, deed: &Deed, scores: &Scores) {
    let pot = (deed.pot as f32).max(1.0);
    let size = (deed.paid as f32 / pot).min(2.0);
    let price = deed.owed as f32 / (pot + deed.owed as f32);
    let likelihood = |score: f32| -> f32 {
        match deed.did {
            Did::Raise if deed.owed == 0 => 0.12 + 0.88 * rises(score, 0.62 + 0.06 * size, 0.05),
            Did::Raise => 0.03 + rises(score, 0.82, 0.04),
            Did::Check => 1.0 - 0.7 * rises(score, 0.74, 0.05),
            Did::Call => rises(score, price + 0.16, 0.05) * (1.0 - 0.6 * rises(score, 0.88, 0.03)),
            Did::Fold => 1.0,
        }
    };
    for (weight, score) in range.iter_mut().zip(scores).filter(|(weight, _)| **weight > 0.0) {
        *weight *= likelihood(*score) + SURPRISE;
    }
}

/// Draws hands of a range, but none with a card that is taken.
#[derive(Debug)]
pub(super) struct Draw {
    sums: Vec<f32>,
}

/// After so many tries in vain a hand is drawn whatever it is worth.
const TRIES: usize = 20;

impl Draw {
    pub(super) fn of(range: &Range) -> Self {
        let mut sum = 0.0;
        let sums = range.iter().map(|weight| {
            sum += weight;
            sum
        });
        Self { sums: sums.collect() }
    }

    /// The number of a hand, given chance from 0 to 1.
    pub(super) fn hand(&self, taken: u64, mut chance: impl FnMut() -> f32) -> usize {
        let all = self.sums.last().copied().unwrap_or(0.0);
        for _ in 0..TRIES {
            let target = chance() * all;
            let at = self.sums.partition_point(|sum| *sum <= target).min(COMBOS - 1);
            if ALL[at].mask & taken == 0 {
                return at;
            }
        }
        let from = (chance() * COMBOS as f32) as usize;
        let free = (0..COMBOS).map(|step| (from + step) % COMBOS).find(|at| ALL[*at].mask & taken == 0);
        free.expect("a deck holds more hands than a table deals")
    }
}

/// The cards that a player sees.
pub(super) fn known(spot: &Spot) -> u64 {
    mask(spot.hole.iter().chain(spot.board.iter()).flatten())
}
