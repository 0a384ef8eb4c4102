//! A hand that is over.

use aws_lc_rs::digest::{Context, SHA256};
use holdem::{Event, HandSetup};
use protocol::{id::UserId, time::UnixMs};
use serde::{Deserialize, Serialize};

use crate::{Unread, read, write};

const VERSION: u8 = 1;

/// Of a hand and all before it at its table.
pub type Hash = [u8; 32];

/// A hand that is over, with every card that was dealt: only who played it may see his own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandRecord {
    /// What the table was called.
    pub table: String,
    /// How many seats it has.
    pub seats: u8,
    /// The number of the hand at its table, from 1.
    pub number: u64,
    /// When it began.
    pub started_ms: UnixMs,
    /// When it was paid.
    pub ended_ms: UnixMs,
    /// What the chips are: a currency of the ledger; none if they are nobody's.
    pub currency: Option<String>,
    /// How it began.
    pub setup: HandSetup,
    /// What happened, and how many milliseconds after it began.
    pub events: Vec<(u32, Event)>,
    /// Who was dealt in.
    pub players: Vec<Player>,
    /// What lies before everybody who sits at the table now, with what was promised and has come.
    pub stacks: Vec<(UserId, u64)>,
    /// The [hash](Self::hash) of the hand before, at this table; zeros before the first.
    pub prev: Hash,
    /// See [`chained`].
    pub hash: Hash,
}

/// Somebody who was dealt in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Player {
    /// Where.
    pub seat: u8,
    /// Who.
    pub user: UserId,
    /// What others saw.
    pub name: String,
}

impl HandRecord {
    /// For the body of an errand.
    pub fn write(&self) -> Vec<u8> {
        write(VERSION, self)
    }

    /// Reads it again.
    ///
    /// # Errors
    /// [`Unread`], whatever the bytes are.
    pub fn read(bytes: &[u8]) -> Result<Self, Unread> {
        read(VERSION, bytes)
    }

    /// What happened, without the times.
    pub fn facts(&self) -> Vec<Event> {
        self.events.iter().map(|(_, event)| *event).collect()
    }

    /// Whether its hash is what follows from it.
    pub fn is_whole(&self) -> bool {
        chained_bytes(&self.prev, &self.public_bytes()) == self.hash
    }

    /// What everybody saw of it, as its hash is made of it.
    pub fn public_bytes(&self) -> Vec<u8> {
        let begun = Begun {
            number: self.number,
            started_ms: self.started_ms,
            setup: &self.setup,
            players: &self.players,
        };
        public_bytes(begun, &self.events, self.ended_ms)
    }
}

/// How a hand began.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Begun<'a> {
    /// See [`HandRecord::number`].
    pub number: u64,
    /// See [`HandRecord::started_ms`].
    pub started_ms: UnixMs,
    /// See [`HandRecord::setup`].
    pub setup: &'a HandSetup,
    /// See [`HandRecord::players`].
    pub players: &'a [Player],
}

/// The hash of a hand: SHA-256 of the one before it and of all that everybody saw of this one. So whoever has seen the hands of a table can see
/// that none was changed, left out or moved.
///
/// # Panics
/// Never: what hands hold has known lengths.
pub fn chained(prev: &Hash, begun: Begun<'_>, events: &[(u32, Event)], ended_ms: UnixMs) -> Hash {
    chained_bytes(prev, &public_bytes(begun, events, ended_ms))
}

/// What everybody saw of a hand, as its hash is made of it.
fn public_bytes(begun: Begun<'_>, events: &[(u32, Event)], ended_ms: UnixMs) -> Vec<u8> {
    let seen: Vec<(u32, Event)> =
        events.iter().filter_map(|(at, event)| Some((*at, event.public()?))).collect();
    postcard::to_allocvec(&(begun, seen, ended_ms)).expect("what hands hold has known lengths")
}

/// The hash of a hand of which everybody saw what these bytes hold.
pub fn chained_bytes(prev: &Hash, public: &[u8]) -> Hash {
    let mut hash = Context::new(&SHA256);
    hash.update(prev);
    hash.update(&[VERSION]);
    hash.update(public);
    hash.finish().as_ref().try_into().expect("it has 32 bytes")
}

/// What the bytes hold of which a hash is made.
#[derive(Debug, Clone, Deserialize)]
pub struct Public {
    begun: BegunAs,
    events: Vec<(u32, Event)>,
    ended_ms: UnixMs,
}

/// [`Begun`], as it is read.
#[derive(Debug, Clone, Deserialize)]
struct BegunAs {
    number: u64,
    started_ms: UnixMs,
    setup: HandSetup,
    players: Vec<Player>,
}

impl Public {
    /// Reads them.
    ///
    /// # Errors
    /// [`Unread`], whatever the bytes are.
    pub fn read(bytes: &[u8]) -> Result<Self, Unread> {
        match postcard::take_from_bytes(bytes)? {
            (public, []) => Ok(public),
            (_, rest) => Err(Unread::TooLong(rest.len())),
        }
    }

    /// A record that holds them and no more: cards that not everybody saw are face down in it, and what is not in a hash is empty.
    pub fn record(self, prev: Hash, hash: Hash) -> HandRecord {
        let Self { begun: BegunAs { number, started_ms, setup, players }, events, ended_ms } = self;
        let (table, seats, currency, stacks) = (String::new(), 0, None, Vec::new());
        HandRecord {
            table,
            seats,
            number,
            started_ms,
            ended_ms,
            currency,
            setup,
            events,
            players,
            stacks,
            prev,
            hash,
        }
    }
}
