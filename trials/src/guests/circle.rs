//! A guest of tables that players open: it opens some, tells the others of them, lets in, kicks, pauses, changes and closes; goes to the
//! tables of others, plays there, and may become the host. One that is *rude* asks for everything that is not its to ask.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use parking_lot::Mutex;
use player::{
    Heard,
    visitor::{Own, Visitor},
};
use protocol::{
    ClientOut, ErrorCode, RefusalCode,
    floor::{FloorPrivate, room_of},
    hosted::{Access, HostedView},
    id::{RoomId, UserId},
    table::{ActKind, TableCommand, TableEvent, TableView},
};
use rand::{RngExt, seq::IndexedRandom};
use serde_json::{Value, json, value::RawValue};
use tokio::time::{Duration, Instant};

/// The longest pause between two commands, milliseconds.
const PAUSE_MAX_MS: u64 = 700;

/// Their tables are shown to those who watch so late at most, milliseconds.
pub(crate) const RAIL_DELAY_MAX_MS: u64 = 3_000;

/// What they tell each other by word of mouth: tables, and the code of each that has one.
pub(crate) type Whispers = Arc<Mutex<BTreeMap<RoomId, Option<String>>>>;

/// See the module.
pub(crate) struct Circle {
    own: Own,
    whispers: Whispers,
    /// All of them, to be invited and kicked.
    others: Arc<[UserId]>,
    rude: bool,
    /// What is seen of each table's host.
    doors: BTreeMap<RoomId, HostedView>,
    /// Its own tables, as the floor has told them.
    opened: FloorPrivate,
    gone: BTreeSet<RoomId>,
    /// It invites AI players, too.
    invites_ai: bool,
}

/// Only what is read of a keyframe.
#[derive(serde::Deserialize)]
struct State {
    hosted: Option<HostedView>,
}

impl Circle {
    pub(crate) fn new(
        (whispers, others): (Whispers, Arc<[UserId]>),
        rude: bool,
        seed: u64,
        token: String,
        now: Instant,
    ) -> Self {
        Self {
            own: Own::new(seed, token, now),
            whispers,
            others,
            rude,
            doors: BTreeMap::new(),
            opened: FloorPrivate::default(),
            gone: BTreeSet::new(),
            invites_ai: false,
        }
    }

    /// One that invites AI players, and sends them away.
    pub(crate) fn that_invites_ai(self, invites_ai: bool) -> Self {
        Self { invites_ai, ..self }
    }

    fn me(&self) -> UserId {
        self.own.client.user().expect("it is online").clone()
    }

    fn asks(&mut self, room: &RoomId, what: &Value, now: Instant) {
        let raw = RawValue::from_string(what.to_string()).expect("JSON");
        self.own.client.raw_command(room, raw, now);
    }

    /// Reads what rooms say of their doors, and the floor of the own tables.
    fn listen(&mut self, text: &str) {
        match serde_json::from_str(text) {
            Ok(ClientOut::Keyframe { room, state, .. }) if room.as_str().starts_with("t-") => {
                if let Ok(State { hosted: Some(hosted) }) = serde_json::from_str(state.get()) {
                    self.doors.insert(room, hosted);
                }
            }
            Ok(ClientOut::Private { room, private, .. }) if room.as_str().starts_with("floor-") => {
                let told = serde_json::from_str(private.get()).unwrap_or_default();
                self.opened = told;
                let open = self.opened.tables.iter().filter(|table| table.is_open);
                let mut whispers = self.whispers.lock();
                for table in open {
                    whispers.entry(table.room.clone()).or_default();
                }
            }
            _ => {}
        }
    }

