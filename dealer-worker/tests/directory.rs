//! The directory by partition: rooms that come and go move no others; and beside nodes of the release before all is as they know it.

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use broker::{
    channel::{Channel, EARLIER_OWNERS, EARLIER_SPECS},
    directory::{self, Partition, Readers},
    entry::{Entry, Kind},
    node::{NodeNews, Owner, Role, RoomSpec, encode},
    ports::Ports,
    store::Store,
    wire::{
        Wire,
        fault::{Copies, Fate, Faults, Operation, one_copy},
    },
};
use bytes::Bytes;
use parking_lot::Mutex;
use protocol::{
    id::{Epoch, NodeId, RoomId},
    table::TableConfig,
};
use rooms::open_room;
use tokio::time::{Duration, Instant, sleep};

use support::{
    House, Relay, by_partition, fast, node, of_the_release_before, play, release_2, room, rooms, until,
};

/// Who should have which room as the release before assigns them.
fn by_room(rooms: &BTreeSet<RoomId>, workers: &[&str]) -> BTreeMap<RoomId, Option<NodeId>> {
    let workers: Vec<NodeId> = workers.iter().map(|name| node(name)).collect();
    release_2::assign(rooms.iter(), &workers).into_iter().map(|(room, to)| (room, Some(to))).collect()
}

/// The fields of a map.
async fn fields(house: &House, map: &str) -> BTreeSet<RoomId> {
    house.store.map_fields(map).await.unwrap().iter().map(|name| RoomId::new(name).unwrap()).collect()
}

/// The rooms that stand in partitions.
async fn partitioned(house: &House) -> BTreeSet<RoomId> {
    let mut rooms = BTreeSet::new();
    for partition in Partition::all() {
        rooms.extend(fields(house, &partition.specs()).await);
    }
    rooms
}

/// Whom the earlier map of owners names.
async fn earlier_owners(house: &House) -> BTreeMap<RoomId, Option<NodeId>> {
    let owners = house.store.map_all(EARLIER_OWNERS).await.unwrap();
    let owner = |(name, owner): (String, Bytes)| {
        (RoomId::new(&name).unwrap(), serde_json::from_slice::<Owner>(&owner).unwrap().node)
    };
    owners.into_iter().map(owner).collect()
}

fn table() -> RoomSpec {
    RoomSpec::new("table", &TableConfig { name: "A table".into(), ..fast() })
}

