//! The loop of one room: take a message or wait for the deadline, decide, commit, tell.
//!
//! The state changes only after the commit. If a commit turns out to be fenced, the room is dropped as it stands: its
//! truth is in the journal, and somebody else has that now.
//!
//! In reading order: this file, the loop; [`hear`], what relays say; [`commit`], deciding and committing; [`errands`], what is to
//! be done outside; [`questions`], what clients ask; [`places`], who may watch; [`mail`], letters; [`ending`], how a room ends; [`stall`], what it does while it cannot commit; [`tell`], what the other nodes are told.

mod commit;
mod ending;
mod errands;
mod hear;
mod mail;
mod places;
mod questions;
mod stall;
mod tell;

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use broker::{
    bus::BusError,
    channel::Channel,
    entry::Cause,
    lobby::Line,
    node::{NodeNews, RoomSpec},
    seal::{Form, Sealed},
};
use protocol::{
    id::{Epoch, NodeId, RoomId, UserId},
    rail::RailConfig,
    time::UnixMs,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    task::JoinSet,
    time::{Duration, Instant, sleep, sleep_until},
};
use tracing::{debug, info};

pub(super) use self::ending::bury;
use self::{
    commit::{Became, PUBLISH_PAUSE, With},
    errands::Asking,
    stall::Stall,
    tell::{HINT_TIMEOUT, announce, tell_owned, tell_owner},
};
use super::{
    Input, answers,
    any::{AnyRoom, Kind},
    chance::Chance,
    errands::Round,
    journal::{Fenced, Journal},
    letters::Post,
    mailbox::{Mail, Mailbox, Order},
    places::Places,
    presence::Connections,
    record::{Journaled, form_of},
    refusals::Noted,
    takeover::{Claimer, NotTaken, Taken},
    talk::Talk,
};
use crate::{
    context::Context,
    counts::{counter, gauge},
    planted::{Fault, is_planted},
};

/// A room lets the others run after so many messages, if its store answers without ever waiting.
const MESSAGES_PER_TURN: u32 = 32;

/// A room that is over and cannot end yet looks again after so long.
const LOOK_AGAIN_MS: u64 = 1_000;

/// How a room's task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Another worker owns the room, since this epoch.
    Fenced(Epoch),
    /// It was let go of, as asked or for whoever takes it over by the journal, until and with this epoch.
    LetGo(Epoch),
    /// It was never owned.
    NotTaken(NotTaken),
    /// It has ended.
    Over {
        /// In this epoch.
        epoch: Epoch,
        /// It is in no map any more.
        is_buried: bool,
    },
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
    /// Its randomness.
    pub chance: Chance,
    /// Held until the room is owned, so that not too many are being claimed at once.
    pub permit: OwnedSemaphorePermit,
}

/// Takes a room over and runs it until it is fenced or let go of.
///
/// `kind`: of which kind it is; `spec`: what the map of rooms says of it, if anything.
pub(super) async fn run(start: Start, kind: &'static Kind, spec: Option<RoomSpec>) -> Ended {
    let context = start.context.clone();
    let room = start.room.clone();
    let Err(ended) = own(start, kind, spec).await;
    context.board.remove(&room);
    if let Err(error) = context.switchboard.disconnect(&room).await {
        debug!(%room, %error, "still subscribed to a room that is not ours");
    }
    ended
}

