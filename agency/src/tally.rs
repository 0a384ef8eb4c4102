//! A mean, and how sure it is.

use serde::Serialize;

/// Normal deviates of a 95 % interval.
const SURE: f64 = 1.96;

/// Counts samples that do not depend on each other.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    count: f64,
    mean: f64,
    squares: f64,
}

/// A mean with half the width of its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Half the width of the interval; infinite with fewer than two samples.
    pub half: f64,
}

impl Tally {
    /// Takes a sample (Welford's way: no difference of large sums).
    pub fn add(&mut self, sample: f64) {
        self.count += 1.0;
        let before = sample - self.mean;
        self.mean += before / self.count;
        self.squares += before * (sample - self.mean);
    }

    /// The standard deviation of a sample.
    pub fn deviation(&self) -> f64 {
        (self.squares / (self.count - 1.0).max(0.0)).sqrt()
    }

    /// What the samples say.
    pub fn mean(&self) -> Mean {
        let half = if self.count < 2.0 { f64::INFINITY } else { SURE * self.deviation() / self.count.sqrt() };
        Mean { mean: self.mean, half }
    }
}

impl Mean {
    /// The lower end of the interval.
    pub fn least(self) -> f64 {
        self.mean - self.half
    }

    /// Whether the interval holds the value.
    pub fn holds(self, value: f64) -> bool {
        (self.mean - value).abs() <= self.half
    }
}
