//! What a relay says to rooms and nodes. Where the bus decides at once, that is all; what it answers later is waited for in
//! one bounded queue.

use std::{fmt::Display, sync::Arc};

use broker::{
    bus::{Bus, Publishing, Undecided},
    channel::Channel,
};
use bytes::Bytes;
use futures_util::{StreamExt, future::Either, stream::FuturesUnordered};
use tokio::sync::mpsc;

use crate::{metrics::Metrics, works::Works};

/// The sending end. Whoever publishes repeats what must arrive, so a full queue drops.
pub(crate) struct Outgoing {
    bus: Arc<dyn Bus>,
    undecided: mpsc::Sender<Undecided>,
}

/// The end that [`publish`] takes from.
pub(crate) type Waiting = mpsc::Receiver<Undecided>;

impl Outgoing {
    /// To this bus; at most `publishes_max` publications wait for it.
    pub(crate) fn new(bus: Arc<dyn Bus>, publishes_max: usize) -> (Self, Waiting) {
        let (undecided, waiting) = mpsc::channel(publishes_max);
        (Self { bus, undecided }, waiting)
    }

    /// Publishes a message; whether it was taken.
    pub(crate) fn publish(&self, channel: &Channel, payload: Bytes, metrics: &Metrics) -> bool {
        self.take(self.bus.publish(channel, payload), metrics)
    }

    /// The same for what was never said before, by the [shortest way](Bus::publish_near).
    pub(crate) fn publish_near(&self, channel: &Channel, payload: Bytes, metrics: &Metrics) -> bool {
        self.take(self.bus.publish_near(channel, payload), metrics)
    }

    fn take(&self, publishing: Publishing, metrics: &Metrics) -> bool {
        let taken = match publishing {
            Either::Left(decided) => decided.into_inner().map_err(|error| error.to_string()),
            Either::Right(undecided) => self.undecided.try_send(undecided).map_err(|error| error.to_string()),
        };
        if let Err(error) = &taken {
            failed(metrics, error);
        }
        taken.is_ok()
    }
}

/// Publishes what is queued. Publications are begun in order and, where the broker answers them, wait together, at most as
/// many as the queue holds.
pub(crate) async fn publish(mut waiting: Waiting, works: &Works) {
    let metrics = &works.metrics;
    let bound = waiting.max_capacity();
    let mut begun = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            Some(result) = begun.next() => if let Err(error) = result {
                failed(metrics, &error);
            },
            next = waiting.recv(), if begun.len() < bound => match next {
                Some(undecided) => begun.push(works.answer(undecided)),
                None => return,
            },
        }
        metrics.publishes_waiting.set((waiting.len() + begun.len()) as f64);
    }
}

fn failed(metrics: &Metrics, error: &dyn Display) {
    metrics.publishes_failed.increment(1);
    tracing::debug!(%error, "a message to a room was not published");
}
