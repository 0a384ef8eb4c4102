//! Exactly once: a repeat of a command gets the first answer.
//!
//! Applied commands are remembered in the journaled state, so that a new owner knows them: every delta names its cause.
//! Refusals are remembered in memory only, but for those of what was said before, which the next owner [reads](super::refusals); a new
//! owner may decide the others anew, because there is one relay alone that has such a command, and it sends it
//! to a new owner only after it has seen its epoch (`docs/architecture.md`, "A command's way").
//!
//! Whoever may speak to a room without belonging to it can be many. So what is remembered is bounded, by rules that never
//! turn a repeat into a new command:
//!
//! - a member's last sessions ([`Memory::sessions_of_member`]) are never forgotten;
//! - of the others the one that was used longest ago is forgotten, but none that was used within [`Memory::keep_ms`];
//! - when as many others as [`Memory::others_max`] were here within that time, a further one is refused as busy;
//! - of what was forgotten the latest time of use is kept. A session that the room does not know and that began before that
//!   may be one of them: its commands are [`Known::Forgotten`], unless the relay vouches that they were never sent before, and not longer ago
//!   than a copy of them can be remembered ([`Memory::vouched_for`]);
//! - the same holds of refusals. Those of a session of which something applied is remembered are kept as long as that is.

use std::collections::VecDeque;

use broker::entry::Cause;
use bytes::Bytes;
use clap::{Args, value_parser};
use protocol::{
    bounds::ANSWERS_PER_SESSION_MAX,
    id::{Position, SessionId, UserId},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};
use tokio::time::Duration;

use crate::planted::{Fault, is_planted};

/// A session that claims to have begun so much later than now, milliseconds, has made that up, or was given its number by a
/// relay of the first release. Clocks of nodes differ by less.
const CLOCKS_DIFFER_MS: u64 = 5_000;

/// How much a room remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct Memory {
    /// Sessions of a member that are never forgotten: the last so many.
    #[arg(skip = Memory::default().sessions_of_member)]
    pub sessions_of_member: usize,
    /// So many sessions of others are remembered however old they are.
    #[arg(skip = Memory::default().others_min)]
    pub others_min: usize,
    /// Not more than so many.
    #[arg(skip = Memory::default().others_max)]
    pub others_max: usize,
    // The longest time that a client takes to come back and repeat what was not answered.
    /// What was answered to somebody without a seat is remembered for so long at least, for whoever comes back and asks again, milliseconds
    #[arg(id = "answers_keep_ms", long = "answers-keep-ms", env = "CARDHOUSE_ANSWERS_KEEP_MS", default_value_t = Memory::default().keep_ms, value_name = "MS", value_parser = value_parser!(u64).range(1..))]
    pub keep_ms: u64,
}

impl Memory {
    /// For so long a relay's word holds that a command was never said before. The broker may bring it twice: by then the first copy may have been
    /// done and its session be forgotten. Of what waits longer in a room's mailbox nothing is believed; the other half is the broker's.
    pub fn vouched_for(&self) -> Duration {
        Duration::from_millis(self.keep_ms / 2)
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self { sessions_of_member: 8, others_min: 64, others_max: 1_024, keep_ms: 60_000 }
    }
}

/// The last answers of the last sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent<A> {
    /// Least recently used first.
    sessions: VecDeque<Session<A>>,
    /// The latest use of a session that was forgotten; 0 if none was.
    forgotten_ms: UnixMs,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Session<A> {
    user: UserId,
    session: SessionId,
    used_ms: UnixMs,
    /// The largest `n` whose answer was dropped; 0 if none was.
    dropped_n: u64,
    /// In the order of their `n`.
    answers: VecDeque<(u64, A)>,
}

impl<A> Default for Recent<A> {
    fn default() -> Self {
        Self { sessions: VecDeque::new(), forgotten_ms: 0 }
    }
}

impl<A> Recent<A> {
    /// Whether something is remembered of a session.
    pub fn has(&self, user: &UserId, session: SessionId) -> bool {
        self.session(user, session).is_some()
    }

    /// The last command of a session whose answer is remembered; 0 if none is.
    pub fn last_n(&self, user: &UserId, session: SessionId) -> u64 {
        self.session(user, session).map_or(0, Session::last)
    }

    fn session(&self, user: &UserId, session: SessionId) -> Option<&Session<A>> {
        self.sessions.iter().rev().find(|known| known.session == session && known.user == *user)
    }

