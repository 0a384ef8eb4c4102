//! What a room remembers of all the rooms that it writes to: a part of its journaled state.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    id::{Epoch, Position, RoomId},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

use super::{
    Body, Letter, LetterId, Reference, What,
    inbox::{Hearing, Inbox},
    letter::few,
    outbox::{Broken, Outbox},
};
use crate::planted::{LetterRule, is_without};

/// See the module. Changed by [`Correspondence::apply`] alone, live and on restoring.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correspondence {
    peers: BTreeMap<RoomId, Peer>,
}

/// Another room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// What this room has said to it.
    pub outbox: Outbox,
    /// What this room has heard from it.
    pub inbox: Inbox,
    /// Its latest owner that is known of. What earlier ones say is not heard.
    pub epoch: Epoch,
    /// It has said what it had heard from this room's earlier owners.
    pub in_touch: bool,
    /// The two rooms do not remember the same, and what would mend it is no longer kept: they do not write to each other any
    /// more, and people must decide.
    pub diverged: bool,
}

/// What a commit changes: a part of the entry's record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// What was learned since the last commit to have arrived.
    pub acked: Vec<(RoomId, LetterId)>,
    /// Another room's owner has said hello.
    pub met: Option<Met>,
    /// Letters that were heard.
    pub heard: Vec<Heard>,
    /// Rooms that have said what they had heard before the takeover.
    pub in_touch: Vec<InTouch>,
    /// Letters that were decided on. Their names follow from where the entry stands.
    pub said: Vec<Said>,
    /// Rooms that have ended, with which their letters end.
    pub parted: Vec<RoomId>,
}

/// See [`Delta::met`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Met {
    /// Which room.
    pub peer: RoomId,
    /// Its owner.
    pub epoch: Epoch,
    /// What it remembers having said to this room.
    pub said: Option<LetterId>,
    /// What it remembers having heard from this room.
    pub heard: Option<LetterId>,
}

/// See [`Delta::heard`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// From whom.
    pub from: RoomId,
    /// The owner who sent it.
    pub epoch: Epoch,
    /// The letter.
    pub letter: Letter,
}

/// See [`Delta::in_touch`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InTouch {
    /// Which room.
    pub peer: RoomId,
    /// Its owner.
    pub epoch: Epoch,
    /// What it has said to this room.
    pub said: Option<LetterId>,
    /// What it has heard from this room.
    pub heard: Option<LetterId>,
    /// What it has heard of which this room did not know. `None`: more than it still has.
    pub forgotten: Option<Vec<Letter>>,
}

/// See [`Delta::said`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// To whom.
    pub to: RoomId,
    /// What it uses up.
    #[serde(deserialize_with = "few")]
    pub re: Vec<Reference>,
    /// What it says.
    pub body: Body,
}

impl Delta {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// All rooms of which something changes, each once.
    pub fn peers(&self) -> BTreeSet<&RoomId> {
        let Self { acked, met, heard, in_touch, said, parted } = self;
        let acked = acked.iter().map(|(peer, _)| peer);
        let met = met.iter().map(|met| &met.peer);
        let heard = heard.iter().map(|heard| &heard.from);
        let in_touch = in_touch.iter().map(|in_touch| &in_touch.peer);
        acked
            .chain(met)
            .chain(heard)
            .chain(in_touch)
            .chain(said.iter().map(|said| &said.to))
            .chain(parted)
            .collect()
    }
}

impl Correspondence {
    /// All rooms that this one has written to or heard from.
    pub fn peers(&self) -> impl Iterator<Item = (&RoomId, &Peer)> {
        self.peers.iter()
    }

