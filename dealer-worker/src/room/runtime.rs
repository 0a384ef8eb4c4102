//! The loop of one room: take a message or wait for the deadline, decide, commit, tell.
//!
//! The state changes only after the commit. If a commit turns out to be fenced, the room is dropped as it stands: its
//! truth is in the journal, and somebody else has that now. What it does while it cannot commit is in [`stall`].

mod stall;

use std::{borrow::Cow, collections::VecDeque, sync::Arc};

use bytes::Bytes;
use metrics::{counter, gauge};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use shared::{
    channel::Channel,
    clock::UnixMs,
    directory,
    entry::{Cause, Entry, fingerprint},
    id::{Epoch, NodeId, RoomId, SessionId, UserId},
    node::{Asked, NodeNews, Owner, RoomSpec, ToRoom, decode, encode},
    protocol::{
        ClientOut, RefusalCode,
        client_out::{NoticeCode, Refused},
    },
    seal::Form,
    store::Unavailable,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Duration, Instant, sleep, sleep_until, timeout},
};
use tracing::{debug, info, warn};

use self::stall::{Stall, Written};
use super::{
    Decision, Input, Refusal, Room,
    answers::{self, Known},
    frame,
    journal::{Fenced, Journal, RETRY_FIRST, RETRY_MAX},
    mailbox::{Mail, Mailbox, Order},
    presence::Connections,
    record::{Delta, DeltaOf, Journaled, form_of, seal},
    takeover::{Claimer, NotTaken, Taken},
    talk::Talk,
};
use crate::context::Context;

/// A room lets the others run after so many messages, if its store answers without ever waiting.
const MESSAGES_PER_TURN: u32 = 32;

/// A frame that the bus does not take is offered so often; after that relays find it by the hole that it leaves.
const PUBLISH_ATTEMPTS: u32 = 5;

/// The pause before the second attempt; doubles.
const PUBLISH_PAUSE: Duration = Duration::from_millis(25);

/// What is said once about a change of owner is not worth waiting longer for: it is a hint.
const HINT_TIMEOUT: Duration = Duration::from_secs(1);

/// A busy room's refusal says to come again after so long, milliseconds.
const BUSY_RETRY_MS: u64 = 500;

/// How a room's task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Another worker owns the room, since this epoch.
    Fenced(Epoch),
    /// It was let go of as asked, until and with this epoch.
    LetGo(Epoch),
    /// It was never owned.
    NotTaken(NotTaken),
}

impl From<Fenced> for Ended {
    fn from(Fenced(epoch): Fenced) -> Self {
        Self::Fenced(epoch)
    }
}

/// A room to be taken over and run.
pub struct Start {
    /// What it shares with the others.
    pub context: Arc<Context>,
    /// Which room.
    pub room: RoomId,
    /// The last epoch in which somebody is believed to have owned it.
    pub believed: Epoch,
    /// What comes for it.
    pub mailbox: Arc<Mailbox>,
    /// What its randomness follows from.
    pub seed: [u8; 32],
    /// Held until the room is owned, so that not too many are being claimed at once.
    pub permit: OwnedSemaphorePermit,
}

/// Takes a room over and runs it until it is fenced or let go of.
///
/// `spec`: what the map of rooms says of it, if anything.
pub async fn run<R: Room>(start: Start, spec: Option<RoomSpec>) -> Ended {
    let context = start.context.clone();
    let room = start.room.clone();
    let Err(ended) = own::<R>(start, spec).await;
    context.board.remove(&room);
    if let Err(error) = context.switchboard.disconnect(&room).await {
        debug!(%room, %error, "still subscribed to a room that is not ours");
    }
    ended
}

