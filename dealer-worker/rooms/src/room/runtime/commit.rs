//! Deciding and committing: nothing is seen, and nothing has changed, before it is in the journal.

use broker::{
    entry::{Cause, Delay, Entry, Places, Rail},
    store::Unavailable,
};
use bytes::Bytes;
use protocol::{
    RefusalCode,
    id::{Epoch, NodeId, Position, RoomId, SessionId, UserId},
};
use serde_json::value::RawValue;
use tokio::time::{Duration, Instant, sleep};
use traces::{Command, Span, Step};
use tracing::{debug, warn};

use super::{
    Ended, Running,
    hear::BUSY_RETRY_MS,
    stall::Written,
    tell::{tell_owned, tell_owner},
};
use crate::{
    counts::counter,
    planted::{Fault, is_planted},
    room::{
        Decision, Input, Moment, Refusal,
        any::AnyRoom,
        errands::{ERRANDS_MAX, ErrandId, OPEN_MAX},
        frame,
        journal::{Fenced, RETRY_FIRST, RETRY_MAX, Survey},
        letters,
        record::{Delta, form_of, seal_written},
    },
};

/// A frame that the bus does not take is offered so often; after that relays find it by the hole that it leaves.
const PUBLISH_ATTEMPTS: u32 = 5;

/// The pause before the second attempt; doubles.
pub(super) const PUBLISH_PAUSE: Duration = Duration::from_millis(25);

/// What goes into a frame beside what the room decides.
#[derive(Default)]
pub(super) struct With<'a> {
    /// The command that is decided on, and the relay that it came by.
    pub(super) asked: Option<(&'a Cause, &'a NodeId)>,
    /// This session plays for this member from now on.
    pub(super) plays: Option<(UserId, SessionId)>,
    /// This errand is settled.
    pub(super) settles: Option<ErrandId>,
    /// What changes of the letters beside what the decision says.
    pub(super) letters: Option<letters::Delta>,
}

impl With<'_> {
    /// A step of the command, if one is decided on.
    fn begin(&self, step: Step, room: &RoomId) -> Span {
        let Some((Cause { user, session, n, .. }, _)) = self.asked else { return Span::default() };
        Span::begin(step, &Command { user, session: *session, n: *n, room })
    }
}

/// What became of an input.
#[must_use]
pub(super) enum Became {
    /// It is in the journal, or there was nothing to decide.
    Done,
    /// The store says no: nothing was written, and nothing has changed.
    Unwritten,
    /// The command is not accepted.
    Refused(Refusal),
}

impl Running {
    /// Decides on an input and commits what follows from it.
    pub(super) async fn decide_and_commit(
        &mut self,
        input: Input<'_>,
        with: With<'_>,
    ) -> Result<Became, Ended> {
        self.commit_what_follows(Some(input), with).await
    }

    /// Commits what changes of the letters, on which the room has nothing to decide. Answers whether it is written.
    pub(super) async fn commit_letters(&mut self, letters: letters::Delta) -> Result<bool, Ended> {
        let with = With { letters: Some(letters), ..With::default() };
        Ok(matches!(self.commit_what_follows(None, with).await?, Became::Done))
    }

    async fn commit_what_follows(
        &mut self,
        input: Option<Input<'_>>,
        mut with: With<'_>,
    ) -> Result<Became, Ended> {
        let mut has_talked = false;
        loop {
            // What the store may have lost is put right first: a decision is named by the place where it will stand.
            if self.journal.is_in_doubt() && self.reassert().await? == Written::Refused {
                return Ok(Became::Unwritten);
            }
            let moment = Moment { now: self.now(), at: self.journal.next() };
            let room = &self.state.room;
            let deciding = with.begin(Step::Decide, &self.id);
            let decided = match input {
                Some(input) => room.decide(input, moment, &mut self.chance),
                None => Ok(room.nothing()),
            };
            let decision = match decided {
                Ok(decision) => {
                    deciding.end();
                    decision
                }
                Err(refusal) => {
                    deciding.refused();
                    assert!(with.asked.is_some(), "only commands are refused: {}", refusal.message);
                    return Ok(Became::Refused(refusal));
                }
            };
            if let Some((cause, relay)) = with.asked {
                assert!(!decision.events.is_empty(), "an accepted command has an event");
                if let Some(refusal) = self.objection(&decision, cause, &mut has_talked) {
                    return Ok(Became::Refused(refusal));
                }
                with.plays = self.plays_with(&decision, cause, relay);
            }
            let is_empty = decision.events.is_empty() && decision.letters.is_empty();
            assert!(
                !is_empty || !matches!(input, Some(Input::Clock)),
                "a clock that is due decides something"
            );
            if is_empty && with.plays.is_none() && with.settles.is_none() && with.letters.is_none() {
                return Ok(Became::Done);
            }
            match self.commit(moment, decision, &with).await? {
                Written::Yes => return Ok(Became::Done),
                Written::Refused => return Ok(Became::Unwritten),
                // It is decided anew, for the place that it then has.
                Written::Gone => {}
            }
        }
    }