    fn heard(&mut self, heard: &Heard) {
        let gone = match heard {
            Heard::Frame { room, events, .. } => {
                for event in events {
                    if let TableEvent::Hosted { hosted } = event {
                        self.doors.insert(room.clone(), (**hosted).clone());
                    }
                }
                None
            }
            Heard::Unwatched(room) => Some(room),
            Heard::Error { code: ErrorCode::NoSuchRoom, room } => room.as_ref(),
            Heard::Refused(refusal) if refusal.code == Some(RefusalCode::NoSuchRoom) => Some(&refusal.room),
            _ => None,
        };
        if let Some(room) = gone.cloned() {
            self.doors.remove(&room);
            self.gone.insert(room);
        }
    }

    /// Tables that it has heard of and that are not gone.
    fn tables(&self) -> Vec<RoomId> {
        self.whispers.lock().keys().filter(|room| !self.gone.contains(*room)).cloned().collect()
    }

    fn is_host_of(&self, room: &RoomId) -> bool {
        self.doors.get(room).is_some_and(|door| door.host == self.me())
    }

    fn choice(&mut self) -> Value {
        let rng = &mut self.own.rng;
        let big_blind: u64 = if rng.random_bool(0.1) { 1 << 30 } else { rng.random_range(2..6) };
        json!({
            "name": format!("Table {}", rng.random_range(0..99)), "seats": rng.random_range(2..5),
            "small_blind": 1, "big_blind": big_blind, "buy_in_min": 40 * big_blind, "buy_in_max": 200 * big_blind,
            "turn_ms": 5_000,
        })
    }

    /// How those are to watch a table who have no seat there. Who is rude wants to see cards of hands that are played, or what no house has.
    fn rail(&mut self) -> Option<Value> {
        let rng = &mut self.own.rng;
        match (rng.random_range(0..4), self.rude) {
            (0, true) => {
                let bad = [
                    json!({"cards": "delayed"}),
                    json!({"delay_ms": 119_999, "cards": "delayed"}),
                    json!({"cards": "all"}),
                    json!({"delay_ms": 900_001}),
                    json!({"delay_ms": -1}),
                    json!({"viewers_max": 1_001}),
                    json!({"live": ["me"]}),
                    json!(true),
                ];
                bad.choose(rng).cloned()
            }
            (0, _) => Some(json!({"cards": "after_hand"})),
            (1, _) => {
                let cards = if rng.random_bool(0.5) { "never" } else { "after_hand" };
                Some(json!({"delay_ms": rng.random_range(200..RAIL_DELAY_MAX_MS), "cards": cards}))
            }
            _ => None,
        }
    }

    fn opens(&mut self, now: Instant) {
        let access = ["public", "unlisted", "code", "approve"].choose(&mut self.own.rng);
        let leaves = ["pass_on", "close"].choose(&mut self.own.rng);
        let mut what =
            json!({"a": "create_table", "config": self.choice(), "access": access, "host_leaves": leaves});
        if let Some(rail) = self.rail() {
            what["rail"] = rail;
        }
        if self.invites_ai && self.own.rng.random_bool(0.2) {
            what["ai"] = "none".into();
        }
        self.asks(&room_of(&self.me()), &what, now);
    }

    /// Wants AI players, or none any more; who is rude wants more than there can be, again and again, and players that are others'.
    fn wants_ai(&mut self, room: &RoomId, now: Instant) {
        let ai = self.doors.get(room).map(|door| door.ai.clone()).unwrap_or_default();
        let rng = &mut self.own.rng;
        let level = *["easy", "medium", "hard"].choose(rng).expect("there are some");
        let one = ai.choose(rng).map(|player| player.user.clone());
        let other = self.others.choose(rng).expect("there are some");
        let what = match rng.random_range(0..if self.rude { 14 } else { 8 }) {
            0..5 => json!({"a": "invite_ai", "count": rng.random_range(1..=3), "level": level}),
            5 => json!({"a": "remove_ai", "user": one.as_ref().unwrap_or(other)}),
            6 => json!({"a": "remove_ai"}),
            7 => json!({"a": "kick", "user": one.as_ref().unwrap_or(other), "ban": rng.random_bool(0.5)}),
            8 => {
                json!({"a": "invite_ai", "count": *[0_i64, -1, 10, 255, 1 << 40].choose(rng).expect("some"), "level": level})
            }
            9 => json!({"a": "invite_ai", "count": 1, "level": "perfect"}),
            10 => json!({"a": "invite", "user": "bot-of-mine"}),
            11 => json!({"a": "hand_over", "user": one.as_ref().unwrap_or(other)}),
            12 => json!({"a": "remove_ai", "user": other}),
            _ => {
                let many = json!({"a": "invite_ai", "count": 9, "level": level});
                (0..3).for_each(|_| self.asks(room, &many, now));
                return;
            }
        };
        self.asks(room, &what, now);
    }