    /// Remembers the answer to a command, at the time of its decision.
    pub fn remember(&mut self, cause: &Cause, answer: A, now: UnixMs) {
        let at = self.sessions.iter().rposition(|s| s.session == cause.session && s.user == cause.user);
        let known = at.and_then(|at| self.sessions.remove(at));
        let mut known = known.unwrap_or_else(|| Session {
            user: cause.user.clone(),
            session: cause.session,
            used_ms: 0,
            dropped_n: 0,
            answers: VecDeque::new(),
        });
        if known.answers.len() >= ANSWERS_PER_SESSION_MAX
            && let Some((n, _)) = known.answers.pop_front()
        {
            known.dropped_n = n;
        }
        // No session is used before it begins, whatever the clocks say: so a forgotten one never seems to have begun later.
        let began_ms = known.session.began_ms();
        known.used_ms = if began_ms > now + CLOCKS_DIFFER_MS { now } else { now.max(began_ms) };
        known.answers.push_back((cause.n, answer));
        self.sessions.push_back(known);
    }

    /// Forgets what is too much, but for sessions that are to be kept.
    pub fn forget(
        &mut self,
        memory: &Memory,
        now: UnixMs,
        is_member: impl Fn(&UserId) -> bool,
        is_kept: impl Fn(&UserId, SessionId) -> bool,
    ) {
        let fits = memory.others_min.min(memory.sessions_of_member);
        if self.sessions.len() <= fits {
            return;
        }
        // From the latest back, so that a member's last ones are the first that are seen.
        let mut members: Vec<(&UserId, usize)> = Vec::new();
        let mut others = Vec::new();
        for (at, known) in self.sessions.iter().enumerate().rev() {
            let of_member = match members.iter_mut().find(|(user, _)| **user == known.user) {
                Some((_, sessions)) => Some(sessions),
                None if is_member(&known.user) => {
                    members.push((&known.user, 0));
                    members.last_mut().map(|(_, sessions)| sessions)
                }
                None => None,
            };
            match of_member {
                Some(sessions) if *sessions < memory.sessions_of_member => *sessions += 1,
                _ => others.push(at),
            }
        }
        let too_many = others.len().saturating_sub(memory.others_min);
        let may_go = |at: &usize| {
            let known = &self.sessions[*at];
            known.used_ms + memory.keep_ms <= now && !is_kept(&known.user, known.session)
        };
        // The oldest stand at the end, and it is from the end of the queue to its front that they are taken out.
        let forgotten: Vec<usize> = others.into_iter().rev().take(too_many).filter(may_go).collect();
        for at in forgotten.into_iter().rev() {
            if let Some(session) = self.sessions.remove(at) {
                self.forgotten_ms = self.forgotten_ms.max(session.used_ms);
            }
        }
    }

    /// Whether a session that is not known yet, and is no member's, would be one too many.
    pub fn is_full_for(&self, cause: &Cause, memory: &Memory) -> bool {
        self.sessions.len() >= memory.others_max && !self.has(&cause.user, cause.session)
    }

    /// Whether the session, if it is not known, may be one of those that were forgotten.
    fn may_have_forgotten(&self, session: SessionId, now: UnixMs) -> bool {
        let began_ms = session.began_ms();
        let unknowable = began_ms > now + CLOCKS_DIFFER_MS;
        self.forgotten_ms > 0 && (unknowable || began_ms <= self.forgotten_ms)
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
    /// Later ones of the session were answered, and this one was not applied.
    Stale,
    /// Whether it was applied is not known any more.
    Forgotten,
}

/// What a command is looked up with.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Whose, and its number.
    pub cause: &'a Cause,
    /// The relay vouches that it was never sent before.
    pub is_first: bool,
    /// The time.
    pub now: UnixMs,
}

/// Looks a command up.
pub fn look_up(applied: &Applied, refused: &Refused, asked: Asked<'_>) -> Known {
    if is_planted(Fault::ForgetsAnswers) {
        return Known::Nothing;
    }
    let Asked { cause, is_first, now } = asked;
    let known = applied.session(&cause.user, cause.session);
    let refusals = refused.session(&cause.user, cause.session);
    if let Some(at) = known.and_then(|known| known.answer(cause.n)) {
        return Known::Applied(*at);
    }
    if let Some(body) = refusals.and_then(|known| known.answer(cause.n)) {
        return Known::Refused(body.clone());
    }
    let forgotten = match known {
        Some(known) => cause.n <= known.dropped_n,
        None => {
            let is_refusal_forgotten = refusals.is_none() && refused.may_have_forgotten(cause.session, now);
            !is_first && (applied.may_have_forgotten(cause.session, now) || is_refusal_forgotten)
        }
    };
    if forgotten && !is_planted(Fault::TakesForgottenForNew) {
        return Known::Forgotten;
    }
    let last = applied.last_n(&cause.user, cause.session).max(refused.last_n(&cause.user, cause.session));
    if cause.n <= last { Known::Stale } else { Known::Nothing }
}

