//! A room that tells most things to single users: the least that a [sparse](Room::SPARSE) kind can be.

use std::collections::BTreeMap;

use broker::{lobby::Line, node::RoomSpec};
use protocol::{
    RefusalCode,
    id::{Position, RoomId, UserId},
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

use crate::room::{
    BadSpec, Decision, Input, Moment, Refusal, Room, json,
    record::{self, BadRecord},
};

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postbox {
    /// How often all were called.
    pub calls: u64,
    /// What lies in each member's box.
    pub boxes: BTreeMap<UserId, Lies>,
}

/// What lies in a box.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lies {
    /// How many parts its owner has got.
    pub k: u64,
    /// How much in all.
    pub sum: u64,
}

/// What happens to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Somebody has a box from now on.
    Opened {
        /// Who.
        user: UserId,
    },
    /// Something was put into a box: its owner alone is told.
    Put {
        /// Whose.
        to: UserId,
        /// How much.
        by: u64,
    },
    /// All were called, which all are told.
    Called,
}

/// What a client asks.
#[derive(Deserialize)]
#[serde(tag = "a", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Open {},
    Put { to: UserId, by: u32 },
    Call {},
}

impl Room for Postbox {
    type Event = Event;

    const KIND: u8 = 254;
    const SINCE: u16 = 3;
    const NAME: &'static str = "postbox";
    const SCHEMA: u16 = 1;
    const SPARSE: bool = true;

    fn read(_schema: u16, record: &mut &[u8]) -> Result<Self, BadRecord> {
        record::take(record)
    }

    fn read_events(_schema: u16, record: &mut &[u8]) -> Result<Vec<Event>, BadRecord> {
        record::take(record)
    }

    fn open(_spec: &RoomSpec) -> Result<Self, BadSpec> {
        Ok(Self::default())
    }

    fn decide(&self, input: Input<'_>, moment: Moment, _: &mut dyn Rng) -> Result<Decision<Self>, Refusal> {
        let mut after = self.clone();
        let Input::Command { user, body, .. } = input else { return Ok(Decision::nothing(after)) };
        let event = self.command(user, body)?;
        after.apply(&event, moment.at);
        let told = match &event {
            Event::Opened { user } | Event::Put { to: user, .. } => Some(user),
            Event::Called => None,
        };
        let privates = told.map(|user| (user.clone(), json(&after.boxes[user]))).into_iter().collect();
        let public = match &event {
            Event::Called => json(&[json!({"e": "called"})]),
            Event::Opened { .. } | Event::Put { .. } => json::<[u8; 0]>(&[]),
        };
        Ok(Decision { events: vec![event], public, privates, lobby: true, ..Decision::nothing(after) })
    }

    fn apply(&mut self, event: &Event, _: Position) {
        match event {
            Event::Opened { user } => self.tell(user, 0),
            Event::Put { to, by } => self.tell(to, *by),
            Event::Called => self.calls += 1,
        }
    }

    fn deadline(&self) -> Option<UnixMs> {
        None
    }

    fn view(&self) -> Box<RawValue> {
        json(&json!({"calls": self.calls}))
    }

    fn privates(&self) -> Vec<(UserId, Box<RawValue>)> {
        self.boxes.iter().map(|(user, lies)| (user.clone(), json(lies))).collect()
    }

    fn is_member(&self, user: &UserId) -> bool {
        self.boxes.contains_key(user)
    }

    fn members(&self) -> Vec<UserId> {
        self.boxes.keys().cloned().collect()
    }

    fn line(&self, _: &RoomId, _: UnixMs) -> Option<Line> {
        None
    }
}

impl Postbox {
    fn command(&self, user: &UserId, body: &[u8]) -> Result<Event, Refusal> {
        let refuse = |why: &str| Err(Refusal::new(RefusalCode::Illegal, why));
        let command: Command = serde_json::from_slice(body)
            .map_err(|error| Refusal::new(RefusalCode::BadCommand, error.to_string()))?;
        match command {
            Command::Open {} if self.boxes.contains_key(user) => refuse("there is one"),
            Command::Open {} => Ok(Event::Opened { user: user.clone() }),
            Command::Put { to, .. } if !self.boxes.contains_key(&to) => refuse("there is no such box"),
            Command::Put { to, by } => Ok(Event::Put { to, by: by.into() }),
            Command::Call {} => Ok(Event::Called),
        }
    }

    fn tell(&mut self, user: &UserId, by: u64) {
        let lies = self.boxes.entry(user.clone()).or_default();
        (lies.k, lies.sum) = (lies.k + 1, lies.sum + by);
    }
}
