//! A house in memory, its workers, and who owns what.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use broker::{
    bus::memory::MemoryBus,
    clock::Clock,
    directory::{self, Partition, Readers},
    entry::{Entry, Kind},
    members::Heartbeat,
    node::RoomSpec,
    ports::Ports,
    seal::SealKey,
    shares::assign,
    store::{Store, memory::MemoryStore},
    wire::Wire,
};
use protocol::{
    id::{NodeId, RoomId, UserId},
    table::TableConfig,
};
use rooms::{Bounds, Chance, Kinds, Worker, WorkerConfig, open_room, room::Room as _};
use table::Table;
use tokio::{
    task::JoinHandle,
    time::{Duration, sleep},
};
use tokio_util::sync::CancellationToken;

pub fn node(name: &str) -> NodeId {
    NodeId::new(name).unwrap()
}

pub fn room(number: u32) -> RoomId {
    RoomId::new(&format!("t{number}")).unwrap()
}

pub fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

/// Rooms 1 to this one.
pub fn rooms(count: u32) -> BTreeSet<RoomId> {
    (1..=count).map(room).collect()
}

/// Who should have which room when partitions are assigned to these workers.
pub fn by_partition(rooms: &BTreeSet<RoomId>, workers: &[&str]) -> BTreeMap<RoomId, Option<NodeId>> {
    let workers: Vec<NodeId> = workers.iter().map(|name| node(name)).collect();
    let shares = assign(&workers);
    rooms.iter().map(|room| (room.clone(), shares.of(Partition::of(room)).cloned())).collect()
}

/// Waits until it is so, or says what is instead.
pub async fn until<T: PartialEq + std::fmt::Debug>(expected: &T, mut found: impl AsyncFnMut() -> T) {
    let mut last = None;
    for _ in 0..600 {
        let now = found().await;
        if now == *expected {
            return;
        }
        last = Some(now);
        sleep(Duration::from_millis(100)).await;
    }
    panic!("{last:?}\n instead of \n{expected:?}");
}

/// One broker and store in memory, and what stands on it.
pub struct House {
    pub wire: Arc<Wire>,
    pub bus: MemoryBus,
    pub store: MemoryStore,
    pub clock: Clock,
    pub seal_key: SealKey,
    pub kinds: Kinds,
}

impl House {
    pub fn new() -> Self {
        Self::on(Wire::perfect())
    }

    pub fn on(wire: Arc<Wire>) -> Self {
        let floor = node("floor");
        Self {
            bus: MemoryBus::new(wire.clone(), &floor),
            store: MemoryStore::new(wire.clone(), &floor),
            wire,
            clock: Clock::starting_at(1_700_000_000_000),
            seal_key: "11".repeat(32).parse().unwrap(),
            kinds: dealer_worker::kinds(),
        }
    }

    pub fn ports(&self, name: &str) -> Ports {
        let node = node(name);
        Ports {
            bus: Arc::new(self.bus.handle(&node)),
            store: Arc::new(self.store.handle(&node)),
            clock: self.clock,
        }
    }

    pub fn config(&self, name: &str) -> WorkerConfig {
        let mut config = WorkerConfig::new(node(name), self.seal_key.clone());
        config.heartbeat = Heartbeat::new(100, 400);
        config
    }

    /// The same with other bounds than usual.
    pub fn config_within(&self, name: &str, bounds: Bounds) -> WorkerConfig {
        WorkerConfig { bounds, ..self.config(name) }
    }

    pub fn worker(&self, name: &str) -> Running {
        self.worker_with(name, self.config(name))
    }

    pub fn worker_with(&self, name: &str, config: WorkerConfig) -> Running {
        let seed = name.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
        let worker = Worker::new(self.ports(name), config, self.kinds.clone(), Chance::seeded(seed));
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(worker.run(shutdown.clone()));
        Running { shutdown, task: Some(task) }
    }

    pub async fn open(&self, tables: u32, config: &TableConfig) {
        let spec = RoomSpec::new(Table::NAME, config);
        for number in 1..=tables {
            // Those that exist stay as they are.
            let opened = open_room(&self.ports("floor"), &room(number), &spec, Readers::OfAnyRelease).await;
            opened.unwrap();
        }
    }

    /// Opens room 1 as one of another kind.
    pub async fn open_room(&self, spec: &RoomSpec) {
        assert!(open_room(&self.ports("floor"), &room(1), spec, Readers::OfAnyRelease).await.unwrap());
    }

    /// Opens several, numbered from 1.
    pub async fn open_rooms(&self, specs: &[RoomSpec]) {
        for (number, spec) in (1..).zip(specs) {
            assert!(
                open_room(&self.ports("floor"), &room(number), spec, Readers::OfThisRelease).await.unwrap()
            );
        }
    }

    /// Who has claimed which room last, by the journals.
    pub async fn claimers(&self, rooms: &BTreeSet<RoomId>) -> BTreeMap<RoomId, Option<NodeId>> {
        let mut claimers = BTreeMap::new();
        for room in rooms {
            let entries = self.store.read(room, None, 10_000).await.unwrap();
            let entries = entries.into_iter().map(|stored| Entry::decode(stored.bytes).unwrap());
            let last = entries.filter(|entry| entry.kind == Kind::Claim).last();
            let claimer = last.map(|claim| node(std::str::from_utf8(&claim.secret).unwrap()));
            // Keyframes drop claims that are older.
            let owner = directory::owner(&self.store, room).await.unwrap().and_then(|owner| owner.node);
            claimers.insert(room.clone(), claimer.or(owner));
        }
        claimers
    }
}

/// A worker that runs.
pub struct Running {
    pub shutdown: CancellationToken,
    task: Option<JoinHandle<Result<(), rooms::Failed>>>,
}

impl Running {
    /// As SIGKILL does.
    pub fn kill(mut self) {
        self.task.take().unwrap().abort();
    }

    /// As SIGTERM does.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        self.task.take().unwrap().await.unwrap().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
