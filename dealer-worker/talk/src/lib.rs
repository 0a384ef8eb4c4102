//! The room in which people talk: whoever watches may say something, and whoever comes sees the last lines.
//!
//! It stands beside the room that people talk about ([`protocol::talk::beside`]), and knows nothing of it: so whatever is said, and by
//! however many, takes nothing from that room's mailbox, journal and answers. Nobody is a member; the runtime bounds how much one user
//! may say ([`Decision::is_talk`]).

use std::{
    collections::{BTreeSet, VecDeque},
    fmt::Display,
    sync::Arc,
};

use broker::{lobby::Line, node::RoomSpec};
use protocol::{
    RefusalCode,
    id::{Position, RoomId, UserId},
    rights::Can,
    talk::{self, TalkCommand, TalkEvent, TalkView},
    text::{self, Looks, PlayerName},
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use rooms::room::{
    BadSpec, Decision, Input, Moment, Refusal, Room, json,
    record::{self, BadRecord},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// See the module. In records it is its lines, the oldest first. Each decision is made on a copy, and copies share the lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talk {
    lines: VecDeque<Arc<Said>>,
}

/// What happens: somebody has said something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    user: UserId,
    name: String,
    text: String,
    at_ms: UnixMs,
}

/// What such a room is set to: nothing as yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {}

/// What is to be written into the map of rooms.
pub fn spec() -> RoomSpec {
    RoomSpec::new(Talk::NAME, &Settings::default())
}

impl Room for Talk {
    type Event = Said;

    const KIND: u8 = 6;
    const SINCE: u16 = 3;
    const NAME: &'static str = talk::KIND;
    const SCHEMA: u16 = 1;

    fn read(schema: u16, record: &mut &[u8]) -> Result<Self, BadRecord> {
        record::is_of::<Self>(schema)?;
        record::take(record)
    }

    fn read_events(schema: u16, record: &mut &[u8]) -> Result<Vec<Said>, BadRecord> {
        record::is_of::<Self>(schema)?;
        record::take(record)
    }

    fn open(spec: &RoomSpec) -> Result<Self, BadSpec> {
        let Settings {} = spec.read()?;
        Ok(Self::default())
    }

    fn decide(&self, input: Input<'_>, moment: Moment, _: &mut dyn Rng) -> Result<Decision<Self>, Refusal> {
        let Input::Command { user, name, rights, body } = input else {
            return Ok(Decision::nothing(self.clone()));
        };
        if !rights.can.has(Can::CHAT) {
            return Err(Refusal::new(
                RefusalCode::NotAllowed,
                "you may not talk in this house at the moment",
            ));
        }
        let said = self.say(user, name, body, moment.now)?;
        let mut after = self.clone();
        after.apply(&said, moment.at);
        let public = json(&[said.seen()]);
        Ok(Decision { events: vec![said], public, is_talk: true, ..Decision::nothing(after) })
    }

    fn apply(&mut self, said: &Said, _: Position) {
        self.lines.push_back(Arc::new(said.clone()));
        talk::keep_last(&mut self.lines, |said| said.name.len() + said.text.len());
    }

    fn deadline(&self) -> Option<UnixMs> {
        None
    }

    fn view(&self) -> Box<RawValue> {
        json(&TalkView { lines: self.lines.iter().map(|said| said.told()).collect() })
    }

    fn privates(&self) -> Vec<(UserId, Box<RawValue>)> {
        Vec::new()
    }

    fn is_member(&self, _: &UserId) -> bool {
        false
    }

    fn members(&self) -> Vec<UserId> {
        Vec::new()
    }

    fn line(&self, _: &RoomId, _: UnixMs) -> Option<Line> {
        None
    }
}

impl Talk {
    fn say(&self, user: &UserId, name: &str, body: &[u8], now: UnixMs) -> Result<Said, Refusal> {
        let refuse = |why: &dyn Display| {
            Refusal::new(RefusalCode::BadCommand, format!("not a command of a room to talk in: {why}"))
        };
        let body = str::from_utf8(body).map_err(|error| refuse(&error))?;
        let TalkCommand::Say { text } = TalkCommand::read(body).map_err(|error| refuse(&error))?;
        let text = text::Line::new(&text).map_err(|unfit| {
            Refusal::new(RefusalCode::BadText, format!("this cannot be said here: {unfit}"))
        })?;
        Ok(Said { user: user.clone(), name: self.shown(user, name), text: text.into_string(), at_ms: now })
    }

    /// The name under which everybody sees what a user says: with a number, if somebody else whose lines are seen looks alike.
    fn shown(&self, user: &UserId, name: &str) -> String {
        let name = PlayerName::salvaged(name);
        // Whoever has spoken since he did under this name was told apart from him.
        let last = self.lines.iter().rev().find(|said| said.user == *user);
        if last.is_some_and(|said| said.name == name.as_str()) {
            return name.as_str().to_owned();
        }
        let others = self.lines.iter().filter(|said| said.user != *user);
        // Most lines are of few: each name is looked at once.
        let names: BTreeSet<&str> = others.map(|said| &*said.name).collect();
        let taken: Vec<Looks> = names.into_iter().map(Looks::of).collect();
        name.unlike(&taken).as_str().to_owned()
    }
}

impl Said {
    fn told(&self) -> talk::Said {
        let Self { user, name, text, at_ms } = self.clone();
        talk::Said { bot: user.is_bot(), user, name, text, at_ms }
    }

    fn seen(&self) -> TalkEvent {
        TalkEvent::Said(self.told())
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng as _};

    use super::*;

    #[test]
    fn everybody_is_told_apart_from_all_whose_lines_are_seen() {
        let names = ["ann", "Ann", "\u{430}nn", "ann 2", "b0b", "bOb", "Chu\u{300}", "chu\u{300}"];
        let (mut chance, mut room) = (ChaCha8Rng::seed_from_u64(1), Talk::default());
        let mut any = |bound: usize| usize::try_from(chance.next_u32()).unwrap() % bound;
        for at_ms in 0..4_000 {
            // Few talk for a while, and then others do; now and then one has another name.
            let number = at_ms as usize / 300 % 20 + any(4);
            let name = names[(number + any(20) / 19 * any(8)) % names.len()];
            let user = UserId::new(&format!("u{number}")).unwrap();
            let taken = room.lines.iter().filter(|said| said.user != user);
            let taken: Vec<Looks> = taken.map(|said| Looks::of(&said.name)).collect();
            let shown = room.shown(&user, name);
            assert_eq!(shown, PlayerName::salvaged(name).unlike(&taken).as_str());
            room.apply(&Said { user, name: shown, text: "hi".into(), at_ms }, Position::default());
        }
    }
}
