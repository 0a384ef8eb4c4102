//! What one client may ask of a relay.

use ops::serve::TrustProxy;
use relay::RelayConfig;
use serde_json::json;
use tokio::net::TcpStream;

use crate::stage::{Client, Stage, keyframe};

#[tokio::test]
async fn too_many_messages_are_refused_first_and_then_close_the_connection() {
    let config = RelayConfig { messages_per_s: 1, messages_burst: 5, ..RelayConfig::default() };
    let stage = Stage::with(config).await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut other = stage.client("bob").await;
    let mut ann = stage.client("ann").await;
    for n in 1..=12 {
        ann.ask("t1", n, json!({})).await;
    }
    let refusal = ann.hear_until("refused").await;
    assert_eq!(refusal["code"], "too_fast");
    assert!(refusal["retry_after_ms"].as_u64().unwrap() > 0);
    assert_eq!(ann.hear_close().await, 4005);
    other.hear_nothing_more().await;
}

#[tokio::test]
async fn too_many_bytes_close_the_connection() {
    let config = RelayConfig { bytes_per_s: 10, bytes_burst: 2_000, ..RelayConfig::default() };
    let stage = Stage::with(config).await;
    let mut ann = stage.client("ann").await;
    ann.say_text(format!(r#"{{"t":"ping","at":1{}}}"#, " ".repeat(2_000))).await;
    assert_eq!(ann.hear_close().await, 4005);
}

#[tokio::test]
async fn only_so_many_commands_wait_for_an_answer() {
    let stage = Stage::with(RelayConfig { commands_in_flight_max: 2, ..RelayConfig::default() }).await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut ann = stage.client("ann").await;
    for n in 1..=3 {
        ann.ask("t1", n, json!({})).await;
    }
    let refusal = ann.hear_until("refused").await;
    assert_eq!((refusal["n"].as_u64(), refusal["code"].as_str()), (Some(3), Some("too_fast")));
    assert!(refusal["retry_after_ms"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn only_so_many_rooms_are_watched_and_rooms_that_do_not_exist_do_not_count() {
    let stage = Stage::with(RelayConfig { rooms_per_connection_max: 2, ..RelayConfig::default() }).await;
    let mut ann = stage.client("ann").await;
    for name in ["no1", "no2", "no3"] {
        ann.watch(name).await;
        assert_eq!(ann.hear_brief().await, "error no_such_room");
    }
    for name in ["t1", "t2", "t3"] {
        stage.dealer.commit(keyframe(name, 1, 1)).await;
        ann.watch(name).await;
    }
    let mut briefs = ann.hear_briefs(3).await;
    briefs.sort();
    assert_eq!(briefs, ["error too_many_rooms", "keyframe 1-1", "keyframe 1-1"]);
    ann.ask("t3", 1, json!({})).await;
    assert_eq!(ann.hear_brief().await, "refused 1 busy");
}

#[tokio::test]
async fn only_so_many_connections_come_in_and_the_next_are_told() {
    let stage = Stage::with(RelayConfig { connections_max: 2, ..RelayConfig::default() }).await;
    let first = stage.client("ann").await;
    let mut second = stage.client("bob").await;
    let mut third = stage.connect().await;
    assert_eq!(third.hear_close().await, 1013);
    drop(third);
    second.hear_nothing_more().await;
    stage.until("the third is gone", |stage| stage.relay.connections() == 2).await;
    drop(first);
    stage.until("there is room", |stage| stage.relay.connections() == 1).await;
    stage.client("cat").await;
}

#[tokio::test]
async fn only_so_many_connections_come_from_one_address() {
    let config = RelayConfig {
        connections_per_address_max: 1,
        trust_proxy: TrustProxy::Hops(1),
        ..RelayConfig::default()
    };
    let stage = Stage::with(config).await;
    let from = async |ip: &str| {
        let stream = TcpStream::connect(stage.address).await.unwrap();
        Client::connect_with(stream, stage.address, &[("x-real-ip", "6.6.6.6"), ("x-forwarded-for", ip)])
            .await
    };
    let mut here = from("10.0.0.1").await;
    here.hello(&stage.token("ann"), json!({})).await;
    let mut elsewhere = from("10.0.0.2").await;
    elsewhere.hello(&stage.token("bob"), json!({})).await;
    let mut here_too = from("10.0.0.1").await;
    assert_eq!(here_too.hear_close().await, 1013);
    drop(here_too);
    stage.until("who was turned away is gone", |stage| stage.relay.connections() == 2).await;
    // What the client itself has written stands before what the proxy has.
    let mut here_in_disguise = from("10.0.0.9, 10.0.0.1").await;
    assert_eq!(here_in_disguise.hear_close().await, 1013);
    here.hear_nothing_more().await;
}

#[tokio::test]
async fn an_ipv6_subscriber_is_one_address_with_all_that_they_have() {
    let config = RelayConfig {
        connections_per_address_max: 2,
        trust_proxy: "127.0.0.0/8".parse().unwrap(),
        ..RelayConfig::default()
    };
    let stage = Stage::with(config).await;
    let from = async |ip: String| {
        let stream = TcpStream::connect(stage.address).await.unwrap();
        Client::connect_with(stream, stage.address, &[("x-forwarded-for", &ip)]).await
    };
    let mut let_in = Vec::new();
    for host in 1..=8 {
        let mut client = from(format!("2001:db8:1:2::{host}")).await;
        if host <= 2 {
            client.hello(&stage.token(&format!("user{host}")), json!({})).await;
            let_in.push(client);
        } else {
            assert_eq!(client.hear_close().await, 1013, "{host}");
            drop(client);
            stage.until("who was turned away is gone", |stage| stage.relay.connections() == 2).await;
        }
    }
    let mut neighbour = from("2001:db8:1:3::1".into()).await;
    neighbour.hello(&stage.token("bob"), json!({})).await;
}
