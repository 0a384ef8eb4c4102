//! In which rooms somebody has a part: what workers tell a reception that asks.

mod support;

use broker::{
    parts::{NotKnown, Parts},
    wire::LinkState,
};
use protocol::id::{NodeId, RoomId};
use serde_json::json;
use tokio::time::{Duration, sleep};

use support::{House, Relay, fast, node, room, user};

const TABLES: u32 = 12;

/// A reception that has listened long enough.
async fn reception(house: &House) -> Parts {
    let parts = Parts::start(house.ports("reception"), node("reception"), Vec::new());
    sleep(Duration::from_secs(5)).await;
    parts
}

/// Asks until it is known.
async fn known(parts: &Parts, name: &str) -> Vec<RoomId> {
    loop {
        match parts.of(&user(name)).await {
            Ok(rooms) => return rooms.expect("all nodes are of this release"),
            Err(NotKnown(_)) => sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn leave(relay: &Relay, number: u32, name: &str, session: u64) {
    let what = json!({ "a": "leave" });
    assert_eq!(
        relay.command(&room(number), &user(name), session, relay.next_n(), what).await.code(),
        "applied"
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_sits_anywhere_is_known_wherever_the_table_is_and_whoever_has_left_is_free() {
    let house = House::new();
    house.open(TABLES, &fast()).await;
    let (_one, two) = (house.worker("w1"), house.worker("w2"));
    let relay = Relay::new(&house, "r1", TABLES).await;
    for number in 1..=TABLES {
        relay.owned(&room(number)).await;
    }
    let parts = reception(&house).await;
    assert_eq!(known(&parts, "ann").await, []);
    // Of both workers, as there are so many.
    for number in 1..=TABLES {
        assert_eq!(relay.sit(&room(number), "ann", 1, 100).await.code(), "applied");
    }
    assert_eq!(known(&parts, "ann").await.len(), TABLES as usize);
    assert_eq!(known(&parts, "bob").await, []);
    for number in 2..=TABLES {
        leave(&relay, number, "ann", 1).await;
    }
    assert_eq!(known(&parts, "ann").await, [room(1)]);
    // Wherever it goes: nobody says that she has no seat while it is on its way.
    two.stop().await;
    let _three = house.worker("w3");
    for _ in 0..50 {
        assert_ne!(parts.of(&user("ann")).await, Ok(Some(Vec::new())));
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(known(&parts, "ann").await, [room(1)]);
    leave(&relay, 1, "ann", 1).await;
    assert_eq!(known(&parts, "ann").await, []);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_has_died_or_is_cut_off_leaves_it_unknown_until_its_rooms_are_others() {
    let house = House::new();
    house.open(TABLES, &fast()).await;
    let (one, two) = (house.worker("w1"), house.worker("w2"));
    let relay = Relay::new(&house, "r1", TABLES).await;
    for number in 1..=TABLES {
        relay.owned(&room(number)).await;
        assert_eq!(relay.sit(&room(number), "ann", 1, 100).await.code(), "applied");
    }
    let parts = reception(&house).await;
    assert_eq!(known(&parts, "ann").await.len(), TABLES as usize);
    assert_eq!(known(&parts, "bob").await, []);
    let link = |name: &str| house.wire.link(&NodeId::new(name).unwrap());
    link("w2").set(LinkState::Silent);
    assert_eq!(parts.of(&user("bob")).await, Err(NotKnown("a dealer worker does not answer")));
    link("w2").heal();
    two.kill();
    assert_eq!(parts.of(&user("bob")).await, Err(NotKnown("a dealer worker does not answer")));
    // The one that is left has them all in the end.
    assert_eq!(known(&parts, "bob").await, []);
    assert_eq!(known(&parts, "ann").await.len(), TABLES as usize);
    drop(one);
}
