//! So many a second, evenly.

use tokio::{
    sync::mpsc,
    task::spawn_blocking,
    time::{Duration, Instant},
};

use super::floor::tcp;

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

/// When each of so many is due, in microseconds of the floor's clock, told when it is: the runtime's own timers are good to a millisecond, which is more than what is measured.
pub fn due_at(rate: u64, count: u64) -> mpsc::UnboundedReceiver<u64> {
    let (tell, told) = mpsc::unbounded_channel();
    spawn_blocking(move || {
        let began_us = tcp::now_us();
        for number in 0..count {
            let due_us = began_us + number * 1_000_000 / rate;
            let ahead_us = due_us.saturating_sub(tcp::now_us());
            if ahead_us > 0 {
                std::thread::sleep(Duration::from_micros(ahead_us));
            }
            if tell.send(due_us).is_err() {
                return;
            }
        }
    });
    told
}

#[cfg(test)]
mod tests {
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
