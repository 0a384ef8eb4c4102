//! Where relays elsewhere listen to frames of rooms that are owned here.
//!
//! A relay says so again and again ([`ListenerNews`]), and each word holds for a time. Frames are *spared*, which is kept from the broker, only as
//! long as it is known that nobody elsewhere wants them:
//!
//! - every living relay is of a release that says where it listens;
//! - this process has heard what is said of the room for as long as a word holds, so that whoever listens has said so meanwhile: after a room has
//!   come here, after the connection was lost, after a relay that does not say it has gone;
//! - no word holds.
//!
//! Time is counted in rounds of this process, so that one which was stopped does not find all words run out. When frames are spared no
//! longer, for whatever reason, the last one that was is published. So a relay whose word comes after a frame that it needed finds out
//! that it lacks something, and reads the journal.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use metrics::{counter, gauge};
use parking_lot::Mutex;
use protocol::id::{NodeId, RoomId};
use smallvec::SmallVec;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::{Duration, MissedTickBehavior, interval, timeout},
};
use tracing::debug;

use crate::{
    bus::{Bus, Receiver, Subscription},
    channel::Channel,
    node::{ListenPace, ListenerNews, decode},
};

/// The longest round.
const ROUND_MS_MAX: u64 = 1_000;

/// Of so many rounds is the time for which a word holds, at least.
const ROUNDS: u64 = 8;

/// Relays elsewhere that are known of a room at most: with more of them, frames are published whoever listens.
const OTHERS_MAX: usize = 256;

/// Subscriptions on their way at a time.
const AT_ONCE: usize = 64;

/// An answer of the bus is waited for so long.
const PATIENCE: Duration = Duration::from_secs(2);

/// See the module.
pub(super) struct Listeners {
    /// The relay of this process.
    own: NodeId,
    /// So long is a round.
    round: Duration,
    /// So many rounds a word holds.
    holds: u64,
    known: Mutex<Known>,
    /// Frames to be published after all: one a room at most waits, but for those of rooms that are spared again meanwhile.
    repeats: UnboundedSender<(Channel, Bytes)>,
}

#[derive(Default)]
struct Known {
    all_tell: bool,
    rooms: BTreeMap<Box<str>, Owned>,
}

/// A room that is owned here.
#[derive(Default)]
struct Owned {
    /// What is said of it is heard.
    is_heard: bool,
    /// For so many rounds; no more are counted than a word holds.
    heard_for: u64,
    /// Relays elsewhere that listen, and for how many rounds their word holds.
    others: SmallVec<[(NodeId, u64); 2]>,
    /// The last frame that was spared, if the last frame was.
    spared: Option<Bytes>,
    /// It is not owned here any more.
    ended: bool,
}

impl Listeners {
    /// And what it wants to have published.
    pub(super) fn new(own: NodeId, pace: ListenPace) -> (Self, UnboundedReceiver<(Channel, Bytes)>) {
        let (repeats, to_repeat) = mpsc::unbounded_channel();
        let round_ms = (pace.holds_ms / ROUNDS).clamp(1, ROUND_MS_MAX);
        let (round, holds) = (Duration::from_millis(round_ms), pace.holds_ms.div_ceil(round_ms) + 1);
        (Self { own, round, holds, known: Mutex::default(), repeats }, to_repeat)
    }

    /// The room's commands come here from now on.
    pub(super) fn begin(&self, room: &str) {
        let mut known = self.known.lock();
        let owned = known.rooms.entry(room.into()).or_default();
        (owned.heard_for, owned.ended, owned.spared) = (0, false, None);
    }

    /// They do not any more: its next owner publishes for everybody.
    pub(super) fn end(&self, room: &str) {
        if let Some(owned) = self.known.lock().rooms.get_mut(room) {
            (owned.ended, owned.spared) = (true, None);
        }
    }

    /// Whether this frame need not be published.
    pub(super) fn spare(&self, room: &str, frame: &Bytes) -> bool {
        let mut known = self.known.lock();
        let all_tell = known.all_tell;
        let Some(owned) = known.rooms.get_mut(room) else { return false };
        let nobody_listens = owned.is_heard && owned.heard_for >= self.holds && owned.others.is_empty();
        let is_spared = all_tell && nobody_listens && !owned.ended;
        owned.spared = is_spared.then(|| frame.clone());
        is_spared
    }

    /// Whether it is known that every relay says where it listens.
    pub(super) fn set_all_tell(&self, all_tell: bool) {
        let mut known = self.known.lock();
        if std::mem::replace(&mut known.all_tell, all_tell) != all_tell {
            self.doubt(&mut known);
        }
    }

