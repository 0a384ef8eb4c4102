//! Journals, fenced by position, of encoded entries; and what a broker may do to them.

use std::collections::BTreeMap;

use protocol::id::{Position, RoomId};
use rooms::room::letters::{Correspondence, Delta, LetterId};
use serde::{Deserialize, Serialize};

use crate::app::{App, Event};

/// The next keyframe comes after so many deltas, and drops what is older than the one before it.
const KEYFRAME_EVERY: usize = 64;

/// What a room journals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) app: App,
    pub(crate) letters: Correspondence,
    /// What the judge counts with each other room: sums over the letters that were said, and heard.
    pub(crate) said: BTreeMap<RoomId, u64>,
    pub(crate) heard: BTreeMap<RoomId, u64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Entry {
    Claim,
    Keyframe(State),
    Delta { events: Vec<Event>, letters: Delta, now: u64 },
}

/// A number for a letter.
pub(crate) fn weight(id: LetterId, body: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let name = [id.at.epoch().0, id.at.seq().0, u64::from(id.index)];
    for byte in name.iter().flat_map(|number| number.to_le_bytes()).chain(body.iter().copied()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}

impl State {
    /// Live and on restoring. Errors are breaches.
    pub(crate) fn apply(
        &mut self,
        events: &[Event],
        delta: &Delta,
        at: Position,
        now: u64,
    ) -> Result<(), String> {
        let mut result = Ok(());
        for heard in &delta.heard {
            let before = self.letters.peer(&heard.from).and_then(|peer| peer.inbox.heard());
            if Some(heard.letter.id) <= before {
                result = Err(format!("{:?} is heard after {before:?}", heard.letter.id));
            }
            let sum = self.heard.entry(heard.from.clone()).or_default();
            *sum = sum.wrapping_add(weight(heard.letter.id, heard.letter.body.as_bytes()));
        }
        for in_touch in &delta.in_touch {
            let outbox =
                self.letters.peer(&in_touch.peer).map(|peer| peer.outbox.clone()).unwrap_or_default();
            let forgotten =
                in_touch.forgotten.iter().flatten().filter(|letter| !outbox.is_waiting(letter.id));
            let sum = self.said.entry(in_touch.peer.clone()).or_default();
            *sum = forgotten
                .fold(*sum, |sum, letter| sum.wrapping_add(weight(letter.id, letter.body.as_bytes())));
        }
        for (index, said) in (0_u16..).zip(&delta.said) {
            let sum = self.said.entry(said.to.clone()).or_default();
            *sum = sum.wrapping_add(weight(LetterId { at, index }, said.body.as_bytes()));
        }
        for event in events {
            result = self.app.apply(event).and(result);
        }
        self.letters.apply(delta, at, now);
        result
    }
}

#[derive(Debug, Default)]
pub(crate) struct Store {
    journals: BTreeMap<RoomId, Vec<(Position, Vec<u8>)>>,
    generations: BTreeMap<RoomId, u64>,
    /// Every letter that was ever durable, whatever was lost after that.
    ever: BTreeMap<(RoomId, LetterId), u64>,
}

/// What a journal adds up to.
pub(crate) struct Restored {
    pub(crate) state: Option<State>,
    pub(crate) seq: u64,
}

impl Store {
    pub(crate) fn generation(&self, room: &RoomId) -> u64 {
        self.generations.get(room).copied().unwrap_or_default()
    }

    pub(crate) fn last(&self, room: &RoomId) -> Option<Position> {
        Some(self.journals.get(room)?.last()?.0)
    }

    /// `false`: fenced.
    pub(crate) fn append(&mut self, room: &RoomId, at: Position, entry: &Entry) -> bool {
        let journal = self.journals.entry(room.clone()).or_default();
        if journal.last().is_some_and(|(last, _)| *last >= at) {
            return false;
        }
        journal.push((at, postcard::to_stdvec(entry).unwrap()));
        if let Entry::Delta { letters, .. } = entry {
            for (index, said) in (0_u16..).zip(&letters.said) {
                let id = LetterId { at, index };
                let before = self.ever.insert((room.clone(), id), weight(id, said.body.as_bytes()));
                assert_eq!(before, None, "{room} gives {id:?} twice");
            }
        }
        true
    }

    /// Whether the letter was durable when it was sent.
    pub(crate) fn has_had(&self, room: &RoomId, id: LetterId, body: &[u8]) -> bool {
        self.ever.get(&(room.clone(), id)) == Some(&weight(id, body))
    }

    /// A keyframe stands at `at`: what is older than the one before it is dropped.
    pub(crate) fn trim(&mut self, room: &RoomId, keep_from: Option<Position>) {
        if let (Some(journal), Some(keep_from)) = (self.journals.get_mut(room), keep_from) {
            journal.retain(|(at, _)| *at >= keep_from);
        }
    }

    pub(crate) fn needs_keyframe(deltas: usize) -> bool {
        deltas >= KEYFRAME_EVERY
    }

    /// The broker loses the end of a journal, but never the first keyframe that it holds.
    pub(crate) fn lose(&mut self, room: &RoomId, entries: usize) -> usize {
        let Some(journal) = self.journals.get_mut(room) else { return 0 };
        let is_keyframe = |bytes: &[u8]| matches!(postcard::from_bytes(bytes), Ok(Entry::Keyframe(_)));
        let first = journal.iter().position(|(_, bytes)| is_keyframe(bytes));
        let kept = first.map_or(journal.len(), |first| journal.len().saturating_sub(entries).max(first + 1));
        let lost = journal.len() - kept;
        journal.truncate(kept);
        *self.generations.entry(room.clone()).or_default() += 1;
        lost
    }

    /// Reads the whole journal as a new owner does.
    pub(crate) fn restore(&self, room: &RoomId) -> Restored {
        let mut restored = Restored { state: None, seq: 0 };
        for (at, bytes) in self.journals.get(room).into_iter().flatten() {
            match postcard::from_bytes(bytes).unwrap() {
                Entry::Claim => continue,
                Entry::Keyframe(state) => restored.state = Some(state),
                Entry::Delta { events, letters, now } => {
                    assert_eq!(at.seq().0, restored.seq + 1, "a hole in the journal of {room}");
                    let state = restored.state.as_mut().expect("a keyframe stands first");
                    // A breach was told when it was live.
                    let _ = state.apply(&events, &letters, *at, now);
                }
            }
            restored.seq = at.seq().0;
        }
        restored
    }
}
