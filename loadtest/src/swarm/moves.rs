//! How long it takes players of a tournament to come from one table to the next: from the frame that takes each from the one until he sees himself at the other.

use std::sync::Arc;

use parking_lot::Mutex;
use player::{Contestant, Heard, Mind as _, connect::Happening};
use protocol::table::TableEvent;
use tokio::time::Instant;

/// All of them together; copies count together.
#[derive(Debug, Clone, Default)]
pub struct Moves(Arc<Mutex<Vec<u64>>>);

impl Moves {
    /// Times one player.
    pub fn watch(&self) -> impl FnMut(&Contestant, &Happening<'_>, Instant) + Send + use<> {
        let all = self.clone();
        let mut left: Option<Instant> = None;
        move |contestant, what, now| {
            let Happening::Heard(heard) = what else { return };
            let me = contestant.client().user();
            let is_moved =
                |event: &TableEvent| matches!(event, TableEvent::Moved { user, .. } if Some(user) == me);
            if let Heard::Frame { events, .. } = heard
                && events.iter().any(is_moved)
            {
                left = Some(now);
            } else if contestant.seated_at().is_some()
                && let Some(since) = left.take()
            {
                all.0.lock().push(u64::try_from((now - since).as_micros()).unwrap_or(u64::MAX));
            }
        }
    }

    /// What was timed so far, microseconds.
    pub fn take(&self) -> Vec<u64> {
        std::mem::take(&mut self.0.lock())
    }
}
