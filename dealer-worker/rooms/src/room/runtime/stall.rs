//! A room that cannot store anything: it decides nothing, and says so.
//!
//! As long as a write is under way nothing else is decided. When that takes longer than [`STALL_AFTER`] the players are told, and
//! commands that come are refused: they were not decided, and will not be. The write itself is given up only if the store has
//! answered each attempt with a no, so that it is certain that nothing was written; what is unknown stays so until the journal says
//! what became of it. A room that has given up stands still, its clocks too: it tries a keyframe every second, and once that
//! is in the journal it goes on, with a grace for whoever is to act.

use std::convert::Infallible;

use broker::{
    entry::Cause,
    node::{Asked, ToRoom, decode},
};
use protocol::{ClientOut, RefusalCode, client_out::NoticeCode};
use tokio::time::{Duration, Instant, sleep, sleep_until};
use tracing::warn;

use super::{Ended, Running, commit::With, questions::Question, tell::tell_owned};
use crate::{
    counts::{counter, gauge},
    room::{
        Input, Refusal,
        answers::Known,
        frame,
        journal::{Attempt, NotWritten, RETRY_MAX},
        mailbox::{Mail, Order},
    },
};

/// A write that takes longer holds the table up.
const STALL_AFTER: Duration = Duration::from_secs(2);

/// How often a room that stands still looks whether it can go on.
const LOOK_EVERY: Duration = RETRY_MAX;

/// A refused command is worth trying again after so long, milliseconds, and up to twice as long: not all come back at once.
const RETRY_AFTER_MS: u64 = 1_500;

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Written {
    /// It is in the journal.
    Yes,
    /// It is not, nor will it be: the store says no. Nothing has changed.
    Refused,
    /// It is not, nor will it be: the journal has to be claimed anew first.
    Gone,
}

/// A room that stands still.
pub(super) struct Stall {
    began: Instant,
    /// Something was written again.
    pub(super) is_over: bool,
    _counted: Counted,
}

/// A room in the count of those that stand still, however its task ends.
struct Counted;

impl Counted {
    fn new() -> Self {
        gauge!("cardhouse_rooms_stalled").increment(1.0);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        gauge!("cardhouse_rooms_stalled").decrement(1.0);
    }
}

/// The refusal of a command that was not done, and will not be.
pub(super) fn unavailable(cause: &Cause) -> Refusal {
    let message = "the room cannot store anything at the moment, so nothing was done: try again";
    let spread_ms = (cause.session.0 ^ cause.n) % RETRY_AFTER_MS;
    Refusal::for_now(RefusalCode::Unavailable, message, RETRY_AFTER_MS + spread_ms)
}

impl Running {
    /// Has an entry written.
    pub(super) async fn write(&mut self, mut attempt: Attempt) -> Result<Written, Ended> {
        let since = attempt.started();
        loop {
            let why = attempt.trouble().unwrap_or("no answer yet").to_owned();
            let tried = tokio::select! { biased;
                tried = attempt.once() => tried,
                never = self.turn_away(since, &why) => match never {},
            };
            let why = match tried {
                Some(Ok(())) => {
                    self.stalled.iter_mut().for_each(|stall| stall.is_over = true);
                    return Ok(Written::Yes);
                }
                Some(Err(NotWritten::Fenced(fenced))) => return self.fenced(Err(fenced)),
                Some(Err(NotWritten::Gone)) => {
                    self.journal.is_lost();
                    return Ok(Written::Gone);
                }
                Some(Err(NotWritten::Refused(why))) => {
                    if self.gives_up(since) {
                        self.stall(&why);
                        return Ok(Written::Refused);
                    }
                    why
                }
                None => attempt.trouble().unwrap_or("no answer in time").to_owned(),
            };
            let pause = attempt.pause();
            tokio::select! { biased;
                () = sleep(pause) => {}
                never = self.turn_away(since, &why) => match never {},
            }
        }
    }

    /// A room that has just been taken over tries for ever: what is lost must be told, and nobody has heard of it yet.
    fn gives_up(&self, since: Instant) -> bool {
        self.has_begun && (self.stalled.is_some() || since.elapsed() >= STALL_AFTER)
    }

    /// What happens beside something that takes long; giving up waiting for it loses nothing.
    pub(super) async fn turn_away(&mut self, since: Instant, why: &str) -> Infallible {
        if self.stalled.is_none() {
            sleep_until(since + STALL_AFTER).await;
            self.stall(why);
        }
        loop {
            let mail = self.mailbox.take().await;
            self.put_off(mail);
        }
    }

