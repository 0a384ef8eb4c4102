//! Who does not take a seat to which he was called: he may not wait at this table again for a while.
//!
//! While a seat is called out nobody else sits there. So a few who wait, let each call pass and wait again would keep a seat empty for ever,
//! and whoever answers early or late does it as well: *every* call counts from which nobody comes to play. Whoever gives it up, whoever lets it run out, and
//! whoever sits down and leaves before a hand is dealt to him, has missed it.

use protocol::{id::UserId, time::UnixMs};
use serde::{Deserialize, Serialize};

const MINUTE_MS: UnixMs = 60_000;

/// So long one may not wait at the table: after the first call that was missed, after the second, and after each further one.
pub const PAUSES_MS: [UnixMs; 3] = [5 * MINUTE_MS, 20 * MINUTE_MS, 60 * MINUTE_MS];

/// So long after that it is remembered how often that was.
pub const REMEMBERED_MS: UnixMs = 60 * MINUTE_MS;

/// So many are remembered at one table. If there are more, those who may wait again soonest are forgotten.
pub const MISSED_MAX: usize = 128;

/// See the module. Whoever else calls people to seats remembers it in the same way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    users: Vec<Absentee>,
    /// Who sits at a seat to which he was called, and has been dealt no hand yet.
    came: Vec<UserId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Absentee {
    user: UserId,
    /// How many calls.
    times: u8,
    /// He may wait again from then on.
    until_ms: UnixMs,
}

impl Missed {
    /// Until when a user who misses a call now may not wait.
    pub fn pause_of(&self, user: &UserId, now: UnixMs) -> UnixMs {
        let known = self.users.iter().find(|known| known.user == *user && !known.is_forgotten(now));
        let times = known.map_or(0, |known| usize::from(known.times));
        now + PAUSES_MS[times.min(PAUSES_MS.len() - 1)]
    }

    /// From when on a user may wait, if he may not now.
    pub fn until(&self, user: &UserId, now: UnixMs) -> Option<UnixMs> {
        let known = self.users.iter().find(|known| known.user == *user)?;
        (known.until_ms > now).then_some(known.until_ms)
    }

    /// A user has missed a call, and may not wait until then.
    pub fn miss(&mut self, user: UserId, at_ms: UnixMs, until_ms: UnixMs) {
        self.came.retain(|came| *came != user);
        self.users.retain(|known| !known.is_forgotten(at_ms));
        if let Some(known) = self.users.iter_mut().find(|known| known.user == user) {
            (known.times, known.until_ms) = (known.times.saturating_add(1), until_ms);
            return;
        }
        if self.users.len() >= MISSED_MAX {
            let soonest = (0..self.users.len()).min_by_key(|at| self.users[*at].until_ms);
            soonest.map(|at| self.users.remove(at));
        }
        self.users.push(Absentee { user, times: 1, until_ms });
    }

    /// Whoever was called has sat down.
    pub(super) fn came(&mut self, user: UserId) {
        self.came.push(user);
    }

    /// He has been dealt a hand, or is gone.
    pub(super) fn settled(&mut self, is_settled: impl Fn(&UserId) -> bool) {
        self.came.retain(|user| !is_settled(user));
    }

    /// Whether somebody has sat down where he was called, and has played no hand yet.
    pub(super) fn has_not_played(&self, user: &UserId) -> bool {
        self.came.contains(user)
    }
}

impl Absentee {
    fn is_forgotten(&self, now: UnixMs) -> bool {
        self.until_ms + REMEMBERED_MS <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: usize) -> UserId {
        UserId::new(&format!("u{number}")).unwrap()
    }

    fn misses(missed: &mut Missed, user: &UserId, at_ms: UnixMs) -> UnixMs {
        let until_ms = missed.pause_of(user, at_ms);
        missed.miss(user.clone(), at_ms, until_ms);
        until_ms - at_ms
    }

    #[test]
    fn each_call_that_is_missed_makes_the_pause_longer_until_it_is_forgotten() {
        let (mut missed, ann) = (Missed::default(), user(0));
        let mut now = 1_000;
        let mut pauses = Vec::new();
        for _ in 0..4 {
            pauses.push(misses(&mut missed, &ann, now));
            assert_eq!(missed.until(&ann, now), Some(now + pauses.last().unwrap()));
            now += pauses.last().unwrap();
            assert_eq!(missed.until(&ann, now), None);
        }
        assert_eq!(pauses, [PAUSES_MS[0], PAUSES_MS[1], PAUSES_MS[2], PAUSES_MS[2]]);
        assert_eq!(misses(&mut missed, &ann, now + REMEMBERED_MS), PAUSES_MS[0]);
    }

    #[test]
    fn so_many_are_remembered_and_those_who_are_shut_out_longest() {
        let mut missed = Missed::default();
        misses(&mut missed, &user(0), 0);
        misses(&mut missed, &user(0), PAUSES_MS[0]);
        for number in 1..=MISSED_MAX {
            misses(&mut missed, &user(number), PAUSES_MS[0]);
        }
        assert_eq!(missed.users.len(), MISSED_MAX);
        assert!(missed.until(&user(0), PAUSES_MS[0]).is_some());
        assert!(missed.until(&user(1), PAUSES_MS[0]).is_none());
    }
}
