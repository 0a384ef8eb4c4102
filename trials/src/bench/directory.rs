//! `directory`: what it costs that every worker knows which rooms there are and whose they are. The real workers, with their real tables, on
//! a store in memory that counts what is read, under a simulated clock: no processes, and no Redis.
//!
//! Figures of the release before, which assigned rooms one by one and read all maps on every worker, stand beside as far as they follow
//! from its code: [`Assignment::of_each`] is what is left of it.

use std::{
    collections::BTreeMap,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant as WallInstant,
};

use anyhow::Context;
use broker::{
    bus::memory::MemoryBus,
    clock::Clock,
    directory::{self, Partition, Readers},
    node::{Owner, RoomSpec},
    ports::Ports,
    seal::SealKey,
    shares::assign,
    store::{AppendError, Store, Stored, Unavailable, memory::MemoryStore},
    wire::Wire,
};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use protocol::{
    id::{Epoch, NodeId, Position, RoomId},
    table::TableConfig,
};
use rooms::{Chance, Worker, WorkerConfig, open_room, placement::assignment::Assignment};
use tokio::time::{Duration, sleep};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{args::BenchArgs, figures::Run};

/// Simulated time until everything has come to rest: earlier maps are emptied, and said goodbye to.
const REST: Duration = Duration::from_secs(60);

/// Simulated time over which reading is counted: a whole number of rounds.
const COUNTED: Duration = Duration::from_secs(60);

/// How often the assignment is computed.
const ASSIGNMENTS: usize = 9;

/// So many rooms more are opened, to see which others move.
const OPENED: usize = 100;

/// Simulated time after which all rooms must have an owner.
const OWNED_WITHIN: Duration = Duration::from_secs(300);

/// So many rooms and workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct House {
    /// How many rooms.
    pub rooms: usize,
    /// How many workers.
    pub workers: usize,
}

impl FromStr for House {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text
            .split_once('/')
            .and_then(|(rooms, workers)| Some((rooms.parse().ok()?, workers.parse().ok()?)));
        match parts {
            Some((rooms, workers)) if rooms > 0 && workers > 0 => Ok(Self { rooms, workers }),
            _ => Err("is not ROOMS/WORKERS; try 10000/20".into()),
        }
    }
}

/// One run: each house in turn.
///
/// # Errors
/// When rooms do not get owners.
pub async fn run(args: &BenchArgs) -> anyhow::Result<Run> {
    let houses = args.houses.clone();
    // The simulated clock needs a runtime of its own, and so a thread.
    let measuring = tokio::task::spawn_blocking(move || {
        let mut run = Run::default();
        for house in houses {
            let name = format!("{}_rooms_{}_workers", house.rooms, house.workers);
            assignments(house, &name, &mut run);
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
            runtime.block_on(reading(house, &name, &mut run))?;
        }
        anyhow::Ok(run)
    });
    measuring.await.context("the measuring has ended early")?
}

fn room(number: usize) -> RoomId {
    RoomId::new(&format!("t{number}")).expect("t and digits are a name")
}

fn workers(house: House) -> Vec<NodeId> {
    // Names as they are given, but the same in every run.
    (0..house.workers).map(|n| NodeId::new(&format!("worker-{:08x}", n * 0x9e37)).expect("a name")).collect()
}

