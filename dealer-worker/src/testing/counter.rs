//! A room that counts: the least that a kind of room can be, with a command, a member's secret and a clock.

use std::collections::BTreeMap;

use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use serde_json::{
    json,
    value::{RawValue, to_raw_value},
};
use shared::{
    clock::UnixMs,
    id::{RoomId, UserId},
    lobby::{Line, More},
    node::RoomSpec,
    protocol::RefusalCode,
};
use smallvec::smallvec;

use crate::room::{
    BadSpec, Decision, Input, Refusal, Room,
    record::{self, BadRecord},
};

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    settings: Settings,
    /// What all have added.
    pub total: u64,
    /// What each member has added.
    pub by: BTreeMap<UserId, u64>,
    /// How often the clock was due.
    pub ticks: u64,
    due: Option<UnixMs>,
}

/// What a counter is set to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The clock is due so long after something was added; 0: never.
    pub tick_ms: u64,
}

/// What happens to a counter. It is what clients see, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Somebody, who is a member from then on, has added something.
    Added {
        /// Who.
        user: UserId,
        /// How much.
        by: u64,
        /// When the clock is due.
        due: Option<UnixMs>,
    },
    /// A member has left; what it has added stays.
    Left {
        /// Who.
        user: UserId,
    },
    /// The clock was due.
    Ticked,
}

/// What a client asks.
#[derive(Deserialize)]
#[serde(tag = "a", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Add { by: u64 },
    Leave {},
}

impl Room for Counter {
    type Event = Event;

    const KIND: u8 = 255;
    const NAME: &'static str = "counter";
    const SCHEMA: u16 = 1;

    fn read(_schema: u16, record: &mut &[u8]) -> Result<Self, BadRecord> {
        record::take(record)
    }

    fn read_events(_schema: u16, record: &mut &[u8]) -> Result<Vec<Event>, BadRecord> {
        record::take(record)
    }

    fn open(spec: &RoomSpec) -> Result<Self, BadSpec> {
        Ok(Self { settings: spec.read()?, total: 0, by: BTreeMap::new(), ticks: 0, due: None })
    }

    fn decide(
        &self,
        input: Input<'_>,
        now: UnixMs,
        _rng: &mut ChaCha20Rng,
    ) -> Result<Decision<Self>, Refusal> {
        let events = match input {
            Input::Command { user, name: _, body } => vec![self.command(user, body, now)?],
            Input::Clock => vec![Event::Ticked],
            Input::Away { .. } | Input::TakenOver { .. } => Vec::new(),
        };
        let mut after = self.clone();
        events.iter().for_each(|event| after.apply(event));
        let told = events.iter().filter_map(|event| match event {
            Event::Added { user, .. } => Some(user),
            _ => None,
        });
        let privates = told.map(|user| (user.clone(), after.private(user))).collect();
        let public = json(&events.iter().map(Event::seen).collect::<Vec<_>>());
        Ok(Decision { public, privates, events, after, lobby: true, counts: smallvec![], is_talk: false })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Added { user, by, due } => {
                self.total += by;
                *self.by.entry(user.clone()).or_default() += by;
                self.due = *due;
            }
            Event::Left { user } => drop(self.by.remove(user)),
            Event::Ticked => {
                self.ticks += 1;
                self.due = None;
            }
        }
    }

    fn deadline(&self) -> Option<UnixMs> {
        self.due
    }

    fn view(&self) -> Box<RawValue> {
        json(&json!({"total": self.total, "ticks": self.ticks}))
    }

    fn privates(&self) -> Vec<(UserId, Box<RawValue>)> {
        self.by.keys().map(|user| (user.clone(), self.private(user))).collect()
    }

    fn is_member(&self, user: &UserId) -> bool {
        self.by.contains_key(user)
    }

    fn members(&self) -> Vec<UserId> {
        self.by.keys().cloned().collect()
    }

    fn line(&self, room: &RoomId, _now: UnixMs) -> Line {
        Line {
            room: room.clone(),
            kind: Self::NAME.into(),
            name: format!("Counter {}", self.total),
            game: "none".into(),
            big_blind: 0,
            seats: 255,
            taken: u32::try_from(self.by.len()).unwrap_or(u32::MAX),
            average_pot: 0,
            hands_per_hour: 0,
            starts_ms: 0,
            more: More::default(),
        }
    }
}

impl Counter {
    fn command(&self, user: &UserId, body: &[u8], now: UnixMs) -> Result<Event, Refusal> {
        let refuse = |why: &str| Refusal::new(RefusalCode::Illegal, why);
        let command: Command = serde_json::from_slice(body)
            .map_err(|error| Refusal::new(RefusalCode::BadCommand, error.to_string()))?;
        let user = user.clone();
        match command {
            Command::Add { by: 0 } => Err(refuse("nothing to add")),
            Command::Add { by } if by > 1_000 => Err(refuse("more than 1,000 at once")),
            Command::Add { by } => {
                let tick_ms = self.settings.tick_ms;
                Ok(Event::Added { user, by, due: (tick_ms > 0).then_some(now + tick_ms) })
            }
            Command::Leave {} if self.by.contains_key(&user) => Ok(Event::Left { user }),
            Command::Leave {} => Err(refuse("not a member")),
        }
    }

    fn private(&self, user: &UserId) -> Box<RawValue> {
        json(&json!({"mine": self.by.get(user)}))
    }
}

impl Event {
    fn seen(&self) -> serde_json::Value {
        match self {
            Self::Added { by, .. } => json!({"e": "added", "by": by}),
            Self::Left { .. } => json!({"e": "left"}),
            Self::Ticked => json!({"e": "ticked"}),
        }
    }
}

fn json<T: Serialize + ?Sized>(part: &T) -> Box<RawValue> {
    to_raw_value(part).expect("what a counter tells is JSON")
}
