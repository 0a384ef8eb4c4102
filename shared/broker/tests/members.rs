//! Who lives, under a paused clock and on a wire that is cut.

use std::sync::Arc;

use broker::{
    bus::memory::MemoryBus,
    clock::Clock,
    members::{Heard, Heartbeat, Members},
    node::{NodeNews, Role},
    ports::Ports,
    store::memory::MemoryStore,
    wire::{LinkState, Wire},
};
use parking_lot::Mutex;
use protocol::id::{NodeId, RoomId};
use tokio::time::{Duration, Instant, sleep};

struct World {
    wire: Arc<Wire>,
    bus: MemoryBus,
    store: MemoryStore,
}

struct Node {
    members: Members,
    heard: Arc<Mutex<Vec<Heard>>>,
}

fn id(name: &str) -> NodeId {
    NodeId::new(name).unwrap()
}

impl World {
    fn new() -> Self {
        let (wire, first) = (Wire::perfect(), id("first"));
        let (bus, store) = (MemoryBus::new(wire.clone(), &first), MemoryStore::new(wire.clone(), &first));
        Self { wire, bus, store }
    }

    fn node(&self, name: &str, role: Role) -> Node {
        let me = id(name);
        let ports = Ports {
            bus: Arc::new(self.bus.handle(&me)),
            store: Arc::new(self.store.handle(&me)),
            clock: Clock::starting_at(0),
        };
        let heard = Arc::new(Mutex::new(Vec::new()));
        let tell = {
            let heard = heard.clone();
            move |news| heard.lock().push(news)
        };
        Node { members: Members::start(ports, me, role, Heartbeat::default(), tell), heard }
    }

    fn set(&self, name: &str, state: LinkState) {
        self.wire.link(&id(name)).set(state);
    }
}

impl Node {
    fn sees(&self, names: &[&str]) -> bool {
        let membership = self.members.membership();
        membership.nodes.keys().map(NodeId::as_str).eq(names.iter().copied())
    }

    /// Waits, in virtual time, until it sees exactly these nodes. Answers how long that took, milliseconds.
    async fn until_sees(&self, names: &[&str]) -> u128 {
        let since = Instant::now();
        let mut changes = self.members.watch();
        while !self.sees(names) {
            let waited = tokio::time::timeout(Duration::from_secs(60), changes.changed()).await;
            waited
                .unwrap_or_else(|_| panic!("{:?} instead of {names:?}", self.members.membership()))
                .unwrap();
        }
        since.elapsed().as_millis()
    }
}

#[tokio::test(start_paused = true)]
async fn nodes_find_each_other_within_a_beat_and_then_are_settled() {
    let world = World::new();
    let (one, two) = (world.node("r1", Role::Relay), world.node("w1", Role::Worker));
    assert!(one.until_sees(&["r1", "w1"]).await <= 500);
    two.until_sees(&["r1", "w1"]).await;
    assert!(!one.members.membership().settled);
    let mut changes = one.members.watch();
    changes.wait_for(|membership| membership.settled).await.unwrap();
    let membership = one.members.membership();
    assert!(
        membership.living(Role::Relay).eq([&id("r1")]) && membership.living(Role::Worker).eq([&id("w1")])
    );
}

