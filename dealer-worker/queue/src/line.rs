//! Who waits, which tables there are, and the facts that change it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::{
    id::{ErrandId, Position, RoomId, UserId},
    queue::QueuePrivate,
    time::UnixMs,
};
use rooms::planted::{Fault, is_planted};
use serde::{Deserialize, Serialize};
use table::missed::Missed;

/// So many wait in one queue.
pub const TICKETS_MAX: usize = 5_000;

/// Whoever waits and is gone for so long waits no more.
pub const AWAY_MS: UnixMs = 60_000;

/// So many players are remembered who wait no more, for what they were told last; of more, whoever was told the longest ago is forgotten.
const IDLE_MAX: usize = 1_024;

/// See the module. Changed by [`Line::change`] and by nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub(crate) tickets: VecDeque<Ticket>,
    pub(crate) tables: BTreeMap<u32, OwnTable>,
    pub(crate) missed: Missed,
    told: BTreeMap<UserId, Told>,
    /// The number of the last table.
    pub(crate) last_table: u32,
}

/// Somebody who waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    pub(crate) user: UserId,
    pub(crate) name: String,
    pub(crate) away_since: Option<UnixMs>,
}

/// A table that the queue has opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnTable {
    /// By which errand it is being opened; nothing: it is there.
    pub(crate) of: Option<ErrandId>,
    /// As it has said last.
    pub(crate) taken: u8,
    pub(crate) free: u8,
    /// How many were sent there so far.
    sent: u64,
    /// Those of them of whom it has not said that it knows, the first first.
    on_the_way: VecDeque<(UserId, String)>,
}

/// What somebody was told last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    k: u64,
    at: Position,
    /// To which table he was sent.
    table: Option<u32>,
}

/// One fact, in the words of the journal's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Somebody waits, behind all others.
    Joined {
        /// Who.
        user: UserId,
        /// The name that the token says.
        name: String,
    },
    /// Somebody waits no more.
    Left {
        /// Who.
        user: UserId,
    },
    /// Somebody who waits is gone, or is back.
    Away {
        /// Who.
        user: UserId,
        /// Since when; nothing: is back.
        since_ms: Option<UnixMs>,
    },
    /// A table is opened.
    Opens {
        /// Its number.
        table: u32,
        /// The errand that is asked.
        of: ErrandId,
        /// How many seats it has.
        seats: u8,
    },
    /// It is there.
    Opened {
        /// Its number.
        table: u32,
    },
    /// Somebody is sent to a table.
    Sent {
        /// Who.
        user: UserId,
        /// The name that the token says.
        name: String,
        /// Its number.
        table: u32,
    },
    /// A table has said how it stands there.
    Stands {
        /// Its number.
        table: u32,
        /// So many were sent to it, as it knows.
        heard: u64,
        /// See [`ToQueue::Seats`](crate::letters::ToQueue).
        taken: u8,
        /// The same.
        free: u8,
    },
    /// Somebody was called at a table, and has not come.
    Missed {
        /// Who.
        user: UserId,
        /// When.
        at_ms: UnixMs,
        /// He may not wait until then.
        until_ms: UnixMs,
    },
    /// A table is no more. Whoever was on the way there waits again, before all others.
    Closed {
        /// Its number.
        table: u32,
    },
}

impl OwnTable {
    /// So many more may be sent there.
    pub(crate) fn has_room_for(&self) -> usize {
        usize::from(self.free).saturating_sub(self.on_the_way.len())
    }

    /// So many sit there or will.
    pub(crate) fn company(&self) -> usize {
        usize::from(self.taken) + self.on_the_way.len()
    }
}

impl Line {
    /// The ticket of a user.
    pub(crate) fn ticket(&self, user: &UserId) -> Option<&Ticket> {
        self.tickets.iter().find(|ticket| ticket.user == *user)
    }

    /// Those who wait and are there, the first first.
    pub(crate) fn here(&self) -> impl Iterator<Item = &Ticket> {
        self.tickets.iter().filter(|ticket| ticket.away_since.is_none())
    }

    /// The table that is being opened by this errand.
    pub(crate) fn opened_by(&self, errand: ErrandId) -> Option<u32> {
        self.tables.iter().find(|(_, table)| table.of == Some(errand)).map(|(number, _)| *number)
    }

