//! Exactly once: a repeat of a command gets the first answer.
//!
//! Applied commands are remembered in the journaled state, so that a new owner knows them: every delta names its cause.
//! Refusals are remembered in memory only; a new owner may decide those commands anew, because relays send a command
//! to a new owner only after they have seen its epoch (`docs/architecture.md`, "A command's way").

use std::collections::VecDeque;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use shared::{
    entry::Cause,
    id::{Position, SessionId, UserId},
};

/// How many sessions a room remembers, those that commanded last.
pub const SESSIONS_MAX: usize = 64;

/// How many answers it remembers of each. A relay has one command per session and room on its way, so one would do for
/// its repeats; a client that comes back may repeat all that it has not seen answered.
pub const ANSWERS_PER_SESSION_MAX: usize = 16;

/// The last answers of the last sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent<A> {
    /// Least recently used first.
    sessions: VecDeque<Session<A>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Session<A> {
    user: UserId,
    session: SessionId,
    /// In the order of their `n`.
    answers: VecDeque<(u64, A)>,
}

impl<A> Default for Recent<A> {
    fn default() -> Self {
        Self { sessions: VecDeque::new() }
    }
}

impl<A> Recent<A> {
    fn session(&self, user: &UserId, session: SessionId) -> Option<&Session<A>> {
        self.sessions.iter().rev().find(|known| known.session == session && known.user == *user)
    }

    /// Remembers the answer to a command.
    pub fn remember(&mut self, cause: &Cause, answer: A) {
        let at = self.sessions.iter().rposition(|s| s.session == cause.session && s.user == cause.user);
        let known = at.and_then(|at| self.sessions.remove(at));
        let mut known = known.unwrap_or_else(|| Session {
            user: cause.user.clone(),
            session: cause.session,
            answers: VecDeque::new(),
        });
        if known.answers.len() >= ANSWERS_PER_SESSION_MAX {
            known.answers.pop_front();
        }
        known.answers.push_back((cause.n, answer));
        if self.sessions.len() >= SESSIONS_MAX {
            self.sessions.pop_front();
        }
        self.sessions.push_back(known);
    }
}

impl<A> Session<A> {
    fn answer(&self, n: u64) -> Option<&A> {
        self.answers.iter().rev().find(|(known, _)| *known == n).map(|(_, answer)| answer)
    }

    fn last(&self) -> u64 {
        self.answers.back().map_or(0, |(n, _)| *n)
    }
}

/// Where applied commands were applied: part of the journaled state.
pub type Applied = Recent<Position>;

/// Whole `refused` messages: in memory only.
pub type Refused = Recent<Bytes>;

/// What is known of a command.
#[derive(Debug, PartialEq, Eq)]
pub enum Known {
    /// It is new: decide.
    Nothing,
    /// It was applied there.
    Applied(Position),
    /// It was refused so.
    Refused(Bytes),
    /// Later ones of the session were answered, and this one is not remembered.
    Stale,
}

/// Looks a command up.
pub fn look_up(applied: &Applied, refused: &Refused, cause: &Cause) -> Known {
    if crate::planted::forgets_answers() {
        return Known::Nothing;
    }
    let applied = applied.session(&cause.user, cause.session);
    let refused = refused.session(&cause.user, cause.session);
    if let Some(at) = applied.and_then(|known| known.answer(cause.n)) {
        return Known::Applied(*at);
    }
    if let Some(body) = refused.and_then(|known| known.answer(cause.n)) {
        return Known::Refused(body.clone());
    }
    let last = applied.map_or(0, Session::last).max(refused.map_or(0, Session::last));
    if cause.n <= last { Known::Stale } else { Known::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(session: u64, n: u64) -> Cause {
        Cause { user: UserId::new("ann").unwrap(), session: SessionId(session), n }
    }

    #[test]
    fn a_repeat_gets_the_first_answer_whatever_came_between() {
        let (mut applied, mut refused) = (Applied::default(), Refused::default());
        applied.remember(&cause(1, 3), Position::new(1, 10));
        refused.remember(&cause(1, 4), Bytes::from_static(b"no"));
        applied.remember(&cause(1, 6), Position::new(1, 11));
        let known = |session, n| look_up(&applied, &refused, &cause(session, n));
        assert_eq!(known(1, 3), Known::Applied(Position::new(1, 10)));
        assert_eq!(known(1, 4), Known::Refused(Bytes::from_static(b"no")));
        assert_eq!(known(1, 5), Known::Stale);
        assert_eq!(known(1, 7), Known::Nothing);
        assert_eq!(known(2, 3), Known::Nothing, "another session counts by itself");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_least_recent_goes_first() {
        let mut applied = Applied::default();
        let known = |applied: &Applied, session, n| look_up(applied, &Refused::default(), &cause(session, n));
        for n in 1..=ANSWERS_PER_SESSION_MAX as u64 + 1 {
            applied.remember(&cause(0, n), Position::new(1, n));
        }
        assert_eq!(known(&applied, 0, 1), Known::Stale);
        assert_eq!(known(&applied, 0, 2), Known::Applied(Position::new(1, 2)));
        for session in 1..SESSIONS_MAX as u64 {
            applied.remember(&cause(session, 1), Position::new(1, 1));
        }
        applied.remember(&cause(0, 50), Position::new(1, 50));
        applied.remember(&cause(1_000, 1), Position::new(1, 51));
        assert_eq!(known(&applied, 1, 1), Known::Nothing, "the least recent is forgotten");
        assert_eq!(known(&applied, 0, 50), Known::Applied(Position::new(1, 50)));
        assert_eq!(applied.sessions.len(), SESSIONS_MAX);
    }
}
