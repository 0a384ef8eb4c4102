//! The table of a tournament: a [`Table`] at which seats are given and taken by its tournament, in letters.
//!
//! Players act, and nothing else: they neither sit down nor leave nor bring chips. Everybody with chips is dealt in, present or not. The table
//! knows the schedule and the clock, and has the blinds of the level that is on when a hand begins.
//!
//! In reading order:
//!
//! - [`state`]: what is known beyond the game, and the facts that change it.
//! - `draft`: a decision in the making. `hears`: what the tournament says. `chair`: who gets which seat.
//! - `between`: what is done when no hand is on.

mod between;
mod chair;
mod draft;
mod hears;
mod second_schema;
pub mod state;

use broker::{lobby::Line, node::RoomSpec};
use protocol::{
    RefusalCode as Code,
    id::{Position, RoomId, UserId},
    table::{TableCommand, TableView},
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use rooms::room::{
    BadSpec, Decision, Input, Moment, Refusal, Room, json,
    record::{self, BadRecord},
};
use serde::Serialize;
use serde_json::value::RawValue;
use table::{
    Table,
    commands::{self, Asker},
};
use tracing::error;

pub use self::state::{Event, Settings, TournamentTable};
use self::{draft::Draft, state::Part};
use crate::{clock, settings};

/// So long a new owner waits to hear what the table had said before, until it deals.
const WAIT_MS: u64 = 5_000;

impl Room for TournamentTable {
    type Event = Event;

    const KIND: u8 = 12;
    const SINCE: u16 = 3;
    const NAME: &'static str = "tournament_table";
    const SEEN_AS: &'static str = Table::NAME;
    const TELLS: Option<&'static str> = Table::TELLS;
    /// Grows with that of [`Table`], which is a part of it: this is of schema 6 there.
    const SCHEMA: u16 = 4;
    const WRITES_LETTERS: bool = true;

    fn read(schema: u16, record: &mut &[u8]) -> Result<Self, BadRecord> {
        let of_table = match schema {
            1 => 3,
            2 => 4,
            3 => 5,
            4 => 6,
            _ => return Err(BadRecord::Schema { schema, known: Self::SCHEMA }),
        };
        let table = Table::read(of_table, record)?;
        let part = match schema {
            ..=2 => record::take::<second_schema::Part>(record)?.read(),
            _ => record::take(record)?,
        };
        Ok(Self { table, part })
    }

    fn read_events(schema: u16, record: &mut &[u8]) -> Result<Vec<Event>, BadRecord> {
        match schema {
            // Schema 2 has the table's events of its schema 4, schema 3 those of its schema 5, and four words more.
            1..=4 => record::take(record),
            _ => Err(BadRecord::Schema { schema, known: Self::SCHEMA }),
        }
    }

    fn open(spec: &RoomSpec) -> Result<Self, BadSpec> {
        let settings: Settings = spec.read()?;
        settings::check(&settings.tournament).map_err(|bad| BadSpec(bad.to_string()))?;
        Ok(Self::new(settings))
    }

    fn decide(&self, input: Input<'_>, moment: Moment, rng: &mut dyn Rng) -> Result<Decision<Self>, Refusal> {
        let mut draft = Draft::of(self, moment);
        // The clock stands as long as the last hand waits nowhere to be written down; whatever else is decided must not deal meanwhile.
        let may_deal = matches!(input, Input::Clock);
        match input {
            Input::Command { user, name, rights, body } => {
                command(&mut draft, Asker { user, name, rights }, body)?;
            }
            Input::Away { .. } => table::decide(&mut draft.table, input, rng)?,
            Input::Clock => {
                table::clock::pass(&mut draft.table);
                between::waited(&mut draft);
            }
            Input::TakenOver { .. } => {
                table::decide(&mut draft.table, input, rng)?;
                draft.emit(Event::Waits { until_ms: Some(moment.now + WAIT_MS) });
            }
            Input::Told { from, letter, body } if *from == self.part.of => {
                hears::told(&mut draft, letter, body, rng);
            }
            Input::Recalled { letters } => hears::recalled(&mut draft, letters),
            Input::Gone { room } if *room == self.part.of => between::close(&mut draft),
            Input::Diverged { from } => {
                error!(%from, "a table and its tournament do not remember the same: the table plays on, and nobody comes or goes");
            }
            Input::Told { .. } | Input::Gone { .. } | Input::Outcome { .. } => {}
        }
        between::settle(&mut draft, rng);
        if may_deal {
            between::deal(&mut draft, rng);
        }
        Ok(draft.decision())
    }

    fn apply(&mut self, event: &Event, at: Position) {
        if let Event::Table(event) = event {
            self.table.apply(event, at);
        }
        self.part.change(event);
    }

    fn deadline(&self) -> Option<UnixMs> {
        if self.is_over() {
            return None;
        }
        let hand = between::hand_at(&self.table, &self.part);
        let answer = self.part.waits_until;
        table::clock::waits_until(&self.table).into_iter().chain(hand).chain(answer).min()
    }

    fn waits_to_be_heard(&self) -> bool {
        self.table.waits_to_be_heard()
    }

    fn is_over(&self) -> bool {
        self.part.is_closed
    }

    fn peers(&self) -> Vec<RoomId> {
        vec![self.part.of.clone()]
    }

    fn view(&self) -> Box<RawValue> {
        json(&View::of(self))
    }

    fn privates(&self) -> Vec<(UserId, Box<RawValue>)> {
        self.table.privates()
    }

    fn answer(&self, user: &UserId, question: &[u8]) -> Result<Box<RawValue>, Refusal> {
        self.table.answer(user, question)
    }

    fn is_member(&self, user: &UserId) -> bool {
        self.table.is_member(user)
    }

    fn members(&self) -> Vec<UserId> {
        self.table.members()
    }

    fn live(&self) -> Vec<UserId> {
        self.table.live()
    }

    /// Its tournament has one: whoever wants to look on finds the table there.
    fn line(&self, _: &RoomId, _: UnixMs) -> Option<Line> {
        None
    }
}

/// A keyframe's `state`: that of a table, with a field more.
#[derive(Serialize)]
struct View<'a> {
    #[serde(flatten)]
    table: &'a TableView,
    tournament: Of<'a>,
}

