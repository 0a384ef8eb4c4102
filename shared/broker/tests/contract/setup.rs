//! The adapters under test, and how each loses its broker and gets it back.

use std::sync::Arc;

use broker::{
    bus::{Bus, Receiver, memory::MemoryBus, near::NearBus, redis::RedisBus},
    channel::{Channel, journal_key},
    clock::Clock,
    node::ListenPace,
    queue::{Queue, maps::MapsQueue, redis::RedisQueue},
    redis::{Redis, RedisConfig},
    store::{
        Store,
        file::{FileStore, disk::made_up::MadeUpDisk},
        memory::MemoryStore,
        redis::RedisStore,
    },
    testing::redis_server::{Persistence, RedisCluster, RedisSentinel, RedisServer},
    wire::{LinkState, Wire},
};
use bytes::Bytes;
use parking_lot::Mutex;
use protocol::id::{NodeId, RoomId};
use tokio::{
    sync::Notify,
    time::{Duration, timeout},
};

/// Far longer than anything takes: only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Memory,
    File,
    Single,
    Cluster,
    Sentinel,
    /// The way of a process that is relay and dealer worker, over these.
    NearMemory,
    NearSingle,
}

/// What stands behind the ports.
enum Broker {
    Memory(Arc<Wire>, MemoryStore),
    /// The bus is in memory then.
    File(Arc<Wire>, MadeUpDisk),
    Single(RedisServer),
    Cluster(RedisCluster),
    /// And the primary that was killed.
    Sentinel(RedisSentinel, Option<usize>),
}

pub(crate) struct House {
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) queue: Arc<dyn Queue>,
    broker: Broker,
}

impl Kind {
    pub(crate) async fn start(self) -> House {
        let over = match self {
            Self::NearMemory => Self::Memory,
            Self::NearSingle => Self::Single,
            _ => return self.start_far().await,
        };
        let house = over.start_far().await;
        let bus = NearBus::new(house.bus, NodeId::new("r1").unwrap(), ListenPace::default());
        House { bus, ..house }
    }

    async fn start_far(self) -> House {
        let persistence = Persistence::AofAlways;
        let (broker, url) = match self {
            Self::Memory => {
                let (wire, node) = (Wire::perfect(), NodeId::new("n1").unwrap());
                let store = MemoryStore::new(wire.clone(), &node);
                let maps: Arc<dyn Store> = Arc::new(store.clone());
                return House {
                    bus: Arc::new(MemoryBus::new(wire.clone(), &node)),
                    store: maps.clone(),
                    queue: Arc::new(MapsQueue::new(maps, Clock::system(), node)),
                    broker: Broker::Memory(wire, store),
                };
            }
            Self::File => {
                let (wire, node) = (Wire::perfect(), NodeId::new("n1").unwrap());
                let disk = MadeUpDisk::default();
                let store = FileStore::on(Box::new(disk.clone()), Clock::system()).unwrap();
                let store: Arc<dyn Store> = Arc::new(store);
                return House {
                    bus: Arc::new(MemoryBus::new(wire.clone(), &node)),
                    store: store.clone(),
                    queue: Arc::new(MapsQueue::new(store, Clock::system(), node)),
                    broker: Broker::File(wire, disk),
                };
            }
            Self::NearMemory | Self::NearSingle => unreachable!("they stand on others"),
            Self::Single => {
                let server = RedisServer::start(persistence).await.unwrap();
                let url = server.url();
                (Broker::Single(server), url)
            }
            Self::Cluster => {
                let cluster = RedisCluster::start(persistence).await.unwrap();
                let url = cluster.url();
                (Broker::Cluster(cluster), url)
            }
            Self::Sentinel => {
                let sentinel = RedisSentinel::start(persistence).await.unwrap();
                let url = sentinel.url();
                (Broker::Sentinel(sentinel, None), url)
            }
        };
        let redis = connect(&url).await;
        House {
            bus: Arc::new(RedisBus::new(redis.clone())),
            queue: Arc::new(RedisQueue::new(redis.clone())),
            store: Arc::new(RedisStore::new(redis)),
            broker,
        }
    }
}

pub(crate) async fn connect(url: &str) -> Redis {
    // A loaded machine may start servers slowly.
    let config = RedisConfig { connect_timeout_ms: 30_000, resubscribe_ms: 500, ..RedisConfig::new(url) };
    Redis::connect(config).await.unwrap()
}

impl House {
    /// Loses a room's journal, as a server that evicts does, without a word.
    pub(crate) async fn lose_journal(&self, room: &RoomId) {
        let key = journal_key(room);
        let lost = |server: &RedisServer| assert_eq!(server.ask(&["DEL", &key]).unwrap().text(), "1");
        match &self.broker {
            Broker::Memory(_, store) => assert!(store.forget(room)),
            Broker::File(..) => self.store.expire(room, 0).await.unwrap(),
            Broker::Single(server) => lost(server),
            Broker::Cluster(cluster) => lost(&cluster.nodes[cluster.owner_of(&key).unwrap()]),
            Broker::Sentinel(sentinel, _) => lost(&sentinel.nodes[sentinel.primary().unwrap()]),
        }
    }