    /// What was said may not have been heard.
    fn doubt(&self, known: &mut Known) {
        for (room, owned) in &mut known.rooms {
            owned.heard_for = 0;
            self.repeat(room, owned);
        }
    }

    fn repeat(&self, room: &str, owned: &mut Owned) {
        let Some(frame) = owned.spared.take() else { return };
        if let Ok(room) = RoomId::new(room) {
            counter!("cardhouse_near_repeated_total").increment(1);
            // Whoever would publish it has gone with the process.
            let _ = self.repeats.send((Channel::frames(&room), frame));
        }
    }

    fn hear(&self, room: &str, relay: NodeId) {
        if relay == self.own {
            return;
        }
        let mut known = self.known.lock();
        let Some(owned) = known.rooms.get_mut(room).filter(|owned| !owned.ended) else { return };
        if let Some((_, holds)) = owned.others.iter_mut().find(|(other, _)| *other == relay) {
            *holds = self.holds;
        } else if owned.others.len() < OTHERS_MAX {
            owned.others.push((relay, self.holds));
        }
        self.repeat(room, owned);
    }

    /// A round has passed. Of which rooms is to be heard what is not, and of which no more.
    fn round(&self) -> (Vec<Box<str>>, Vec<Box<str>>) {
        let (mut to_hear, mut to_leave) = (Vec::new(), Vec::new());
        let mut known = self.known.lock();
        let mut others = 0;
        for (name, owned) in &mut known.rooms {
            owned.heard_for = (owned.heard_for + u64::from(owned.is_heard)).min(self.holds);
            owned.others.retain(|(_, holds)| {
                *holds -= 1;
                *holds > 0
            });
            others += owned.others.len();
            match (owned.ended, owned.is_heard) {
                (false, false) => to_hear.push(name.clone()),
                (true, _) => to_leave.push(name.clone()),
                (false, true) => {}
            }
        }
        gauge!("cardhouse_near_listeners").set(others as f64);
        (to_hear, to_leave)
    }

    /// What is said of the room is heard from now on.
    fn set_heard(&self, room: &str) {
        if let Some(owned) = self.known.lock().rooms.get_mut(room) {
            (owned.is_heard, owned.heard_for) = (true, 0);
        }
    }

    /// It is not heard any more. A room that has come back meanwhile begins anew.
    fn forget(&self, room: &str) {
        let mut known = self.known.lock();
        let Some(owned) = known.rooms.get_mut(room) else { return };
        if owned.ended {
            known.rooms.remove(room);
        } else {
            *owned = Owned::default();
        }
    }
}

/// Hears what relays say.
pub(super) struct Ears(pub(super) Arc<Listeners>);

impl Receiver for Ears {
    fn deliver(&self, channel: &str, payload: Bytes) {
        let room = channel.strip_prefix("ch:{").and_then(|rest| rest.strip_suffix("}:listeners"));
        match (room, decode(&payload)) {
            (Some(room), Ok(ListenerNews::Listens { relay })) => self.0.hear(room, relay),
            (_, Err(error)) => debug!(%error, "a relay says something that we do not understand"),
            (None, _) => {}
        }
    }

    fn missed(&self) {
        let mut known = self.0.known.lock();
        self.0.doubt(&mut known);
    }
}

/// Counts rounds, and hears of the rooms that are owned here.
pub(super) async fn keep(listeners: Arc<Listeners>, subscription: Box<dyn Subscription>) {
    let mut rounds = interval(listeners.round);
    // A process that was stopped has not listened meanwhile.
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let (to_hear, to_leave) = listeners.round();
        let (listeners, subscription) = (&*listeners, &*subscription);
        let hearing = stream::iter(to_hear).map(|room| async move {
            let heard = timeout(PATIENCE, subscription.subscribe(&Channel::listeners(&room))).await;
            if matches!(heard, Ok(Ok(()))) {
                listeners.set_heard(&room);
            }
        });
        hearing.buffer_unordered(AT_ONCE).for_each(|()| async {}).await;
        let leaving = stream::iter(to_leave).map(|room| async move {
            // Heard for nothing, if it stays; asked for again if the room comes back.
            let _ = timeout(PATIENCE, subscription.unsubscribe(&Channel::listeners(&room))).await;
            listeners.forget(&room);
        });
        leaving.buffer_unordered(AT_ONCE).for_each(|()| async {}).await;
    }
}

/// Publishes what was spared and is wanted.
pub(super) async fn repeat(mut repeats: UnboundedReceiver<(Channel, Bytes)>, far: Arc<dyn Bus>) {
    while let Some((channel, frame)) = repeats.recv().await {
        if !matches!(timeout(PATIENCE, far.publish(&channel, frame)).await, Ok(Ok(()))) {
            debug!(?channel, "a frame that was spared was not published");
        }
    }
}
