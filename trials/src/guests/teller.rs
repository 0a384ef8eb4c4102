//! A guest of counters: it adds, pays, tips, leaves, opens what is open, asks for what cannot be, and at the end closes them. If there is a
//! postbox, it puts something into its own box and others'.

use std::{collections::BTreeSet, sync::Arc};

use player::{
    Heard,
    visitor::{Own, Visitor},
};
use protocol::{
    ErrorCode, RefusalCode,
    id::{RoomId, UserId},
};
use rand::{RngExt, seq::IndexedRandom};
use serde_json::{Value, json, value::RawValue};
use tokio::time::{Duration, Instant};

/// The longest pause between two commands, milliseconds.
const PAUSE_MAX_MS: u64 = 800;

/// See the module.
pub(crate) struct Teller {
    own: Own,
    counters: Arc<[RoomId]>,
    postbox: Option<RoomId>,
    /// Counters that have ended.
    ended: BTreeSet<RoomId>,
    /// Counters that it has left to watch them anew.
    returns_to: BTreeSet<RoomId>,
}

impl Teller {
    pub(crate) fn new(counters: Arc<[RoomId]>, seed: u64, token: String, now: Instant) -> Self {
        let own = Own::new(seed, token, now);
        Self { own, counters, postbox: None, ended: BTreeSet::new(), returns_to: BTreeSet::new() }
    }

    /// The same, who knows a postbox.
    pub(crate) fn with_postbox(mut self, postbox: Option<RoomId>) -> Self {
        self.postbox = postbox;
        self
    }

    fn posts(&mut self) -> Value {
        let number = self.own.rng.random_range(0..4);
        let to = self
            .own
            .client
            .user()
            .filter(|_| number == 0)
            .map_or(format!("teller-{number}"), UserId::to_string);
        match self.own.rng.random_range(0..12) {
            0..2 => json!({"a": "open"}),
            2 => json!({"a": "call"}),
            3 => json!({"a": "put", "to": "nobody", "by": 1}),
            _ => json!({"a": "put", "to": to, "by": self.own.rng.random_range(1..9)}),
        }
    }

    fn asks(&mut self, room: &RoomId, what: &Value, now: Instant) {
        let raw = RawValue::from_string(what.to_string()).expect("JSON");
        self.own.client.raw_command(room, raw, now);
    }

    fn something(&mut self, room: &RoomId) -> Value {
        let rng = &mut self.own.rng;
        match rng.random_range(0..24) {
            20.. => {
                let others: Vec<&RoomId> = self.counters.iter().filter(|other| *other != room).collect();
                let to = others.choose(rng).copied().unwrap_or(room);
                json!({"a": "send", "to": to, "by": if to == room { u64::MAX } else { rng.random_range(1..4) }})
            }
            0..8 => json!({"a": "add", "by": rng.random_range(1..5)}),
            8..12 => json!({"a": "pay", "amount": rng.random_range(1..120)}),
            12..14 => json!({"a": "tip", "amount": rng.random_range(1..9)}),
            14 => json!({"a": "leave"}),
            15 => json!({"a": "open", "room": self.counters.choose(rng)}),
            16 => json!({"a": "add", "by": 1_000_000_000_000_u64}),
            17 => json!({"a": "pay", "amount": u64::MAX}),
            18 => json!({"a": "sit", "buy_in": 100}),
            _ => json!([[], {}]),
        }
    }
}

impl Visitor for Teller {
    fn own(&self) -> &Own {
        &self.own
    }

    fn own_mut(&mut self) -> &mut Own {
        &mut self.own
    }

    fn hear(&mut self, text: &str, now: Instant) -> Heard {
        let heard = self.own.client.receive(text, now);
        let ended = match &heard {
            Heard::Unwatched(room) if self.returns_to.remove(room) => {
                self.own.client.watch(room, now);
                None
            }
            Heard::Unwatched(room) => Some(room),
            Heard::Error { code: ErrorCode::NoSuchRoom, room } => room.as_ref(),
            Heard::Refused(refusal) if refusal.code == Some(RefusalCode::NoSuchRoom) => Some(&refusal.room),
            Heard::Refused(refusal)
                if self.own.stopping && refusal.code == Some(RefusalCode::OtherSession) =>
            {
                // That session may be gone for good, and there are counters to close: watching anew takes its place.
                self.returns_to.insert(refusal.room.clone());
                self.own.client.unwatch(&refusal.room, now);
                None
            }
            _ => None,
        };
        self.ended.extend(ended.cloned());
        heard
    }

    fn act(&mut self, now: Instant) {
        let pause = Duration::from_millis(self.own.rng.random_range(0..=PAUSE_MAX_MS));
        self.own.rests_until = now + pause;
        let open: Vec<RoomId> =
            self.counters.iter().filter(|room| !self.ended.contains(*room)).cloned().collect();
        match open.choose(&mut self.own.rng).cloned() {
            None => self.own.rests_until = now + Duration::from_secs(60),
            Some(room) if self.own.stopping => self.asks(&room, &json!({"a": "close"}), now),
            Some(_) if self.own.rng.random_bool(0.02) => self.own.vanish = Some(4 * pause),
            Some(_) if self.postbox.is_some() && self.own.rng.random_bool(0.3) => {
                let (postbox, what) = (self.postbox.clone().expect("looked at just now"), self.posts());
                self.asks(&postbox, &what, now);
            }
            Some(room) => {
                let what = self.something(&room);
                self.asks(&room, &what, now);
            }
        }
    }

    fn is_done(&self) -> bool {
        self.counters.iter().all(|room| self.ended.contains(room))
    }
}
