//! A room whose rail is shown it late: what its entries say, and how long its journal is kept.

mod support;

use broker::{
    directory::{self, Partition},
    entry::{Entry, Kind},
    node::RoomSpec,
    store::Store,
};
use dealer_worker::{Opening, kinds, open_queue, open_tables, schedule};
use protocol::{
    id::{Position, RoomId},
    rail::RailConfig,
    talk::beside,
};
use rooms::{
    Bounds,
    testing::{Counter, counter::Settings},
};
use serde_json::json;
use tokio::time::{Duration, sleep};

use support::{House, Relay, Running, fast, room, until, user};

/// How late it is shown.
const DELAY_MS: u32 = 120_000;

/// Entries are kept so much longer than that.
const LONGER_MS: u64 = 60_000;

async fn house() -> House {
    let house = House { kinds: kinds().with::<Counter>(), ..House::new() };
    let spec = RoomSpec::new("counter", &Settings::default()).with_rail(RailConfig::late(DELAY_MS));
    house.open_room(&spec).await;
    house
}

fn worker(house: &House, name: &str) -> Running {
    house.worker_with(name, house.config_within(name, Bounds { keyframe_every: 4, ..Bounds::default() }))
}

async fn entries(house: &House) -> Vec<Entry> {
    let journal = house.store.read(&room(1), None, 100_000).await.unwrap();
    journal.into_iter().map(|stored| Entry::decode(stored.bytes).unwrap()).collect()
}

async fn says(relay: &Relay, name: &str, what: serde_json::Value) {
    let n = relay.next_n();
    assert_eq!(relay.command(&room(1), &user(name), 1, n, what).await.code(), "applied");
}