    fn stall(&mut self, why: &str) {
        if self.stalled.is_some() {
            return;
        }
        warn!(room = %self.id, why, "the room cannot store anything: it stands still");
        counter!("cardhouse_stalls_total").increment(1);
        self.stalled = Some(Stall { began: Instant::now(), is_over: false, _counted: Counted::new() });
        let message = "the house cannot store anything at the moment: the room waits, and your time with it";
        self.tell_players(NoticeCode::Delayed, message);
    }

    fn tell_players(&self, code: NoticeCode, message: &str) {
        let room = Some(self.id.clone());
        let body = frame::json(&ClientOut::Notice { room, code, message: message.into() });
        for user in self.state.room.members() {
            let Some(session) = self.state.sessions.playing(&user) else { continue };
            if let Some(relay) = self.connections.relay_of(&user, session) {
                self.context.replies.notice(relay, &self.id, user, session, body.clone());
            }
        }
    }

    /// Does with a message what can be done without the journal: a command is refused, anything else waits.
    fn put_off(&mut self, mail: Mail) {
        let came = match &mail {
            Mail::Order(_) => return self.held.push_back(mail),
            Mail::Message(came) | Mail::Excess(came) => came,
            // Said again until it is heard.
            Mail::Letter(_) => return,
        };
        let Ok(ToRoom { epoch, relay, what }) = decode(&came.message) else {
            counter!("cardhouse_messages_malformed_total").increment(1);
            return;
        };
        if epoch != self.journal.epoch() && !matches!(what, Asked::Question { .. }) {
            counter!("cardhouse_messages_of_other_epochs_total").increment(1);
            return;
        }
        let is_first = matches!(what, Asked::First { .. }) && self.is_vouched_for(came, &relay);
        match what {
            Asked::Command { user, session, n, .. } | Asked::First { user, session, n, .. } => {
                let cause = Cause { user, session, n, said: None };
                // What is being done is answered when it is known what became of it.
                let is_being_done = self.doing.as_ref().is_some_and(|doing| doing.has_number_of(&cause));
                let known = self.known(&cause, is_first);
                // Whoever cannot write does not know whether somebody else owns the room by now, and has done what was said before. It is said
                // again, to whoever that is.
                let may_answer = is_first || matches!(known, Known::Applied(_));
                if !is_being_done && may_answer && !self.answer_known(&relay, &cause, known) {
                    self.refuse(&relay, &cause, unavailable(&cause));
                }
            }
            // What is being written is not answered from.
            Asked::Question { user, session, n, body } => {
                self.answer(&relay, Question { user, session, n, body: &body });
            }
            // The journal is asked whose the room is, which is no writing.
            Asked::Places { relay: _, round, have, users } => self.give_places(&relay, round, have, &users),
            Asked::Present { .. } | Asked::Absent { .. } => self.hold(mail),
        }
    }

    /// Keeps a message for when the room goes on.
    pub(super) fn hold(&mut self, mail: Mail) {
        if self.held.len() < self.context.config.bounds.mailbox_messages_max {
            self.held.push_back(mail);
        } else {
            // Relays tell again who is there.
            counter!("cardhouse_messages_dropped_total").increment(1);
        }
    }

    /// A while of standing still, and a look whether it is over.
    pub(super) async fn stand_still(&mut self) -> Result<(), Ended> {
        let leaves = |mail: &Mail| matches!(mail, Mail::Order(Order::LetGo { .. } | Order::Superseded(_)));
        while let Some(at) = self.held.iter().position(leaves) {
            if let Some(Mail::Order(order)) = self.held.remove(at) {
                self.obey(order).await?;
            }
        }
        let look_at = Instant::now() + LOOK_EVERY;
        loop {
            let mail = tokio::select! { biased;
                () = sleep_until(look_at) => break,
                mail = self.mailbox.take() => mail,
            };
            match mail {
                Mail::Order(order @ (Order::LetGo { .. } | Order::Superseded(_))) => self.obey(order).await?,
                mail => self.put_off(mail),
            }
        }
        // Tells by itself when it has worked.
        let _ = if self.journal.is_in_doubt() { self.reassert().await? } else { self.keyframe().await? };
        Ok(())
    }

    /// The room goes on, and no turn ends because it stood still.
    pub(super) async fn go_on(&mut self, stall: Stall) -> Result<(), Ended> {
        let stood_ms = u64::try_from(stall.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        drop(stall);
        warn!(room = %self.id, stood_ms, "the room can store again: it goes on");
        self.tell_players(NoticeCode::Recovered, "the room goes on");
        // Whatever was to be told meanwhile could not be written.
        tell_owned(&self.context, &self.id, self.journal.epoch()).await;
        let grace_ms = self.context.config.bounds.takeover_grace_ms;
        let _ =
            self.decide_and_commit(Input::TakenOver { grace_ms, frames_lost: 0 }, With::default()).await?;
        self.recall().await
    }
}