/// Which tournament's table it is.
#[derive(Serialize)]
struct Of<'a> {
    room: &'a RoomId,
    number: u32,
}

impl<'a> View<'a> {
    fn of(room: &'a TournamentTable) -> Self {
        let Part { of, number, .. } = &room.part;
        Self { table: room.table.public(), tournament: Of { room: of, number: *number } }
    }
}

/// A command: what concerns seats and chips is the tournament's, the rest is the game's.
fn command(draft: &mut Draft, asker: Asker<'_>, body: &[u8]) -> Result<(), Refusal> {
    let command = commands::read(body)?;
    let refuse = |why: &str| Err(Refusal::new(Code::NotAllowed, why));
    match command {
        TableCommand::Sit { .. } => {
            refuse("this is a tournament's table: who has registered there is given a seat")
        }
        TableCommand::Wait | TableCommand::StopWaiting => {
            refuse("nobody waits for a seat of a tournament's table")
        }
        TableCommand::Leave => {
            refuse("nobody leaves a tournament: sit out, and your chips are played as if you folded")
        }
        TableCommand::TopUp { .. } => refuse("in a tournament nobody brings more chips"),
        TableCommand::ComeBack { .. } if penalty_of(draft, asker.user).is_some() => {
            let hands = penalty_of(draft, asker.user).unwrap_or_default();
            refuse(&format!("a director has you sit out: so many hands more: {hands}"))
        }
        command => {
            commands::is_allowed(&draft.table, &command, asker)?;
            commands::follow(&mut draft.table, asker, command)
        }
    }
}

/// So many hands a director has this player sit out.
fn penalty_of(draft: &Draft, user: &UserId) -> Option<u32> {
    let player = draft.part.seated().find(|(_, player)| player.user == *user);
    draft.part.penalty_of(player?.1.entry)
}

/// What the level is when a hand begins at `at`, as a part of the schedule, and its blinds.
fn level_at(part: &Part, at: UnixMs) -> (u32, (u64, u64, u64)) {
    let levels = &part.config.levels;
    let index = clock::read(&part.clock, levels, at).index;
    (u32::try_from(index).unwrap_or(u32::MAX), clock::blinds(&part.clock, levels, at))
}
