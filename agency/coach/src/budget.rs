//! How much somebody may ask on one day.
//!
//! It is kept in the memory of the process and nowhere else: a coach that is started again begins at nothing, and two coaches allow twice as much. That
//! bounds what one asker can cost, which is what it is for; it is no account that somebody pays from.

use std::collections::{BTreeSet, HashMap};

use protocol::{id::UserId, time::UnixMs};

use crate::leases::Name;

/// A day, milliseconds: days begin at midnight UTC.
const DAY_MS: UnixMs = 86_400_000;

/// So many users are counted on one day; whoever comes later waits for the next. A count is some hundred bytes.
pub const USERS_MAX: usize = 100_000;

/// What a question and its answer may come to, on average over the day, bytes: half of the longest of both.
pub const BYTES_A_QUESTION: u64 =
    (protocol::jobs::TEXT_BYTES_MAX as u64 + protocol::jobs::ANSWER_BYTES_MAX as u64) / 2;

/// What one user may have on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Questions.
    pub questions: u32,
    /// Questions and answers together, bytes: about four to a token.
    pub bytes: u64,
}

impl Limits {
    /// So many questions, and bytes to match.
    pub fn of(questions: u32) -> Self {
        Self { questions, bytes: u64::from(questions) * BYTES_A_QUESTION }
    }
}

/// Why a question is not answered, in words for who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Over {
    /// Too many questions.
    #[error(
        "you have asked the coach {0} questions today, and that is as many as one day has; ask again tomorrow"
    )]
    Questions(u32),
    /// Too much in all.
    #[error("you have had as much of the coach today as one day has; ask again tomorrow")]
    Bytes,
    /// Too many users.
    #[error("more players have asked the coach today than it can count; ask again tomorrow")]
    Users,
}

/// See the module.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    day: u64,
    spent: HashMap<UserId, Spent>,
}

/// What one user has had today.
#[derive(Debug, Default)]
struct Spent {
    /// As many as there are questions: one that is begun anew is the same.
    jobs: BTreeSet<Name>,
    bytes: u64,
}

impl Budget {
    /// Nobody has asked anything.
    pub fn new(limits: Limits) -> Self {
        Self { limits, day: 0, spent: HashMap::new() }
    }

    /// Somebody asks a question of so many bytes.
    ///
    /// # Errors
    /// [`Over`] when that is too much.
    pub fn ask(&mut self, user: &UserId, job: &Name, bytes: usize, now: UnixMs) -> Result<(), Over> {
        let day = now / DAY_MS;
        if day != self.day {
            (self.day, self.spent) = (day, HashMap::new());
        }
        if self.spent.len() >= USERS_MAX && !self.spent.contains_key(user) {
            return Err(Over::Users);
        }
        let spent = self.spent.entry(user.clone()).or_default();
        if spent.bytes + bytes as u64 > self.limits.bytes {
            return Err(Over::Bytes);
        }
        let is_new = !spent.jobs.contains(job);
        if is_new && spent.jobs.len() >= self.limits.questions as usize {
            return Err(Over::Questions(self.limits.questions));
        }
        if is_new {
            spent.jobs.insert(job.clone());
        }
        spent.bytes += bytes as u64;
        Ok(())
    }

    /// He was told so many bytes, whether he has read them or not: they were paid for.
    pub fn told(&mut self, user: &UserId, bytes: usize) {
        if let Some(spent) = self.spent.get_mut(user) {
            spent.bytes += bytes as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::{
        id::{Position, RoomId},
        jobs::WHY_BYTES_MAX,
    };

    use super::*;

    fn user(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    fn job(seq: u64) -> Name {
        (RoomId::new("jobs-0").unwrap(), Position::new(1, seq))
    }

    #[test]
    fn each_has_so_many_questions_a_day_and_one_that_is_begun_anew_counts_once() {
        let mut budget = Budget::new(Limits::of(2));
        let ann = user("ann");
        for at in [1, 2, 2, 1] {
            assert_eq!(budget.ask(&ann, &job(at), 10, DAY_MS), Ok(()));
        }
        assert_eq!(budget.ask(&ann, &job(3), 10, DAY_MS), Err(Over::Questions(2)));
        assert_eq!(budget.ask(&user("bob"), &job(3), 10, DAY_MS), Ok(()), "that was hers");
        assert_eq!(budget.ask(&ann, &job(3), 10, 2 * DAY_MS), Ok(()), "and yesterday's");
    }

    #[test]
    fn long_answers_use_up_a_day_before_its_questions_are() {
        let mut budget = Budget::new(Limits { questions: 50, bytes: 1_000 });
        let ann = user("ann");
        assert_eq!(budget.ask(&ann, &job(1), 100, 0), Ok(()));
        budget.told(&ann, 850);
        assert_eq!(budget.ask(&ann, &job(2), 50, 0), Ok(()));
        assert_eq!(budget.ask(&ann, &job(3), 1, 0), Err(Over::Bytes));
    }

    #[test]
    fn why_not_fits_into_a_reason() {
        for over in [Over::Questions(u32::MAX), Over::Bytes, Over::Users] {
            assert!(over.to_string().len() <= WHY_BYTES_MAX, "{over}");
        }
    }
}