    /// As a host of its own table, or as one who takes himself for one.
    fn decides(&mut self, room: &RoomId, now: Instant) {
        if self.invites_ai && self.own.rng.random_bool(if self.rude { 0.3 } else { 0.6 }) {
            return self.wants_ai(room, now);
        }
        let user = self.others.choose(&mut self.own.rng).expect("there are some").clone();
        let knocking = self.doors.get(room).and_then(|door| door.knocking.first());
        let knocking = knocking.map_or_else(|| user.clone(), |knocking| knocking.user.clone());
        let what = match self.own.rng.random_range(0..30) {
            0..8 => json!({"a": "approve", "user": knocking}),
            8 => json!({"a": "deny", "user": knocking}),
            9..13 => json!({"a": "invite", "user": user}),
            13..17 => json!({"a": "kick", "user": user, "ban": self.own.rng.random_bool(0.3)}),
            17..19 => json!({"a": "pause"}),
            19..22 => json!({"a": "resume"}),
            22..24 => json!({"a": "set", "config": self.choice()}),
            24..27 => {
                let code = format!("code {}", self.own.rng.random_range(100..999));
                let access = ["public", "unlisted", "code", "code", "approve"].choose(&mut self.own.rng);
                if !self.rude {
                    self.whispers.lock().insert(room.clone(), Some(code.clone()));
                }
                json!({"a": "door", "access": access, "code": code})
            }
            27 => json!({"a": "hand_over", "user": user}),
            28 if self.rude || self.own.rng.random_bool(0.3) => json!({"a": "close"}),
            _ => json!({"a": "kick"}),
        };
        self.asks(room, &what, now);
    }

    /// As anybody at a table.
    fn visits(&mut self, room: &RoomId, now: Instant) {
        let Some(view) = self.own.client.table(room) else { return self.own.client.watch(room, now) };
        let buy_in = view.config.buy_in_min;
        if let Some(seat) = view.seat_of(&self.me()) {
            let is_out = view.seats[usize::from(seat)].as_ref().is_some_and(|seat| {
                seat.stack == 0 || seat.status == protocol::table::SeatStatus::SittingOut
            });
            let what = match self.own.rng.random_range(0..12) {
                0 => TableCommand::Leave,
                1 => TableCommand::TopUp { amount: buy_in },
                2..6 if is_out => TableCommand::ComeBack { wait_for_big_blind: false },
                _ => return,
            };
            self.own.client.command(room, &what, now);
            return;
        }
        let code = self.whispers.lock().get(room).cloned().flatten();
        let has_code = self.doors.get(room).is_some_and(|door| door.access == Access::Code);
        if self.rude && has_code && self.own.rng.random_bool(0.7) {
            // Again and again, at the same door.
            let guess = json!({"a": "knock", "code": self.own.rng.random_range(0..999).to_string()});
            (0..4).for_each(|_| self.asks(room, &guess, now));
            return;
        }
        let what = match self.own.rng.random_range(0..8) {
            0..3 => json!({"a": "sit", "buy_in": buy_in}),
            3..5 => json!({"a": "knock"}),
            5 if self.rude => json!({"a": "knock", "code": self.own.rng.random_range(0..999).to_string()}),
            _ => json!({"a": "knock", "code": code}),
        };
        self.asks(room, &what, now);
    }

