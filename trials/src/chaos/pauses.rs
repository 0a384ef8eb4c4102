//! What a hand-over costs: the time from "I have let go of this room" to "I own this room now", as any node hears it.

use std::{collections::BTreeMap, sync::Arc};

use broker::{
    bus::{Bus, BusError, Receiver, Subscription},
    channel::Channel,
    node::{NodeNews, decode},
};
use bytes::Bytes;
use parking_lot::Mutex;
use protocol::id::RoomId;
use tokio::time::{Duration, Instant};

/// An offer that nobody took up for so long was not a hand-over.
const TAKEN_UP_WITHIN: Duration = Duration::from_secs(2);

/// Listens to what nodes say of rooms.
pub struct Pauses {
    heard: Arc<Heard>,
    _subscription: Box<dyn Subscription>,
}

#[derive(Default)]
struct Heard {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    offered: BTreeMap<RoomId, Instant>,
    pauses_us: Vec<u64>,
}

impl Pauses {
    /// Begins to listen.
    ///
    /// # Errors
    /// [`BusError`].
    pub async fn listen(bus: &dyn Bus) -> Result<Self, BusError> {
        let heard = Arc::new(Heard::default());
        let subscription = bus.subscriber(heard.clone());
        subscription.subscribe(&Channel::nodes()).await?;
        Ok(Self { heard, _subscription: subscription })
    }

    /// All so far, microseconds.
    pub fn pauses_us(&self) -> Vec<u64> {
        self.heard.inner.lock().pauses_us.clone()
    }
}

impl Receiver for Heard {
    fn deliver(&self, _: &str, payload: Bytes) {
        let now = Instant::now();
        match decode(&payload) {
            Ok(NodeNews::Offer { room, .. }) => {
                self.inner.lock().offered.insert(room, now);
            }
            Ok(NodeNews::Owns { room, .. }) => {
                let inner = &mut *self.inner.lock();
                let since = inner.offered.remove(&room).map(|offered| now - offered);
                if let Some(pause) = since.filter(|pause| *pause < TAKEN_UP_WITHIN) {
                    inner.pauses_us.push(u64::try_from(pause.as_micros()).unwrap_or(u64::MAX));
                }
            }
            _ => {}
        }
    }

    fn missed(&self) {
        self.inner.lock().offered.clear();
    }
}
