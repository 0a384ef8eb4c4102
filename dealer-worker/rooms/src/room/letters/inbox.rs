//! What a room has heard from another.

use std::collections::{BTreeSet, VecDeque};

use protocol::time::UnixMs;
use serde::{Deserialize, Serialize};

use super::{Letter, LetterId, RETAINED_MAX, RETAINED_MS};
use crate::planted::{LetterRule, is_without};

/// How far a room has heard another, and the last that it heard, in case that one forgets having said it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbox {
    heard: Option<LetterId>,
    received: VecDeque<Received>,
    /// Letters still to come whose consequences this room has had already, and had forgotten: see [`Reference`](super::Reference).
    used_up: BTreeSet<LetterId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Received {
    letter: Letter,
    heard_ms: UnixMs,
}

/// What is to be done with a letter that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearing {
    /// The room is told.
    Tell,
    /// The room has had it before and is not told; it is heard all the same.
    UsedUp,
    /// It was heard already, or is not the next one.
    Ignore,
}

impl Inbox {
    /// The last letter that was heard.
    pub fn heard(&self) -> Option<LetterId> {
        self.heard
    }

    /// What is to be done with this letter.
    pub fn hearing(&self, letter: &Letter) -> Hearing {
        let follows = letter.prev == self.heard || is_without(LetterRule::Chain);
        let is_known = Some(letter.id) <= self.heard;
        if is_known && is_without(LetterRule::Once) {
            Hearing::Tell
        } else if !follows || is_known {
            Hearing::Ignore
        } else if self.used_up.contains(&letter.id) {
            Hearing::UsedUp
        } else {
            Hearing::Tell
        }
    }

    /// Letters that the other room has forgotten, if the last that it remembers is `said`. `None`: not all of them are kept.
    pub fn after(&self, said: Option<LetterId>) -> Option<Vec<Letter>> {
        if self.heard <= said {
            return Some(Vec::new());
        }
        let first = self.received.partition_point(|received| Some(received.letter.id) <= said);
        let mut forgotten = self.received.range(first..).map(|received| &received.letter).peekable();
        let is_whole = forgotten.peek().is_some_and(|first| first.prev == said);
        (is_whole || is_without(LetterRule::Diverged)).then(|| forgotten.cloned().collect())
    }

    /// The letter is heard.
    pub(super) fn hear(&mut self, letter: Letter, now: UnixMs) {
        self.heard = Some(letter.id);
        self.used_up.remove(&letter.id);
        self.received.push_back(Received { letter, heard_ms: now });
    }

    /// Whether letters that were used up will come, if the last that the other room remembers having said is `said`. Else both have
    /// forgotten one whose consequences others have seen.
    pub(super) fn is_whole(&self, said: Option<LetterId>) -> bool {
        self.used_up.last().is_none_or(|last| Some(*last) <= said)
    }

    /// What this letter asks for has been done, and was forgotten.
    pub(super) fn use_up(&mut self, id: LetterId) {
        if Some(id) > self.heard && !is_without(LetterRule::UsedUp) {
            self.used_up.insert(id);
        }
    }

    /// Drops what need not be kept any more.
    pub(super) fn prune(&mut self, now: UnixMs) {
        let is_old = |received: &Received| received.heard_ms.saturating_add(RETAINED_MS) <= now;
        while self.received.len() > RETAINED_MAX || self.received.front().is_some_and(is_old) {
            self.received.pop_front();
        }
    }
}
