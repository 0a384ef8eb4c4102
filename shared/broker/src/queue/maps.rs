//! In one process: a queue is two maps of a [`Store`], and its dead a third one. So it is as durable as they are, in memory as in a folder, and meets
//! the same faults on the wire.
//!
//! A message is a field of the first map, by a name that grows. Its n-th delivery is a field `name#n` of the second one, which only one can
//! set: who sets it has the message.
//!
//! To take something is to go through the names of all that waits, in memory: meant for thousands.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all, try_join_all};
use parking_lot::Mutex;
use protocol::{id::NodeId, time::UnixMs};
use tokio::time::{Duration, Instant, sleep};

use super::{DELIVERIES_MAX, Delivery, LOOK_EVERY, Lag, MessageId, Queue, told_dead};
use crate::{
    channel::{dead_key, queue_key, taken_key},
    clock::Clock,
    store::{Store, Unavailable},
};

/// A node's handle to the queues in a store.
pub struct MapsQueue {
    store: Arc<dyn Store>,
    clock: Clock,
    node: NodeId,
    /// When the last message was pushed here, and how many before it in that millisecond.
    last: Mutex<(UnixMs, u32)>,
}

/// The last delivery of a message: which, and since when.
type Last = (u32, UnixMs);

impl MapsQueue {
    /// The handle of a node, by whose name its messages differ from those of others.
    pub fn new(store: Arc<dyn Store>, clock: Clock, node: NodeId) -> Self {
        Self { store, clock, node, last: Mutex::default() }
    }

    fn next_name(&self) -> String {
        let mut last = self.last.lock();
        let now = self.clock.now_ms();
        *last = if now > last.0 { (now, 0) } else { (last.0, last.1 + 1) };
        format!("{:016}-{:08}-{}", last.0, last.1, self.node)
    }

    /// Of each message that was taken and is there.
    async fn taken(&self, queue: &str, there: &[String]) -> Result<BTreeMap<String, Last>, Unavailable> {
        let mut taken: BTreeMap<String, Last> = BTreeMap::new();
        let (mut left_over, map) = (Vec::new(), taken_key(queue));
        for (field, since) in self.store.map_all(&map).await? {
            let foreign = || Unavailable("the map of what is taken holds something that is not ours".into());
            let (name, n) = field.rsplit_once('#').ok_or_else(foreign)?;
            if there.binary_search_by(|there| there.as_str().cmp(name)).is_err() {
                left_over.push(field);
                continue;
            }
            let n: u32 = n.parse().map_err(|_| foreign())?;
            let since: [u8; 8] = since.as_ref().try_into().map_err(|_| foreign())?;
            let last = taken.entry(name.to_owned()).or_default();
            *last = (*last).max((n, UnixMs::from_le_bytes(since)));
        }
        // Of messages that are done: whoever did them did not get so far.
        try_join_all(left_over.iter().map(|field| self.store.map_remove(&map, field))).await?;
        Ok(taken)
    }

    /// Has the n-th delivery of a message, unless somebody else has it.
    async fn claim(&self, queue: &str, name: String, n: u32) -> Result<Option<Delivery>, Unavailable> {
        let since = Bytes::copy_from_slice(&self.clock.now_ms().to_le_bytes());
        if !self.store.map_set_new(&taken_key(queue), &format!("{name}#{n}"), since).await? {
            return Ok(None);
        }
        let message = self.store.map_get(&queue_key(queue), &name).await?;
        Ok(message.map(|message| Delivery { id: MessageId(name), message, deliveries: n }))
    }

    /// As many of these as can be had. It is an error only if it is one for all: what is taken with the others is not lost.
    async fn claim_all(&self, queue: &str, of: Vec<(String, u32)>) -> Result<Vec<Delivery>, Unavailable> {
        let (mut had, mut failed) = (Vec::new(), None);
        for claimed in join_all(of.into_iter().map(|(name, n)| self.claim(queue, name, n))).await {
            match claimed {
                Ok(delivery) => had.extend(delivery),
                Err(error) => failed = Some(error),
            }
        }
        failed.filter(|_| had.is_empty()).map_or(Ok(had), Err)
    }

    async fn forget(&self, queue: &str, name: &str) -> Result<(), Unavailable> {
        // In this order: what is left over then belongs to nothing.
        self.store.map_remove(&queue_key(queue), name).await?;
        let taken = taken_key(queue);
        let fields = (1..=DELIVERIES_MAX).map(|n| format!("{name}#{n}"));
        let fields: Vec<String> = fields.collect();
        try_join_all(fields.iter().map(|field| self.store.map_remove(&taken, field))).await.map(drop)
    }

