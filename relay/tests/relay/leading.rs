//! Leading players to the pit of their table.

use std::net::SocketAddr;

use broker::{
    members::{Heartbeat, Members},
    node::Role,
};
use ops::serve::TrustProxy;
use protocol::id::NodeId;
use relay::{Arrival, Edge, RelayConfig};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::stage::{Client, Stage, soon};

/// Where the edge would reach the pit.
const DOOR: &str = "10.9.9.9:8081";

const LEADS: (&str, &str) = ("X-Cardhouse-Edge", "leads");
const LED: (&str, &str) = ("X-Cardhouse-Edge", "led");
const UNLED: (&str, &str) = ("X-Cardhouse-Edge", "unled");

/// A relay behind an edge.
fn behind_an_edge() -> RelayConfig {
    let heartbeat = Heartbeat::new(20, 1_000);
    RelayConfig {
        trust_proxy: TrustProxy::Hops(1),
        lead_after_ms: 50,
        drain_ms: 100,
        heartbeat,
        ..RelayConfig::default()
    }
}

/// The worker of a pit, which is all that others know of it, and which alone owns all rooms.
fn pit(stage: &Stage, name: &str, door: &str) -> Members {
    let (ports, node) = (stage.ports_of(name), NodeId::new(name).unwrap());
    let members = Members::start(ports, node, Role::Worker, Heartbeat::new(20, 1_000), |_| {});
    members.opens_at()(door.parse().unwrap());
    members
}

/// Waits until the relay knows that players of the room are best off there.
async fn until_home_is(stage: &Stage, door: &str) {
    let door: SocketAddr = door.parse().unwrap();
    let is_there = |stage: &Stage| stage.relay.arrive("t1", Edge::Leads) == Arrival::Elsewhere(door);
    stage.until("it knows the pit", is_there).await;
}

/// The head of what is answered to a handshake.
async fn shake(stage: &Stage, path: &str, edge: Option<(&str, &str)>) -> String {
    let mut stream = TcpStream::connect(stage.address).await.unwrap();
    let edge = edge.map(|(name, value)| format!("{name}: {value}\r\n")).unwrap_or_default();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: cardhouse.v1\r\n{edge}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        soon("an answer", stream.read_buf(&mut head)).await.unwrap();
    }
    String::from_utf8(head).unwrap()
}

/// A client that an edge has brought here for the sake of a table.
async fn near(stage: &Stage, name: &str, word: &str, edge: (&str, &str)) -> Client {
    let stream = TcpStream::connect(stage.address).await.unwrap();
    let mut client =
        Client::connect_for(stream, &format!("ws://{}/ws?near={word}", stage.address), &[edge]).await;
    client.hello(&stage.token(name), json!({})).await;
    client
}

/// Sees that a client was told nothing until now.
async fn was_told_nothing(client: &mut Client) {
    client.say(&json!({"t": "ping", "at": 5})).await;
    assert_eq!(client.hear_brief().await, "pong");
}

#[tokio::test]
async fn who_comes_for_a_table_is_led_to_the_pit_that_owns_it_and_only_once() {
    let stage = Stage::with(behind_an_edge()).await;
    let _pit = pit(&stage, "pit-2", DOOR);
    until_home_is(&stage, DOOR).await;
    let head = shake(&stage, "/ws?near=t1", Some(LEADS)).await;
    assert!(
        head.starts_with("HTTP/1.1 421") && head.contains("x-accel-redirect: /led/10.9.9.9:8081\r\n"),
        "{head}"
    );
    // Who was led already, comes after a failure, for no table, or by an edge that does not lead, stays.
    let stays = [
        ("/ws?near=t1", Some(LED)),
        ("/ws?near=t1", Some(UNLED)),
        ("/ws?near=t1~1", Some(LEADS)),
        ("/ws?near=~7", Some(LEADS)),
        ("/ws?near=no+name", Some(LEADS)),
        ("/ws", Some(LEADS)),
        ("/ws?near=t1", Some(("X-Cardhouse-Edge", "elsewhere"))),
        ("/ws?near=t1", None),
    ];
    for (path, edge) in stays {
        let head = shake(&stage, path, edge).await;
        assert!(head.starts_with("HTTP/1.1 101"), "{path} {edge:?}: {head}");
    }
}

#[tokio::test]
async fn nobody_is_led_away_from_the_pit_of_his_table() {
    let own = RelayConfig { pit: Some(NodeId::new("pit-1").unwrap()), ..behind_an_edge() };
    let stage = Stage::with(own).await;
    let _own = pit(&stage, "pit-1", "10.9.9.1:8081");
    let elsewhere = pit(&stage, "pit-2", DOOR);
    let led = |stage: &Stage| {
        let is_led = |n| matches!(stage.relay.arrive(&format!("t{n}"), Edge::Leads), Arrival::Elsewhere(_));
        (1..=100).filter(|n| is_led(*n)).count()
    };
    stage.until("some are elsewhere, and some its own", |stage| (1..100).contains(&led(stage))).await;
    elsewhere.leave().await.unwrap();
    stage.until("all are its own", |stage| led(stage) == 0).await;
}

/// Where the relay does not trust a proxy, anybody could have said it.
#[tokio::test]
async fn what_somebody_says_who_is_no_proxy_of_ours_leads_nobody() {
    let stage = Stage::with(RelayConfig { trust_proxy: TrustProxy::Nobody, ..behind_an_edge() }).await;
    let _pit = pit(&stage, "pit-2", DOOR);
    until_home_is(&stage, DOOR).await;
    let head = shake(&stage, "/ws?near=t1", Some(LEADS)).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert_eq!(*stage.relay.reached_at().borrow(), None);
}

#[tokio::test]
async fn an_edge_that_looks_tells_where_it_reaches_the_relay() {
    let stage = Stage::with(behind_an_edge()).await;
    shake(&stage, "/ws", None).await;
    assert_eq!(*stage.relay.reached_at().borrow(), None);
    let mut looks = TcpStream::connect(stage.address).await.unwrap();
    let request = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Cardhouse-Edge: looks\r\n\r\n";
    looks.write_all(request.as_bytes()).await.unwrap();
    soon("an answer", looks.read_u8()).await.unwrap();
    assert_eq!(*stage.relay.reached_at().borrow(), Some(stage.address));
}

#[tokio::test]
async fn players_are_told_once_when_their_table_is_at_home_elsewhere_and_again_when_it_is_somewhere_else() {
    let stage = Stage::with(behind_an_edge()).await;
    let mut ann = near(&stage, "ann", "t1", LEADS).await;
    let mut rail = stage.client("rail").await;
    let first = pit(&stage, "pit-2", DOOR);
    let told = ann.hear_until("reconnect").await;
    assert!(told["after_ms"].as_u64().unwrap() < 100, "{told}");
    // Who could not be led is not told what the edge has tried; who was led here by one who knows another owner is.
    let mut bob = near(&stage, "bob", "t1", UNLED).await;
    let mut cyd = near(&stage, "cyd", "t1", LED).await;
    assert_eq!(cyd.hear_brief().await, "reconnect");
    was_told_nothing(&mut bob).await;
    first.leave().await.unwrap();
    let _second = pit(&stage, "pit-3", "10.9.9.10:8081");
    // What has come before would be heard first.
    for client in [&mut ann, &mut bob, &mut cyd] {
        assert_eq!(client.hear_brief().await, "reconnect");
        was_told_nothing(client).await;
    }
    was_told_nothing(&mut rail).await;
}
