//! Faults drawn from a seed, at given rates.

use parking_lot::Mutex;
use protocol::id::NodeId;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use smallvec::smallvec;
use tokio::time::Duration;

use super::fault::{Copies, Fate, Faults, Operation, one_copy};

/// An operation that is put behind others is so at most as often.
pub const TURNS_MAX: u8 = 6;

/// How often what goes wrong; probabilities from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rates {
    /// An operation fails without having been applied.
    pub refused: f64,
    /// An operation is applied, but its caller is told that the broker is out of reach.
    pub answer_lost: f64,
    /// An operation never ends.
    pub hangs: f64,
    /// All others that can run do so first, up to [`TURNS_MAX`] times on the way to the broker and as often on the way back.
    pub behind: f64,
    /// An operation takes up to [`Rates::slow_max`] to the broker and as long back.
    pub slow: f64,
    /// The longest way of a slow operation.
    pub slow_max: Duration,
    /// A message does not reach a subscriber.
    pub dropped: f64,
    /// A message reaches a subscriber twice.
    pub duplicated: f64,
    /// A message is late by up to [`Rates::late_max`], and may be overtaken.
    pub late: f64,
    /// The longest delay of a late message.
    pub late_max: Duration,
}

/// [`Faults`] by [`Rates`]; all randomness from one generator.
pub struct SeededFaults {
    drawn: Mutex<(ChaCha8Rng, Rates)>,
}

impl SeededFaults {
    /// Faults at `rates`, drawn from `rng`.
    pub fn new(rng: ChaCha8Rng, rates: Rates) -> Self {
        Self { drawn: Mutex::new((rng, rates)) }
    }

    /// Other rates from now on; [`Rates::default`] ends the faults.
    pub fn set_rates(&self, rates: Rates) {
        self.drawn.lock().1 = rates;
    }
}

fn up_to(rng: &mut ChaCha8Rng, max: Duration) -> Duration {
    let micros = u64::try_from(max.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(rng.random_range(0..=micros))
}

impl Faults for SeededFaults {
    fn operation(&self, _node: &NodeId, _operation: Operation) -> Fate {
        let (rng, rates) = &mut *self.drawn.lock();
        let mut left: f64 = rng.random();
        // One draw chooses among exclusive outcomes, each as wide as its rate.
        let mut falls_in = |rate: f64| {
            left -= rate;
            left < 0.0
        };
        let fate = if falls_in(rates.refused) {
            Fate::REFUSED
        } else if falls_in(rates.answer_lost) {
            Fate::ANSWER_LOST
        } else if falls_in(rates.hangs) {
            Fate::HANGS
        } else {
            Fate::FINE
        };
        let behind = rates.behind > 0.0 && rng.random_bool(rates.behind);
        let fate = Fate { turns: if behind { rng.random_range(1..=TURNS_MAX) } else { 0 }, ..fate };
        if !rng.random_bool(rates.slow) {
            return fate;
        }
        let (before, after) = (up_to(rng, rates.slow_max), up_to(rng, rates.slow_max));
        Fate { before, after, ..fate }
    }

    fn delivery(&self, _from: &NodeId, _to: &NodeId, _channel: &str) -> Copies {
        let (rng, rates) = &mut *self.drawn.lock();
        if rng.random_bool(rates.dropped) {
            return Copies::new();
        }
        let mut copies = one_copy();
        if rng.random_bool(rates.duplicated) {
            copies = smallvec![Duration::ZERO, up_to(rng, rates.late_max)];
        }
        if rng.random_bool(rates.late) {
            copies[0] = up_to(rng, rates.late_max);
        }
        copies
    }
}