/// What the first release wrote. It remembered the 64 sessions that commanded last, whoever they were, and 16 answers of each.
pub mod first_release {
    use super::*;

    const SESSIONS_MAX: usize = 64;
    const ANSWERS_PER_SESSION_MAX: usize = 16;

    /// See the module.
    #[derive(Debug, Serialize, Deserialize)]
    pub struct Applied(VecDeque<Session>);

    #[derive(Debug, Serialize, Deserialize)]
    struct Session {
        user: UserId,
        session: SessionId,
        answers: VecDeque<(u64, Position)>,
    }

    impl Applied {
        /// What it says, read at `now`.
        pub fn read(self, now: UnixMs) -> super::Applied {
            let Self(sessions) = self;
            // Where it has forgotten nobody there is room for one more.
            let forgotten_ms = if sessions.len() < SESSIONS_MAX { 0 } else { now };
            let read = |Session { user, session, answers }| {
                let first_n = answers.front().map_or(0, |(n, _)| *n);
                let dropped_n = if answers.len() < ANSWERS_PER_SESSION_MAX { 0 } else { first_n - 1 };
                super::Session { user, session, used_ms: now, dropped_n, answers }
            };
            super::Applied { sessions: sessions.into_iter().map(read).collect(), forgotten_ms }
        }

