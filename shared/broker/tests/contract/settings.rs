//! What Redis must be set to and must allow: looked at when connecting, and as nodes run.

use std::collections::BTreeSet;
use std::sync::Arc;

use broker::{
    bus::{Bus, redis::RedisBus},
    channel::Channel,
    queue::{DELIVERIES_MAX, Queue as _, redis::RedisQueue},
    redis::{
        ConnectError, Durability, Redis, RedisConfig,
        rights::{Form, Program, rights},
    },
    store::{AppendError, Store, redis::RedisStore},
    testing::redis_server::{Persistence, RedisCluster, RedisSentinel, RedisServer, documented_rights},
};
use bytes::Bytes;
use protocol::id::Position;
use tokio::time::{Duration, Instant, sleep, timeout};

use crate::setup::{Inbox, room};

/// What is told at once takes far less, on a loaded machine too.
const AT_ONCE: Duration = Duration::from_secs(20);

/// Settings are looked at every few seconds.
const NOTICED_WITHIN: Duration = Duration::from_secs(30);

fn config(url: &str) -> RedisConfig {
    RedisConfig { connect_timeout_ms: 30_000, ..RedisConfig::new(url) }
}

async fn untrusted(config: RedisConfig) -> String {
    match Redis::connect(config).await.map(drop) {
        Err(ConnectError::Untrusted(why)) => why,
        other => panic!("{other:?}"),
    }
}

async fn denied(config: RedisConfig) -> String {
    match timeout(AT_ONCE, Redis::connect(config)).await.expect("it is told at once").map(drop) {
        Err(ConnectError::Denied(why)) => why,
        other => panic!("{other:?}"),
    }
}

async fn until_trusted(redis: &Redis, trusted: bool) -> String {
    let give_up = Instant::now() + NOTICED_WITHIN;
    loop {
        let is = redis.is_trusted();
        if is.is_ok() == trusted {
            return is.err().unwrap_or_default();
        }
        assert!(Instant::now() < give_up, "{is:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) async fn each_durability_is_refused_where_the_server_does_not_do_it() {
    let fsync = |url: &str| RedisConfig { durability: Durability::Fsync, ..config(url) };
    let replicated = |url: &str| RedisConfig {
        durability: Durability::WaitReplicas { replicas: 1, timeout_ms: 100 },
        ..config(url)
    };
    let none = RedisServer::start(Persistence::None).await.unwrap();
    assert!(untrusted(fsync(&none.url())).await.contains("appendonly is no, needed is yes"));
    let why = untrusted(replicated(&none.url())).await;
    assert!(why.contains("appendonly is no") && why.contains("connected replicas is 0"), "{why}");
    let lazy = RedisServer::start(Persistence::AofEverySecond).await.unwrap();
    let why = untrusted(fsync(&lazy.url())).await;
    assert!(why.contains("appendfsync is everysec, needed is always"), "{why}");
    assert!(why.contains("CONFIG SET appendfsync always"), "{why}");
    let eager = RedisServer::start(Persistence::AofAlways).await.unwrap();
    eager.ask(&["CONFIG", "SET", "no-appendfsync-on-rewrite", "yes"]).unwrap();
    assert!(untrusted(fsync(&eager.url())).await.contains("no-appendfsync-on-rewrite is yes, needed is no"));
    eager.ask(&["CONFIG", "SET", "no-appendfsync-on-rewrite", "no"]).unwrap();
    let redis = Redis::connect(fsync(&eager.url())).await.unwrap();
    // And as it runs.
    eager.ask(&["CONFIG", "SET", "appendfsync", "everysec"]).unwrap();
    assert!(until_trusted(&redis, false).await.contains("appendfsync is everysec"));
    eager.ask(&["CONFIG", "SET", "appendfsync", "always"]).unwrap();
    until_trusted(&redis, true).await;
    let cluster = RedisCluster::start(Persistence::AofEverySecond).await.unwrap();
    let why = untrusted(fsync(&cluster.url())).await;
    assert_eq!(why.matches("appendfsync is everysec").count(), 3, "each primary: {why}");
}

pub(crate) async fn a_redis_that_evicts_is_refused_and_noticed_when_it_begins_to() {
    let evict = |server: &RedisServer, bytes: &str, policy: &str| {
        server.ask(&["CONFIG", "SET", "maxmemory", bytes]).unwrap();
        server.ask(&["CONFIG", "SET", "maxmemory-policy", policy]).unwrap();
    };
    let single = RedisServer::start(Persistence::AofEverySecond).await.unwrap();
    let sentinel = RedisSentinel::start(Persistence::AofEverySecond).await.unwrap();
    let cluster = RedisCluster::start(Persistence::AofEverySecond).await.unwrap();
    let primary = &sentinel.nodes[sentinel.primary().unwrap()];
    // In a cluster one primary is enough.
    for (server, url) in
        [(&single, single.url()), (primary, sentinel.url()), (&cluster.nodes[1], cluster.url())]
    {
        evict(server, "600000000", "allkeys-lru");
        let why = untrusted(config(&url)).await;
        assert!(why.contains("maxmemory-policy is allkeys-lru with maxmemory 600000000"), "{why}");
        assert!(why.contains("CONFIG SET maxmemory-policy noeviction"), "{why}");
        evict(server, "600000000", "volatile-lru");
        assert!(untrusted(config(&url)).await.contains("volatile-lru"));
        // Without a bound nothing is evicted, whatever the policy.
        evict(server, "0", "allkeys-lru");
        let redis = Redis::connect(config(&url)).await.unwrap();
        evict(server, "600000000", "allkeys-lru");
        let why = until_trusted(&redis, false).await;
        assert!(why.contains("maxmemory-policy") && why.contains(&server.port().to_string()), "{why}");
        evict(server, "600000000", "noeviction");
        until_trusted(&redis, true).await;
    }
}

pub(crate) async fn where_config_is_forbidden_info_says_what_it_can() {
    let server = RedisServer::start(Persistence::AofAlways).await.unwrap();
    server.ask(&["ACL", "SETUSER", "managed", "on", ">secret", "~*", "&*", "+@all", "-config"]).unwrap();
    let url = server.url_of("managed");
    server.ask(&["CONFIG", "SET", "maxmemory", "600000000"]).unwrap();
    Redis::connect(config(&url)).await.unwrap();
    server.ask(&["CONFIG", "SET", "maxmemory-policy", "allkeys-random"]).unwrap();
    assert!(untrusted(config(&url)).await.contains("maxmemory-policy is allkeys-random"));
    server.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]).unwrap();
    // What INFO does not say is not taken on trust where a disk is promised.
    let why = denied(RedisConfig { durability: Durability::Fsync, ..config(&url) }).await;
    assert!(why.contains("CONFIG GET") && why.contains("+config|get"), "{why}");
}

