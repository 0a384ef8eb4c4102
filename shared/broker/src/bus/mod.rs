//! The `Bus` port: publish and subscribe between nodes. It may drop, repeat or delay anything; what must arrive
//! is numbered (frames) or retried (commands).
//!
//! Adapters: [`memory`] inside one process (with injected faults for the simulator), [`redis`] between processes, and [`near`], which goes
//! within the process first and by another adapter where that is needed.

pub mod memory;
pub mod near;
pub mod redis;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{BoxFuture, Either, Ready};

use crate::channel::Channel;

/// Why a publication or subscription did not happen. Each may be tried again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The broker cannot be reached, or did not answer in time: whether it happened is not known.
    #[error("the bus is out of reach: {0}")]
    Unavailable(String),
    /// More is in flight than the adapter's bound allows; nothing was sent.
    #[error("the bus is full")]
    Full,
}

/// A publication under way. Where the broker does not answer it is decided when it is made, and nothing is allocated for it.
pub type Publishing = Either<Ready<Result<(), BusError>>, Undecided>;

/// A publication that waits for the broker's answer; begun when it is first polled.
pub type Undecided = BoxFuture<'static, Result<(), BusError>>;

/// What stands between nodes.
pub trait Bus: Send + Sync + 'static {
    /// Sends `payload` to all who subscribe to `channel` now. That it is sent does not say that anybody hears it: there may be
    /// nobody, and the broker may go away with it. Publications of one task to one channel keep their order. It may be sent before
    /// the answer is waited for.
    fn publish(&self, channel: &Channel, payload: Bytes) -> Publishing;

    /// Sends `payload` by the shortest way to whoever it is for: what is said to a room or a relay of this process goes nowhere else, nor do frames
    /// that nobody elsewhere listens to. That is a belief, and may be wrong as any publication may be lost: so whatever is
    /// said again is [published](Self::publish), which nobody's belief keeps from anyone. An adapter without a shorter way publishes.
    fn publish_near(&self, channel: &Channel, payload: Bytes) -> Publishing {
        self.publish(channel, payload)
    }

    /// Whether frames that are [published near](Self::publish_near) reach only those relays elsewhere that say that they listen. Said to all with
    /// every beat, so that they do.
    fn spares(&self) -> bool {
        false
    }

    /// Waits, for a bounded time, until what was published before reaches the broker even if this process ends.
    fn flush(&self) -> BoxFuture<'_, ()>;

    /// A new subscriber without channels, whose messages go to `receiver`, each channel's in order.
    /// Its connection ends when the returned subscription is dropped.
    fn subscriber(&self, receiver: Arc<dyn Receiver>) -> Box<dyn Subscription>;
}

/// The channels of one subscriber. Dropping it unsubscribes from all and ends its delivery.
pub trait Subscription: Send + Sync {
    /// Subscribes, and returns once the broker has said so: what is published after that is delivered (or reported
    /// as missed). Subscribing twice is the same as once.
    fn subscribe(&self, channel: &Channel) -> BoxFuture<'_, Result<(), BusError>>;

    /// Unsubscribes. A message that was on its way may still be delivered.
    fn unsubscribe(&self, channel: &Channel) -> BoxFuture<'_, Result<(), BusError>>;
}

/// Where a subscriber's messages go. Called from the adapter's own task, one call at a time per connection: it must
/// not block, and what takes long belongs into a queue.
pub trait Receiver: Send + Sync {
    /// A message of `channel`.
    fn deliver(&self, channel: &str, payload: Bytes);

    /// Messages may have been missed on any channel (connection lost and back, or a full buffer). Called after the
    /// subscriptions stand again, so whoever reads the journal now misses nothing.
    fn missed(&self);
}
