//! Promises for when the broker goes away and comes back.

use std::{net::SocketAddr, sync::Arc};

use broker::{
    bus::{Bus, BusError, redis::RedisBus},
    channel::{Channel, journal_key},
    redis::{ConnectError, Durability, Redis, RedisConfig},
    store::{AppendError, Store, Stored, redis::RedisStore},
    testing::redis_server::{Persistence, RedisCluster, RedisSentinel, RedisServer, free_port},
};
use bytes::{Bytes, BytesMut};
use protocol::id::Position;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Duration, sleep, timeout},
};

use crate::setup::{House, Inbox, at_last, connect, room};

/// Sentinels agree for some seconds before their word counts.
const LEFT_WITHIN: Duration = Duration::from_secs(30);

/// Three times what a command may take.
const BOUND: Duration = Duration::from_secs(6);

pub(crate) async fn a_subscriber_hears_that_it_missed_something_when_its_connection_was_lost(
    mut house: House,
) {
    let inbox = Arc::new(Inbox::default());
    let channel = Channel::frames(&room("t1"));
    let subscription = house.bus.subscriber(inbox.clone());
    subscription.subscribe(&channel).await.unwrap();
    house.bus.publish(&channel, Bytes::from_static(b"before")).await.unwrap();
    inbox.wait_for(&channel, 1).await;

    let missed = inbox.missed_so_far();
    house.break_broker();
    house.mend_broker().await;
    inbox.wait_for_missed(missed).await;
    // The subscriptions stand when it is told: nothing published from now on is lost.
    at_last(|| house.bus.publish(&channel, Bytes::from_static(b"after"))).await;
    assert_eq!(inbox.wait_for(&channel, 2).await.last().unwrap(), "after");
}

pub(crate) async fn the_generation_changes_when_the_connection_was_lost(mut house: House) {
    let before = house.store.generation();
    assert_eq!(house.store.generation(), before, "it changes for a reason only");
    house.break_broker();
    house.mend_broker().await;
    at_last(|| house.store.last(&room("t1"))).await;
    assert_ne!(house.store.generation(), before);
}

pub(crate) async fn without_a_broker_operations_fail_in_bounded_time_and_later_work_again(mut house: House) {
    let (room, at) = (room("t1"), Position::new(1, 1));
    house.break_broker();
    let publish = || house.bus.publish(&Channel::frames(&room), Bytes::from_static(b"x"));
    let refused = async { while publish().await.is_ok() {} };
    timeout(BOUND, refused).await.expect("it is bounded");
    let append = house.store.append(&room, at, Bytes::from_static(b"x"), None);
    let failed = timeout(BOUND, append).await.expect("it is bounded");
    let is_out_of_reach = matches!(failed, Err(AppendError::Unavailable(_)));
    // A quick failover may serve what waited.
    assert!(is_out_of_reach || house.heals_itself(), "{failed:?}");
    let read = timeout(BOUND, house.store.read(&room, None, 10)).await.expect("it is bounded");
    assert!(read.is_err() || house.heals_itself());

    house.mend_broker().await;
    at_last(|| house.bus.publish(&Channel::frames(&room), Bytes::from_static(b"x"))).await;
    // The failed append may have happened or not; a repeat finds out.
    at_last(|| async {
        match house.store.append(&room, at, Bytes::from_static(b"x"), None).await {
            Ok(()) | Err(AppendError::Fenced) => Ok(()),
            Err(error) => Err(error),
        }
    })
    .await;
    let found = at_last(|| house.store.read(&room, None, 10)).await;
    assert_eq!(found, [Stored { at, bytes: Bytes::from_static(b"x") }]);
}

pub(crate) async fn a_subscription_survives_the_move_of_its_slot() {
    let cluster = RedisCluster::start(Persistence::None).await.unwrap();
    let bus = RedisBus::new(connect(&cluster.url()).await);
    let inbox = Arc::new(Inbox::default());
    let channel = Channel::frames(&room("t1"));
    let subscription = bus.subscriber(inbox.clone());
    subscription.subscribe(&channel).await.unwrap();
    let from = cluster.owner_of(channel.as_str()).unwrap();
    let missed = inbox.missed_so_far();
    cluster.move_slot_of(channel.as_str(), (from + 1) % 3).unwrap();
    // Nobody is told; the periodic renewal finds out.
    inbox.wait_for_missed(missed).await;
    assert_eq!(inbox.hear(&bus, &channel, b"after").await, "after");
}