    async fn bury(&self, queue: &str, name: String) -> Result<(), Unavailable> {
        if let Some(message) = self.store.map_get(&queue_key(queue), &name).await? {
            self.store.map_set(&dead_key(queue), &name, message).await?;
            self.forget(queue, &name).await?;
            told_dead(queue, &MessageId(name));
        }
        Ok(())
    }
}

impl Queue for MapsQueue {
    fn push(&self, queue: &str, message: Bytes) -> BoxFuture<'_, Result<(), Unavailable>> {
        let map = queue_key(queue);
        Box::pin(async move {
            // A name that is taken is of a house before, whose clock was ahead.
            while !self.store.map_set_new(&map, &self.next_name(), message.clone()).await? {}
            Ok(())
        })
    }

    fn take(
        &self,
        queue: &str,
        _taker: &str,
        most: usize,
        wait: Duration,
    ) -> BoxFuture<'_, Result<Vec<Delivery>, Unavailable>> {
        let (queue, until) = (queue.to_owned(), Instant::now() + wait);
        Box::pin(async move {
            loop {
                let there = self.store.map_fields(&queue_key(&queue)).await?;
                let taken = self.taken(&queue, &there).await?;
                let new = there.into_iter().filter(|name| !taken.contains_key(name)).take(most);
                let had = self.claim_all(&queue, new.map(|name| (name, 1)).collect()).await?;
                if !had.is_empty() || Instant::now() >= until {
                    return Ok(had);
                }
                sleep(LOOK_EVERY).await;
            }
        })
    }

    fn done(&self, queue: &str, ids: &[MessageId]) -> BoxFuture<'_, Result<(), Unavailable>> {
        let (queue, ids) = (queue.to_owned(), ids.to_vec());
        Box::pin(async move {
            try_join_all(ids.iter().map(|MessageId(name)| self.forget(&queue, name))).await.map(drop)
        })
    }

    fn give_back(
        &self,
        queue: &str,
        _taker: &str,
        ids: &[MessageId],
    ) -> BoxFuture<'_, Result<(), Unavailable>> {
        let (queue, ids) = (queue.to_owned(), ids.to_vec());
        Box::pin(async move {
            let there = self.store.map_fields(&queue_key(&queue)).await?;
            let taken = self.taken(&queue, &there).await?;
            let long_ago = Bytes::copy_from_slice(&0_u64.to_le_bytes());
            for MessageId(name) in &ids {
                let Some((n, _)) = taken.get(name) else { continue };
                self.store.map_set(&taken_key(&queue), &format!("{name}#{n}"), long_ago.clone()).await?;
            }
            Ok(())
        })
    }

    fn reclaim(
        &self,
        queue: &str,
        _taker: &str,
        idle: Duration,
        most: usize,
    ) -> BoxFuture<'_, Result<Vec<Delivery>, Unavailable>> {
        let queue = queue.to_owned();
        let idle_ms = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
        Box::pin(async move {
            let there = self.store.map_fields(&queue_key(&queue)).await?;
            let before = self.clock.now_ms().saturating_sub(idle_ms);
            let mut again = Vec::new();
            let taken = self.taken(&queue, &there).await?;
            for (name, (n, _)) in taken.into_iter().filter(|(_, (_, since))| *since <= before).take(most) {
                if n >= DELIVERIES_MAX {
                    self.bury(&queue, name).await?;
                } else {
                    again.push((name, n + 1));
                }
            }
            self.claim_all(&queue, again).await
        })
    }

    fn lag(&self, queue: &str) -> BoxFuture<'_, Result<Lag, Unavailable>> {
        let queue = queue.to_owned();
        Box::pin(async move {
            let there = self.store.map_fields(&queue_key(&queue)).await?;
            let taken = self.taken(&queue, &there).await?.len() as u64;
            let dead = self.store.map_fields(&dead_key(&queue)).await?.len() as u64;
            Ok(Lag { waiting: (there.len() as u64).saturating_sub(taken), taken, dead })
        })
    }

    fn dead(&self, queue: &str) -> BoxFuture<'_, Result<Vec<Bytes>, Unavailable>> {
        let map = dead_key(queue);
        Box::pin(async move {
            Ok(self.store.map_all(&map).await?.into_iter().map(|(_, message)| message).collect())
        })
    }
}
