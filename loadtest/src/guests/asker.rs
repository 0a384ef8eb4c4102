//! A guest that only asks: everything of everybody at any time, garbage too, and faster than it may.

use std::sync::Arc;

use player::{Client, Mind, bot::Acting};
use protocol::id::RoomId;
use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::{json, value::RawValue};
use tokio::time::{Duration, Instant};

/// The longest pause between two questions, milliseconds.
const PAUSE_MAX_MS: u64 = 600;

/// So many questions are open at the most.
const OPEN_MAX: usize = 6;

/// See the module.
pub(crate) struct Asker {
    client: Client,
    rooms: Arc<[RoomId]>,
    rng: ChaCha8Rng,
    /// Nothing before.
    rests_until: Instant,
    vanish: Option<Duration>,
    stopping: bool,
}

impl Asker {
    pub(crate) fn new(rooms: Arc<[RoomId]>, seed: u64, token: String, now: Instant) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { client: Client::new(token, now), rooms, rng, rests_until: now, vanish: None, stopping: false }
    }

    fn asks(&mut self, now: Instant) {
        let rng = &mut self.rng;
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
        self.client.question(&room, q, now);
    }
}

impl Mind for Asker {
    fn client(&self) -> &Client {
        &self.client
    }

    fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    fn rng(&mut self) -> &mut ChaCha8Rng {
        &mut self.rng
    }

    fn poll(&mut self, now: Instant) -> Option<Acting> {
        self.client.keep_alive(now);
        if !self.client.is_online() || now < self.rests_until {
            return None;
        }
        let pause = Duration::from_millis(self.rng.random_range(0..=PAUSE_MAX_MS));
        self.rests_until = now + pause;
        if self.stopping {
            self.rests_until = now + Duration::from_secs(60);
        } else if self.rng.random_bool(0.02) {
            self.vanish = Some(4 * pause);
        } else if self.rng.random_bool(0.05) {
            // As one who looks at a table, which asking alone does not.
            let room = self.rooms.choose(&mut self.rng).expect("there are rooms").clone();
            self.client.watch(&room, now);
        } else if self.client.questions().open().len() < OPEN_MAX {
            self.asks(now);
        }
        None
    }

    fn next_deadline(&self) -> Option<Instant> {
        let own = self.client.is_online().then_some(self.rests_until);
        own.into_iter().chain(self.client.next_deadline()).min()
    }

    fn take_vanishing(&mut self) -> Option<Duration> {
        self.vanish.take()
    }

    fn stop(&mut self) {
        if !std::mem::replace(&mut self.stopping, true) {
            self.rests_until = Instant::now();
        }
    }

    fn has_stopped(&self) -> bool {
        self.stopping && self.client.questions().open().len() == 0
    }
}
