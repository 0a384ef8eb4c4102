//! The table that a player has opened: who may come in, and what its host decides.
//!
//! The game is a [`Table`], as at any other table. What stands around it is a door: it takes `sit` before the table sees it, and adds the
//! host's commands ([`HostCommand`]); all the rest is the table's. What the host wants of the game is done in the table's own words and
//! between hands alone: who is kicked leaves when the hand has ended, as if he had said so himself.
//!
//! Clients follow it as a table: what they are told are a table's events, and `hosted`.
//!
//! In reading order:
//!
//! - [`door`]: what is known beyond the game, and the facts that change it; [`code`]: what opens it; [`ledger`]: who has brought and
//!   taken what.
//! - [`draft`]: a decision in the making, and what follows from each: who leaves, who is the host, whether the table is over.
//! - [`ai`]: the AI players whom the host has invited.
//! - [`entering`]: knocking, and taking a seat. [`host`]: the host's commands. [`time`]: what is over after a while.

pub mod ai;
pub mod code;
pub mod door;
mod draft;
mod entering;
pub mod host;
pub mod ledger;
mod time;

use broker::{lobby::Line, node::RoomSpec};
use protocol::{
    RefusalCode as Code,
    hosted::{Access, AiSeats, HostCommand, HostLeaves, HostedQuestion, HostedView},
    id::{Position, RoomId, UserId},
    table::{TableCommand, TableConfig},
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use rooms::{
    planted::{Fault, is_planted},
    room::{
        BadSpec, Decision, Input, Moment, Refusal, Room,
        errands::Outcome,
        json,
        record::{self, BadRecord},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use table::{
    Seen, Table,
    commands::{self, Asker},
    waiting,
};

use self::{ai::Ai, draft::Draft};
pub use self::{
    door::{Door, Event},
    host::check,
};

/// What a hosted table is set to when it is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The game.
    pub table: TableConfig,
    /// Who has opened it.
    pub host: UserId,
    /// Who may sit down.
    pub access: Access,
    /// What becomes of it when the host leaves.
    pub host_leaves: HostLeaves,
    /// Whom it tells that it is no more.
    pub floor: RoomId,
    /// A table at which nobody sits for so long closes, milliseconds.
    pub idle_ms: u64,
    /// The largest big blind, chips.
    pub big_blind_max: u64,
    /// Whether AI players may sit there.
    #[serde(default, skip_serializing_if = "AiSeats::is_default")]
    pub ai: AiSeats,
}

/// A table with a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hosted {
    /// The game.
    table: Table,
    /// Who may do what.
    door: Door,
    /// The AI players that the host has invited.
    ai: Ai,
}

/// A keyframe's `state`: that of a table, with a field more.
#[derive(Serialize)]
struct View<'a> {
    #[serde(flatten)]
    table: Seen<'a>,
    hosted: HostedView,
}

impl Room for Hosted {
    type Event = Event;

    const KIND: u8 = 10;
    const SINCE: u16 = 3;
    const NAME: &'static str = "hosted";
    const SEEN_AS: &'static str = Table::NAME;
    const TELLS: Option<&'static str> = Table::TELLS;
    /// Grows with that of [`Table`], which is a part of it: this is of schema 6 there.
    const SCHEMA: u16 = 5;
    const TELLS_RAIL_AT_ONCE: bool = Table::TELLS_RAIL_AT_ONCE;
    const WRITES_LETTERS: bool = true;

    fn read(schema: u16, record: &mut &[u8]) -> Result<Self, BadRecord> {
        let of_table = match schema {
            1 => 3,
            2 => 4,
            3 | 4 => 5,
            5 => 6,
            _ => return Err(BadRecord::Schema { schema, known: Self::SCHEMA }),
        };
        let (table, door) = (Table::read(of_table, record)?, record::take(record)?);
        // Of before there were any.
        let ai = if schema < 4 { Ai::new(AiSeats::default()) } else { record::take(record)? };
        Ok(Self { table, door, ai })
    }

    fn read_events(schema: u16, record: &mut &[u8]) -> Result<Vec<Event>, BadRecord> {
        match schema {
            // Schema 2 has the table's events of its schema 4, and so on; schema 4 has one event more.
            1..=5 => record::take(record),
            _ => Err(BadRecord::Schema { schema, known: Self::SCHEMA }),
        }
    }

    fn open(spec: &RoomSpec) -> Result<Self, BadSpec> {
        let settings: Settings = spec.read()?;
        let table = Table::new(settings.table.clone()).with_rail(spec.rail);
        let ai = Ai::new(settings.ai);
        Ok(Self { table, door: Door::new(settings), ai })
    }

    fn decide(&self, input: Input<'_>, moment: Moment, rng: &mut dyn Rng) -> Result<Decision<Self>, Refusal> {
        let mut draft = Draft::of(self, moment);
        match input {
            Input::Command { user, name, rights, body } => {
                command(&mut draft, Asker { user, name, rights }, body, rng)?;
            }
            Input::Clock => {
                time::over(&mut draft);
                waiting::time_over(&mut draft.table);
                if is_due(self.table_due(), moment.now) {
                    table::decide(&mut draft.table, input, rng)?;
                }
            }
            Input::Outcome { errand, outcome: Outcome::Refused(_) } if errand.ask.of == seats::SERVICE => {
                ai::refused(&mut draft, &errand.ask.body);
            }
            _ => table::decide(&mut draft.table, input, rng)?,
        }
        draft.settle();
        Ok(draft.decision())
    }

