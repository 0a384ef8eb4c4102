//! Rooms of any kind: what the runtime gives to tables it gives to a counter too.

mod support;

use broker::{
    channel::Channel,
    directory,
    entry::{Entry, Kind},
    node::{Asked, NodeNews, RoomSpec, encode},
    store::Store,
};
use dealer_worker::kinds;
use protocol::id::SessionId;
use rooms::{
    Bounds,
    testing::{Counter, counter::Settings},
};
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use support::{Answer, House, Relay, Running, fast, play, room, user};

fn house() -> House {
    House { kinds: kinds().with::<Counter>(), ..House::new() }
}

fn counter(tick_ms: u64) -> RoomSpec {
    RoomSpec::new("counter", &Settings { tick_ms, ..Settings::default() })
}

async fn add(relay: &Relay, name: &str, by: u64) -> Answer {
    let n = relay.next_n();
    relay.command(&room(1), &user(name), 1, n, json!({"a": "add", "by": by})).await
}

/// What a relay has heard of the counter, once it has heard of this total.
async fn total(relay: &Relay, total: u64) -> support::Followed {
    let sum = |told: &[Value]| told.iter().filter_map(|event| event["by"].as_u64()).sum::<u64>();
    let known = |state: &Value, told: &[Value]| state["total"].as_u64().unwrap() + sum(told);
    relay
        .until(&room(1), |room| room.state.as_ref().is_some_and(|state| known(state, &room.told) >= total))
        .await
}

fn worker(house: &House, name: &str) -> Running {
    house.worker_with(name, house.config_within(name, Bounds { keyframe_every: 4, ..Bounds::default() }))
}