async fn own<R: Room>(start: Start, spec: Option<RoomSpec>) -> Result<std::convert::Infallible, Ended> {
    let Start { context, room: id, believed, mailbox, seed, permit } = start;
    let taken =
        Box::pin(Claimer::of(&context).take::<R>(&id, believed, spec)).await.map_err(Ended::NotTaken)?;
    let Taken { state, journal, frames_lost, is_new } = taken;
    let unheard_until = context.ports.clock.now_ms() + context.config.presence_grace_ms;
    let connections = Connections::unheard(state.room.members(), unheard_until);
    let mut running = Box::new(Running {
        frames: Channel::frames(&id),
        refused: answers::Refused::default(),
        id,
        mailbox,
        state,
        connections,
        journal,
        form: form_of::<R>(context.form()),
        talk: Talk::default(),
        rng: ChaCha20Rng::from_seed(seed),
        has_begun: false,
        stalled: None,
        held: VecDeque::new(),
        context,
    });
    Box::pin(running.begin(frames_lost, is_new)).await?;
    running.has_begun = true;
    drop(permit);
    let _counted = Counted::new();
    running.serve().await
}

/// A room in the count of owned ones, however its task ends.
struct Counted;

impl Counted {
    fn new() -> Self {
        gauge!("cardhouse_rooms_owned").increment(1.0);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        gauge!("cardhouse_rooms_owned").decrement(1.0);
    }
}

/// A room that this worker owns.
struct Running<R: Room> {
    context: Arc<Context>,
    id: RoomId,
    frames: Channel,
    mailbox: Arc<Mailbox>,
    state: Journaled<R>,
    /// Refusals, which are in no journal.
    refused: answers::Refused,
    connections: Connections,
    journal: Journal,
    /// In which the last keyframe was written.
    form: Form,
    /// Who has talked how much.
    talk: Talk,
    rng: ChaCha20Rng,
    /// The first frames of the epoch are in the journal.
    has_begun: bool,
    /// It cannot store anything.
    stalled: Option<Stall>,
    /// What came meanwhile and can wait. Orders are few, messages at most as many as the mailbox takes.
    held: VecDeque<Mail>,
}

impl<R: Room> Running<R> {
    fn now(&self) -> UnixMs {
        self.context.ports.clock.now_ms()
    }

    /// From the claim to the first frames: commands first, so that none is missed that the keyframe calls forth.
    async fn begin(&mut self, frames_lost: u64, is_new: bool) -> Result<(), Ended> {
        let mut pause = PUBLISH_PAUSE;
        while let Err(error) = self.context.switchboard.connect(&self.id, &self.mailbox).await {
            debug!(room = %self.id, %error, "cannot listen to commands yet");
            sleep(pause).await;
            pause = (pause * 2).min(HINT_TIMEOUT);
        }
        let _ = self.keyframe().await?;
        let epoch = self.journal.epoch();
        info!(room = %self.id, epoch = epoch.0, seq = self.journal.last().seq().0, frames_lost, "owns the room");
        let (context, id) = (self.context.clone(), self.id.clone());
        // Players wait for what is decided now, nobody for what is told meanwhile.
        let deciding = async {
            if is_new {
                return Ok(());
            }
            counter!("cardhouse_takeovers_total").increment(1);
            let grace_ms = self.context.config.takeover_grace_ms;
            self.decide_and_commit(Input::TakenOver { grace_ms, frames_lost }).await.map(drop)
        };
        let ((), decided) = tokio::join!(tell_owned(&context, &id, epoch), deciding);
        decided?;
        if frames_lost > 0 {
            counter!("cardhouse_frames_lost_total").increment(frames_lost);
        }
        self.context.board.put(self.state.room.line(&self.id, self.now()));
        Ok(())
    }