/// Opens a table as the release before does.
async fn open_earlier(house: &House, rooms: &BTreeSet<RoomId>) {
    for room in rooms {
        house.store.map_set(EARLIER_SPECS, room.as_str(), table().to_bytes()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn opening_and_closing_a_thousand_rooms_moves_no_other() {
    let house = House::new();
    let played = rooms(60);
    house.open(60, &fast()).await;
    let workers = ["w1", "w2", "w3"];
    let _running = workers.map(|name| house.worker(name));
    until(&by_partition(&played, &workers), async || house.claimers(&played).await).await;
    sleep(Duration::from_secs(10)).await;
    let epochs = async || {
        let mut epochs = Vec::new();
        for room in &played {
            epochs.push(house.store.last(room).await.unwrap().unwrap().at.epoch());
        }
        epochs
    };
    let before = epochs().await;
    let others: BTreeSet<RoomId> = (61..=1_060).map(room).collect();
    let floor = house.ports("floor");
    for room in &others {
        assert!(open_room(&floor, room, &table(), Readers::OfThisRelease).await.unwrap());
    }
    until(&by_partition(&others, &workers), async || house.claimers(&others).await).await;
    for room in &others {
        directory::remove(&house.store, room).await.unwrap();
        let epoch = house.store.last(room).await.unwrap().unwrap().at.epoch();
        let closed = NodeNews::Closed { room: room.clone(), epoch };
        floor.bus.publish(&Channel::nodes(), encode(&closed)).await.unwrap();
    }
    sleep(Duration::from_secs(30)).await;
    assert_eq!(epochs().await, before, "no other room has changed hands");
    assert_eq!(partitioned(&house).await, played, "and what has ended is in no map");
}

/// To the last room: else the two would hand rooms to and fro.
#[tokio::test(start_paused = true)]
async fn beside_an_older_worker_rooms_are_shared_as_it_shares_them_and_the_maps_that_it_reads_are_right() {
    let house = House::new();
    let all = rooms(30);
    open_earlier(&house, &all).await;
    let old = OldWorker::start(&house, "old");
    until(&by_room(&all, &["old"]), async || house.claimers(&all).await).await;
    let _new = house.worker("w1");
    until(&by_room(&all, &["old", "w1"]), async || house.claimers(&all).await).await;
    until(&by_room(&all, &["old", "w1"]), async || earlier_owners(&house).await).await;
    // They are in their partitions already, and stay where the older one finds them.
    until(&all, async || partitioned(&house).await).await;
    assert_eq!(fields(&house, EARLIER_SPECS).await, all);
    // A new one is found by both.
    let more = rooms(33);
    for room in more.difference(&all) {
        assert!(open_room(&house.ports("floor"), room, &table(), Readers::OfAnyRelease).await.unwrap());
    }
    until(&by_room(&more, &["old", "w1"]), async || house.claimers(&more).await).await;
    let _newer = house.worker("w2");
    until(&by_room(&more, &["old", "w1", "w2"]), async || house.claimers(&more).await).await;
    sleep(Duration::from_secs(20)).await;
    assert_eq!(house.claimers(&more).await, by_room(&more, &["old", "w1", "w2"]), "and there they stay");
    assert_eq!(old.missed(), 0, "it has found every room that it was told of");
    // The last older one goes: partitions from now on.
    old.stop().await;
    until(&by_partition(&more, &["w1", "w2"]), async || house.claimers(&more).await).await;
    until(&BTreeSet::new(), async || fields(&house, EARLIER_SPECS).await).await;
    until(&BTreeMap::new(), async || earlier_owners(&house).await).await;
    assert_eq!(partitioned(&house).await, more);
    sleep(Duration::from_secs(20)).await;
    assert_eq!(house.claimers(&more).await, by_partition(&more, &["w1", "w2"]));
}

#[tokio::test(start_paused = true)]
async fn an_older_worker_that_is_killed_is_followed_by_the_new_ones_and_what_it_has_opened_is_found() {
    let house = House::new();
    let all = rooms(12);
    open_earlier(&house, &all).await;
    let old = OldWorker::start(&house, "old");
    let _new = [house.worker("w1"), house.worker("w2")];
    until(&by_room(&all, &["old", "w1", "w2"]), async || house.claimers(&all).await).await;
    // It opens three more where it alone would look, says nothing of it, and dies.
    let more = rooms(15);
    open_earlier(&house, &more).await;
    old.kill();
    until(&by_partition(&more, &["w1", "w2"]), async || house.claimers(&more).await).await;
    until(&BTreeSet::new(), async || fields(&house, EARLIER_SPECS).await).await;
    assert_eq!(partitioned(&house).await, more);
}

/// Going back: the older one finds nothing in the maps that it reads, until the others have written them.
#[tokio::test(start_paused = true)]
async fn an_older_worker_that_comes_finds_all_rooms() {
    let house = House::new();
    let all = rooms(24);
    house.open(24, &fast()).await;
    let _new = [house.worker("w1"), house.worker("w2")];
    until(&BTreeSet::new(), async || fields(&house, EARLIER_SPECS).await).await;
    let relay = Relay::new(&house, "r1", 1).await;
    let old = OldWorker::start(&house, "old");
    until(&all, async || fields(&house, EARLIER_SPECS).await).await;
    until(&by_room(&all, &["old", "w1", "w2"]), async || house.claimers(&all).await).await;
    until(&by_room(&all, &["old", "w1", "w2"]), async || earlier_owners(&house).await).await;
    assert_eq!(old.missed(), 0);
    old.kill();
    until(&by_partition(&all, &["w1", "w2"]), async || house.claimers(&all).await).await;
    // What was taken to and fro is as it was.
    assert_eq!(relay.sit(&room(1), "ann", 1, 100).await.code(), "applied");
    assert_eq!(relay.sit(&room(1), "bob", 2, 100).await.code(), "applied");
    play(&relay, &room(1), &[("ann", 1), ("bob", 2)], 2).await;
}

/// A relay looks rooms up, and has no part in who owns them.
#[tokio::test(start_paused = true)]
async fn for_an_older_relay_rooms_are_written_where_it_looks_and_partitions_stay() {
    let house = House::new();
    let all = rooms(20);
    house.open(20, &fast()).await;
    let _new = [house.worker("w1"), house.worker("w2")];
    until(&BTreeSet::new(), async || fields(&house, EARLIER_SPECS).await).await;
    until(&by_partition(&all, &["w1", "w2"]), async || house.claimers(&all).await).await;
    let relay = of_the_release_before(house.ports("old-relay"), node("old-relay"), Role::Relay);
    until(&all, async || fields(&house, EARLIER_SPECS).await).await;
    sleep(Duration::from_secs(30)).await;
    assert_eq!(fields(&house, EARLIER_SPECS).await, all, "as long as it lives");
    assert_eq!(house.claimers(&all).await, by_partition(&all, &["w1", "w2"]));
    drop(relay);
    until(&BTreeSet::new(), async || fields(&house, EARLIER_SPECS).await).await;
}

/// Whoever dies in the middle of it leaves every room in one of the maps.
#[tokio::test(start_paused = true)]
async fn no_crash_while_rooms_are_carried_over_loses_one() {
    let all = rooms(6);
    let mut died_in_the_middle = 0;
    for operations in 0..90 {
        // Its second round, in which it carries over: before that it reads all partitions once.
        let from = Instant::now() + Duration::from_millis(4_900);
        let dies = Arc::new(Dies { node: node("w1"), from, after: operations, done: AtomicU64::new(0) });
        let house = House::on(Wire::with_faults(dies.clone()));
        open_earlier(&house, &all).await;
        for room in &all {
            // They have been owned by somebody who is gone. What is known of it must not be lost either.
            let owner = Owner { node: None, epoch: Epoch(7) };
            house.store.map_set(EARLIER_OWNERS, room.as_str(), owner.to_bytes()).await.unwrap();
        }
        let first = house.worker("w1");
        sleep(Duration::from_secs(8)).await;
        let found = &fields(&house, EARLIER_SPECS).await | &partitioned(&house).await;
        assert_eq!(found, all, "after {operations}");
        let is_begun =
            !partitioned(&house).await.is_empty() || earlier_owners(&house).await.len() < all.len();
        let is_done = fields(&house, EARLIER_SPECS).await.is_empty();
        died_in_the_middle += u32::from(dies.has_died() && is_begun && !is_done);
        first.kill();
        let _second = house.worker("w2");
        until(&by_partition(&all, &["w2"]), async || house.claimers(&all).await).await;
        until(&BTreeSet::new(), async || fields(&house, EARLIER_SPECS).await).await;
        assert_eq!(partitioned(&house).await, all, "after {operations}");
        for room in &all {
            // That it was owned before, and has no journal, is told, unless the first has begun one and died.
            let entries = house.store.read(room, None, 10_000).await.unwrap();
            let entries: Vec<Entry> =
                entries.into_iter().map(|stored| Entry::decode(stored.bytes).unwrap()).collect();
            let tells = |entry: &Entry| String::from_utf8_lossy(&entry.public).contains("history_lost");
            let is_by_first = |entry: &Entry| entry.kind == Kind::Claim && entry.secret == "w1";
            assert!(entries.iter().any(|entry| tells(entry) || is_by_first(entry)), "after {operations}");
        }
    }
    assert!(died_in_the_middle > 10, "{died_in_the_middle}");
}

/// After so many operations on maps from some time on a node does nothing any more.
struct Dies {
    node: NodeId,
    from: Instant,
    after: u64,
    done: AtomicU64,
}

impl Dies {
    fn has_died(&self) -> bool {
        self.done.load(Ordering::Relaxed) > self.after
    }
}

impl Faults for Dies {
    fn operation(&self, node: &NodeId, operation: Operation) -> Fate {
        if *node != self.node {
            return Fate::FINE;
        }
        if operation == Operation::Map && Instant::now() >= self.from {
            self.done.fetch_add(1, Ordering::Relaxed);
        }
        if self.has_died() { Fate::HANGS } else { Fate::FINE }
    }

    fn delivery(&self, _from: &NodeId, _to: &NodeId, _channel: &str) -> Copies {
        one_copy()
    }
}

/// What a worker of the release before does about rooms: it reads the two maps, assigns rooms, claims, hands over. Tables it
/// takes and does not play.
struct OldWorker {
    state: Arc<Mutex<release_2::State>>,
    stopping: Arc<AtomicBool>,
    task: Option<tokio::task::JoinHandle<()>>,
    beating: Option<tokio_util::task::AbortOnDropHandle<()>>,
    ports: Ports,
    node: NodeId,
}

impl OldWorker {
    fn start(house: &House, name: &str) -> Self {
        let (ports, node) = (house.ports(name), node(name));
        let state = Arc::new(Mutex::new(release_2::State::default()));
        let stopping = Arc::new(AtomicBool::new(false));
        let work = release_2::work(ports.clone(), node.clone(), state.clone(), stopping.clone());
        let beating = of_the_release_before(ports.clone(), node.clone(), Role::Worker);
        Self { state, stopping, task: Some(tokio::spawn(work)), beating: Some(beating), ports, node }
    }

    /// How often it has found nothing under the name of a room that is its own.
    fn missed(&self) -> u32 {
        self.state.lock().missed
    }

    /// Hands over what it has, and says goodbye.
    async fn stop(mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.task.take().unwrap().await.unwrap();
        self.beating = None;
        let gone = NodeNews::Gone { node: self.node.clone() };
        self.ports.bus.publish(&Channel::nodes(), encode(&gone)).await.unwrap();
    }

    fn kill(self) {}
}

impl Drop for OldWorker {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
