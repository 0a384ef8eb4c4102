//! A guest without a seat: it talks, asks for what it cannot have, asks again what was answered long ago, and comes back as
//! somebody new. Whoever sits at the table must not feel it.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use player::{
    Heard,
    visitor::{Own, Visitor},
};
use protocol::{
    RefusalCode,
    id::RoomId,
    table::{Card, TableCommand, TableView},
    talk::{TalkCommand, beside},
};
use rand::{RngExt, seq::IndexedRandom};
use serde_json::{json, value::RawValue};
use tokio::time::{Duration, Instant};

/// How many of its commands a stranger remembers, to ask them again.
const REMEMBERED: usize = 24;

/// How a stranger behaves.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    /// Where it talks.
    pub(crate) tables: Arc<[RoomId]>,
    /// It comes so much later than the others.
    pub(crate) comes_after: Duration,
    /// The longest pause between two things that it says.
    pub(crate) pause_max: Duration,
    /// It goes for good after so many; `None`: it stays.
    pub(crate) says_max: Option<u32>,
    /// Chance to come back as a new session after something was answered.
    pub(crate) anew: f64,
    /// Where all its chance comes from.
    pub(crate) seed: u64,
}

/// See the module.
pub(crate) struct Stranger {
    own: Own,
    manner: Manner,
    said: u32,
    /// What it has said in this session, to say it again.
    remembered: VecDeque<(u64, RoomId, String)>,
    /// Said again though answered: the answers are no news to the client.
    repeated: Vec<u64>,
    again: VecDeque<String>,
    /// Where it has a seat of an earlier session, and watches anew to leave it.
    returns_to: BTreeSet<RoomId>,
}

impl Stranger {
    pub(crate) fn new(manner: Manner, token: String, now: Instant) -> Self {
        Self {
            own: Own::new(manner.seed, token, now + manner.comes_after),
            manner,
            said: 0,
            remembered: VecDeque::new(),
            repeated: Vec::new(),
            again: VecDeque::new(),
            returns_to: BTreeSet::new(),
        }
    }

    fn says(&mut self, now: Instant) {
        let room = self.manner.tables.choose(&mut self.own.rng).expect("there are tables").clone();
        let view = self.own.client.table(&room);
        let is_full = view.is_some_and(|view| view.seats.iter().all(Option::is_some));
        let text = format!("{} of {}", self.said, self.manner.seed);
        let talk = beside(&room).expect("a short name");
        // A crowd says all to the table itself, which is to remember what its players were answered.
        let is_crowd = self.manner.says_max.is_some();
        let (room, what) = match self.own.rng.random_range(0..23) {
            0..5 if !is_crowd => (talk, json!(TalkCommand::Say { text })),
            0..12 => (room, json!(TableCommand::Chat { text })),
            20 if self.own.rng.random() => (talk, json!(TableCommand::Chat { text })),
            20 => (talk, json!(TalkCommand::Say { text: "x".repeat(201) })),
            21 if self.own.rng.random() => (room, json!(TalkCommand::Say { text })),
            21 => (beside(&talk).expect("a short name"), json!(TalkCommand::Say { text })),
            12 if is_full => {
                (room, json!(TableCommand::Sit { seat: None, buy_in: 200, wait_for_big_blind: false }))
            }
            13 => (room, json!(TableCommand::Sit { seat: Some(99), buy_in: 200, wait_for_big_blind: false })),
            // What is said of it tells nothing of the hand.
            19 => (room, json!(TableCommand::Sit { seat: None, buy_in: 1, wait_for_big_blind: false })),
            14 => (room, json!(TableCommand::TopUp { amount: 50 })),
            15 => (room, json!(TableCommand::Leave)),
            // All, or cards that are somebody else's.
            16 => (room, json!(TableCommand::Show { cards: self.own.rng.random::<bool>().then(not_mine) })),
            17 => (room, json!({"a": "dance"})),
            // Has no say in it.
            22 => {
                let hand = view.and_then(|view| view.hand.as_ref()).map_or(1, |hand| hand.hand);
                (room, json!(TableCommand::Runs { hand, boards: self.own.rng.random_range(0..4) }))
            }
            18 => (RoomId::new("nowhere").expect("a name"), json!(TableCommand::Leave)),
            _ => return self.says_again(),
        };
        self.said += 1;
        let text = what.to_string();
        let raw = RawValue::from_string(text.clone()).expect("JSON");
        let n = self.own.client.raw_command(&room, raw, now);
        self.remembered.push_back((n, room, text));
        if self.remembered.len() > REMEMBERED {
            self.remembered.pop_front();
        }
    }