/// A house with one counter, to which ann has added 5.
async fn with_five() -> (House, Running, Relay) {
    let house = house();
    house.open_room(&counter(0)).await;
    let first = worker(&house, "w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    assert_eq!(add(&relay, "ann", 5).await.code(), "applied");
    (house, first, relay)
}

#[tokio::test(start_paused = true)]
async fn a_counter_counts_remembers_its_answers_and_tells_members_their_part() {
    let house = house();
    house.open_room(&counter(0)).await;
    let _worker = worker(&house, "w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    for by in [1, 2, 3, 4] {
        assert_eq!(add(&relay, "ann", by).await.code(), "applied");
    }
    assert_eq!(add(&relay, "ann", 0).await.code(), "illegal");
    assert_eq!(add(&relay, "bob", 30).await.code(), "applied");
    let what = json!({"a": "add", "by": 60});
    let first = relay.command(&room(1), &user("cyd"), 7, 1, what.clone()).await;
    relay.send(&room(1), &user("cyd"), 7, 1, &what).await;
    let heard = total(&relay, 100).await;
    assert_eq!(
        (heard.parts[&user("ann")].clone(), heard.parts[&user("bob")].clone()),
        (json!({"mine": 10}), json!({"mine": 30}))
    );
    assert_eq!(
        relay.command(&room(1), &user("cyd"), 7, 1, what).await,
        first,
        "a repeat is answered from memory"
    );
    assert!(heard.keyframes > 1, "keyframes come now and then");
}

/// What the rail is told and who gets nothing of it, with each frame from the first that tells it something.
async fn railed(house: &House) -> Vec<(Kind, Vec<String>, Value)> {
    let journal = house.store.read(&room(1), None, 1_000).await.unwrap();
    let entries = journal.into_iter().map(|stored| Entry::decode(stored.bytes).unwrap());
    let railed = entries.filter_map(|entry| {
        let rail = entry.rail?;
        let said: Value = serde_json::from_slice(&rail.bytes).unwrap();
        let position = (entry.at.epoch().0, entry.at.seq().0);
        assert_eq!(
            (&said["t"], said["epoch"].as_u64().unwrap(), said["seq"].as_u64().unwrap()),
            (&json!("rail"), position.0, position.1)
        );
        Some((entry.kind, rail.except.iter().map(ToString::to_string).collect(), said["rail"]["by"].clone()))
    });
    railed.collect()
}

#[tokio::test(start_paused = true)]
async fn nobody_who_is_a_member_before_a_frame_or_after_it_is_of_the_rail() {
    let house = house();
    house.open_room(&counter(0)).await;
    let first = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    assert_eq!(add(&relay, "ann", 5).await.code(), "applied");
    assert_eq!(add(&relay, "bob", 3).await.code(), "applied");
    let n = relay.next_n();
    assert_eq!(relay.command(&room(1), &user("bob"), 1, n, json!({"a": "leave"})).await.code(), "applied");
    assert_eq!(add(&relay, "ann", 1).await.code(), "applied");
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (keyframe, delta) = (Kind::Keyframe, Kind::Delta);
    let expected = [
        (keyframe, names(&[]), json!({})),
        (delta, names(&["ann"]), json!({"ann": 5})),
        (delta, names(&["ann", "bob"]), json!({"ann": 5, "bob": 3})),
        (delta, names(&["ann", "bob"]), json!({"ann": 5})),
        (delta, names(&["ann"]), json!({"ann": 6})),
    ];
    assert_eq!(railed(&house).await, expected);
    first.kill();
    let _second = house.worker("w2");
    relay.until(&room(1), |room| room.epochs.len() >= 2).await;
    assert_eq!(railed(&house).await.last(), Some(&(keyframe, names(&["ann"]), json!({"ann": 6}))));
}

#[tokio::test(start_paused = true)]
async fn a_counter_is_taken_over_with_its_clock_and_handed_over_beside_tables() {
    let house = house();
    house.open_room(&counter(60_000)).await;
    house.open(2, &fast()).await;
    let first = worker(&house, "w1");
    let relay = Relay::new(&house, "r1", 2).await;
    relay.owned(&room(1)).await;
    relay.owned(&room(2)).await;
    assert_eq!(add(&relay, "ann", 5).await.code(), "applied");
    first.kill();
    let second = worker(&house, "w2");
    assert_eq!(add(&relay, "ann", 7).await.code(), "applied");
    let third = worker(&house, "w3");
    second.stop().await;
    relay.until(&room(1), |room| room.epochs.len() >= 3).await;
    total(&relay, 12).await;
    let ticked = relay
        .until(&room(1), |room| {
            room.told.iter().any(|event| event["e"] == "ticked") || room.state.as_ref().unwrap()["ticks"] == 1
        })
        .await;
    assert_eq!(ticked.parts[&user("ann")], json!({"mine": 12}));
    assert_eq!(relay.sit(&room(2), "ann", 1, 100).await.code(), "applied");
    assert_eq!(relay.sit(&room(2), "bob", 2, 100).await.code(), "applied");
    play(&relay, &room(2), &[("ann", 1), ("bob", 2)], 2).await;
    third.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_room_that_the_map_has_lost_is_taken_over_by_what_its_journal_says_it_is() {
    let (house, first, relay) = with_five().await;
    first.stop().await;
    directory::remove(&house.store, &room(1)).await.unwrap();
    let _second = worker(&house, "w2");
    // The map does not tell of it; somebody does who says that it is there.
    let floor = house.ports("floor");
    let told = async {
        loop {
            let news = NodeNews::Opened { room: room(1) };
            floor.bus.publish(&Channel::nodes(), encode(&news)).await.unwrap();
            sleep(Duration::from_millis(100)).await;
        }
    };
    let answer = tokio::select! {
        never = told => match never {},
        answer = add(&relay, "ann", 6) => answer,
    };
    assert_eq!(answer.code(), "applied");
    assert_eq!(total(&relay, 11).await.epochs.len(), 2);
}

/// Whoever opens rooms at its start writes down again what the directory has lost.
#[tokio::test(start_paused = true)]
async fn a_room_that_the_directory_has_lost_is_opened_once_more_and_is_what_it_was() {
    let (house, first, relay) = with_five().await;
    first.kill();
    directory::remove(&house.store, &room(1)).await.unwrap();
    house.open_room(&counter(0)).await;
    let _second = worker(&house, "w2");
    assert_eq!(add(&relay, "ann", 6).await.code(), "applied");
    assert_eq!(total(&relay, 11).await.epochs.len(), 2);
}

/// A release that does not have the kind leaves the room alone, and goes on with all others.
#[tokio::test(start_paused = true)]
async fn a_worker_leaves_a_room_of_a_kind_that_it_does_not_know_to_others() {
    let house = house();
    house.open_room(&counter(0)).await;
    house.open(2, &fast()).await;
    let older = House {
        kinds: kinds(),
        wire: house.wire.clone(),
        bus: house.bus.clone(),
        store: house.store.clone(),
        ..House::new()
    };
    let first = worker(&older, "w1");
    let relay = Relay::new(&house, "r1", 2).await;
    relay.owned(&room(2)).await;
    assert_eq!(relay.sit(&room(2), "ann", 1, 100).await.code(), "applied");
    assert!(relay.followed(&room(1)).epochs.is_empty(), "no claim, no frames");
    assert!(house.store.last(&room(1)).await.unwrap().is_none(), "and no journal");
    first.stop().await;
    let _second = worker(&house, "w2");
    assert_eq!(add(&relay, "ann", 1).await.code(), "applied");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_command_of_the_kind_is_refused_and_loses_nothing() {
    let house = house();
    house.open_room(&counter(0)).await;
    let _worker = worker(&house, "w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    for what in
        [json!({"a": "sit", "buy_in": 100}), json!({"a": "add"}), json!(7), json!({"a": "add", "by": -1})]
    {
        let answer = relay.command(&room(1), &user("ann"), 1, relay.next_n(), what).await;
        assert_eq!(answer.code(), "bad_command", "{answer:?}");
    }
    relay.tell(&room(1), Asked::Absent { user: user("ann"), session: SessionId(1) }).await;
    assert_eq!(add(&relay, "ann", 1).await.code(), "applied");
    total(&relay, 1).await;
}

/// The runtime, placement and relays name no kind of room.
#[test]
fn what_is_for_all_rooms_knows_no_table() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut looked = 0;
    let mut folders =
        vec![root.join("rooms/src/room"), root.join("rooms/src/placement"), root.join("../relay/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let code = std::fs::read_to_string(&path).unwrap();
            for word in [
                "table::Table",
                "protocol::table",
                "TableConfig",
                "TableView",
                "TableSummary",
                "Table::",
                "holdem::",
            ] {
                let found =
                    code.lines().find(|line| line.contains(word) && !line.trim_start().starts_with("//"));
                assert_eq!(found, None, "{}", path.display());
            }
            looked += 1;
        }
    }
    assert!(looked > 30, "only {looked} files");
}
