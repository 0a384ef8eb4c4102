//! What a relay says to rooms and nodes: one bounded queue, from which a task publishes without waiting in between.

use bytes::Bytes;
use futures_util::{StreamExt, stream::FuturesUnordered};
use shared::{bus::Bus, channel::Channel};
use tokio::sync::mpsc;

use crate::{metrics::Metrics, works::Works};

/// A message on its way to the bus.
pub(crate) struct Publication {
    channel: Channel,
    payload: Bytes,
}

/// The sending end. Whoever publishes repeats what must arrive, so a full queue drops.
pub(crate) struct Outgoing {
    queue: mpsc::Sender<Publication>,
}

/// The end that [`publish`] takes from.
pub(crate) type Waiting = mpsc::Receiver<Publication>;

impl Outgoing {
    /// A queue of at most `publishes_max` messages.
    pub(crate) fn new(publishes_max: usize) -> (Self, Waiting) {
        let (queue, waiting) = mpsc::channel(publishes_max);
        (Self { queue }, waiting)
    }

    /// Queues a message; whether it found room.
    pub(crate) fn publish(&self, channel: &Channel, payload: Bytes, metrics: &Metrics) -> bool {
        let queued = self.queue.try_send(Publication { channel: channel.clone(), payload }).is_ok();
        if !queued {
            metrics.publishes_failed.increment(1);
        }
        queued
    }
}

/// Publishes what is queued. Publications are begun in order and, where the broker answers them, wait together, at most as
/// many as the queue holds.
pub(crate) async fn publish(mut waiting: Waiting, bus: &dyn Bus, works: &Works) {
    let metrics = &works.metrics;
    let bound = waiting.max_capacity();
    let mut begun = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            Some(result) = begun.next() => if let Err(error) = result {
                metrics.publishes_failed.increment(1);
                tracing::debug!(error, "a message to a room was not published");
            },
            next = waiting.recv(), if begun.len() < bound => match next {
                Some(Publication { channel, payload }) => {
                    begun.push(async move { works.answer(bus.publish(&channel, payload)).await });
                }
                None => return,
            },
        }
        metrics.publishes_waiting.set((waiting.len() + begun.len()) as f64);
    }
}