    /// The table at which it is its turn, and what it does.
    fn turn(&mut self) -> Option<(RoomId, TableCommand)> {
        let me = self.own.client.user()?.clone();
        let tables = self.tables();
        let turn = |view: &TableView| {
            let hand = view.hand.as_ref()?;
            let turn = hand.turn.as_ref().filter(|turn| Some(turn.seat) == view.seat_of(&me))?;
            Some((hand.hand, turn.clone()))
        };
        let (room, (hand, turn)) =
            tables.into_iter().find_map(|room| Some((room.clone(), turn(self.own.client.table(&room)?)?)))?;
        let kind = match (turn.call, turn.raise) {
            (_, Some(limits)) if self.own.rng.random_bool(0.1) => {
                let kind = if limits.bet { ActKind::Bet } else { ActKind::Raise };
                return Some((room, TableCommand::Act { hand, turn: turn.turn, kind, to: Some(limits.max) }));
            }
            (Some(_), _) if self.own.rng.random_bool(0.3) => ActKind::Fold,
            (Some(_), _) => ActKind::Call,
            (None, _) => ActKind::Check,
        };
        Some((room, TableCommand::Act { hand, turn: turn.turn, kind, to: None }))
    }

    fn something(&mut self, now: Instant) {
        let tables = self.tables();
        if self.own.stopping {
            let own = tables.iter().find(|room| self.is_host_of(room));
            match own.cloned() {
                Some(room) => self.asks(&room, &json!({"a": "close"}), now),
                // Who became the host while it looked elsewhere learns it.
                None => match tables.into_iter().find(|room| self.own.client.table(room).is_none()) {
                    Some(room) => self.own.client.watch(&room, now),
                    None => self.own.rests_until = now + Duration::from_secs(1),
                },
            }
            return;
        }
        let Some(room) = tables.choose(&mut self.own.rng).cloned().filter(|_| self.own.rng.random_bool(0.93))
        else {
            return self.opens(now);
        };
        // They come to a host who sits.
        let room = match tables.iter().find(|room| self.is_host_of(room)) {
            Some(own) if self.invites_ai && self.own.rng.random_bool(0.5) => own.clone(),
            _ => room,
        };
        if self.invites_ai && self.is_host_of(&room) && self.own.rng.random_bool(0.4) {
            let view = self.own.client.table(&room);
            let stands = view.filter(|view| view.seat_of(&self.me()).is_none());
            if let Some(buy_in) = stands.map(|view| view.config.buy_in_min) {
                return self.asks(&room, &json!({"a": "sit", "buy_in": buy_in}), now);
            }
        }
        match self.own.rng.random_range(0..10) {
            0..4 if self.is_host_of(&room) => self.decides(&room, now),
            0..5 if self.rude => self.decides(&room, now),
            9 if self.rude => self.opens(now),
            _ => self.visits(&room, now),
        }
    }
}

impl Visitor for Circle {
    fn own(&self) -> &Own {
        &self.own
    }

    fn own_mut(&mut self) -> &mut Own {
        &mut self.own
    }

    fn hear(&mut self, text: &str, now: Instant) -> Heard {
        self.listen(text);
        let heard = self.own.client.receive(text, now);
        self.heard(&heard);
        heard
    }

    fn act(&mut self, now: Instant) {
        let pause = Duration::from_millis(self.own.rng.random_range(0..=PAUSE_MAX_MS));
        self.own.rests_until = now + pause;
        if let Some((room, act)) = self.turn() {
            self.own.client.command(&room, &act, now);
        } else if !self.own.stopping && self.own.rng.random_bool(0.01) {
            self.own.vanish = Some(4 * pause);
        } else {
            self.something(now);
        }
    }

    fn is_done(&self) -> bool {
        self.opened.tables.is_empty()
    }
}