#[tokio::test(start_paused = true)]
async fn a_killed_node_is_dead_after_the_term_and_not_before() {
    let world = World::new();
    let (one, _two) = (world.node("w1", Role::Worker), world.node("w2", Role::Worker));
    one.until_sees(&["w1", "w2"]).await;
    world.set("w2", LinkState::Dead);
    let took = one.until_sees(&["w1"]).await;
    assert!((1_500..=2_600).contains(&took), "{took} ms");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_says_goodbye_is_gone_at_once_and_a_late_beat_does_not_bring_it_back() {
    let world = World::new();
    let (one, two) = (world.node("w1", Role::Worker), world.node("w2", Role::Worker));
    one.until_sees(&["w1", "w2"]).await;
    two.members.leave().await.unwrap();
    assert_eq!(one.until_sees(&["w1"]).await, 0);
    let late = NodeNews::Beat {
        node: id("w2"),
        role: Role::Worker,
        beat: 99,
        sent_ms: 0,
        draining: false,
        speaks: 1,
        missed: 0,
        spares: false,
        door: None,
    };
    one.members.announce(&late).await.unwrap();
    sleep(Duration::from_secs(10)).await;
    assert!(one.sees(&["w1"]));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_hears_nobody_calls_nobody_dead_and_is_not_ready() {
    let world = World::new();
    let (one, two) = (world.node("w1", Role::Worker), world.node("w2", Role::Worker));
    one.until_sees(&["w1", "w2"]).await;
    let mut observed = one.members.observed();
    observed.wait_for(|observed| observed.is_ready()).await.unwrap();
    for cut in [LinkState::Refusing, LinkState::Silent, LinkState::Held] {
        world.set("w1", cut);
        sleep(Duration::from_secs(10)).await;
        assert!(one.sees(&["w1", "w2"]) && one.members.membership().cut_off, "{cut:?}");
        // Of a node that only does not hear, the others hear all the same.
        let others_see: &[&str] = if cut == LinkState::Silent { &["w1", "w2"] } else { &["w2"] };
        two.until_sees(others_see).await;
        assert!(!one.members.observed().borrow().is_ready(), "{cut:?}");
        world.set("w1", LinkState::Up);
        // Back again: the other has its full term, and nobody was lost on the way.
        two.until_sees(&["w1", "w2"]).await;
        let mut observed = one.members.observed();
        observed.wait_for(|observed| observed.is_ready()).await.unwrap();
        assert!(one.sees(&["w1", "w2"]), "{cut:?}");
    }
    assert!(one.heard.lock().contains(&Heard::Missed));
}

#[tokio::test(start_paused = true)]
async fn draining_is_told_at_once() {
    let world = World::new();
    let (one, two) = (world.node("w1", Role::Worker), world.node("w2", Role::Worker));
    one.until_sees(&["w1", "w2"]).await;
    let mut changes = one.members.watch();
    two.members.set_draining(true);
    let since = Instant::now();
    changes.wait_for(|membership| membership.staying(Role::Worker).count() == 1).await.unwrap();
    assert_eq!(since.elapsed().as_millis(), 0);
    assert_eq!(one.members.membership().living(Role::Worker).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn news_reach_everybody_and_a_dropped_node_falls_silent() {
    let world = World::new();
    let (one, two) = (world.node("w1", Role::Worker), world.node("w2", Role::Worker));
    one.until_sees(&["w1", "w2"]).await;
    two.until_sees(&["w1", "w2"]).await;
    let news = NodeNews::Opened { room: RoomId::new("t1").unwrap() };
    one.members.announce(&news).await.unwrap();
    sleep(Duration::from_millis(1)).await;
    for node in [&one, &two] {
        assert_eq!(*node.heard.lock(), [Heard::News(news.clone())]);
    }
    drop(two);
    one.until_sees(&["w1"]).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_node_may_have_missed_is_told_to_all_once() {
    let world = World::new();
    let (one, two) = (world.node("r1", Role::Relay), world.node("w1", Role::Worker));
    one.until_sees(&["r1", "w1"]).await;
    let missed = two.members.missed();
    for _ in 0..2 {
        missed();
        sleep(Duration::from_secs(5)).await;
    }
    assert_eq!(*one.heard.lock(), [Heard::MissedBy(id("w1")), Heard::MissedBy(id("w1"))]);
    // Who comes later has nothing to make up for.
    let three = world.node("r2", Role::Relay);
    three.until_sees(&["r1", "r2", "w1"]).await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(*three.heard.lock(), []);
    // Nor does a beat that is lost hide it.
    world.set("r1", LinkState::Silent);
    missed();
    sleep(Duration::from_secs(1)).await;
    world.set("r1", LinkState::Up);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(one.heard.lock().last(), Some(&Heard::MissedBy(id("w1"))));
    assert_eq!(one.heard.lock().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_was_taken_for_dead_and_lives_is_told() {
    let world = World::new();
    let (one, two) = (world.node("r1", Role::Relay), world.node("w1", Role::Worker));
    one.until_sees(&["r1", "w1"]).await;
    two.until_sees(&["r1", "w1"]).await;
    world.set("r1", LinkState::Held);
    two.until_sees(&["w1"]).await;
    world.set("r1", LinkState::Up);
    two.until_sees(&["r1", "w1"]).await;
    sleep(Duration::from_secs(1)).await;
    assert!(one.heard.lock().contains(&Heard::MissedBy(id("w1"))), "{:?}", one.heard.lock());
}
