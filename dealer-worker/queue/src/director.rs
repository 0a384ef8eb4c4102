//! What a queue is asked and told, and what follows: who is sent where, and when a table is opened.

use std::collections::BTreeSet;

use broker::{
    lobby::{Line as LobbyLine, More},
    node::RoomSpec,
};
use protocol::{
    RefusalCode as Code,
    id::{ErrandId, Position, RoomId, UserId},
    queue::{KIND, QueueCommand, QueueView},
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
        letters::Said,
        record::{self, BadRecord},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tracing::error;

use crate::{
    at_table::{self, QueueTable},
    letters::{self, ToQueue, ToTable},
    line::{AWAY_MS, Event, Line, TICKETS_MAX},
};

/// What a queue is set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Its own name: those of its tables are made of it.
    pub id: RoomId,
    /// What its tables are set to.
    pub table: TableConfig,
    /// A table is opened when so many wait.
    pub opens_at: u8,
    /// So many tables are open at a time.
    pub tables_max: u32,
    /// A table at which nobody sits for so long closes, milliseconds.
    pub idle_ms: u64,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    settings: Settings,
    line: Line,
}

impl Room for Queue {
    type Event = Event;

    const KIND: u8 = 4;
    const SINCE: u16 = 3;
    const NAME: &'static str = KIND;
    const SCHEMA: u16 = 1;
    const WRITES_LETTERS: bool = true;
    /// Nothing is played here: what it opens is shown late.
    const SHOWN_LATE: bool = false;
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
        Ok(Self { settings: spec.read()?, line: Line::default() })
    }

    fn decide(&self, input: Input<'_>, moment: Moment, _: &mut dyn Rng) -> Result<Decision<Self>, Refusal> {
        let mut draft = Draft::of(self, moment);
        match input {
            Input::Command { user, name, rights, body } => {
                draft.command(user, name, rights, body)?;
            }
            Input::Away { user, away } => {
                let ticket = draft.room.line.ticket(user);
                if ticket.is_some_and(|ticket| ticket.away_since.is_some() != away) {
                    draft.emit(Event::Away { user: user.clone(), since_ms: away.then_some(moment.now) });
                }
            }
            Input::Clock => {
                let is_gone = |since: UnixMs| since + AWAY_MS <= moment.now;
                let gone = self.line.tickets.iter().filter(|ticket| ticket.away_since.is_some_and(is_gone));
                gone.for_each(|ticket| draft.emit(Event::Left { user: ticket.user.clone() }));
            }
            Input::Outcome { errand, outcome } => {
                if let Some(table) = self.line.opened_by(errand.id) {
                    draft.emit(match outcome {
                        Outcome::Done(_) => Event::Opened { table },
                        Outcome::Refused(_) => Event::Closed { table },
                    });
                }
            }
            Input::Told { from, body, .. } => {
                if let Some(table) = self.table_of(from) {
                    draft.told(table, body);
                }
            }
            Input::Recalled { letters } => {
                for (to, letter) in letters {
                    draft.recalled(to, letter.body.as_bytes());
                }
            }
            // It is over, or its journal and this one tell different stories: nobody is sent there any more.
            Input::Gone { room } | Input::Diverged { from: room } => {
                if let Some(table) = self.table_of(room).filter(|table| self.line.tables.contains_key(table))
                {
                    draft.emit(Event::Closed { table });
                }
            }
            Input::TakenOver { .. } => {}
        }
        draft.go_on();
        Ok(draft.decision(self))
    }

    fn apply(&mut self, event: &Event, at: Position) {
        self.line.change(event, at);
    }

    fn deadline(&self) -> Option<UnixMs> {
        let away = self.line.tickets.iter().filter_map(|ticket| ticket.away_since);
        away.min().map(|since| since + AWAY_MS)
    }

    fn peers(&self) -> Vec<RoomId> {
        self.line.tables.keys().map(|table| self.room_of(*table)).collect()
    }

    /// Any table of its own: one that the store has made it forget must find it, too.
    fn hears(&self, room: &RoomId) -> bool {
        self.table_of(room).is_some()
    }

    fn has_done_with(&self, room: &RoomId) -> bool {
        self.table_of(room).is_none_or(|table| !self.line.tables.contains_key(&table))
    }

    fn view(&self) -> Box<RawValue> {
        let Settings { table, opens_at, .. } = &self.settings;
        json(&QueueView {
            opens_at: *opens_at,
            name: table.name.clone(),
            seats: table.seats,
            small_blind: table.small_blind,
            big_blind: table.big_blind,
            buy_in_min: table.buy_in_min,
            buy_in_max: table.buy_in_max,
        })
    }

    fn privates(&self) -> Vec<(UserId, Box<RawValue>)> {
        self.line.users().map(|user| (user.clone(), self.private(user))).collect()
    }

    fn is_member(&self, user: &UserId) -> bool {
        self.line.knows(user)
    }

    fn members(&self) -> Vec<UserId> {
        self.line.users().cloned().collect()
    }

    fn line(&self, room: &RoomId, _: UnixMs) -> Option<LobbyLine> {
        let Settings { table, opens_at, .. } = &self.settings;
        let more = More::of([
            ("small_blind", table.small_blind.into()),
            ("buy_in_min", table.buy_in_min.into()),
            ("buy_in_max", table.buy_in_max.into()),
            ("in_line", self.line.tickets.len().into()),
            ("opens_at", (*opens_at).into()),
        ]);
        Some(LobbyLine {
            room: room.clone(),
            kind: KIND.into(),
            name: table.name.clone(),
            game: table::stats::game_name(table.limit, table.variant),
            big_blind: table.big_blind,
            seats: table.seats.into(),
            // Whoever waits sits nowhere.
            taken: 0,
            average_pot: 0,
            hands_per_hour: 0,
            starts_ms: 0,
            more,
        })
    }
}

