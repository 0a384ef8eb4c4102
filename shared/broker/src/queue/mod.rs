//! The `Queue` port: messages that are worked off, each by somebody, whoever dies meanwhile.
//!
//! A message is *pushed*, *taken* by one of those who work, and *done*. What is taken and not done is *reclaimed* by somebody after a while;
//! who cannot do it *gives it back*, and it is reclaimed at once. So each message is delivered once or more: what comes of it must have a name of its own by
//! which doing it twice is doing it once. A message that was delivered [`DELIVERIES_MAX`] times and never done is put aside into the list of
//! the *dead*, and an operator is told: one that nobody can do holds up nothing.
//!
//! Messages are delivered in the order in which they were pushed, but for those that come again. What was pushed is as durable as the
//! [store](crate::store)'s appends.
//!
//! Adapters: [`maps`] on the maps of a store in the same process, in memory or in a folder; [`redis`], a stream with a group of consumers.

pub mod maps;
pub mod redis;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::time::Duration;

use crate::store::Unavailable;

/// So often a message is delivered before it is dead.
pub const DELIVERIES_MAX: u32 = 5;

/// Between two looks whether something has come.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How a message is called, by the adapter that has delivered it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub(crate) String);

#[cfg(feature = "testing")]
impl MessageId {
    /// A name by a number, of a queue that a test makes.
    pub fn of(number: u64) -> Self {
        Self(number.to_string())
    }
}

/// A message that is one's own to do, for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its name.
    pub id: MessageId,
    /// What it says.
    pub message: Bytes,
    /// How often it was delivered, this time included.
    pub deliveries: u32,
}

/// How much there is in a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lag {
    /// Taken by nobody.
    pub waiting: u64,
    /// Taken and not done.
    pub taken: u64,
    /// Put aside.
    pub dead: u64,
}

/// Queues, each by its name: a plain word.
pub trait Queue: Send + Sync + 'static {
    /// Puts a message at the end. Returns when it is durable as configured.
    ///
    /// # Errors
    /// [`Unavailable`]: whether it was put there is not known. Whoever pushes it again may have pushed it twice.
    fn push(&self, queue: &str, message: Bytes) -> BoxFuture<'_, Result<(), Unavailable>>;

    /// Takes up to `most` messages that were taken by nobody. While there are none it waits, for so long at most. `taker` is a name that nobody
    /// else has.
    ///
    /// # Errors
    /// [`Unavailable`]: what may have been taken is reclaimed.
    fn take(
        &self,
        queue: &str,
        taker: &str,
        most: usize,
        wait: Duration,
    ) -> BoxFuture<'_, Result<Vec<Delivery>, Unavailable>>;

    /// These are done, and gone. Nothing happens to those that are already.
    ///
    /// # Errors
    /// [`Unavailable`]: to be said again, or else they are delivered again.
    fn done(&self, queue: &str, ids: &[MessageId]) -> BoxFuture<'_, Result<(), Unavailable>>;

    /// These cannot be done now: they are there to be reclaimed.
    ///
    /// # Errors
    /// [`Unavailable`]: then they are later.
    fn give_back(
        &self,
        queue: &str,
        taker: &str,
        ids: &[MessageId],
    ) -> BoxFuture<'_, Result<(), Unavailable>>;

    /// Takes up to `most` messages that somebody has taken for `idle` and not done, and those that were given back. Such as were delivered
    /// [`DELIVERIES_MAX`] times are dead instead.
    ///
    /// # Errors
    /// [`Unavailable`].
    fn reclaim(
        &self,
        queue: &str,
        taker: &str,
        idle: Duration,
        most: usize,
    ) -> BoxFuture<'_, Result<Vec<Delivery>, Unavailable>>;

    /// How much there is.
    ///
    /// # Errors
    /// [`Unavailable`].
    fn lag(&self, queue: &str) -> BoxFuture<'_, Result<Lag, Unavailable>>;

    /// All that are dead, in the order in which they were pushed.
    ///
    /// # Errors
    /// [`Unavailable`].
    fn dead(&self, queue: &str) -> BoxFuture<'_, Result<Vec<Bytes>, Unavailable>>;
}

/// A message is dead.
fn told_dead(queue: &str, id: &MessageId) {
    metrics::counter!("cardhouse_queue_dead_total").increment(1);
    tracing::error!(
        queue,
        message = id.0,
        deliveries = DELIVERIES_MAX,
        "nobody can do a message: it is put aside"
    );
}