async fn own(
    start: Start,
    kind: &'static Kind,
    spec: Option<RoomSpec>,
) -> Result<std::convert::Infallible, Ended> {
    let Start { context, room: id, believed, mailbox, chance, permit } = start;
    let taken =
        Box::pin(Claimer::of(&context).take(&id, kind, believed, spec)).await.map_err(Ended::NotTaken)?;
    let Taken { mut state, journal, noted, frames_lost, is_new, form, is_timed, rail, shown } = taken;
    state.letters.taken_over();
    mailbox.has_members(state.room.members());
    let unheard_until = context.ports.clock.now_ms() + context.config.bounds.presence_grace_ms;
    let connections = Connections::unheard(state.room.members(), unheard_until);
    let post = match kind.writes_letters {
        true => Post::open(&state.letters, state.room.peers()),
        false => Post::default(),
    };
    let diverged = state.letters.peers().filter(|(_, peer)| peer.diverged);
    let known_diverged: BTreeSet<RoomId> = diverged.map(|(room, _)| room.clone()).collect();
    let mut running = Box::new(Running {
        frames: Channel::frames(&id),
        kind,
        doing: None,
        refused: noted.remembered(context.ports.clock.now_ms()),
        noted,
        refusing: JoinSet::new(),
        id,
        mailbox,
        state,
        connections,
        journal,
        form: form_of(kind, context.form().or(form).unwrap_or(Form::Bare)),
        is_timed,
        rail,
        places: Places::taken_over(is_new, Instant::now()),
        giving: JoinSet::new(),
        sealed: context.sealer.sealed(),
        talk: Talk::default(),
        guesses: Talk::default(),
        chance,
        has_begun: false,
        round: Round::default(),
        asking: Asking::new(),
        post,
        diverged: known_diverged.iter().cloned().collect(),
        known_diverged,
        stalled: None,
        held: VecDeque::new(),
        context,
    });
    // Of a room that was just opened there is nothing to hide.
    let shown = if is_new {
        running.line_of(&running.state.room)
    } else {
        shown.and_then(|room| running.line_of(&room))
    };
    Box::pin(running.begin(frames_lost, is_new)).await?;
    running.show_at_first(shown);
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
struct Running {
    context: Arc<Context>,
    id: RoomId,
    kind: &'static Kind,
    frames: Channel,
    mailbox: Arc<Mailbox>,
    state: Journaled<AnyRoom>,
    /// The command that is being done. It may take long, with more than its own frame to be written before: a copy of it that comes meanwhile is
    /// answered when it is known what became of it.
    doing: Option<Cause>,
    /// Refusals, which are in no journal.
    refused: answers::Refused,
    /// Those that its next owner must know.
    noted: Noted,
    /// Refusals that are being written down before they are told.
    refusing: JoinSet<()>,
    connections: Connections,
    journal: Journal,
    /// In which the last keyframe was written.
    form: Form,
    /// Entries of the journal tell when they were decided, and so do those that come.
    is_timed: bool,
    /// How those watch it who have no part in it.
    rail: RailConfig,
    /// Who has a place there, where only so many may watch.
    places: Places,
    /// Answers that say so, until it is known that the room is still this owner's.
    giving: JoinSet<()>,
    /// With which key the last keyframe was sealed: what is read of the journal by the next owner is sealed with that or with later ones.
    sealed: Sealed,
    /// Who has talked how much.
    talk: Talk,
    /// Who has guessed wrong.
    guesses: Talk,
    chance: Chance,
    /// The first frames of the epoch are in the journal.
    has_begun: bool,
    /// What is known of its errands beside the journal.
    round: Round,
    /// The errands that are being done.
    asking: Asking,
    /// What is on its way between this room and others.
    post: Post,
    /// Rooms of which this one is to be told that it and they do not remember the same.
    diverged: VecDeque<RoomId>,
    /// Those of which it was or is to be told.
    known_diverged: BTreeSet<RoomId>,
    /// It cannot store anything.
    stalled: Option<Stall>,
    /// What came meanwhile and can wait. Orders are few, messages at most as many as wait of members, and short: they say who is there.
    held: VecDeque<Mail>,
}

impl Running {
    fn now(&self) -> UnixMs {
        self.context.ports.clock.now_ms()
    }

    /// From the claim to the first frames: commands first, so that none is missed that the keyframe calls forth.
    async fn begin(&mut self, frames_lost: u64, is_new: bool) -> Result<(), Ended> {
        let mut pause = PUBLISH_PAUSE;
        while let Err(error) = self.listen().await {
            debug!(room = %self.id, %error, "cannot listen yet");
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
            let grace_ms = self.context.config.bounds.takeover_grace_ms;
            self.decide_and_commit(Input::TakenOver { grace_ms, frames_lost }, With::default())
                .await
                .map(drop)
        };
        let ((), decided) = tokio::join!(tell_owned(&context, &id, epoch), deciding);
        decided?;
        if frames_lost > 0 {
            counter!("cardhouse_frames_lost_total").increment(frames_lost);
        }
        self.run_errands();
        self.send_letters().await;
        Ok(())
    }

    /// How late its rail is shown it, milliseconds; 0: it is live.
    fn shown_late_by_ms(&self) -> u32 {
        if self.kind.shown_late { self.rail.delay_ms } else { 0 }
    }

    fn line_of(&self, room: &AnyRoom) -> Option<Line> {
        room.line(&self.id, self.now())
    }

    /// What the lobby shows of it: where the rail is shown it late, what that sees by now.
    fn show_at_first(&self, shown: Option<Line>) {
        if let Some(line) = shown.filter(|_| self.shown_late_by_ms() > 0) {
            self.context.board.put(line);
        }
        self.show_in_lobby();
    }

    /// Who looks at the lobby is of the rail, and sees there what that sees. A room that is not shown there any more is taken off at once.
    fn show_in_lobby(&self) {
        let by_ms = if is_planted(Fault::ListsLive) { 0 } else { self.shown_late_by_ms() };
        match self.line_of(&self.state.room) {
            Some(line) if by_ms > 0 => {
                let due = Instant::now() + Duration::from_millis(by_ms.into());
                self.context.board.put_late(line, due);
            }
            Some(line) => self.context.board.put(line),
            None => self.context.board.remove(&self.id),
        }
    }

    async fn listen(&self) -> Result<(), BusError> {
        self.context.switchboard.connect(&self.id, &self.mailbox, self.kind.writes_letters).await
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
            if let Some(room) = self.diverged.pop_front() {
                Box::pin(self.tell_diverged(room)).await?;
                continue;
            }
            if self.is_finished() {
                Box::pin(self.end()).await?;
                continue;
            }
            let now = self.now();
            // Nodes that must know of its end may have come, or those that must not have gone.
            let end = self.state.room.is_over().then_some(now + LOOK_AGAIN_MS);
            let dues = [self.due(), self.connections.deadline(), self.post.deadline(), end];
            let due = dues.into_iter().flatten().min();
            if due.is_some_and(|due| due <= now) {
                Box::pin(self.clock(now)).await?;
                continue;
            }
            let next = self.held.pop_front().or_else(|| self.mailbox.try_take());
            // One at a time, and when nothing waits: there may be thousands of them.
            if next.is_none()
                && let Some(room) = self.post.silent()
            {
                Box::pin(self.look_for(room)).await?;
                continue;
            }
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
                Mail::Message(came) => Box::pin(self.hear(&came, false)).await?,
                Mail::Excess(came) => Box::pin(self.hear(&came, true)).await?,
                Mail::Letter(message) => Box::pin(self.hear_mail(&message)).await?,
            }
            messages += 1;
            if messages % MESSAGES_PER_TURN == 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// When the room's clock is due.
    fn due(&self) -> Option<UnixMs> {
        self.state.room.deadline().filter(|_| !self.is_unheard())
    }

    async fn clock(&mut self, now: UnixMs) -> Result<(), Ended> {
        for user in self.connections.overdue(now) {
            self.leave(user).await?;
        }
        if self.due().is_some_and(|due| due <= now) {
            // Not written: it is due again when the room goes on.
            let _ = self.decide_and_commit(Input::Clock, With::default()).await?;
        }
        self.send_letters().await;
        Ok(())
    }

    /// A member's connection is gone.
    async fn leave(&mut self, user: UserId) -> Result<(), Ended> {
        let became = self.decide_and_commit(Input::Away { user: &user, away: true }, With::default()).await?;
        if matches!(became, Became::Unwritten) {
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
                // A worker of an earlier release may be the next. Refused: it can be taken over by all but that one.
                if self.is_unread() {
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
            // Refused: whoever came must wait for the next one.
            Order::Rewrite if self.is_unread() || !self.context.sealer.is_current(&self.sealed) => {
                self.keyframe().await.map(drop)
            }
            Order::Rewrite => Ok(()),
            Order::Outcome(id, outcome) => self.outcome(id, outcome).await,
            Order::RelayGone(relay) => {
                for user in self.connections.relay_gone(&relay) {
                    self.leave(user).await?;
                }
                Ok(())
            }
        }
    }
}
