//! A relay that leaves, and one that is cut off.

use broker::{members::Heartbeat, wire::LinkState};
use relay::RelayConfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::stage::{Stage, delta, keyframe, soon};

#[tokio::test]
async fn draining_spreads_the_clients_and_serves_them_until_they_are_gone() {
    const CLIENTS: usize = 10;
    let mut stage = Stage::with(RelayConfig { drain_ms: 1_000, ..RelayConfig::default() }).await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut clients = Vec::new();
    for index in 0..CLIENTS {
        let mut client = stage.client(&format!("user{index}")).await;
        client.watch("t1").await;
        assert_eq!(client.hear_brief().await, "keyframe 1-1");
        clients.push(client);
    }
    stage.shutdown.cancel();
    let mut waits = Vec::new();
    for client in &mut clients {
        waits.push(client.hear_until("reconnect").await["after_ms"].as_u64().unwrap());
    }
    waits.sort();
    // The last quarter is for those who need longer.
    assert_eq!(waits, (0..CLIENTS as u64).map(|index| index * 75).collect::<Vec<_>>());
    stage.dealer.commit(delta("t1", 1, 2)).await;
    for client in &mut clients {
        assert_eq!(client.hear_brief().await, "frame 1-2");
    }
    // Nobody new.
    let mut stream = TcpStream::connect(stage.address).await.unwrap();
    let request = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: \
                   13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: cardhouse.v1\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut line = [0; 12];
    soon("an answer", stream.read_exact(&mut line)).await.unwrap();
    assert_eq!(&line, b"HTTP/1.1 503");
    // Half go as they were told, the others wait to be closed.
    clients.truncate(CLIENTS / 2);
    for client in &mut clients {
        assert_eq!(client.hear_close().await, 1012);
    }
    drop(clients);
    soon("the end", &mut stage.running).await.unwrap();
    assert!(!stage.is_ready());
}

#[tokio::test]
async fn a_relay_that_hears_nothing_says_so_and_says_when_it_is_over() {
    let config = RelayConfig { heartbeat: Heartbeat::new(20, 200), ..RelayConfig::default() };
    let stage = Stage::with(config).await;
    stage.until("it is ready", Stage::is_ready).await;
    let mut ann = stage.client("ann").await;
    stage.link.set(LinkState::Silent);
    assert_eq!(ann.hear_brief().await, "notice delayed");
    assert!(!stage.is_ready());
    stage.link.heal();
    ann.hear_notice("recovered").await;
    assert!(stage.is_ready());
}

#[tokio::test]
async fn a_relay_that_is_dropped_ends_its_connections() {
    let mut stage = Stage::new().await;
    let mut ann = stage.client("ann").await;
    stage.stop();
    soon("the connection is gone", async { while ann.is_there().await {} }).await;
}
