//! What all parts of a relay use: its configuration, clock and counters, and the queues between its parts.

use std::{
    collections::BTreeMap,
    fmt::Display,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, Ordering::Relaxed},
    },
    time::Duration,
};

use broker::{
    channel::Channel,
    clock::Clock,
    members::Membership,
    node::{ToRoom, encode},
};
use parking_lot::Mutex;
use protocol::{
    id::{NodeId, RoomId},
    time::UnixMs,
};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::{sleep, timeout},
};

use crate::{
    catalogue::Catalogue, config::RelayConfig, metrics::Metrics, outgoing::Outgoing, questions::Question,
    revoked::Revoked, room::Room,
};

/// How often rooms that need attention are looked at: how exact the pauses between retries are.
const ATTENTION: Duration = Duration::from_millis(50);

/// See the module.
pub(crate) struct Works {
    pub(crate) node: NodeId,
    pub(crate) config: RelayConfig,
    pub(crate) clock: Clock,
    pub(crate) metrics: Metrics,
    pub(crate) outgoing: Outgoing,
    pub(crate) catalogue: Catalogue,
    pub(crate) revoked: Revoked,
    pub(crate) queues: Queues,
    /// Rooms in which time matters: commands in flight, something to retry, or no watcher left.
    attention: Mutex<BTreeMap<RoomId, Arc<Room>>>,
    /// There is a room in `attention`.
    attended: Notify,
    /// What all dealer workers read; see [`Membership::workers_speak`].
    owners_speak: AtomicU16,
    /// Whether a dealer worker may want to hear where this relay listens.
    wants_listeners: AtomicBool,
}

/// The ends of the relay's inner queues that its parts put into.
pub(crate) struct Queues {
    /// Rooms whose subscription or journal wants looking after. Unbounded, but a room stands in it once at most.
    pub(crate) tending: mpsc::UnboundedSender<Arc<Room>>,
    /// Rooms with too many watchers to be served on the spot. Unbounded, but a room stands in it once at most.
    pub(crate) serving: mpsc::UnboundedSender<Arc<Room>>,
    /// Questions to rooms of which it is not known whether they are there.
    pub(crate) doubtful: mpsc::Sender<Question>,
}

impl Works {
    pub(crate) fn new(
        node: NodeId,
        config: RelayConfig,
        clock: Clock,
        outgoing: Outgoing,
        catalogue: Catalogue,
        queues: Queues,
    ) -> Self {
        let revoked = Revoked::new(&config);
        Self {
            node,
            config,
            clock,
            metrics: Metrics::new(),
            outgoing,
            catalogue,
            revoked,
            queues,
            attention: Mutex::default(),
            attended: Notify::new(),
            owners_speak: AtomicU16::new(1),
            wants_listeners: AtomicBool::new(true),
        }
    }

    /// What whoever owns a room reads.
    pub(crate) fn owners_speak(&self) -> u16 {
        self.owners_speak.load(Relaxed)
    }

    /// Whether owners may want to hear where this relay listens.
    pub(crate) fn wants_listeners(&self) -> bool {
        self.wants_listeners.load(Relaxed)
    }

    /// Follows what dealer workers read and want to hear, as they come and go.
    pub(crate) async fn follow_owners(&self, mut membership: watch::Receiver<Arc<Membership>>) {
        loop {
            {
                let now = membership.borrow_and_update();
                self.owners_speak.store(now.workers_speak, Relaxed);
                self.wants_listeners.store(now.wants_listeners(), Relaxed);
            }
            if membership.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    pub(crate) fn now_ms(&self) -> UnixMs {
        self.clock.now_ms()
    }

    /// Waits for an answer of the bus or the store, but not for ever.
    pub(crate) async fn answer<T, E: Display>(
        &self,
        asked: impl Future<Output = Result<T, E>>,
    ) -> Result<T, String> {
        match timeout(Duration::from_millis(self.config.answer_ms), asked).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err("no answer in time".into()),
        }
    }

    /// Publishes a message to a room's owner; whether it was queued.
    pub(crate) fn tell_room(&self, commands: &Channel, message: &ToRoom) -> bool {
        self.outgoing.publish(commands, encode(message), &self.metrics)
    }

    /// The same by the shortest way, for what was not said to this owner before.
    pub(crate) fn tell_room_near(&self, commands: &Channel, message: &ToRoom) -> bool {
        self.outgoing.publish_near(commands, encode(message), &self.metrics)
    }

    /// Has the room swept until it says that it needs it no more.
    pub(crate) fn attend(&self, room: &Arc<Room>) {
        let mut attention = self.attention.lock();
        if !attention.contains_key(&room.id) {
            attention.insert(room.id.clone(), room.clone());
            self.attended.notify_one();
        }
    }

    /// Looks at rooms that need attention, while there are some.
    pub(crate) async fn attend_rooms(&self) {
        loop {
            if self.sweep_rooms() {
                sleep(ATTENTION).await;
            } else {
                self.attended.notified().await;
            }
        }
    }

    /// Sweeps the rooms that need it; whether there are still some.
    fn sweep_rooms(&self) -> bool {
        // Taken out first: a room's lock is never waited for under this one.
        let rooms = std::mem::take(&mut *self.attention.lock());
        let now_ms = self.now_ms();
        for room in rooms.into_values() {
            if room.sweep(self, now_ms) {
                self.attend(&room);
            }
        }
        !self.attention.lock().is_empty()
    }
}
