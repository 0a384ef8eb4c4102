//! How fast one user may talk in one room: a bucket of messages that refills, whichever sessions and relays they come through.
//!
//! In memory only: a new owner lets everybody begin with a full bucket.
//!
//! The same holds wrong guesses of what must not be guessed.

use std::collections::BTreeMap;

use clap::{Args, value_parser};
use protocol::{id::UserId, time::UnixMs};

/// A pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct Pace {
    /// One user may say one more thing at a table after so long, milliseconds; 0: no bound
    #[arg(id = "talk_every_ms", long = "talk-every-ms", env = "CARDHOUSE_TALK_EVERY_MS", default_value_t = Pace::default().every_ms, value_name = "MS")]
    pub every_ms: u64,
    /// And so many at once
    #[arg(id = "talk_burst", long = "talk-burst", env = "CARDHOUSE_TALK_BURST", default_value_t = Pace::default().burst, value_name = "COUNT", value_parser = value_parser!(u32).range(1..))]
    pub burst: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { every_ms: 1_000, burst: 5 }
    }
}

/// How often one user may guess wrong: five times a minute.
pub const GUESSES: Pace = Pace { every_ms: 12_000, burst: 5 };

/// Those who have talked and whose bucket is not full again: fewer than the messages that fit into the time that a bucket takes.
#[derive(Debug, Default)]
pub struct Talk {
    /// When each bucket is full again.
    full_ms: BTreeMap<UserId, UnixMs>,
}

/// So many talkers are kept in mind before those with a full bucket are forgotten.
const SWEEP_AT: usize = 64;

impl Talk {
    /// How long this user has to wait until there is a message in his bucket; nothing is taken.
    pub fn waits(&self, user: &UserId, pace: Pace, now: UnixMs) -> Option<u64> {
        let Pace { every_ms, burst } = pace;
        let full_ms = self.full_ms.get(user).copied().unwrap_or(0).max(now) + every_ms;
        full_ms.checked_sub(now + every_ms * u64::from(burst)).filter(|wait_ms| *wait_ms > 0)
    }

    /// Takes a message out of the user's bucket.
    ///
    /// # Errors
    /// How many milliseconds from now there will be one in it; nothing was taken.
    pub fn may(&mut self, user: &UserId, pace: Pace, now: UnixMs) -> Result<(), u64> {
        let Pace { every_ms, burst } = pace;
        let full_ms = self.full_ms.get(user).copied().unwrap_or(0).max(now) + every_ms;
        let allowed_ms = now + every_ms * u64::from(burst);
        if full_ms > allowed_ms {
            return Err(full_ms - allowed_ms);
        }
        if self.full_ms.len() >= SWEEP_AT {
            self.full_ms.retain(|_, full_ms| *full_ms > now);
        }
        self.full_ms.insert(user.clone(), full_ms);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    #[test]
    fn a_user_talks_five_times_at_once_and_then_once_a_second() {
        let mut talk = Talk::default();
        let mut may = |now| talk.may(&user("ann"), Pace::default(), now);
        for _ in 0..5 {
            assert_eq!(may(10_000), Ok(()));
        }
        assert_eq!(may(10_000), Err(1_000));
        assert_eq!(may(10_400), Err(600));
        assert_eq!(may(11_000), Ok(()));
        assert_eq!(may(11_000), Err(1_000));
        assert_eq!(may(60_000), Ok(()));
        assert_eq!(talk.may(&user("bob"), Pace::default(), 60_000), Ok(()), "each has a bucket");
    }

    #[test]
    fn five_wrong_guesses_are_enough_for_a_minute() {
        let (mut guesses, ann) = (Talk::default(), user("ann"));
        for _ in 0..5 {
            assert_eq!(guesses.waits(&ann, GUESSES, 10_000), None);
            guesses.may(&ann, GUESSES, 10_000).unwrap();
        }
        assert_eq!(guesses.waits(&ann, GUESSES, 10_000), Some(12_000));
        assert_eq!(guesses.waits(&ann, GUESSES, 22_000), None);
        assert_eq!(guesses.waits(&user("bob"), GUESSES, 10_000), None);
    }

    #[test]
    fn talkers_whose_bucket_is_full_are_forgotten() {
        let mut talk = Talk::default();
        for number in 0..1_000 {
            talk.may(&user(&format!("u{number}")), Pace::default(), number * 100).unwrap();
        }
        assert!(talk.full_ms.len() <= SWEEP_AT);
    }
}