impl Queue {
    /// The room of a table.
    fn room_of(&self, table: u32) -> RoomId {
        RoomId::new(&format!("{}.{table}", self.settings.id)).expect("its own name is short")
    }

    /// The table of a room.
    fn table_of(&self, room: &RoomId) -> Option<u32> {
        let number = room.as_str().strip_prefix(self.settings.id.as_str())?.strip_prefix('.')?;
        number.parse().ok()
    }

    fn private(&self, user: &UserId) -> Box<RawValue> {
        json(&self.line.private(user, |table| self.room_of(table)))
    }
}

/// A decision in the making.
struct Draft {
    room: Queue,
    moment: Moment,
    events: Vec<Event>,
    asks: Vec<Ask>,
    letters: Vec<Said>,
    /// Who is told something.
    tells: Vec<UserId>,
}

impl Draft {
    fn of(room: &Queue, moment: Moment) -> Self {
        let (events, asks, letters, tells) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { room: room.clone(), moment, events, asks, letters, tells }
    }

    fn emit(&mut self, event: Event) {
        let tells = self.room.line.change(&event, self.moment.at);
        self.tells.extend(tells);
        self.events.push(event);
    }

    fn command(&mut self, user: &UserId, name: &str, rights: Rights, body: &[u8]) -> Result<(), Refusal> {
        let refuse = |why: &dyn std::fmt::Display| {
            Refusal::new(Code::BadCommand, format!("not a command of a queue: {why}"))
        };
        let text = str::from_utf8(body).map_err(|error| refuse(&error))?;
        let line = &self.room.line;
        let waits = line.ticket(user).is_some();
        match QueueCommand::read(text).map_err(|error| refuse(&error))? {
            QueueCommand::Join => {
                if !rights.can.has(Can::PLAY) {
                    return Err(Refusal::new(
                        Code::NotAllowed,
                        "you may not play in this house at the moment",
                    ));
                }
                if waits {
                    return Err(Refusal::new(Code::Unchanged, "you wait here already"));
                }
                if let Some(until_ms) = line.missed.until(user, self.moment.now) {
                    let why = "you have not come when you were called: you may wait here again after a while";
                    return Err(Refusal::for_now(Code::CallMissed, why, until_ms - self.moment.now));
                }
                if line.tickets.len() >= TICKETS_MAX {
                    return Err(Refusal::new(Code::TooMany, format!("{TICKETS_MAX} wait here already")));
                }
                self.emit(Event::Joined { user: user.clone(), name: name.to_owned() });
            }
            QueueCommand::Leave if waits => self.emit(Event::Left { user: user.clone() }),
            QueueCommand::Leave => return Err(Refusal::new(Code::Unchanged, "you do not wait here")),
        }
        Ok(())
    }