    /// What the runtime has against a command that the room accepts.
    fn objection(
        &mut self,
        decision: &Decision<AnyRoom>,
        cause: &Cause,
        has_talked: &mut bool,
    ) -> Option<Refusal> {
        if decision.is_talk && !std::mem::replace(has_talked, true) {
            let (pace, now) = (self.context.config.bounds.talk, self.now());
            if let Err(wait_ms) = self.talk.may(&cause.user, pace, now) {
                let message = "you talk faster than others can read";
                return Some(Refusal::for_now(RefusalCode::TooFast, message, wait_ms));
            }
        }
        let asks = decision.asks.iter().filter(|ask| ask.wants_answer).count();
        let errands = &self.state.errands;
        if asks > 0 && (errands.waiting() + asks > ERRANDS_MAX || errands.open() + asks > OPEN_MAX) {
            let message = "too much that was asked before is still to be done";
            return Some(Refusal::for_now(RefusalCode::Busy, message, BUSY_RETRY_MS));
        }
        self.objection_to_letters(&decision.letters)
    }

    /// Who plays from now on, if that changes with a command that is accepted.
    fn plays_with(
        &mut self,
        decision: &Decision<AnyRoom>,
        cause: &Cause,
        relay: &NodeId,
    ) -> Option<(UserId, SessionId)> {
        let Cause { user, session, .. } = cause;
        if !decision.after.is_member(user) {
            return None;
        }
        self.connections.connected(user, *session, relay);
        let plays = self.state.sessions.playing(user) != Some(*session);
        plays.then(|| (user.clone(), *session))
    }

    /// Not [`Written::Yes`]: nothing was written, and nothing has changed.
    async fn commit(
        &mut self,
        moment: Moment,
        decision: Decision<AnyRoom>,
        with: &With<'_>,
    ) -> Result<Written, Ended> {
        let Decision {
            events,
            public,
            privates,
            rail,
            asks,
            gives_up,
            letters: said,
            after,
            lobby,
            counts,
            is_talk: _,
        } = decision;
        let committing = with.begin(Step::Commit, &self.id);
        let cause = with.asked.map(|(cause, _)| cause.clone());
        let plays = with.plays.clone();
        let mut settled = self.round.settled(with.settles.into_iter().chain(gives_up));
        settled.retain(|id| !self.stays_open(*id, &asks));
        if is_planted(Fault::ForgetsSettled) {
            settled.clear();
        }
        let letters = letters::Delta { said, ..with.letters.clone().unwrap_or_default() };
        let letters = self.with_what_was_learned(letters);
        let delta = Delta { events, plays, at_ms: moment.now, asks, settled, letters };
        let mut entry = frame::delta(&self.id, moment.at, cause, public, privates, self.kind.sparse);
        entry.delay = self.delay(&after);
        entry.places = self.places(&after);
        let says_who = entry.delay.is_some() || entry.places.is_some();
        entry.at_ms = (self.is_timed || says_who).then_some(moment.now);
        debug_assert!(
            rail.is_none() || after.rail().is_some() && !self.kind.sparse,
            "a keyframe has it for who comes later"
        );
        entry.rail = rail.map(|rail| self.for_the_rail(moment.at, rail, &after));
        let record = delta.write_any(self.kind, self.form);
        seal_written(&self.context.sealer, &mut entry, self.form, &record);
        let encoded = entry.encode();
        if is_planted(Fault::SendsLettersEarly) {
            self.send_early(&delta, entry.at).await;
        }
        let attempt = self.journal.delta(encoded.stored);
        let written = self.write(attempt).await?;
        if written != Written::Yes {
            return Ok(written);
        }
        committing.end();
        self.journal.wrote_delta(entry.at);
        debug_assert!(
            {
                let mut replayed = self.state.room.clone();
                replayed.apply(&delta.events, entry.at);
                replayed == after
            },
            "the events of a decision lead to its state"
        );
        self.state.adopt(after, &delta, entry.cause.as_ref(), entry.at, &self.context.config.bounds.memory);
        self.asking.retain(|id, _| self.state.errands.get(*id).is_some());
        if is_planted(Fault::ForgetsSettled) {
            with.settles.into_iter().for_each(|id| self.round.mark_done(id));
        } else {
            self.round.committed(&delta.settled);
        }
        if lobby {
            // Before anybody knows of the frame: who has a seat by it has a place in the mailbox.
            self.mailbox.has_members(self.state.room.members());
        }
        self.publish(encoded.published).await;
        if let Some(letters) = &delta.letters {
            self.committed_letters(letters, delta.at_ms);
            self.send_letters().await;
        }
        for (what, count) in counts {
            counter!(what).increment(count);
            debug!(room = %self.id, at = %entry.at, what, count, "counts");
        }
        if lobby {
            let room = &self.state.room;
            self.connections.retain(|user| room.is_member(user));
            self.show_in_lobby();
        }
        self.run_errands();
        if self.journal.deltas_since_keyframe() >= self.context.config.bounds.keyframe_every {
            // Refused: the next one is as good.
            let _ = self.keyframe().await?;
        }
        Ok(Written::Yes)
    }

