//! How to talk to a relay: greeting, tokens, and what happens to those who break the protocol.

use futures_util::SinkExt;
use relay::RelayConfig;
use serde_json::json;
use tokens::{Claims, LEEWAY_S, Signer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_websockets::Message;

use crate::stage::{Client, Stage, keyframe, signer, soon, user};

#[tokio::test]
async fn hello_is_welcomed_and_ping_answered() {
    let stage = Stage::new().await;
    let mut ann = stage.connect().await;
    let welcome = ann.hello(&stage.token("ann"), json!({})).await;
    assert_eq!((welcome["user"].as_str(), welcome["name"].as_str()), (Some("ann"), Some("ann")));
    assert!(welcome["expires_ms"].as_u64() > welcome["now_ms"].as_u64());
    ann.say(&json!({"t": "ping", "at": 12})).await;
    let pong = ann.hear().await;
    assert_eq!((pong["t"].as_str(), pong["at"].as_u64()), (Some("pong"), Some(12)));
    // A clock with a fraction, as browsers have one: to the letter.
    for at in ["1.0", "173.30000000000004", "-0", "1e3"] {
        ann.say_text(format!(r#"{{"t":"ping","at":{at}}}"#)).await;
        assert_eq!(ann.hear_text().await.split(r#""at":"#).nth(1).unwrap().split(',').next(), Some(at));
    }
    ann.say(&json!({"t": "hello", "token": stage.token("ann")})).await;
    assert_eq!(ann.hear_brief().await, "error already_greeted");
    ann.hear_nothing_more().await;
}

#[tokio::test]
async fn each_breach_of_the_protocol_has_its_code_and_costs_the_others_nothing() {
    let stage = Stage::with(RelayConfig { message_bytes_max: 4_000, ..RelayConfig::default() }).await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut other = stage.client("other").await;
    other.watch("t1").await;
    assert_eq!(other.hear_brief().await, "keyframe 1-1");

    let before_hello = [
        (r#"{"t":"ping","at":1}"#.to_owned(), 4001),
        (r#"{"t":"watch","room":"t1"}"#.to_owned(), 4001),
        ("nonsense".to_owned(), 4004),
        (r#"["hello","x"]"#.to_owned(), 4004),
        (r#"{"t":"dance"}"#.to_owned(), 4001),
        (r#"{"t":"do","n":1,"room":"t1","do":null}"#.to_owned(), 4001),
        (r#"{"t":"hello","token":"x"}"#.to_owned(), 4002),
        ("x".repeat(4_001), 1009),
    ];
    for (text, code) in before_hello {
        let mut client = stage.connect().await;
        client.say_text(text.clone()).await;
        assert_eq!(client.hear_close().await, code, "{text}");
    }
    let after_hello = [
        (Message::text("{"), 4004),
        (Message::text(r#"["ping",1]"#), 4004),
        (Message::text(r#"{"at":1}"#), 4004),
        (Message::text(format!(r#"{{"t":"ping","at":1{}}}"#, " ".repeat(4_000))), 1009),
        (Message::binary("{}"), 1003),
    ];
    for (message, code) in after_hello {
        let mut client = stage.client("ann").await;
        client.socket.send(message).await.unwrap();
        assert_eq!(client.hear_close().await, code);
    }
    other.hear_nothing_more().await;
}

#[tokio::test]
async fn what_the_house_does_not_know_is_answered_and_the_connection_goes_on() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut ann = stage.connect().await;
    // A later client's first message, and the same as this house knows it.
    ann.say(&json!({"t": "hello", "token": stage.token("ann"), "colour": "red"})).await;
    assert_eq!(ann.hear_brief().await, "error bad_message");
    ann.hello(&stage.token("ann"), json!({})).await;
    for (text, answer) in [
        (r#"{"t":"dance"}"#, "error unknown_message"),
        (r#"{"t":"ping","at":1,"more":2}"#, "error bad_message"),
        (r#"{"t":"ping","at":"1"}"#, "error bad_message"),
        (r#"{"t":"watch","room":"t1","room":"t1"}"#, "error bad_message"),
        (r#"{"t":"watch","room":7}"#, "error bad_message"),
        (r#"{"t":"do","n":1.0,"room":"t1","do":{}}"#, "error bad_message"),
        (r#"{"t":"do","n":1,"room":"t1","do":null}"#, "refused 1 bad_command"),
        (r#"{"t":"do","n":2,"room":"t1","do":["leave"]}"#, "refused 2 bad_command"),
        (r#"{"t":"do","n":3,"room":"t1"}"#, "refused 3 bad_command"),
        (r#"{"t":"do","n":4,"room":"t1","do":{},"more":2}"#, "refused 4 bad_command"),
        // Answered already: its answer will be no other.
        (r#"{"t":"do","n":4,"room":"t1","do":null}"#, "refused 4 stale_n"),
    ] {
        ann.say_text(text.to_owned()).await;
        assert_eq!(ann.hear_brief().await, answer, "{text}");
    }
    ann.hear_nothing_more().await;
}

#[tokio::test]
async fn an_unmasked_frame_is_a_protocol_error() {
    let stage = Stage::new().await;
    let mut stream = TcpStream::connect(stage.address).await.unwrap();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: cardhouse.v1\r\n\r\n",
        stage.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(b"\x81\x02{}").await.unwrap();
    let mut answer = Vec::new();
    soon("the end", stream.read_to_end(&mut answer)).await.unwrap();
    let head_end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    assert_eq!(answer[head_end], 0x88);
    assert_eq!(u16::from_be_bytes([answer[head_end + 2], answer[head_end + 3]]), 1002);
}

#[tokio::test]
async fn a_token_must_be_ours_and_good() {
    let stage = Stage::new().await;
    let now_ms = stage.clock.now_ms();
    let claims = |name, at_ms| Claims::new(user(name), name, at_ms, 60_000);
    let cases = [
        Signer::generate().sign(&claims("ann", now_ms)),
        signer().sign(&claims("ann", now_ms - 120_000)),
        signer().sign(&claims("ann", now_ms + 600_000)),
        String::new(),
    ];
    for token in cases {
        let mut client = stage.connect().await;
        client.say(&json!({"t": "hello", "token": token})).await;
        assert_eq!(client.hear_close().await, 4002);
    }
}

#[tokio::test]
async fn a_token_that_expires_on_the_live_connection_closes_it_unless_refreshed() {
    let stage = Stage::new().await;
    // Expired, but within what clocks may differ: the connection has a moment left.
    let now_ms = stage.clock.now_ms();
    let short = signer().sign(&Claims::new(user("ann"), "ann", now_ms - LEEWAY_S * 1_000, 1_000));
    let mut lets_expire = stage.connect().await;
    lets_expire.hello(&short, json!({})).await;
    let mut refreshes = stage.connect().await;
    refreshes.hello(&short, json!({})).await;
    for (token, answer) in [
        (stage.token("bob"), "error bad_token"),
        ("x".to_owned(), "error bad_token"),
        (stage.token("ann"), "refreshed"),
    ] {
        refreshes.say(&json!({"t": "refresh", "token": token})).await;
        assert_eq!(refreshes.hear_brief().await, answer);
    }
    assert_eq!(lets_expire.hear_close().await, 4003);
    refreshes.hear_nothing_more().await;
}

#[tokio::test]
async fn who_says_nothing_is_let_go_and_who_answers_pings_is_not() {
    // The relay pings at half of it: what remains is what a busy machine may take to answer.
    let config = RelayConfig { hello_ms: 300, idle_ms: 6_000, ..RelayConfig::default() };
    let stage = Stage::with(config).await;
    let mut mute = stage.connect().await;
    assert_eq!(mute.hear_close().await, 4000);
    // A client of whom nothing comes, not even pongs, because it does not read.
    let deaf = stage.client("deaf").await;
    // Reading answers the relay's pings.
    let mut listens = stage.client("listens").await;
    let reading = tokio::spawn(async move { listens.hear().await });
    stage.until("the deaf one is let go", |stage| stage.relay.connections() == 1).await;
    drop(deaf);
    assert!(!reading.is_finished());
    reading.abort();
}

#[tokio::test]
async fn the_handshake_is_refused_for_what_is_wrong_with_it() {
    let config = RelayConfig { origins: vec!["https://cards.example".into()], ..RelayConfig::default() };
    let stage = Stage::with(config).await;
    let good = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let protocol = "Sec-WebSocket-Protocol: cardhouse.v1\r\n";
    for (headers, status) in [
        (format!("{good}{protocol}"), 101),
        (format!("{good}{protocol}Origin: https://cards.example\r\n"), 101),
        (format!("{good}{protocol}Origin: http://{}\r\n", stage.address), 101),
        (format!("{good}{protocol}Origin: https://evil.example\r\n"), 403),
        (good.to_owned(), 400),
        (String::new(), 426),
    ] {
        let mut stream = TcpStream::connect(stage.address).await.unwrap();
        let request = format!("GET /ws HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", stage.address);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut line = [0; 12];
        soon("an answer", stream.read_exact(&mut line)).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&line), format!("HTTP/1.1 {status}"), "{headers}");
    }
}

#[tokio::test]
async fn what_is_sent_right_behind_the_handshake_is_heard() {
    let stage = Stage::new().await;
    let mut stream = TcpStream::connect(stage.address).await.unwrap();
    // "nonsense", masked with zeros, in the packet of the request.
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: cardhouse.v1\r\n\r\n\
         \u{1}",
        stage.address
    );
    let mut bytes = request.into_bytes();
    bytes.pop();
    bytes.extend_from_slice(b"\x81\x88\0\0\0\0nonsense");
    stream.write_all(&bytes).await.unwrap();
    let mut answer = Vec::new();
    // Closed with 4004, which this client never answers: the relay hangs up.
    soon("the end", stream.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.windows(2).any(|two| two == 4004u16.to_be_bytes()));
}

#[tokio::test]
async fn a_client_that_vanishes_leaves_nothing_behind() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    for _ in 0..3 {
        let mut client: Client = stage.client("ann").await;
        client.watch("t1").await;
        client.say(&json!({"t": "lobby", "on": true})).await;
        client.hear().await;
    }
    stage.until("all are gone", |stage| stage.relay.connections() == 0).await;
}
