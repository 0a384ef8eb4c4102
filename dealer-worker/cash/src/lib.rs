//! The table whose chips are somebody's: they come from the cage, which keeps what players own, and go back to it.
//!
//! The game is a [`Table`], as at any other table. What stands around it is where its chips come from. Whoever sits down has a seat
//! *reserved* and is seated when the cage has answered; whoever leaves is paid, which the cage cannot refuse. What is asked of the cage are
//! errands of the room: facts of its journal, each with a name, done once. So whatever dies, no chip is made or lost.
//!
//! Clients follow it as a table: what they are told are a table's events, and `reserved` and `freed`.
//!
//! In reading order:
//!
//! - [`state`]: what is known beyond the game, and the facts that change it.
//! - [`draft`]: a decision in the making: what the game lets go of is paid.
//! - [`buying`]: chips from the cage.
//! - [`view`]: what everybody sees; [`holdings`]: what the ledger is held against.

pub mod buying;
mod draft;
mod holdings;
pub mod state;
mod view;

use broker::{lobby::Line, node::RoomSpec};
use money::{Ask, Body as _, Currency, Paid, Why, holdings::Question};
use protocol::{
    id::{Position, RoomId, UserId},
    table::{TableCommand, TableConfig},
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use rooms::room::{
    BadSpec, Decision, Input, Moment, Refusal, Room,
    errands::{Errand, Errands, Outcome},
    json,
    record::{self, BadRecord},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use table::{
    Table,
    commands::{self, Asker},
};
use tracing::error;

pub use self::state::{Cash, Event};
use self::{buying::Wish, draft::Draft};

/// What a cash table is set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What its chips are: one chip is the smallest unit of it.
    pub currency: Currency,
    /// The game.
    pub table: TableConfig,
}

impl Room for Cash {
    type Event = Event;

    const KIND: u8 = 9;
    const SINCE: u16 = 3;
    const NAME: &'static str = money::TABLE_KIND;
    const SEEN_AS: &'static str = Table::NAME;
    const TELLS: Option<&'static str> = Table::TELLS;
    /// Grows with that of [`Table`], which is a part of it: this is of schema 6 there.
    const SCHEMA: u16 = 5;
    const TELLS_RAIL_AT_ONCE: bool = Table::TELLS_RAIL_AT_ONCE;

    fn read(schema: u16, record: &mut &[u8]) -> Result<Self, BadRecord> {
        let of_table = match schema {
            1 => 2,
            2 => 3,
            3 => 4,
            4 => 5,
            5 => 6,
            _ => return Err(BadRecord::Schema { schema, known: Self::SCHEMA }),
        };
        Ok(Self { table: Table::read(of_table, record)?, chips: record::take(record)? })
    }

    fn read_events(schema: u16, record: &mut &[u8]) -> Result<Vec<Event>, BadRecord> {
        match schema {
            // Schema 2 has the table's events of its schema 3, schema 3 those of its schema 4, and so on.
            1..=5 => record::take(record),
            _ => Err(BadRecord::Schema { schema, known: Self::SCHEMA }),
        }
    }

    fn open(spec: &RoomSpec) -> Result<Self, BadSpec> {
        let Settings { currency, table } = spec.read()?;
        Ok(Self::new(currency, Table::new(table).with_rail(spec.rail)))
    }

    fn decide(&self, input: Input<'_>, moment: Moment, rng: &mut dyn Rng) -> Result<Decision<Self>, Refusal> {
        let mut draft = Draft::of(self, moment);
        if self.chips.is_new() || matches!(input, Input::TakenOver { .. }) {
            // What was decided behind this is no part of the history.
            draft.ask(&Ask::Cut { follows: self.chips.last });
            draft.emit(Event::TakenOver);
        }
        match input {
            Input::Command { user, name, rights, body } => {
                command(&mut draft, Asker { user, name, rights }, body, rng)?;
            }
            Input::Away { user, away } => {
                let reserved = draft.chips.reservation_of(user).filter(|reserved| reserved.away != away);
                if let Some(seat) = reserved.map(|reserved| reserved.seat) {
                    draft.emit(Event::ReservedAway { seat, away });
                }
                table::decide(&mut draft.table, input, rng)?;
            }
            Input::Clock => {
                buying::time_over(&mut draft);
                table::decide(&mut draft.table, input, rng)?;
            }
            Input::TakenOver { .. } => table::decide(&mut draft.table, input, rng)?,
            Input::Outcome { errand, outcome } => answered(&mut draft, errand, outcome),
            Input::Told { .. } | Input::Recalled { .. } | Input::Gone { .. } | Input::Diverged { .. } => {}
        }
        Ok(draft.decision())
    }

    fn apply(&mut self, event: &Event, at: Position) {
        if let Event::Table(event) = event {
            self.table.apply(event, at);
        }
        self.chips.change(event, at);
    }

    fn deadline(&self) -> Option<UnixMs> {
        let at_once = self.chips.is_new().then_some(0);
        at_once.into_iter().chain(self.table.deadline()).chain(buying::deadline(&self.chips)).min()
    }

    fn waits_to_be_heard(&self) -> bool {
        self.table.waits_to_be_heard()
    }

    fn view(&self) -> Box<RawValue> {
        json(&view::View::of(self))
    }

    fn privates(&self) -> Vec<(UserId, Box<RawValue>)> {
        self.table.privates()
    }

    fn rail(&self) -> Option<Box<RawValue>> {
        self.table.for_the_rail()
    }

    fn answer(&self, user: &UserId, question: &[u8]) -> Result<Box<RawValue>, Refusal> {
        self.table.answer(user, question)
    }

    fn answer_with(
        &self,
        user: &UserId,
        question: &[u8],
        errands: &Errands,
    ) -> Result<Box<RawValue>, Refusal> {
        match Question::is_asked(question) {
            true => Ok(json(&holdings::of(self, errands))),
            false => self.answer(user, question),
        }
    }

    fn is_member(&self, user: &UserId) -> bool {
        self.table.is_member(user) || self.chips.reservation_of(user).is_some()
    }

    fn members(&self) -> Vec<UserId> {
        let mut members = self.table.members();
        members.extend(self.chips.reserved.iter().map(|reserved| reserved.user.clone()));
        members
    }

    fn live(&self) -> Vec<UserId> {
        let mut live = self.table.live();
        live.extend(self.chips.reserved.iter().map(|reserved| reserved.user.clone()));
        live
    }

    fn line(&self, room: &RoomId, now: UnixMs) -> Option<Line> {
        let mut line = self.table.line(room, now)?;
        let reserved = u32::try_from(self.chips.reserved.len()).unwrap_or(u32::MAX);
        line.more.0.insert("currency".into(), self.chips.currency.as_str().into());
        Some(Line { taken: line.taken + reserved, ..line })
    }
}

/// A command: chips come from the cage, the rest is the game's.
fn command(draft: &mut Draft, asker: Asker<'_>, body: &[u8], rng: &mut dyn Rng) -> Result<(), Refusal> {
    let Asker { user, name, .. } = asker;
    let command = commands::read(body)?;
    commands::is_allowed(&draft.table, &command, asker)?;
    match command {
        TableCommand::Sit { seat, buy_in, wait_for_big_blind: waits } => {
            buying::reserve(draft, &Wish { user, name, seat, buy_in, waits }, rng)
        }
        TableCommand::TopUp { amount } => buying::top_up(draft, user, amount, rng),
        TableCommand::Wait => buying::wait(draft, user, name),
        TableCommand::Leave if draft.chips.reservation_of(user).is_some() => {
            buying::leave(draft, user);
            Ok(())
        }
        TableCommand::ComeBack { .. } if has_lost_the_seat(draft, user) => Err(buying::lost()),
        command => commands::follow(&mut draft.table, asker, command),
    }
}

fn has_lost_the_seat(draft: &Draft, user: &UserId) -> bool {
    let seat = draft.table.table().seat_of(user);
    seat.and_then(|seat| draft.chips.stint(seat)).is_some_and(|stint| stint.is_forfeit)
}

/// The cage has answered.
fn answered(draft: &mut Draft, errand: &Errand, outcome: &Outcome) {
    let answer = match outcome {
        Outcome::Done(_) => Ok(()),
        Outcome::Refused(why) => Err(Why::read(why).unwrap_or(Why::Bad)),
    };
    match (Ask::read(&errand.ask.body), outcome) {
        (Ok(Ask::BuyIn(_)), _) => buying::bought(draft, errand.id, answer),
        (Ok(Ask::TopUp(_)), _) => buying::topped_up(draft, errand.id, answer),
        (Ok(Ask::Cut { .. }), Outcome::Done(whom)) => {
            let Paid(users) = Paid::read(whom).unwrap_or_default();
            buying::paid(draft, errand.id, &users);
            draft.emit(Event::Cut);
        }
        (ask, outcome) => error!(?ask, ?outcome, "the cage has answered what it was not asked"),
    }
}
