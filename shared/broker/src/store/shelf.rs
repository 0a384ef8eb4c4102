//! What a store that lives in one process keeps: journals with a fence, and maps.

use std::{collections::BTreeMap, ops::Bound};

use bytes::Bytes;
use protocol::{
    id::{Position, RoomId},
    time::UnixMs,
};

use super::{AppendError, Stored};

/// All journals and maps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shelf {
    pub(super) journals: BTreeMap<RoomId, Journal>,
    pub(super) maps: BTreeMap<String, BTreeMap<String, Bytes>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Journal {
    pub(super) entries: BTreeMap<Position, Bytes>,
    /// The last position ever written, as Redis keeps it even when the entry is trimmed.
    pub(super) last: Position,
    /// Then it vanishes.
    pub(super) expires_ms: Option<UnixMs>,
}

/// What an append has changed.
pub(super) struct Appended {
    /// There was no journal.
    pub(super) began: bool,
    /// The last position before.
    pub(super) last: Position,
    /// What was dropped.
    pub(super) trimmed: BTreeMap<Position, Bytes>,
}

impl Shelf {
    /// A journal that is there: one whose time is over is not.
    fn journal(&self, room: &RoomId, now_ms: UnixMs) -> Option<&Journal> {
        self.journals.get(room).filter(|journal| !journal.is_over(now_ms))
    }

    /// Whether a journal stands here whose time is over.
    pub(super) fn is_over(&self, room: &RoomId, now_ms: UnixMs) -> bool {
        self.journals.get(room).is_some_and(|journal| journal.is_over(now_ms))
    }

    pub(super) fn has(&self, room: &RoomId, now_ms: UnixMs) -> bool {
        self.journal(room, now_ms).is_some()
    }

    /// Whether an entry may be written at `at`.
    pub(super) fn may_append(
        &self,
        room: &RoomId,
        at: Position,
        may_begin: bool,
        now_ms: UnixMs,
    ) -> Result<(), AppendError> {
        match self.journal(room, now_ms) {
            Some(journal) if at <= journal.last => Err(AppendError::Fenced),
            None if !may_begin => Err(AppendError::Gone),
            _ => Ok(()),
        }
    }

    /// Writes an entry that may be written.
    pub(super) fn append(
        &mut self,
        room: &RoomId,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
    ) -> Appended {
        // Looked up first: a name is cloned only for a new room.
        let began = !self.journals.contains_key(room);
        if began {
            self.journals.insert(room.clone(), Journal::default());
        }
        let journal = self.journals.get_mut(room).expect("it was inserted above");
        let last = std::mem::replace(&mut journal.last, at);
        journal.entries.insert(at, entry);
        let trimmed = keep_from.map_or_else(BTreeMap::new, |keep_from| {
            let kept = journal.entries.split_off(&keep_from);
            std::mem::replace(&mut journal.entries, kept)
        });
        Appended { began, last, trimmed }
    }

    /// When a journal would vanish that is to be there for so many seconds more; `None` where there is none.
    pub(super) fn expiry(&self, room: &RoomId, seconds: u64, now_ms: UnixMs) -> Option<UnixMs> {
        self.has(room, now_ms).then(|| now_ms.saturating_add(seconds.saturating_mul(1_000)))
    }

    /// Has a journal vanish then.
    pub(super) fn expire(&mut self, room: &RoomId, at_ms: UnixMs) {
        if let Some(journal) = self.journals.get_mut(room) {
            journal.expires_ms = Some(at_ms);
        }
    }

    /// Sets a field, or removes it. Answers what it was.
    pub(super) fn set(&mut self, map: &str, field: &str, value: Option<Bytes>) -> Option<Bytes> {
        let Some(value) = value else {
            let fields = self.maps.get_mut(map)?;
            let was = fields.remove(field);
            if fields.is_empty() {
                self.maps.remove(map);
            }
            return was;
        };
        if !self.maps.contains_key(map) {
            self.maps.insert(map.into(), BTreeMap::new());
        }
        self.maps.get_mut(map).expect("it was inserted above").insert(field.into(), value)
    }

    pub(super) fn read(
        &self,
        room: &RoomId,
        after: Option<Position>,
        limit: usize,
        now_ms: UnixMs,
    ) -> Vec<Stored> {
        let Some(journal) = self.journal(room, now_ms) else { return Vec::new() };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        journal.entries.range((from, Bound::Unbounded)).take(limit).map(stored).collect()
    }

    pub(super) fn read_back(
        &self,
        room: &RoomId,
        before: Option<Position>,
        limit: usize,
        now_ms: UnixMs,
    ) -> Vec<Stored> {
        let Some(journal) = self.journal(room, now_ms) else { return Vec::new() };
        let until = before.map_or(Bound::Unbounded, Bound::Excluded);
        journal.entries.range((Bound::Unbounded, until)).rev().take(limit).map(stored).collect()
    }

    pub(super) fn last(&self, room: &RoomId, now_ms: UnixMs) -> Option<Stored> {
        self.journal(room, now_ms)?.entries.last_key_value().map(stored)
    }

    pub(super) fn map_all(&self, map: &str) -> Vec<(String, Bytes)> {
        let fields = self.maps.get(map).into_iter().flatten();
        fields.map(|(field, value)| (field.clone(), value.clone())).collect()
    }

    pub(super) fn map_fields(&self, map: &str) -> Vec<String> {
        self.maps.get(map).into_iter().flatten().map(|(field, _)| field.clone()).collect()
    }

    pub(super) fn map_get(&self, map: &str, field: &str) -> Option<Bytes> {
        self.maps.get(map)?.get(field).cloned()
    }
}

impl Journal {
    fn is_over(&self, now_ms: UnixMs) -> bool {
        self.expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms)
    }
}

fn stored((at, bytes): (&Position, &Bytes)) -> Stored {
    Stored { at: *at, bytes: bytes.clone() }
}
