//! A guest that presses onto rails on which there are only so many places: comes, goes, comes back, asks again as soon as it is refused, and takes a part in
//! the room now and then, which needs no place.

use std::sync::Arc;

use player::{
    Heard,
    visitor::{Own, Visitor},
};
use protocol::{ErrorCode, id::RoomId};
use rand::{RngExt, seq::IndexedRandom};
use serde_json::{Value, json, value::RawValue};
use tokio::time::{Duration, Instant};

/// The longest pause between two things that it does, milliseconds.
const PAUSE_MAX_MS: u64 = 1_500;

/// And the longest for which it is away altogether, now and then.
const AWAY_MAX_MS: u64 = 30_000;

/// See the module.
pub(crate) struct Presser {
    own: Own,
    rooms: Arc<[RoomId]>,
}

impl Presser {
    pub(crate) fn new(rooms: Arc<[RoomId]>, seed: u64, token: String, now: Instant) -> Self {
        Self { own: Own::new(seed, token, now), rooms }
    }

    fn asks(&mut self, room: &RoomId, what: &Value, now: Instant) {
        let raw = RawValue::from_string(what.to_string()).expect("JSON");
        self.own.client.raw_command(room, raw, now);
    }

    fn watches(&self, room: &RoomId) -> bool {
        self.own.client.position(room).is_some()
    }
}

impl Visitor for Presser {
    fn own(&self) -> &Own {
        &self.own
    }

    fn own_mut(&mut self) -> &mut Own {
        &mut self.own
    }

    fn hear(&mut self, text: &str, now: Instant) -> Heard {
        let heard = self.own.client.receive(text, now);
        if let Heard::Error { code: ErrorCode::RailFull, room: Some(room) } = &heard
            && !self.own.stopping
            && self.own.rng.random_bool(0.3)
        {
            self.own.client.watch(room, now);
        }
        heard
    }

    fn act(&mut self, now: Instant) {
        self.own.rests_until = now + Duration::from_millis(self.own.rng.random_range(0..=PAUSE_MAX_MS));
        if self.own.stopping {
            self.own.rests_until = now + Duration::from_secs(60);
            for room in self.rooms.clone().iter() {
                if self.watches(room) {
                    self.own.client.unwatch(room, now);
                }
            }
            return;
        }
        let room = self.rooms.choose(&mut self.own.rng).expect("there are some").clone();
        match self.own.rng.random_range(0..40) {
            0..3 => self.own.vanish = Some(Duration::from_millis(self.own.rng.random_range(0..=AWAY_MAX_MS))),
            3..9 if self.watches(&room) => self.own.client.unwatch(&room, now),
            9..12 => self.asks(&room, &json!({"a": "add", "by": 1}), now),
            12..15 => self.asks(&room, &json!({"a": "leave"}), now),
            15 => self.asks(&room, &json!({"a": "sit"}), now),
            16..24 => self.own.client.watch(&room, now),
            _ if !self.watches(&room) => self.own.client.watch(&room, now),
            _ => {}
        }
    }
}
