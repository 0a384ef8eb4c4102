//! The rooms from which players open tables of their own: each player is served in one of sixteen, by his name.
//!
//! `create_table` is a fact of the room's journal before anything is opened, so a table is opened once however often the command comes. The
//! table is opened by an errand; one that is over says so by letter, and does not count any more.
//! Each player is told of his tables, and nobody else is ([`Room::SPARSE`]).
//!
//! In reading order:
//!
//! - this file: what is asked and told.
//! - [`owners`]: who has which tables, and the facts that change it.

pub mod owners;

use broker::{lobby::Line, node::RoomSpec};
use hosted::Hosted;
use protocol::{
    RefusalCode as Code,
    floor::{FloorAnswer, FloorCommand, FloorQuestion, FloorRules, KIND, TABLE_PREFIX},
    hosted::{Access, AiSeats, Choice, HostLeaves},
    id::{ErrandId, Position, RoomId, UserId},
    rail::{CARDS_DELAY_MIN_MS, DELAY_MAX_MS, RailConfig, VIEWERS_MAX},
    rights::{Can, Rights},
    table::TableConfig,
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use rooms::{
    open::opening,
    planted::{Fault, is_planted},
    room::{
        BadSpec, Decision, Input, Moment, Refusal, Room,
        errands::{Ask, Outcome},
        json,
        record::{self, BadRecord},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::owners::Event;
use self::owners::Owners;

/// So many players' tables may be open that one room of the floor has opened.
pub const TABLES_MAX: usize = 2_048;

/// RFC 4648's base32 in small letters.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Characters of a table's name behind its prefix, five random bits each.
const NAME_CHARS: u32 = 16;

/// What such a room is set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What players do not choose of a table's settings is as it stands here.
    pub table: TableConfig,
    /// So many tables of one player may be open.
    pub tables_max: u32,
    /// The largest big blind, chips.
    pub big_blind_max: u64,
    /// A table at which nobody sits for so long closes, milliseconds.
    pub idle_ms: u64,
}

/// See the module. `OPENS`: players may open tables. In records it is the same either way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor<const OPENS: bool> {
    settings: Settings,
    owners: Owners,
}

impl<const OPENS: bool> Room for Floor<OPENS> {
    type Event = Event;

    const KIND: u8 = 3;
    const SINCE: u16 = 3;
    const NAME: &'static str = KIND;
    const SCHEMA: u16 = 1;
    const WRITES_LETTERS: bool = true;
    const SPARSE: bool = true;

    fn read(schema: u16, record: &mut &[u8]) -> Result<Self, BadRecord> {
        record::is_of::<Self>(schema)?;
        record::take(record)
    }

    fn read_events(schema: u16, record: &mut &[u8]) -> Result<Vec<Event>, BadRecord> {
        record::is_of::<Self>(schema)?;
        record::take(record)
    }

    fn open(spec: &RoomSpec) -> Result<Self, BadSpec> {
        Ok(Self { settings: spec.read()?, owners: Owners::default() })
    }

    fn decide(&self, input: Input<'_>, moment: Moment, rng: &mut dyn Rng) -> Result<Decision<Self>, Refusal> {
        let mut asks = Vec::new();
        let event = match input {
            Input::Command { user, body, rights, .. } => {
                let (event, ask) = self.command(user, rights, body, moment, rng)?;
                asks = ask;
                Some(event)
            }
            Input::Outcome { errand, outcome } => {
                self.owners.opened_by(errand.id).map(|room| match outcome {
                    Outcome::Done(_) => Event::Opened { room },
                    Outcome::Refused(_) => Event::Closed { room },
                })
            }
            // The table is over, or its journal and this one tell different stories: it counts no more.
            Input::Told { from: room, .. } | Input::Gone { room } | Input::Diverged { from: room } => {
                self.owners.has(room).then(|| Event::Closed { room: room.clone() })
            }
            Input::Away { .. } | Input::Clock | Input::TakenOver { .. } | Input::Recalled { .. } => None,
        };
        let Some(event) = event else { return Ok(Decision::nothing(self.clone())) };
        let mut after = self.clone();
        after.apply(&event, moment.at);
        let whose = self.owners.whose(event.room()).or_else(|| after.owners.whose(event.room())).cloned();
        let privates = whose.into_iter().map(|user| {
            let told = json(&after.owners.told(&user));
            (user, told)
        });
        let privates = privates.collect();
        Ok(Decision { events: vec![event], privates, asks, lobby: true, ..Decision::nothing(after) })
    }

    fn apply(&mut self, event: &Event, at: Position) {
        self.owners.change(event, at);
    }

    fn deadline(&self) -> Option<UnixMs> {
        None
    }

    /// Of any player's table: one that the store has made this room forget must find it, too.
    fn hears(&self, room: &RoomId) -> bool {
        room.as_str().starts_with(TABLE_PREFIX)
    }

    fn has_done_with(&self, room: &RoomId) -> bool {
        !self.owners.has(room)
    }

    fn view(&self) -> Box<RawValue> {
        json(&self.rules())
    }

    fn privates(&self) -> Vec<(UserId, Box<RawValue>)> {
        self.owners.users().map(|user| (user.clone(), json(&self.owners.told(user)))).collect()
    }

    fn answer(&self, _: &UserId, question: &[u8]) -> Result<Box<RawValue>, Refusal> {
        let refuse = |why: &dyn std::fmt::Display| {
            Refusal::new(Code::BadQuestion, format!("not a question to the floor: {why}"))
        };
        let text = str::from_utf8(question).map_err(|error| refuse(&error))?;
        let FloorQuestion::Rules = FloorQuestion::read(text).map_err(|error| refuse(&error))?;
        Ok(json(&FloorAnswer::Rules(self.rules())))
    }

    fn is_member(&self, user: &UserId) -> bool {
        self.owners.knows(user)
    }

    fn members(&self) -> Vec<UserId> {
        self.owners.users().cloned().collect()
    }

    fn line(&self, _: &RoomId, _: UnixMs) -> Option<Line> {
        None
    }
}

impl<const OPENS: bool> Floor<OPENS> {
    fn rules(&self) -> FloorRules {
        let Settings { tables_max, big_blind_max, .. } = self.settings;
        FloorRules {
            opens: OPENS,
            tables_max,
            big_blind_max,
            rail_delay_max_ms: DELAY_MAX_MS,
            rail_cards_delay_min_ms: CARDS_DELAY_MIN_MS,
            rail_viewers_max: VIEWERS_MAX,
        }
    }

    fn command(
        &self,
        user: &UserId,
        rights: Rights,
        body: &[u8],
        moment: Moment,
        rng: &mut dyn Rng,
    ) -> Result<(Event, Vec<Ask>), Refusal> {
        let refuse = |why: &dyn std::fmt::Display| {
            Refusal::new(Code::BadCommand, format!("not a command of the floor: {why}"))
        };
        let text = str::from_utf8(body).map_err(|error| refuse(&error))?;
        let FloorCommand::CreateTable { config, access, host_leaves, rail, ai } =
            FloorCommand::read(text).map_err(|error| refuse(&error))?;
        if !OPENS {
            return Err(Refusal::new(Code::NotAllowed, "players do not open tables in this house"));
        }
        if !rights.can.has(Can::PLAY) {
            return Err(Refusal::new(Code::NotAllowed, "you may not play in this house at the moment"));
        }
        let rail = rail.config().map_err(|why| Refusal::new(Code::BadSettings, why))?;
        self.create(user, (config, access, host_leaves, rail, ai), moment, rng)
    }

    fn create(
        &self,
        user: &UserId,
        (choice, access, host_leaves, rail, ai): (Choice, Access, HostLeaves, RailConfig, AiSeats),
        moment: Moment,
        rng: &mut dyn Rng,
    ) -> Result<(Event, Vec<Ask>), Refusal> {
        let Settings { table, tables_max, big_blind_max, idle_ms } = &self.settings;
        let config = choice.within(table);
        hosted::check(&config, *big_blind_max)?;
        let is_enough = self.owners.tables_of(user) >= *tables_max as usize;
        if is_enough && !is_planted(Fault::CountsNoTables) {
            let why = format!("you have {tables_max} tables open: close one of them first");
            return Err(Refusal::new(Code::TooMany, why));
        }
        if self.owners.tables() >= TABLES_MAX {
            return Err(Refusal::for_now(Code::Busy, "too many tables of players are open", 60_000));
        }
        let (room, name) = (new_name(rng), config.name.clone());
        let settings = hosted::Settings {
            table: config,
            host: user.clone(),
            access,
            host_leaves,
            floor: protocol::floor::room_of(user),
            idle_ms: *idle_ms,
            big_blind_max: *big_blind_max,
            ai,
        };
        let asks = vec![opening(&room, &RoomSpec::new(Hosted::NAME, &settings).with_rail(rail))];
        let of = ErrandId { at: moment.at, n: 0 };
        Ok((Event::Opens { user: user.clone(), room, name, of }, asks))
    }
}

/// A name that nobody can guess: eighty random bits.
fn new_name(rng: &mut dyn Rng) -> RoomId {
    let bits = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
    let digits = (0..NAME_CHARS).map(|at| char::from(BASE32[(bits >> (5 * at)) as usize & 31]));
    let name: String = TABLE_PREFIX.chars().chain(digits).collect();
    RoomId::new(&name).expect("base32 is within the characters of a name")
}
