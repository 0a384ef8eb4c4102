//! In one process: the newcomer's house and the simulator run on it.
//!
//! A publication is put into each subscriber's bounded queue; a pump task per subscriber takes it from there to the
//! receiver. Nothing depends on threads, hash order or the wall clock, so a run in one thread under tokio's paused clock
//! repeats itself.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, Either};
use parking_lot::Mutex;
use protocol::id::NodeId;
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::{Bus, BusError, Publishing, Receiver, Subscription};
use crate::{
    channel::Channel,
    wire::{Broken, Link, LinkState, Wire, fault::Operation},
};

/// How many messages wait for one subscriber at most; more are dropped, and it is told that it missed some.
pub const QUEUE_MESSAGES_MAX: usize = 65_536;

/// How many messages a pump hands over before it lets others run.
const BATCH_MESSAGES: usize = 256;

/// A node's handle to a broker in memory. Cloning it gives another handle of the same node.
#[derive(Clone)]
pub struct MemoryBus {
    broker: Arc<Broker>,
    link: Arc<Link>,
}

struct Broker {
    wire: Arc<Wire>,
    channels: Mutex<Channels>,
    queue_messages_max: usize,
}

#[derive(Default)]
struct Channels {
    /// Subscribers in the order in which they came. The map is only ever asked by name, never walked.
    by_name: HashMap<Channel, Vec<Arc<Queue>>>,
    next_subscriber: u64,
}

impl MemoryBus {
    /// A broker of its own on `wire`, and the handle of `node` to it.
    pub fn new(wire: Arc<Wire>, node: &NodeId) -> Self {
        Self::with_queue(wire, node, QUEUE_MESSAGES_MAX)
    }

    /// The same with another bound than [`QUEUE_MESSAGES_MAX`].
    pub fn with_queue(wire: Arc<Wire>, node: &NodeId, queue_messages_max: usize) -> Self {
        let link = wire.link(node);
        Self { broker: Arc::new(Broker { wire, channels: Mutex::default(), queue_messages_max }), link }
    }

    /// The handle of another node to the same broker.
    pub fn handle(&self, node: &NodeId) -> Self {
        Self { broker: self.broker.clone(), link: self.broker.wire.link(node) }
    }

    /// The node's link, to cut or kill it.
    pub fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// Gives it to all who subscribe now; whether there is anybody.
    pub(super) fn hand_out(&self, channel: &Channel, payload: &Bytes) -> bool {
        let channels = self.broker.channels.lock();
        let Some(subscribers) = channels.by_name.get(channel) else { return false };
        for subscriber in subscribers {
            match subscriber.link.state() {
                LinkState::Up | LinkState::Held => {}
                LinkState::Silent | LinkState::Refusing | LinkState::Dead => continue,
            }
            let Some(faults) = self.broker.wire.faults() else {
                subscriber.push(channel, payload, None);
                continue;
            };
            for delay in faults.delivery(self.link.node(), subscriber.link.node(), channel.as_str()) {
                let due = (!delay.is_zero()).then(|| Instant::now() + delay);
                subscriber.push(channel, payload, due);
            }
        }
        true
    }
}

impl From<Broken> for BusError {
    fn from(Broken(why): Broken) -> Self {
        Self::Unavailable(why.into())
    }
}

impl Bus for MemoryBus {
    fn publish(&self, channel: &Channel, payload: Bytes) -> Publishing {
        let (bus, channel) = (self.clone(), channel.clone());
        Either::Right(Box::pin(async move {
            let arrived = bus.link.reach(Operation::Publish).await?;
            if arrived.is_applied() {
                bus.hand_out(&channel, &payload);
            }
            Ok(bus.link.answer(arrived).await?)
        }))
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn subscriber(&self, receiver: Arc<dyn Receiver>) -> Box<dyn Subscription> {
        let id = {
            let mut channels = self.broker.channels.lock();
            channels.next_subscriber += 1;
            channels.next_subscriber
        };
        let queue = Arc::new(Queue {
            id,
            link: self.link.clone(),
            waiting: Mutex::default(),
            wake: Notify::new(),
            messages_max: self.broker.queue_messages_max,
        });
        let pump = tokio::spawn(pump(queue.clone(), receiver));
        Box::new(MemorySubscription { broker: self.broker.clone(), queue, own: Mutex::default(), pump })
    }
}

struct MemorySubscription {
    broker: Arc<Broker>,
    queue: Arc<Queue>,
    own: Mutex<BTreeSet<Channel>>,
    pump: JoinHandle<()>,
}

impl MemorySubscription {
    fn remove(&self, channel: &Channel) {
        let mut channels = self.broker.channels.lock();
        if let Some(subscribers) = channels.by_name.get_mut(channel) {
            subscribers.retain(|queue| queue.id != self.queue.id);
            if subscribers.is_empty() {
                channels.by_name.remove(channel);
            }
        }
    }
}

impl Subscription for MemorySubscription {
    fn subscribe(&self, channel: &Channel) -> BoxFuture<'_, Result<(), BusError>> {
        let channel = channel.clone();
        Box::pin(async move {
            let arrived = self.queue.link.reach(Operation::Subscribe).await?;
            if arrived.is_applied() && self.own.lock().insert(channel.clone()) {
                self.broker.channels.lock().by_name.entry(channel).or_default().push(self.queue.clone());
            }
            Ok(self.queue.link.answer(arrived).await?)
        })
    }