    /// Has the broker say no to whatever writes, or yes again.
    pub(crate) fn refuse_writes(&self, refuse: bool) {
        let replicas = if refuse { "9" } else { "0" };
        let set = |server: &RedisServer| {
            server.ask(&["CONFIG", "SET", "min-replicas-to-write", replicas]).unwrap();
        };
        match &self.broker {
            Broker::Memory(_, store) => store.refuse_writes(refuse.then_some("NOREPLICAS not enough")),
            Broker::File(_, disk) => disk.say_no(refuse.then_some("NOREPLICAS, a disk would say")),
            Broker::Single(server) => set(server),
            Broker::Cluster(cluster) => cluster.nodes.iter().for_each(set),
            Broker::Sentinel(sentinel, _) => sentinel.nodes.iter().for_each(set),
        }
    }

    /// Takes the broker away.
    pub(crate) fn break_broker(&mut self) {
        match &mut self.broker {
            Broker::Memory(wire, _) => wire.links().iter().for_each(|link| link.set(LinkState::Refusing)),
            Broker::File(wire, disk) => {
                wire.links().iter().for_each(|link| link.set(LinkState::Refusing));
                disk.be_gone(true);
            }
            Broker::Single(server) => server.kill(),
            Broker::Cluster(cluster) => cluster.nodes.iter_mut().for_each(RedisServer::kill),
            Broker::Sentinel(sentinel, killed) => *killed = Some(sentinel.kill_primary().unwrap()),
        }
    }

    /// Whether another broker takes the lost one's place without us.
    pub(crate) fn heals_itself(&self) -> bool {
        matches!(self.broker, Broker::Sentinel(..))
    }

    /// Gives it back (behind sentinels: another).
    pub(crate) async fn mend_broker(&mut self) {
        match &mut self.broker {
            Broker::Memory(wire, _) => wire.links().iter().for_each(|link| link.heal()),
            Broker::File(wire, disk) => {
                wire.links().iter().for_each(|link| link.heal());
                disk.be_gone(false);
            }
            Broker::Single(server) => server.restart().await.unwrap(),
            Broker::Cluster(cluster) => {
                for node in &mut cluster.nodes {
                    node.restart().await.unwrap();
                }
            }
            Broker::Sentinel(sentinel, killed) => {
                sentinel.replaced(killed.expect("it is broken first")).await.unwrap();
            }
        }
    }
}

pub(crate) fn room(name: &str) -> RoomId {
    RoomId::new(name).unwrap()
}

/// A receiver that keeps what it gets.
#[derive(Default)]
pub(crate) struct Inbox {
    messages: Mutex<Vec<(String, Bytes)>>,
    missed: Mutex<usize>,
    changed: Notify,
}

impl Receiver for Inbox {
    fn deliver(&self, channel: &str, payload: Bytes) {
        self.messages.lock().push((channel.into(), payload));
        self.changed.notify_one();
    }

    fn missed(&self) {
        *self.missed.lock() += 1;
        self.changed.notify_one();
    }
}

impl Inbox {
    /// What came on a channel, once it is `count` messages or more.
    pub(crate) async fn wait_for(&self, channel: &Channel, count: usize) -> Vec<Bytes> {
        self.wait(|inbox| {
            let got = inbox.got(channel);
            (got.len() >= count).then_some(got)
        })
        .await
    }

    pub(crate) fn got(&self, channel: &Channel) -> Vec<Bytes> {
        let messages = self.messages.lock();
        messages
            .iter()
            .filter(|(name, _)| name == channel.as_str())
            .map(|(_, payload)| payload.clone())
            .collect()
    }

    /// Publishes until it arrives: a bus may lose what is published around a change of connection. Answers what came last.
    pub(crate) async fn hear(&self, bus: &dyn Bus, channel: &Channel, payload: &'static [u8]) -> Bytes {
        let before = self.got(channel).len();
        at_last(|| async {
            bus.publish(channel, Bytes::from_static(payload)).await.map_err(|error| error.to_string())?;
            let heard = timeout(Duration::from_millis(200), self.wait_for(channel, before + 1)).await;
            let mut heard = heard.map_err(|late| late.to_string())?;
            heard.pop().ok_or_else(|| "nothing".to_owned())
        })
        .await
    }

    pub(crate) fn missed_so_far(&self) -> usize {
        *self.missed.lock()
    }

    pub(crate) async fn wait_for_missed(&self, more_than: usize) {
        self.wait(|inbox| (inbox.missed_so_far() > more_than).then_some(())).await;
    }

    async fn wait<T>(&self, look: impl Fn(&Self) -> Option<T>) -> T {
        let looking = async {
            loop {
                if let Some(found) = look(self) {
                    return found;
                }
                self.changed.notified().await;
            }
        };
        timeout(PATIENCE, looking).await.expect("what was awaited did not come")
    }
}

/// Tries until it works, as all callers of the ports do.
pub(crate) async fn at_last<T, E: std::fmt::Debug, F: Future<Output = Result<T, E>>>(
    mut attempt: impl FnMut() -> F,
) -> T {
    let trying = async {
        loop {
            match attempt().await {
                Ok(done) => return done,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    timeout(PATIENCE, trying).await.expect("it never worked")
}