    /// What holds for the rail with a frame: who is live before it or `after` it is so with it. `None` where all are.
    pub(super) fn delay(&self, after: &AnyRoom) -> Option<Delay> {
        let ms = self.shown_late_by_ms();
        (ms > 0).then(|| {
            let mut live = self.state.room.live();
            live.extend(after.live());
            live.sort_unstable();
            live.dedup();
            Delay { ms, live }
        })
    }

    /// How many may watch with a frame: nobody needs a place who has a part in the room before it or `after` it. `None` where as many may as come.
    pub(super) fn places(&self, after: &AnyRoom) -> Option<Places> {
        let max = self.rail.viewers_max;
        (max > 0).then(|| {
            let mut insiders = self.state.room.insiders();
            insiders.extend(after.insiders());
            insiders.sort_unstable();
            insiders.dedup();
            Places { max, insiders }
        })
    }

    /// What the rail gets with a frame: nobody does who is a member before it, or `after` it.
    fn for_the_rail(&self, at: Position, rail: Box<RawValue>, after: &AnyRoom) -> Rail {
        let mut members = self.state.room.members();
        members.extend(after.members());
        members.sort_unstable();
        members.dedup();
        if is_planted(Fault::TellsMembersToo) {
            members.clear();
        }
        frame::rail(&self.id, at, rail, members, self.shown_late_by_ms() > 0 && self.kind.tells_rail_at_once)
    }

    /// Whether something stands in the journal that a living node does not read.
    pub(super) fn is_unread(&self) -> bool {
        self.context.form().is_some_and(|form| self.form > form_of(self.kind, form))
            || (self.is_timed && self.context.tells_time() == Some(false))
    }

    /// Writes the whole state, in the form that all who may own the room next can read; the deltas after it are in the same.
    /// Refused: nothing has changed, but that the room may have a later epoch. Never [`Written::Gone`].
    pub(super) async fn keyframe(&mut self) -> Result<Written, Ended> {
        let mut is_claimed_anew = false;
        loop {
            let (form, room) =
                (self.context.form().map_or(self.form, |form| form_of(self.kind, form)), &self.state.room);
            let is_timed = self.context.tells_time().unwrap_or(self.is_timed);
            let (now, delay, places) = (self.now(), self.delay(room), self.places(room));
            let (at, follows) = (self.journal.next(), self.journal.last_frame_epoch());
            let mut entry: Entry = frame::keyframe(
                &self.id,
                at,
                self.kind.seen_as,
                follows,
                room.view(),
                room.privates(),
                self.kind.sparse,
            );
            entry.at_ms = (is_timed || delay.is_some() || places.is_some()).then_some(now);
            (entry.delay, entry.places) = (delay, places);
            entry.rail = room.rail().map(|rail| self.for_the_rail(at, rail, room));
            let sealed = self.context.sealer.sealed();
            seal_written(&self.context.sealer, &mut entry, form, &self.state.write_any(self.kind, form));
            let encoded = entry.encode();
            let attempt = match self.is_timed && !is_timed {
                // Whoever does not read what stands before it is not to find it.
                true => self.journal.first_keyframe(encoded.stored),
                false => self.journal.keyframe(encoded.stored, now),
            };
            match self.write(attempt).await? {
                Written::Yes => {
                    self.journal.wrote_keyframe(at, now);
                    (self.form, self.is_timed, self.sealed) = (form, is_timed, sealed);
                    self.publish(encoded.published).await;
                    if is_claimed_anew {
                        tell_owned(&self.context, &self.id, at.epoch()).await;
                    }
                    return Ok(Written::Yes);
                }
                Written::Refused => return Ok(Written::Refused),
                Written::Gone => {
                    if self.claim_anew().await? == Written::Refused {
                        return Ok(Written::Refused);
                    }
                    is_claimed_anew = true;
                }
            }
        }
    }