pub(crate) async fn who_lacks_any_right_is_told_which_at_once() {
    let server = RedisServer::start(Persistence::None).await.unwrap();
    for program in [Program::Relay, Program::DealerWorker, Program::Reception] {
        for right in rights(program, Form::Single, Durability::Async) {
            server.ask(&["ACL", "SETUSER", "lacking", "reset", "on", ">secret", "~ch:*", "&ch:*"]).unwrap();
            server.ask(&["ACL", "SETUSER", "lacking", "+@all", &format!("-{right}")]).unwrap();
            let why = denied(RedisConfig { program, ..config(&server.url_of("lacking")) }).await;
            let command = right.replace('|', " ").to_uppercase();
            assert!(why.contains(&format!("refuses {command}: NOPERM")), "{why}");
            assert!(why.contains(&format!("ACL SETUSER lacking +{right}")), "{why}");
        }
    }
    for (keys, channels, remedy) in [("~x", "&ch:*", "~ch:*"), ("~ch:*", "&x", "&ch:*")] {
        server
            .ask(&["ACL", "SETUSER", "lacking", "reset", "on", ">secret", "+@all", keys, channels])
            .unwrap();
        let why = denied(config(&server.url_of("lacking"))).await;
        assert!(why.contains("NOPERM") && why.contains(&format!("ACL SETUSER lacking {remedy}")), "{why}");
    }
    let cluster = RedisCluster::start(Persistence::None).await.unwrap();
    for node in &cluster.nodes {
        node.ask(&["ACL", "SETUSER", "default", "-spublish"]).unwrap();
    }
    let why = denied(config(&cluster.url())).await;
    assert!(why.contains("refuses SPUBLISH: NOPERM"), "{why}");
}

pub(crate) async fn who_is_not_let_in_is_told_so_at_once() {
    let server = RedisServer::start(Persistence::None).await.unwrap();
    server.ask(&["ACL", "SETUSER", "ann", "on", ">other", "~*", "&*", "+@all"]).unwrap();
    let why = denied(config(&server.url_of("ann"))).await;
    assert!(why.contains("AUTH: WRONGPASS") && why.contains("--redis-url"), "{why}");
    server.ask(&["ACL", "SETUSER", "default", "off"]).unwrap_or(broker::testing::resp::Answer::Number(0));
    let why = denied(config(&server.url())).await;
    assert!(why.contains("NOAUTH") && why.contains("--redis-url"), "{why}");
}

