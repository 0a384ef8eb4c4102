//! What the owner of a room keeps in memory of another room: what it has just learned, and when to speak next.

use protocol::{id::Epoch, time::UnixMs};

use super::super::{Letter, LetterId, correspondence::Peer, wire::together};
use crate::planted::{LetterRule, is_without};

/// What is not answered is said again after so long, milliseconds; doubles.
const REPEAT_FIRST_MS: u64 = 250;

/// The longest pause between two repetitions, milliseconds.
const REPEAT_MAX_MS: u64 = 2_000;

/// After so many repetitions, about four seconds, a room is silent.
const REPEATED_UNTIL_SILENT: u32 = 4;

/// So many letters are on their way at most before the first of them is acknowledged.
const ON_THEIR_WAY_MAX: usize = 64;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    /// Has arrived, and is not written down yet.
    acked: Option<LetterId>,
    /// The last letter that was sent and for which it is waited.
    offered: Option<LetterId>,
    /// When to say again what is not answered.
    due: Option<UnixMs>,
    /// The timer that is set.
    pub(super) timed: Option<UnixMs>,
    /// The pause before the last repetition.
    pause_ms: u64,
    /// How often the same was said without an answer.
    repeated: u32,
    /// The last repetition has not been judged yet.
    has_repeated: bool,
    /// What it has answered to this owner's hello, until the room has decided on it.
    pub(super) answer: Option<Answer>,
}

/// See [`What::Back`](super::super::What::Back).
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) epoch: Epoch,
    pub(super) said: Option<LetterId>,
    pub(super) heard: Option<LetterId>,
    pub(super) forgotten: Option<Vec<Letter>>,
}

impl Line {
    /// When to speak next, if nothing happens before.
    pub(super) fn due(&self) -> Option<UnixMs> {
        self.due
    }

    /// Speak at once, and begin with short pauses again: there is somebody who has not heard it.
    pub(super) fn hurry(&mut self, now: UnixMs) {
        self.offered = None;
        self.pause_ms = 0;
        self.due = Some(now);
    }

    /// There is nothing to be said.
    pub(super) fn rest(&mut self) {
        (self.due, self.offered, self.pause_ms) = (None, None, 0);
    }

    /// Whether it is time to say hello (once more).
    pub(super) fn greets(&mut self, now: UnixMs) -> bool {
        if self.answer.is_some() {
            self.due = None;
            return false;
        }
        let is_due = self.due.is_none_or(|due| due <= now);
        if is_due {
            self.wait(now);
        }
        is_due
    }

    /// Whether the same was just said once more to no avail, and so often that it is worth looking whether the room is there.
    pub(super) fn has_found_silence(&mut self) -> bool {
        std::mem::take(&mut self.has_repeated) && self.repeated >= REPEATED_UNTIL_SILENT
    }

    fn wait(&mut self, now: UnixMs) {
        self.has_repeated = self.pause_ms > 0;
        self.repeated = if self.has_repeated { self.repeated + 1 } else { 0 };
        self.pause_ms = (self.pause_ms * 2).clamp(REPEAT_FIRST_MS, REPEAT_MAX_MS);
        self.due = Some(now + self.pause_ms);
    }

    /// The last letter that is known to have arrived.
    pub(super) fn acked(&self, peer: &Peer) -> Option<LetterId> {
        self.acked.max(peer.outbox.acked())
    }

    /// What has arrived and is not written down yet.
    pub(super) fn unwritten(&self, peer: &Peer) -> Option<LetterId> {
        self.acked.filter(|acked| peer.outbox.is_unacked(*acked))
    }

    /// It has heard all up to this letter. Says whether that is news.
    pub(super) fn got(&mut self, heard: LetterId, peer: &Peer) -> bool {
        if !peer.outbox.is_unacked(heard) || Some(heard) <= self.acked {
            return false;
        }
        self.acked = Some(heard);
        (self.due, self.pause_ms) = (None, 0);
        true
    }

    /// What was learned in memory counts no more.
    pub(super) fn starts_over(&mut self, now: UnixMs) {
        self.acked = None;
        self.hurry(now);
    }

    /// The letters to be sent now: those that were not sent yet, or, if it is due, those that were not acknowledged.
    pub(super) fn letters(&mut self, peer: &Peer, now: UnixMs) -> Vec<Letter> {
        let acked = self.acked(peer);
        if peer.outbox.after(acked).next().is_none() {
            self.rest();
            return Vec::new();
        }
        let is_due = self.due.is_some_and(|due| due <= now);
        let repeats = is_due && (self.offered.is_none() || !is_without(LetterRule::Resend));
        if repeats {
            self.offered = None;
        }
        let from = self.offered.max(acked);
        let on_their_way = peer.outbox.after(acked).take_while(|letter| Some(letter.id) <= from).count();
        let space = ON_THEIR_WAY_MAX.saturating_sub(on_their_way);
        let letters = together(peer.outbox.after(from).take(space));
        if let Some(last) = letters.last() {
            self.offered = Some(last.id);
        }
        if is_due || self.due.is_none() {
            self.wait(now);
        }
        letters
    }
}