    /// A table has written.
    fn told(&mut self, table: u32, body: &[u8]) {
        match letters::read::<ToQueue>(body) {
            Some(ToQueue::Seats { heard, taken, free, missed }) => {
                self.emit(Event::Stands { table, heard, taken, free });
                let at_ms = self.moment.now;
                for user in missed {
                    let until_ms = self.room.line.missed.pause_of(&user, at_ms);
                    self.emit(Event::Missed { user, at_ms, until_ms });
                }
            }
            Some(ToQueue::Over) => self.emit(Event::Closed { table }),
            None => error!(table, "a letter that this release cannot read"),
        }
    }

    /// The store has lost that somebody was sent, and the table knows of it: he has his seat there, and waits no more.
    fn recalled(&mut self, to: &RoomId, body: &[u8]) {
        let Some(table) = self.room.table_of(to) else { return };
        if let Some(ToTable::Call { user, name }) = letters::read(body) {
            self.emit(Event::Sent { user, name, table });
        }
    }

    /// Sends whoever waits where there is a seat, and opens a table where there is none and enough wait.
    fn go_on(&mut self) {
        while let Some((user, name, table)) = self.next() {
            self.emit(Event::Sent { user: user.clone(), name: name.clone(), table });
            let body = letters::write(&ToTable::Call { user, name });
            self.letters.push(Said { to: self.room.room_of(table), re: Vec::new(), body });
            if is_planted(Fault::ServesTwice) {
                break;
            }
        }
        let line = &self.room.line;
        let opening: usize = line
            .tables
            .values()
            .filter(|table| table.of.is_some())
            .map(|table| usize::from(table.free))
            .sum();
        let Settings { id: _, table, opens_at, tables_max, idle_ms } = &self.room.settings;
        let unserved = line.here().count().saturating_sub(opening);
        let is_enough = unserved >= usize::from(*opens_at) && line.tables.len() < *tables_max as usize;
        if !is_enough {
            return;
        }
        let number = line.last_table + 1;
        let settings = at_table::Settings {
            table: TableConfig { name: format!("{} {number}", table.name), ..table.clone() },
            queue: self.room.settings.id.clone(),
            idle_ms: *idle_ms,
        };
        let (seats, n) = (table.seats, u16::try_from(self.asks.len()).unwrap_or(u16::MAX));
        self.asks.push(opening_of(&self.room.room_of(number), &settings));
        self.emit(Event::Opens { table: number, of: ErrandId { at: self.moment.at, n }, seats });
    }

    /// Who is next, and whither: to the table with most players that has a seat.
    fn next(&self) -> Option<(UserId, String, u32)> {
        let line = &self.room.line;
        let ticket = line.here().next()?;
        let with_room =
            line.tables.iter().filter(|(_, table)| table.of.is_none() && table.has_room_for() > 0);
        let (number, _) =
            with_room.max_by_key(|(number, table)| (table.company(), std::cmp::Reverse(**number)))?;
        Some((ticket.user.clone(), ticket.name.clone(), *number))
    }

    fn decision(self, before: &Queue) -> Decision<Queue> {
        let Self { room, moment: _, events, asks, letters, mut tells } = self;
        if events.is_empty() {
            return Decision::nothing(before.clone());
        }
        // Once each, in the order in which they were told last.
        let mut told = BTreeSet::new();
        tells.reverse();
        tells.retain(|user| told.insert(user.clone()));
        let privates = tells.into_iter().rev().map(|user| {
            let told = room.private(&user);
            (user, told)
        });
        let privates = privates.collect();
        Decision { events, privates, asks, letters, lobby: true, ..Decision::nothing(room) }
    }
}

fn opening_of(room: &RoomId, settings: &at_table::Settings) -> Ask {
    opening(room, &RoomSpec::new(QueueTable::NAME, settings))
}
