//! What happens often is logged now and then.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Lets one of many equal log lines through in a while.
pub struct Sparingly {
    every: Duration,
    state: Mutex<State>,
}

struct State {
    told: Option<Instant>,
    untold: u64,
}

impl Sparingly {
    /// One a minute.
    pub const fn every_minute() -> Self {
        Self { every: Duration::from_secs(60), state: Mutex::new(State { told: None, untold: 0 }) }
    }

    /// Whether to tell it this time: then how often it has happened since it was last told.
    pub fn tell(&self) -> Option<u64> {
        self.tell_at(Instant::now())
    }

    fn tell_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock();
        if state.told.is_some_and(|told| now.saturating_duration_since(told) < self.every) {
            state.untold += 1;
            return None;
        }
        state.told = Some(now);
        Some(std::mem::take(&mut state.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_and_then_one_a_minute_with_how_many_there_were() {
        let (sparingly, start) = (Sparingly::every_minute(), Instant::now());
        let tell = |seconds| sparingly.tell_at(start + Duration::from_secs(seconds));
        assert_eq!([tell(0), tell(1), tell(59), tell(60), tell(61)], [Some(0), None, None, Some(2), None]);
    }
}
