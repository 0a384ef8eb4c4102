//! Errands: done once, and their outcomes applied once, whatever dies or is lost.

mod support;

use std::sync::Arc;

use broker::{
    channel::refused_key,
    directory::{self, Readers},
    node::RoomSpec,
    store::Store,
    wire::{
        Wire,
        fault::{Copies, Fate, Faults, Operation, one_copy},
    },
};
use protocol::id::RoomId;
use rooms::{
    Bounds, Kinds, WorkerConfig,
    testing::{Counter, Till, Trouble, counter::Settings},
};
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use support::{Answer, Followed, House, Relay, room, user};

fn house(till: &Arc<Till>, wire: Arc<Wire>) -> House {
    let kinds = Kinds::default().with::<Counter>().served_by("till", till.clone());
    House { kinds, ..House::on(wire) }
}

/// A house with one counter.
async fn open(till: &Arc<Till>, wire: Arc<Wire>) -> House {
    let house = house(till, wire);
    house.open_room(&RoomSpec::new("counter", &Settings::default())).await;
    house
}

fn config(house: &House, name: &str) -> WorkerConfig {
    house.config_within(name, Bounds { keyframe_every: 3, ..Bounds::default() })
}

async fn ask(relay: &Relay, what: Value) -> Answer {
    loop {
        let answer = relay.command(&room(1), &user("ann"), 1, relay.next_n(), what.clone()).await;
        if !["busy", "unavailable"].contains(&answer.code()) {
            return answer;
        }
        sleep(answer.retry_after()).await;
    }
}

/// A figure of the counter: of its last keyframe, and of the events since.
fn figure(followed: &Followed, field: &str, of: impl Fn(&Value) -> u64) -> u64 {
    let state = followed.state.as_ref().map_or(0, |state| state[field].as_u64().unwrap());
    state + followed.told.iter().map(of).sum::<u64>()
}

fn paid(followed: &Followed) -> u64 {
    figure(
        followed,
        "paid",
        |event| if event["taken"] == true { event["amount"].as_u64().unwrap() } else { 0 },
    )
}

fn unpaid(followed: &Followed) -> u64 {
    figure(followed, "unpaid", |event| u64::from(event["taken"] == false))
}

