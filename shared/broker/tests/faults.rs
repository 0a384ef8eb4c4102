//! What the memory adapters do when things go wrong on the wire, and that a seed repeats it.

use std::sync::Arc;

use broker::{
    bus::{Bus, Receiver, memory::MemoryBus},
    channel::Channel,
    store::{AppendError, Store, memory::MemoryStore},
    wire::{
        LinkState, Wire,
        fault::{Copies, Fate, Faults, Operation, one_copy},
        seeded::{Rates, SeededFaults},
    },
};
use bytes::Bytes;
use parking_lot::Mutex;
use protocol::id::{NodeId, Position, RoomId};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tokio::time::{Duration, Instant, sleep, timeout};

fn id(name: &str) -> NodeId {
    NodeId::new(name).unwrap()
}

fn room() -> RoomId {
    RoomId::new("t1").unwrap()
}

/// Faults told one by one.
struct Told(Mutex<Fate>);

impl Faults for Told {
    fn operation(&self, _: &NodeId, _: Operation) -> Fate {
        std::mem::replace(&mut *self.0.lock(), Fate::FINE)
    }

    fn delivery(&self, _: &NodeId, _: &NodeId, _: &str) -> Copies {
        one_copy()
    }
}

#[derive(Default)]
struct Inbox {
    got: Mutex<Vec<(Duration, Bytes)>>,
    missed: Mutex<usize>,
    since: Mutex<Option<Instant>>,
}

impl Receiver for Inbox {
    fn deliver(&self, _: &str, payload: Bytes) {
        let since = *self.since.lock().get_or_insert_with(Instant::now);
        self.got.lock().push((since.elapsed(), payload));
    }

    fn missed(&self) {
        *self.missed.lock() += 1;
    }
}

async fn append(store: &MemoryStore, seq: u64) -> Result<(), AppendError> {
    store.append(&room(), Position::new(1, seq), Bytes::from_static(b"x"), None).await
}

