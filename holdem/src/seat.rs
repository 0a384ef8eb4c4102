//! Seats around a table, and sets of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most seats a table has.
pub const SEATS_MAX: usize = 10;

/// A seat, numbered clockwise from 0 to 9. Seats may be empty; the numbers of a hand's players need not be adjacent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct SeatIndex(u8);

impl SeatIndex {
    /// The seat of that number, or `None` past [`SEATS_MAX`].
    pub const fn new(number: u8) -> Option<SeatIndex> {
        if (number as usize) < SEATS_MAX { Some(SeatIndex(number)) } else { None }
    }

    /// The seat's number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The seat's number, to index with.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The next seat clockwise (to the left of this one), occupied or not.
    #[must_use]
    pub const fn left(self) -> SeatIndex {
        SeatIndex((self.0 + 1) % SEATS_MAX as u8)
    }

    /// All seats clockwise, starting with the seat to the left of this one and ending with this one.
    pub fn clockwise(self) -> impl Iterator<Item = SeatIndex> + Clone {
        (1..=SEATS_MAX as u8).map(move |step| SeatIndex((self.0 + step) % SEATS_MAX as u8))
    }
}

impl TryFrom<u8> for SeatIndex {
    type Error = NoSuchSeat;
    fn try_from(number: u8) -> Result<SeatIndex, NoSuchSeat> {
        SeatIndex::new(number).ok_or(NoSuchSeat(number))
    }
}

impl From<SeatIndex> for u8 {
    fn from(seat: SeatIndex) -> u8 {
        seat.0
    }
}

impl fmt::Display for SeatIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A seat number outside 0..10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no seat {0}; seats are 0 to 9")]
pub struct NoSuchSeat(pub u8);

/// A set of seats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeatSet(u16);

impl SeatSet {
    /// No seats.
    pub const EMPTY: SeatSet = SeatSet(0);

    /// Adds a seat.
    pub const fn insert(&mut self, seat: SeatIndex) {
        self.0 |= 1 << seat.0;
    }

    /// Removes a seat.
    pub const fn remove(&mut self, seat: SeatIndex) {
        self.0 &= !(1 << seat.0);
    }

    /// Whether the seat is in the set.
    pub const fn contains(self, seat: SeatIndex) -> bool {
        self.0 & (1 << seat.0) != 0
    }

    /// How many seats.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The seats in both sets.
    #[must_use]
    pub const fn and(self, other: SeatSet) -> SeatSet {
        SeatSet(self.0 & other.0)
    }

    /// The seats in ascending order.
    pub fn iter(self) -> impl Iterator<Item = SeatIndex> + Clone {
        (0..SEATS_MAX as u8).map(SeatIndex).filter(move |&seat| self.contains(seat))
    }

    /// The seats clockwise, starting left of `from`, which comes last if it is in the set.
    pub fn clockwise_from(self, from: SeatIndex) -> impl Iterator<Item = SeatIndex> + Clone {
        from.clockwise().filter(move |&seat| self.contains(seat))
    }
}

impl FromIterator<SeatIndex> for SeatSet {
    fn from_iter<I: IntoIterator<Item = SeatIndex>>(seats: I) -> SeatSet {
        let mut set = SeatSet::EMPTY;
        for seat in seats {
            set.insert(seat);
        }
        set
    }
}
