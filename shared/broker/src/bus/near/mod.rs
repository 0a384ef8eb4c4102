//! Within one process first: for a relay and a dealer worker that are one process.
//!
//! A command from a player who is connected here, to a table that is owned here, goes to the room's mailbox, and the frame from the room to the
//! relay, without the broker. Everything goes to the broker that somebody elsewhere may want to hear: a command to a room whose owner is
//! elsewhere, and frames of a room as long as it is not *known* that nobody elsewhere listens to them ([`listeners`]).
//!
//! The short way is an adapter in memory of this process's own; the long way is whatever adapter this one stands on. Subscribers are
//! on both, so where the long way is taken as well they may hear a message twice, as on any bus. All that is not [published
//! near](Bus::publish_near) takes the long way alone, beats too: a node that does not hear itself through the broker is not ready.

mod listeners;

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use futures_util::future::{BoxFuture, Either, ready};
use metrics::{Counter, counter};
use parking_lot::Mutex;
use protocol::id::NodeId;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use self::listeners::{Ears, Listeners, keep, repeat};
use super::{Bus, BusError, Publishing, Receiver, Subscription, memory::MemoryBus};
use crate::{
    channel::{Channel, Purpose},
    members::Membership,
    node::ListenPace,
    wire::Wire,
};

/// See the module.
pub struct NearBus {
    far: Arc<dyn Bus>,
    near: MemoryBus,
    listeners: Arc<Listeners>,
    counts: Counts,
    following: Mutex<Option<AbortOnDropHandle<()>>>,
    _keeping: AbortOnDropHandle<()>,
    _repeating: AbortOnDropHandle<()>,
}

/// What takes which way, of what may take the short one.
struct Counts {
    near: [Counter; 3],
    far: [Counter; 3],
}

impl NearBus {
    /// On this bus, for a process whose relay has this name. Must be called within a runtime. Until it is told [who lives](Self::follow) all
    /// frames take the long way too.
    pub fn new(far: Arc<dyn Bus>, relay: NodeId, pace: ListenPace) -> Arc<Self> {
        let near = MemoryBus::new(Wire::perfect(), &relay);
        let (listeners, kept) = Listeners::new(relay, pace);
        let listeners = Arc::new(listeners);
        let subscription = far.subscriber(Arc::new(Ears(listeners.clone())));
        let keeping = tokio::spawn(keep(listeners.clone(), subscription));
        let repeating = tokio::spawn(repeat(kept, far.clone()));
        Arc::new(Self {
            far,
            near,
            listeners,
            counts: Counts::new(),
            following: Mutex::default(),
            _keeping: AbortOnDropHandle::new(keeping),
            _repeating: AbortOnDropHandle::new(repeating),
        })
    }

    /// Who lives, as this process's worker knows it: frames are kept from nobody as long as a relay may live that does not say where it listens.
    pub fn follow(&self, membership: watch::Receiver<Arc<Membership>>) {
        let following = tokio::spawn(follow(self.listeners.clone(), membership));
        *self.following.lock() = Some(AbortOnDropHandle::new(following));
    }

    /// What goes over the short way: for judges of a simulation.
    pub fn short_way(&self) -> MemoryBus {
        self.near.clone()
    }

    /// Counts and answers what was handed over within the process, or publishes it.
    fn or_far(&self, is_near: bool, purpose: Purpose, channel: &Channel, payload: Bytes) -> Publishing {
        let counts = if is_near { &self.counts.near } else { &self.counts.far };
        counts[purpose as usize].increment(1);
        if is_near { Either::Left(ready(Ok(()))) } else { self.far.publish(channel, payload) }
    }
}

impl Counts {
    fn new() -> Self {
        let of = |way: &'static str| {
            ["frames", "commands", "replies"]
                .map(|what| counter!("cardhouse_near_total", "what" => what, "way" => way))
        };
        Self { near: of("near"), far: of("far") }
    }
}

impl Bus for NearBus {
    fn publish(&self, channel: &Channel, payload: Bytes) -> Publishing {
        self.far.publish(channel, payload)
    }

    fn publish_near(&self, channel: &Channel, payload: Bytes) -> Publishing {
        let Some((room, purpose)) = channel.purpose() else { return self.far.publish(channel, payload) };
        let is_heard = self.near.hand_out(channel, &payload);
        let is_near = match purpose {
            Purpose::Commands | Purpose::Replies => is_heard,
            Purpose::Frames => self.listeners.spare(room, &payload),
        };
        self.or_far(is_near, purpose, channel, payload)
    }

    fn spares(&self) -> bool {
        true
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        self.far.flush()
    }

    fn subscriber(&self, receiver: Arc<dyn Receiver>) -> Box<dyn Subscription> {
        let receiver = Arc::new(OneAtATime { receiver, turn: Mutex::default() });
        Box::new(NearSubscription {
            far: self.far.subscriber(receiver.clone()),
            near: self.near.subscriber(receiver),
            listeners: self.listeners.clone(),
            owned: Mutex::default(),
        })
    }
}

/// Both ways end here.
struct OneAtATime {
    receiver: Arc<dyn Receiver>,
    /// Held while the receiver is called, which does not block, and publishes only into queues.
    turn: Mutex<()>,
}

impl Receiver for OneAtATime {
    fn deliver(&self, channel: &str, payload: Bytes) {
        let _turn = self.turn.lock();
        self.receiver.deliver(channel, payload);
    }

    fn missed(&self) {
        let _turn = self.turn.lock();
        self.receiver.missed();
    }
}

struct NearSubscription {
    far: Box<dyn Subscription>,
    near: Box<dyn Subscription>,
    listeners: Arc<Listeners>,
    /// Rooms whose commands come here.
    owned: Mutex<BTreeSet<Box<str>>>,
}

impl Subscription for NearSubscription {
    fn subscribe(&self, channel: &Channel) -> BoxFuture<'_, Result<(), BusError>> {
        let channel = channel.clone();
        Box::pin(async move {
            // The long way first: where the short one stands, nothing takes the long one.
            self.far.subscribe(&channel).await?;
            let Some((room, purpose)) = channel.purpose() else { return Ok(()) };
            self.near.subscribe(&channel).await?;
            if purpose == Purpose::Commands {
                self.owned.lock().insert(room.into());
                self.listeners.begin(room);
            }
            Ok(())
        })
    }

    fn unsubscribe(&self, channel: &Channel) -> BoxFuture<'_, Result<(), BusError>> {
        let channel = channel.clone();
        Box::pin(async move {
            if let Some((room, purpose)) = channel.purpose() {
                if purpose == Purpose::Commands && self.owned.lock().remove(room) {
                    self.listeners.end(room);
                }
                self.near.unsubscribe(&channel).await?;
            }
            self.far.unsubscribe(&channel).await
        })
    }
}

impl Drop for NearSubscription {
    fn drop(&mut self) {
        for room in std::mem::take(&mut *self.owned.lock()) {
            self.listeners.end(&room);
        }
    }
}

async fn follow(listeners: Arc<Listeners>, mut membership: watch::Receiver<Arc<Membership>>) {
    loop {
        let all_tell = membership.borrow_and_update().all_relays_tell();
        listeners.set_all_tell(all_tell);
        if membership.changed().await.is_err() {
            // The worker has gone, and with it whatever was owned here.
            listeners.set_all_tell(false);
            return;
        }
    }
}