#[tokio::test(start_paused = true)]
async fn an_errand_is_done_once_however_often_it_is_asked_and_its_outcome_is_applied_once() {
    let script = [Trouble::Away, Trouble::AnswerLost, Trouble::None, Trouble::Hangs];
    let mut asked = 0;
    let till = Arc::new(Till::with(move || {
        asked += 1;
        script[asked % script.len()]
    }));
    let house = open(&till, Wire::perfect()).await;
    let _worker = house.worker_with("w1", config(&house, "w1"));
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    for amount in [1, 2, 101, 4, 200] {
        assert_eq!(ask(&relay, json!({"a": "pay", "amount": amount})).await.code(), "applied");
        assert_eq!(ask(&relay, json!({"a": "tip", "amount": 1_000})).await.code(), "applied");
    }
    let followed = relay.until(&room(1), |room| paid(room) >= 7 && unpaid(room) >= 2).await;
    assert_eq!((paid(&followed), unpaid(&followed)), (7, 2));
    while till.known(&room(1)) < 10 {
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(till.taken(&room(1)), 7 + 5 * 1_000);
    assert!(till.asked() > 15, "asked {} times", till.asked());
}

#[tokio::test(start_paused = true)]
async fn errands_go_on_with_whoever_takes_the_room_over() {
    // For a while nobody is at the till.
    let (opens, is_open) = tokio::sync::watch::channel(false);
    let till = Arc::new(Till::with(move || if *is_open.borrow() { Trouble::None } else { Trouble::Away }));
    let house = open(&till, Wire::perfect()).await;
    let mut worker = house.worker_with("w0", config(&house, "w0"));
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    for (round, amount) in [10, 20, 30, 40, 50].into_iter().enumerate() {
        assert_eq!(ask(&relay, json!({"a": "pay", "amount": amount})).await.code(), "applied");
        let next = format!("w{}", round + 1);
        let next = house.worker_with(&next, config(&house, &next));
        if round % 2 == 0 {
            worker.kill()
        } else {
            worker.stop().await
        }
        worker = next;
        relay.until(&room(1), |room| room.epochs.len() >= round + 2).await;
    }
    assert_eq!(till.taken(&room(1)), 0);
    opens.send(true).unwrap();
    let followed = relay.until(&room(1), |room| paid(room) >= 150).await;
    assert_eq!((paid(&followed), till.taken(&room(1))), (150, 150));
    drop(worker);
}

/// A worker that is not heard of any more goes on asking: the same names, so nothing is done twice.
#[tokio::test(start_paused = true)]
async fn a_worker_that_has_lost_the_room_asks_for_nothing_that_was_not_decided() {
    let till = Arc::new(Till::with(|| Trouble::AnswerLost));
    let house = open(&till, Wire::perfect()).await;
    let zombie = house.worker_with("w1", config(&house, "w1"));
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    assert_eq!(ask(&relay, json!({"a": "pay", "amount": 10})).await.code(), "applied");
    let link = house.wire.link(&support::node("w1"));
    link.set(broker::wire::LinkState::Held);
    let _worker = house.worker_with("w2", config(&house, "w2"));
    relay.until(&room(1), |room| room.epochs.len() == 2).await;
    assert_eq!(ask(&relay, json!({"a": "pay", "amount": 20})).await.code(), "applied");
    sleep(Duration::from_secs(30)).await;
    link.heal();
    sleep(Duration::from_secs(30)).await;
    assert_eq!((till.known(&room(1)), till.taken(&room(1))), (1, 10), "one after the other");
    drop(zombie);
}

#[tokio::test(start_paused = true)]
async fn so_many_errands_may_be_open_and_who_asks_for_more_is_told_to_come_again() {
    let till = Arc::new(Till::with(|| Trouble::Away));
    let house = open(&till, Wire::perfect()).await;
    let _worker = house.worker_with("w1", config(&house, "w1"));
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    let pay = || async {
        relay.command(&room(1), &user("ann"), 1, relay.next_n(), json!({"a": "pay", "amount": 1})).await
    };
    for _ in 0..rooms::room::errands::ERRANDS_MAX {
        assert_eq!(pay().await.code(), "applied");
    }
    let refused = pay().await;
    assert_eq!(refused.code(), "busy");
    assert!(refused.retry_after() > Duration::ZERO);
    // What cannot be refused is not.
    assert_eq!(ask(&relay, json!({"a": "tip", "amount": 1})).await.code(), "applied");
}

/// Who asks for chips and gives them up again leaves something to be done each time, while nobody does it.
#[tokio::test(start_paused = true)]
async fn what_piles_up_has_whoever_asks_for_more_told_to_come_again_too() {
    let till = Arc::new(Till::with(|| Trouble::Away));
    let house = open(&till, Wire::perfect()).await;
    let _worker = house.worker_with("w1", config(&house, "w1"));
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    let says = async |what| relay.command(&room(1), &user("ann"), 1, relay.next_n(), what).await;
    for _ in 0..rooms::room::errands::OPEN_MAX {
        assert_eq!(says(json!({"a": "tip", "amount": 1})).await.code(), "applied");
    }
    let refused = says(json!({"a": "pay", "amount": 1})).await;
    assert_eq!(refused.code(), "busy");
    assert!(refused.retry_after() > Duration::ZERO);
    assert_eq!(says(json!({"a": "tip", "amount": 1})).await.code(), "applied", "what cannot be refused");
}

#[tokio::test(start_paused = true)]
async fn a_room_opens_another_one_once() {
    let till = Arc::new(Till::with(|| Trouble::None));
    let house = open(&till, Wire::perfect()).await;
    let _worker = house.worker_with("w1", config(&house, "w1"));
    let relay = Relay::new(&house, "r1", 2).await;
    relay.owned(&room(1)).await;
    for _ in 0..2 {
        assert_eq!(ask(&relay, json!({"a": "open", "room": "t2"})).await.code(), "applied");
    }
    relay.owned(&room(2)).await;
    relay
        .until(&room(1), |room| figure(room, "opened", |event| u64::from(event["e"] == "opened")) == 2)
        .await;
    let answer = relay.command(&room(2), &user("bob"), 2, 1, json!({"a": "add", "by": 3})).await;
    assert_eq!(answer.code(), "applied");
}

/// What blocks the queue elsewhere: one that is never answered, at its head.
#[tokio::test(start_paused = true)]
async fn a_service_that_never_answers_holds_up_nothing_but_what_is_asked_of_itself() {
    let till = Arc::new(Till::with(|| Trouble::Away));
    let house = open(&till, Wire::perfect()).await;
    let _worker = house.worker_with("w1", config(&house, "w1"));
    let relay = Relay::new(&house, "r1", 2).await;
    relay.owned(&room(1)).await;
    for what in [
        json!({"a": "pay", "amount": 1}),
        json!({"a": "tip", "amount": 1}),
        json!({"a": "open", "room": "t2"}),
    ] {
        assert_eq!(ask(&relay, what).await.code(), "applied");
    }
    relay.owned(&room(2)).await;
    assert_eq!(till.known(&room(1)), 0);
}

/// What a service was asked and nobody waits for any more holds nothing up, and its outcome is nobody's.
#[tokio::test(start_paused = true)]
async fn an_errand_that_is_given_up_is_not_asked_again_and_its_outcome_is_not_applied() {
    let (opens, is_open) = tokio::sync::watch::channel(false);
    let till = Arc::new(Till::with(move || if *is_open.borrow() { Trouble::None } else { Trouble::Hangs }));
    let house = open(&till, Wire::perfect()).await;
    let worker = house.worker_with("w1", config(&house, "w1"));
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    for amount in [1, 2] {
        assert_eq!(ask(&relay, json!({"a": "pay", "amount": amount})).await.code(), "applied");
    }
    while till.known(&room(1)) == 0 {
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(ask(&relay, json!({"a": "forgo"})).await.code(), "applied");
    let asked = till.asked();
    sleep(Duration::from_secs(30)).await;
    assert_eq!(till.asked(), asked, "nobody asks");
    opens.send(true).unwrap();
    assert_eq!(ask(&relay, json!({"a": "pay", "amount": 4})).await.code(), "applied");
    relay.until(&room(1), |room| paid(room) == 4).await;
    // Nor does who takes the room over.
    worker.kill();
    let _next = house.worker_with("w2", config(&house, "w2"));
    relay.until(&room(1), |room| room.epochs.len() == 2).await;
    assert_eq!(ask(&relay, json!({"a": "close"})).await.code(), "applied");
    let followed = relay.until(&room(1), |room| room.has_ended).await;
    assert_eq!(paid(&followed), 4);
    assert_eq!(till.known(&room(1)), 2, "it has heard of the first, and never of the second");
}

async fn is_nowhere(house: &House, room: &RoomId) {
    assert_eq!(directory::spec(&house.store, room).await.unwrap(), None);
    assert_eq!(directory::owner(&house.store, room).await.unwrap(), None);
    assert!(house.store.map_fields(&refused_key(room)).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_room_ends_once_its_errands_are_done_and_is_nowhere() {
    let (opens, is_open) = tokio::sync::watch::channel(false);
    let till = Arc::new(Till::with(move || if *is_open.borrow() { Trouble::None } else { Trouble::Away }));
    let house = open(&till, Wire::perfect()).await;
    let worker = house.worker_with("w1", config(&house, "w1"));
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    assert_eq!(ask(&relay, json!({"a": "pay", "amount": 10})).await.code(), "applied");
    assert_eq!(ask(&relay, json!({"a": "tip", "amount": 5})).await.code(), "applied");
    assert_eq!(ask(&relay, json!({"a": "close"})).await.code(), "applied");
    assert_eq!(
        ask(&relay, json!({"a": "add", "by": 1})).await.code(),
        "illegal",
        "it is over, and there still"
    );
    // It is another one's before it can end.
    let _next = house.worker_with("w2", config(&house, "w2"));
    worker.kill();
    relay.until(&room(1), |room| room.epochs.len() == 2).await;
    assert!(directory::spec(&house.store, &room(1)).await.unwrap().is_some());
    opens.send(true).unwrap();
    let followed = relay.until(&room(1), |room| room.has_ended).await;
    assert_eq!(paid(&followed), 10);
    assert_eq!(till.taken(&room(1)), 15, "no errand dies with its room");
    sleep(Duration::from_secs(5)).await;
    is_nowhere(&house, &room(1)).await;
    assert!(house.store.last(&room(1)).await.unwrap().is_some(), "the journal says that it has ended");
    let (floor, spec) = (house.ports("floor"), RoomSpec::new("counter", &Settings::default()));
    let is_new = rooms::open_room(&floor, &room(1), &spec, Readers::OfThisRelease).await.unwrap();
    assert!(!is_new, "nobody gets the name of a room that has just ended");
    sleep(Duration::from_secs(3_600)).await;
    assert!(house.store.last(&room(1)).await.unwrap().is_none(), "and for an hour only");
    is_nowhere(&house, &room(1)).await;
}

/// Refuses to remove anything from maps, at first.
struct KeepsMaps(std::sync::atomic::AtomicU64);

impl Faults for KeepsMaps {
    fn operation(&self, node: &protocol::id::NodeId, operation: Operation) -> Fate {
        let is_last_rites = operation == Operation::Map && node.as_str() == "w1";
        if is_last_rites && self.0.load(std::sync::atomic::Ordering::Relaxed) > 0 {
            return Fate::REFUSED;
        }
        Fate::FINE
    }

    fn delivery(&self, _from: &protocol::id::NodeId, _to: &protocol::id::NodeId, _channel: &str) -> Copies {
        one_copy()
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_whose_owner_dies_before_it_is_buried_is_buried_by_the_next_who_finds_it() {
    let till = Arc::new(Till::with(|| Trouble::None));
    let faults = Arc::new(KeepsMaps(0.into()));
    let house = open(&till, Wire::with_faults(faults.clone())).await;
    let worker = house.worker_with("w1", config(&house, "w1"));
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    faults.0.store(1, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(ask(&relay, json!({"a": "close"})).await.code(), "applied");
    relay.until(&room(1), |room| room.has_ended).await;
    worker.kill();
    assert!(directory::spec(&house.store, &room(1)).await.unwrap().is_some(), "it is still in the map");
    let _next = house.worker_with("w2", config(&house, "w2"));
    while directory::spec(&house.store, &room(1)).await.unwrap().is_some() {
        sleep(Duration::from_millis(100)).await;
    }
    is_nowhere(&house, &room(1)).await;
    assert_eq!(relay.followed(&room(1)).epochs.len(), 1, "nobody has gone on with it");
}