#[tokio::test(start_paused = true)]
async fn each_entry_says_how_late_it_is_shown_and_who_is_live() {
    let house = house().await;
    let _worker = worker(&house, "w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    says(&relay, "ann", json!({"a": "add", "by": 5})).await;
    says(&relay, "bob", json!({"a": "add", "by": 3})).await;
    says(&relay, "bob", json!({"a": "leave"})).await;
    says(&relay, "ann", json!({"a": "add", "by": 1})).await;
    let live: Vec<(Kind, Vec<String>)> = entries(&house)
        .await
        .into_iter()
        .filter(|entry| entry.kind != Kind::Claim)
        .map(|entry| {
            let delay = entry.delay.expect("an entry of a room that is shown late says so");
            assert_eq!(delay.ms, DELAY_MS);
            assert!(entry.at_ms.is_some(), "from when on it counts");
            (entry.kind, delay.live.iter().map(ToString::to_string).collect())
        })
        .collect();
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let expected = [
        (Kind::Keyframe, names(&[])),
        (Kind::Delta, names(&["ann"])),
        (Kind::Delta, names(&["ann", "bob"])),
        (Kind::Delta, names(&["ann", "bob"])),
        (Kind::Delta, names(&["ann"])),
        (Kind::Keyframe, names(&["ann"])),
    ];
    assert_eq!(live, expected);
}

/// Over takeovers, too, of which none costs what the rail has not seen.
#[tokio::test(start_paused = true)]
async fn a_journal_is_kept_from_a_keyframe_that_is_older_than_the_delay() {
    let house = house().await;
    let mut worker_now = worker(&house, "w0");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    let mut trimmed = false;
    for round in 1..=130_u64 {
        says(&relay, "ann", json!({"a": "add", "by": 1})).await;
        sleep(Duration::from_secs(5)).await;
        if round.is_multiple_of(45) {
            worker_now.kill();
            worker_now = worker(&house, &format!("w{round}"));
        }
        let entries = entries(&house).await;
        let now_ms = house.ports("judge").clock.now_ms();
        let first = entries.iter().find(|entry| entry.kind != Kind::Claim).unwrap();
        assert_eq!(first.kind, Kind::Keyframe);
        trimmed |= first.at.seq().0 > 1;
        let is_first = first.at.seq().0 == 1;
        let is_old = first.at_ms.unwrap() + u64::from(DELAY_MS) + LONGER_MS <= now_ms;
        assert!(is_first || is_old, "round {round}: kept from {} on", first.at);
        let seqs = entries.iter().filter(|entry| entry.kind != Kind::Claim).map(|entry| entry.at.seq().0);
        assert!(seqs.clone().zip(seqs.skip(1)).all(|(one, next)| next == one + 1), "without a hole");
    }
    assert!(trimmed, "and no longer than that");
}

#[tokio::test(start_paused = true)]
async fn a_room_that_the_map_of_rooms_has_lost_stays_late() {
    let house = house().await;
    let first = worker(&house, "w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    says(&relay, "ann", json!({"a": "add", "by": 5})).await;
    house.store.map_remove(&Partition::of(&room(1)).specs(), room(1).as_str()).await.unwrap();
    first.kill();
    let _second = worker(&house, "w2");
    relay.until(&room(1), |room| room.epochs.len() >= 2).await;
    let entries = entries(&house).await;
    let last = entries.last().unwrap();
    assert!(last.at > Position::new(entries[0].at.epoch().0 + 1, 0));
    assert_eq!(last.delay.as_ref().map(|delay| delay.ms), Some(DELAY_MS));
}

/// How late the map of rooms says that a room is shown; nothing if there is none of the name.
async fn spec_of(house: &House, room: &RoomId) -> Option<RailConfig> {
    let spec = directory::spec(&*house.ports("judge").store, room).await.unwrap()?;
    Some(serde_json::from_slice::<RoomSpec>(&spec).unwrap().rail)
}

#[tokio::test(start_paused = true)]
async fn what_is_said_beside_a_table_is_shown_as_late_to_everybody() {
    let house = House::new();
    let rail = RailConfig::late(DELAY_MS);
    open_tables(&house.ports("floor"), 1, &Opening { rail, ..Opening::of(fast()) }).await.unwrap();
    let talk = beside(&room(1)).unwrap();
    assert_eq!(spec_of(&house, &talk).await, Some(rail));
    let relay = Relay::new(&house, "r1", 1).await;
    relay.hear(&talk).await;
    let _worker = worker(&house, "w1");
    for room in [&room(1), &talk] {
        relay.owned(room).await;
    }
    assert_eq!(relay.sit(&room(1), "ann", 1, 200).await.code(), "applied");
    let n = relay.next_n();
    let says = json!({"a": "say", "text": "aces on the board"});
    assert_eq!(relay.command(&talk, &user("ann"), 1, n, says).await.code(), "applied");
    let said = house.store.read(&talk, None, 100).await.unwrap();
    let said = Entry::decode(said.last().unwrap().bytes.clone()).unwrap();
    assert!(said.due_ms() >= said.at_ms.unwrap() + u64::from(DELAY_MS));
    assert_eq!(said.delay.unwrap().live, [], "not to her either: it does not know who sits");
}

#[tokio::test(start_paused = true)]
async fn what_a_room_opens_is_shown_as_late_as_that() {
    let house = house().await;
    let _worker = worker(&house, "w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    says(&relay, "ann", json!({"a": "open", "room": room(2)})).await;
    until(&Some(RailConfig::late(DELAY_MS)), async || spec_of(&house, &room(2)).await).await;
}

/// Their players must see them; so they are live, and their tables are not.
#[tokio::test(start_paused = true)]
async fn tournaments_and_queues_are_live_and_their_tables_late() {
    let house = House::new();
    let ports = house.ports("floor");
    let text = r#"[{"id": "duel", "rail": {"delay_ms": 120000}, "preset": {"seats": 2, "speed": "hyper"}}]"#;
    assert_eq!(schedule::open(&ports, &schedule::read(text).unwrap()).await.unwrap().opened, 1);
    let queue = RoomId::new("queue-1").unwrap();
    let settings =
        queue::Settings { id: queue.clone(), table: fast(), opens_at: 2, tables_max: 1, idle_ms: 60_000 };
    open_queue(&ports, &settings, RailConfig::late(DELAY_MS)).await.unwrap();
    let duel = RoomId::new("duel-1").unwrap();
    let relay = Relay::new(&house, "r1", 1).await;
    for room in [&duel, &queue] {
        relay.hear(room).await;
    }
    let _worker = worker(&house, "w1");
    for (name, session) in [("ann", 1), ("bob", 2)] {
        for (room, what) in [(&duel, "register"), (&queue, "join")] {
            relay.owned(room).await;
            let n = relay.next_n();
            let answer = relay.command(room, &user(name), session, n, json!({"a": what})).await;
            assert_eq!(answer.code(), "applied", "{name} {what}");
        }
    }
    for room in [&duel, &queue] {
        let journal = house.store.read(room, None, 1_000).await.unwrap();
        let are_late = journal.into_iter().map(|stored| Entry::decode(stored.bytes).unwrap().due_ms() > 0);
        assert!(!are_late.collect::<Vec<_>>().contains(&true), "{room}");
    }
    // The next tournament is not late either, and its tables are.
    for opened in ["duel-1.1", "queue-1.1", "duel-2"] {
        let opened = RoomId::new(opened).unwrap();
        until(&Some(RailConfig::late(DELAY_MS)), async || spec_of(&house, &opened).await).await;
    }
}
