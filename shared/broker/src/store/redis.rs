//! Between processes: journals are Redis streams, maps are hashes.
//!
//! An entry's stream id is its position, so Redis itself refuses whoever comes too late: that refusal is the fence. All
//! commands of a room go over one connection: a read that follows an append without an answer finds what it did.

use std::collections::HashMap;

use bytes::Bytes;
use fred::{
    interfaces::{ClientLike, FredResult, HashesInterface, KeysInterface, ServerInterface, StreamsInterface},
    prelude::{Client, Error as RedisError, Options},
    types::{
        ClusterHash,
        cluster::ClusterRouting,
        streams::{XCap, XReadValue},
    },
};
use futures_util::future::BoxFuture;
use protocol::id::{Position, RoomId};

use super::{AppendError, Store, Stored, Unavailable};
use crate::{
    channel::journal_key,
    redis::{Durability, Redis, says_no},
};

/// The one field of a stream entry.
pub(crate) const FIELD: &str = "e";

/// Journals and maps in Redis.
#[derive(Clone)]
pub struct RedisStore {
    redis: Redis,
}

/// No answer, or an error for an answer.
pub(crate) enum Failed {
    /// Too much was in flight for too long; nothing was sent.
    Queued,
    /// Redis's, or of the connection.
    Error(RedisError),
}

impl From<Failed> for AppendError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Error(error) if is_fence(&error) => Self::Fenced,
            Failed::Error(error) if says_no(error.details()) => Self::Refused(error.details().to_owned()),
            // What waited for its turn was never sent. But to be told so is no reason to give up what may be sent in a moment.
            failed => Self::Unavailable(failed.into()),
        }
    }
}

impl From<Failed> for Unavailable {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Queued => Self("too much is in flight".into()),
            Failed::Error(error) => Self(error.to_string()),
        }
    }
}

impl RedisStore {
    /// A store on these connections.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// Sends one command on the connection of `name`.
    pub(crate) async fn run<'a, T, F>(
        &'a self,
        name: &str,
        command: impl FnOnce(&'a Client) -> F,
    ) -> Result<T, Failed>
    where
        F: Future<Output = FredResult<T>> + 'a,
    {
        let pinned = self.redis.pinned(name);
        let _permit = pinned.permit().await.map_err(|_| Failed::Queued)?;
        command(pinned.client()).await.map_err(|error| {
            pinned.examine(&error);
            Failed::Error(error)
        })
    }

    /// `XADD`; with `must_exist` only to a stream that is there (`NOMKSTREAM`), which costs nothing.
    async fn add(
        &self,
        key: &str,
        must_exist: bool,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
    ) -> Result<(), AppendError> {
        let cap = match keep_from {
            None => XCap::from(None),
            Some(from) => {
                let cap = XCap::try_from(("MINID", "=", from.to_string()));
                cap.map_err(|error| Unavailable(error.to_string()))?
            }
        };
        let id = at.to_string();
        let named = id.as_str();
        let added: Option<String> =
            self.run(key, |client| client.xadd(key, must_exist, cap, named, (FIELD, entry))).await?;
        match added {
            // Only this says that it was written, and not just that something was.
            Some(answer) if answer == id => {}
            Some(answer) => {
                self.redis.pinned(key).answers_are_shifted(&answer);
                return Err(Unavailable("the answer to another command".into()).into());
            }
            None => return Err(AppendError::Gone),
        }
        Ok(self.replicated(key).await?)
    }

    /// With [`Durability::WaitReplicas`]: waits until enough replicas have what was written on the journal's connection.
    /// Reads wait too, so that an entry found after an append without an answer is as durable as an acknowledged one.
    pub(crate) async fn replicated(&self, key: &str) -> Result<(), Unavailable> {
        let Durability::WaitReplicas { replicas, timeout_ms } = self.redis.config().durability else {
            return Ok(());
        };
        // WAIT names no key: in a cluster it must be sent to the journal's node.
        let slot = ClusterHash::Custom(ClusterRouting::hash_key(key.as_bytes()));
        let options = Options { cluster_hash: Some(slot), ..Options::default() };
        let ask = |client: &'_ Client| {
            let client = client.with_options(&options);
            async move { client.wait::<u32>(replicas.into(), timeout_ms.into()).await }
        };
        let have = self.run(key, ask).await?;
        if have < replicas {
            return Err(Unavailable(format!("{have} of {replicas} replicas have it")));
        }
        Ok(())
    }
}

/// Redis's refusal of an id that is not after the stream's last one.
fn is_fence(error: &RedisError) -> bool {
    error.details().starts_with("ERR The ID specified in XADD")
}

fn stored(entries: Vec<XReadValue<String, String, Bytes>>) -> Result<Vec<Stored>, Unavailable> {
    let foreign = || Unavailable("the journal holds something that is not ours".into());
    let one = |(id, mut fields): XReadValue<String, String, Bytes>| {
        let (epoch, seq) = id.split_once('-')?;
        let at = Position::new(epoch.parse().ok()?, seq.parse().ok()?);
        Some(Stored { at, bytes: fields.remove(FIELD)? })
    };
    entries.into_iter().map(|entry| one(entry).ok_or_else(foreign)).collect()
}