    /// Everybody who is told something.
    pub(crate) fn users(&self) -> impl Iterator<Item = &UserId> {
        self.told.keys()
    }

    /// Whether this user is.
    pub(crate) fn knows(&self, user: &UserId) -> bool {
        self.told.contains_key(user)
    }

    /// What a user is told.
    pub(crate) fn private(&self, user: &UserId, room_of: impl Fn(u32) -> RoomId) -> QueuePrivate {
        let Some(told) = self.told.get(user) else { return QueuePrivate::default() };
        let at = self.tickets.iter().position(|ticket| ticket.user == *user);
        let place = at.map(|at| u32::try_from(at + 1).unwrap_or(u32::MAX));
        let room = told.table.filter(|_| place.is_none()).map(room_of);
        QueuePrivate { k: told.k, place, room }
    }

    /// Does what an event of the frame there says. Answers who is told something.
    pub(crate) fn change(&mut self, event: &Event, at: Position) -> Vec<UserId> {
        match event {
            Event::Joined { user, name } => {
                let (user, name) = (user.clone(), name.clone());
                self.tell(&user, at, None);
                self.tickets.push_back(Ticket { user: user.clone(), name, away_since: None });
                return vec![user];
            }
            Event::Left { user } => {
                self.tickets.retain(|ticket| ticket.user != *user);
                self.tell(user, at, None);
                self.forget_idle();
                return vec![user.clone()];
            }
            Event::Away { user, since_ms } => {
                let tickets = self.tickets.iter_mut().filter(|ticket| ticket.user == *user);
                tickets.for_each(|ticket| ticket.away_since = *since_ms);
            }
            Event::Opens { table, of, seats } => {
                let opening = OwnTable { of: Some(*of), free: *seats, ..OwnTable::default() };
                self.tables.entry(*table).or_insert(opening);
                self.last_table = self.last_table.max(*table);
            }
            Event::Opened { table } => {
                self.tables.get_mut(table).into_iter().for_each(|table| table.of = None);
            }
            Event::Sent { user, name, table } => {
                let is_first = self.told.get(user).is_none_or(|told| told.table.is_none());
                if !(is_planted(Fault::ServesTwice) && is_first) {
                    self.tickets.retain(|ticket| ticket.user != *user);
                }
                let own = self.tables.entry(*table).or_default();
                own.sent += 1;
                own.on_the_way.push_back((user.clone(), name.clone()));
                self.tell(user, at, Some(*table));
                self.forget_idle();
                return vec![user.clone()];
            }
            Event::Stands { table, heard, taken, free } => {
                self.last_table = self.last_table.max(*table);
                let own = self.tables.entry(*table).or_default();
                own.sent = own.sent.max(*heard);
                let unheard = usize::try_from(own.sent - heard).unwrap_or(usize::MAX);
                while own.on_the_way.len() > unheard {
                    own.on_the_way.pop_front();
                }
                (own.of, own.taken, own.free) = (None, *taken, *free);
            }
            Event::Missed { user, at_ms, until_ms } => self.missed.miss(user.clone(), *at_ms, *until_ms),
            Event::Closed { table } => {
                let on_the_way = self.tables.remove(table).map(|table| table.on_the_way).unwrap_or_default();
                let mut back = Vec::new();
                for (user, name) in on_the_way.into_iter().rev() {
                    if self.ticket(&user).is_none() {
                        self.tell(&user, at, None);
                        self.tickets.push_front(Ticket { user: user.clone(), name, away_since: None });
                        back.push(user);
                    }
                }
                return back;
            }
        }
        Vec::new()
    }

    fn tell(&mut self, user: &UserId, at: Position, table: Option<u32>) {
        let told = self.told.entry(user.clone()).or_default();
        // Whatever a frame decides of somebody, he is told once.
        let k = told.k + u64::from(told.at != at);
        *told = Told { k, at, table };
    }

    fn forget_idle(&mut self) {
        if self.told.len() <= IDLE_MAX + self.tickets.len() {
            return;
        }
        let waiting: BTreeSet<&UserId> = self.tickets.iter().map(|ticket| &ticket.user).collect();
        let idle = self.told.iter().filter(|(user, _)| !waiting.contains(user));
        let oldest = idle.min_by_key(|(_, told)| told.at).map(|(user, _)| user.clone());
        if let Some(user) = oldest {
            self.told.remove(&user);
        }
    }
}
