//! The relay as a process of its own, over a real Redis.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::{Router, routing::get};
use broker::{
    bus::{Bus, redis::RedisBus},
    channel::Channel,
    clock::Clock,
    directory::{self, Readers},
    entry::{Entry, Kind},
    redis::{Redis, RedisConfig},
    store::{Store, redis::RedisStore},
    testing::redis_server::{Persistence, RedisServer, free_port},
};
use futures_util::{SinkExt, StreamExt};
use ops::{testing::full_pipe::full_pipe, testing::variables::variables};
use protocol::{
    SUBPROTOCOL,
    id::{Position, RoomId, UserId},
};
use serde_json::{Value, json};
use tokens::{Claims, Signer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_websockets::{ClientBuilder, Message};

/// How long anything may take that must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A relay process; killed when dropped.
struct Process {
    child: Child,
    listen: String,
    ops: String,
}

impl Process {
    fn start(redis_url: &str, jwks_url: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_relay"))
            .args(["--listen", "127.0.0.1:0", "--redis-url", redis_url, "--jwks-url", jwks_url])
            .args(["--drain-ms", "300", "--log-format", "json"])
            // As compose files do with variables that they leave open.
            .envs(variables(env!("CARGO_BIN_EXE_relay")).unwrap().into_iter().map(|name| (name, "")))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let up = loop {
            let line: Value = serde_json::from_str(&lines.next().expect("it comes up").unwrap()).unwrap();
            if line["message"] == "relay is up" {
                break line;
            }
        };
        // Reads on, so that the process never waits for somebody to take its logs.
        std::thread::spawn(move || lines.for_each(drop));
        let text = |field: &str| up[field].as_str().unwrap().to_owned();
        Self { child, listen: text("listen"), ops: text("ops") }
    }

    async fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.ops).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn addresses_that_are_none_are_told_with_one_that_is() {
    for (flag, told) in [
        ("--listen=localhost", "for '--listen <ADDRESS>': localhost has no port; try localhost:8080"),
        (
            "--jwks-url=localhost:8090",
            "for '--jwks-url <URL>': it must be a URL such as http://127.0.0.1:8090/.well-known/jwks.json",
        ),
    ] {
        let ended = Command::new(env!("CARGO_BIN_EXE_relay")).arg(flag).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(
            !ended.status.success() && said.lines().next().is_some_and(|line| line.ends_with(told)),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_log_that_nobody_reads_does_not_stop_a_relay() {
    let redis = RedisServer::start(Persistence::None).await.unwrap();
    let (_log, stderr) = full_pipe().unwrap();
    let ops = format!("127.0.0.1:{}", free_port().unwrap());
    let child = Command::new(env!("CARGO_BIN_EXE_relay"))
        .args(["--listen", "127.0.0.1:0", "--ops-listen", &ops, "--redis-url", &redis.url()])
        .args(["--log", "trace", "--log-bytes-max", "1000", "--drain-ms", "0"])
        .stderr(stderr)
        .spawn()
        .unwrap();
    let mut process = Process { child, listen: String::new(), ops };
    let lost = async {
        loop {
            if TcpStream::connect(&process.ops).await.is_ok() {
                assert!(process.get("/livez").await.starts_with("HTTP/1.1 200"));
                if !process.get("/metrics").await.contains("cardhouse_log_lines_dropped_total 0\n") {
                    return;
                }
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, lost).await.expect("it answers, and counts what it drops");
    let pid = process.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let status = timeout(PATIENCE, tokio::task::spawn_blocking(move || process.child.wait())).await;
    assert!(status.expect("it ends").unwrap().unwrap().success());
}

#[tokio::test]
async fn a_relay_gets_ready_serves_and_drains() {
    let redis = RedisServer::start(Persistence::None).await.unwrap();
    let signer = Signer::generate();
    let keys = signer.public().to_json();
    let reception = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let jwks_url = format!("http://{}/jwks", reception.local_addr().unwrap());
    let jwks = Router::new().route("/jwks", get(async move || keys));
    tokio::spawn(axum::serve(reception, jwks).into_future());

    // With no more rights than the document says.
    let relay_url = redis.user_of_the_document("relay").unwrap();
    let mut process = Process::start(&relay_url, &jwks_url);
    let ready = async {
        while !process.get("/readyz").await.starts_with("HTTP/1.1 200") {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, ready).await.expect("it gets ready");

    let connection = Redis::connect(RedisConfig::new(redis.url())).await.unwrap();
    let (store, bus) = (RedisStore::new(connection.clone()), RedisBus::new(connection));
    let room = RoomId::new("t1").unwrap();
    let commit = async |kind, seq: u64| {
        let tag = if kind == Kind::Keyframe { "keyframe" } else { "frame" };
        let entry = Entry {
            kind,
            room: room.clone(),
            at: Position::new(1, seq),
            cause: None,
            follows: None,
            at_ms: None,
            delay: None,
            places: None,
            rail: None,
            privates: Default::default(),
            public: format!(r#"{{"t":"{tag}","room":"t1","epoch":1,"seq":{seq}}}"#).into(),
            secret: Default::default(),
        };
        let encoded = entry.encode();
        store.append(&room, entry.at, encoded.stored, None).await.unwrap();
        bus.publish(&Channel::frames(&room), encoded.published).await.unwrap();
    };
    directory::open(&store, &room, b"{}"[..].into(), Readers::OfThisRelease).await.unwrap();
    commit(Kind::Keyframe, 1).await;

    let claims = Claims::new(UserId::new("ann").unwrap(), "Ann", Clock::system().now_ms(), 60_000);
    let (mut client, _) = ClientBuilder::from_uri(format!("ws://{}/ws", process.listen).parse().unwrap())
        .add_header("sec-websocket-protocol".parse().unwrap(), SUBPROTOCOL.parse().unwrap())
        .unwrap()
        .connect()
        .await
        .unwrap();
    for message in [json!({"t": "hello", "token": signer.sign(&claims)}), json!({"t": "watch", "room": "t1"})]
    {
        client.send(Message::text(message.to_string())).await.unwrap();
    }
    let mut hear = async || timeout(PATIENCE, client.next()).await.expect("a message").unwrap().unwrap();
    for expected in ["welcome", "keyframe"] {
        let message: Value = serde_json::from_str(hear().await.as_text().unwrap()).unwrap();
        assert_eq!(message["t"], expected);
    }
    commit(Kind::Delta, 2).await;
    assert!(hear().await.as_text().unwrap().contains(r#""seq":2"#));
    let metrics = process.get("/metrics").await;
    assert!(metrics.contains("relay_connections 1"), "{metrics}");

    assert_eq!(redis.ask(&["ACL", "LOG"]).unwrap().text(), "", "it asked for no more");
    let pid = process.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(hear().await.as_text().unwrap().contains("reconnect"));
    let close = hear().await;
    assert_eq!(close.as_close().map(|(code, _)| u16::from(code)), Some(1012));
    drop(client);
    let status = timeout(PATIENCE, tokio::task::spawn_blocking(move || process.child.wait())).await;
    assert!(status.expect("it ends").unwrap().unwrap().success());
}