    fn apply(&mut self, event: &Event, at: Position) {
        match event {
            Event::Table(event) => {
                self.door.ledger.take(&self.table, event);
                self.table.apply(event, at);
            }
            Event::Ai(event) => self.ai.change(event),
            event => self.door.change(event),
        }
    }

    fn deadline(&self) -> Option<UnixMs> {
        let waiting = waiting::deadline(&self.table);
        self.table_due().into_iter().chain(waiting).chain(time::deadline(self)).min()
    }

    fn waits_to_be_heard(&self) -> bool {
        self.table.waits_to_be_heard()
    }

    fn is_over(&self) -> bool {
        self.door.is_over
    }

    /// It writes to the floor, and hears nothing of it.
    fn peers(&self) -> Vec<RoomId> {
        vec![self.door.floor.clone()]
    }

    fn view(&self) -> Box<RawValue> {
        json(&View { table: self.table.seen(), hosted: self.door.view(&self.ai) })
    }

    fn privates(&self) -> Vec<(UserId, Box<RawValue>)> {
        self.table.privates()
    }

    fn rail(&self) -> Option<Box<RawValue>> {
        self.table.for_the_rail()
    }

    fn answer(&self, user: &UserId, question: &[u8]) -> Result<Box<RawValue>, Refusal> {
        let read = str::from_utf8(question).ok().map(HostedQuestion::read);
        match read {
            Some(Ok(Some(HostedQuestion::Ledger))) => Ok(json(&self.door.ledger.answer(&self.table))),
            // What is none of its own is the table's, to which whatever is wrong is said too.
            _ => self.table.answer(user, question),
        }
    }

    fn is_member(&self, user: &UserId) -> bool {
        self.table.is_member(user)
    }

    fn members(&self) -> Vec<UserId> {
        self.table.members()
    }

    /// Also whoever was asked to come, who has to see the table to sit down.
    fn live(&self) -> Vec<UserId> {
        let mut live = self.table.live();
        let comes = self.ai.users().filter(|user| self.table.seat_of(user).is_none());
        live.extend(comes.cloned());
        live
    }

    /// Also the host, and for whom a seat is kept.
    fn insiders(&self) -> Vec<UserId> {
        let mut insiders = self.members();
        insiders.extend(self.live());
        insiders.extend(self.door.kept.iter().map(|kept| kept.user.clone()));
        insiders.push(self.door.host.clone());
        insiders
    }

    fn line(&self, room: &RoomId, now: UnixMs) -> Option<Line> {
        let is_listed = self.door.access == Access::Public || is_planted(Fault::ListsUnlisted);
        let line = self.table.line(room, now).filter(|_| is_listed)?;
        let kept = self.door.kept.iter().filter(|kept| self.table.seated(kept.seat).is_none());
        let kept = u32::try_from(kept.count()).unwrap_or(u32::MAX);
        Some(Line { taken: line.taken + kept, ..line })
    }
}

impl Hosted {
    /// When something is due in the game. Between hands of a table that pauses nothing is: no hand begins, and nobody loses a seat.
    fn table_due(&self) -> Option<UnixMs> {
        let stands_still = self.door.paused_ms.is_some() && !self.table.is_playing();
        self.table.deadline().filter(|_| !stands_still)
    }
}

fn is_due(at: Option<UnixMs>, now: UnixMs) -> bool {
    at.is_some_and(|at| at <= now)
}

/// A command: the door's, the host's, or the game's.
fn command(draft: &mut Draft<'_>, asker: Asker<'_>, body: &[u8], rng: &mut dyn Rng) -> Result<(), Refusal> {
    if draft.door.is_over {
        return Err(Refusal::new(Code::NotAllowed, "this table is closed"));
    }
    let text = str::from_utf8(body).unwrap_or_default();
    match HostCommand::read(text) {
        Ok(Some(HostCommand::Knock { code })) => return entering::knock(draft, asker, code.as_deref()),
        Ok(Some(command)) => return host::command(draft, asker, command, rng),
        Err(unfit) if host::is_asked(text) => {
            let message = format!("not a command of a table: {unfit}");
            return Err(Refusal::new(Code::BadCommand, message));
        }
        Ok(None) | Err(_) => {}
    }
    let command = commands::read(body)?;
    commands::is_allowed(&draft.table, &command, asker)?;
    match command {
        TableCommand::Sit { seat, buy_in, wait_for_big_blind } => {
            let seat = entering::seat(draft, asker.user, seat)?;
            let command = TableCommand::Sit { seat: Some(seat), buy_in, wait_for_big_blind };
            commands::follow(&mut draft.table, asker, command)
        }
        TableCommand::Wait => entering::wait(draft, asker),
        TableCommand::ComeBack { .. } | TableCommand::TopUp { .. } if draft.must_go(asker.user) => {
            Err(Refusal::new(Code::NotAllowed, "your seat at this table ends with the hand"))
        }
        command => commands::follow(&mut draft.table, asker, command),
    }
}