pub(crate) async fn the_document_names_the_least_rights_and_they_suffice() {
    let documented = |name: &str| -> BTreeSet<&str> {
        let words = documented_rights(name).unwrap_or_else(|| panic!("{name} is not in the document"));
        words.into_iter().filter_map(|word| word.strip_prefix('+')).collect()
    };
    let needed =
        |program, form| rights(program, form, Durability::Async).into_iter().collect::<BTreeSet<_>>();
    assert_eq!(documented("relay"), needed(Program::Relay, Form::Single));
    assert_eq!(documented("worker"), needed(Program::DealerWorker, Form::Single));
    assert_eq!(documented("reception"), needed(Program::Reception, Form::Single));
    assert_eq!(documented("recorder"), needed(Program::Recorder, Form::Single));
    assert_eq!(documented("cluster-recorder"), needed(Program::Recorder, Form::Cluster));
    assert_eq!(documented("cluster-relay"), needed(Program::Relay, Form::Cluster));
    assert_eq!(documented("cluster-worker"), needed(Program::DealerWorker, Form::Cluster));
    assert_eq!(documented("cluster-reception"), needed(Program::Reception, Form::Cluster));

    // The processes' own tests play with the first two.
    let cluster = RedisCluster::start(Persistence::AofEverySecond).await.unwrap();
    for node in &cluster.nodes {
        node.user_of_the_document("cluster-relay").unwrap();
        node.user_of_the_document("cluster-worker").unwrap();
        node.user_of_the_document("cluster-recorder").unwrap();
    }
    let as_user =
        |name: &str| cluster.url().replace("redis-cluster://", &format!("redis-cluster://{name}:secret@"));
    let relay = RedisConfig { program: Program::Relay, ..config(&as_user("cluster-relay")) };
    let (relay, worker) = (
        Redis::connect(relay).await.unwrap(),
        Redis::connect(config(&as_user("cluster-worker"))).await.unwrap(),
    );
    let (inbox, channel) = (Arc::new(Inbox::default()), Channel::frames(&room("t1")));
    let bus = RedisBus::new(relay.clone());
    let subscription = bus.subscriber(inbox.clone());
    subscription.subscribe(&channel).await.unwrap();
    let store = RedisStore::new(worker.clone());
    store.append(&room("t1"), Position::new(1, 1), Bytes::from_static(b"x"), None).await.unwrap();
    store.probe_writing().await.unwrap();
    let as_worker = worker.clone();
    inbox.hear(&RedisBus::new(worker), &channel, b"frame").await;
    let read = RedisStore::new(relay);
    read.probe_reading().await.unwrap();
    assert_eq!(read.read(&room("t1"), None, 10).await.unwrap().len(), 1);
    subscription.unsubscribe(&channel).await.unwrap();
    RedisQueue::new(as_worker).push("q", Bytes::from_static(b"x")).await.unwrap();
    let recorder = RedisConfig { program: Program::Recorder, ..config(&as_user("cluster-recorder")) };
    let queue = RedisQueue::new(Redis::connect(recorder).await.unwrap());
    let mut ids = Vec::new();
    while ids.is_empty() {
        ids.extend(
            queue.take("q", "a", 9, Duration::from_secs(1)).await.unwrap().into_iter().map(|taken| taken.id),
        );
    }
    queue.give_back("q", "a", &ids).await.unwrap();
    for _ in 1..DELIVERIES_MAX {
        queue.reclaim("q", "a", Duration::ZERO, 9).await.unwrap();
    }
    queue.reclaim("q", "a", Duration::ZERO, 9).await.unwrap();
    assert_eq!((queue.lag("q").await.unwrap().dead, queue.dead("q").await.unwrap().len()), (1, 1));
    queue.done("q", &ids).await.unwrap();
    for node in &cluster.nodes {
        assert_eq!(node.ask(&["ACL", "LOG"]).unwrap().text(), "", "nothing was refused");
    }
}

pub(crate) async fn each_reason_to_refuse_is_told_in_the_servers_words() {
    let server = RedisServer::start(Persistence::None).await.unwrap();
    server.ask(&["ACL", "SETUSER", "worker", "on", ">secret", "~*", "&*", "+@all"]).unwrap();
    let store = RedisStore::new(Redis::connect(config(&server.url_of("worker"))).await.unwrap());
    let t1 = room("t1");
    store.append(&t1, Position::new(1, 0), Bytes::new(), None).await.unwrap();
    for (reason, wrong, right) in [
        (
            "NOREPLICAS",
            &["CONFIG", "SET", "min-replicas-to-write", "1"],
            &["CONFIG", "SET", "min-replicas-to-write", "0"],
        ),
        ("OOM", &["CONFIG", "SET", "maxmemory", "1mb"], &["CONFIG", "SET", "maxmemory", "0"]),
        ("NOPERM", &["ACL", "SETUSER", "worker", "-xadd"], &["ACL", "SETUSER", "worker", "+xadd"]),
    ] {
        server.ask(wrong).unwrap();
        let appended = store.extend(&t1, Position::new(1, 1), Bytes::new(), None).await;
        let probed = store.probe_writing().await;
        for refused in [appended, probed] {
            assert!(
                matches!(&refused, Err(AppendError::Refused(why)) if why.starts_with(reason)),
                "{reason}: {refused:?}"
            );
        }
        store.probe_reading().await.unwrap();
        server.ask(right).unwrap();
        store.probe_writing().await.unwrap();
    }
    assert_eq!(store.read(&t1, None, 10).await.unwrap().len(), 1, "none of them was written");
}
