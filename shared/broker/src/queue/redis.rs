//! Between processes: a queue is a stream with one group of consumers, its dead a hash beside it.
//!
//! What is done is deleted (`XDEL`) and only then acknowledged (`XACK`): who dies in between leaves a delivery of a message that is not there,
//! which whoever reclaims it acknowledges. All take as one consumer: Redis keeps every name for ever, and whoever deletes one deletes what it has taken;
//! who has taken what for too long is told by its time alone. Nobody blocks a connection: others send on it too, so whoever waits looks again.

use bytes::Bytes;
use fred::{
    interfaces::{FredResult, HashesInterface, StreamsInterface},
    prelude::{Client, Error as RedisError},
    types::{
        Value,
        streams::{XCap, XReadResponse, XReadValue},
    },
};
use futures_util::future::BoxFuture;
use tokio::time::{Duration, Instant, sleep};

use super::{DELIVERIES_MAX, Delivery, LOOK_EVERY, Lag, MessageId, Queue, told_dead};
use crate::{
    channel::{dead_key, queue_key},
    redis::Redis,
    store::{
        Unavailable,
        redis::{FIELD, Failed, RedisStore},
    },
};

/// The one group of each queue.
const GROUP: &str = "takers";

/// And its one consumer.
const TAKER: &str = "all";

/// Queues in Redis.
#[derive(Clone)]
pub struct RedisQueue {
    store: RedisStore,
}

/// A delivery that is not done: the message, by whom it was taken, for how many milliseconds, and how often.
type Pending = (String, String, u64, u32);

impl RedisQueue {
    /// Queues on these connections.
    pub fn new(redis: Redis) -> Self {
        Self { store: RedisStore::new(redis) }
    }

    /// Sends a command that needs the group, which is made where there is none: also after a server that has lost all.
    async fn in_group<'a, T, F>(
        &'a self,
        key: &'a str,
        command: impl Fn(&'a Client) -> F,
    ) -> Result<T, Unavailable>
    where
        F: Future<Output = FredResult<T>> + 'a,
    {
        match self.store.run(key, &command).await {
            Err(Failed::Error(error)) if error.details().starts_with("NOGROUP") => {}
            answer => return Ok(answer?),
        }
        // From the beginning: what was pushed before somebody took is taken too.
        let make = |client: &'a Client| client.xgroup_create::<Value, _, _, _>(key, GROUP, "0", true);
        match self.store.run(key, make).await {
            Err(Failed::Error(error)) if is_made(&error) => {}
            made => drop(made?),
        }
        Ok(self.store.run(key, &command).await?)
    }

    async fn forget(&self, key: &str, ids: Vec<String>) -> Result<(), Unavailable> {
        if ids.is_empty() {
            return Ok(());
        }
        let _: u64 = self.store.run(key, |client| client.xdel(key, ids.clone())).await?;
        let _: u64 = self.store.run(key, |client| client.xack(key, GROUP, ids)).await?;
        Ok(())
    }

    async fn bury(&self, queue: &str, id: String) -> Result<(), Unavailable> {
        let (key, dead) = (queue_key(queue), dead_key(queue));
        let one = |client: &'_ Client| {
            let (client, key, id) = (client.clone(), key.clone(), id.clone());
            async move {
                client
                    .xrange_values::<String, String, Bytes, _, _, _>(key, id.as_str(), id.as_str(), None)
                    .await
            }
        };
        let found = self.store.run(&key, one).await?;
        for Delivery { message, .. } in deliveries(found, 0)? {
            let put = |client: &'_ Client| {
                let (client, dead, id) = (client.clone(), dead.clone(), id.clone());
                async move { client.hset::<(), _, _>(dead, (id, message)).await }
            };
            // By its name: done twice it is there once.
            self.store.run(&dead, put).await?;
            told_dead(queue, &MessageId(id.clone()));
        }
        self.forget(&key, vec![id]).await
    }
}

/// Somebody was faster.
fn is_made(error: &RedisError) -> bool {
    error.details().starts_with("BUSYGROUP")
}

fn deliveries(
    entries: Vec<XReadValue<String, String, Bytes>>,
    count: u32,
) -> Result<Vec<Delivery>, Unavailable> {
    let foreign = || Unavailable("the queue holds something that is not ours".into());
    let one = |(id, mut fields): XReadValue<String, String, Bytes>| {
        let message = fields.remove(FIELD).ok_or_else(foreign)?;
        Ok(Delivery { id: MessageId(id), message, deliveries: count })
    };
    entries.into_iter().map(one).collect()
}

/// What `XREADGROUP` has answered that found something.
fn new_ones(read: Value) -> Result<Vec<Delivery>, Unavailable> {
    let read: Result<XReadResponse<String, String, String, Bytes>, _> = read.into_xread_response();
    let read = read.map_err(|error| Unavailable(error.to_string()))?;
    deliveries(read.into_values().flatten().collect(), 1)
}

