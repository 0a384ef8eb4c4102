//! The table: seats, hands on the rules of [`holdem`], clocks, and what everybody sees of it.
//!
//! A [`Table`] decides on a draft of itself: each [`Event`] that a decision emits is applied to the draft at once, and
//! what clients get ([`TableEvent`](protocol::table::TableEvent)s) falls out of applying. So deciding,
//! committing and restoring all go through [`Table::apply`], and the public view is kept by the same fold that clients do.
//!
//! In reading order:
//!
//! - [`event`]: the facts of a table; [`state`]: what they do to it.
//! - [`draft`]: a decision in the making.
//! - [`commands`]: what players ask; [`names`]: what they are called; [`clock`]: what time does.
//! - [`dealing`]: starting, pacing and ending hands; [`between`]: settings in the words of the rules;
//!   [`settings`]: what makes them valid.
//! - `runs`: on how many boards the rest of a hand is dealt.
//! - [`chips`]: how many a player may bring; `leavers`: what who has left brings again, and owes.
//! - [`seating`]: taking a seat, in steps that rooms built around a table take one by one.
//! - `log`: what is kept of the hand that is played, for its record.
//! - [`waiting`]: the waiting list of a table that is full; [`missed`]: who does not come when he is called.
//! - [`rail`]: what those see of cards who have no part in the table.
//! - `first_release`: what the first release stored, read and written; `second_schema` to `fifth_schema`: what the next ones stored.
//! - [`stats`]: the table's line in the lobby.
//!
//! What everybody sees of a hand's events stands in [`hands::project`], since who has played it may see it once more.

pub mod between;
pub mod chips;
pub mod clock;
pub mod commands;
pub mod dealing;
pub mod draft;
pub mod event;
mod fifth_schema;
mod first_release;
mod fourth_schema;
mod leavers;
mod log;
pub mod missed;
pub mod names;
pub mod rail;
mod runs;
pub mod seating;
mod second_schema;
pub mod settings;
pub mod state;
pub mod stats;
mod third_schema;
pub mod waiting;

