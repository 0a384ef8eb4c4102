//! What relays say: commands, for the first time or once more, and who is there.

use broker::{
    entry::{Cause, fingerprint},
    node::{Asked, ToRoom, decode},
};
use bytes::Bytes;
use metrics::counter;
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
};
use crate::room::{
    Input, Refusal, Room,
    answers::{self, Known},
    frame,
    mailbox::Mail,
};

/// A busy room's refusal says to come again after so long, milliseconds.
pub(super) const BUSY_RETRY_MS: u64 = 500;

/// What a command says, and how who says it is called and what they may.
struct Says<'a> {
    name: &'a str,
    rights: Rights,
    body: &'a [u8],
}

impl<R: Room> Running<R> {
    pub(super) async fn hear(&mut self, message: &Bytes, is_excess: bool) -> Result<(), Ended> {
        let Ok(ToRoom { epoch, relay, what }) = decode(message) else {
            counter!("cardhouse_messages_malformed_total").increment(1);
            return Ok(());
        };
        // Meant for another owner; the relay sends it again when it has seen this epoch's keyframe. Questions are for any.
        if epoch != self.journal.epoch() && !matches!(what, Asked::Question { .. }) {
            counter!("cardhouse_messages_of_other_epochs_total").increment(1);
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
                self.asked(&relay, cause, said, true, is_excess).await
            }
            Asked::Present { user, session, anew } => {
                if !anew && self.state.sessions.is_ousted(&user, session) {
                    return Ok(());
                }
                if !self.present(&relay, &user, session).await? {
                    self.hold(Mail::Message(message.clone()));
                }
                Ok(())
            }
            Asked::Question { user, session, n, body } => {
                self.answer(&relay, Question { user, session, n, body: &body });
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
        if self.answer_repeat(relay, &cause, is_first) {
            return Ok(());
        }
        let is_stranger = !self.state.room.is_member(&cause.user);
        if is_excess
            || is_stranger && self.state.applied.is_full_for(&cause, &self.context.config.bounds.memory)
        {
            self.refuse_busy(relay, &cause);
            return Ok(());
        }
        self.doing = Some(cause.clone());
        let done = self.command(relay, cause, says).await;
        self.doing = None;
        done
    }

    /// Answers a command that was answered before.
    pub(super) fn answer_repeat(&mut self, relay: &NodeId, cause: &Cause, is_first: bool) -> bool {
        let now = self.now();
        let Cause { user, session, n, .. } = cause.clone();
        let (replies, epoch) = (&self.context.replies, self.journal.epoch());
        match answers::look_up(&self.state.applied, &self.refused, answers::Asked { cause, is_first, now }) {
            Known::Nothing => return false,
            Known::Applied(at) => replies.applied(relay, &self.id, user, session, n, at),
            Known::Refused(body) => replies.refused(relay, &self.id, epoch, cause, body),
            Known::Stale => {
                let code = RefusalCode::StaleN;
                let refusal = Refusal::new(code, "a later command of this session was answered already");
                let body = self.refusal(n, refusal, None);
                self.context.replies.refused(relay, &self.id, epoch, cause, body);
            }
            Known::Forgotten => {
                counter!("cardhouse_commands_forgotten_total").increment(1);
                let message =
                    "too much has happened since to know whether this was done; look, and ask again";
                // Remembered like every refusal: a copy that is still on its way gets the same answer.
                self.refuse(relay, cause, Refusal::new(RefusalCode::Forgotten, message), None);
            }
        }
        counter!("cardhouse_commands_repeated_total").increment(1);
        true
    }

    async fn command(&mut self, relay: &NodeId, cause: Cause, says: Says<'_>) -> Result<(), Ended> {
        counter!("cardhouse_commands_total").increment(1);
        let Cause { user, session, .. } = &cause;
        if self.connections.relay_of(user, *session) != Some(relay) && self.state.room.is_member(user) {
            if self.state.sessions.is_ousted(user, *session) {
                let message = "your seat is played from another session of yours";
                self.refuse(relay, &cause, Refusal::new(RefusalCode::OtherSession, message), None);
                return Ok(());
            }
            if !self.present(relay, user, *session).await? {
                self.refuse_unavailable(relay, &cause);
                return Ok(());
            }
        }
        let Says { name, rights, body } = says;
        let input = Input::Command { user, name, rights, body };
        let with = With { asked: Some((&cause, relay)), ..With::default() };
        match self.decide_and_commit(input, with).await? {
            Became::Done => {}
            Became::Unwritten => self.refuse_unavailable(relay, &cause),
            Became::Refused(refusal, retry_after_ms) => self.refuse(relay, &cause, refusal, retry_after_ms),
        }
        Ok(())
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

    fn refuse_busy(&mut self, relay: &NodeId, cause: &Cause) {
        let refusal = Refusal::new(RefusalCode::Busy, "the room has more to do than it can at the moment");
        self.refuse(relay, cause, refusal, Some(BUSY_RETRY_MS));
    }

    pub(super) fn refuse(
        &mut self,
        relay: &NodeId,
        cause: &Cause,
        refusal: Refusal,
        retry_after_ms: Option<u64>,
    ) {
        let Cause { user, session, n, .. } = cause.clone();
        debug!(room = %self.id, %session, %user, n, code = ?refusal.code, "refuses a command");
        let body = self.refusal(n, refusal, retry_after_ms);
        let now = self.now();
        self.refused.remember(cause, body.clone(), now);
        let room = &self.state.room;
        self.refused.forget(&self.context.config.bounds.memory, now, |user| room.is_member(user));
        self.context.replies.refused(relay, &self.id, self.journal.epoch(), cause, body);
    }

    fn refusal(&self, n: u64, refusal: Refusal, retry_after_ms: Option<u64>) -> Bytes {
        let Refusal { code, message, legal, retry_after_ms: until } = refusal;
        let name = serde_json::to_value(code).ok();
        let name = name.as_ref().and_then(|name| name.as_str()).unwrap_or_default().to_owned();
        counter!("cardhouse_refusals_total", "code" => name).increment(1);
        let room = self.id.clone();
        frame::json(&ClientOut::Refused(Refused {
            n,
            room,
            code,
            message,
            retry_after_ms: retry_after_ms.or(until),
            legal,
        }))
    }
}