    /// One of them.
    pub fn peer(&self, room: &RoomId) -> Option<&Peer> {
        self.peers.get(room)
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// Whether it is known of this room what was said before, so that what is said now follows it.
    pub fn is_in_touch(&self, room: &RoomId) -> bool {
        self.peers.get(room).is_some_and(|peer| peer.in_touch)
    }

    /// A new owner does not know what its predecessors may have said that the journal no longer holds. To be called on what a journal
    /// adds up to, before it is written down as the new owner's first keyframe.
    pub fn taken_over(&mut self) {
        for peer in self.peers.values_mut() {
            peer.in_touch = false;
        }
    }

    /// What is to be done with this letter of this room.
    pub fn hearing(&self, from: &RoomId, letter: &Letter) -> Hearing {
        match self.peers.get(from) {
            Some(peer) if !peer.diverged => peer.inbox.hearing(letter),
            _ => Hearing::Ignore,
        }
    }

    /// The answer to a hello in which the room said that it remembers having said all up to `said`.
    pub fn back(&self, to: &RoomId, to_epoch: Epoch, said: Option<LetterId>) -> What {
        let peer = self.peers.get(to);
        let heard = peer.and_then(|peer| peer.inbox.heard());
        let forgotten = match peer {
            Some(peer) if peer.diverged => None,
            Some(peer) => peer.inbox.after(said),
            None => Some(Vec::new()),
        };
        let said = peer.and_then(|peer| peer.outbox.said());
        What::Back { to: to_epoch, said, heard, forgotten }
    }

    /// Does what a commit says whose entry stands at `at` and was decided at `now`.
    pub fn apply(&mut self, delta: &Delta, at: Position, now: UnixMs) {
        for (peer, id) in &delta.acked {
            self.change(peer, |peer| {
                peer.outbox.ack(*id, now);
                Ok(())
            });
        }
        if let Some(Met { peer, epoch, said, heard }) = &delta.met {
            self.change(peer, |peer| {
                if !is_without(LetterRule::Fence) {
                    peer.epoch = peer.epoch.max(*epoch);
                }
                peer.inbox.after(*said).filter(|_| peer.inbox.is_whole(*said)).ok_or(Broken)?;
                // Else its answer to this room's own hello says the same, and what this room had forgotten too.
                if peer.in_touch { peer.outbox.resume(*heard, now) } else { Ok(()) }
            });
        }
        for Heard { from, epoch, letter } in &delta.heard {
            self.change(from, |peer| {
                peer.epoch = peer.epoch.max(*epoch);
                peer.inbox.hear(letter.clone(), now);
                Ok(())
            });
        }
        self.resume(&delta.in_touch, now);
        for (index, Said { to, re, body }) in (0_u16..).zip(&delta.said) {
            let (re, body) = (re.clone(), body.clone());
            let letter = Letter { id: LetterId { at, index }, prev: None, re, body };
            self.change(to, |peer| peer.outbox.say(letter, peer.in_touch));
        }
        for peer in delta.peers() {
            self.change(peer, |peer| {
                peer.outbox.prune(now);
                peer.inbox.prune(now);
                Ok(())
            });
        }
        for peer in &delta.parted {
            self.peers.remove(peer);
        }
    }

    fn resume(&mut self, in_touch: &[InTouch], now: UnixMs) {
        let mut used_up = Vec::new();
        for InTouch { peer, epoch, said: _, heard, forgotten } in in_touch {
            self.change(peer, |peer| {
                peer.in_touch = true;
                peer.epoch = peer.epoch.max(*epoch);
                for letter in forgotten.as_ref().ok_or(Broken)? {
                    peer.outbox.recall(letter.clone())?;
                    used_up.extend_from_slice(&letter.re);
                }
                peer.outbox.resume(*heard, now)?;
                peer.outbox.release();
                Ok(())
            });
        }
        // When all are known: this room may have forgotten that it ever heard of them.
        for Reference { from, letter } in used_up {
            if let Some(peer) = self.peers.get_mut(&from) {
                peer.inbox.use_up(letter);
            }
        }
        for InTouch { peer, said, .. } in in_touch {
            self.change(peer, |peer| if peer.inbox.is_whole(*said) { Ok(()) } else { Err(Broken) });
        }
    }

    fn change(&mut self, peer: &RoomId, change: impl FnOnce(&mut Peer) -> Result<(), Broken>) {
        let peer = match self.peers.get_mut(peer) {
            Some(peer) => peer,
            None => self.peers.entry(peer.clone()).or_default(),
        };
        if change(peer) == Err(Broken) && !is_without(LetterRule::Diverged) {
            peer.diverged = true;
        }
    }
}