    /// The same command with the same number, answered or not.
    fn says_again(&mut self) {
        let Some(at) = self.own.rng.random_range(0..REMEMBERED).checked_rem(self.remembered.len()) else {
            return;
        };
        let (n, room, text) = &self.remembered[at];
        if self.own.client.answers().waiting().any(|waiting| waiting.n == *n) {
            return;
        }
        self.repeated.push(*n);
        self.again.push_back(format!(r#"{{"t":"do","n":{n},"room":"{room}","do":{text}}}"#));
    }

    /// The table where it has got a seat after all.
    fn seated_at(&self) -> Option<RoomId> {
        let me = self.own.client.user()?;
        let sits = |view: &TableView| view.seat_of(me).is_some();
        self.manner.tables.iter().find(|room| self.own.client.table(room).is_some_and(sits)).cloned()
    }
}

fn not_mine() -> Vec<Card> {
    ["As", "As", "2c"].map(|card| Card::new(card).expect("a card")).into()
}

/// What matters of an answer.
#[derive(serde::Deserialize)]
struct Answer<'a> {
    t: &'a str,
    n: u64,
}

impl Visitor for Stranger {
    fn own(&self) -> &Own {
        &self.own
    }

    fn own_mut(&mut self) -> &mut Own {
        &mut self.own
    }

    fn hear(&mut self, text: &str, now: Instant) -> Heard {
        if let Ok(Answer { t: "ack" | "refused", n }) = serde_json::from_str(text)
            && let Some(at) = self.repeated.iter().position(|repeated| *repeated == n)
        {
            self.repeated.swap_remove(at);
            return Heard::Nothing;
        }
        let heard = self.own.client.receive(text, now);
        if let Heard::Welcome { resumed: false } = heard {
            self.remembered.clear();
            self.repeated.clear();
            self.again.clear();
        }
        match &heard {
            // That session may be gone for good: watching anew takes its place.
            Heard::Refused(refusal)
                if self.own.stopping && refusal.code == Some(RefusalCode::OtherSession) =>
            {
                self.returns_to.insert(refusal.room.clone());
                self.own.client.unwatch(&refusal.room, now);
            }
            Heard::Unwatched(room) if self.returns_to.remove(room) => self.own.client.watch(room, now),
            _ => {}
        }
        heard
    }

    fn act(&mut self, now: Instant) {
        let pause = self.own.rng.random_range(Duration::ZERO..=self.manner.pause_max);
        self.own.rests_until = now + pause;
        if let Some(room) = self.seated_at() {
            self.own.client.command(&room, &TableCommand::Leave, now);
        } else if self.own.stopping {
            self.own.rests_until = now + Duration::from_secs(60);
        } else if self.said > 0 && self.own.rng.random_bool(self.manner.anew) {
            self.own.client.forget_session();
            self.own.vanish = Some(pause);
        } else {
            self.says(now);
        }
    }

    fn say(&mut self) -> Option<String> {
        let again = if self.own.client.is_online() { self.again.pop_front() } else { None };
        again.or_else(|| self.own.client.pop_outgoing())
    }

    fn is_done(&self) -> bool {
        self.seated_at().is_none()
    }

    fn has_said_all(&self) -> bool {
        let has_said_all = self.manner.says_max.is_some_and(|max| self.said >= max);
        has_said_all && self.seated_at().is_none()
    }
}