        /// As it is written for those who read nothing else.
        pub fn of(applied: &super::Applied) -> Self {
            let written = |known: &super::Session<Position>| Session {
                user: known.user.clone(),
                session: known.session,
                answers: known.answers.clone(),
            };
            Self(applied.sessions.iter().map(written).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MEMORY: Memory = Memory { sessions_of_member: 2, others_min: 4, others_max: 8, keep_ms: 1_000 };

    fn cause_of(user: &str, session: u64, n: u64) -> Cause {
        Cause { user: UserId::new(user).unwrap(), session: SessionId(session), n, said: None }
    }

    fn cause(session: u64, n: u64) -> Cause {
        cause_of("ann", session, n)
    }

    fn known(applied: &Applied, refused: &Refused, cause: &Cause) -> Known {
        look_up(applied, refused, Asked { cause, is_first: false, now: 1_000_000 })
    }

    #[test]
    fn a_repeat_gets_the_first_answer_whatever_came_between() {
        let (mut applied, mut refused) = (Applied::default(), Refused::default());
        applied.remember(&cause(1, 3), Position::new(1, 10), 0);
        refused.remember(&cause(1, 4), Bytes::from_static(b"no"), 0);
        applied.remember(&cause(1, 6), Position::new(1, 11), 0);
        let known = |session, n| known(&applied, &refused, &cause(session, n));
        assert_eq!(known(1, 3), Known::Applied(Position::new(1, 10)));
        assert_eq!(known(1, 4), Known::Refused(Bytes::from_static(b"no")));
        assert_eq!(known(1, 5), Known::Stale);
        assert_eq!(known(1, 7), Known::Nothing);
        assert_eq!(known(2, 3), Known::Nothing, "another session counts by itself");
    }

    #[test]
    fn whose_answer_was_dropped_is_told_so() {
        let mut applied = Applied::default();
        for n in 1..=ANSWERS_PER_SESSION_MAX as u64 + 2 {
            applied.remember(&cause(0, 2 * n), Position::new(1, n), 0);
        }
        let known = |n| known(&applied, &Refused::default(), &cause(0, n));
        assert_eq!(known(2), Known::Forgotten);
        assert_eq!(known(4), Known::Forgotten);
        assert_eq!(known(5), Known::Stale, "it lies between two that are remembered");
        assert_eq!(known(6), Known::Applied(Position::new(1, 3)));
    }

    #[test]
    fn members_are_never_forgotten_however_many_others_speak() {
        let mut applied = Applied::default();
        let is_member = |user: &UserId| user.as_str() == "ann";
        applied.remember(&cause(1, 2), Position::new(1, 1), 0);
        for other in 0..100_u64 {
            let now = 10_000 * (other + 1);
            applied.remember(&cause_of("eve", 100 + other, 1), Position::new(1, 2 + other), now);
            applied.forget(&MEMORY, now, is_member, |_, _| false);
        }
        let known = |cause: &Cause| known(&applied, &Refused::default(), cause);
        assert_eq!(known(&cause(1, 2)), Known::Applied(Position::new(1, 1)));
        assert_eq!(known(&cause_of("eve", 100, 1)), Known::Forgotten, "and who was is told so");
        assert_eq!(known(&cause_of("eve", 199, 1)), Known::Applied(Position::new(1, 101)));
        assert_eq!(applied.sessions.len(), 1 + MEMORY.others_min);
    }

    #[test]
    fn a_members_many_sessions_count_as_others_but_the_last() {
        let mut applied = Applied::default();
        for session in 0..20 {
            applied.remember(&cause(session, 1), Position::new(1, session + 1), 10_000 * session);
            applied.forget(&MEMORY, 10_000 * session, |_| true, |_, _| false);
        }
        assert_eq!(applied.sessions.len(), MEMORY.sessions_of_member + MEMORY.others_min);
    }

    #[test]
    fn nobody_is_forgotten_who_may_still_come_back() {
        let mut applied = Applied::default();
        for other in 0..MEMORY.others_max as u64 {
            applied.remember(&cause_of("eve", other, 1), Position::new(1, other + 1), 500);
            applied.forget(&MEMORY, 500, |_| false, |_, _| false);
        }
        assert_eq!(applied.sessions.len(), MEMORY.others_max);
        assert!(applied.is_full_for(&cause_of("eve", 99, 1), &MEMORY));
        assert!(!applied.is_full_for(&cause_of("eve", 3, 2), &MEMORY), "who is known may speak");
        applied.forget(&MEMORY, 1_500, |_| false, |_, _| false);
        assert_eq!(applied.sessions.len(), MEMORY.others_min);
    }

    #[test]
    fn a_session_that_began_after_all_that_was_forgotten_is_new() {
        let mut applied = Applied::default();
        let at = |ms, random| SessionId::beginning(ms, random).0;
        for other in 0..10_u32 {
            applied.remember(&cause(at(100_000, other), 1), Position::new(1, 1), 103_500);
        }
        applied.forget(&MEMORY, 200_000, |_| false, |_, _| false);
        let of = |session, n, is_first| {
            let cause = cause(session, n);
            look_up(&applied, &Refused::default(), Asked { cause: &cause, is_first, now: 200_000 })
        };
        assert_eq!(of(at(103_000, 77), 1, false), Known::Forgotten, "it may be one of them");
        assert_eq!(of(at(103_000, 77), 1, true), Known::Nothing, "but not if it was never sent before");
        assert_eq!(of(at(104_000, 77), 1, false), Known::Nothing);
        assert_eq!(of(at(900_000, 77), 1, false), Known::Forgotten, "no session begins in times to come");
    }

    #[test]
    fn what_the_first_release_wrote_is_read_and_written_for_it() {
        let mut applied = Applied::default();
        for n in 1..=3 {
            applied.remember(&cause(1, n), Position::new(1, n), 77);
        }
        let written = postcard::to_stdvec(&first_release::Applied::of(&applied)).unwrap();
        let read: first_release::Applied = postcard::from_bytes(&written).unwrap();
        assert_eq!(read.read(77), applied);
    }

    proptest! {
        /// Whoever spoke, and whatever was forgotten meanwhile: a command that was answered is never new again.
        #[test]
        fn what_was_answered_is_never_new_again(
            spoken in prop::collection::vec((0..6_u8, 0..12_u32, 0..4_000_u64, any::<bool>(), any::<bool>()), 1..200),
            skew in 0..2_000_u64,
        ) {
            let (mut applied, mut refused) = (Applied::default(), Refused::default());
            let mut now = 1_000_000;
            let mut last_n = std::collections::BTreeMap::new();
            let mut done = Vec::new();
            let is_member = |user: &UserId| matches!(user.as_str(), "u0" | "u1");
            for (user, session, after, long_ago, is_refused) in spoken {
                now += after;
                // Some sessions began long ago, the others just now by a clock that is ahead.
                let began = if long_ago { 900_000 } else { now + skew };
                let session = SessionId::beginning(began, session);
                let user = UserId::new(&format!("u{user}")).unwrap();
                let n = last_n.entry((user.clone(), session)).or_insert(0_u64);
                *n += 1;
                let cause = Cause { user, session, n: *n, said: None };
                let asked = Asked { cause: &cause, is_first: *n == 1, now };
                if look_up(&applied, &refused, asked) == Known::Nothing {
                    if is_refused {
                        refused.remember(&cause, Bytes::from_static(b"no"), now);
                        refused.forget(&MEMORY, now, is_member, |user, session| applied.has(user, session));
                    } else {
                        applied.remember(&cause, Position::new(1, now), now);
                        applied.forget(&MEMORY, now, is_member, |_, _| false);
                    }
                    done.push(cause);
                }
                for cause in &done {
                    let asked = Asked { cause, is_first: false, now };
                    prop_assert_ne!(look_up(&applied, &refused, asked), Known::Nothing);
                }
            }
        }
    }
}
