//! A client that was written from `docs/protocol.md` alone plays at a house: it uses nothing of ours that speaks the protocol, not even
//! types, and holds every message that comes against what the document shows.

mod client;
mod fold;
mod http;
mod shape;
mod wire;

use std::net::SocketAddr;

use house::{Config, House};
use protocol::testing::mutations::{Does, cases};
use serde_json::{Value, json};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{client::Client, wire::Wire};

struct Running {
    address: SocketAddr,
    _task: AbortOnDropHandle<()>,
}

/// One table of quick bots, which leave two seats free.
async fn start() -> Running {
    let mut config = Config::defaults();
    config.listen = ([127, 0, 0, 1], 0).into();
    config.tables.tables = 1;
    config.tables.pause_ms = 20;
    config.tables.runout_ms = 5;
    config.bots.bot_think_min_ms = 0;
    config.bots.bot_think_more_ms = 10;
    let house = House::open(config).await.unwrap();
    let address = house.address();
    let run = house.run(CancellationToken::new());
    Running { address, _task: AbortOnDropHandle::new(tokio::spawn(async move { run.await.unwrap() })) }
}

/// What a client does without async, beside the house that runs meanwhile.
async fn beside<T: Send + 'static>(what: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(what).await.unwrap()
}

#[tokio::test]
async fn two_clients_play_are_cut_resume_and_repeat_and_their_states_are_the_keyframes() {
    let house = start().await;
    let address = house.address;
    let play = move |name: &'static str, seed| beside(move || Client::new(address, name, seed).play());
    let (ann, bob) = tokio::join!(play("Ann", 1), play("Bob", 2));
    for story in [ann, bob] {
        println!("{story:?}");
        assert!(story.hands >= client::HANDS, "{story:?}");
        assert!(story.cuts >= client::CUTS, "{story:?}");
        assert!(story.keyframes_equal >= 3, "{story:?}");
        assert!(story.repeated > 0, "{story:?}");
    }
}

#[tokio::test]
async fn every_message_of_a_client_is_answered_as_the_document_shows() {
    let house = start().await;
    let address = house.address;
    beside(move || {
        let shapes = shape::Shapes::of_the_document();
        let issued = http::post(address, "/api/guest", &json!({"name": "Ann"}));
        assert_eq!(issued.status, 201, "{issued:?}");
        let token = issued.body["token"].clone();
        let again = http::post(address, "/api/refresh", &json!({"token": token}));
        assert_eq!((again.status, &again.body["user"]), (200, &issued.body["user"]), "{again:?}");
        for (path, body, status, code) in [
            ("/api/guest", json!({"name": ""}), 422, "bad_name"),
            ("/api/guest", json!({"nick": "Ann"}), 400, "bad_request"),
            ("/api/refresh", json!({"token": "x"}), 401, "bad_token"),
            ("/api/nothing", json!({}), 404, "not_found"),
        ] {
            let answer = http::post(address, path, &body);
            assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{answer:?}");
        }
        let mut wire = Wire::open(address);
        let said = [
            (json!({"t": "hello", "token": token}), "welcome"),
            (json!({"t": "ping", "at": 1.25}), "pong"),
            (json!({"t": "refresh", "token": again.body["token"]}), "refreshed"),
            (json!({"t": "lobby", "on": true}), "lobby"),
            (json!({"t": "lobby", "on": true, "v": 7, "view": {"kind": "table", "count": 1}}), "lobby"),
            (json!({"t": "watch", "room": "t1"}), "keyframe"),
            (json!({"t": "do", "n": 1, "room": "t1", "do": {"a": "chat", "text": "good evening"}}), "ack"),
            (json!({"t": "do", "n": 2, "room": "t1", "do": {"a": "leave"}}), "refused"),
            (json!({"t": "ask", "n": 1, "room": "t1", "q": {"about": "seats"}}), "answer"),
            (json!({"t": "ask", "n": 2, "room": "t1", "q": {"about": "settings"}}), "answer"),
            (json!({"t": "ask", "n": 3, "room": "t1", "q": {"about": "cards"}}), "unanswered"),
            (json!({"t": "unwatch", "room": "t1"}), "unwatched"),
            (json!({"t": "watch", "room": "t99"}), "error"),
        ];
        for (message, answer) in said {
            wire.say(&message);
            loop {
                let heard = wire.hear().unwrap_or_else(|code| panic!("{message}: closed with {code:?}"));
                shapes.check(&heard);
                if heard["t"] == answer {
                    break;
                }
            }
        }
    })
    .await;
}

/// What the house does about a message, said on a connection of its own.
fn what_it_does(address: SocketAddr, token: &Value, kind: &str, text: &str) -> Does {
    let mut wire = Wire::open(address);
    if kind != "hello" {
        wire.say(&json!({"t": "hello", "token": token}));
        assert_eq!(wire.hear().unwrap()["t"], "welcome");
    }
    wire.say_text(text);
    // A command or question is answered sooner or later; before that nothing can be concluded.
    let is_answered = kind.starts_with("do") || kind.starts_with("ask");
    wire.say_text(r#"{"t":"ping","at":4711}"#);
    loop {
        let heard = match wire.hear() {
            Ok(heard) => heard,
            Err(Some(4004)) => return Does::Closes,
            // Whoever says nothing that the house takes for a hello may not say more.
            Err(Some(4001)) if kind == "hello" => return Does::UnknownMessage,
            Err(code) => panic!("{text}: closed with {code:?}"),
        };
        match (heard["t"].as_str().unwrap(), heard["code"].as_str()) {
            ("error", Some("bad_message")) => return Does::BadMessage,
            ("error", Some("unknown_message")) => return Does::UnknownMessage,
            ("refused", Some("bad_command")) => return Does::BadCommand,
            ("unanswered", Some("bad_question")) => return Does::BadQuestion,
            ("ack" | "refused" | "answer" | "unanswered", _) => return Does::Takes,
            ("pong", _) if heard["at"] == 4711 && !is_answered => return Does::Takes,
            _ => {}
        }
    }
}

#[tokio::test]
async fn every_change_of_an_example_gets_the_documents_answer_from_the_real_house() {
    let house = start().await;
    let address = house.address;
    beside(move || {
        let token = http::post(address, "/api/guest", &json!({"name": "Eve"})).body["token"].clone();
        let example =
            protocol::testing::mutations::examples("client")[0]["token"].as_str().unwrap().to_owned();
        for case in cases() {
            let text = case.text.replace(&example, token.as_str().unwrap());
            let does = what_it_does(address, &token, &case.kind, &text);
            assert_eq!(does, case.expected, "{}, {}: {text}", case.kind, case.change);
        }
    })
    .await;
}
