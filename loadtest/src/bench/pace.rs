//! So many a second, evenly.

use tokio::time::Instant;

/// What is owed at most when the machine could not keep up, in seconds of the pace: no burst makes up for more.
const OWED_S_MAX: f64 = 0.05;

/// Says how many are due.
#[derive(Debug)]
pub struct Pace {
    per_s: f64,
    last: Instant,
    owed: f64,
}

impl Pace {
    /// A pace that begins now.
    pub fn new(per_s: u64) -> Self {
        Self { per_s: per_s as f64, last: Instant::now(), owed: 0.0 }
    }

    /// How many are due by now, those left out.
    pub fn due(&mut self, now: Instant) -> u64 {
        self.owed += (now - self.last).as_secs_f64() * self.per_s;
        self.owed = self.owed.min((self.per_s * OWED_S_MAX).max(1.0));
        self.last = now;
        self.owed as u64
    }

    /// One was done.
    pub fn done(&mut self) {
        self.owed -= 1.0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_pace_is_kept_and_a_pause_is_not_made_up_for_in_a_burst() {
        let mut pace = Pace::new(1_000);
        let began = pace.last;
        let mut done = 0;
        for ms in 1..=500 {
            for _ in 0..pace.due(began + Duration::from_millis(ms)) {
                pace.done();
                done += 1;
            }
        }
        assert!((499..=500).contains(&done), "{done}");
        assert_eq!(pace.due(began + Duration::from_secs(60)), 50);
    }
}
