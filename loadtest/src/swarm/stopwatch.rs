//! From an action's sending to its frame's arrival at each player of the table.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use protocol::id::RoomId;
use tokio::time::Instant;

/// How many actions a table remembers: a player whose frame comes after so many later actions is not measured.
const REMEMBERED: usize = 16;

/// One table's clock. All bots of a table run in one process, so one clock serves the sender and the receivers.
#[derive(Debug, Default)]
pub struct Stopwatch {
    sent: Mutex<[Option<Sent>; REMEMBERED]>,
    last_hand: AtomicU64,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    hand: u64,
    turn: u64,
    at: Instant,
}

impl Stopwatch {
    /// An action for this turn is on its way.
    pub fn sent(&self, hand: u64, turn: u64, at: Instant) {
        let mut sent = self.sent.lock();
        sent.rotate_right(1);
        sent[0] = Some(Sent { hand, turn, at });
    }

    /// When the action of this turn was sent, if a bot of this process did.
    pub fn sent_at(&self, hand: u64, turn: u64) -> Option<Instant> {
        let sent = self.sent.lock();
        sent.iter().flatten().find(|sent| (sent.hand, sent.turn) == (hand, turn)).map(|sent| sent.at)
    }

    /// A hand's end was seen; whether this was the first to see it.
    pub fn hand_ended(&self, hand: u64) -> bool {
        self.last_hand.fetch_max(hand, Relaxed) < hand
    }
}

/// The clocks of all tables.
#[derive(Debug, Clone)]
pub struct Stopwatches(Arc<HashMap<RoomId, Stopwatch>>);

impl Stopwatches {
    /// One for each table.
    pub fn new<'a>(tables: impl IntoIterator<Item = &'a RoomId>) -> Self {
        let watches = tables.into_iter().map(|room| (room.clone(), Stopwatch::default()));
        Self(Arc::new(watches.collect()))
    }

    /// A table's.
    pub fn of(&self, room: &RoomId) -> Option<&Stopwatch> {
        self.0.get(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_last_actions_of_a_table_are_remembered() {
        let watch = Stopwatch::default();
        let start = Instant::now();
        for turn in 1..=REMEMBERED as u64 + 1 {
            watch.sent(1, turn, start);
        }
        assert_eq!(watch.sent_at(1, 1), None, "long ago");
        assert_eq!(watch.sent_at(1, 2), Some(start));
        assert_eq!(watch.sent_at(2, 2), None, "another hand");
    }

    #[test]
    fn a_hand_is_counted_once_however_many_saw_it() {
        let watch = Stopwatch::default();
        assert!(watch.hand_ended(4));
        assert!(!watch.hand_ended(4));
        assert!(!watch.hand_ended(3));
        assert!(watch.hand_ended(5));
    }
}