/// What is computed when workers change; and what would have been when rooms do.
fn assignments(house: House, name: &str, run: &mut Run) {
    let workers = workers(house);
    let shares = assign(&workers);
    // The least: the others waited for a core.
    let times = (0..ASSIGNMENTS).map(|_| {
        let began = WallInstant::now();
        assert!(assign(&workers) == shares, "it depends on the workers alone");
        began.elapsed().as_secs_f64() * 1e3
    });
    run.tell(&format!("{name}_assign_ms"), times.fold(f64::INFINITY, f64::min));
    let mut loads: BTreeMap<&NodeId, usize> = BTreeMap::new();
    for number in 1..=house.rooms {
        *loads.entry(shares.of(Partition::of(&room(number))).expect("there are workers")).or_default() += 1;
    }
    let fullest = loads.values().max().copied().unwrap_or_default() as f64;
    run.tell(&format!("{name}_fullest_to_mean"), fullest / (house.rooms as f64 / house.workers as f64));

    let rooms: Vec<RoomId> = (1..=house.rooms + 1).map(room).collect();
    let began = WallInstant::now();
    let before = Assignment::of_each(rooms[..house.rooms].iter(), &workers);
    run.tell(&format!("{name}_assign_ms_release_before"), began.elapsed().as_secs_f64() * 1e3);
    let after = Assignment::of_each(rooms.iter(), &workers);
    let moved = rooms[..house.rooms].iter().filter(|room| before.of(room) != after.of(room)).count();
    run.tell(&format!("{name}_moved_by_an_opened_room_release_before"), moved as f64);
}

/// Who moves, and what is read, where all is well.
async fn reading(house: House, name: &str, run: &mut Run) -> anyhow::Result<()> {
    let spared = NodeId::new("bench").expect("a name");
    let wire = Wire::perfect();
    let (bus, store) = (MemoryBus::new(wire.clone(), &spared), MemoryStore::new(wire, &spared));
    let clock = Clock::starting_at(1_800_000_000_000);
    let counts = Arc::new(Counts::default());
    let ports = Ports { bus: Arc::new(bus.clone()), store: Arc::new(store.clone()), clock };
    let config = TableConfig { name: "Monte Carlo 12".into(), ..TableConfig::default() };
    let spec = RoomSpec::new("table", &config);
    for number in 1..=house.rooms {
        open_room(&ports, &room(number), &spec, Readers::OfThisRelease).await?;
    }
    let key = SealKey::random();
    let running: Vec<_> = (0..)
        .zip(workers(house))
        .map(|(seed, node)| {
            let counting = Counting { store: store.handle(&node), counts: counts.clone() };
            let ports = Ports { bus: Arc::new(bus.handle(&node)), store: Arc::new(counting), clock };
            let config = WorkerConfig::new(node, key.clone());
            let worker = Worker::new(ports, config, dealer_worker::kinds(), Chance::seeded(seed));
            AbortOnDropHandle::new(tokio::spawn(worker.run(CancellationToken::new())))
        })
        .collect();
    let began = tokio::time::Instant::now();
    for number in 1..=house.rooms {
        owner(&store, number, began).await?;
    }
    sleep(REST).await;
    let mut before = Vec::new();
    for number in 1..=house.rooms {
        before.push(owner(&store, number, began).await?);
    }
    counts.reset();
    sleep(COUNTED).await;
    let seconds = COUNTED.as_secs_f64();
    run.tell(&format!("{name}_read_bytes_per_s"), counts.bytes.load(Relaxed) as f64 / seconds);
    run.tell(&format!("{name}_maps_read_per_s"), counts.maps.load(Relaxed) as f64 / seconds);
    run.tell(&format!("{name}_read_bytes_per_s_release_before"), whole_reading(house, &spec, &before) / 5.0);

    for number in house.rooms + 1..=house.rooms + OPENED {
        open_room(&ports, &room(number), &spec, Readers::OfThisRelease).await?;
    }
    let opened = tokio::time::Instant::now();
    for number in house.rooms + 1..=house.rooms + OPENED {
        owner(&store, number, opened).await?;
    }
    sleep(REST).await;
    let mut moved = 0;
    for (number, before) in (1..).zip(&before) {
        moved += u32::from(owner(&store, number, opened).await? != *before);
    }
    run.tell(&format!("{name}_moved_by_an_opened_room"), f64::from(moved) / OPENED as f64);
    drop(running);
    Ok(())
}

async fn owner(
    store: &MemoryStore,
    number: usize,
    since: tokio::time::Instant,
) -> anyhow::Result<(NodeId, Epoch)> {
    loop {
        if let Some(Owner { node: Some(node), epoch }) = directory::owner(store, &room(number)).await? {
            return Ok((node, epoch));
        }
        anyhow::ensure!(since.elapsed() < OWNED_WITHIN, "{} has no owner", room(number));
        sleep(Duration::from_millis(100)).await;
    }
}

