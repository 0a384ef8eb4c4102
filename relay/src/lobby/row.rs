//! A room in the directory: its line, and what it is found and sorted by.

use std::{cmp::Ordering, ops::RangeInclusive, sync::Arc};

use broker::lobby::Line;
use protocol::lobby::{Sort, View};

/// Shared by the directory, its orders and the pages on which it stands.
pub(super) struct Row {
    pub(super) line: Line,
    /// Name and game without capitals, for `text`.
    folded: String,
    /// Where the game begins in it.
    game_at: usize,
    name_key: Vec<u8>,
}

impl Row {
    pub(super) fn new(line: Line) -> Self {
        let name = line.name.to_lowercase();
        let name_key = name_key(&name);
        let game_at = name.len() + 1;
        Self { folded: format!("{name} {}", line.game.to_lowercase()), game_at, name_key, line }
    }

    /// Whether a view (a normalised one) shows it on one of its pages.
    pub(super) fn fits(&self, view: &View) -> bool {
        let line = &self.line;
        // Numbers first: they stand in the row itself, and most rows that do not fit differ in them.
        view.bb.is_none_or(|(from, to)| (from..=to).contains(&line.big_blind))
            && line.seats.saturating_sub(line.taken) >= view.free
            && (view.seats.is_empty() || view.seats.contains(&line.seats))
            && view.game.as_ref().is_none_or(|game| *game == self.folded[self.game_at..])
            && view.kind.as_ref().is_none_or(|kind| *kind == line.kind)
            && (view.text.is_empty() || view.text.split(' ').all(|word| self.folded.contains(word)))
    }
}

/// In which order rooms stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order {
    pub(super) sort: Sort,
    pub(super) falls: bool,
}

impl Order {
    pub(super) fn of(view: &View) -> Self {
        Self { sort: view.sort, falls: view.falls() }
    }

    /// Between which values all rows stand that fit a view, as far as its filter says so.
    pub(super) fn values(self, view: &View) -> RangeInclusive<u64> {
        match view.bb.filter(|_| self.sort == Sort::Blinds) {
            Some((least, most)) if self.falls => u64::MAX - most..=u64::MAX - least,
            Some((least, most)) => least..=most,
            None => 0..=u64::MAX,
        }
    }

    /// Where a row stands in it.
    pub(super) fn place(self, row: &Arc<Row>) -> Place {
        let line = &row.line;
        let value = match self.sort {
            Sort::Players => line.taken.into(),
            Sort::Blinds => line.big_blind,
            Sort::Pot => line.average_pot,
            Sort::Speed => line.hands_per_hour.into(),
            Sort::Name => 0,
            // What never begins comes last, whichever way.
            Sort::Starts if line.starts_ms == 0 => {
                if self.falls {
                    0
                } else {
                    u64::MAX
                }
            }
            Sort::Starts => line.starts_ms,
        };
        let value = if self.falls { u64::MAX - value } else { value };
        Place { value, names_fall: self.falls && self.sort == Sort::Name, row: row.clone() }
    }
}

/// A row in an order: by a value, then by name as people count, then by its room's name, which no other has.
#[derive(Clone)]
pub(super) struct Place {
    value: u64,
    /// The same in all places of an order.
    names_fall: bool,
    pub(super) row: Arc<Row>,
}

impl Place {
    /// A place in the same order before all of this value and of greater ones.
    pub(super) fn before(&self, value: u64) -> Option<Self> {
        Some(Self { value: value.checked_sub(1)?, ..self.clone() })
    }

    /// What stands beyond this value comes later.
    pub(super) fn is_within(&self, value: u64) -> bool {
        self.value <= value
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_name = || {
            let by_name = self.row.name_key.cmp(&other.row.name_key);
            let by_name = by_name.then_with(|| self.row.line.room.cmp(&other.row.line.room));
            if self.names_fall { by_name.reverse() } else { by_name }
        };
        self.value.cmp(&other.value).then_with(by_name)
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Place {}

/// Bytes in whose order names stand as people count: a number is written as how many digits it has, and then these.
fn name_key(name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 4);
    let mut rest = name.as_bytes();
    while let Some(&first) = rest.first() {
        if !first.is_ascii_digit() {
            key.push(first);
            rest = &rest[1..];
            continue;
        }
        let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let digits = &number[number.iter().take_while(|digit| **digit == b'0').count()..];
        // Among other characters a number stands where its digits would.
        key.extend([b'0', u8::try_from(digits.len()).unwrap_or(u8::MAX)]);
        key.extend_from_slice(digits);
        rest = after;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_as_people_count() {
        let sorted =
            ["", "a", "a 1", "a 1 b", "a 2", "a 9", "a 10", "a 10 x", "a 100", "a b", "b 007", "b 8"];
        for pair in sorted.windows(2) {
            assert!(name_key(pair[0]) < name_key(pair[1]), "{pair:?}");
        }
        assert_eq!(name_key("table 007"), name_key("table 7"));
    }
}
