//! A crowd that says more than a room can write: whoever has a seat is heard all the same, and so is whoever asks for little. And nothing is done
//! twice that the broker has brought twice, however long the second copy waits.

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use broker::{
    channel::Channel,
    node::{Asked, ToRoom, encode},
    wire::{
        Wire,
        fault::{Copies, Fate, Faults, Operation, one_copy},
    },
};
use bytes::Bytes;
use protocol::{
    id::{NodeId, SessionId},
    rights::Rights,
    table::TableEvent,
};
use rooms::{
    Bounds,
    planted::{Fault, plant},
    room::answers::Memory,
};
use serde_json::json;
use tokio::time::Duration;

use support::{Answer, Followed, House, Relay, Running, fast, room, user};

/// An append takes a tenth of a second while it is set.
struct Slow(AtomicBool);

impl Faults for Slow {
    fn operation(&self, node: &NodeId, operation: Operation) -> Fate {
        let is_slow = operation == Operation::Append
            && node.as_str().starts_with('w')
            && self.0.load(Ordering::Relaxed);
        let before = if is_slow { Duration::from_millis(100) } else { Duration::ZERO };
        Fate { before, ..Fate::FINE }
    }

    fn delivery(&self, _from: &NodeId, _to: &NodeId, _channel: &str) -> Copies {
        one_copy()
    }
}

/// A house whose one table has a mailbox of four messages; and what makes its appends slow.
async fn small_mailbox() -> (House, Arc<Slow>, Running, Relay) {
    let slow = Arc::new(Slow(AtomicBool::new(false)));
    let house = House::on(Wire::with_faults(slow.clone()));
    house.open(1, &fast()).await;
    let config = house.config_within("w1", Bounds { mailbox_messages_max: 4, ..Bounds::default() });
    let worker = house.worker_with("w1", config);
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    (house, slow, worker, relay)
}

/// What a player is answered who says something behind a crowd that has filled the mailbox, and how many of the crowd are told to wait.
async fn behind_a_crowd() -> (Answer, usize) {
    let (_house, slow, _worker, relay) = small_mailbox().await;
    assert_eq!(relay.sit(&room(1), "ann", 1, 100).await.code(), "applied");
    slow.0.store(true, Ordering::Relaxed);
    let chat = json!({"a": "chat", "text": "hello"});
    for number in 0..7_u64 {
        relay.send(&room(1), &user(&format!("eve-{number}")), 100 + number, 1, &chat).await;
    }
    let answer = relay.command(&room(1), &user("ann"), 1, 9, json!({"a": "sit_out"})).await;
    let mut busy = 0;
    for number in 0..7_u64 {
        let who = user(&format!("eve-{number}"));
        let answer = relay.command(&room(1), &who, 100 + number, 1, chat.clone()).await;
        busy += usize::from(answer.code() == "busy");
    }
    (answer, busy)
}

#[tokio::test(start_paused = true)]
async fn who_has_a_seat_is_heard_behind_a_crowd_that_fills_the_mailbox() {
    let (answer, busy) = behind_a_crowd().await;
    assert_eq!(answer.code(), "applied", "{answer:?}");
    assert!(busy > 0, "the crowd is told to wait");
    // And without a queue of their own they are not.
    plant(Some(Fault::HearsMembersAsOthers));
    let (answer, _) = behind_a_crowd().await;
    plant(None);
    assert_eq!(answer.code(), "busy", "{answer:?}");
}

/// What a stranger is answered behind one user who has filled the mailbox from many sessions.
async fn behind_one_with_many_sessions() -> Answer {
    let (_house, slow, _worker, relay) = small_mailbox().await;
    slow.0.store(true, Ordering::Relaxed);
    let chat = json!({"a": "chat", "text": "hello"});
    for session in 0..5 {
        relay.send(&room(1), &user("eve"), 100 + session, 1, &chat).await;
    }
    relay.command(&room(1), &user("bob"), 1, 1, chat).await
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_for_little_is_heard_behind_one_who_fills_the_mailbox_from_many_sessions() {
    let answer = behind_one_with_many_sessions().await;
    assert_eq!(answer.code(), "applied", "{answer:?}");
    plant(Some(Fault::TakesNoTurns));
    let answer = behind_one_with_many_sessions().await;
    plant(None);
    assert_eq!(answer.code(), "busy", "{answer:?}");
}

/// How often it is done what the broker brings twice, where the second copy waits behind a crowd until the first one's session is forgotten.
async fn done_of_what_comes_twice() -> usize {
    let slow = Arc::new(Slow(AtomicBool::new(false)));
    let house = House::on(Wire::with_faults(slow.clone()));
    house.open(1, &fast()).await;
    let memory = Memory { others_min: 2, keep_ms: 500, ..Memory::default() };
    let _worker = house.worker_with("w1", house.config_within("w1", Bounds { memory, ..Bounds::default() }));
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    // It lives, and follows no room: whatever it is answered, somebody else has been answered before.
    let other = Relay::new(&house, "r2", 0).await;
    slow.0.store(true, Ordering::Relaxed);
    let now = house.ports("r2").clock.now_ms();
    // Whose session began later than all that was forgotten is new in any case.
    let said = |who: String, later_ms: u64, text: &str| {
        let (name, body) = (who.to_uppercase(), Bytes::from(json!({"a": "chat", "text": text}).to_string()));
        let session = SessionId::beginning(now + later_ms, 1);
        Asked::First { user: user(&who), name, session, n: 1, body, rights: Rights::default() }
    };
    relay.tell(&room(1), said("eve".into(), 0, "once")).await;
    for number in 0..8 {
        relay.tell(&room(1), said(format!("bob-{number}"), 2_000, "hello")).await;
    }
    let (epoch, what) = (relay.followed(&room(1)).at.epoch(), said("eve".into(), 0, "once"));
    let copy = encode(&ToRoom { epoch, relay: other.node.clone(), what });
    house.ports("r2").bus.publish(&Channel::commands(&room(1)), copy).await.unwrap();
    // Behind all that waits.
    let (zoe, session) = (user("zoe"), SessionId::beginning(now + 4_000, 1).0);
    for n in 1..=2 {
        let said = relay.command(&room(1), &zoe, session, n, json!({"a": "chat", "text": "the last"})).await;
        assert_eq!(said.code(), "applied");
    }
    says(&relay.followed(&room(1)), "once")
}

/// How often this was said at the table.
fn says(followed: &Followed, what: &str) -> usize {
    let is_said = |event: &&TableEvent| matches!(event, TableEvent::Chat { text, .. } if text == what);
    followed.events.iter().filter(is_said).count()
}

#[tokio::test(start_paused = true)]
async fn what_comes_twice_is_done_once_however_long_the_second_copy_waits() {
    assert_eq!(done_of_what_comes_twice().await, 1);
    plant(Some(Fault::VouchesForEver));
    let done = done_of_what_comes_twice().await;
    plant(None);
    assert_eq!(done, 2, "believed that it was never said before");
}
