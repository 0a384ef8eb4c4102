//! The tournament: the only authority on who belongs where. Tables are the authority on which seat and how many chips.
//!
//! In reading order:
//!
//! - [`state`]: what is known, and the facts that change it; in `pages`, so that copies cost little, with a `tally` of what each decision asks. `draft`: a decision
//!   in the making.
//! - `commands`: registering, and what directors may do. `hears`: what tables say.
//! - `progress`: what follows: starting, opening tables, seating, levelling and breaking them, hand for hand, places, the end.
//! - `stakes`, `buying`: where entries cost chips that are somebody's.
//! - `view`: what everybody sees. `first_schema`: what was stored before.

mod buying;
mod commands;
mod draft;
mod first_schema;
mod hears;
mod pages;
mod progress;
mod second_schema;
pub mod stakes;
pub mod state;
mod tally;
mod third_schema;
mod view;

use broker::{lobby::Line, node::RoomSpec};
use money::holdings::Question;
use protocol::{
    id::{Position, RoomId, UserId},
    time::UnixMs,
    tournament::{KIND, Phase},
};
use rand_chacha::rand_core::Rng;
use rooms::{
    planted::{Fault, is_planted},
    room::{
        BadSpec, Decision, Input, Moment, Refusal, Room,
        errands::{Errands, Outcome},
        json,
        record::{self, BadRecord},
    },
};
use serde_json::value::RawValue;
use tracing::error;

pub use self::state::{Event, Settings, Tournament};
use self::{draft::Draft, stakes::Stakes};
use crate::settings;

/// The longest name of a tournament's room: its tables' names are longer.
pub const ID_CHARS_MAX: usize = 32;

/// So long a new owner waits to hear what was said before, until it begins anything and sends anybody anywhere. A room that is not there is known
/// not to be after about four seconds.
const WAIT_MS: u64 = 5_000;

impl Room for Tournament {
    type Event = Event;

    const KIND: u8 = 2;
    const SINCE: u16 = 3;
    const NAME: &'static str = KIND;
    const SCHEMA: u16 = 4;
    const WRITES_LETTERS: bool = true;
    /// Its players must see what it does, and they are too many to be named in each frame. So it tells live who is out; the tables that it opens are
    /// shown late.
    const SHOWN_LATE: bool = false;

    fn read(schema: u16, record: &mut &[u8]) -> Result<Self, BadRecord> {
        let stored = match schema {
            1 => record::take(record).map(first_schema::Tournament::read),
            2 => record::take(record).map(second_schema::Tournament::read),
            3 => record::take(record).map(third_schema::Tournament::read),
            4 => record::take(record),
            _ => Err(BadRecord::Schema { schema, known: Self::SCHEMA }),
        };
        stored.map(Self::counted)
    }

    fn read_events(schema: u16, record: &mut &[u8]) -> Result<Vec<Event>, BadRecord> {
        match schema {
            // Schema 2 has one word more, schema 3 three, schema 4 that of chips that are somebody's.
            1..=4 => record::take(record),
            _ => Err(BadRecord::Schema { schema, known: Self::SCHEMA }),
        }
    }

    fn open(spec: &RoomSpec) -> Result<Self, BadSpec> {
        let settings: Settings = spec.read()?;
        settings::check(&settings.tournament).map_err(|bad| BadSpec(bad.to_string()))?;
        settings::check_price(settings.price.as_ref(), &settings.tournament)
            .map_err(|bad| BadSpec(bad.to_string()))?;
        if settings.id.as_str().len() > ID_CHARS_MAX {
            return Err(BadSpec(format!("`id` has more than {ID_CHARS_MAX} characters")));
        }
        Ok(Self::new(settings))
    }

    fn decide(&self, input: Input<'_>, moment: Moment, rng: &mut dyn Rng) -> Result<Decision<Self>, Refusal> {
        let mut draft = Draft::of(self, moment);
        if self.stakes.as_ref().is_some_and(Stakes::is_new) || matches!(input, Input::TakenOver { .. }) {
            // What was decided behind this is no part of the history.
            buying::taken_over(&mut draft);
        }
        match input {
            Input::Command { user, name, rights, body } => {
                commands::decide(&mut draft, commands::Asker { user, name, rights }, body, rng)?;
            }
            Input::Told { from, letter, body } => hears::told(&mut draft, from, letter, body),
            Input::Recalled { letters } => hears::recalled(&mut draft, letters),
            Input::Outcome { errand, outcome } if errand.ask.of == money::SERVICE => {
                buying::answered(&mut draft, errand, outcome);
            }
            Input::Outcome { errand, outcome } => {
                if let Outcome::Refused(_) = outcome {
                    error!(errand = ?errand.id, "a room of a tournament could not be opened");
                }
                hears::opened(&mut draft, errand.id);
            }
            Input::Gone { room } => hears::gone(&mut draft, room),
            Input::Diverged { from } => {
                error!(%from, "a tournament and a table do not remember the same: who sits there stays there");
            }
            Input::TakenOver { .. } if matches!(self.phase, Phase::Registering | Phase::Running) => {
                if !is_planted(Fault::DecidesUnasked) {
                    draft.emit(Event::Waits { until_ms: Some(moment.now + WAIT_MS) });
                }
            }
            Input::Clock => {
                buying::time_over(&mut draft);
                progress::waited(&mut draft, WAIT_MS);
            }
            Input::TakenOver { .. } | Input::Away { .. } => {}
        }
        if !self.is_over && draft.room.waits_until.is_none() {
            progress::go_on(&mut draft, rng);
        }
        Ok(draft.decision())
    }

    fn apply(&mut self, event: &Event, at: Position) {
        self.change(event, at);
    }

    fn deadline(&self) -> Option<UnixMs> {
        progress::deadline(self).into_iter().chain(buying::deadline(self)).min()
    }

    fn is_over(&self) -> bool {
        self.is_over
    }

    /// Its tables; and those that it may have opened, and the journal has lost it. A new owner asks them what was said before.
    fn peers(&self) -> Vec<RoomId> {
        (1..=self.tables_perhaps()).map(|table| self.room_of(table)).collect()
    }

    fn hears(&self, room: &RoomId) -> bool {
        self.table_of(room).is_some_and(|table| table <= self.tables_perhaps())
    }

    fn view(&self) -> Box<RawValue> {
        view::state(self)
    }

    /// Nobody is a member: where ten thousand are makes no difference to it, and would be ten thousand messages.
    fn privates(&self) -> Vec<(UserId, Box<RawValue>)> {
        Vec::new()
    }

    fn answer(&self, user: &UserId, question: &[u8]) -> Result<Box<RawValue>, Refusal> {
        view::answer(self, user, question)
    }

    fn answer_with(
        &self,
        user: &UserId,
        question: &[u8],
        errands: &Errands,
    ) -> Result<Box<RawValue>, Refusal> {
        match &self.stakes {
            Some(stakes) if Question::is_asked(question) => Ok(json(&buying::holdings(stakes, errands))),
            _ => self.answer(user, question),
        }
    }

    fn is_member(&self, _: &UserId) -> bool {
        false
    }

    fn members(&self) -> Vec<UserId> {
        Vec::new()
    }

    fn line(&self, room: &RoomId, _: UnixMs) -> Option<Line> {
        view::line(self, room)
    }
}