async fn length(store: &MemoryStore) -> usize {
    store.read(&room(), None, 1_000).await.unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn an_append_fails_before_or_after_it_is_applied_or_never_ends() {
    let told = Arc::new(Told(Mutex::new(Fate::FINE)));
    let store = MemoryStore::new(Wire::with_faults(told.clone()), &id("w1"));
    *told.0.lock() = Fate::REFUSED;
    assert!(matches!(append(&store, 1).await, Err(AppendError::Unavailable(_))));
    assert_eq!(length(&store).await, 0);

    *told.0.lock() = Fate::ANSWER_LOST;
    assert!(matches!(append(&store, 1).await, Err(AppendError::Unavailable(_))));
    assert_eq!(length(&store).await, 1);
    assert_eq!(append(&store, 1).await, Err(AppendError::Fenced));

    *told.0.lock() = Fate::HANGS;
    assert!(timeout(Duration::from_secs(3_600), append(&store, 2)).await.is_err());

    *told.0.lock() = Fate { before: Duration::from_millis(7), after: Duration::from_millis(5), ..Fate::FINE };
    let since = Instant::now();
    append(&store, 2).await.unwrap();
    assert_eq!(since.elapsed().as_millis(), 12);
}

#[tokio::test]
async fn a_lost_suffix_is_as_if_the_last_writes_had_never_been() {
    let told = Arc::new(Told(Mutex::new(Fate::FINE)));
    let store = MemoryStore::new(Wire::with_faults(told), &id("w1"));
    for seq in 1..=4 {
        append(&store, seq).await.unwrap();
    }
    store.map_set("m", "f", Bytes::from_static(b"old")).await.unwrap();
    let (before, generation) = (store.read(&room(), None, 10).await.unwrap(), store.generation());
    // Three writes to lose: one of them trims the journal, one changes a field.
    store.append(&room(), Position::new(2, 0), Bytes::new(), Some(Position::new(1, 4))).await.unwrap();
    store.map_remove("m", "f").await.unwrap();
    store.append(&room(), Position::new(2, 5), Bytes::new(), None).await.unwrap();
    assert_eq!(store.lose_suffix(3), 3);
    assert_eq!(store.read(&room(), None, 10).await.unwrap(), before);
    assert_eq!(store.map_get("m", "f").await.unwrap().unwrap(), "old");
    assert_ne!(store.generation(), generation);
    // The fence is lost with what set it.
    append(&store, 5).await.unwrap();
    assert_eq!(store.lose_suffix(100), 6);
    assert_eq!(length(&store).await, 0);
}

#[tokio::test(start_paused = true)]
async fn links_refuse_hold_fall_silent_and_die_one_node_at_a_time() {
    let wire = Wire::perfect();
    let (here, store) = (MemoryBus::new(wire.clone(), &id("a")), MemoryStore::new(wire.clone(), &id("b")));
    let there = here.handle(&id("b"));
    let inbox = Arc::new(Inbox::default());
    let subscription = there.subscriber(inbox.clone());
    let channel = Channel::nodes();
    subscription.subscribe(&channel).await.unwrap();
    let publish = || here.publish(&channel, Bytes::from_static(b"x"));
    let got = || inbox.got.lock().len();
    let settle = || sleep(Duration::from_millis(1));

    there.link().set(LinkState::Silent);
    publish().await.unwrap();
    there.link().heal();
    settle().await;
    assert_eq!((got(), *inbox.missed.lock()), (0, 0), "and nobody tells it");

    there.link().set(LinkState::Refusing);
    publish().await.unwrap();
    assert!(there.publish(&channel, Bytes::new()).await.is_err() && append(&store, 1).await.is_err());
    let generation = store.generation();
    there.link().heal();
    settle().await;
    assert_eq!((got(), *inbox.missed.lock()), (0, 1));
    assert_ne!(store.generation(), generation);

    there.link().set(LinkState::Held);
    publish().await.unwrap();
    let held = tokio::spawn({
        let store = store.clone();
        async move { append(&store, 1).await }
    });
    sleep(Duration::from_secs(3_600)).await;
    assert!(!held.is_finished() && got() == 0);
    there.link().heal();
    held.await.unwrap().unwrap();
    settle().await;
    assert_eq!(got(), 1, "a stopped process finds its messages when it goes on");

    there.link().kill();
    there.link().heal();
    assert_eq!(there.link().state(), LinkState::Dead);
    publish().await.unwrap();
    settle().await;
    assert_eq!(got(), 1);
    assert!(timeout(Duration::from_secs(3_600), append(&store, 2)).await.is_err());
}

#[tokio::test]
async fn a_full_queue_drops_and_says_so() {
    let bus = MemoryBus::with_queue(Wire::perfect(), &id("a"), 10);
    let inbox = Arc::new(Inbox::default());
    let subscription = bus.subscriber(inbox.clone());
    let channel = Channel::nodes();
    subscription.subscribe(&channel).await.unwrap();
    for _ in 0..15 {
        bus.publish(&channel, Bytes::from_static(b"x")).await.unwrap();
    }
    while *inbox.missed.lock() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(inbox.got.lock().len(), 10);
    bus.publish(&channel, Bytes::from_static(b"y")).await.unwrap();
    while inbox.got.lock().len() < 11 {
        tokio::task::yield_now().await;
    }
}

/// What came when, of so many publications under faults.
async fn run(seed: u64) -> (Vec<(Duration, Bytes)>, usize) {
    const MESSAGES: u32 = 2_000;
    let rates = Rates {
        refused: 0.05,
        answer_lost: 0.05,
        slow: 0.1,
        slow_max: Duration::from_millis(20),
        dropped: 0.1,
        duplicated: 0.1,
        late: 0.2,
        late_max: Duration::from_millis(300),
        ..Rates::default()
    };
    let faults = Arc::new(SeededFaults::new(ChaCha8Rng::seed_from_u64(seed), Rates::default()));
    let bus = MemoryBus::new(Wire::with_faults(faults.clone()), &id("a"));
    let inbox = Arc::new(Inbox::default());
    let subscription = bus.handle(&id("b")).subscriber(inbox.clone());
    let channel = Channel::nodes();
    subscription.subscribe(&channel).await.unwrap();
    *inbox.since.lock() = Some(Instant::now());
    faults.set_rates(rates);
    let mut failed = 0;
    for number in 0..MESSAGES {
        let sent = bus.publish(&channel, Bytes::copy_from_slice(&number.to_le_bytes())).await;
        failed += usize::from(sent.is_err());
        sleep(Duration::from_millis(1)).await;
    }
    sleep(Duration::from_secs(1)).await;
    let got = inbox.got.lock().clone();
    (got, failed)
}

#[tokio::test(start_paused = true)]
async fn a_seed_repeats_every_loss_duplicate_and_delay() {
    let (first, failed) = run(7).await;
    assert_eq!((first.clone(), failed), run(7).await);
    assert_ne!(first, run(8).await.0);
    assert!((100..300).contains(&failed), "{failed}");
    let mut numbers: Vec<_> = first.iter().map(|(_, payload)| payload.clone()).collect();
    let as_they_came = numbers.clone();
    numbers.sort_by_key(|bytes| u32::from_le_bytes(bytes.as_ref().try_into().unwrap()));
    assert_ne!(numbers, as_they_came, "late ones are overtaken");
    let copies = numbers.len();
    numbers.dedup();
    assert!(copies > numbers.len() && numbers.len() < 1_900, "{copies} copies of {}", numbers.len());
}
