//! A worker that owns a room, as far as letters are concerned: what `room/runtime.rs` does around the real letters.

use protocol::id::{Epoch, Position, RoomId, Seq};
use rand::RngExt;
use rand_chacha::ChaCha20Rng;
use rooms::room::letters::{
    Correspondence, Delta, Mail, Post, Said, Step, What, inbox::Hearing, wire::together,
};

use crate::{
    app::{App, Event},
    faults::Planted,
    store::{Entry, State, Store},
};

/// What an owner does is done in here.
pub(crate) struct Surroundings<'a> {
    pub(crate) store: &'a mut Store,
    pub(crate) rng: &'a mut ChaCha20Rng,
    pub(crate) tables: &'a [RoomId],
    pub(crate) next_epoch: &'a mut u64,
    pub(crate) now: u64,
    /// What is sent, to whom.
    pub(crate) sent: &'a mut Vec<(RoomId, Mail)>,
    pub(crate) breaches: &'a mut Vec<String>,
    pub(crate) planted: Option<Planted>,
    pub(crate) is_stormy: bool,
    /// How often an owner dies right after a commit, and the store refuses to write; of 1.
    pub(crate) crashes: f64,
    pub(crate) refuses: f64,
}

pub(crate) struct Owner {
    pub(crate) room: RoomId,
    pub(crate) state: State,
    pub(crate) post: Post,
    pub(crate) is_dead: bool,
    /// Died after a commit, not by the fence.
    pub(crate) has_crashed: bool,
    peers: Vec<RoomId>,
    epoch: Epoch,
    seq: u64,
    keyframe: Option<Position>,
    deltas: usize,
    generation: u64,
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commit {
    Written,
    Refused,
    Dead,
}

impl Owner {
    /// Claims the room, restores it and writes it down.
    pub(crate) fn take_over(
        room: &RoomId,
        peers: Vec<RoomId>,
        new: App,
        around: &mut Surroundings<'_>,
    ) -> Option<Self> {
        *around.next_epoch += 1;
        let (epoch, generation) = (Epoch(*around.next_epoch), around.store.generation(room));
        if !around.store.append(room, Position(epoch, Seq(0)), &Entry::Claim) {
            return None;
        }
        let restored = around.store.restore(room);
        let mut state = restored.state.unwrap_or_else(|| State {
            app: new,
            letters: Correspondence::default(),
            said: Default::default(),
            heard: Default::default(),
        });
        state.letters.taken_over();
        let post = Post::open(&state.letters, peers.iter().cloned());
        let mut owner = Self {
            room: room.clone(),
            state,
            post,
            is_dead: false,
            has_crashed: false,
            peers,
            epoch,
            seq: restored.seq,
            keyframe: None,
            deltas: 0,
            generation,
        };
        owner.keyframe(around).then_some(owner)
    }

    fn keyframe(&mut self, around: &mut Surroundings<'_>) -> bool {
        let at = Position(self.epoch, Seq(self.seq + 1));
        if !around.store.append(&self.room, at, &Entry::Keyframe(self.state.clone())) {
            self.is_dead = true;
            return false;
        }
        around.store.trim(&self.room, self.keyframe);
        (self.seq, self.keyframe, self.deltas) = (self.seq + 1, Some(at), 0);
        true
    }

    /// The broker has lost something: claim anew, and put the state from memory in its place.
    fn reassert(&mut self, around: &mut Surroundings<'_>) -> bool {
        let last = around.store.last(&self.room).unwrap_or_default();
        *around.next_epoch += 1;
        let epoch = Epoch(*around.next_epoch);
        if last.epoch() > self.epoch
            || !around.store.append(&self.room, Position(epoch, Seq(0)), &Entry::Claim)
        {
            self.is_dead = true;
            return false;
        }
        (self.epoch, self.generation, self.keyframe) = (epoch, around.store.generation(&self.room), None);
        self.keyframe(around)
    }

    fn commit(&mut self, events: Vec<Event>, mut delta: Delta, around: &mut Surroundings<'_>) -> Commit {
        if self.is_dead {
            return Commit::Dead;
        }
        if around.store.generation(&self.room) != self.generation && !self.reassert(around) {
            return Commit::Dead;
        }
        self.post.commits(&self.state.letters, &mut delta);
        let (at, now) = (Position(self.epoch, Seq(self.seq + 1)), around.now);
        if matches!(around.planted, Some(Planted::SendsBeforeCommit { .. })) {
            self.send_early(&delta, at, around);
        }
        if around.is_stormy && around.rng.random_bool(around.refuses) {
            return Commit::Refused;
        }
        let mut journaled = delta.clone();
        if around.planted == Some(Planted::HearsInMemory) {
            journaled.heard.clear();
        }
        let entry = Entry::Delta { events: events.clone(), letters: journaled, now };
        if !around.store.append(&self.room, at, &entry) {
            self.is_dead = true;
            return Commit::Dead;
        }
        if let Err(breach) = self.state.apply(&events, &delta, at, now) {
            around.breaches.push(format!("{}: {breach}", self.room));
        }
        self.post.committed(&self.state.letters, &delta, now);
        (self.seq, self.deltas) = (self.seq + 1, self.deltas + 1);
        if around.is_stormy && around.rng.random_bool(around.crashes) {
            (self.is_dead, self.has_crashed) = (true, true);
            return Commit::Dead;
        }
        if Store::needs_keyframe(self.deltas) && !self.keyframe(around) {
            return Commit::Dead;
        }
        Commit::Written
    }

