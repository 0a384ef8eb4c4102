//! A table that a queue has opened: a table like any other, whose waiting list its queue adds to, and which tells its queue how it stands.

use broker::{lobby::Line, node::RoomSpec};
use protocol::{
    RefusalCode as Code,
    id::{Position, RoomId, UserId},
    table::TableConfig,
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use rooms::{
    planted::{Fault, is_planted},
    room::{
        BadSpec, Decision, Input, Moment, Refusal, Room,
        letters::Said,
        record::{self, BadRecord},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use table::{Table, waiting};
use tracing::error;

use crate::letters::{self, ToQueue, ToTable};

/// What such a table is set to when it is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The game.
    pub table: TableConfig,
    /// Whose it is.
    pub queue: RoomId,
    /// It closes when nobody sits there for so long, milliseconds.
    pub idle_ms: u64,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueTable {
    /// The game.
    table: Table,
    /// All the rest.
    part: Part,
}

/// What is known beyond the game.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    queue: RoomId,
    idle_ms: u64,
    /// So many were sent here.
    heard: u64,
    /// What the queue was told last.
    told: Option<Standing>,
    /// Nobody has been here since; nothing while somebody is, and before anything has happened.
    empty_since: Option<UnixMs>,
    is_over: bool,
}

/// How it stands: see [`ToQueue::Seats`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    heard: u64,
    taken: u8,
    free: u8,
}

/// One fact, in the words of the journal's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Of the game.
    Table(table::Event),
    /// The queue has sent somebody.
    Heard,
    /// The queue is told how it stands.
    Told(Standing),
    /// Nobody is here.
    Empty {
        /// Since when.
        since_ms: UnixMs,
    },
    /// Somebody is here again.
    Taken,
    /// The table is no more.
    Over,
}

impl Room for QueueTable {
    type Event = Event;

    const KIND: u8 = 13;
    const SINCE: u16 = 3;
    const NAME: &'static str = "queue_table";
    const SEEN_AS: &'static str = Table::NAME;
    const TELLS: Option<&'static str> = Table::TELLS;
    /// Grows with that of [`Table`], which is a part of it: this is of schema 6 there.
    const SCHEMA: u16 = 2;
    const WRITES_LETTERS: bool = true;

    fn read(schema: u16, record: &mut &[u8]) -> Result<Self, BadRecord> {
        is_known(schema)?;
        let of_table = if schema == 1 { 5 } else { 6 };
        Ok(Self { table: Table::read(of_table, record)?, part: record::take(record)? })
    }

    fn read_events(schema: u16, record: &mut &[u8]) -> Result<Vec<Event>, BadRecord> {
        is_known(schema)?;
        record::take(record)
    }

    fn open(spec: &RoomSpec) -> Result<Self, BadSpec> {
        let Settings { table, queue, idle_ms } = spec.read()?;
        let part = Part { queue, idle_ms, heard: 0, told: None, empty_since: None, is_over: false };
        Ok(Self { table: Table::new(table), part })
    }

    fn decide(&self, input: Input<'_>, moment: Moment, rng: &mut dyn Rng) -> Result<Decision<Self>, Refusal> {
        if self.part.is_over {
            return match input {
                Input::Command { .. } => Err(Refusal::new(Code::NotAllowed, "this table is closed")),
                _ => Ok(Decision::nothing(self.clone())),
            };
        }
        let mut draft = Draft::of(self, moment);
        match input {
            Input::Told { from, body, .. } => {
                if *from == self.part.queue {
                    draft.told(body);
                }
            }
            Input::Clock => {
                if is_due(self.table.deadline(), moment.now) {
                    table::decide(&mut draft.table, input, rng)?;
                }
            }
            _ => table::decide(&mut draft.table, input, rng)?,
        }
        draft.settle();
        Ok(draft.decision())
    }

    fn apply(&mut self, event: &Event, at: Position) {
        if let Event::Table(event) = event {
            self.table.apply(event, at);
        }
        self.part.change(event);
    }

    fn deadline(&self) -> Option<UnixMs> {
        if self.part.is_over {
            return None;
        }
        // A new table has not looked at itself yet.
        let looks = self.part.told.is_none().then_some(0);
        self.table.deadline().into_iter().chain(self.part.closes_at()).chain(looks).min()
    }

    fn waits_to_be_heard(&self) -> bool {
        self.table.waits_to_be_heard()
    }

    fn is_over(&self) -> bool {
        self.part.is_over
    }

