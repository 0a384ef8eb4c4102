//! What the runtime asks of the two ports, on each of their adapters: in memory, on one Redis, on a Redis Cluster of three primaries and
//! behind sentinels. A room that has nothing to do with cards lives there from its opening to its end.

mod support;

use std::sync::Arc;

use broker::{
    bus::{memory::MemoryBus, redis::RedisBus},
    clock::Clock,
    directory::{self, Readers},
    entry::{Entry, Kind},
    members::Heartbeat,
    node::RoomSpec,
    ports::Ports,
    redis::{Redis, RedisConfig},
    seal::SealKey,
    store::{memory::MemoryStore, redis::RedisStore},
    testing::redis_server::{Persistence, RedisCluster, RedisSentinel, RedisServer},
    wire::Wire,
};
use rooms::{
    Chance, Kinds, Worker, WorkerConfig, open_room,
    testing::{Counter, Till, Trouble, counter::Settings},
};
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use support::{Relay, node, room, user};

/// What stands behind the ports; a server ends when it is dropped.
enum Broker {
    Memory(MemoryBus, MemoryStore),
    Single(RedisServer),
    Cluster(RedisCluster),
    Sentinel(RedisSentinel),
}

impl Broker {
    fn memory() -> Self {
        let (wire, floor) = (Wire::perfect(), node("floor"));
        Self::Memory(MemoryBus::new(wire.clone(), &floor), MemoryStore::new(wire, &floor))
    }

    async fn ports(&self, name: &str) -> Ports {
        let url = match self {
            Self::Memory(bus, store) => {
                let (bus, store) = (bus.handle(&node(name)), store.handle(&node(name)));
                return Ports { bus: Arc::new(bus), store: Arc::new(store), clock: Clock::system() };
            }
            Self::Single(server) => server.url(),
            Self::Cluster(cluster) => cluster.url(),
            Self::Sentinel(sentinel) => sentinel.url(),
        };
        // A loaded machine may start servers slowly.
        let config = RedisConfig { connect_timeout_ms: 30_000, ..RedisConfig::new(url) };
        let redis = Redis::connect(config).await.unwrap();
        Ports {
            bus: Arc::new(RedisBus::new(redis.clone())),
            store: Arc::new(RedisStore::new(redis)),
            clock: Clock::system(),
        }
    }
}

async fn a_counter_lives_from_its_opening_to_its_end(broker: Broker) {
    let till = Arc::new(Till::with(|| Trouble::None));
    let seal_key = SealKey::random();
    let floor = broker.ports("floor").await;
    for number in 1..=2 {
        let peers = vec![room(3 - number)];
        let spec = RoomSpec::new("counter", &Settings { peers, ..Settings::default() });
        assert!(open_room(&floor, &room(number), &spec, Readers::OfThisRelease).await.unwrap());
    }
    #[expect(clippy::async_yields_async, reason = "it runs until the handle is dropped")]
    let start = async |name: &'static str| {
        let kinds = Kinds::default().with::<Counter>().served_by("till", till.clone());
        let mut config = WorkerConfig::new(node(name), seal_key.clone());
        (config.bounds.keyframe_every, config.heartbeat) = (4, Heartbeat::new(200, 1_000));
        let worker = Worker::new(broker.ports(name).await, config, kinds, Chance::seeded(1));
        AbortOnDropHandle::new(tokio::spawn(async move { worker.run(CancellationToken::new()).await }))
    };
    let first = start("w1").await;
    let relay = Relay::on(broker.ports("r1").await, "r1", 2).await;
    let ask = async |number: u32, what: Value| {
        loop {
            let answer = relay.command(&room(number), &user("ann"), 1, relay.next_n(), what.clone()).await;
            match answer.code() {
                "applied" => return,
                "busy" | "unavailable" => sleep(answer.retry_after()).await,
                code => panic!("{code} for {what}"),
            }
        }
    };
    relay.owned(&room(1)).await;
    relay.owned(&room(2)).await;
    // More than a stretch of the journal, so that it is trimmed.
    for by in 1..=10 {
        ask(1, json!({"a": "add", "by": by})).await;
        ask(2, json!({"a": "add", "by": by})).await;
    }
    ask(1, json!({"a": "pay", "amount": 20})).await;
    ask(1, json!({"a": "send", "to": room(2), "by": 30})).await;
    drop(first);
    let second = start("w2").await;
    for number in 1..=2 {
        relay.until(&room(number), |room| room.epochs.len() >= 2).await;
        ask(number, json!({"a": "add", "by": 100})).await;
    }
    // A figure of the last keyframe, and what these events since have added to it.
    let sum = |number: u32, field: &str, words: &[&str]| {
        let followed = relay.followed(&room(number));
        let told = followed.told.iter().filter(|event| words.iter().any(|word| event["e"] == *word));
        let state = followed.state.as_ref().unwrap()[field].as_u64().unwrap();
        state + told.filter_map(|event| event["amount"].as_u64().or(event["by"].as_u64())).sum::<u64>()
    };
    while sum(1, "paid", &["answered"]) < 20 || sum(2, "total", &["added", "received"]) < 55 + 100 + 30 {
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(till.taken(&room(1)), 20);
    ask(1, json!({"a": "close"})).await;
    relay.until(&room(1), |room| room.has_ended).await;
    while directory::spec(&*floor.store, &room(1)).await.unwrap().is_some() {
        sleep(Duration::from_millis(20)).await;
    }
    let last = floor.store.last(&room(1)).await.unwrap().expect("the journal says that it has ended");
    assert_eq!(Entry::decode(last.bytes).unwrap().kind, Kind::End);
    drop(second);
}

#[tokio::test]
async fn a_counter_lives_in_memory() {
    a_counter_lives_from_its_opening_to_its_end(Broker::memory()).await;
}

#[tokio::test]
async fn a_counter_lives_on_one_redis() {
    let server = RedisServer::start(Persistence::AofEverySecond).await.unwrap();
    a_counter_lives_from_its_opening_to_its_end(Broker::Single(server)).await;
}

#[tokio::test]
async fn a_counter_lives_in_a_redis_cluster() {
    let cluster = RedisCluster::start(Persistence::AofEverySecond).await.unwrap();
    a_counter_lives_from_its_opening_to_its_end(Broker::Cluster(cluster)).await;
}

#[tokio::test]
async fn a_counter_lives_behind_sentinels() {
    let sentinel = RedisSentinel::start(Persistence::AofEverySecond).await.unwrap();
    a_counter_lives_from_its_opening_to_its_end(Broker::Sentinel(sentinel)).await;
}
