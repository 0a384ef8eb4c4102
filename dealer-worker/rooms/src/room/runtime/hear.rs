//! What relays say: commands, for the first time or once more, and who is there.

use broker::{
    entry::{Cause, fingerprint},
    node::{Asked, ToRoom, decode},
};
use bytes::Bytes;
use protocol::{
    ClientOut, RefusalCode,
    client_out::{NoticeCode, Refused},
    id::{NodeId, SessionId, UserId},
    rights::Rights,
};
use tracing::debug;

use super::{
    Ended, Running,
    commit::{Became, With},
    questions::Question,
    stall::unavailable,
};
use crate::{
    counts::counter,
    planted::{Fault, is_planted},
    room::{
        Input, Refusal,
        answers::{self, Known},
        frame,
        journal::Fenced,
        mailbox::{Came, Mail, Order},
        talk::GUESSES,
    },
};

/// A busy room's refusal says to come again after so long, milliseconds.
pub(super) const BUSY_RETRY_MS: u64 = 500;

/// So many refusals of what strangers have said before are written down and looked after at a time.
const REFUSING_MAX: usize = 64;

/// What a command says, and how who says it is called and what they may.
struct Says<'a> {
    name: &'a str,
    rights: Rights,
    body: &'a [u8],
}

impl Running {
    pub(super) async fn hear(&mut self, came: &Came, is_excess: bool) -> Result<(), Ended> {
        let Ok(ToRoom { epoch, relay, what }) = decode(&came.message) else {
            counter!("cardhouse_messages_malformed_total").increment(1);
            return Ok(());
        };
        // Meant for another owner; the relay sends it again when it has seen this epoch's keyframe. Questions are for any.
        if epoch != self.journal.epoch() && !matches!(what, Asked::Question { .. }) {
            counter!("cardhouse_messages_of_other_epochs_total").increment(1);
            // Whoever claimed the room may have died before anybody was told, and this room may have nothing to write by which it would find out.
            if epoch > self.journal.epoch() {
                let is_ours = self.journal.is_ours().await;
                self.fenced(is_ours)?;
            }
            return Ok(());
        }
        match what {
            Asked::Command { user, name, session, n, body, rights } => {
                let cause = Cause { user, session, n, said: Some(fingerprint(&body)) };
                let said = Says { name: &name, rights, body: &body };
                self.asked(&relay, cause, said, false, is_excess).await
            }
            Asked::First { user, name, session, n, body, rights } => {
                let cause = Cause { user, session, n, said: Some(fingerprint(&body)) };
                let said = Says { name: &name, rights, body: &body };
                self.asked(&relay, cause, said, self.is_vouched_for(came, &relay), is_excess).await
            }
            Asked::Present { user, session, anew } => {
                if !anew && self.state.sessions.is_ousted(&user, session) {
                    return Ok(());
                }
                if !self.present(&relay, &user, session).await? {
                    self.hold(Mail::Message(came.clone()));
                }
                Ok(())
            }
            Asked::Question { user, session, n, body } => {
                self.answer(&relay, Question { user, session, n, body: &body });
                Ok(())
            }
            Asked::Places { relay: _, round, have, users } => {
                self.give_places(&relay, round, have, &users);
                Ok(())
            }
            Asked::Absent { user, session } => {
                let plays = self.state.sessions.playing(&user) == Some(session);
                if plays {
                    let away_at = self.now() + self.context.config.bounds.absence_grace_ms;
                    self.connections.gone(&user, session, &relay, away_at);
                }
                Ok(())
            }
        }
    }

    /// A command has come, for the first time or once more.
    async fn asked(
        &mut self,
        relay: &NodeId,
        cause: Cause,
        says: Says<'_>,
        is_first: bool,
        is_excess: bool,
    ) -> Result<(), Ended> {
        let known = self.known(&cause, is_first);
        let body = match known {
            Known::Applied(_) => {
                self.answer_known(relay, &cause, known);
                return Ok(());
            }
            Known::Nothing => match self.attempted(relay, &cause, says, is_excess).await? {
                Some(refusal) => self.refusal(cause.n, refusal),
                None => return Ok(()),
            },
            known => self.refusal_of_known(cause.n, known),
        };
        if is_first {
            self.refuse_so(relay, &cause, body);
            return Ok(());
        }
        while self.refusing.try_join_next().is_some() {}
        if self.state.room.is_member(&cause.user) {
            if self.may_refuse(&cause, &body).await? {
                self.refuse_so(relay, &cause, body);
            }
        } else {
            self.refuse_aside(relay, cause, body);
        }
        let (refused, applied) = (&self.refused, &self.state.applied);
        let is_known = |user: &UserId, session| refused.has(user, session) || applied.has(user, session);
        if let Some(forgets) = self.noted.forget(is_known) {
            self.refusing.spawn(forgets);
        }
        Ok(())
    }

