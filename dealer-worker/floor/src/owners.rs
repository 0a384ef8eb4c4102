//! Who has which tables, and the facts that change it.

use std::collections::BTreeMap;

use protocol::{
    floor::{FloorPrivate, OwnTable},
    id::{ErrandId, Position, RoomId, UserId},
};
use serde::{Deserialize, Serialize};

/// So many players are remembered that have no table, for the count of what they were told; of more, whoever was told last the longest ago is
/// forgotten.
const IDLE_MAX: usize = 1_024;

/// See the module. Changed by [`Owners::change`] and by nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owners {
    owners: BTreeMap<UserId, Owner>,
    /// Whose a table is.
    whose: BTreeMap<RoomId, UserId>,
}

/// A player.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Owner {
    /// How many parts he was told.
    k: u64,
    /// The oldest first.
    tables: Vec<Table>,
    /// Where he was told something last.
    last: Position,
}

/// A player's table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Table {
    room: RoomId,
    name: String,
    /// By which errand it is being opened; nothing: it is there.
    of: Option<ErrandId>,
}

/// One fact, in the words of the journal's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A player opens a table.
    Opens {
        /// Who.
        user: UserId,
        /// Its name on the wire.
        room: RoomId,
        /// Its name for people.
        name: String,
        /// The errand that is asked.
        of: ErrandId,
    },
    /// It is there.
    Opened {
        /// Which.
        room: RoomId,
    },
    /// It is no more.
    Closed {
        /// Which.
        room: RoomId,
    },
}

impl Event {
    /// Which table it is about.
    pub fn room(&self) -> &RoomId {
        match self {
            Self::Opens { room, .. } | Self::Opened { room } | Self::Closed { room } => room,
        }
    }
}

impl Owners {
    /// How many tables there are.
    pub(crate) fn tables(&self) -> usize {
        self.whose.len()
    }

    /// How many of them are this player's.
    pub(crate) fn tables_of(&self, user: &UserId) -> usize {
        self.owners.get(user).map_or(0, |owner| owner.tables.len())
    }

    /// Whether this is one of them.
    pub(crate) fn has(&self, room: &RoomId) -> bool {
        self.whose.contains_key(room)
    }

    /// Whose it is.
    pub(crate) fn whose(&self, room: &RoomId) -> Option<&UserId> {
        self.whose.get(room)
    }

    /// Whether this player is told something.
    pub(crate) fn knows(&self, user: &UserId) -> bool {
        self.owners.contains_key(user)
    }

    /// Everybody who is.
    pub(crate) fn users(&self) -> impl Iterator<Item = &UserId> {
        self.owners.keys()
    }

    /// The table that is being opened by this errand.
    pub(crate) fn opened_by(&self, errand: ErrandId) -> Option<RoomId> {
        let tables = self.owners.values().flat_map(|owner| &owner.tables);
        tables.into_iter().find(|table| table.of == Some(errand)).map(|table| table.room.clone())
    }

    /// What a player is told.
    pub(crate) fn told(&self, user: &UserId) -> FloorPrivate {
        let Some(owner) = self.owners.get(user) else { return FloorPrivate::default() };
        let tables = owner.tables.iter().map(|table| OwnTable {
            room: table.room.clone(),
            name: table.name.clone(),
            is_open: table.of.is_none(),
        });
        FloorPrivate { k: owner.k, tables: tables.collect() }
    }

    /// Does what an event of the frame there says.
    pub(crate) fn change(&mut self, event: &Event, at: Position) {
        let user = match event {
            Event::Opens { user, .. } => user.clone(),
            Event::Opened { room } | Event::Closed { room } => match self.whose.get(room) {
                Some(user) => user.clone(),
                None => return,
            },
        };
        let owner = self.owners.entry(user.clone()).or_default();
        (owner.k, owner.last) = (owner.k + 1, at);
        match event {
            Event::Opens { room, name, of, .. } => {
                owner.tables.push(Table { room: room.clone(), name: name.clone(), of: Some(*of) });
                self.whose.insert(room.clone(), user);
            }
            Event::Opened { room } => {
                owner.tables.iter_mut().filter(|table| table.room == *room).for_each(|table| table.of = None);
            }
            Event::Closed { room } => {
                owner.tables.retain(|table| table.room != *room);
                self.whose.remove(room);
                self.forget_idle();
            }
        }
    }

    fn forget_idle(&mut self) {
        let idle = || self.owners.iter().filter(|(_, owner)| owner.tables.is_empty());
        if idle().count() <= IDLE_MAX {
            return;
        }
        let oldest = idle().min_by_key(|(_, owner)| owner.last).map(|(user, _)| user.clone());
        oldest.iter().for_each(|user| drop(self.owners.remove(user)));
    }
}
