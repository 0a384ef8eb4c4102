//! Two players, of whom the small blind puts all in or folds and the big blind calls or folds: solved exactly, but for what is left of the
//! gain of who would know the other's ranges.

use super::regret::Regret;
use crate::{
    all_in,
    combo::{CLASSES, combos_of},
};

/// Until a best answer to either gains less than this, big blinds a hand.
const GAIN: f64 = 0.000_4;

/// Or so often.
const ROUNDS: usize = 20_000;

/// Between two looks at the gain.
const LOOK_EVERY: usize = 100;

/// What is played for, in any unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Game {
    /// What each can lose: the shorter stack, its blind included.
    pub stack: f64,
    /// What the small blind has put in.
    pub small_blind: f64,
    /// What the big blind has put in.
    pub big_blind: f64,
    /// What lies there besides.
    pub antes: f64,
}

/// Which hands are played: of each class, how often.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranges {
    /// The small blind puts all in.
    pub push: Vec<f64>,
    /// The big blind calls that.
    pub call: Vec<f64>,
}

impl Game {
    /// With blinds of a half and one, and nothing besides.
    pub fn of_blinds(stack: f64) -> Self {
        Self { stack, small_blind: 0.5, big_blind: 1.0, antes: 0.0 }
    }

    /// Ranges against which nobody can gain more than [`GAIN`].
    pub fn solve(&self) -> Ranges {
        let (mut push, mut call) = (Regret::new(CLASSES), Regret::new(CLASSES));
        for round in 1..=ROUNDS {
            let gains = self.push_gains(&call.now());
            push.learn(&gains, round);
            let gains = self.call_gains(&push.now());
            call.learn(&gains, round);
            if round % LOOK_EVERY == 0 {
                let ranges = Ranges { push: push.average(), call: call.average() };
                if self.exploitability(&ranges) < GAIN * self.big_blind {
                    return ranges;
                }
            }
        }
        Ranges { push: push.average(), call: call.average() }
    }

    /// Of each class of the small blind, what putting all in brings more than folding, weighted by how often the class is dealt.
    fn push_gains(&self, call: &[f64]) -> Vec<f64> {
        let (pot, stolen) = (2.0 * self.stack + self.antes, self.big_blind + self.antes);
        let gain = |class: usize| {
            let Met { all, ways, wins } = Met::of(class, call);
            (wins * pot - ways * self.stack + (all - ways) * stolen + all * self.small_blind) / PAIRS
        };
        (0..CLASSES).map(gain).collect()
    }

    /// Of each class of the big blind, what calling brings more than folding, weighted by how often it comes to that.
    fn call_gains(&self, push: &[f64]) -> Vec<f64> {
        let pot = 2.0 * self.stack + self.antes;
        let gain = |class: usize| {
            let Met { ways, wins, .. } = Met::of(class, push);
            (wins * pot - ways * (self.stack - self.big_blind)) / PAIRS
        };
        (0..CLASSES).map(gain).collect()
    }

    /// What a best answer to the ranges gains on average over both seats, a hand: 0 of an equilibrium, and of nothing else.
    pub fn exploitability(&self, ranges: &Ranges) -> f64 {
        let missed = |gains: Vec<f64>, played: &[f64]| -> f64 {
            gains.iter().zip(played).map(|(gain, played)| gain.max(0.0) - gain * played).sum()
        };
        let push = missed(self.push_gains(&ranges.call), &ranges.push);
        let call = missed(self.call_gains(&ranges.push), &ranges.call);
        (push + call) / 2.0
    }

    /// What the small blind wins a hand.
    pub fn value(&self, ranges: &Ranges) -> f64 {
        let gains = self.push_gains(&ranges.call);
        gains.iter().zip(&ranges.push).map(|(gain, played)| gain * played).sum::<f64>() - self.small_blind
    }
}

/// Pairs of hands that share no card.
pub(super) const PAIRS: f64 = 1_326.0 * 1_225.0;

/// Hands of a class against a range: pairs of hands that share no card.
#[derive(Debug, Clone, Copy)]
pub(super) struct Met {
    /// With any hand at all.
    pub(super) all: f64,
    /// With one of the range, each as often as it is played.
    pub(super) ways: f64,
    /// Of those, the ones that the class wins; of a split half.
    pub(super) wins: f64,
}

impl Met {
    pub(super) fn of(class: usize, range: &[f64]) -> Self {
        let row = class * CLASSES..(class + 1) * CLASSES;
        let (pairs, equities) = (&all_in::pairs()[row.clone()], &all_in::equities()[row]);
        let (mut ways, mut wins) = (0.0, 0.0);
        for ((pairs, equity), played) in pairs.iter().zip(equities).zip(range) {
            ways += pairs * played;
            wins += pairs * played * equity;
        }
        Self { all: f64::from(combos_of(class)) * 1_225.0, ways, wins }
    }
}

/// The share of all hands that a range plays.
pub fn share(range: &[f64]) -> f64 {
    range.iter().enumerate().map(|(class, played)| played * f64::from(combos_of(class))).sum::<f64>()
        / 1_326.0
}
