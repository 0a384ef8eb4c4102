//! What bots count while they play.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use hdrhistogram::Histogram;
use parking_lot::Mutex;
use player::{Bot, Heard, connect::Happening, incoming::Refusal};
use protocol::{RefusalCode, table::TableEvent};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::stopwatch::Stopwatches;

/// The longest latency told apart from longer ones, microseconds.
const LATENCY_US_MAX: u64 = 60_000_000;

/// Bots share a few histograms, so that they seldom wait for each other.
const HISTOGRAMS: usize = 16;

/// Counts of all bots of a process. Everything but `online` counts only while the tally is open.
#[derive(Debug)]
pub struct Tally {
    open: AtomicBool,
    stopwatches: Stopwatches,
    online: AtomicU64,
    reconnects: AtomicU64,
    hands: AtomicU64,
    actions: AtomicU64,
    deliveries: AtomicU64,
    latency_us: Vec<Mutex<Histogram<u64>>>,
    refused: Mutex<BTreeMap<RefusalCode, u64>>,
}

/// How far a swarm is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Bots with a connection that was welcomed.
    pub online: u64,
    /// Connections after a bot's first.
    pub reconnects: u64,
    /// Hands ended.
    pub hands: u64,
    /// Actions applied.
    pub actions: u64,
    /// Frames and keyframes that bots got.
    pub deliveries: u64,
    /// Latency so far, microseconds.
    pub p50_us: u64,
    /// Latency so far, microseconds.
    pub p99_us: u64,
}

/// A histogram of microseconds with three digits.
pub fn new_histogram() -> Histogram<u64> {
    Histogram::new_with_max(LATENCY_US_MAX, 3).expect("one to a minute, three digits")
}

impl Tally {
    /// All zero, closed.
    pub fn new(stopwatches: Stopwatches) -> Self {
        Self {
            open: AtomicBool::new(false),
            stopwatches,
            online: AtomicU64::new(0),
            reconnects: AtomicU64::new(0),
            hands: AtomicU64::new(0),
            actions: AtomicU64::new(0),
            deliveries: AtomicU64::new(0),
            latency_us: (0..HISTOGRAMS).map(|_| Mutex::new(new_histogram())).collect(),
            refused: Mutex::default(),
        }
    }

    /// Begins to count.
    pub fn open(&self) {
        self.open.store(true, Relaxed);
    }

    /// Ends it.
    pub fn close(&self) {
        self.open.store(false, Relaxed);
    }

    /// Bots online now.
    pub fn online(&self) -> u64 {
        self.online.load(Relaxed)
    }

    /// The counts so far.
    pub fn progress(&self) -> Progress {
        let latency = self.latency_us();
        Progress {
            online: self.online(),
            reconnects: self.reconnects.load(Relaxed),
            hands: self.hands.load(Relaxed),
            actions: self.actions.load(Relaxed),
            deliveries: self.deliveries.load(Relaxed),
            p50_us: latency.value_at_quantile(0.5),
            p99_us: latency.value_at_quantile(0.99),
        }
    }

    /// All latencies so far, microseconds.
    pub fn latency_us(&self) -> Histogram<u64> {
        let mut all = new_histogram();
        for part in &self.latency_us {
            all.add(&*part.lock()).expect("all have the same bounds");
        }
        all
    }

    /// Refusals by code.
    pub fn refused(&self) -> BTreeMap<RefusalCode, u64> {
        self.refused.lock().clone()
    }

    /// What bot number `i` of the crowd tells.
    pub fn count(&self, i: usize, life: &mut Life, bot: &Bot, what: Happening<'_>, at: Instant) {
        match what {
            Happening::Online if !life.online => {
                life.online = true;
                self.online.fetch_add(1, Relaxed);
                self.reconnects.fetch_add(u64::from(life.was_online), Relaxed);
                life.was_online = true;
            }
            Happening::Offline if life.online => {
                life.online = false;
                self.online.fetch_sub(1, Relaxed);
            }
            Happening::Acting(acting) => {
                if let Some(watch) = self.stopwatches.of(&acting.room) {
                    watch.sent(acting.hand, acting.turn, at);
                }
            }
            Happening::Heard(heard) => self.heard(i, bot, heard, at),
            Happening::Online | Happening::Offline | Happening::Unreachable(_) => {}
        }
    }

    fn heard(&self, i: usize, bot: &Bot, heard: &Heard, at: Instant) {
        // Hands that end outside are marked, so that they do not count later.
        let open = self.open.load(Relaxed);
        match heard {
            Heard::Frame { room, events, turn, .. } => {
                self.deliveries.fetch_add(u64::from(open), Relaxed);
                let Some(watch) = self.stopwatches.of(room) else { return };
                for event in events {
                    match (event, turn) {
                        (TableEvent::Acted(acted), Some((hand, turn))) if open && !acted.timeout => {
                            let sent = watch.sent_at(*hand, *turn).filter(|_| bot.seated_at() == Some(room));
                            let Some(sent) = sent else { continue };
                            let us =
                                u64::try_from(at.duration_since(sent).as_micros()).unwrap_or(LATENCY_US_MAX);
                            self.latency_us[i % HISTOGRAMS].lock().saturating_record(us);
                        }
                        (TableEvent::HandEnded { hand, .. }, _) => {
                            let first = watch.hand_ended(*hand);
                            self.hands.fetch_add(u64::from(open && first), Relaxed);
                        }
                        _ => {}
                    }
                }
            }
            Heard::Keyframe { .. } if open => {
                self.deliveries.fetch_add(1, Relaxed);
            }
            Heard::Acked { acted: true, .. } if open => {
                self.actions.fetch_add(1, Relaxed);
            }
            Heard::Refused(Refusal { code: Some(code), .. }) if open => {
                *self.refused.lock().entry(*code).or_default() += 1;
            }
            _ => {}
        }
    }
}

/// What the tally remembers of one bot.
#[derive(Debug, Default)]
pub struct Life {
    online: bool,
    was_online: bool,
}