use broker::{lobby::Line, node::RoomSpec};
use protocol::{
    RefusalCode,
    id::{Position, RoomId, UserId},
    rail::RailConfig,
    table::{TablePrivate, TableQuestion, TableView, WaitingList},
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use serde::Serialize;
use serde_json::value::RawValue;

pub use self::{event::Event, state::Table};
use commands::Asker;
pub use draft::{Draft, Outgoing};
use rooms::room::{
    BadSpec, Decision, FirstRelease, Input, Moment, Refusal, Room, json,
    record::{self, BadRecord},
};

/// Decides what follows at a table from an input.
///
/// # Errors
/// A [`Refusal`]; only for [`Input::Command`], and nothing is to be committed then.
pub fn decide(draft: &mut Draft, input: Input<'_>, rng: &mut dyn Rng) -> Result<(), Refusal> {
    match input {
        Input::Command { user, name, rights, body } => {
            commands::decide(draft, Asker { user, name, rights }, body)?;
        }
        Input::Away { user, away } => clock::away(draft, user, away),
        Input::Clock => clock::decide(draft, rng),
        Input::TakenOver { grace_ms, frames_lost } => clock::taken_over(draft, grace_ms, frames_lost),
        // The table itself asks nobody and writes to nobody.
        Input::Outcome { .. }
        | Input::Told { .. }
        | Input::Recalled { .. }
        | Input::Gone { .. }
        | Input::Diverged { .. } => {}
    }
    Ok(())
}

impl Room for Table {
    type Event = Event;

    const KIND: u8 = 1;
    const SINCE: u16 = 1;
    const NAME: &'static str = "table";
    const SCHEMA: u16 = 6;
    const TELLS_RAIL_AT_ONCE: bool = true;
    const TELLS: Option<&'static str> = Some(hands::SERVICE);

    fn read(schema: u16, record: &mut &[u8]) -> Result<Self, BadRecord> {
        match schema {
            1 => record::take::<first_release::Table>(record).map(first_release::Table::read),
            2 => record::take::<second_schema::Table>(record).map(second_schema::Table::read),
            3 => record::take::<third_schema::Table>(record).map(third_schema::Table::read),
            4 => record::take::<fourth_schema::Table>(record).map(fourth_schema::Table::read),
            5 => record::take::<fifth_schema::Table>(record).map(fifth_schema::Table::read),
            6 => record::take(record),
            _ => Err(BadRecord::Schema { schema, known: Self::SCHEMA }),
        }
    }

    fn read_events(schema: u16, record: &mut &[u8]) -> Result<Vec<Event>, BadRecord> {
        match schema {
            1 => record::take(record).map(first_release::read_events),
            // Schema 3 has three events more, schema 4 another four, schemas 5 and 6 one each.
            2..=6 => record::take(record),
            _ => Err(BadRecord::Schema { schema, known: Self::SCHEMA }),
        }
    }

    fn first_release() -> Option<FirstRelease<Self>> {
        Some(FirstRelease {
            write: |table, record| record::put(record, &first_release::Table::of(table)),
            write_events: |record, events| record::put(record, &first_release::write_events(events)),
        })
    }

    fn second_release() -> Option<(u16, FirstRelease<Self>)> {
        let writing = FirstRelease::<Self> {
            write: |table, record| record::put(record, &second_schema::Table::of(table)),
            write_events: |record, events| record::put(record, &second_schema::words(events)),
        };
        Some((2, writing))
    }

    fn open(spec: &RoomSpec) -> Result<Self, BadSpec> {
        Ok(Self::new(spec.read()?).with_rail(spec.rail))
    }

    fn decide(&self, input: Input<'_>, moment: Moment, rng: &mut dyn Rng) -> Result<Decision<Self>, Refusal> {
        let mut draft = Draft::of(self, moment);
        decide(&mut draft, input, rng)?;
        waiting::call(&mut draft, |_| false);
        Ok(draft.decision())
    }

    fn apply(&mut self, event: &Event, _at: Position) {
        self.apply_into(event, &mut Vec::new());
    }

    fn deadline(&self) -> Option<UnixMs> {
        clock::deadline(self)
    }

    fn waits_to_be_heard(&self) -> bool {
        self.running().is_none()
    }

    fn view(&self) -> Box<RawValue> {
        json(&self.seen())
    }

    fn privates(&self) -> Vec<(UserId, Box<RawValue>)> {
        let seats = self.view.seats.iter().zip(0u8..);
        let seated =
            seats.filter_map(|(seat, at)| Some((seat.as_ref()?.user.clone(), json(&self.private(at)))));
        let waiting = self.waiting.users().filter(|user| self.view.seat_of(user).is_none());
        seated.chain(waiting.map(|user| (user.clone(), json(&TablePrivate::default())))).collect()
    }

    fn rail(&self) -> Option<Box<RawValue>> {
        self.for_the_rail()
    }

    fn answer(&self, _user: &UserId, question: &[u8]) -> Result<Box<RawValue>, Refusal> {
        let refuse = |why: &dyn std::fmt::Display| {
            Refusal::new(RefusalCode::BadQuestion, format!("not a question to a table: {why}"))
        };
        let text = str::from_utf8(question).map_err(|error| refuse(&error))?;
        let question = TableQuestion::read(text).map_err(|error| refuse(&error))?;
        // What everybody sees is all that it knows of the table.
        Ok(json(&question.answer(&self.view)))
    }

    fn is_member(&self, user: &UserId) -> bool {
        self.view.seat_of(user).is_some() || self.waiting.users().any(|waiter| waiter == user)
    }

    fn members(&self) -> Vec<UserId> {
        let seated = self.view.seats.iter().flatten().map(|seat| &seat.user);
        seated.chain(self.waiting.users()).cloned().collect()
    }

    /// Whoever has a seat, or is called to one. To wait is not enough: else whoever wants to see a table live would wait there.
    fn live(&self) -> Vec<UserId> {
        let seated = self.view.seats.iter().flatten().map(|seat| &seat.user);
        seated.chain(self.waiting.called()).cloned().collect()
    }

    fn line(&self, room: &RoomId, now: UnixMs) -> Option<Line> {
        Some(stats::line(self, room, now))
    }
}

/// A table as everybody sees it: what a keyframe's `state` says of it, whatever room is built around it.
#[derive(Debug, Serialize)]
pub struct Seen<'a> {
    #[serde(flatten)]
    table: &'a TableView,
    #[serde(skip_serializing_if = "WaitingList::is_empty")]
    waiting_list: WaitingList,
    #[serde(skip_serializing_if = "Option::is_none")]
    rail: Option<RailConfig>,
}

impl Table {
    /// What everybody sees, in the words of a keyframe.
    pub fn seen(&self) -> Seen<'_> {
        Seen { table: &self.view, waiting_list: self.waiting.view(), rail: self.rail.set() }
    }

    /// What its rail was told last, in the words of a `rail`; nothing where it was told nothing.
    pub fn for_the_rail(&self) -> Option<Box<RawValue>> {
        self.rail.told().map(json)
    }

    /// Whether nobody sits there.
    pub fn is_empty(&self) -> bool {
        self.view.seats.iter().all(Option::is_none)
    }

    /// The number of the hand; 0 before the first.
    pub fn hand(&self) -> u64 {
        self.view.hand.as_ref().map_or(0, |hand| hand.hand)
    }

    /// What only the player of a seat sees.
    pub fn private(&self, seat: u8) -> TablePrivate {
        let cards = self.hole_cards(seat);
        if cards.is_empty() {
            TablePrivate::default()
        } else {
            TablePrivate { hand: self.hand(), cards, declined: None }
        }
    }
}
