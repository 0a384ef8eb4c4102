//! A worker on a real Redis that says no, as users of the document.

mod support;

use std::sync::Arc;

use broker::{
    bus::redis::RedisBus,
    clock::Clock,
    directory::Readers,
    node::RoomSpec,
    ports::Ports,
    redis::{Redis, RedisConfig, rights::Program},
    seal::SealKey,
    store::redis::RedisStore,
    testing::redis_server::{Persistence, RedisServer},
};
use dealer_worker::{Opening, open_tables};
use rooms::{
    Chance, Kinds, Worker, WorkerConfig, open_room,
    testing::{
        Counter,
        counter::{Passed, Settings},
    },
};
use serde_json::json;
use tokio::time::{Duration, Instant};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use support::{Relay, fast, node, play, room, user};

/// Players are told within this.
const TOLD_WITHIN: Duration = Duration::from_secs(20);

async fn ports(url: String, program: Program) -> Ports {
    let config = RedisConfig { program, connect_timeout_ms: 30_000, ..RedisConfig::new(url) };
    let redis = Redis::connect(config).await.expect("the rights of the document suffice");
    Ports {
        bus: Arc::new(RedisBus::new(redis.clone())),
        store: Arc::new(RedisStore::new(redis)),
        clock: Clock::system(),
    }
}