    /// The store may have lost entries: the room is claimed anew and its state put in their place, from memory.
    pub(super) async fn reassert(&mut self) -> Result<Written, Ended> {
        if self.claim_anew().await? == Written::Refused || self.keyframe().await? == Written::Refused {
            return Ok(Written::Refused);
        }
        self.noted.restore().await;
        tell_owned(&self.context, &self.id, self.journal.epoch()).await;
        self.tell_again();
        Ok(Written::Yes)
    }

    async fn claim_anew(&mut self) -> Result<Written, Ended> {
        let survey = self.journal.survey();
        let asked = self.surveyed(&survey, None).await?;
        let lost = self.fenced(asked)?;
        let claim = |at| frame::claim(&self.id, at, &self.context.config.node).encode().stored;
        let attempt = self.journal.claim_anew(self.context.ports.clock.now_ms(), claim);
        let at = attempt.at();
        let written = self.write(attempt).await?;
        if written == Written::Yes {
            // It may have taken long, and somebody with a lower epoch may have been faster. Now nobody can be any more.
            if self.surveyed(&survey, Some(at)).await?.is_err() {
                return Err(self.claimed_behind_another(at.epoch()).await);
            }
            self.journal.claimed_anew(at, &survey, lost);
            if lost > 0 {
                counter!("cardhouse_entries_lost_total").increment(lost);
                warn!(room = %self.id, lost, "the store has lost acknowledged entries; restored from memory");
            }
        }
        Ok(written)
    }

    /// What the store says to a survey, however long it takes.
    async fn surveyed(
        &mut self,
        survey: &Survey,
        ours: Option<Position>,
    ) -> Result<Result<u64, Fenced>, Ended> {
        let (since, mut pause) = (Instant::now(), RETRY_FIRST);
        loop {
            let asked = tokio::select! { biased;
                asked = survey.ask(ours) => asked,
                never = self.turn_away(since, "no answer yet") => match never {},
            };
            match asked {
                Ok(answer) => return Ok(answer),
                Err(Unavailable(why)) => {
                    debug!(room = %self.id, why, "the journal cannot be read");
                    tokio::select! { biased;
                        () = sleep(pause) => {}
                        never = self.turn_away(since, &why) => match never {},
                    }
                    pause = (pause * 2).min(RETRY_MAX);
                }
            }
        }
    }

    /// The journal holds more than what this owner remembers, and its claim fences whoever has written that: the room is for whoever takes it
    /// over by the journal.
    async fn claimed_behind_another(&self, epoch: Epoch) -> Ended {
        counter!("cardhouse_commits_fenced_total").increment(1);
        warn!(room = %self.id, epoch = epoch.0, "claimed behind another worker: lets the room go");
        tell_owner(&self.context, &self.id, None, epoch).await;
        Ended::LetGo(epoch)
    }

    pub(super) fn fenced<T>(&self, written: Result<T, Fenced>) -> Result<T, Ended> {
        written.map_err(|fenced| {
            counter!("cardhouse_commits_fenced_total").increment(1);
            warn!(room = %self.id, epoch = self.journal.epoch().0, "fenced: another worker owns the room");
            fenced.into()
        })
    }

    pub(super) async fn publish(&self, frame: Bytes) {
        let mut pause = PUBLISH_PAUSE;
        for attempt in 1..=PUBLISH_ATTEMPTS {
            let bus = &self.context.ports.bus;
            let publishing = match attempt {
                1 => bus.publish_near(&self.frames, frame.clone()),
                _ => bus.publish(&self.frames, frame.clone()),
            };
            match publishing.await {
                Ok(()) => return,
                Err(error) => debug!(room = %self.id, %error, attempt, "a frame was not published"),
            }
            sleep(pause).await;
            pause *= 2;
        }
        counter!("cardhouse_frames_unpublished_total").increment(1);
    }
}
