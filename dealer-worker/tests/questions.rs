//! Questions: answered from what is committed, by whoever owns the room, with nothing that is hidden.

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use broker::{
    channel::Channel,
    node::RoomSpec,
    wire::{
        Wire,
        fault::{Copies, Fate, Faults, Operation, one_copy},
    },
};
use bytes::Bytes;
use dealer_worker::kinds;
use protocol::{
    id::{NodeId, Position},
    table::{TableQuestion, TableView},
};
use rooms::testing::{Counter, counter::Settings};
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use support::{Answer, House, Relay, fast, play, room, user};

fn house() -> House {
    House { kinds: kinds().with::<Counter>(), ..House::new() }
}

async fn add(relay: &Relay, name: &str, by: u64) -> Position {
    loop {
        let n = relay.next_n();
        match relay.command(&room(1), &user(name), 1, n, json!({"a": "add", "by": by})).await {
            Answer::Applied(at) => return at,
            refused if refused.code() == "unavailable" => sleep(refused.retry_after()).await,
            refused @ Answer::Refused(_) => panic!("{refused:?}"),
        }
    }
}

fn at(answer: &Value) -> Position {
    serde_json::from_value(answer["at"].clone()).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[tokio::test(start_paused = true)]
async fn a_room_answers_what_it_holds_up_to_the_frame_that_it_names_and_each_its_own() {
    let house = house();
    house.open_room(&RoomSpec::new("counter", &Settings::default())).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    add(&relay, "ann", 5).await;
    let last = add(&relay, "bob", 7).await;
    let total = relay.question(&room(1), &user("eve"), &json!({"about": "total"})).await;
    assert_eq!((total["t"].as_str(), at(&total)), (Some("answer"), last));
    assert_eq!(total["body"], json!({"total": 12, "ticks": 0}));
    for (name, mine) in [("ann", json!(5)), ("bob", json!(7)), ("eve", Value::Null)] {
        let answer = relay.question(&room(1), &user(name), &json!({"about": "mine"})).await;
        assert_eq!(answer["body"], json!({ "mine": mine }), "{name}");
    }
    assert_eq!(relay.followed(&room(1)).at, last, "nothing of this is journaled");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_question_and_what_is_too_long_is_told_so() {
    let house = house();
    house.open_room(&RoomSpec::new("counter", &Settings::default())).await;
    house.open(2, &fast()).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 2).await;
    for (number, q) in [
        (1, json!({"about": "seats"})),
        (1, json!({"about": "story", "words": 20_000})),
        (1, json!({"a": "add", "by": 1})),
        (2, json!({"about": "cards"})),
        (2, json!({"about": "seats", "of": "ann"})),
        (2, json!({})),
        (2, json!([7])),
    ] {
        let answer = relay.question(&room(number), &user("ann"), &q).await;
        assert_eq!(
            (answer["t"].as_str(), answer["code"].as_str()),
            (Some("unanswered"), Some("bad_question")),
            "{answer}"
        );
        assert!(answer["message"].as_str().unwrap().len() > 10, "{answer}");
    }
    let story = relay.question(&room(1), &user("ann"), &json!({"about": "story", "words": 2_000})).await;
    assert_eq!(story["t"], "answer");
}

/// Whether a card stands anywhere in the text, such as `"As"`.
fn names_a_card(text: &str) -> bool {
    let is_card = |b: &[u8]| {
        b[0] == b'"' && b[3] == b'"' && b"23456789TJQKA".contains(&b[1]) && b"cdhs".contains(&b[2])
    };
    text.as_bytes().windows(4).any(is_card)
}

/// All that is hidden of a table is in its state; all that is answered follows from what everybody sees.
#[tokio::test(start_paused = true)]
async fn a_table_never_tells_a_card_that_is_hidden_whatever_is_asked() {
    let house = House::new();
    house.open(1, &fast()).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    let players = [("ann", 1), ("bob", 2), ("cyd", 3)];
    for (name, session) in players {
        assert_eq!(relay.sit(&room(1), name, session, 100).await.code(), "applied");
    }
    assert!(names_a_card(r#"{"cards":["As"]}"#));
    let asking = async {
        let (mut compared, mut in_hand) = (0, 0);
        for round in 0.. {
            for q in ["seats", "settings"] {
                let asker = user(["ann", "eve"][round % 2]);
                let answer = relay.question(&room(1), &asker, &json!({ "about": q })).await;
                assert!(!names_a_card(&answer.to_string()), "no card is told, hidden or not: {answer}");
                // What a watcher of the room makes of it by itself.
                let seen = relay.until(&room(1), |followed| followed.at >= at(&answer)).await;
                if seen.at == at(&answer) {
                    let view: &TableView = seen.view();
                    let question = TableQuestion::read(&json!({ "about": q }).to_string()).unwrap();
                    assert_eq!(answer["body"], json!(question.answer(view)));
                    compared += 1;
                    in_hand += u32::from(view.hand.as_ref().is_some_and(|hand| !hand.ended));
                }
            }
            if compared >= 40 && in_hand >= 10 {
                return;
            }
            sleep(Duration::from_millis(3)).await;
        }
    };
    let table = room(1);
    tokio::select! {
        () = asking => {}
        () = play(&relay, &table, &players, 10_000) => panic!("ten thousand hands, and too few answers"),
    }
}

/// Workers' appends are refused while it is set.
struct Full(AtomicBool);

impl Faults for Full {
    fn operation(&self, node: &NodeId, operation: Operation) -> Fate {
        let is_refused = operation == Operation::Append
            && node.as_str().starts_with('w')
            && self.0.load(Ordering::Relaxed);
        if is_refused { Fate::REFUSED } else { Fate::FINE }
    }

    fn delivery(&self, _from: &NodeId, _to: &NodeId, _channel: &str) -> Copies {
        one_copy()
    }
}

#[tokio::test(start_paused = true)]
async fn while_nothing_can_be_stored_answers_are_those_of_the_last_frame() {
    let full = Arc::new(Full(AtomicBool::new(false)));
    let house = House { kinds: kinds().with::<Counter>(), ..House::on(Wire::with_faults(full.clone())) };
    house.open_room(&RoomSpec::new("counter", &Settings::default())).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    let last = add(&relay, "ann", 5).await;
    full.0.store(true, Ordering::Relaxed);
    // On its way into a journal that takes nothing.
    relay.send(&room(1), &user("ann"), 1, relay.next_n(), &json!({"a": "add", "by": 100})).await;
    let answer = relay.question(&room(1), &user("eve"), &json!({"about": "total"})).await;
    assert_eq!((at(&answer), answer["body"]["total"].as_u64()), (last, Some(5)), "{answer}");
    full.0.store(false, Ordering::Relaxed);
    let later = add(&relay, "ann", 1).await;
    let answer = relay.question(&room(1), &user("eve"), &json!({"about": "total"})).await;
    assert_eq!(at(&answer).epoch(), later.epoch());
    assert!(at(&answer) >= later);
}

#[tokio::test(start_paused = true)]
async fn whoever_owns_the_room_next_answers_and_nobody_else() {
    let house = house();
    house.open_room(&RoomSpec::new("counter", &Settings::default())).await;
    let first = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    add(&relay, "ann", 5).await;
    first.kill();
    let n = relay.next_n();
    relay.ask(&room(1), &user("eve"), n, &json!({"about": "total"})).await;
    assert_eq!(relay.answers_to(&user("eve"), n), [] as [Value; 0], "a question is sent once");
    let _second = house.worker("w2");
    let answer = relay.question(&room(1), &user("eve"), &json!({"about": "total"})).await;
    let followed = relay.until(&room(1), |followed| followed.epochs.len() == 2).await;
    assert_eq!((at(&answer).epoch(), &answer["body"]["total"]), (followed.at.epoch(), &json!(5)));
}

/// The second worker's claim is written, and nothing after it until that is lifted.
#[derive(Default)]
struct AfterClaim {
    appends: AtomicU64,
    is_lifted: AtomicBool,
}

impl Faults for AfterClaim {
    fn operation(&self, node: &NodeId, operation: Operation) -> Fate {
        if operation != Operation::Append || node.as_str() != "w2" || self.is_lifted.load(Ordering::Relaxed) {
            return Fate::FINE;
        }
        if self.appends.fetch_add(1, Ordering::Relaxed) == 0 { Fate::FINE } else { Fate::REFUSED }
    }

    fn delivery(&self, _from: &NodeId, _to: &NodeId, _channel: &str) -> Copies {
        one_copy()
    }
}

/// Elsewhere an owner that has just been elected has answered with what was not yet certain (etcd's issue 7331).
#[tokio::test(start_paused = true)]
async fn a_new_owner_answers_nothing_before_its_first_frame_is_in_the_journal() {
    let after_claim = Arc::new(AfterClaim::default());
    let house =
        House { kinds: kinds().with::<Counter>(), ..House::on(Wire::with_faults(after_claim.clone())) };
    house.open_room(&RoomSpec::new("counter", &Settings::default())).await;
    let first = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    let last = add(&relay, "ann", 5).await;
    first.kill();
    let _second = house.worker("w2");
    let n = relay.next_n();
    // Its claim is in, and it has tried to write its keyframe for so long that it takes its messages meanwhile.
    while after_claim.appends.load(Ordering::Relaxed) < 10 {
        relay.ask(&room(1), &user("eve"), n, &json!({"about": "total"})).await;
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(relay.answers_to(&user("eve"), n), [] as [Value; 0]);
    after_claim.is_lifted.store(true, Ordering::Relaxed);
    let answer = relay.question(&room(1), &user("eve"), &json!({"about": "total"})).await;
    assert!(at(&answer).epoch() > last.epoch(), "{answer}");
    assert_eq!(answer["body"]["total"], 5);
}

/// What a worker of the release before does with a question: it counts it as unreadable, and goes on.
#[tokio::test(start_paused = true)]
async fn what_a_worker_cannot_read_breaks_nothing() {
    let house = house();
    house.open_room(&RoomSpec::new("counter", &Settings::default())).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    // The next kind of message, of a release to come: as a question is to the release before.
    let later = Bytes::from_static(&[1, 2, b'r', b'1', 6, 1, 2, 3]);
    house.ports("r1").bus.publish(&Channel::commands(&room(1)), later).await.unwrap();
    add(&relay, "ann", 5).await;
}