#[tokio::test]
async fn what_redis_refuses_is_told_and_refused_and_goes_on_by_itself_when_mended() {
    let server = RedisServer::start(Persistence::AofEverySecond).await.expect("redis-server is installed");
    let (worker_url, relay_url) =
        (server.user_of_the_document("worker").unwrap(), server.user_of_the_document("relay").unwrap());
    let inside = ports(worker_url, Program::DealerWorker).await;
    open_tables(&inside, 1, &Opening::of(fast())).await.unwrap();
    let config = WorkerConfig::new(node("w1"), SealKey::random());
    let worker = Worker::new(inside.clone(), config, dealer_worker::kinds(), Chance::seeded(1));
    let mut observed = worker.observed();
    let _running = AbortOnDropHandle::new(tokio::spawn(worker.run(CancellationToken::new())));
    let relay = Relay::on(ports(relay_url, Program::Relay).await, "r1", 1).await;
    relay.owned(&room(1)).await;
    assert_eq!(relay.sit(&room(1), "ann", 1, 100).await.code(), "applied");
    assert_eq!(relay.sit(&room(1), "bob", 2, 100).await.code(), "applied");
    let players = [("ann", 1), ("bob", 2)];
    play(&relay, &room(1), &players, 2).await;
    assert_eq!(
        server.ask(&["ACL", "LOG"]).unwrap().text(),
        "",
        "nobody asked for more than the document says"
    );

    let replicas = |count| ["CONFIG", "SET", "min-replicas-to-write", count];
    let memory = |bytes| ["CONFIG", "SET", "maxmemory", bytes];
    let append = |rule| ["ACL", "SETUSER", "worker", rule];
    let faults = [
        ("NOREPLICAS", replicas("1"), replicas("0")),
        ("OOM", memory("1mb"), memory("0")),
        ("NOPERM", append("-xadd"), append("+xadd")),
    ];
    for (round, (reason, wrong, right)) in (1_usize..).zip(faults) {
        observed.wait_for(broker::members::Observed::is_ready).await.unwrap();
        let bought = relay.followed(&room(1)).view().chips.bought;
        server.ask(&wrong).unwrap();
        let asked = Instant::now();
        let n = relay.next_n();
        let top_up = json!({"a": "top_up", "amount": 10});
        let refused = relay.new_command(&room(1), &user("ann"), 1, n, top_up.clone()).await;
        assert_eq!(refused.code(), "unavailable", "{reason}: {refused:?}");
        assert!(refused.retry_after() > Duration::ZERO);
        relay.told(&["ann", "bob"], "delayed", round).await;
        assert!(asked.elapsed() < TOLD_WITHIN, "{reason}: {:?}", asked.elapsed());
        let says = |why: &str| why.contains(reason);
        observed.wait_for(|seen| seen.store_trouble.as_deref().is_some_and(says)).await.unwrap();
        server.ask(&right).unwrap();
        relay.told(&["ann", "bob"], "recovered", round).await;
        // What was refused was not done, and is not done later.
        let again = relay.command(&room(1), &user("ann"), 1, n, top_up).await;
        assert_eq!(again, refused);
        play(&relay, &room(1), &players, 1).await;
        assert_eq!(relay.followed(&room(1)).view().chips.bought, bought, "{reason}");
    }

    // Evicted under its owner: told by nothing but the next action, and put back.
    let before = relay.followed(&room(1));
    assert_eq!(server.ask(&["DEL", &broker::channel::journal_key(&room(1))]).unwrap().text(), "1");
    play(&relay, &room(1), &players, 1).await;
    let after = relay.followed(&room(1));
    assert_eq!(after.epochs.len(), before.epochs.len() + 1);
    assert_eq!(after.view().chips.bought, before.view().chips.bought);
    assert!(inside.store.last(&room(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn letters_go_from_worker_to_worker_and_on_when_one_dies() {
    let server = RedisServer::start(Persistence::AofEverySecond).await.expect("redis-server is installed");
    let (worker_url, relay_url) =
        (server.user_of_the_document("worker").unwrap(), server.user_of_the_document("relay").unwrap());
    let inside = ports(worker_url.clone(), Program::DealerWorker).await;
    for number in 1..=2 {
        let peers = vec![room(3 - number)];
        let spec = RoomSpec::new("counter", &Settings { peers, ..Settings::default() });
        assert!(open_room(&inside, &room(number), &spec, Readers::OfThisRelease).await.unwrap());
    }
    let seal_key = SealKey::random();
    #[expect(clippy::async_yields_async, reason = "it runs until the handle is dropped")]
    let start = |name: &'static str| {
        let (url, seal_key) = (worker_url.clone(), seal_key.clone());
        async move {
            let kinds = Kinds::default().with::<Counter>();
            let config = WorkerConfig::new(node(name), seal_key);
            let ports = ports(url, Program::DealerWorker).await;
            let worker = Worker::new(ports, config, kinds, Chance::seeded(1));
            AbortOnDropHandle::new(tokio::spawn(async move { worker.run(CancellationToken::new()).await }))
        }
    };
    let first = start("w1").await;
    let relay = Relay::on(ports(relay_url, Program::Relay).await, "r1", 2).await;
    let ask = async |number: u32, what: serde_json::Value| {
        loop {
            let (user, n) = (user("ann"), relay.next_n());
            let answer = relay.command(&room(number), &user, 1, n, what.clone()).await;
            match answer.code() {
                "applied" => return,
                "busy" | "unavailable" => tokio::time::sleep(answer.retry_after()).await,
                code => panic!("{code} for {what}"),
            }
        }
    };
    for number in 1..=2 {
        relay.owned(&room(number)).await;
        ask(number, json!({"a": "add", "by": 1_000})).await;
    }
    let pass_on = async |by: u64| {
        ask(1, json!({"a": "send", "to": room(2), "by": by})).await;
        ask(2, json!({"a": "send", "to": room(1), "by": by})).await;
    };
    for by in 1..=10 {
        pass_on(by).await;
    }
    let second = start("w2").await;
    drop(first);
    for number in 1..=2 {
        relay.until(&room(number), |room| room.epochs.len() >= 2).await;
    }
    for by in 11..=20 {
        pass_on(by).await;
    }
    for number in 1..=2 {
        let other = room(3 - number);
        let passed = |state: &serde_json::Value, what: &str| -> Passed {
            state[what]
                .get(other.as_str())
                .map_or(Passed::default(), |passed| serde_json::from_value(passed.clone()).unwrap())
        };
        let received = |followed: &support::Followed| {
            let known = passed(followed.state.as_ref().unwrap(), "received");
            let told = followed.told.iter().filter(|event| event["e"] == "received");
            told.fold(known, |known, event| Passed {
                letters: known.letters + 1,
                amount: known.amount + event["amount"].as_u64().unwrap(),
            })
        };
        let followed = relay.until(&room(number), |followed| received(followed).letters >= 20).await;
        assert_eq!(received(&followed), Passed { letters: 20, amount: 210 });
        assert_eq!(followed.state.unwrap()["misheard"], 0);
    }
    assert_eq!(
        server.ask(&["ACL", "LOG"]).unwrap().text(),
        "",
        "nobody asked for more than the document says"
    );
    drop(second);
}