impl Queue for RedisQueue {
    fn push(&self, queue: &str, message: Bytes) -> BoxFuture<'_, Result<(), Unavailable>> {
        let key = queue_key(queue);
        Box::pin(async move {
            let add = |client: &'_ Client| {
                let (client, key) = (client.clone(), key.clone());
                async move { client.xadd(key, false, XCap::from(None), "*", (FIELD, message)).await }
            };
            let _: String = self.store.run(&key, add).await?;
            self.store.replicated(&key).await
        })
    }

    fn take(
        &self,
        queue: &str,
        _: &str,
        most: usize,
        wait: Duration,
    ) -> BoxFuture<'_, Result<Vec<Delivery>, Unavailable>> {
        let (key, until) = (queue_key(queue), Instant::now() + wait);
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        Box::pin(async move {
            loop {
                let read = |client: &'_ Client| {
                    let (client, key) = (client.clone(), key.clone());
                    async move { client.xreadgroup(GROUP, TAKER, Some(most), None, false, key, ">").await }
                };
                let had = match self.in_group(&key, read).await? {
                    Value::Null => Vec::new(),
                    read => new_ones(read)?,
                };
                if !had.is_empty() || Instant::now() >= until {
                    return Ok(had);
                }
                sleep(LOOK_EVERY).await;
            }
        })
    }

    fn done(&self, queue: &str, ids: &[MessageId]) -> BoxFuture<'_, Result<(), Unavailable>> {
        let (key, ids) = (queue_key(queue), ids.iter().map(|id| id.0.clone()).collect());
        Box::pin(async move { self.forget(&key, ids).await })
    }

    fn give_back(&self, queue: &str, _: &str, ids: &[MessageId]) -> BoxFuture<'_, Result<(), Unavailable>> {
        let key = queue_key(queue);
        let ids: Vec<String> = ids.iter().map(|id| id.0.clone()).collect();
        Box::pin(async move {
            if ids.is_empty() {
                return Ok(());
            }
            // Idle since ever, as far as Redis counts; and `JUSTID`, which counts no delivery.
            let idle = Some(GIVEN_BACK_MS);
            let claim = |client: &'_ Client| {
                let (client, key, ids) = (client.clone(), key.clone(), ids.clone());
                async move {
                    client
                        .xclaim::<Value, _, _, _, _>(key, GROUP, TAKER, 0, ids, idle, None, None, false, true)
                        .await
                }
            };
            self.in_group(&key, claim).await.map(drop)
        })
    }

    fn reclaim(
        &self,
        queue: &str,
        _: &str,
        idle: Duration,
        most: usize,
    ) -> BoxFuture<'_, Result<Vec<Delivery>, Unavailable>> {
        let (queue, key) = (queue.to_owned(), queue_key(queue));
        let idle_ms = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX).min(GIVEN_BACK_MS);
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        Box::pin(async move {
            let list = |client: &'_ Client| {
                let (client, key) = (client.clone(), key.clone());
                async move { client.xpending(key, GROUP, (idle_ms, "-", "+", most)).await }
            };
            let pending: Vec<Pending> = self.in_group(&key, list).await?;
            let mut had = Vec::new();
            for (id, _, _, count) in pending {
                if count >= DELIVERIES_MAX {
                    self.bury(&queue, id).await?;
                    continue;
                }
                let claim = |client: &'_ Client| {
                    let (client, key, id) = (client.clone(), key.clone(), id.clone());
                    async move {
                        client
                            .xclaim_values::<String, String, Bytes, _, _, _, _>(
                                key, GROUP, TAKER, idle_ms, id, None, None, None, false, false,
                            )
                            .await
                    }
                };
                let claimed = match self.store.run(&key, claim).await {
                    Ok(claimed) => claimed,
                    // What is taken with the others is not lost.
                    Err(_) if !had.is_empty() => break,
                    Err(error) => return Err(error.into()),
                };
                had.extend(deliveries(claimed, count + 1)?);
            }
            Ok(had)
        })
    }

    fn lag(&self, queue: &str) -> BoxFuture<'_, Result<Lag, Unavailable>> {
        let (key, dead) = (queue_key(queue), dead_key(queue));
        Box::pin(async move {
            let summary = |client: &'_ Client| {
                let (client, key) = (client.clone(), key.clone());
                async move { client.xpending::<Value, _, _, _>(key, GROUP, ()).await }
            };
            let taken = match self.in_group(&key, summary).await? {
                Value::Array(parts) => parts.first().and_then(Value::as_u64),
                _ => None,
            };
            let taken = taken.ok_or_else(|| Unavailable("the answer to another command".into()))?;
            let all: u64 = self.store.run(&key, |client| client.xlen(key.as_str())).await?;
            let dead: u64 = self.store.run(&dead, |client| client.hlen(dead.as_str())).await?;
            Ok(Lag { waiting: all.saturating_sub(taken), taken, dead })
        })
    }

    fn dead(&self, queue: &str) -> BoxFuture<'_, Result<Vec<Bytes>, Unavailable>> {
        let map = dead_key(queue);
        Box::pin(async move {
            use crate::store::Store as _;
            let mut all = self.store.map_all(&map).await?;
            all.sort_unstable_by_key(|(id, _)| number(id));
            Ok(all.into_iter().map(|(_, message)| message).collect())
        })
    }
}

/// What was given back counts as taken for so long, milliseconds: longer than anybody waits before reclaiming.
const GIVEN_BACK_MS: u64 = 10 * 365 * 86_400_000;

/// The order of a stream's ids.
fn number(id: &str) -> Option<(u64, u64)> {
    let (ms, n) = id.split_once('-')?;
    Some((ms.parse().ok()?, n.parse().ok()?))
}