impl Store for RedisStore {
    fn append(
        &self,
        room: &RoomId,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
    ) -> BoxFuture<'_, Result<(), AppendError>> {
        let key = journal_key(room);
        Box::pin(async move { self.add(&key, false, at, entry, keep_from).await })
    }

    fn extend(
        &self,
        room: &RoomId,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
    ) -> BoxFuture<'_, Result<(), AppendError>> {
        let key = journal_key(room);
        Box::pin(async move { self.add(&key, true, at, entry, keep_from).await })
    }

    fn read(
        &self,
        room: &RoomId,
        after: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Stored>, Unavailable>> {
        let key = journal_key(room);
        Box::pin(async move {
            let start = after.map_or_else(|| "-".to_owned(), |after| format!("({after}"));
            let count = u64::try_from(limit).unwrap_or(u64::MAX);
            let entries =
                self.run(&key, |client| client.xrange_values(&key, start, "+", Some(count))).await?;
            self.replicated(&key).await?;
            stored(entries)
        })
    }

    fn read_back(
        &self,
        room: &RoomId,
        before: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Stored>, Unavailable>> {
        let key = journal_key(room);
        Box::pin(async move {
            let start = before.map_or_else(|| "+".to_owned(), |before| format!("({before}"));
            let count = u64::try_from(limit).unwrap_or(u64::MAX);
            let entries =
                self.run(&key, |client| client.xrevrange_values(&key, start, "-", Some(count))).await?;
            self.replicated(&key).await?;
            stored(entries)
        })
    }

    fn last(&self, room: &RoomId) -> BoxFuture<'_, Result<Option<Stored>, Unavailable>> {
        let key = journal_key(room);
        Box::pin(async move {
            let entries = self.run(&key, |client| client.xrevrange_values(&key, "+", "-", Some(1))).await?;
            self.replicated(&key).await?;
            Ok(stored(entries)?.pop())
        })
    }

    fn expire(&self, room: &RoomId, seconds: u64) -> BoxFuture<'_, Result<(), Unavailable>> {
        let key = journal_key(room);
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        Box::pin(async move {
            let set = |client: &'_ Client| {
                let (client, key) = (client.clone(), key.clone());
                async move { client.expire::<(), _>(key, seconds, None).await }
            };
            Ok(self.run(&key, set).await?)
        })
    }

    fn map_all(&self, map: &str) -> BoxFuture<'_, Result<Vec<(String, Bytes)>, Unavailable>> {
        let map = map.to_owned();
        Box::pin(async move {
            let all: HashMap<String, Bytes> = self.run(&map, |client| client.hgetall(map.as_str())).await?;
            let mut all: Vec<_> = all.into_iter().collect();
            // In the order of the memory adapter.
            all.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            Ok(all)
        })
    }

    fn map_fields(&self, map: &str) -> BoxFuture<'_, Result<Vec<String>, Unavailable>> {
        let map = map.to_owned();
        Box::pin(async move {
            let mut fields: Vec<String> = self.run(&map, |client| client.hkeys(map.as_str())).await?;
            fields.sort_unstable();
            Ok(fields)
        })
    }

    fn map_get(&self, map: &str, field: &str) -> BoxFuture<'_, Result<Option<Bytes>, Unavailable>> {
        let (map, field) = (map.to_owned(), field.to_owned());
        Box::pin(async move { Ok(self.run(&map, |client| client.hget(map.as_str(), field)).await?) })
    }

    fn map_set(&self, map: &str, field: &str, value: Bytes) -> BoxFuture<'_, Result<(), Unavailable>> {
        let (map, field) = (map.to_owned(), field.to_owned());
        Box::pin(async move {
            let set = |client: &'_ Client| {
                let (client, map) = (client.clone(), map.clone());
                async move { client.hset::<(), _, _>(map, (field, value)).await }
            };
            Ok(self.run(&map, set).await?)
        })
    }

    fn map_set_new(&self, map: &str, field: &str, value: Bytes) -> BoxFuture<'_, Result<bool, Unavailable>> {
        let (map, field) = (map.to_owned(), field.to_owned());
        Box::pin(async move { Ok(self.run(&map, |client| client.hsetnx(map.as_str(), field, value)).await?) })
    }

    fn map_remove(&self, map: &str, field: &str) -> BoxFuture<'_, Result<(), Unavailable>> {
        let (map, field) = (map.to_owned(), field.to_owned());
        Box::pin(async move {
            let remove = |client: &'_ Client| {
                let (client, map) = (client.clone(), map.clone());
                async move { client.hdel::<(), _, _>(map, field).await }
            };
            Ok(self.run(&map, remove).await?)
        })
    }

    fn probe_writing(&self) -> BoxFuture<'_, Result<(), AppendError>> {
        Box::pin(async move {
            for key in self.redis.probe_keys() {
                let key = key.as_str();
                let newest_alone = XCap::try_from(("MAXLEN", "=", 1));
                let newest_alone = newest_alone.map_err(|error| Unavailable(error.to_string()))?;
                let added =
                    self.run(key, |client| client.xadd(key, false, newest_alone, "*", (FIELD, Bytes::new())));
                let _: String = added.await?;
                self.replicated(key).await?;
            }
            Ok(())
        })
    }

    fn probe_reading(&self) -> BoxFuture<'_, Result<(), Unavailable>> {
        Box::pin(async move {
            for key in self.redis.probe_keys() {
                let key = key.as_str();
                let read = self.run(key, |client| client.xrange_values(key, "-", "+", Some(1)));
                let _: Vec<XReadValue<String, String, Bytes>> = read.await?;
            }
            Ok(())
        })
    }

    fn generation(&self) -> u64 {
        self.redis.generation()
    }
}
