//! What a tournament and its tables write to each other. Each text begins with the version of these words.

use protocol::{
    id::{RoomId, UserId},
    time::UnixMs,
    tournament::Clock,
};
use rooms::room::letters::Body;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The version of these words.
const VERSION: u8 = 1;

/// From a tournament to one of its tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToTable {
    /// Somebody sits down. The table chooses the seat.
    Seat(Arrival),
    /// After this hand so many players go, each to one of these tables: who will be big blind next goes first. Or all of them go.
    Give {
        /// Whither.
        to: Vec<RoomId>,
        /// The table is broken: everybody goes.
        all: bool,
    },
    /// After this hand none begins until the next word: the tables play in step.
    Hold {
        /// Which step.
        round: u32,
        /// What the clock is now.
        clock: Clock,
    },
    /// One hand is dealt.
    DealOne {
        /// Which step.
        round: u32,
        /// What the clock is now.
        clock: Clock,
    },
    /// Hands follow each other again.
    Go {
        /// What the clock is now.
        clock: Clock,
    },
    /// The clock was changed.
    Clock {
        /// What it is now.
        clock: Clock,
    },
    /// Nobody plays here any more.
    Close,
    /// Somebody sits out the next hands.
    Penalty {
        /// The number of the entry.
        entry: u32,
        /// So many; 0: none any more.
        hands: u32,
    },
    /// Somebody goes with all chips when the hand is over, and is out.
    Expel {
        /// The number of the entry.
        entry: u32,
    },
}

/// Somebody who sits down at a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The number of the entry.
    pub entry: u32,
    /// Who.
    pub user: UserId,
    /// The name that the token says.
    pub name: String,
    /// Chips.
    pub stack: u64,
    /// What is left of the time bank.
    pub bank_ms: u64,
    /// Sits out.
    pub sits_out: bool,
    /// Whether the seat is drawn; else it is the worst one, since the player was moved to level tables.
    pub drawn: bool,
}

/// From a table to its tournament.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToTournament {
    /// He has a seat.
    Seated {
        /// The number of the entry.
        entry: u32,
        /// Where.
        seat: u8,
    },
    /// There is no seat for him.
    NoSeat {
        /// The number of the entry.
        entry: u32,
    },
    /// These have left the table with all chips.
    Released {
        /// Who, and whither each is meant to go.
        players: Vec<Leaver>,
        /// The table gave all that it had.
        all: bool,
    },
    /// These have lost all their chips in one hand.
    Busted {
        /// Which hand of the table.
        hand: u64,
        /// When it ended.
        at_ms: UnixMs,
        /// In which step, where tables play in step.
        round: Option<u32>,
        /// Who, and with how many chips each began the hand.
        players: Vec<(u32, u64)>,
    },
    /// The hand is over, and none begins.
    Held {
        /// Which step.
        round: u32,
    },
    /// Who has how many chips.
    Counted {
        /// By entry.
        stacks: Vec<(u32, u64)>,
    },
    /// The broker had lost a part of the table's journal, and some went from it with other chips than it knows of now.
    Adjusted {
        /// So many more chips are in play, or fewer.
        chips: i64,
    },
    /// Nobody plays here any more.
    Closed,
    /// So much of a penalty is left: none, or he leaves the table with it.
    Penalty {
        /// The number of the entry.
        entry: u32,
        /// So many hands.
        hands: u32,
    },
    /// He has gone, as the tournament had said.
    Expelled {
        /// The number of the entry.
        entry: u32,
        /// With so many chips.
        stack: u64,
    },
}

impl ToTournament {
    /// Which entries have left the table with this letter, and with how many chips: as long as it is on its way they are nowhere else.
    pub fn leavers(&self) -> Vec<(u32, u64)> {
        match self {
            Self::Released { players, .. } => {
                players.iter().map(|player| (player.entry, player.stack)).collect()
            }
            Self::Expelled { entry, stack } => vec![(*entry, *stack)],
            _ => Vec::new(),
        }
    }
}

/// Somebody who has left a table to sit at another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaver {
    /// The number of the entry.
    pub entry: u32,
    /// Chips.
    pub stack: u64,
    /// What is left of the time bank.
    pub bank_ms: u64,
    /// Sits out.
    pub sits_out: bool,
    /// Whither.
    pub to: RoomId,
}

/// A letter that says this.
///
/// # Panics
/// Never: what a table's players are told fits into a letter.
pub fn write<T: Serialize>(what: &T) -> Body {
    let bytes = postcard::to_stdvec(&(VERSION, what)).expect("words have known lengths");
    Body::new(bytes).expect("a letter speaks of ten players at most")
}

/// What a letter says; `None`: these are no words of this release.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    let (version, what): (u8, T) = postcard::from_bytes(body).ok()?;
    (version == VERSION).then_some(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_letter_fits_and_comes_back() {
        let to = RoomId::new(&"r".repeat(40)).unwrap();
        let leaver =
            |entry| Leaver { entry, stack: u64::MAX, bank_ms: u64::MAX, sits_out: true, to: to.clone() };
        let released = ToTournament::Released { players: (0..10).map(leaver).collect(), all: true };
        assert_eq!(read(write(&released).as_bytes()), Some(released));
        let give = ToTable::Give { to: vec![to; 10], all: false };
        assert_eq!(read(write(&give).as_bytes()), Some(give));
        assert_eq!(read::<ToTable>(b"\x02rubbish"), None);
    }
}