    /// The same as [`Running::may_refuse`] and what follows from it, while the room goes on: a crowd that is refused keeps nobody waiting. Beyond
    /// so many at a time they are said again.
    fn refuse_aside(&mut self, relay: &NodeId, cause: Cause, body: Bytes) {
        if is_planted(Fault::RefusesUnasked) {
            return self.refuse_so(relay, &cause, body);
        }
        if self.refusing.len() >= REFUSING_MAX {
            return;
        }
        self.remember_refusal(&cause, &body);
        let (noted, is_ours) = (self.noted.note(&cause, &body), self.journal.is_ours());
        let (replies, mailbox) = (self.context.replies.clone(), self.mailbox.clone());
        let (relay, id, epoch) = (relay.clone(), self.id.clone(), self.journal.epoch());
        self.refusing.spawn(async move {
            // In this order: `refusals` says why.
            if !noted.await {
                return;
            }
            match is_ours.await {
                Ok(true) => replies.refused(&relay, &id, epoch, &cause, body),
                Ok(false) => {}
                Err(Fenced(later)) => mailbox.order(Order::Superseded(later)),
            }
        });
    }

    /// Does a command of which nothing is known; the answer is why not.
    async fn attempted(
        &mut self,
        relay: &NodeId,
        cause: &Cause,
        says: Says<'_>,
        is_excess: bool,
    ) -> Result<Option<Refusal>, Ended> {
        let is_stranger = !self.state.room.is_member(&cause.user);
        let memory = &self.context.config.bounds.memory;
        if is_excess || is_stranger && self.state.applied.is_full_for(cause, memory) {
            let message = "the room has more to do than it can at the moment";
            return Ok(Some(Refusal::for_now(RefusalCode::Busy, message, BUSY_RETRY_MS)));
        }
        self.doing = Some(cause.clone());
        let done = self.command(relay, cause, says).await;
        self.doing = None;
        done
    }

    /// Whether a command that was said before may be refused so. Somebody else may know better, who owns the room by now and has done it, of
    /// which this worker has not heard; and whoever owns it next must know of the refusal, since another copy of the command may be on its way.
    /// Where the store does not say that all is so, the command gets no answer here, and is said again.
    async fn may_refuse(&mut self, cause: &Cause, body: &Bytes) -> Result<bool, Ended> {
        if is_planted(Fault::RefusesUnasked) {
            return Ok(true);
        }
        // In this order: `refusals` says why.
        if !self.noted.note(cause, body).await {
            return Ok(false);
        }
        self.remember_refusal(cause, body);
        let is_ours = self.journal.is_ours().await;
        self.fenced(is_ours)
    }

    /// Whether a command that says that it was never said before can be believed. The broker may have brought it twice; and what comes of a relay of which
    /// nothing was heard for a while may be as old, and its client have said it elsewhere.
    pub(super) fn is_vouched_for(&self, came: &Came, relay: &NodeId) -> bool {
        let is_fresh = came.since.elapsed() < self.context.config.bounds.memory.vouched_for();
        is_fresh && self.context.membership.borrow().is_living(relay) || is_planted(Fault::VouchesForEver)
    }

    /// What is known of a command.
    pub(super) fn known(&self, cause: &Cause, is_first: bool) -> Known {
        let now = self.now();
        answers::look_up(&self.state.applied, &self.refused, answers::Asked { cause, is_first, now })
    }

    /// Answers a command of which something is known.
    pub(super) fn answer_known(&mut self, relay: &NodeId, cause: &Cause, known: Known) -> bool {
        match known {
            Known::Nothing => return false,
            Known::Applied(at) => {
                counter!("cardhouse_commands_repeated_total").increment(1);
                let Cause { user, session, n, .. } = cause.clone();
                self.context.replies.applied(relay, &self.id, user, session, n, at);
            }
            known => {
                let body = self.refusal_of_known(cause.n, known);
                self.refuse_so(relay, cause, body);
            }
        }
        true
    }

    /// The whole refusal of a command of which something is known, but not that it was applied.
    fn refusal_of_known(&self, n: u64, known: Known) -> Bytes {
        counter!("cardhouse_commands_repeated_total").increment(1);
        let (code, message) = match known {
            Known::Refused(body) => return body,
            Known::Forgotten => {
                counter!("cardhouse_commands_forgotten_total").increment(1);
                let message =
                    "too much has happened since to know whether this was done; look, and ask again";
                (RefusalCode::Forgotten, message)
            }
            Known::Stale | Known::Nothing | Known::Applied(_) => {
                (RefusalCode::StaleN, "a later command of this session was answered already")
            }
        };
        self.refusal(n, Refusal::new(code, message))
    }

