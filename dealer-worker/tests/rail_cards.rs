//! Cards for those who watch a table and have no part in it: told when they are due, to nobody else, and nowhere before.

mod support;

use std::collections::BTreeMap;

use broker::{
    entry::{Entry, Kind},
    node::RoomSpec,
    store::Store,
};
use protocol::{
    rail::{CardsHeld, RailCards, RailConfig},
    table::{Card, TableConfig, TablePrivate},
};
use rooms::{Bounds, planted::Fault, planted::plant};
use serde_json::Value;
use tokio::time::{Duration, sleep};

use support::{House, Relay, Running, fast, play, room, user};

const PLAYERS: [(&str, u64); 3] = [("ann", 1), ("bob", 2), ("cyd", 3)];

const DELAYS_MS: [u32; 2] = [0, 120_000];

fn worker(house: &House, name: &str, keyframe_every: u32) -> Running {
    house.worker_with(name, house.config_within(name, Bounds { keyframe_every, ..Bounds::default() }))
}

/// A table whose rail is set so, and three who sit there.
async fn seated(rail: RailConfig, keyframe_every: u32) -> (House, Relay, Running) {
    let house = House::new();
    let config = TableConfig { runout_ms: 200, pause_ms: 500, ..fast() };
    house.open_room(&RoomSpec::new("table", &config).with_rail(rail)).await;
    let worker = worker(&house, "w1", keyframe_every);
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    for (name, session) in PLAYERS {
        assert_eq!(relay.sit(&room(1), name, session, 200).await.code(), "applied");
    }
    (house, relay, worker)
}

async fn entries(house: &House) -> Vec<Entry> {
    let journal = house.store.read(&room(1), None, 100_000).await.unwrap();
    journal.into_iter().map(|stored| Entry::decode(stored.bytes).unwrap()).collect()
}

/// What a journal tells of a hand.
#[derive(Debug, Default)]
struct Told {
    began_ms: u64,
    ended_ms: Option<u64>,
    /// By user, as it was told to each of them.
    cards: BTreeMap<String, Vec<Card>>,
    /// When the rail was told.
    at_ms: Vec<u64>,
}

/// What breaks what is promised, and what is told of each hand. `now_ms`: of entries that do not say when.
fn judge(entries: &[Entry], rail: RailConfig) -> (Vec<String>, BTreeMap<u64, Told>) {
    let (mut broken, mut hands) = (Vec::new(), BTreeMap::<u64, Told>::new());
    for entry in entries.iter().filter(|entry| matches!(entry.kind, Kind::Delta | Kind::Keyframe)) {
        let (at, at_ms) = (entry.at, entry.at_ms.expect("all nodes read when"));
        let frame: Value = serde_json::from_slice(&entry.public).unwrap();
        for event in frame["events"].as_array().into_iter().flatten() {
            let hand = event["hand"].as_u64().unwrap_or(0);
            match event["e"].as_str().unwrap() {
                "hand_started" => hands.entry(hand).or_default().began_ms = at_ms,
                "hand_ended" => hands.entry(hand).or_default().ended_ms = Some(at_ms),
                _ => {}
            }
        }
        for part in &entry.privates {
            let message: Value = serde_json::from_slice(&part.bytes).unwrap();
            let TablePrivate { hand, cards, .. } =
                serde_json::from_value(message["private"].clone()).unwrap();
            if !cards.is_empty() {
                hands.entry(hand).or_default().cards.insert(part.user.to_string(), cards);
            }
        }
        let Some(part) = &entry.rail else { continue };
        let message: Value = serde_json::from_slice(&part.bytes).unwrap();
        let held: CardsHeld = serde_json::from_value(message["rail"].clone()).unwrap();
        let told = hands.entry(held.hand).or_default();
        let late_ms = u64::from(rail.delay_ms);
        let due_ms = told.ended_ms.map(|ended_ms| match rail.cards {
            RailCards::Never => u64::MAX,
            RailCards::AfterHand => ended_ms + late_ms,
            RailCards::Delayed => ended_ms.max(told.began_ms + late_ms),
        });
        match due_ms {
            None => broken.push(format!("{at}: hand {} is told before it is over", held.hand)),
            Some(due_ms) if at_ms < due_ms => broken.push(format!("{at}: {} ms early", due_ms - at_ms)),
            Some(_) => {}
        }
        if part.at_once != (late_ms > 0) {
            broken.push(format!("{at}: {part:?}"));
        }
        if let Some((name, _)) = PLAYERS.iter().find(|(name, _)| !part.except.contains(&user(name))) {
            broken.push(format!("{at}: {name}, who sits there, gets it"));
        }
        let cards: BTreeMap<_, _> =
            held.seats.into_iter().map(|seat| (seat.user.to_string(), seat.cards)).collect();
        if cards != told.cards {
            broken.push(format!("{at}: {cards:?} is not what was dealt: {:?}", told.cards));
        }
        if entry.kind == Kind::Delta {
            told.at_ms.push(at_ms);
        }
    }
    (broken, hands)
}