    fn unsubscribe(&self, channel: &Channel) -> BoxFuture<'_, Result<(), BusError>> {
        let channel = channel.clone();
        Box::pin(async move {
            let arrived = self.queue.link.reach(Operation::Subscribe).await?;
            if arrived.is_applied() && self.own.lock().remove(&channel) {
                self.remove(&channel);
            }
            Ok(self.queue.link.answer(arrived).await?)
        })
    }
}

impl Drop for MemorySubscription {
    fn drop(&mut self) {
        self.pump.abort();
        for channel in std::mem::take(&mut *self.own.lock()) {
            self.remove(&channel);
        }
    }
}

type Message = (Channel, Bytes);

/// What waits for one subscriber.
struct Queue {
    id: u64,
    link: Arc<Link>,
    waiting: Mutex<Waiting>,
    wake: Notify,
    messages_max: usize,
}

#[derive(Default)]
struct Waiting {
    now: VecDeque<Message>,
    /// Late ones, by when they are due and then by when they came.
    later: BTreeMap<(Instant, u64), Message>,
    late_count: u64,
    /// Something was dropped for want of room.
    overflowed: bool,
}

impl Queue {
    fn push(&self, channel: &Channel, payload: &Bytes, due: Option<Instant>) {
        let mut waiting = self.waiting.lock();
        if waiting.now.len() + waiting.later.len() >= self.messages_max {
            waiting.overflowed = true;
        } else if let Some(due) = due {
            waiting.late_count += 1;
            let key = (due, waiting.late_count);
            waiting.later.insert(key, (channel.clone(), payload.clone()));
        } else {
            waiting.now.push_back((channel.clone(), payload.clone()));
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// Moves up to a batch of messages that are due into `batch`. Answers when to look again, and whether something
    /// was dropped meanwhile.
    fn take(&self, batch: &mut Vec<Message>) -> (Next, bool) {
        let mut waiting = self.waiting.lock();
        if !waiting.later.is_empty() {
            let now = Instant::now();
            while let Some(first) = waiting.later.first_entry() {
                if first.key().0 > now {
                    break;
                }
                let message = first.remove();
                waiting.now.push_back(message);
            }
        }
        let count = waiting.now.len().min(BATCH_MESSAGES);
        batch.extend(waiting.now.drain(..count));
        let next = match (waiting.now.is_empty(), waiting.later.first_key_value()) {
            (false, _) => Next::Now,
            (true, Some((key, _))) => Next::At(key.0),
            (true, None) => Next::WhenWoken,
        };
        (next, std::mem::take(&mut waiting.overflowed))
    }

    /// The link was cut: what waited went with it.
    fn clear(&self) {
        let mut waiting = self.waiting.lock();
        waiting.now.clear();
        waiting.later.clear();
        waiting.overflowed = false;
    }
}

enum Next {
    Now,
    At(Instant),
    WhenWoken,
}

async fn pump(queue: Arc<Queue>, receiver: Arc<dyn Receiver>) {
    let mut reconnects = queue.link.reconnects();
    let mut batch = Vec::new();
    loop {
        let changed = queue.link.changed();
        let now = queue.link.state();
        if now == LinkState::Dead {
            return;
        }
        if now == LinkState::Refusing {
            queue.clear();
        }
        let deliverable = matches!(now, LinkState::Up | LinkState::Silent);
        if deliverable && reconnects != queue.link.reconnects() {
            reconnects = queue.link.reconnects();
            receiver.missed();
        }
        let mut next = Next::WhenWoken;
        if deliverable {
            let overflowed;
            (next, overflowed) = queue.take(&mut batch);
            for (channel, payload) in batch.drain(..) {
                receiver.deliver(channel.as_str(), payload);
            }
            if overflowed {
                receiver.missed();
            }
        }
        match next {
            Next::Now => tokio::task::yield_now().await,
            Next::WhenWoken => {
                tokio::select! { biased;
                    () = changed => {}
                    () = queue.wake.notified() => {}
                }
            }
            Next::At(due) => {
                tokio::select! { biased;
                    () = changed => {}
                    () = queue.wake.notified() => {}
                    () = sleep_until(due) => {}
                }
            }
        }
    }
}
