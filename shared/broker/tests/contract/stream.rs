//! What a stream with a group of consumers does that a queue must not: each is somebody's report.

use broker::{
    channel::queue_key,
    queue::{Delivery, Lag, Queue, redis::RedisQueue},
    testing::redis_server::{Persistence, RedisServer},
};
use bytes::Bytes;
use tokio::time::Duration;

use crate::setup::connect;

const Q: &str = "hands";
const NOT: Duration = Duration::ZERO;

async fn queue() -> (RedisServer, RedisQueue) {
    let server = RedisServer::start(Persistence::None).await.unwrap();
    let queue = RedisQueue::new(connect(&server.url()).await);
    (server, queue)
}

async fn push(queue: &RedisQueue, texts: &[&str]) {
    for text in texts {
        queue.push(Q, Bytes::copy_from_slice(text.as_bytes())).await.unwrap();
    }
}

async fn take(queue: &RedisQueue, most: usize) -> Vec<Delivery> {
    queue.take(Q, "a", most, NOT).await.unwrap()
}

fn texts(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| str::from_utf8(&delivery.message).unwrap()).collect()
}

async fn done(queue: &RedisQueue, deliveries: &[Delivery]) {
    let ids: Vec<_> = deliveries.iter().map(|delivery| delivery.id.clone()).collect();
    queue.done(Q, &ids).await.unwrap();
}

fn lag(waiting: u64, taken: u64) -> Lag {
    Lag { waiting, taken, dead: 0 }
}

/// Deliveries of what is not there any more stay (redis/redis #5718, #10756), and claiming them answered nothing in the place of each (#7021).
pub(crate) async fn what_was_deleted_or_trimmed_after_it_was_taken_is_forgotten_and_holds_up_nothing() {
    let (server, queue) = queue().await;
    push(&queue, &["deleted", "trimmed", "kept", "new"]).await;
    take(&queue, 3).await;
    let key = queue_key(Q);
    let first = server.ask(&["XRANGE", &key, "-", "+", "COUNT", "1"]).unwrap().text();
    let id = first.split(' ').next().unwrap();
    server.ask(&["XDEL", &key, id]).unwrap();
    server.ask(&["XTRIM", &key, "MAXLEN", "=", "2"]).unwrap();
    assert_eq!(texts(&queue.reclaim(Q, "b", NOT, 9).await.unwrap()), ["kept"]);
    assert_eq!(queue.lag(Q).await.unwrap(), lag(1, 1));
    assert_eq!(texts(&take(&queue, 9).await), ["new"]);
    let again = queue.reclaim(Q, "b", NOT, 9).await.unwrap();
    done(&queue, &again).await;
    assert_eq!(queue.lag(Q).await.unwrap(), lag(0, 0));
}

/// As after a failover to a replica that had the stream and not the group (redis/redis #5433), or when somebody destroys it: what is not done comes once
/// more, and what is done does not.
pub(crate) async fn a_group_that_is_lost_takes_nothing_with_it_that_is_not_done() {
    let (server, queue) = queue().await;
    push(&queue, &["done", "taken", "new"]).await;
    let taken = take(&queue, 2).await;
    done(&queue, &taken[..1]).await;
    server.ask(&["XGROUP", "DESTROY", &queue_key(Q), "takers"]).unwrap();
    assert_eq!(texts(&take(&queue, 9).await), ["taken", "new"]);
    // Who had taken it before says so, and it counts.
    done(&queue, &taken[1..]).await;
    assert_eq!(queue.lag(Q).await.unwrap(), lag(0, 1));
    server.ask(&["XGROUP", "DESTROY", &queue_key(Q), "takers"]).unwrap();
    assert_eq!(queue.lag(Q).await.unwrap(), lag(1, 0), "whoever looks makes it again");
    assert!(queue.reclaim(Q, "a", NOT, 9).await.unwrap().is_empty());
    assert_eq!(texts(&take(&queue, 9).await), ["new"]);
}

/// Whoever finds no group makes it, and one is the first.
pub(crate) async fn takers_that_make_the_group_at_once_have_everything_once() {
    let (_server, queue) = queue().await;
    push(&queue, &["one", "two", "three", "four"]).await;
    let takers = (0..8).map(|taker| {
        let queue = queue.clone();
        tokio::spawn(async move { queue.take(Q, &format!("taker-{taker}"), 1, NOT).await.unwrap() })
    });
    let takers: Vec<_> = takers.collect();
    let mut had = Vec::new();
    for taker in takers {
        had.extend(taker.await.unwrap());
    }
    let mut had = texts(&had);
    had.sort_unstable();
    assert_eq!(had, ["four", "one", "three", "two"]);
}

/// Redis keeps each consumer's name for ever (redis/redis #8635, #11567), and one that is deleted takes what it had along (#9745).
pub(crate) async fn takers_that_come_and_go_leave_nothing_behind() {
    let (server, queue) = queue().await;
    push(&queue, &["one", "two"]).await;
    for taker in 0..20 {
        queue.take(Q, &format!("recorder-{taker}"), 1, NOT).await.unwrap();
        queue.reclaim(Q, &format!("recorder-{taker}"), NOT, 1).await.unwrap();
    }
    let named = server.ask(&["XINFO", "CONSUMERS", &queue_key(Q), "takers"]).unwrap();
    assert_eq!(format!("{named:?}").matches("pending").count(), 1, "{named:?}");
}