/// What all workers of the release before read from their two maps each time, every 5 seconds.
fn whole_reading(house: House, spec: &RoomSpec, owners: &[(NodeId, Epoch)]) -> f64 {
    let spec = spec.to_bytes().len();
    let of_room = |(number, (node, epoch)): (usize, &(NodeId, Epoch))| {
        let owner = Owner { node: Some(node.clone()), epoch: *epoch }.to_bytes().len();
        2 * room(number).as_str().len() + spec + owner
    };
    (house.workers * (1..).zip(owners).map(of_room).sum::<usize>()) as f64
}

/// What workers have read from maps.
#[derive(Default)]
struct Counts {
    /// Names and values, without what the protocol adds.
    bytes: AtomicU64,
    maps: AtomicU64,
}

impl Counts {
    fn reset(&self) {
        self.bytes.store(0, Relaxed);
        self.maps.store(0, Relaxed);
    }

    fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
        self.maps.fetch_add(1, Relaxed);
    }
}

/// A worker's store that counts.
struct Counting {
    store: MemoryStore,
    counts: Arc<Counts>,
}

impl Store for Counting {
    fn append(
        &self,
        room: &RoomId,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
    ) -> BoxFuture<'_, Result<(), AppendError>> {
        self.store.append(room, at, entry, keep_from)
    }

    fn extend(
        &self,
        room: &RoomId,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
    ) -> BoxFuture<'_, Result<(), AppendError>> {
        self.store.extend(room, at, entry, keep_from)
    }

    fn probe_writing(&self) -> BoxFuture<'_, Result<(), AppendError>> {
        self.store.probe_writing()
    }

    fn probe_reading(&self) -> BoxFuture<'_, Result<(), Unavailable>> {
        self.store.probe_reading()
    }

    fn read(
        &self,
        room: &RoomId,
        after: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Stored>, Unavailable>> {
        self.store.read(room, after, limit)
    }

    fn read_back(
        &self,
        room: &RoomId,
        before: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Stored>, Unavailable>> {
        self.store.read_back(room, before, limit)
    }

    fn last(&self, room: &RoomId) -> BoxFuture<'_, Result<Option<Stored>, Unavailable>> {
        self.store.last(room)
    }

    fn expire(&self, room: &RoomId, seconds: u64) -> BoxFuture<'_, Result<(), Unavailable>> {
        self.store.expire(room, seconds)
    }

    fn map_all(&self, map: &str) -> BoxFuture<'_, Result<Vec<(String, Bytes)>, Unavailable>> {
        let map = map.to_owned();
        Box::pin(async move {
            let all = self.store.map_all(&map).await?;
            self.counts.add(all.iter().map(|(field, value)| field.len() + value.len()).sum());
            Ok(all)
        })
    }

    fn map_fields(&self, map: &str) -> BoxFuture<'_, Result<Vec<String>, Unavailable>> {
        let map = map.to_owned();
        Box::pin(async move {
            let fields = self.store.map_fields(&map).await?;
            self.counts.add(fields.iter().map(String::len).sum());
            Ok(fields)
        })
    }

    fn map_get(&self, map: &str, field: &str) -> BoxFuture<'_, Result<Option<Bytes>, Unavailable>> {
        self.store.map_get(map, field)
    }

    fn map_set(&self, map: &str, field: &str, value: Bytes) -> BoxFuture<'_, Result<(), Unavailable>> {
        self.store.map_set(map, field, value)
    }

    fn map_set_new(&self, map: &str, field: &str, value: Bytes) -> BoxFuture<'_, Result<bool, Unavailable>> {
        self.store.map_set_new(map, field, value)
    }

    fn map_remove(&self, map: &str, field: &str) -> BoxFuture<'_, Result<(), Unavailable>> {
        self.store.map_remove(map, field)
    }

    fn generation(&self) -> u64 {
        self.store.generation()
    }
}
