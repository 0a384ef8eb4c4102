//! In which rooms somebody has a part: what reception asks before it lets somebody go for ever.
//!
//! Workers know the members of their rooms, and nobody else does. One question goes to all of them, and each answers for its own rooms, in
//! a bounded time. Reception is no node: it hears who lives, and does not beat. What is not known for certain is no answer
//! ([`NotKnown`]): a worker that does not answer, one that has just died, is leaving or takes rooms over.
//!
//! As long as a node of a release before lives nobody is asked, since it could not read the question.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use metrics::counter;
use parking_lot::Mutex;
use protocol::id::{NodeId, RoomId, UserId};
use tokio::{
    sync::oneshot,
    time::{Duration, Instant, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    bus::Receiver,
    channel::Channel,
    node::{NodeNews, Role, ToReception, decode, encode},
    ports::Ports,
};

/// Since this release workers answer; see [`SPEAKS`](crate::node::SPEAKS).
const ANSWERED_SINCE: u16 = 3;

/// Workers have so long to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Who has listened for so long has heard of everybody who lives: some beats.
const LISTENED: Duration = Duration::from_secs(4);

/// A node that has said nothing for so long without a goodbye is dead, and its rooms are others' by now.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// How many nodes are kept in mind at most. If there are more, nothing is certain.
const NODES_MAX: usize = 4_096;

/// Between two tries to listen.
const AGAIN: Duration = Duration::from_millis(500);

/// It cannot be said in which rooms somebody has a part; to be asked again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not known who sits where: {0}")]
pub struct NotKnown(pub &'static str);

/// Asks workers: what reception holds. Dropping it ends its listening.
pub struct Parts {
    ports: Ports,
    me: NodeId,
    ears: Arc<Ears>,
    next: AtomicU64,
    _listening: AbortOnDropHandle<()>,
}

struct Ears {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    nodes: BTreeMap<NodeId, Node>,
    since: Option<Instant>,
    /// Nodes that are there for certain, if that is known; then they are all.
    all: Vec<NodeId>,
    asked: BTreeMap<u64, Asked>,
}

struct Node {
    role: Role,
    speaks: u16,
    draining: bool,
    heard: Instant,
}

/// A question that is open.
struct Asked {
    /// Who has not answered yet.
    waits_for: BTreeSet<NodeId>,
    rooms: BTreeSet<RoomId>,
    is_sure: bool,
    done: Option<oneshot::Sender<()>>,
}

impl Parts {
    /// Begins to listen. `me` is a name that no node and no other reception has. `all`: the nodes that there are, where that is known, so
    /// that nobody else is waited for. Must be called within a runtime.
    pub fn start(ports: Ports, me: NodeId, all: Vec<NodeId>) -> Self {
        let ears = Arc::new(Ears { known: Mutex::new(Known { all, ..Known::default() }) });
        let subscription = ports.bus.subscriber(ears.clone());
        let (channels, hears) = ([Channel::answers(&me), Channel::nodes()], ears.clone());
        let listening = tokio::spawn(async move {
            for channel in &channels {
                while subscription.subscribe(channel).await.is_err() {
                    sleep(AGAIN).await;
                }
            }
            hears.known.lock().since = Some(Instant::now());
            // It listens as long as the subscription is held.
            std::future::pending::<()>().await;
            drop(subscription);
        });
        Self { ports, me, ears, next: AtomicU64::new(1), _listening: AbortOnDropHandle::new(listening) }
    }

    /// Some of the rooms in which this user has a part; none if there is none. `None` as long as a node of a release before lives.
    ///
    /// # Errors
    /// [`NotKnown`].
    pub async fn of(&self, user: &UserId) -> Result<Option<Vec<RoomId>>, NotKnown> {
        let n = self.next.fetch_add(1, Relaxed);
        let Some(answered) = self.ears.open(n)? else { return Ok(None) };
        let question = NodeNews::WhereIs { asker: self.me.clone(), n, user: user.clone() };
        let asked = self.ports.bus.publish(&Channel::nodes(), encode(&question)).await;
        if asked.is_ok() {
            let _ = timeout(ANSWER_WITHIN, answered).await;
        }
        let asked = asked.map_err(|_| NotKnown("the bus is out of reach"));
        let Some(Asked { waits_for, rooms, is_sure, .. }) = self.ears.known.lock().asked.remove(&n) else {
            return Err(NotKnown("the question is gone"));
        };
        // Where one has a part is certain whoever else does not answer.
        if !rooms.is_empty() {
            return Ok(Some(rooms.into_iter().collect()));
        }
        asked?;
        match (waits_for.is_empty(), is_sure) {
            (true, true) => Ok(Some(Vec::new())),
            (true, false) => Err(NotKnown("rooms are being taken over")),
            (false, _) => {
                counter!("cardhouse_parts_unanswered_total").increment(1);
                Err(NotKnown("a dealer worker does not answer"))
            }
        }
    }
}

impl Ears {
    /// Opens a question, if it is one that is answered: `None` if nobody is to be asked.
    fn open(&self, n: u64) -> Result<Option<oneshot::Receiver<()>>, NotKnown> {
        let now = Instant::now();
        let mut known = self.known.lock();
        known.nodes.retain(|_, node| now - node.heard < FORGOTTEN);
        let has_heard_all =
            !known.all.is_empty() && known.all.iter().all(|node| known.nodes.contains_key(node));
        if known.since.is_none_or(|since| now - since < LISTENED) && !has_heard_all {
            return Err(NotKnown("this reception has just begun to listen"));
        }
        if known.nodes.values().any(|node| node.speaks < ANSWERED_SINCE) {
            return Ok(None);
        }
        if known.nodes.len() >= NODES_MAX {
            return Err(NotKnown("there are too many nodes"));
        }
        let workers = || known.nodes.iter().filter(|(_, node)| node.role == Role::Worker);
        if workers().any(|(_, node)| node.draining) {
            return Err(NotKnown("a dealer worker hands its rooms over"));
        }
        let waits_for: BTreeSet<NodeId> = workers().map(|(node, _)| node.clone()).collect();
        if waits_for.is_empty() {
            return Err(NotKnown("no dealer worker is there"));
        }
        let (done, answered) = oneshot::channel();
        known.asked.insert(n, Asked { waits_for, rooms: BTreeSet::new(), is_sure: true, done: Some(done) });
        Ok(Some(answered))
    }

    fn hear(&self, news: NodeNews) {
        let mut known = self.known.lock();
        match news {
            NodeNews::Beat { node, role, speaks, draining, .. } => {
                let is_known = known.nodes.contains_key(&node);
                if !is_known && known.nodes.len() >= NODES_MAX {
                    return;
                }
                known.nodes.insert(node, Node { role, speaks, draining, heard: Instant::now() });
            }
            // Its rooms are on their way to others.
            NodeNews::Gone { node } => {
                known.nodes.remove(&node);
                known.asked.values_mut().for_each(|asked| asked.is_sure = false);
            }
            _ => {}
        }
    }

    fn answer(&self, answer: ToReception) {
        let ToReception::Parts { worker, n, rooms, is_sure } = answer;
        let mut known = self.known.lock();
        let Some(asked) = known.asked.get_mut(&n) else { return };
        asked.rooms.extend(rooms);
        asked.is_sure &= is_sure;
        asked.waits_for.remove(&worker);
        if asked.waits_for.is_empty()
            && let Some(done) = asked.done.take()
        {
            let _ = done.send(());
        }
    }
}

impl Receiver for Ears {
    fn deliver(&self, channel: &str, payload: Bytes) {
        if channel == Channel::nodes().as_str() {
            if let Ok(news) = decode(&payload) {
                self.hear(news);
            }
        } else if let Ok(answer) = decode(&payload) {
            self.answer(answer);
        }
    }

    // Beats come again; an answer that was missed is asked for again by whoever wanted it.
    fn missed(&self) {}
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::{
        bus::{Bus as _, Subscription, memory::MemoryBus},
        clock::Clock,
        node::SPEAKS,
        store::memory::MemoryStore,
        wire::Wire,
    };

    fn node(name: &str) -> NodeId {
        NodeId::new(name).unwrap()
    }

    fn room(name: &str) -> RoomId {
        RoomId::new(name).unwrap()
    }

    fn ann() -> UserId {
        UserId::new("ann").unwrap()
    }

    /// What a worker of these tests says.
    #[derive(Clone)]
    struct Says {
        rooms: Vec<RoomId>,
        is_sure: bool,
    }

    /// Answers what it is asked, in the words that it was given; or not at all.
    struct Worker {
        bus: MemoryBus,
        name: NodeId,
        says: Option<Says>,
    }

    impl Receiver for Worker {
        fn deliver(&self, _: &str, payload: Bytes) {
            let Ok(NodeNews::WhereIs { asker, n, user }) = decode(&payload) else { return };
            assert_eq!(user, ann());
            let Some(Says { rooms, is_sure }) = self.says.clone() else { return };
            let answer = encode(&ToReception::Parts { worker: self.name.clone(), n, rooms, is_sure });
            let publishing = self.bus.publish(&Channel::answers(&asker), answer);
            tokio::spawn(publishing);
        }

        fn missed(&self) {}
    }

    struct World {
        bus: MemoryBus,
        parts: Parts,
        workers: Vec<Box<dyn Subscription>>,
    }

    impl World {
        async fn new() -> Self {
            Self::of(&[]).await
        }

        async fn of(all: &[&str]) -> Self {
            let wire = Wire::perfect();
            let me = node("reception-1");
            let bus = MemoryBus::new(wire.clone(), &me);
            let store = Arc::new(MemoryStore::new(wire, &me));
            let ports = Ports { bus: Arc::new(bus.clone()), store, clock: Clock::starting_at(1) };
            let parts = Parts::start(ports, me, all.iter().map(|name| node(name)).collect());
            let world = Self { bus, parts, workers: Vec::new() };
            // Until it listens.
            sleep(Duration::from_millis(1)).await;
            world
        }

        async fn beat(&self, name: &str, role: Role, speaks: u16, draining: bool) {
            let beat = NodeNews::Beat {
                node: node(name),
                role,
                beat: 1,
                sent_ms: 1,
                draining,
                speaks,
                missed: 0,
                spares: false,
                door: None,
            };
            self.say(&beat).await;
        }

        async fn say(&self, news: &NodeNews) {
            self.bus.publish(&Channel::nodes(), encode(news)).await.unwrap();
            sleep(Duration::from_millis(1)).await;
        }

        /// A worker that beats once, and answers so.
        async fn worker(&mut self, name: &str, says: Option<(&[&str], bool)>) {
            let says = says.map(|(rooms, is_sure)| Says {
                rooms: rooms.iter().map(|name| room(name)).collect(),
                is_sure,
            });
            let bus = self.bus.handle(&node(name));
            let worker = Worker { bus: bus.clone(), name: node(name), says };
            let subscription = bus.subscriber(Arc::new(worker));
            subscription.subscribe(&Channel::nodes()).await.unwrap();
            self.workers.push(subscription);
            self.beat(name, Role::Worker, SPEAKS, false).await;
        }

        async fn ask(&self) -> Result<Option<Vec<RoomId>>, NotKnown> {
            self.parts.of(&ann()).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_worker_is_asked_once_and_what_they_say_together_is_the_answer() {
        let mut world = World::new().await;
        world.worker("w1", Some((&["t1"], true))).await;
        world.worker("w2", Some((&[], true))).await;
        world.worker("w3", Some((&["t7", "t1"], true))).await;
        world.beat("r1", Role::Relay, SPEAKS, false).await;
        assert!(world.ask().await.is_err(), "it has not heard of everybody yet");
        advance(LISTENED).await;
        assert_eq!(world.ask().await, Ok(Some(vec![room("t1"), room("t7")])));
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_no_part_anywhere_is_known_only_if_all_say_so_and_are_sure() {
        let mut world = World::new().await;
        advance(LISTENED).await;
        assert!(world.ask().await.is_err(), "nobody deals");
        world.worker("w1", Some((&[], true))).await;
        assert_eq!(world.ask().await, Ok(Some(Vec::new())));
        world.worker("w2", Some((&[], false))).await;
        assert_eq!(world.ask().await, Err(NotKnown("rooms are being taken over")));
        world.workers.pop();
        world.say(&NodeNews::Gone { node: node("w2") }).await;
        assert_eq!(world.ask().await, Ok(Some(Vec::new())));
        world.beat("w1", Role::Worker, SPEAKS, true).await;
        assert_eq!(world.ask().await, Err(NotKnown("a dealer worker hands its rooms over")));
    }

    #[tokio::test(start_paused = true)]
    async fn who_knows_which_nodes_there_are_waits_for_nobody_else() {
        let mut world = World::of(&["w1"]).await;
        assert!(world.ask().await.is_err(), "it has not heard of it yet");
        world.worker("w1", Some((&["t1"], true))).await;
        assert_eq!(world.ask().await, Ok(Some(vec![room("t1")])));
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_that_does_not_answer_makes_it_unknown_for_a_bounded_time() {
        let mut world = World::new().await;
        advance(LISTENED).await;
        world.worker("w1", Some((&[], true))).await;
        world.worker("w2", None).await;
        let began = Instant::now();
        assert_eq!(world.ask().await, Err(NotKnown("a dealer worker does not answer")));
        assert_eq!(began.elapsed(), ANSWER_WITHIN);
        assert!(world.parts.ears.known.lock().asked.is_empty(), "nothing of a question stays");
        advance(FORGOTTEN - ANSWER_WITHIN).await;
        world.beat("w1", Role::Worker, SPEAKS, false).await;
        assert_eq!(world.ask().await, Ok(Some(Vec::new())), "it is dead");
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_one_worker_tells_of_is_certain_whoever_else_is_silent() {
        let mut world = World::new().await;
        advance(LISTENED).await;
        world.worker("w1", None).await;
        world.worker("w2", Some((&["t1"], false))).await;
        assert_eq!(world.ask().await, Ok(Some(vec![room("t1")])));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_asked_as_long_as_a_node_of_the_release_before_lives() {
        let mut world = World::new().await;
        advance(LISTENED).await;
        world.worker("w1", Some((&["t1"], true))).await;
        world.beat("r1", Role::Relay, 2, false).await;
        assert_eq!(world.ask().await, Ok(None));
        world.say(&NodeNews::Gone { node: node("r1") }).await;
        assert_eq!(world.ask().await, Ok(Some(vec![room("t1")])));
    }
}
