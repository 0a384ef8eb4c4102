//! A room that only so many may watch: what its entries say, and to whom its owner gives places.

mod support;

use broker::{
    directory::Partition,
    entry::{Entry, Kind, Places},
    node::{PLACE_MS, RoomSpec},
    store::Store,
};
use dealer_worker::{Opening, kinds, open_tables};
use protocol::{
    id::{Epoch, Position, Seq},
    rail::{RailCards, RailConfig},
};
use rooms::{
    planted::{Fault, plant},
    room::frame,
    testing::{Counter, counter::Settings},
};
use serde_json::json;
use tokio::time::{Duration, sleep};

use support::{House, Relay, fast, node, room, until, user};

/// So many may watch.
const FEW: RailConfig = RailConfig { viewers_max: 2, ..RailConfig::late(0) };

async fn house() -> House {
    let house = House { kinds: kinds().with::<Counter>(), ..House::new() };
    house.open_room(&RoomSpec::new("counter", &Settings::default()).with_rail(FEW)).await;
    house
}

async fn says(relay: &Relay, name: &str, what: serde_json::Value) {
    let n = relay.next_n();
    assert_eq!(relay.command(&room(1), &user(name), 1, n, what).await.code(), "applied");
}

async fn entries(house: &House) -> Vec<Entry> {
    let journal = house.store.read(&room(1), None, 100_000).await.unwrap();
    journal.into_iter().map(|stored| Entry::decode(stored.bytes).unwrap()).collect()
}

/// What a list of this relay is answered.
async fn given(relay: &Relay, round: u64, have: u32, names: &[&str]) -> (Vec<u32>, bool) {
    relay.lists(&room(1), round, have, names).await;
    until(&true, async || relay.places(round).is_some()).await;
    relay.places(round).unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_entry_says_how_many_may_watch_and_who_needs_no_place() {
    let house = house().await;
    let first = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    says(&relay, "ann", json!({"a": "add", "by": 5})).await;
    says(&relay, "ann", json!({"a": "leave"})).await;
    says(&relay, "bob", json!({"a": "add", "by": 1})).await;
    // A map that has lost the room does not open it to as many as come.
    house.store.map_remove(&Partition::of(&room(1)).specs(), room(1).as_str()).await.unwrap();
    first.kill();
    let _second = house.worker("w2");
    relay.until(&room(1), |room| room.epochs.len() >= 2).await;
    let said: Vec<(Kind, Vec<String>)> = entries(&house)
        .await
        .into_iter()
        .filter(|entry| entry.kind != Kind::Claim)
        .map(|entry| {
            let Places { max, insiders } = entry.places.expect("each entry says it");
            assert_eq!(max, 2);
            (entry.kind, insiders.iter().map(ToString::to_string).collect())
        })
        .collect();
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let expected = [
        (Kind::Keyframe, names(&[])),
        (Kind::Delta, names(&["ann"])),
        (Kind::Delta, names(&["ann"])),
        (Kind::Delta, names(&["bob"])),
        (Kind::Keyframe, names(&["bob"])),
    ];
    assert_eq!(said, expected);
}

/// What a newcomer is told whose relay a new owner hears first, while who has a place through another was not heard.
async fn told_by_a_new_owner() -> (Vec<u32>, bool) {
    let house = house().await;
    let first = house.worker("w1");
    let (one, other) = (Relay::new(&house, "r1", 1).await, Relay::new(&house, "r2", 1).await);
    for relay in [&one, &other] {
        relay.owned(&room(1)).await;
    }
    assert_eq!(given(&one, 1, 0, &["ann"]).await, (vec![], true), "nobody has owned it before");
    assert_eq!(given(&other, 1, 0, &["bob", "cho"]).await, (vec![1], true));
    first.kill();
    let _second = house.worker("w2");
    for relay in [&one, &other] {
        relay.until(&room(1), |room| room.epochs.len() >= 2).await;
    }
    let told = given(&other, 2, 0, &["cho", "dee"]).await;
    if told == (vec![], true) {
        return told;
    }
    assert_eq!(given(&one, 2, 1, &["ann"]).await, (vec![], false));
    sleep(Duration::from_millis(PLACE_MS)).await;
    assert_eq!(given(&one, 3, 1, &["ann"]).await, (vec![], true));
    assert_eq!(given(&other, 3, 0, &["cho", "dee"]).await, (vec![1], true));
    told
}

#[tokio::test(start_paused = true)]
async fn a_new_owner_gives_places_when_those_of_the_owner_before_have_run_out() {
    assert_eq!(told_by_a_new_owner().await, (vec![0, 1], false), "of ann nothing was heard yet");
}

#[tokio::test(start_paused = true)]
async fn a_new_owner_that_gives_places_which_the_one_before_has_given_is_caught() {
    plant(Some(Fault::GivesPlacesUnheard));
    assert_eq!(told_by_a_new_owner().await, (vec![], true), "with ann there are three, and two may watch");
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_somebody_has_succeeded_gives_no_places() {
    let house = house().await;
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    let owned = relay.owned(&room(1)).await;
    assert_eq!(given(&relay, 1, 0, &["ann"]).await, (vec![], true));
    // The owner does not know it: nothing happens that would run into the fence.
    let claim = Position(Epoch(owned.at.epoch().0 + 1_000_000_000), Seq(0));
    let entry = frame::claim(&room(1), claim, &node("w2")).encode().stored;
    house.store.append(&room(1), claim, entry, None).await.unwrap();
    relay.lists(&room(1), 2, 1, &["ann"]).await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(relay.places(2), None);
}

#[tokio::test(start_paused = true)]
async fn where_chips_are_somebodys_no_table_is_opened_that_shows_cards_with_the_hand() {
    let house = House::new();
    let rail = RailConfig { cards: RailCards::Delayed, ..RailConfig::late(600_000) };
    let opening = Opening { currency: Some("PLAY".parse().unwrap()), rail, ..Opening::of(fast()) };
    let why = open_tables(&house.ports("op"), 1, &opening).await.unwrap_err().to_string();
    assert!(why.contains("--rail-cards"), "{why}");
    let opening = Opening { currency: None, ..opening };
    assert_eq!(open_tables(&house.ports("op"), 1, &opening).await.unwrap(), 1);
}