pub(crate) async fn a_stopped_redis_is_noticed_by_a_silent_subscriber_and_play_goes_on_after() {
    let server = RedisServer::start(Persistence::None).await.unwrap();
    let redis = connect(&server.url()).await;
    let (bus, inbox) = (RedisBus::new(redis), Arc::new(Inbox::default()));
    let subscription = bus.subscriber(inbox.clone());
    let channel = Channel::nodes();
    subscription.subscribe(&channel).await.unwrap();
    let missed = inbox.missed_so_far();
    server.pause();
    // It may be taken, since there is still a connection, and come late or never.
    let _ = timeout(BOUND, bus.publish(&channel, Bytes::from_static(b"x"))).await.expect("it is bounded");
    // Long enough for the subscriber's own ping to go unanswered: it begins to connect anew, which nothing outside shows
    // before the server goes on.
    tokio::time::sleep(Duration::from_secs(4)).await;
    server.resume();
    inbox.wait_for_missed(missed).await;
    inbox.hear(&bus, &channel, b"after").await;
}

pub(crate) async fn an_append_that_too_few_replicas_have_is_not_acknowledged() {
    let mut sentinel = RedisSentinel::start(Persistence::AofEverySecond).await.unwrap();
    let durability = Durability::WaitReplicas { replicas: 1, timeout_ms: 1_000 };
    let replicated =
        RedisConfig { durability, connect_timeout_ms: 30_000, ..RedisConfig::new(sentinel.url()) };
    let store = RedisStore::new(Redis::connect(replicated).await.unwrap());
    store.append(&room("t1"), Position::new(1, 1), Bytes::from_static(b"x"), None).await.unwrap();
    let replica = 1 - sentinel.primary().unwrap();
    let length = sentinel.nodes[replica].ask(&["XLEN", "ch:{t1}:journal"]).unwrap();
    assert_eq!(length.text(), "1");
    sentinel.nodes[replica].kill();
    let append = store.append(&room("t1"), Position::new(1, 2), Bytes::from_static(b"x"), None).await;
    assert!(
        matches!(append, Err(AppendError::Unavailable(_))),
        "{append:?}: it is written, but not where it should be"
    );
    assert!(store.read(&room("t1"), None, 10).await.is_err(), "nor is it found as if it were");
    assert!(store.probe_writing().await.is_err(), "nor does readiness say so");
}

pub(crate) async fn nobody_who_cannot_connect_waits_for_ever() {
    let port = free_port().unwrap();
    let nowhere =
        RedisConfig { connect_timeout_ms: 300, ..RedisConfig::new(format!("redis://127.0.0.1:{port}")) };
    let refused = timeout(BOUND, Redis::connect(nowhere)).await.expect("it is bounded").map(drop);
    assert!(matches!(refused, Err(ConnectError::Unreachable(_))), "{refused:?}");
    assert!(matches!(
        Redis::connect(RedisConfig::new("http://x")).await.map(drop),
        Err(ConnectError::Url(_))
    ));
}

pub(crate) async fn more_publications_than_the_bound_are_refused_as_full() {
    let server = RedisServer::start(Persistence::None).await.unwrap();
    let bus = RedisBus::new(connect(&server.url()).await);
    server.pause();
    let (channel, payload) = (Channel::nodes(), Bytes::from(vec![0; 64 * 1024]));
    let mut taken = 0;
    // No await that waits: what the kernel does not take stays with us.
    while bus.publish(&channel, payload.clone()).await != Err(BusError::Full) {
        taken += payload.len();
        assert!(taken <= 16 * 1024 * 1024, "it is bounded");
    }
    server.resume();
    at_last(|| bus.publish(&channel, payload.clone())).await;
    // And a few small ones in a cluster, where each is answered.
    let cluster = RedisCluster::start(Persistence::None).await.unwrap();
    let config = RedisConfig { in_flight_max: 8, connections: 1, ..RedisConfig::new(cluster.url()) };
    let bus = RedisBus::new(Redis::connect(config).await.unwrap());
    cluster.nodes.iter().for_each(RedisServer::pause);
    let mut waiting: Vec<_> = (0..8).map(|_| bus.publish(&channel, Bytes::from_static(b"x"))).collect();
    for publication in &mut waiting {
        assert!(futures_util::poll!(publication).is_pending());
    }
    assert_eq!(bus.publish(&channel, Bytes::from_static(b"x")).await, Err(BusError::Full));
    cluster.nodes.iter().for_each(RedisServer::resume);
    for publication in waiting {
        publication.await.unwrap();
    }
    bus.publish(&channel, Bytes::from_static(b"x")).await.unwrap();
}

