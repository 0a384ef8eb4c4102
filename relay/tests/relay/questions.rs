//! Questions: passed on to the room's owner once, answered to whoever has asked, and refused with a word why.

use broker::node::{Asked, NodeNews, Role, ToRelay, encode};
use protocol::id::{Epoch, NodeId, Position, SessionId, UserId};
use serde_json::{Value, json};

use crate::stage::{Client, Ears, Stage, keyframe, room, user};

impl Client {
    async fn question(&mut self, room: &str, n: u64, q: Value) {
        self.say(&json!({"t": "ask", "room": room, "n": n, "q": q})).await;
    }

    /// What comes of a question that is not passed on, `passed on` if it is.
    async fn refused(&mut self, n: u64) -> String {
        loop {
            let message = self.hear().await;
            if message["t"] == "unanswered" && message["n"] == n {
                let may_come_again = message["retry_after_ms"].is_u64();
                return format!("{} {may_come_again}", message["code"].as_str().unwrap());
            }
            if message["t"] == "pong" && message["at"] == n {
                return "passed on".into();
            }
        }
    }

    /// The same of one question. Where the directory has to be asked, the pong comes first.
    async fn comes_of(&mut self, room: &str, n: u64, q: Value) -> String {
        self.question(room, n, q).await;
        self.say(&json!({"t": "ping", "at": n})).await;
        self.refused(n).await
    }

    /// Asks until the relay has heard that all owners of rooms read questions.
    async fn asks_until_passed_on(&mut self, ears: &mut Ears) -> u64 {
        for n in 1.. {
            let came = self.comes_of("t1", n, json!({"about": "seats"})).await;
            if came == "passed on" {
                // The directory is asked first.
                let heard = question(ears).await;
                assert_eq!(heard.2, n);
                return n;
            }
            assert_eq!(came, "unavailable true");
        }
        unreachable!("it is passed on sooner or later")
    }
}

/// The next question that a room's owner hears.
async fn question(ears: &mut Ears) -> (UserId, SessionId, u64, String) {
    loop {
        let heard = ears.next().await;
        if let Asked::Question { user, session, n, body } = heard.what {
            assert_eq!(heard.epoch, Epoch::default(), "it is for whoever owns the room");
            return (user, session, n, String::from_utf8(body.to_vec()).unwrap());
        }
    }
}

fn answer(name: &str, session: SessionId, n: u64, body: &str) -> ToRelay {
    let at = json!(Position::new(1, 1));
    let text = format!(r#"{{"t":"answer","n":{n},"room":"t1","at":{at},"body":{body}}}"#);
    ToRelay::Answer { user: user(name), session, body: text.into() }
}

#[tokio::test]
async fn a_question_reaches_the_owner_without_watching_and_its_answer_the_one_who_asked() {
    let stage = Stage::patient().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    let mut bob = stage.client("bob").await;
    ann.asks_until_passed_on(&mut ears).await;
    ann.question("t1", 77, json!({"about": "settings", "x": [1, 2]})).await;
    let asked = question(&mut ears).await;
    assert_eq!(asked, (user("ann"), ann.session, 77, r#"{"about":"settings","x":[1,2]}"#.to_owned()));
    stage.dealer.reply(&answer("ann", ann.session, 77, r#"{"free":6}"#)).await;
    let told = ann.hear_until("answer").await;
    assert_eq!(told, json!({"t": "answer", "n": 77, "room": "t1", "at": [1, 1], "body": {"free": 6}}));
    // Whose session it is not, gets nothing, and nobody has got a frame.
    stage.dealer.reply(&answer("bob", ann.session, 77, "{}")).await;
    ann.hear_nothing_more().await;
    bob.hear_nothing_more().await;
}

#[tokio::test]
async fn a_question_to_a_room_that_is_not_there_is_told_so_and_one_to_a_room_just_opened_is_not() {
    let stage = Stage::patient().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    let mut n = ann.asks_until_passed_on(&mut ears).await;
    for _ in 0..3 {
        n += 1;
        ann.question("t99", n, json!({})).await;
        assert_eq!(ann.refused(n).await, "no_such_room false");
    }
    stage.dealer.open("t99").await;
    let mut opened = stage.dealer.listen("t99").await;
    let news = NodeNews::Opened { room: room("t99") };
    stage.tell_nodes(encode(&news)).await;
    loop {
        n += 1;
        // Until it has heard the news.
        if ann.comes_of("t99", n, json!({})).await == "passed on" {
            break;
        }
    }
    assert_eq!(question(&mut opened).await.2, n);
}

#[tokio::test]
async fn a_connection_asks_four_times_a_second_and_is_told_when_it_asks_more() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut ann = stage.client("ann").await;
    let mut bob = stage.client("bob").await;
    for n in 1..=12 {
        ann.question("t1", n, json!({})).await;
    }
    // However slowly the machine sends them, some come within the second.
    let message = loop {
        let message = ann.hear_until("unanswered").await;
        if message["code"] == "too_fast" {
            break message;
        }
    };
    let wait_ms = message["retry_after_ms"].as_u64().unwrap();
    assert!((1..=250).contains(&wait_ms), "{message}");
    assert!(message["message"].as_str().unwrap().contains("4 questions a second"), "{message}");
    // Nobody else's questions count, nor do commands.
    assert_ne!(bob.comes_of("t1", 1, json!({})).await, "too_fast true");
    let mut ears = stage.dealer.listen("t1").await;
    ann.ask("t1", 1, json!({})).await;
    assert_eq!(ears.command().await.n, 1);
}

#[tokio::test]
async fn a_question_that_is_none_or_too_long_never_leaves_the_relay() {
    let stage = Stage::patient().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    let last = ann.asks_until_passed_on(&mut ears).await;
    let long = json!({"about": "x".repeat(1_024)});
    for (n, text) in [
        (last + 1, format!(r#"{{"t":"ask","n":{},"room":"t1","q":{long}}}"#, last + 1)),
        (last + 2, format!(r#"{{"t":"ask","n":{},"room":"t1","q":"seats"}}"#, last + 2)),
        (last + 3, format!(r#"{{"t":"ask","n":{},"room":"t1"}}"#, last + 3)),
    ] {
        ann.say_text(text).await;
        assert_eq!(ann.refused(n).await, "bad_question false");
    }
    ann.say(&json!({"t": "ask", "room": "t1", "q": {}})).await;
    assert_eq!(ann.hear_until("error").await["code"], "bad_message");
    assert_eq!(ears.so_far(), []);
}

#[tokio::test]
async fn nobody_is_asked_who_cannot_read_a_question() {
    let stage = Stage::patient().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    let mut n = ann.asks_until_passed_on(&mut ears).await;
    let node = NodeId::new("older").unwrap();
    for beat in 1.. {
        let (role, sent_ms, draining, speaks) = (Role::Worker, 0, false, 2);
        let beat = NodeNews::Beat {
            node: node.clone(),
            role,
            beat,
            sent_ms,
            draining,
            speaks,
            missed: 0,
            spares: false,
            door: None,
        };
        stage.tell_nodes(encode(&beat)).await;
        n += 1;
        if ann.comes_of("t1", n, json!({})).await == "unavailable true" {
            break;
        }
    }
    let gone = encode(&NodeNews::Gone { node });
    stage.tell_nodes(gone).await;
    while ann.comes_of("t1", n + 1, json!({})).await != "passed on" {
        n += 1;
    }
}