    fn peers(&self) -> Vec<RoomId> {
        vec![self.part.queue.clone()]
    }

    fn view(&self) -> Box<RawValue> {
        self.table.view()
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

    fn line(&self, room: &RoomId, now: UnixMs) -> Option<Line> {
        self.table.line(room, now)
    }
}

impl Part {
    fn change(&mut self, event: &Event) {
        match event {
            Event::Table(_) => {}
            Event::Heard => self.heard += 1,
            Event::Told(standing) => self.told = Some(*standing),
            Event::Empty { since_ms } => self.empty_since = Some(*since_ms),
            Event::Taken => self.empty_since = None,
            Event::Over => self.is_over = true,
        }
    }

    fn closes_at(&self) -> Option<UnixMs> {
        self.empty_since.map(|since| since + self.idle_ms)
    }
}

/// A decision in the making.
struct Draft<'a> {
    before: &'a QueueTable,
    table: table::Draft,
    part: Part,
    moment: Moment,
    events: Vec<Event>,
    letters: Vec<Said>,
}

impl<'a> Draft<'a> {
    fn of(before: &'a QueueTable, moment: Moment) -> Self {
        let table = table::Draft::of(&before.table, moment);
        Self { before, table, part: before.part.clone(), moment, events: Vec::new(), letters: Vec::new() }
    }

    fn emit(&mut self, event: Event) {
        self.part.change(&event);
        self.events.push(event);
    }

    /// The queue has written.
    fn told(&mut self, body: &[u8]) {
        match letters::read::<ToTable>(body) {
            Some(ToTable::Call { user, name }) => {
                self.emit(Event::Heard);
                if !is_planted(Fault::ForgetsTickets) {
                    waiting::bring(&mut self.table, &user, &name);
                }
            }
            None => error!(queue = %self.part.queue, "a letter that this release cannot read"),
        }
    }

    /// What follows: who is called, whether anybody is here, and what the queue is told.
    fn settle(&mut self) {
        waiting::call(&mut self.table, |_| false);
        let table = self.table.table();
        let is_empty = table.is_empty() && waiting::users(table).is_empty();
        match (is_empty, self.part.empty_since) {
            (true, None) => self.emit(Event::Empty { since_ms: self.moment.now }),
            (true, Some(_)) if is_due(self.part.closes_at(), self.moment.now) => {
                self.emit(Event::Over);
                return self.write(&ToQueue::Over);
            }
            (false, Some(_)) => self.emit(Event::Taken),
            _ => {}
        }
        let standing = self.standing();
        let missed = self.table.missed_calls();
        if self.part.told != Some(standing) || !missed.is_empty() {
            self.emit(Event::Told(standing));
            let Standing { heard, taken, free } = standing;
            self.write(&ToQueue::Seats { heard, taken, free, missed });
        }
    }

    fn standing(&self) -> Standing {
        let table = self.table.table();
        let seats = (0..table.config().seats).filter(|seat| table.seated(*seat).is_some()).count();
        let (called, waiting) = waiting::count(table);
        let small = |count: usize| u8::try_from(count).unwrap_or(u8::MAX);
        let free = usize::from(table.config().seats).saturating_sub(seats + called + waiting);
        Standing { heard: self.part.heard, taken: small(seats + called + waiting), free: small(free) }
    }

    fn write(&mut self, what: &ToQueue) {
        self.letters.push(Said { to: self.part.queue.clone(), re: Vec::new(), body: letters::write(what) });
    }

    fn decision(self) -> Decision<QueueTable> {
        let Self { before, table, part: _, moment, events, letters } = self;
        let decided = table.decision();
        // The game's facts first: what else follows from them reads no state of the game.
        let of_the_game = decided.events.into_iter().map(Event::Table);
        let events: Vec<Event> = of_the_game.chain(events).collect();
        let mut after = before.clone();
        events.iter().for_each(|event| after.apply(event, moment.at));
        Decision {
            events,
            public: decided.public,
            privates: decided.privates,
            asks: decided.asks,
            letters,
            lobby: decided.lobby,
            counts: decided.counts,
            is_talk: decided.is_talk,
            ..Decision::nothing(after)
        }
    }
}

fn is_due(at: Option<UnixMs>, now: UnixMs) -> bool {
    at.is_some_and(|at| at <= now)
}

fn is_known(schema: u16) -> Result<(), BadRecord> {
    let known = QueueTable::SCHEMA;
    if (1..=known).contains(&schema) { Ok(()) } else { Err(BadRecord::Schema { schema, known }) }
}