pub(crate) async fn publications_are_not_answered() {
    const PUBLICATIONS: u64 = 10_000;
    let server = RedisServer::start(Persistence::None).await.unwrap();
    let bus = RedisBus::new(connect(&server.url()).await);
    // Commands taken, bytes sent before this answer, and its own.
    let look = || {
        let stats = server.ask(&["INFO", "stats"]).unwrap().text();
        let number = |name: &str| {
            let line = stats.lines().find_map(|line| line.strip_prefix(name)).expect("Redis counts it");
            line.trim().parse::<u64>().unwrap()
        };
        let sent = number("total_net_output_bytes:");
        (number("total_commands_processed:"), sent, stats.len() as u64)
    };
    let (before, sent_before, mut asking) = look();
    for _ in 0..PUBLICATIONS {
        bus.publish(&Channel::nodes(), Bytes::from_static(b"x")).await.unwrap();
    }
    bus.flush().await;
    let sent = loop {
        let (taken, sent, own) = look();
        if taken >= before + PUBLICATIONS {
            break sent;
        }
        asking += own;
    };
    // An answer has four bytes at least.
    let answers = (sent - sent_before).saturating_sub(asking);
    assert!(answers < 2 * PUBLICATIONS, "{answers} bytes");
}

pub(crate) async fn a_lost_connection_for_publications_is_told_and_replaced() {
    let server = RedisServer::start(Persistence::None).await.unwrap();
    let redis = connect(&server.url()).await;
    let (bus, store) = (RedisBus::new(redis.clone()), RedisStore::new(redis));
    let (inbox, channel) = (Arc::new(Inbox::default()), Channel::nodes());
    let subscription = bus.subscriber(inbox.clone());
    subscription.subscribe(&channel).await.unwrap();
    let generation = store.generation();
    let clients = server.ask(&["CLIENT", "LIST"]).unwrap().text();
    let publisher =
        clients.lines().find(|line| line.contains("cmd=client|reply")).expect("it has not published yet");
    let id = publisher.split(' ').find_map(|field| field.strip_prefix("id=")).unwrap();
    server.ask(&["CLIENT", "KILL", "ID", id]).unwrap();
    while store.generation() == generation {
        tokio::task::yield_now().await;
    }
    // Whoever asserts its rooms for it reaches those who listen.
    inbox.hear(&bus, &channel, b"after").await;
    assert_eq!(inbox.missed_so_far(), 0, "the subscriber's own connection stands");
}

pub(crate) async fn what_is_not_ours_in_redis_is_an_error_and_costs_no_connection() {
    let server = RedisServer::start(Persistence::None).await.unwrap();
    let store = RedisStore::new(connect(&server.url()).await);
    let mut stranger = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    stranger.write_all(b"*4\r\n$4\r\nHSET\r\n$1\r\nm\r\n$1\r\n\xff\r\n$1\r\nx\r\n").await.unwrap();
    assert_eq!(stranger.read(&mut [0; 16]).await.unwrap(), ":1\r\n".len());
    let generation = store.generation();
    for _ in 0..10 {
        assert!(store.map_all("m").await.is_err());
        store.last(&room("t1")).await.unwrap();
    }
    assert_eq!(store.generation(), generation, "nobody asserts rooms for it");
}

