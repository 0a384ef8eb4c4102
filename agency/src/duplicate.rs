//! A match by duplicate deals: one strategy against another, which has all other seats, on the same cards from each seat.

use serde::Serialize;
use strategies::Strategy;

use crate::{
    deal::{BIG_BLIND, Deal},
    tally::{Mean, Tally},
};

/// Thousandths of a big blind in a big blind.
const MILLI: f64 = 1_000.0;

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Hands of the first strategy. Each deal is played once from each seat, so they are a multiple of the seats, rounded up.
    pub hands: u64,
    /// Seats: the first strategy has one, the second all others.
    pub seats: u8,
    /// Where all chance comes from.
    pub seed: u64,
    /// Big blinds with which everybody begins every hand.
    pub stack: u64,
}

/// What the first strategy has won, thousandths of a big blind a hand.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Outcome {
    /// Hands played.
    pub hands: u64,
    /// With the average over the cards that were to come when all chips were in.
    pub adjusted: Mean,
    /// As the cards fell.
    pub raw: Mean,
    /// What the interval would be if the hands of a deal did not depend on each other: what duplicate deals save.
    pub single: Mean,
    /// Actions that the rules refused.
    pub illegal: u64,
}

/// Plays it.
pub fn play(one: &dyn Strategy, other: &dyn Strategy, terms: Terms) -> Outcome {
    let seats = u64::from(terms.seats);
    let deals = terms.hands.div_ceil(seats);
    let (mut adjusted, mut raw, mut single, mut illegal) =
        (Tally::default(), Tally::default(), Tally::default(), 0);
    let milli = |chips: f64| MILLI * chips / BIG_BLIND as f64;
    for index in 0..deals {
        let deal = Deal::new(terms.seed, index, terms.seats, terms.stack);
        let (mut as_it_fell, mut on_average) = (0.0, 0.0);
        for seat in 0..usize::from(terms.seats) {
            let played = deal.play(|at| if at == seat { one } else { other });
            as_it_fell += milli(played.nets[seat] as f64);
            on_average += milli(played.adjusted[seat]);
            single.add(milli(played.adjusted[seat]));
            illegal += played.illegal;
        }
        raw.add(as_it_fell / seats as f64);
        adjusted.add(on_average / seats as f64);
    }
    Outcome {
        hands: deals * seats,
        adjusted: adjusted.mean(),
        raw: raw.mean(),
        single: single.mean(),
        illegal,
    }
}
