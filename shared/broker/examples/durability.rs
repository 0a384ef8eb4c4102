//! What each durability costs on this machine: `cargo run --release -p broker --features testing --example durability`.
//!
//! Starts Redis behind sentinels (append-only file flushed every second) for `async` and `wait-replicas=1`, and one that flushes before
//! it answers for `fsync`. First appends one after the other, as one table does; then many tables at once.

use std::time::Duration;

use broker::{
    redis::{Durability, Redis, RedisConfig},
    store::{Store, redis::RedisStore},
    testing::redis_server::{Persistence, RedisSentinel, RedisServer},
};
use bytes::Bytes;
use protocol::id::{Position, RoomId};
use tokio::{task::JoinSet, time::Instant};

/// About the entry of an action at a table of six.
const ENTRY_BYTES: usize = 700;

/// Appends one after the other.
const ALONE: u64 = 2_000;

/// Tables at once, and appends of each.
const TABLES: usize = 64;
const EACH: u64 = 200;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let sentinel = RedisSentinel::start(Persistence::AofEverySecond).await?;
    let eager = RedisServer::start(Persistence::AofAlways).await?;
    println!("{:<22} {:>10} {:>10} {:>14}", "durability", "p50 us", "p99 us", "appends/s (64)");
    for (durability, url) in [
        (Durability::Async, sentinel.url()),
        (Durability::WaitReplicas { replicas: 1, timeout_ms: 1_000 }, sentinel.url()),
        (Durability::Fsync, eager.url()),
    ] {
        let config = RedisConfig { durability, connect_timeout_ms: 30_000, ..RedisConfig::new(url) };
        let store = RedisStore::new(Redis::connect(config).await?);
        let mut times = append(&store, &format!("{durability} alone"), ALONE).await?;
        times.sort_unstable();
        let at = |percent: usize| times[times.len() * percent / 100].as_micros();
        let began = Instant::now();
        let mut tables = JoinSet::new();
        for table in 0..TABLES {
            let store = store.clone();
            tables.spawn(async move { append(&store, &format!("{durability} {table}"), EACH).await });
        }
        while let Some(done) = tables.join_next().await {
            done??;
        }
        let rate = (TABLES as u64 * EACH) as f64 / began.elapsed().as_secs_f64();
        println!("{:<22} {:>10} {:>10} {rate:>14.0}", durability.to_string(), at(50), at(99));
    }
    Ok(())
}

/// How long each took.
async fn append(store: &RedisStore, room: &str, count: u64) -> anyhow::Result<Vec<Duration>> {
    let name: String = room.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let room = RoomId::new(&name).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let entry = Bytes::from(vec![b'x'; ENTRY_BYTES]);
    let mut times = Vec::new();
    for seq in 1..=count {
        let began = Instant::now();
        store.append(&room, Position::new(1, seq), entry.clone(), None).await?;
        times.push(began.elapsed());
    }
    Ok(times)
}