pub(crate) async fn a_primary_that_was_replaced_and_lives_is_left() {
    let all = RedisSentinel::start(Persistence::None).await.unwrap();
    let redis = connect(&all.url()).await;
    let (bus, store) = (RedisBus::new(redis.clone()), RedisStore::new(redis));
    let (inbox, channel) = (Arc::new(Inbox::default()), Channel::nodes());
    let subscription = bus.subscriber(inbox.clone());
    subscription.subscribe(&channel).await.unwrap();
    store.append(&room("t1"), Position::new(1, 1), Bytes::new(), None).await.unwrap();
    // It is asleep for the failover, and refuses to become a replica after it.
    let old = all.primary().unwrap();
    all.nodes[old].ask(&["ACL", "SETUSER", "default", "-replicaof", "-slaveof"]).unwrap();
    all.nodes[old].pause();
    let new = all.replaced(old).await.unwrap();
    all.nodes[old].resume();
    let last = || all.nodes[new].ask(&["XREVRANGE", &journal_key(&room("t1")), "+", "-", "COUNT", "1"]);
    let leaving = async {
        for seq in 2.. {
            let written = store.append(&room("t1"), Position::new(1, seq), Bytes::new(), None).await;
            if written.is_ok() && last().unwrap().text().starts_with(&format!("1-{seq} ")) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LEFT_WITHIN, leaving).await.expect("what is written is in the new primary at last");
    inbox.hear(&bus, &channel, b"x").await;
    assert!(all.nodes[old].is_primary(), "nobody has made it a replica");
}

pub(crate) async fn an_answer_to_something_else_acknowledges_nothing() {
    let server = RedisServer::start(Persistence::None).await.unwrap();
    let address = tampering_with(server.port(), b"tampered").await;
    let store = RedisStore::new(connect(&format!("redis://{address}")).await);
    let (room, generation) = (room("t1"), store.generation());
    store.append(&room, Position::new(1, 1), Bytes::from_static(b"whole"), None).await.unwrap();
    let tampered = store.append(&room, Position::new(1, 2), Bytes::from_static(b"tampered"), None).await;
    assert!(matches!(tampered, Err(AppendError::Unavailable(_))), "{tampered:?}");
    // The connection is not trusted any more, and whoever writes is told.
    while store.generation() == generation {
        tokio::task::yield_now().await;
    }
    at_last(|| store.append(&room, Position::new(1, 3), Bytes::from_static(b"whole"), None)).await;
    assert_eq!(store.read(&room, None, 10).await.unwrap().len(), 2);
}

/// The way to a server on which an append with `marker` in it becomes a publication, whose answer is another.
async fn tampering_with(port: u16, marker: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let up = async {
                    // Room for a whole command, however full the buffer was before.
                    let mut chunk = BytesMut::with_capacity(1 << 20);
                    while from_client.read_buf(&mut chunk).await.unwrap_or(0) > 0 {
                        let has = |word: &[u8]| chunk.windows(word.len()).any(|part| part == word);
                        if has(b"XADD") && has(marker) {
                            chunk = b"*3\r\n$7\r\nPUBLISH\r\n$1\r\nx\r\n$1\r\ny\r\n"[..].into();
                        }
                        if to_server.write_all(&chunk).await.is_err() {
                            return;
                        }
                        chunk = BytesMut::with_capacity(1 << 20);
                    }
                };
                tokio::select! {
                    () = up => {}
                    _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
                }
            });
        }
    });
    address
}

pub(crate) async fn a_reconnect_is_seen_no_later_than_the_first_answer_after_it() {
    for _ in 0..5 {
        let mut server = RedisServer::start(Persistence::AofAlways).await.unwrap();
        let store = RedisStore::new(connect(&server.url()).await);
        store.append(&room("t1"), Position::new(1, 1), Bytes::new(), None).await.unwrap();
        let before = store.generation();
        server.restart().await.unwrap();
        at_last(|| store.last(&room("t1"))).await;
        // No await between the answer and this look.
        assert_ne!(store.generation(), before);
    }
}

pub(crate) async fn a_subscription_is_not_confirmed_before_the_server_has_said_so() {
    let server = RedisServer::start(Persistence::None).await.unwrap();
    let bus = RedisBus::new(connect(&server.url()).await);
    let inbox = Arc::new(Inbox::default());
    let subscription = bus.subscriber(inbox.clone());
    subscription.subscribe(&Channel::nodes()).await.unwrap();
    server.pause();
    // Written at once, but read by nobody.
    let lobby = Channel::lobby();
    let mut confirmed = subscription.subscribe(&lobby);
    let early = timeout(Duration::from_millis(300), &mut confirmed).await;
    assert!(early.is_err(), "{early:?}");
    server.resume();
    confirmed.await.unwrap();
    bus.publish(&lobby, Bytes::new()).await.unwrap();
    inbox.wait_for(&lobby, 1).await;
}