#[tokio::test(start_paused = true)]
async fn the_cards_of_each_hand_are_told_once_when_they_are_due_and_nobody_who_sits_there_gets_them() {
    for (cards, delay_ms) in
        [(RailCards::AfterHand, 0), (RailCards::AfterHand, 120_000), (RailCards::Delayed, 120_000)]
    {
        let rail = RailConfig { cards, ..RailConfig::late(delay_ms) };
        let (house, relay, _worker) = seated(rail, 100_000).await;
        play(&relay, &room(1), &PLAYERS, 8).await;
        sleep(Duration::from_millis(u64::from(delay_ms) + 5_000)).await;
        let (broken, hands) = judge(&entries(&house).await, rail);
        assert!(broken.is_empty(), "{rail:?}: {broken:#?}");
        for (hand, told) in hands.range(1..=8) {
            assert_eq!(told.at_ms.len(), 1, "{rail:?}: hand {hand}: {told:?}");
            // And soon.
            let from_ms = if cards == RailCards::Delayed { told.began_ms } else { told.ended_ms.unwrap() };
            assert!(told.at_ms[0] <= from_ms + u64::from(delay_ms) + 1_000, "{hand}: {told:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_not_set_so_tells_its_rail_nothing() {
    for delay_ms in DELAYS_MS {
        let (house, relay, _worker) = seated(RailConfig::late(delay_ms), 8).await;
        play(&relay, &room(1), &PLAYERS, 4).await;
        sleep(Duration::from_millis(u64::from(delay_ms) + 5_000)).await;
        assert!(entries(&house).await.iter().all(|entry| entry.rail.is_none()));
        let view: Value = serde_json::from_slice(&entries(&house).await[1].public).unwrap();
        assert!(view["state"]["rail"].is_null());
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_owner_tells_what_is_due_and_keyframes_have_what_was_told_last() {
    let rail = RailConfig { cards: RailCards::Delayed, ..RailConfig::late(120_000) };
    let (house, relay, first) = seated(rail, 8).await;
    play(&relay, &room(1), &PLAYERS, 3).await;
    first.kill();
    let _second = worker(&house, "w2", 8);
    relay.until(&room(1), |room| room.epochs.len() >= 2).await;
    play(&relay, &room(1), &PLAYERS, 3).await;
    sleep(Duration::from_secs(130)).await;
    let entries = entries(&house).await;
    let (broken, hands) = judge(&entries, rail);
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(hands.range(1..=6).all(|(_, told)| told.at_ms.len() == 1), "{hands:?}");
    let (mut last, mut repeated) = (None, 0);
    for entry in entries.iter().filter(|entry| entry.kind != Kind::Claim) {
        let told = |part: &broker::entry::Rail| {
            serde_json::from_slice::<Value>(&part.bytes).unwrap()["rail"]["hand"].as_u64()
        };
        let told = entry.rail.as_ref().and_then(told);
        if entry.kind == Kind::Keyframe {
            assert_eq!(told, last, "{}", entry.at);
            repeated += u32::from(told.is_some());
            let frame: Value = serde_json::from_slice(&entry.public).unwrap();
            assert_eq!(frame["state"]["rail"], serde_json::json!({"delay_ms": 120_000, "cards": "delayed"}));
        }
        last = told.or(last);
    }
    assert!(repeated > 1);
}

/// However long a hand is, and however short the delay.
#[tokio::test(start_paused = true)]
async fn the_cards_of_a_hand_that_is_played_are_told_to_nobody() {
    let rail = RailConfig { cards: RailCards::Delayed, ..RailConfig::late(1_000) };
    let (house, relay, _worker) = seated(rail, 100_000).await;
    // The clock plays.
    relay.until(&room(1), |room| room.view().hand.as_ref().is_some_and(|hand| hand.hand > 1)).await;
    sleep(Duration::from_secs(5)).await;
    let (broken, hands) = judge(&entries(&house).await, rail);
    assert!(broken.is_empty(), "{broken:#?}");
    let first = &hands[&1];
    assert!(first.ended_ms.unwrap() > first.began_ms + 2_000);
    assert_eq!(first.at_ms, [first.ended_ms.unwrap()], "with its end");
}

#[tokio::test(start_paused = true)]
async fn tables_that_tell_cards_early_are_caught() {
    for (fault, rail) in [
        (Fault::TellsCardsOfTheHand, RailConfig { cards: RailCards::AfterHand, ..RailConfig::late(0) }),
        (Fault::TellsCardsAtTheEnd, RailConfig { cards: RailCards::AfterHand, ..RailConfig::late(120_000) }),
        (Fault::TellsCardsAtTheEnd, RailConfig { cards: RailCards::Delayed, ..RailConfig::late(120_000) }),
        (Fault::TellsMembersToo, RailConfig { cards: RailCards::AfterHand, ..RailConfig::late(0) }),
    ] {
        plant(Some(fault));
        let (house, relay, _worker) = seated(rail, 100_000).await;
        play(&relay, &room(1), &PLAYERS, 6).await;
        plant(None);
        let (broken, _) = judge(&entries(&house).await, rail);
        assert!(!broken.is_empty(), "{fault:?}");
    }
}