    fn send_early(&self, delta: &Delta, at: Position, around: &mut Surroundings<'_>) {
        let mut letters = self.state.letters.clone();
        letters.apply(delta, at, around.now);
        for Said { to, .. } in &delta.said {
            let peer = letters.peer(to).unwrap();
            if peer.in_touch {
                self.send(
                    to.clone(),
                    What::Letters(together(peer.outbox.after(peer.outbox.acked()))),
                    around,
                );
            }
        }
    }

    fn send(&self, to: RoomId, what: What, around: &mut Surroundings<'_>) {
        let is_watched = around.planted != Some(Planted::SendsBeforeCommit { is_watched: false });
        if let What::Letters(letters) = &what
            && is_watched
        {
            for letter in letters {
                if !around.store.has_had(&self.room, letter.id, letter.body.as_bytes()) {
                    around.breaches.push(format!("{} sends {:?} before it is durable", self.room, letter.id));
                }
            }
        }
        around.sent.push((to, Mail { from: self.room.clone(), epoch: self.epoch, what }));
    }

    /// Sends what is due.
    pub(crate) fn pulse(&mut self, around: &mut Surroundings<'_>) {
        if self.is_dead {
            return;
        }
        // A recall that the store had refused.
        let step = self.post.recall(&self.state.letters);
        self.take(step, &self.room.clone(), around);
        if self.is_dead {
            return;
        }
        for (to, what) in self.post.outgoing(&self.state.letters, around.now) {
            self.send(to, what, around);
        }
    }

    /// Does something of its own accord.
    pub(crate) fn work(&mut self, around: &mut Surroundings<'_>) {
        if self.is_dead {
            return;
        }
        let in_touch = |room: &RoomId| {
            self.state.letters.is_in_touch(room) && self.post.has_space(&self.state.letters, room)
        };
        let decided = self.state.app.works(around.tables, in_touch, around.is_stormy, around.rng);
        if let Some(decided) = decided {
            let delta = Delta { said: decided.said, ..Delta::default() };
            self.commit(decided.events, delta, around);
        }
    }

    /// A message has come.
    pub(crate) fn hear(&mut self, mail: Mail, around: &mut Surroundings<'_>) {
        if self.is_dead {
            return;
        }
        let from = mail.from.clone();
        let is_listed = |room: &RoomId| self.peers.contains(room);
        let step = self.post.hear(&self.state.letters, self.epoch, mail, is_listed, around.now);
        self.take(step, &from, around);
    }

    fn take(&mut self, step: Step, from: &RoomId, around: &mut Surroundings<'_>) {
        match step {
            Step::Nothing => {}
            Step::Meet(met) => {
                let (epoch, said) = (met.epoch, met.said);
                let delta = Delta { met: Some(met), ..Delta::default() };
                if self.commit(Vec::new(), delta, around) == Commit::Written {
                    self.send(from.clone(), self.state.letters.back(from, epoch, said), around);
                }
            }
            Step::Answer { epoch, said } => {
                self.send(from.clone(), self.state.letters.back(from, epoch, said), around);
            }
            Step::Recall { in_touch, letters, listens } => {
                let words: Vec<_> = letters.into_iter().map(|(to, letter)| (to, letter.body)).collect();
                let events = self.state.app.recalled(&words);
                let delta = Delta { in_touch, ..Delta::default() };
                if self.commit(events, delta, around) == Commit::Written && listens {
                    for peer in &self.peers {
                        self.send(peer.clone(), Post::got(&self.state.letters, peer, true), around);
                    }
                }
            }
            Step::Tell(told) => {
                for heard in told {
                    let letter = &heard.letter;
                    let decided = match self.state.letters.hearing(from, letter) {
                        Hearing::Ignore => continue,
                        Hearing::UsedUp => None,
                        Hearing::Tell => Some(self.state.app.told(
                            from,
                            letter.id,
                            &letter.body,
                            around.tables,
                            around.rng,
                        )),
                    };
                    let (events, said) =
                        decided.map_or_else(Default::default, |decided| (decided.events, decided.said));
                    let delta = Delta { heard: vec![heard], said, ..Delta::default() };
                    if self.commit(events, delta, around) != Commit::Written {
                        return;
                    }
                }
                self.send(from.clone(), Post::got(&self.state.letters, from, false), around);
            }
        }
    }

    /// Everything is said, heard and acknowledged.
    pub(crate) fn is_quiet(&self) -> bool {
        let letters = &self.state.letters;
        let in_touch = self.peers.iter().all(|peer| letters.is_in_touch(peer));
        !self.is_dead
            && in_touch
            && self.post.listens()
            && self.post.has_all_arrived(letters)
            && !self.state.app.is_busy()
    }

    /// Whether it knows that it and another room do not remember the same.
    pub(crate) fn has_diverged(&self) -> bool {
        self.state.letters.peers().any(|(_, peer)| peer.diverged)
    }
}
