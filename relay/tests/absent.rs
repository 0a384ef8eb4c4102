//! What clients make a relay ask of a real Redis: about rooms that do not exist next to nothing, and about positions that they
//! make up no more than a read now and then.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use broker::{
    bus::{Receiver, Subscription, redis::RedisBus},
    channel::Channel,
    clock::Clock,
    directory::{self, Readers},
    entry::{Entry, Kind},
    members::Heartbeat,
    node::{NodeNews, encode},
    ports::Ports,
    redis::{Redis, RedisConfig},
    store::redis::RedisStore,
    testing::redis_server::{Persistence, RedisServer},
};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use ops::serve::{HttpArgs, serve};
use protocol::{
    SUBPROTOCOL,
    id::{Position, RoomId, UserId},
};
use relay::{Keys, Relay, RelayConfig};
use serde_json::{Value, json};
use tokens::{Claims, Signer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::{Instant, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

/// How long anything may take that must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// So many names that nobody has.
const NAMES: usize = 1_000;

/// Nothing of the relay's own happens within an hour, so that what Redis counts is what clients have caused.
const HOUR_MS: u64 = 3_600_000;

struct Stage {
    redis: RedisServer,
    ports: Ports,
    address: SocketAddr,
    signer: Signer,
    _listening: Box<dyn Subscription>,
    _tasks: [AbortOnDropHandle<()>; 2],
}

impl Stage {
    async fn with(config: RelayConfig) -> Self {
        let redis = RedisServer::start(Persistence::None).await.unwrap();
        let connection = RedisConfig { subscriber_ping_ms: HOUR_MS, ..RedisConfig::new(redis.url()) };
        let connection = Redis::connect(connection).await.unwrap();
        let (bus, store) = (RedisBus::new(connection.clone()), RedisStore::new(connection));
        let ports = Ports { bus: Arc::new(bus), store: Arc::new(store), clock: Clock::system() };
        let signer = Signer::generate();
        let config = RelayConfig {
            heartbeat: Heartbeat::new(HOUR_MS, 8 * HOUR_MS),
            messages_per_s: 1_000_000,
            messages_burst: 1_000_000,
            bytes_per_s: 100_000_000,
            bytes_burst: 100_000_000,
            rooms_per_connection_max: 2 * NAMES,
            commands_in_flight_max: 2 * NAMES,
            queue_bytes_max: 10_000_000,
            quiet_ms: HOUR_MS,
            revocations_reread_ms: HOUR_MS,
            ..config
        };
        let front = config.front(HttpArgs::default(), 0);
        let asked = Arc::new(Notify::new());
        let listening = ports.bus.subscriber(Arc::new(Asked(asked.clone())));
        listening.subscribe(&Channel::lobby()).await.unwrap();
        let relay = Relay::new(ports.clone(), config, Keys::given(signer.public()));
        let running = tokio::spawn(relay.run(std::future::pending()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(serve(listener, relay.router(), front, std::future::pending()));
        let ready = async {
            while !relay.troubles().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, ready).await.expect("the relay gets ready");
        let tasks = [running, serving].map(AbortOnDropHandle::new);
        let stage = Self { redis, ports, address, signer, _listening: listening, _tasks: tasks };
        // The last that it says of its own accord: it asks for the tables when it hears all that every relay hears.
        timeout(PATIENCE, asked.notified()).await.expect("the relay has begun");
        // And the journal of revocations is read once.
        let read = async {
            while !stage.calls().contains_key("xrange") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, read).await.expect("the relay has read which tokens are void");
        stage
    }

    async fn client(&self, resume: Value) -> Client {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let uri = format!("ws://{}/ws", self.address).parse().unwrap();
        let builder = ClientBuilder::from_uri(uri)
            .add_header("sec-websocket-protocol".parse().unwrap(), SUBPROTOCOL.parse().unwrap())
            .unwrap();
        let (socket, _) = builder.connect_on(stream).await.unwrap();
        let mut client = Client(socket);
        let claims = Claims::new(UserId::new("eve").unwrap(), "Eve", self.ports.clock.now_ms(), 600_000);
        let token = self.signer.sign(&claims);
        client.say(&json!({"t": "hello", "token": token, "resume": resume})).await;
        assert_eq!(client.hear().await["t"], "welcome");
        client
    }

    /// How often each command was called so far, but for this question's own and for what a connection says of itself.
    fn calls(&self) -> BTreeMap<String, u64> {
        let told = self.redis.ask(&["INFO", "commandstats"]).unwrap().text();
        let line = |line: &str| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
        };
        let of_connections = ["info", "hello", "client", "config"];
        let counts = |name: &str| !of_connections.contains(&name.split('|').next().unwrap_or(name));
        told.lines().filter_map(line).filter(|(name, _)| counts(name)).collect()
    }

    /// What was called more often since.
    fn calls_since(&self, before: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
        let more = |(name, calls): (String, u64)| {
            let more = calls - before.get(&name).copied().unwrap_or(0);
            (more > 0).then_some((name, more))
        };
        self.calls().into_iter().filter_map(more).collect()
    }

    async fn commit_keyframe(&self, name: &str) {
        let (room, at) = (RoomId::new(name).unwrap(), Position::new(1, 1));
        let entry = Entry {
            kind: Kind::Keyframe,
            room: room.clone(),
            at,
            cause: None,
            follows: None,
            at_ms: None,
            delay: None,
            places: None,
            rail: None,
            privates: Default::default(),
            public: format!(r#"{{"t":"keyframe","room":"{name}","epoch":1,"seq":1,"state":{{}}}}"#).into(),
            secret: Default::default(),
        };
        let encoded = entry.encode();
        self.ports.store.append(&room, at, encoded.stored, None).await.unwrap();
        self.ports.bus.publish(&Channel::frames(&room), encoded.published).await.unwrap();
    }

    /// As whoever opens a table does.
    async fn open(&self, name: &str) {
        assert!(
            directory::open(
                &*self.ports.store,
                &RoomId::new(name).unwrap(),
                b"{}"[..].into(),
                Readers::OfThisRelease
            )
            .await
            .unwrap()
        );
        let news = encode(&NodeNews::Opened { room: RoomId::new(name).unwrap() });
        self.ports.bus.publish(&Channel::nodes(), news).await.unwrap();
    }
}

/// Hears a relay ask for the tables.
struct Asked(Arc<Notify>);

impl Receiver for Asked {
    fn deliver(&self, _: &str, _: Bytes) {
        self.0.notify_one();
    }

    fn missed(&self) {}
}

struct Client(WebSocketStream<TcpStream>);

impl Client {
    async fn say(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn watch(&mut self, room: &str) {
        self.say(&json!({"t": "watch", "room": room})).await;
    }

    /// The next message, news of the connection left out.
    async fn hear(&mut self) -> Value {
        loop {
            let message = timeout(PATIENCE, self.0.next()).await.expect("a message").unwrap().unwrap();
            let Some(text) = message.as_text() else { continue };
            let message: Value = serde_json::from_str(text).unwrap();
            if message["code"] != "recovered" {
                return message;
            }
        }
    }

    /// Watches again and again until the room is not said to be absent: news of it are on their way.
    async fn until_found(&mut self, room: &str) {
        let found = async {
            loop {
                self.watch(room).await;
                self.say(&json!({"t": "ping", "at": 1})).await;
                if self.hear().await["t"] == "pong" {
                    return;
                }
                assert_eq!(self.hear().await["t"], "pong");
            }
        };
        timeout(PATIENCE, found).await.expect("it is found long before its absence would be forgotten");
    }

    /// Says all of these and hears as many answers.
    async fn ask(&mut self, messages: &[Value], tag: &str, code: &str) {
        for message in messages {
            self.say(message).await;
        }
        for _ in messages {
            let answer = self.hear().await;
            assert_eq!((answer["t"].as_str(), answer["code"].as_str()), (Some(tag), Some(code)), "{answer}");
        }
    }
}

fn watches(name: impl Fn(usize) -> String) -> Vec<Value> {
    (0..NAMES).map(|at| json!({"t": "watch", "room": name(at)})).collect()
}

fn commands(first_n: usize, name: impl Fn(usize) -> String) -> Vec<Value> {
    let command = |at| json!({"t": "do", "n": first_n + at, "room": name(at), "do": {"a": "leave"}});
    (0..NAMES).map(command).collect()
}

/// A room may stand in the map of its partition or in that of the releases before.
const MAPS: u64 = 2;

#[tokio::test]
async fn a_room_that_does_not_exist_costs_one_question_a_map_and_a_known_no_costs_none() {
    let stage = Stage::with(RelayConfig { absent_ms: HOUR_MS, ..RelayConfig::default() }).await;
    let mut eve = stage.client(json!({})).await;
    let only = |calls| BTreeMap::from([("hget".to_owned(), calls)]);

    let before = stage.calls();
    eve.ask(&watches(|at| format!("w{at}")), "error", "no_such_room").await;
    assert_eq!(stage.calls_since(&before), only(MAPS * NAMES as u64), "watches of many names");

    let before = stage.calls();
    eve.ask(&commands(1, |at| format!("c{at}")), "refused", "no_such_room").await;
    assert_eq!(stage.calls_since(&before), only(MAPS * NAMES as u64), "commands to many names");

    let before = stage.calls();
    eve.ask(&watches(|_| "w7".into()), "error", "no_such_room").await;
    eve.ask(&commands(10_000, |_| "c7".into()), "refused", "no_such_room").await;
    let mut again = stage.client(json!({"w7": [3, 4], "w8": [0, 0]})).await;
    assert_eq!(again.hear().await["code"], "no_such_room");
    assert_eq!(again.hear().await["code"], "no_such_room");
    assert_eq!(stage.calls_since(&before), BTreeMap::new(), "names that are known to be nobody's");
}

#[tokio::test]
async fn a_room_that_is_opened_is_found_at_once_although_it_was_known_not_to_exist() {
    let stage = Stage::with(RelayConfig { absent_ms: HOUR_MS, ..RelayConfig::default() }).await;
    let mut eve = stage.client(json!({})).await;
    eve.watch("new").await;
    assert_eq!(eve.hear().await["code"], "no_such_room");
    stage.open("new").await;
    eve.until_found("new").await;
    // It exists and has no owner yet: who watches waits, and so does a command.
    eve.say(&json!({"t": "do", "n": 1, "room": "new", "do": {"a": "leave"}})).await;
    stage.commit_keyframe("new").await;
    assert_eq!(eve.hear().await["t"], "keyframe");
}

#[tokio::test]
async fn a_room_that_nodes_have_told_of_is_followed_without_a_question() {
    let stage = Stage::with(RelayConfig { absent_ms: HOUR_MS, ..RelayConfig::default() }).await;
    let mut eve = stage.client(json!({})).await;
    eve.watch("t2").await;
    assert_eq!(eve.hear().await["code"], "no_such_room");
    for room in ["t1", "t2"] {
        stage.commit_keyframe(room).await;
        stage.open(room).await;
    }
    // What was told of the one was told before what ends the absence of the other.
    let found = async {
        loop {
            eve.watch("t2").await;
            match eve.hear().await {
                answer if answer["t"] == "keyframe" => return,
                answer => assert_eq!(answer["code"], "no_such_room"),
            }
        }
    };
    timeout(PATIENCE, found).await.expect("it is found");
    let before = stage.calls();
    eve.watch("t1").await;
    assert_eq!(eve.hear().await["t"], "keyframe");
    let mut calls = stage.calls_since(&before);
    // A relay that has just begun says where it listens, as it does not know yet that nobody wants to hear it.
    calls.remove("publish");
    let expected = ["ping", "subscribe", "xrange"].map(|name| (name.to_owned(), 1));
    assert_eq!(calls, expected.into());
}

#[tokio::test]
async fn positions_that_clients_make_up_are_counted_apart_and_read_for_now_and_then() {
    const CLIENTS: usize = 40;
    const PAUSE_MS: u64 = 500;
    let metrics = ops::telemetry::Metrics::install().unwrap();
    let stage = Stage::with(RelayConfig { retry_first_ms: PAUSE_MS, ..RelayConfig::default() }).await;
    stage.open("t1").await;
    stage.commit_keyframe("t1").await;
    let mut ann = stage.client(json!({"t1": [0, 0]})).await;
    assert_eq!(ann.hear().await["t"], "keyframe");
    let (before, began) = (stage.calls(), Instant::now());
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(stage.client(json!({"t1": [9_000_000_000_000_000_u64, 5]})).await);
    }
    for client in &mut clients {
        assert_eq!(client.hear().await["code"], "history_lost", "who says so is told so");
        assert_eq!(client.hear().await["t"], "keyframe");
    }
    let reads = stage.calls_since(&before).get("xrange").copied().unwrap_or(0);
    let reads_max = 2 + began.elapsed().as_millis() as u64 / PAUSE_MS;
    assert!((1..=reads_max).contains(&reads), "{reads} of {reads_max}");
    let told = metrics.render();
    let count = |name: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |count| count.parse::<u64>().unwrap())
    };
    assert_eq!(count("relay_resume_claims_total"), CLIENTS as u64, "{told}");
    assert_eq!(count("relay_history_lost_total"), 0, "{told}");
}
