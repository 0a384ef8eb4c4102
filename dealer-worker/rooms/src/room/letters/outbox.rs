//! What a room has said to another.

use std::collections::VecDeque;

use protocol::time::UnixMs;
use serde::{Deserialize, Serialize};

use super::{Letter, LetterId, RETAINED_MAX, RETAINED_MS, UNACKED_HARD_MAX};
use crate::planted::{LetterRule, is_without};

/// The letters that stand in a chain, each with the one before it, and those that wait for a place in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    /// The chain's end, even if it is no longer kept.
    said: Option<LetterId>,
    /// The other room is known to have all up to this one.
    acked: Option<LetterId>,
    /// The end of the chain: what was acknowledged a short while ago, and all that was not.
    sent: VecDeque<Sent>,
    /// Said while it was not known what this room may have said before and forgotten. They are put at the chain's end once it is.
    waiting: VecDeque<Letter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Sent {
    letter: Letter,
    /// When it was learned that the other room has it.
    acked_ms: Option<UnixMs>,
}

/// What one side would need of the other is no longer kept, or is not what that side remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

impl Outbox {
    /// The last letter that may have left.
    pub fn said(&self) -> Option<LetterId> {
        self.said
    }

    /// The last letter that is known to have arrived.
    pub fn acked(&self) -> Option<LetterId> {
        self.acked
    }

    /// The letters after `from`, which are to be sent, in order.
    pub fn after(&self, from: Option<LetterId>) -> impl Iterator<Item = &Letter> {
        self.sent.range(self.until(from)..).map(|sent| &sent.letter)
    }

    /// How many letters have not arrived, as far as is known, if all up to `acked` have.
    pub fn pending(&self, acked: Option<LetterId>) -> usize {
        self.sent.len() - self.until(acked) + self.waiting.len()
    }

    fn until(&self, id: Option<LetterId>) -> usize {
        self.sent.partition_point(|sent| Some(sent.letter.id) <= id)
    }

    /// How many of them have no place in the chain yet.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether the letter is one of those that are to be sent.
    pub fn is_unacked(&self, id: LetterId) -> bool {
        Some(id) > self.acked && self.sent.binary_search_by_key(&id, |sent| sent.letter.id).is_ok()
    }

    /// Says something more. Before the rooms are in touch it waits.
    ///
    /// # Errors
    /// [`Broken`]: nothing is taken any more, for the other room has not answered for far too long.
    pub(super) fn say(&mut self, mut letter: Letter, in_touch: bool) -> Result<(), Broken> {
        if self.pending(self.acked) >= UNACKED_HARD_MAX {
            return Err(Broken);
        }
        if in_touch || is_without(LetterRule::Waiting) {
            letter.prev = self.said;
            self.chain(letter);
        } else {
            self.waiting.push_back(letter);
        }
        Ok(())
    }

    fn chain(&mut self, letter: Letter) {
        self.said = Some(letter.id);
        self.sent.push_back(Sent { letter, acked_ms: None });
    }

    /// The other room has all up to this letter. Says whether that is news.
    pub(super) fn ack(&mut self, id: LetterId, now: UnixMs) -> bool {
        if !self.is_unacked(id) {
            return false;
        }
        self.acked = Some(id);
        for sent in self.sent.iter_mut().rev().skip_while(|sent| sent.letter.id > id) {
            if sent.acked_ms.is_some() {
                break;
            }
            sent.acked_ms = Some(now);
        }
        true
    }

    /// What the other room says it has, which may be less than it said before. Whatever it has not is to be sent again.
    ///
    /// # Errors
    /// [`Broken`]: it is no longer kept, or the other room has something else.
    pub(super) fn resume(&mut self, heard: Option<LetterId>, now: UnixMs) -> Result<(), Broken> {
        if heard > self.acked {
            let Some(id) = heard else { return Ok(()) };
            return if self.ack(id, now) { Ok(()) } else { Err(Broken) };
        }
        if is_without(LetterRule::Rewind) {
            return Ok(());
        }
        let follows = self.after(heard).next().map_or(self.said == heard, |next| next.prev == heard);
        if !follows && !is_without(LetterRule::Diverged) {
            return Err(Broken);
        }
        self.acked = heard;
        for sent in self.sent.iter_mut().rev().take_while(|sent| Some(sent.letter.id) > heard) {
            sent.acked_ms = None;
        }
        Ok(())
    }

    /// Whether the letter was said and waits for its place: then this room has not forgotten it, but perhaps that it had sent it.
    pub fn is_waiting(&self, id: LetterId) -> bool {
        self.waiting.iter().any(|letter| letter.id == id)
    }

    /// Puts a letter back that this room has said and forgotten.
    ///
    /// # Errors
    /// [`Broken`]: it does not follow the last one that this room remembers.
    pub(super) fn recall(&mut self, letter: Letter) -> Result<(), Broken> {
        let follows = letter.prev == self.said && Some(letter.id) > self.said;
        if !follows && !is_without(LetterRule::Diverged) {
            return Err(Broken);
        }
        self.waiting.retain(|waiting| waiting.id != letter.id);
        self.chain(letter);
        Ok(())
    }

    /// What waits gets its place in the chain.
    pub(super) fn release(&mut self) {
        for mut letter in std::mem::take(&mut self.waiting) {
            letter.prev = self.said;
            self.chain(letter);
        }
    }

    /// Drops what has arrived and need not be kept any more.
    pub(super) fn prune(&mut self, now: UnixMs) {
        let kept_max = if is_without(LetterRule::Retention) { 0 } else { RETAINED_MAX };
        let mut acked = self.sent.iter().take_while(|sent| sent.acked_ms.is_some()).count();
        while let Some(acked_ms) = self.sent.front().and_then(|sent| sent.acked_ms)
            && (acked > kept_max || acked_ms.saturating_add(RETAINED_MS) <= now)
        {
            self.sent.pop_front();
            acked -= 1;
        }
    }
}
