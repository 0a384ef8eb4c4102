//! A guest without a seat that asks one table for something as fast as it is answered, as short or as long as a message may be. Many
//! of them ask for more than a table can do; whoever sits there must not feel it.

use player::visitor::{Own, Visitor};
use protocol::{id::RoomId, table::TableCommand};
use rand::RngExt;
use serde_json::{json, value::RawValue};
use tokio::time::{Duration, Instant};

/// The longest pause between an answer and the next command, milliseconds.
const PAUSE_MAX_MS: u64 = 50;

/// A long message has so many bytes: it is no command, but that is seen only when it is heard.
const LONG_BYTES: usize = 6 * 1_024;

/// See the module.
pub(crate) struct Flooder {
    own: Own,
    room: RoomId,
    /// Most of what it says is long.
    is_long_winded: bool,
    /// It says nothing after.
    ends: Instant,
    said: u64,
}

impl Flooder {
    /// It begins and ends at these times, and says nothing before and after.
    pub(crate) fn new(
        room: RoomId,
        is_long_winded: bool,
        seed: u64,
        token: String,
        (begins, ends): (Instant, Instant),
    ) -> Self {
        Self { own: Own::new(seed, token, begins), room, is_long_winded, ends, said: 0 }
    }

    fn says(&mut self, now: Instant) {
        self.said += 1;
        let text = format!("line {}", self.said);
        let what = match self.own.rng.random_range(0..10) {
            0..6 if self.is_long_winded => json!({"a": "chat", "text": "x".repeat(LONG_BYTES)}),
            0..8 => json!(TableCommand::Chat { text }),
            8 => json!(TableCommand::Sit { seat: Some(99), buy_in: 200, wait_for_big_blind: false }),
            _ => json!(TableCommand::Leave),
        };
        let what = RawValue::from_string(what.to_string()).expect("JSON");
        self.own.client.raw_command(&self.room, what, now);
    }
}

impl Visitor for Flooder {
    fn own(&self) -> &Own {
        &self.own
    }

    fn own_mut(&mut self) -> &mut Own {
        &mut self.own
    }

    fn act(&mut self, now: Instant) {
        if self.own.stopping || now >= self.ends {
            self.own.rests_until = now + Duration::from_secs(60);
            return;
        }
        self.own.rests_until = now + Duration::from_millis(self.own.rng.random_range(0..=PAUSE_MAX_MS));
        self.says(now);
    }
}