    /// What is done for a message lives in a box of its own while it is done, several kilobytes: else every idle room
    /// would keep the space for it.
    async fn serve(&mut self) -> Result<std::convert::Infallible, Ended> {
        let mut messages = 0;
        loop {
            if let Some(stall) = self.stalled.take_if(|stall| stall.is_over) {
                Box::pin(self.go_on(stall)).await?;
                continue;
            }
            if self.stalled.is_some() {
                Box::pin(self.stand_still()).await?;
                continue;
            }
            let due = [self.state.room.deadline(), self.connections.deadline()].into_iter().flatten().min();
            let now = self.now();
            if due.is_some_and(|due| due <= now) {
                Box::pin(self.clock(now)).await?;
                continue;
            }
            let next = self.held.pop_front().or_else(|| self.mailbox.try_take());
            let mail = match (next, due) {
                (Some(mail), _) => mail,
                (None, None) => self.mailbox.take().await,
                (None, Some(due)) => {
                    let due = self.context.ports.clock.instant(due);
                    tokio::select! { biased;
                        mail = self.mailbox.take() => mail,
                        () = sleep_until(due) => continue,
                    }
                }
            };
            match mail {
                Mail::Order(order) => Box::pin(self.obey(order)).await?,
                Mail::Message(message) => Box::pin(self.hear(&message, false)).await?,
                Mail::Excess(message) => Box::pin(self.hear(&message, true)).await?,
            }
            messages += 1;
            if messages % MESSAGES_PER_TURN == 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn clock(&mut self, now: UnixMs) -> Result<(), Ended> {
        for user in self.connections.overdue(now) {
            self.leave(user).await?;
        }
        if self.state.room.deadline().is_some_and(|due| due <= now) {
            let decision = self.decide(Input::Clock);
            assert!(!decision.events.is_empty(), "a clock that is due decides something");
            // Refused: it is due again when the room goes on.
            let _ = self.commit(decision, None, None).await?;
        }
        Ok(())
    }

    /// A member's connection is gone.
    async fn leave(&mut self, user: UserId) -> Result<(), Ended> {
        if self.decide_and_commit(Input::Away { user: &user, away: true }).await? == Written::Refused {
            self.connections.missing(&user, self.now());
        }
        Ok(())
    }

    async fn obey(&mut self, order: Order) -> Result<(), Ended> {
        match order {
            Order::LetGo { to } => {
                let epoch = self.journal.epoch();
                info!(room = %self.id, epoch = epoch.0, to = to.as_ref().map(NodeId::as_str), "lets the room go");
                counter!("cardhouse_hand_overs_total").increment(1);
                // A worker of the first release may be the next.
                if self.form != Form::Bare && form_of::<R>(self.context.form()) == Form::Bare {
                    // Refused: it can be taken over by all but that one.
                    let _ = self.keyframe().await?;
                }
                // In this order: what is written late would overwrite the next owner's word.
                tell_owner(&self.context, &self.id, None, epoch).await;
                if let Some(to) = to {
                    let from = self.context.config.node.clone();
                    announce(&self.context, &NodeNews::Offer { from, to, room: self.id.clone(), epoch })
                        .await;
                }
                Err(Ended::LetGo(epoch))
            }
            Order::Superseded(epoch) if epoch > self.journal.epoch() => {
                let checked = self.journal.check().await;
                self.fenced(checked)
            }
            Order::Superseded(_) => Ok(()),
            Order::Reassert if self.journal.is_in_doubt() => self.reassert().await.map(drop),
            Order::Reassert => Ok(()),
            Order::RelayGone(relay) => {
                for user in self.connections.relay_gone(&relay) {
                    self.leave(user).await?;
                }
                Ok(())
            }
        }
    }

    async fn hear(&mut self, message: &Bytes, is_excess: bool) -> Result<(), Ended> {
        let Ok(ToRoom { epoch, relay, what }) = decode(message) else {
            counter!("cardhouse_messages_malformed_total").increment(1);
            return Ok(());
        };
        // Meant for another owner; the relay sends it again when it has seen this epoch's keyframe.
        if epoch != self.journal.epoch() {
            counter!("cardhouse_messages_of_other_epochs_total").increment(1);
            return Ok(());
        }
        match what {
            Asked::Command { user, name, session, n, body } => {
                let cause = Cause { user, session, n, said: Some(fingerprint(&body)) };
                self.asked(&relay, cause, (&name, &body), false, is_excess).await
            }
            Asked::First { user, name, session, n, body } => {
                let cause = Cause { user, session, n, said: Some(fingerprint(&body)) };
                self.asked(&relay, cause, (&name, &body), true, is_excess).await
            }
            Asked::Present { user, session, anew } => {
                if !anew && self.state.sessions.is_ousted(&user, session) {
                    return Ok(());
                }
                if self.present(&relay, &user, session).await? == Written::Refused {
                    self.hold(Mail::Message(message.clone()));
                }
                Ok(())
            }
            Asked::Absent { user, session } => {
                let plays = self.state.sessions.playing(&user) == Some(session);
                if plays {
                    let away_at = self.now() + self.context.config.absence_grace_ms;
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
        (name, body): (&str, &[u8]),
        is_first: bool,
        is_excess: bool,
    ) -> Result<(), Ended> {
        if self.answer_repeat(relay, &cause, is_first) {
            return Ok(());
        }
        let is_stranger = !self.state.room.is_member(&cause.user);
        if is_excess || is_stranger && self.state.applied.is_full_for(&cause, &self.context.config.memory) {
            self.refuse_busy(relay, &cause);
            return Ok(());
        }
        self.command(relay, cause, name, body).await
    }

    /// Answers a command that was answered before.
    fn answer_repeat(&mut self, relay: &NodeId, cause: &Cause, is_first: bool) -> bool {
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

    async fn command(&mut self, relay: &NodeId, cause: Cause, name: &str, body: &[u8]) -> Result<(), Ended> {
        counter!("cardhouse_commands_total").increment(1);
        let Cause { user, session, .. } = &cause;
        if self.connections.relay_of(user, *session) != Some(relay) && self.state.room.is_member(user) {
            if self.state.sessions.is_ousted(user, *session) {
                let message = "your seat is played from another session of yours";
                self.refuse(relay, &cause, Refusal::new(RefusalCode::OtherSession, message), None);
                return Ok(());
            }
            if self.present(relay, user, *session).await? == Written::Refused {
                self.refuse_unavailable(relay, &cause);
                return Ok(());
            }
        }
        let input = Input::Command { user, name, body };
        let now = self.now();
        match self.state.room.decide(input, now, &mut self.rng) {
            Ok(decision) => {
                assert!(!decision.events.is_empty(), "an accepted command has an event");
                if decision.is_talk
                    && let Err(wait_ms) = self.talk.may(user, self.context.config.talk, now)
                {
                    let refusal = Refusal::new(RefusalCode::TooFast, "you talk faster than others can read");
                    self.refuse(relay, &cause, refusal, Some(wait_ms));
                    return Ok(());
                }
                let is_member = decision.after.is_member(user);
                if is_member {
                    self.connections.connected(user, *session, relay);
                }
                let plays = is_member && self.state.sessions.playing(user) != Some(*session);
                let plays = plays.then(|| (user.clone(), *session));
                if self.commit(decision, Some(cause.clone()), plays).await? == Written::Refused {
                    self.refuse_unavailable(relay, &cause);
                }
                Ok(())
            }
            Err(refusal) => {
                self.refuse(relay, &cause, refusal, None);
                Ok(())
            }
        }
    }

    /// A member's session is there. If it is another than the one that plays, it plays from now on.
    async fn present(&mut self, relay: &NodeId, user: &UserId, session: SessionId) -> Result<Written, Ended> {
        if !self.state.room.is_member(user) {
            return Ok(Written::Yes);
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
        let decision = self.decide(Input::Away { user, away: false });
        if decision.events.is_empty() && plays.is_none() {
            return Ok(Written::Yes);
        }
        self.commit(decision, None, plays).await
    }

    fn decide(&mut self, input: Input<'_>) -> Decision<R> {
        let now = self.now();
        match self.state.room.decide(input, now, &mut self.rng) {
            Ok(decision) => decision,
            Err(refusal) => unreachable!("only commands are refused: {}", refusal.message),
        }
    }

    async fn decide_and_commit(&mut self, input: Input<'_>) -> Result<Written, Ended> {
        let decision = self.decide(input);
        if decision.events.is_empty() {
            return Ok(Written::Yes);
        }
        self.commit(decision, None, None).await
    }

    /// Refused: the store says no, nothing was written and nothing has changed. Never [`Written::Gone`].
    async fn commit(
        &mut self,
        decision: Decision<R>,
        cause: Option<Cause>,
        plays: Option<(UserId, SessionId)>,
    ) -> Result<Written, Ended> {
        if self.journal.is_in_doubt() && self.reassert().await? == Written::Refused {
            return Ok(Written::Refused);
        }
        let Decision { events, public, privates, after, lobby, counts, is_talk: _ } = decision;
        let mut entry = frame::delta(&self.id, self.journal.next(), cause, public, privates);
        let delta = Delta { events, plays, at_ms: self.now() };
        let published = loop {
            seal(&self.context.sealer, &mut entry, self.form, &DeltaOf::<R>(Cow::Borrowed(&delta)));
            let encoded = entry.encode();
            let attempt = self.journal.delta(encoded.stored);
            match self.write(attempt, entry.cause.as_ref()).await? {
                Written::Yes => break encoded.published,
                Written::Refused => return Ok(Written::Refused),
                // What was decided stands: it comes after the keyframe that replaces what is lost.
                Written::Gone => {
                    if self.reassert().await? == Written::Refused {
                        return Ok(Written::Refused);
                    }
                    entry = frame::moved(entry, self.journal.next());
                }
            }
        };
        self.journal.wrote_delta(entry.at);
        debug_assert!(
            {
                let mut replayed = self.state.room.clone();
                delta.events.iter().for_each(|event| replayed.apply(event));
                replayed == after
            },
            "the events of a decision lead to its state"
        );
        self.state.adopt(after, &delta, entry.cause.as_ref(), entry.at, &self.context.config.memory);
        self.publish(published).await;
        for (what, count) in counts {
            counter!(what).increment(count);
        }
        if lobby {
            let room = &self.state.room;
            self.connections.retain(|user| room.is_member(user));
            self.context.board.put(self.state.room.line(&self.id, self.now()));
        }
        if self.journal.deltas_since_keyframe() >= self.context.config.keyframe_every {
            // Refused: the next one is as good.
            let _ = self.keyframe().await?;
        }
        Ok(Written::Yes)
    }

    /// Writes the whole state, in the form that all who may own the room next can read; the deltas after it are in the same.
    /// Refused: nothing has changed, but that the room may have a later epoch. Never [`Written::Gone`].
    async fn keyframe(&mut self) -> Result<Written, Ended> {
        let mut is_claimed_anew = false;
        loop {
            let (form, room) = (form_of::<R>(self.context.form()), &self.state.room);
            let (at, follows) = (self.journal.next(), self.journal.last_frame_epoch());
            let mut entry: Entry =
                frame::keyframe(&self.id, at, R::NAME, follows, room.view(), room.privates());
            seal(&self.context.sealer, &mut entry, form, &self.state);
            let encoded = entry.encode();
            match self.write(self.journal.keyframe(encoded.stored), None).await? {
                Written::Yes => {
                    self.journal.wrote_keyframe(at);
                    self.form = form;
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
    async fn reassert(&mut self) -> Result<Written, Ended> {
        if self.claim_anew().await? == Written::Refused || self.keyframe().await? == Written::Refused {
            return Ok(Written::Refused);
        }
        tell_owned(&self.context, &self.id, self.journal.epoch()).await;
        Ok(Written::Yes)
    }

    async fn claim_anew(&mut self) -> Result<Written, Ended> {
        let (since, survey) = (Instant::now(), self.journal.survey());
        let mut pause = RETRY_FIRST;
        let lost = loop {
            let asked = tokio::select! { biased;
                asked = survey.ask() => asked,
                never = self.turn_away(since, "no answer yet", None) => match never {},
            };
            match asked {
                Ok(answer) => break self.fenced(answer)?,
                Err(Unavailable(why)) => {
                    debug!(room = %self.id, why, "the journal cannot be read");
                    tokio::select! { biased;
                        () = sleep(pause) => {}
                        never = self.turn_away(since, &why, None) => match never {},
                    }
                    pause = (pause * 2).min(RETRY_MAX);
                }
            }
        };
        let claim = |at| frame::claim(&self.id, at, &self.context.config.node).encode().stored;
        let attempt = self.journal.claim_anew(self.context.ports.clock.now_ms(), claim);
        let at = attempt.at();
        let written = self.write(attempt, None).await?;
        if written == Written::Yes {
            self.journal.claimed_anew(at, &survey, lost);
            if lost > 0 {
                counter!("cardhouse_entries_lost_total").increment(lost);
                warn!(room = %self.id, lost, "the store has lost acknowledged entries; restored from memory");
            }
        }
        Ok(written)
    }

    fn fenced<T>(&self, written: Result<T, Fenced>) -> Result<T, Ended> {
        written.map_err(|fenced| {
            counter!("cardhouse_commits_fenced_total").increment(1);
            warn!(room = %self.id, epoch = self.journal.epoch().0, "fenced: another worker owns the room");
            fenced.into()
        })
    }

    async fn publish(&self, frame: Bytes) {
        let mut pause = PUBLISH_PAUSE;
        for attempt in 1..=PUBLISH_ATTEMPTS {
            match self.context.ports.bus.publish(&self.frames, frame.clone()).await {
                Ok(()) => return,
                Err(error) => debug!(room = %self.id, %error, attempt, "a frame was not published"),
            }
            sleep(pause).await;
            pause *= 2;
        }
        counter!("cardhouse_frames_unpublished_total").increment(1);
    }

    fn refuse_busy(&mut self, relay: &NodeId, cause: &Cause) {
        let refusal = Refusal::new(RefusalCode::Busy, "the room has more to do than it can at the moment");
        self.refuse(relay, cause, refusal, Some(BUSY_RETRY_MS));
    }

    fn refuse(&mut self, relay: &NodeId, cause: &Cause, refusal: Refusal, retry_after_ms: Option<u64>) {
        let Cause { user, session, n, .. } = cause.clone();
        debug!(room = %self.id, %session, %user, n, code = ?refusal.code, "refuses a command");
        let body = self.refusal(n, refusal, retry_after_ms);
        let now = self.now();
        self.refused.remember(cause, body.clone(), now);
        let room = &self.state.room;
        self.refused.forget(&self.context.config.memory, now, |user| room.is_member(user));
        self.context.replies.refused(relay, &self.id, self.journal.epoch(), cause, body);
    }

    fn refusal(&self, n: u64, refusal: Refusal, retry_after_ms: Option<u64>) -> Bytes {
        let Refusal { code, message, legal } = refusal;
        let name = serde_json::to_value(code).ok();
        let name = name.as_ref().and_then(|name| name.as_str()).unwrap_or_default().to_owned();
        counter!("cardhouse_refusals_total", "code" => name).increment(1);
        let room = self.id.clone();
        frame::json(&ClientOut::Refused(Refused { n, room, code, message, retry_after_ms, legal }))
    }
}

/// Says that this worker owns the room.
async fn tell_owned(context: &Context, room: &RoomId, epoch: Epoch) {
    let node = context.config.node.clone();
    let owns = NodeNews::Owns { node: node.clone(), room: room.clone(), epoch };
    tokio::join!(tell_owner(context, room, Some(node), epoch), announce(context, &owns));
}

async fn tell_owner(context: &Context, room: &RoomId, node: Option<NodeId>, epoch: Epoch) {
    let owner = Owner { node, epoch };
    let told = directory::tell_owner(&*context.ports.store, room, &owner, context.readers());
    if !matches!(timeout(HINT_TIMEOUT, told).await, Ok(Ok(()))) {
        debug!(%room, "the map of owners was not told");
    }
}

async fn announce(context: &Context, news: &NodeNews) {
    let told = context.ports.bus.publish(&Channel::nodes(), encode(news));
    if !matches!(timeout(HINT_TIMEOUT, told).await, Ok(Ok(_))) {
        debug!(?news, "the nodes were not told");
    }
}
