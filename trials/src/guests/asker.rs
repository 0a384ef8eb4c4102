//! A guest that only asks: everything of everybody at any time, garbage too, and faster than it may.

use std::sync::Arc;

use player::visitor::{Own, Visitor};
use protocol::id::RoomId;
use rand::{RngExt, seq::IndexedRandom};
use serde_json::{json, value::RawValue};
use tokio::time::{Duration, Instant};

/// The longest pause between two questions, milliseconds.
const PAUSE_MAX_MS: u64 = 600;

/// So many questions are open at the most.
const OPEN_MAX: usize = 6;

/// See the module.
pub(crate) struct Asker {
    own: Own,
    rooms: Arc<[RoomId]>,
}

impl Asker {
    pub(crate) fn new(rooms: Arc<[RoomId]>, seed: u64, token: String, now: Instant) -> Self {
        Self { own: Own::new(seed, token, now), rooms }
    }

    fn asks(&mut self, now: Instant) {
        let rng = &mut self.own.rng;
        let room = match rng.random_range(0..12) {
            0 => RoomId::new("nowhere").expect("a name"),
            _ => self.rooms.choose(rng).expect("there are rooms").clone(),
        };
        let q = match rng.random_range(0..20) {
            0..6 => json!({"about": "seats"}),
            6..9 => json!({"about": "settings"}),
            9..13 => json!({"about": "total"}),
            13 => json!({"about": "mine"}),
            // Some of these are longer than an answer may be.
            14 => json!({"about": "story", "words": rng.random_range(0..9_000)}),
            15 => json!({"about": "cards"}),
            16 => json!({"about": "seats", "of": "everybody"}),
            17 => json!({"about": "x".repeat(2_000)}),
            18 => json!({"a": "leave"}),
            _ => json!([["seats"], 7]),
        };
        let q = RawValue::from_string(q.to_string()).expect("JSON");
        self.own.client.question(&room, q, now);
    }
}

impl Visitor for Asker {
    const IS_IMPATIENT: bool = true;

    fn own(&self) -> &Own {
        &self.own
    }

    fn own_mut(&mut self) -> &mut Own {
        &mut self.own
    }

    fn act(&mut self, now: Instant) {
        let pause = Duration::from_millis(self.own.rng.random_range(0..=PAUSE_MAX_MS));
        self.own.rests_until = now + pause;
        if self.own.stopping {
            self.own.rests_until = now + Duration::from_secs(60);
        } else if self.own.rng.random_bool(0.02) {
            self.own.vanish = Some(4 * pause);
        } else if self.own.rng.random_bool(0.05) {
            // As one who looks at a table, which asking alone does not.
            let room = self.rooms.choose(&mut self.own.rng).expect("there are rooms").clone();
            self.own.client.watch(&room, now);
        } else if self.own.client.questions().open().len() < OPEN_MAX {
            self.asks(now);
        }
    }

    fn is_done(&self) -> bool {
        self.own.client.questions().open().len() == 0
    }
}
