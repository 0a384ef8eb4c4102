//! The one clock of a process: wall time in milliseconds that never runs backwards.

use std::time::{SystemTime, UNIX_EPOCH};

use protocol::time::UnixMs;
use tokio::time::{Duration, Instant};

/// Wall time read once at start, moved on by tokio's monotonic clock.
///
/// Deadlines of a room are kept as [`UnixMs`], so that another worker can take them over; and since the clock
/// runs on tokio's time, a simulation under a paused runtime moves it too.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin_ms: UnixMs,
    origin: Instant,
}

impl Clock {
    /// A clock that shows the machine's time now.
    pub fn system() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::starting_at(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
    }

    /// A clock that shows `origin_ms` now; for simulations.
    pub fn starting_at(origin_ms: UnixMs) -> Self {
        Self { origin_ms, origin: Instant::now() }
    }

    /// The time now.
    pub fn now_ms(&self) -> UnixMs {
        self.origin_ms + u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The instant at which this clock shows `at_ms`; now or earlier times answer an instant that has passed.
    pub fn instant(&self, at_ms: UnixMs) -> Instant {
        self.origin + Duration::from_millis(at_ms.saturating_sub(self.origin_ms))
    }
}
