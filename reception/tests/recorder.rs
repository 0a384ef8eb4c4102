//! Hands that are over are written down once each, whoever dies meanwhile, and however often they come.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use broker::{
    clock::Clock,
    queue::{Queue, maps::MapsQueue},
    seal::{Form, SealKey, Sealer},
    store::memory::MemoryStore,
    wire::Wire,
};
use bytes::Bytes;
use cage::{
    DbError,
    history::{self, Period, Sum, Written, find},
    inline::Inline,
};
use hands::{
    HandRecord, QUEUE, Sent,
    record::{Begun, chained},
    testing::{START_MS, chain, hand},
};
use protocol::id::{NodeId, Position, RoomId, UserId};
use reception::recorder::{Recorder, Writes, Writing};

/// A database in memory that may be away, and takes nothing of a hand of this number.
struct Books {
    database: Inline,
    is_away: AtomicBool,
    refuses: Option<u64>,
    /// Says that it has written, and has not.
    lies: bool,
    writes: AtomicU32,
}

impl Books {
    fn new() -> Self {
        let writes = AtomicU32::new(0);
        Self { database: Inline::open(), is_away: AtomicBool::new(false), refuses: None, lies: false, writes }
    }

    fn numbers(&self) -> Vec<(u64, bool)> {
        let hands = self.database.run(|tx| tx.run("SELECT number, void FROM hand ORDER BY epoch, seq", &[]));
        hands.unwrap().iter().map(|row| (row.count(0).unwrap(), row.int(1).unwrap() == 1)).collect()
    }
}

impl Writes for Books {
    fn write(&self, hands: Vec<history::NewHand>) -> Writing<'_> {
        self.writes.fetch_add(1, SeqCst);
        let written = if self.is_away.load(SeqCst) {
            Err(DbError::Away("nobody there".into()))
        } else if hands.iter().any(|hand| Some(hand.record.number) == self.refuses) {
            Err(DbError::Refused("not this one".into()))
        } else if self.lies {
            Ok(vec![Written { is_new: true, ..Written::default() }; hands.len()])
        } else {
            self.database.run(|tx| hands.iter().map(|hand| history::keep(tx, hand)).collect())
        };
        Box::pin(async { written })
    }
}

struct World {
    queue: Arc<dyn Queue>,
    sealer: Arc<Sealer>,
    books: Arc<Books>,
}

impl World {
    fn new(books: Books) -> Self {
        let node = NodeId::new("n1").unwrap();
        let store = Arc::new(MemoryStore::new(Wire::perfect(), &node));
        let queue = Arc::new(MapsQueue::new(store, Clock::starting_at(START_MS), node));
        Self { queue, sealer: Arc::new(Sealer::new(&SealKey::random())), books: Arc::new(books) }
    }

    fn recorder(&self, name: &str) -> Recorder {
        let clock = Clock::starting_at(START_MS);
        Recorder::new(self.queue.clone(), self.sealer.clone(), self.books.clone(), clock, name.into())
    }

    async fn push(&self, at: Position, record: &HandRecord) {
        let room = room();
        let sealed = self.sealer.seal(&room, at, Form::Versioned, &record.write());
        self.queue.push(QUEUE, Sent { room, at, sealed, late_ms: 0 }.write()).await.unwrap();
    }

