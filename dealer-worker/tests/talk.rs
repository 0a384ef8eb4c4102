//! The room in which people talk.

mod support;

use broker::{
    channel::Channel,
    node::{Asked, ToRoom, encode},
    store::Store as _,
};
use bytes::Bytes;
use dealer_worker::{Opening, open_tables};
use protocol::{
    id::{Epoch, Position, Seq, SessionId},
    rights::{Can, Rights},
    talk::{LINES_MAX, TalkEvent, TalkView, beside},
};
use rooms::{Bounds, room::frame};
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use support::{Answer, Followed, House, Relay, Running, fast, node, room, user};

fn say(text: &str) -> Value {
    json!({"a": "say", "text": text})
}

async fn says(relay: &Relay, name: &str, text: &str) -> Answer {
    relay.command(&room(1), &user(name), 1, relay.next_n(), say(text)).await
}

/// What is to be seen in the room after all that was told.
fn seen(followed: &Followed) -> TalkView {
    let state = followed.state.clone().expect("a keyframe was seen");
    let mut view: TalkView = serde_json::from_value(state).unwrap();
    for event in &followed.told {
        view.apply(&serde_json::from_value::<TalkEvent>(event.clone()).unwrap());
    }
    view
}

fn lines(followed: &Followed) -> Vec<(String, String)> {
    seen(followed).lines.into_iter().map(|said| (said.name, said.text)).collect()
}

/// A house with one room to talk in, whose owner may say as much as it likes.
async fn talking(keyframe_every: u32) -> (House, Running, Relay) {
    let house = House::new();
    house.open_room(&talk::spec()).await;
    let worker = chatty(&house, "w1", keyframe_every);
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    (house, worker, relay)
}

/// A house with one table and the room beside it.
async fn a_table() -> (House, Running, Relay) {
    let house = House::new();
    open_tables(&house.ports("floor"), 1, &Opening::of(fast())).await.unwrap();
    let relay = Relay::new(&house, "r1", 1).await;
    let talk = beside(&room(1)).unwrap();
    relay.hear(&talk).await;
    let worker = house.worker("w1");
    relay.owned(&room(1)).await;
    relay.owned(&talk).await;
    (house, worker, relay)
}

fn chatty(house: &House, name: &str, keyframe_every: u32) -> Running {
    let mut config = house.config_within(name, Bounds { keyframe_every, ..Bounds::default() });
    config.bounds.talk.every_ms = 0;
    house.worker_with(name, config)
}

