//! What happens in a tournament, as everybody sees it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    id::{RoomId, UserId},
    time::UnixMs,
};

/// One fact. Tag `e`. All but [`Now`](TournamentEvent::Now) tell what has happened and change nothing; that one says what the state is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "e", rename_all = "snake_case")]
pub enum TournamentEvent {
    /// Somebody takes part.
    Registered {
        /// The number of the entry.
        entry: u32,
        /// Who.
        user: UserId,
        /// The name to show.
        name: String,
    },
    /// Somebody does not take part any more; it has not begun.
    Unregistered {
        /// The number of the entry.
        entry: u32,
        /// Who.
        user: UserId,
    },
    /// It begins.
    Started {
        /// When the first hands are dealt at the earliest.
        deal_ms: UnixMs,
        /// Its tables.
        tables: Vec<RoomId>,
    },
    /// Somebody has a seat.
    Seated {
        /// The number of the entry.
        entry: u32,
        /// Who.
        user: UserId,
        /// Where.
        table: RoomId,
    },
    /// Somebody has left a table with all chips, to get a seat at another one.
    Moved {
        /// The number of the entry.
        entry: u32,
        /// Who.
        user: UserId,
        /// From where.
        from: RoomId,
    },
    /// Somebody has lost the last chip.
    Busted {
        /// The number of the entry.
        entry: u32,
        /// Who.
        user: UserId,
        /// Where.
        table: RoomId,
        /// In which hand of that table.
        hand: u64,
    },
    /// A place is certain.
    Placed {
        /// The number of the entry.
        entry: u32,
        /// Who.
        user: UserId,
        /// The name to show.
        name: String,
        /// From 1. Whoever shares a place has the best of those that are shared.
        place: u32,
        /// Play chips.
        prize: u64,
    },
    /// Nobody can register any more; the prizes are certain.
    RegistrationClosed,
    /// A table has begun to empty: its players go to others.
    Breaking {
        /// Which.
        table: RoomId,
    },
    /// All tables play one hand at a time, or do not any more.
    HandForHand {
        /// Whether they do.
        on: bool,
    },
    /// A director has changed the clock.
    ClockChanged,
    /// A director has somebody sit out, or does not any more.
    Penalized {
        /// The number of the entry.
        entry: u32,
        /// Who.
        user: UserId,
        /// So many hands; 0: none any more.
        hands: u32,
    },
    /// A director has taken somebody out.
    Disqualified {
        /// The number of the entry.
        entry: u32,
        /// Who.
        user: UserId,
        /// The chips that he had, which nobody has now.
        chips: u64,
    },
    /// It was called off.
    Cancelled,
    /// It is over.
    Ended {
        /// Who has won it.
        winner: UserId,
    },
    /// The next of its kind takes entries.
    Next {
        /// Which.
        room: RoomId,
    },
    /// What a table holds has changed against what was known of it, because the broker had lost a part of its journal.
    Adjusted {
        /// Which.
        table: RoomId,
        /// So many chips more, or fewer.
        chips: i64,
    },
    /// Fields of the state that are different now.
    Now {
        /// Each with its new value.
        set: Map<String, Value>,
    },
}