    async fn until_empty(&self) {
        loop {
            let lag = self.queue.lag(QUEUE).await.unwrap();
            if lag.waiting + lag.taken == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn room() -> RoomId {
    RoomId::new("t1").unwrap()
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn at(epoch: u64, seq: u64) -> Position {
    Position::new(epoch, seq)
}

#[tokio::test(start_paused = true)]
async fn a_hand_that_comes_often_is_written_once_and_counts_once() {
    let world = World::new(Books::new());
    for hand in chain(70) {
        for _ in 0..=hand.number % 3 {
            world.push(at(1, hand.number * 10), &hand).await;
        }
    }
    let recording = [world.recorder("a"), world.recorder("b")].map(|recorder| tokio::spawn(recorder.run()));
    world.until_empty().await;
    recording.iter().for_each(|task| task.abort());
    let expected: Vec<_> = (1..=70).map(|number| (number, false)).collect();
    assert_eq!(world.books.numbers(), expected);
    let period = Period { from_ms: 0, to_ms: u64::MAX };
    let sums = world.books.database.run(|tx| history::sums(tx, &user("ann"), period, None)).unwrap();
    let [Sum { game, currency: None, tally }] = &sums[..] else { panic!("{sums:?}") };
    assert_eq!((game.as_str(), tally.hands, tally.showdowns), ("nlhe 1/2", 70, 70));
    let other = world.books.database.run(|tx| history::sums(tx, &user("bob"), period, None)).unwrap();
    assert_eq!(tally.net + other[0].tally.net, 0);
}

#[tokio::test(start_paused = true)]
async fn while_the_database_is_away_nothing_is_lost_and_nothing_is_put_aside() {
    let world = World::new(Books::new());
    let hands = chain(5);
    world.push(at(1, 1), &hands[0]).await;
    let first = tokio::spawn(world.recorder("a").run());
    world.until_empty().await;
    world.books.is_away.store(true, SeqCst);
    for hand in &hands[1..] {
        world.push(at(1, hand.number), hand).await;
    }
    // Recorders die and come, for an hour.
    first.abort();
    for n in 0..60 {
        let another = tokio::spawn(world.recorder(&format!("r{n}")).run());
        tokio::time::sleep(Duration::from_secs(60)).await;
        another.abort();
    }
    world.books.is_away.store(false, SeqCst);
    let last = tokio::spawn(world.recorder("z").run());
    world.until_empty().await;
    last.abort();
    assert_eq!(world.books.numbers().len(), 5);
    assert_eq!(world.queue.lag(QUEUE).await.unwrap().dead, 0);
}

#[tokio::test(start_paused = true)]
async fn who_dies_with_hands_that_he_has_taken_leaves_them_to_others() {
    let world = World::new(Books::new());
    for hand in chain(3) {
        world.push(at(1, hand.number), &hand).await;
    }
    assert_eq!(world.queue.take(QUEUE, "who dies", 10, Duration::ZERO).await.unwrap().len(), 3);
    let recording = tokio::spawn(world.recorder("a").run());
    world.until_empty().await;
    recording.abort();
    assert_eq!(world.books.numbers().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_hand_that_nobody_can_write_is_put_aside_and_holds_up_no_other() {
    let world = World::new(Books { refuses: Some(2), ..Books::new() });
    for hand in chain(4) {
        world.push(at(1, hand.number), &hand).await;
    }
    world.queue.push(QUEUE, Bytes::from_static(b"nonsense")).await.unwrap();
    let recording = tokio::spawn(world.recorder("a").run());
    world.until_empty().await;
    recording.abort();
    assert_eq!(world.books.numbers(), [(1, false), (3, false), (4, false)]);
    assert_eq!(world.queue.lag(QUEUE).await.unwrap().dead, 2);
}

/// The judge of what was recorded: each hand that was told stands in the books, or is told to be dead.
async fn is_kept(world: &World, told: usize) -> bool {
    let dead = usize::try_from(world.queue.lag(QUEUE).await.unwrap().dead).unwrap();
    world.books.numbers().len() + dead == told
}

#[tokio::test(start_paused = true)]
async fn a_recorder_that_says_done_before_it_is_written_is_found_out() {
    for lies in [false, true] {
        let world = World::new(Books { lies, ..Books::new() });
        for hand in chain(3) {
            world.push(at(1, hand.number), &hand).await;
        }
        let recording = tokio::spawn(world.recorder("a").run());
        world.until_empty().await;
        recording.abort();
        assert_eq!(is_kept(&world, 3).await, !lies);
    }
}

#[test]
fn hands_of_a_branch_that_is_lost_are_void_in_whichever_order_they_come() {
    let common = chain(2);
    let lost: Vec<_> = [3, 4]
        .into_iter()
        .scan(common[1].hash, |prev, number| {
            let hand = HandRecord { table: "lost".into(), ..hand(number, *prev) };
            *prev = hand.hash;
            Some(hand)
        })
        .collect();
    // The table went on from hand 2, in another epoch.
    let went_on: Vec<_> = [3, 4, 5]
        .into_iter()
        .scan(common[1].hash, |prev, number| {
            let hand = hand(number + 100, *prev);
            let begun =
                Begun { number, started_ms: hand.started_ms, setup: &hand.setup, players: &hand.players };
            let hash = chained(prev, begun, &hand.events, hand.ended_ms);
            *prev = hash;
            Some(HandRecord { number, hash, ..hand })
        })
        .collect();
    let named = |epoch: u64, hands: &[HandRecord]| -> Vec<history::NewHand> {
        hands
            .iter()
            .map(|record| history::NewHand {
                room: room(),
                at: at(epoch, record.number * 10),
                record: record.clone(),
                late_ms: 0,
            })
            .collect()
    };
    let all: Vec<_> = [named(1, &common), named(1, &lost), named(2, &went_on)].concat();
    let orders: [&[usize]; 4] =
        [&[0, 1, 2, 3, 4, 5, 6], &[0, 1, 4, 5, 6, 2, 3], &[0, 1, 4, 3, 2, 6, 5], &[1, 0, 2, 4, 3, 5, 6]];
    for order in orders {
        let database = Inline::open();
        for index in order {
            database.run(|tx| history::keep(tx, &all[*index])).unwrap();
            assert!(!database.run(|tx| history::keep(tx, &all[*index])).unwrap().is_new, "once");
        }
        let found =
            database.run(|tx| find::of_player(tx, &user("ann"), &find::Filter::default(), 100)).unwrap();
        let mut found: Vec<_> = found.iter().map(|line| (line.hand.name.at, line.hand.is_void)).collect();
        found.sort_unstable();
        let expected: Vec<_> = all.iter().map(|hand| (hand.at, hand.record.table == "lost")).collect();
        assert_eq!(found, expected, "in order {order:?}");
    }
}

#[test]
fn a_missing_hand_is_a_gap_and_a_table_that_begins_anew_voids_nothing() {
    let database = Inline::open();
    let keep = |epoch: u64, record: &HandRecord| {
        let new = history::NewHand {
            room: room(),
            at: at(epoch, record.number),
            record: record.clone(),
            late_ms: 0,
        };
        database.run(|tx| history::keep(tx, &new)).unwrap()
    };
    let hands = chain(4);
    assert!(!keep(1, &hands[0]).is_gap);
    assert!(keep(1, &hands[2]).is_gap, "the second is missing");
    assert_eq!(keep(1, &hands[3]), Written { is_new: true, is_gap: false, voided: 0 });
    assert_eq!(keep(9, &hands[0]), Written { is_new: true, is_gap: false, voided: 0 });
}

#[test]
fn what_was_played_stays_as_it_was_and_old_hands_are_forgotten() {
    let database = Inline::open();
    for record in chain(6) {
        let new = history::NewHand { room: room(), at: at(1, record.number), record, late_ms: 0 };
        database.run(|tx| history::keep(tx, &new)).unwrap();
    }
    for change in [
        "UPDATE hand SET record = zeroblob(9)",
        "UPDATE hand SET number = number + 1",
        "UPDATE hand SET hash = zeroblob(32)",
    ] {
        assert!(database.run(|tx| tx.run(change, &[])).is_err(), "{change}");
    }
    let before = START_MS + 4_000;
    assert_eq!(database.run(|tx| history::forget(tx, before, 2)).unwrap(), 2);
    assert_eq!(database.run(|tx| history::forget(tx, before, 2)).unwrap(), 1);
    assert_eq!(database.run(|tx| history::forget(tx, before, 2)).unwrap(), 0);
    let found = database.run(|tx| find::of_player(tx, &user("bob"), &find::Filter::default(), 100)).unwrap();
    assert_eq!(found.iter().map(|line| line.hand.record.number).collect::<Vec<_>>(), [6, 5, 4]);
}