#[tokio::test(start_paused = true)]
async fn what_is_said_is_heard_by_all_and_seen_by_whoever_comes_later() {
    let (house, _worker, relay) = talking(4).await;
    for number in 0..LINES_MAX + 7 {
        assert_eq!(says(&relay, "ann", &format!("line {number}")).await.code(), "applied");
    }
    assert_eq!(says(&relay, "bot-bob", "ty").await.code(), "applied");
    let view = seen(&relay.followed(&room(1)));
    assert_eq!((view.lines.len(), &*view.lines[0].text), (LINES_MAX, "line 8"));
    let last = view.lines.back().unwrap();
    assert!(last.bot && !view.lines[0].bot && last.at_ms > 0);
    let late = Relay::new(&house, "r2", 1).await;
    let late = late.until(&room(1), |seen| seen.at == relay.followed(&room(1)).at).await;
    assert_eq!(seen(&late), view);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_sent_again_is_said_once_by_whomever_the_room_is_owned() {
    let (house, first, relay) = talking(64).await;
    let answer = relay.command(&room(1), &user("ann"), 7, 1, say("once")).await;
    assert_eq!(answer.code(), "applied");
    assert_eq!(relay.command(&room(1), &user("ann"), 7, 1, say("once")).await, answer);
    first.kill();
    let _second = chatty(&house, "w2", 64);
    relay.until(&room(1), |followed| followed.epochs.len() == 2).await;
    relay.send(&room(1), &user("ann"), 7, 1, &say("once")).await;
    assert_eq!(relay.command(&room(1), &user("ann"), 7, 2, say("twice")).await.code(), "applied");
    let heard = lines(&relay.followed(&room(1)));
    assert_eq!(heard, [("ANN".into(), "once".into()), ("ANN".into(), "twice".into())]);
}

#[tokio::test(start_paused = true)]
async fn nobody_who_talks_can_be_taken_for_another() {
    let (_house, _worker, relay) = talking(64).await;
    for (name, text) in [("ann", "I am Ann"), ("ANN", "no, I am"), ("ann", "really"), ("bob", "hm")] {
        assert_eq!(says(&relay, name, text).await.code(), "applied");
    }
    let names: Vec<String> = lines(&relay.followed(&room(1))).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["ANN", "ANN 2", "ANN", "BOB"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_said_is_refused_with_the_reason() {
    let (_house, _worker, relay) = talking(64).await;
    for (what, code) in [
        (say(""), "bad_text"),
        (say(&"x".repeat(201)), "bad_text"),
        (say("two\nlines"), "bad_text"),
        (json!({"a": "chat", "text": "as at a table"}), "bad_command"),
        (json!({"a": "say", "text": 7}), "bad_command"),
        (json!({"a": "say", "text": "hi", "to": "bob"}), "bad_command"),
        (json!([]), "bad_command"),
    ] {
        let answer = relay.command(&room(1), &user("ann"), 1, relay.next_n(), what.clone()).await;
        assert_eq!(answer.code(), code, "{what}");
    }
    let asked = relay.question(&room(1), &user("ann"), &json!({"about": "seats"})).await;
    assert_eq!(asked["code"], "bad_question", "{asked}");
    assert_eq!(lines(&relay.followed(&room(1))), []);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_talk_is_not_heard() {
    let (_house, _worker, relay) = talking(64).await;
    let body = Bytes::from(say("hear me").to_string());
    let rights = Rights { can: Can::PLAY, ..Rights::default() };
    let (session, n) = (SessionId(1), 1);
    let muted = Asked::Command { user: user("ann"), name: "Ann".into(), session, n, body, rights };
    relay.tell(&room(1), muted).await;
    // The same, asked again in the usual way, gets the same answer.
    let answer = relay.command(&room(1), &user("ann"), 1, n, say("hear me")).await;
    assert_eq!(answer.code(), "not_allowed");
    assert_eq!(lines(&relay.followed(&room(1))), []);
}

#[tokio::test(start_paused = true)]
async fn the_pace_of_talk_is_each_rooms_own() {
    let (_house, _worker, relay) = a_table().await;
    let (table, talk) = (room(1), beside(&room(1)).unwrap());
    let chat = json!({"a": "chat", "text": "hi"});
    for (room, what) in [(&talk, say("hi")), (&table, chat)] {
        let mut codes = Vec::new();
        for _ in 0..6 {
            let answer = relay.command(room, &user("ann"), 1, relay.next_n(), what.clone()).await;
            codes.push(answer.code().to_owned());
        }
        assert_eq!(codes, ["applied", "applied", "applied", "applied", "applied", "too_fast"], "{room}");
    }
}

/// The storm that once made a table forget what it had answered.
#[tokio::test(start_paused = true)]
async fn however_many_talk_the_table_beside_them_notices_nothing() {
    let (_house, _worker, relay) = a_table().await;
    let (table, talk) = (room(1), beside(&room(1)).unwrap());
    assert_eq!(relay.sit(&table, "ann", 1, 100).await.code(), "applied");
    let top_up = json!({"a": "top_up", "amount": 50});
    let answer = relay.command(&table, &user("ann"), 1, 1_000_000, top_up.clone()).await;
    assert_eq!(answer.code(), "applied");
    let before = relay.followed(&table).at;
    for guest in 0..70 {
        for n in 1..=2 {
            let guest = user(&format!("guest-{guest}"));
            assert_eq!(relay.command(&talk, &guest, 9, n, say("hi")).await.code(), "applied");
        }
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(relay.followed(&table).at, before, "nothing came into its journal");
    assert_eq!(relay.command(&table, &user("ann"), 1, 1_000_000, top_up).await, answer);
    assert_eq!(relay.followed(&table).view().seats.iter().flatten().next().unwrap().stack, 150);
}

/// Of an owner that has claimed the room and died before anybody was told; nothing is due here by which the one before would run into the fence.
#[tokio::test(start_paused = true)]
async fn an_owner_that_is_asked_as_a_later_one_finds_out_that_there_was_one() {
    let (house, _worker, relay) = talking(64).await;
    let later = Epoch(relay.followed(&room(1)).at.epoch().0 + 1_000);
    let claim = Position(later, Seq(0));
    let entry = frame::claim(&room(1), claim, &node("w2")).encode().stored;
    house.store.append(&room(1), claim, entry, None).await.unwrap();
    let what = Asked::Absent { user: user("ann"), session: SessionId(1) };
    let message = ToRoom { epoch: later, relay: node("r1"), what };
    house.ports("r1").bus.publish(&Channel::commands(&room(1)), encode(&message)).await.unwrap();
    relay.until(&room(1), |followed| followed.at.epoch() > later).await;
    assert_eq!(says(&relay, "ann", "is anybody there?").await.code(), "applied");
}