    /// Does a command; the answer is why not.
    async fn command(
        &mut self,
        relay: &NodeId,
        cause: &Cause,
        says: Says<'_>,
    ) -> Result<Option<Refusal>, Ended> {
        counter!("cardhouse_commands_total").increment(1);
        let Cause { user, session, .. } = cause;
        if self.connections.relay_of(user, *session) != Some(relay) && self.state.room.is_member(user) {
            if self.state.sessions.is_ousted(user, *session) {
                let message = "your seat is played from another session of yours";
                return Ok(Some(Refusal::new(RefusalCode::OtherSession, message)));
            }
            if !self.present(relay, user, *session).await? {
                return Ok(Some(unavailable(cause)));
            }
        }
        if let Some(wait_ms) = self.guesses.waits(user, GUESSES, self.now())
            && !self.state.room.is_member(user)
            && !is_planted(Fault::CountsNoGuesses)
        {
            let why = "you have guessed wrong too often";
            return Ok(Some(Refusal::for_now(RefusalCode::TooFast, why, wait_ms)));
        }
        let Says { name, rights, body } = says;
        let input = Input::Command { user, name, rights, body };
        let with = With { asked: Some((cause, relay)), ..With::default() };
        Ok(match self.decide_and_commit(input, with).await? {
            Became::Done => None,
            Became::Unwritten => Some(unavailable(cause)),
            Became::Refused(refusal) => {
                if refusal.code == RefusalCode::WrongCode {
                    // As often as he may: looked at before.
                    let _ = self.guesses.may(user, GUESSES, self.now());
                }
                Some(refusal)
            }
        })
    }

    /// A member's session is there. If it is another than the one that plays, it plays from now on.
    /// Answers whether that could be stored.
    async fn present(&mut self, relay: &NodeId, user: &UserId, session: SessionId) -> Result<bool, Ended> {
        if !self.state.room.is_member(user) {
            return Ok(true);
        }
        let playing = self.state.sessions.playing(user);
        let mut plays = None;
        if playing != Some(session) {
            plays = Some((user.clone(), session));
            let before =
                playing.and_then(|playing| Some((playing, self.connections.relay_of(user, playing)?)));
            if let Some((before, relay)) = before {
                let body = frame::json(&ClientOut::Notice {
                    room: Some(self.id.clone()),
                    code: NoticeCode::TakenOver,
                    message: "your seat is now played from another session of yours".into(),
                });
                self.context.replies.notice(relay, &self.id, user.clone(), before, body);
            }
        }
        if let Some(before) = self.connections.connected(user, session, relay) {
            self.context.replies.elsewhere(&before, user.clone(), session);
        }
        let with = With { plays, ..With::default() };
        let became = self.decide_and_commit(Input::Away { user, away: false }, with).await?;
        Ok(!matches!(became, Became::Unwritten))
    }

    pub(super) fn refuse(&mut self, relay: &NodeId, cause: &Cause, refusal: Refusal) {
        let body = self.refusal(cause.n, refusal);
        self.refuse_so(relay, cause, body);
    }

    fn refuse_so(&mut self, relay: &NodeId, cause: &Cause, body: Bytes) {
        let Cause { user, session, n, .. } = cause;
        debug!(room = %self.id, %session, %user, n, ?body, "refuses a command");
        self.remember_refusal(cause, &body);
        self.context.replies.refused(relay, &self.id, self.journal.epoch(), cause, body);
    }

    /// A copy that is still on its way gets the same answer.
    fn remember_refusal(&mut self, cause: &Cause, body: &Bytes) {
        // Else it is remembered, or follows from what is.
        if cause.n <= self.refused.last_n(&cause.user, cause.session) {
            return;
        }
        let now = self.now();
        self.refused.remember(cause, body.clone(), now);
        let (room, applied) = (&self.state.room, &self.state.applied);
        let memory = &self.context.config.bounds.memory;
        self.refused.forget(
            memory,
            now,
            |user| room.is_member(user),
            |user, session| applied.has(user, session),
        );
    }

    fn refusal(&self, n: u64, refusal: Refusal) -> Bytes {
        let Refusal { code, message, legal, retry_after_ms } = refusal;
        let name = serde_json::to_value(code).ok();
        let name = name.as_ref().and_then(|name| name.as_str()).unwrap_or_default().to_owned();
        counter!("cardhouse_refusals_total", "code" => name).increment(1);
        let room = self.id.clone();
        frame::json(&ClientOut::Refused(Refused { n, room, code, message, retry_after_ms, legal }))
    }
}
