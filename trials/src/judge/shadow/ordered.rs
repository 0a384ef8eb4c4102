//! Entries of several journals in an order in which they may have come about, where each journal is read by itself and some time after it was written.
//!
//! What an entry follows from was written before it was decided. So of what was decided before a look began, that look finds everything that it follows from, and
//! what is in order by the time at which it was decided is in an order in which it may have come about; but for what was decided in the same
//! millisecond, of which whoever knows what is told there says what cannot be first.

use std::collections::{BTreeMap, VecDeque};

use broker::entry::{Entry, Kind};
use protocol::{id::RoomId, time::UnixMs};

/// The clocks of nodes on one machine, and what reads them, may be so far apart, milliseconds.
const CLOSE_MS: u64 = 5;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    lines: BTreeMap<RoomId, Line>,
    /// Something was trimmed before it was read.
    has_hole: bool,
}

#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<(UnixMs, Entry)>,
    /// When the last one was decided, and the number of the last frame.
    last_ms: UnixMs,
    last_seq: u64,
}

impl Ordered {
    /// This was read, the next one of its journal.
    pub(super) fn push(&mut self, room: &RoomId, entry: Entry) {
        let line = self.lines.entry(room.clone()).or_default();
        // A claim says of no time: it belongs to what came before.
        line.last_ms = line.last_ms.max(entry.at_ms.unwrap_or_default());
        if entry.kind != Kind::Claim {
            let seq = entry.at.seq().0;
            // The first of a journal has the number 1.
            self.has_hole |= seq > std::mem::replace(&mut line.last_seq, seq) + 1;
        }
        line.waiting.push_back((line.last_ms, entry));
    }

    /// Whether something was trimmed before it was read, so that nothing can be said of what comes behind.
    pub(super) fn has_hole(&self) -> bool {
        self.has_hole
    }

    /// The next one of those that were decided before this time. `can` says whether one may be next.
    pub(super) fn next(
        &mut self,
        before: UnixMs,
        can: impl Fn(&RoomId, &Entry) -> bool,
    ) -> Option<(RoomId, Entry)> {
        let heads = || self.lines.iter().filter_map(|(room, line)| Some((room, line.waiting.front()?)));
        let due = || heads().filter(|(_, (ms, _))| *ms < before);
        let (first, (first_ms, entry)) = due().min_by_key(|(_, (ms, _))| *ms)?;
        let room = match can(first, entry) {
            true => first,
            false => {
                let close = due().filter(|(_, (ms, _))| *ms <= first_ms + CLOSE_MS);
                close
                    .map(|(room, (_, entry))| (room, entry))
                    .find(|(room, entry)| can(room, entry))
                    .map_or(first, |(room, _)| room)
            }
        };
        let room = room.clone();
        let (_, entry) = self.lines.get_mut(&room)?.waiting.pop_front()?;
        Some((room, entry))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use protocol::id::Position;

    use super::*;

    fn room(name: &str) -> RoomId {
        RoomId::new(name).unwrap()
    }

    fn entry(name: &str, seq: u64, at_ms: Option<u64>) -> Entry {
        Entry {
            kind: if at_ms.is_some() { Kind::Delta } else { Kind::Claim },
            room: room(name),
            at: Position::new(1, seq),
            cause: None,
            follows: None,
            at_ms,
            delay: None,
            places: None,
            rail: None,
            privates: Default::default(),
            public: Bytes::new(),
            secret: Bytes::new(),
        }
    }

    fn all(ordered: &mut Ordered, before: u64, can: impl Fn(&RoomId, &Entry) -> bool) -> Vec<String> {
        std::iter::from_fn(|| ordered.next(before, &can))
            .map(|(room, entry)| format!("{room}{}", entry.at.seq().0))
            .collect()
    }

    #[test]
    fn what_was_decided_first_is_first_and_what_may_follow_from_something_unread_waits() {
        let mut ordered = Ordered::default();
        ordered.push(&room("b"), entry("b", 1, Some(20)));
        ordered.push(&room("a"), entry("a", 0, None));
        ordered.push(&room("a"), entry("a", 1, Some(10)));
        ordered.push(&room("a"), entry("a", 2, Some(30)));
        assert_eq!(all(&mut ordered, 30, |_, _| true), ["a0", "a1", "b1"]);
        assert_eq!(all(&mut ordered, 31, |_, _| true), ["a2"]);
        assert!(!ordered.has_hole());
    }

    #[test]
    fn of_one_moment_what_cannot_be_first_is_not() {
        let mut ordered = Ordered::default();
        ordered.push(&room("a"), entry("a", 1, Some(10)));
        ordered.push(&room("b"), entry("b", 1, Some(10)));
        ordered.push(&room("c"), entry("c", 1, Some(99)));
        assert_eq!(all(&mut ordered, 50, |room, _| room.as_str() == "b"), ["b1", "a1"]);
    }

    #[test]
    fn a_hole_is_seen_at_the_beginning_too() {
        for first in [1, 2] {
            let mut ordered = Ordered::default();
            ordered.push(&room("a"), entry("a", first, Some(10)));
            assert_eq!(ordered.has_hole(), first > 1);
            ordered.push(&room("a"), entry("a", 3, Some(11)));
            assert!(ordered.has_hole());
        }
    }
}
