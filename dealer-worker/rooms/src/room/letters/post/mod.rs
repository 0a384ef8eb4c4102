//! What the owner of a room does with its letters: what to send and when, what to commit when something comes.
//!
//! All that is here is in memory and is lost with the owner: it costs repetitions. The owner
//!
//! 1. calls [`Post::commits`] when it decides, which adds what was learned to the commit, and [`Post::committed`] when the entry is durable;
//! 2. gives [`Post::hear`] what comes, and does the [`Step`] that it answers;
//! 3. sends what [`Post::outgoing`] says, after each of these and when [`Post::deadline`] has passed.
//!
//! After a takeover it says hello to every room that it writes to, and hears no letters before all have answered. Only then it is known
//! what its predecessors had said that the journal has lost; if it heard others before, it could decide once more, and
//! differently, what has been decided.

mod line;

use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    id::{Epoch, RoomId},
    time::UnixMs,
};

use self::line::{Answer, Line};
use super::{
    Correspondence, Delta, Letter, LetterId, Mail, PEERS_MAX, UNACKED_MAX, What,
    correspondence::{Heard, InTouch, Met},
};
use crate::planted::{LetterRule, is_without};

/// See the module.
#[derive(Debug, Default)]
pub struct Post {
    lines: BTreeMap<RoomId, Line>,
    /// Who is to say something at what time.
    timers: BTreeSet<(UnixMs, RoomId)>,
    /// To whom there may be something to be sent at once.
    eager: BTreeSet<RoomId>,
    /// Rooms that have not answered for so long that it is worth looking whether they are there.
    silent: BTreeSet<RoomId>,
    /// Rooms that were written to before the takeover and have not answered since.
    unanswered: BTreeSet<RoomId>,
    /// Rooms of which nothing more is expected, and when it is worth looking whether they have ended.
    done_with: BTreeSet<(UnixMs, RoomId)>,
}

/// A room of which nothing more is expected is looked for after so long, milliseconds.
const LOOK_AFTER_MS: u64 = 5_000;

/// What is to be done about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// Commit this, then answer as [`Correspondence::back`] says.
    Meet(Met),
    /// Answer at once as [`Correspondence::back`] says: nothing changes.
    Answer {
        /// To whose hello.
        epoch: Epoch,
        /// What it remembers having said.
        said: Option<LetterId>,
    },
    /// Have the room decide on what it had said and forgotten, in the order in which it was written, and commit that with this.
    Recall {
        /// A part of the commit.
        in_touch: Vec<InTouch>,
        /// What was said to whom.
        letters: Vec<(RoomId, Letter)>,
        /// The first time since the takeover: the room hears letters from now on.
        listens: bool,
    },
    /// For each in turn that [`Correspondence::hearing`] does not ignore: have the room decide on it and commit that with it. Then say
    /// [`Post::got`].
    Tell(Vec<Heard>),
}

impl Post {
    /// For a room that was just taken over, which lists these rooms as those that it may write to.
    pub fn open(letters: &Correspondence, listed: impl IntoIterator<Item = RoomId>) -> Self {
        let known = letters.peers().map(|(peer, _)| peer.clone());
        let peers: BTreeSet<RoomId> = known.chain(listed).take(PEERS_MAX).collect();
        let lines = peers.iter().map(|peer| (peer.clone(), Line::default())).collect();
        Self { lines, eager: peers.clone(), unanswered: peers, ..Self::default() }
    }

    /// Whether the room hears letters: all have answered since the takeover.
    pub fn listens(&self) -> bool {
        self.unanswered.is_empty()
    }

    /// Whether it is still to be learned from this room what was said before the takeover.
    pub fn awaits(&self, room: &RoomId) -> bool {
        self.unanswered.contains(room)
    }

    /// When there is something to be sent again.
    pub fn deadline(&self) -> Option<UnixMs> {
        let timed = [&self.timers, &self.done_with].into_iter().filter_map(|timed| timed.first());
        timed.map(|(due, _)| *due).min()
    }

    /// Adds what was learned from messages to what is about to be committed.
    pub fn commits(&self, letters: &Correspondence, delta: &mut Delta) {
        delta.acked = delta
            .peers()
            .into_iter()
            .filter_map(|room| {
                let unwritten = self.lines.get(room)?.unwritten(letters.peer(room)?)?;
                Some((room.clone(), unwritten))
            })
            .collect();
    }

    /// This was committed, and is applied to `letters`.
    pub fn committed(&mut self, letters: &Correspondence, delta: &Delta, now: UnixMs) {
        if let Some(Met { peer, .. }) = &delta.met {
            self.line(peer).starts_over(now);
        }
        for InTouch { peer, .. } in &delta.in_touch {
            self.unanswered.remove(peer);
            let line = self.line(peer);
            line.answer = None;
            line.starts_over(now);
        }
        for Heard { from, .. } in &delta.heard {
            self.line(from);
        }
        for peer in &delta.parted {
            self.lines.remove(peer);
            self.unanswered.remove(peer);
            self.eager.remove(peer);
            self.silent.remove(peer);
            self.timers.retain(|(_, timed)| timed != peer);
            self.done_with.retain(|(_, timed)| timed != peer);
        }
        let spoken_to = delta.peers().into_iter().filter(|peer| letters.peer(peer).is_some());
        self.eager.extend(spoken_to.cloned());
    }

    fn line(&mut self, peer: &RoomId) -> &mut Line {
        if !self.lines.contains_key(peer) {
            self.eager.insert(peer.clone());
            self.lines.insert(peer.clone(), Line::default());
        }
        self.lines.get_mut(peer).expect("it was just put there")
    }

    /// Whether a command may write to this room: not while too many letters wait for its word.
    pub fn has_space(&self, letters: &Correspondence, room: &RoomId) -> bool {
        self.pending(letters, room) < UNACKED_MAX
    }

    /// Whether every letter has arrived. A room does not end before.
    pub fn has_all_arrived(&self, letters: &Correspondence) -> bool {
        letters.peers().all(|(room, peer)| peer.diverged || self.pending(letters, room) == 0)
    }

    fn pending(&self, letters: &Correspondence, room: &RoomId) -> usize {
        let Some(peer) = letters.peer(room) else { return 0 };
        let acked = self.lines.get(room).map_or(peer.outbox.acked(), |line| line.acked(peer));
        peer.outbox.pending(acked)
    }

    /// What is to be sent now, by the owner in this epoch.
    pub fn outgoing(&mut self, letters: &Correspondence, now: UnixMs) -> Vec<(RoomId, What)> {
        let mut outgoing = Vec::new();
        while self.done_with.first().is_some_and(|(due, _)| *due <= now) {
            self.silent.extend(self.done_with.pop_first().map(|(_, room)| room));
        }
        while let Some((due, peer)) = self.timers.first().cloned()
            && due <= now
        {
            self.timers.remove(&(due, peer.clone()));
            self.eager.insert(peer);
        }
        for room in std::mem::take(&mut self.eager) {
            let Some(line) = self.lines.get_mut(&room) else { continue };
            if let Some(timed) = line.timed.take() {
                self.timers.remove(&(timed, room.clone()));
            }
            let peer = letters.peer(&room);
            match peer {
                Some(peer) if peer.diverged && peer.in_touch => line.rest(),
                Some(peer) if peer.in_touch => {
                    let letters = line.letters(peer, now);
                    if !letters.is_empty() {
                        outgoing.push((room.clone(), What::Letters(letters)));
                    }
                }
                _ => {
                    let (said, heard) =
                        peer.map_or((None, None), |peer| (peer.outbox.said(), peer.inbox.heard()));
                    if line.greets(now) {
                        outgoing.push((room.clone(), What::Hello { said, heard }));
                    }
                }
            }
            if line.has_found_silence() {
                self.silent.insert(room.clone());
            }
            line.timed = line.due();
            self.timers.extend(line.due().map(|due| (due, room)));
        }
        outgoing
    }

    /// A room of which it is time to look whether it is there. It is then named again only after another repetition.
    pub fn silent(&mut self) -> Option<RoomId> {
        self.silent.pop_first()
    }

    /// Nothing more is expected of this room: it will be [`silent`](Self::silent) after a while, whatever it says.
    pub fn look_later(&mut self, room: &RoomId, now: UnixMs) {
        if self.done_with.iter().all(|(_, waiting)| waiting != room) {
            self.done_with.insert((now + LOOK_AFTER_MS, room.clone()));
        }
    }

    /// There is no such room yet, so it has heard nothing: nobody waits for its word. It is greeted on.
    pub fn is_absent(&mut self, room: &RoomId) {
        self.unanswered.remove(room);
    }

    /// What is to be said to a room whose letters were heard; `listens`: to any, when the room begins to hear again.
    pub fn got(letters: &Correspondence, to: &RoomId, listens: bool) -> What {
        What::Got { heard: letters.peer(to).and_then(|peer| peer.inbox.heard()), listens }
    }

    /// What is to be done about this message, by the owner in `epoch` of a room that lists these as rooms that it may write to.
    pub fn hear(
        &mut self,
        letters: &Correspondence,
        epoch: Epoch,
        mail: Mail,
        is_listed: impl FnOnce(&RoomId) -> bool,
        now: UnixMs,
    ) -> Step {
        let Mail { from, epoch: theirs, what } = mail;
        let peer = letters.peer(&from);
        let answered = self.lines.get(&from).and_then(|line| Some(line.answer.as_ref()?.epoch));
        let known = peer.map(|peer| peer.epoch).max(answered);
        if known.is_some_and(|known| theirs < known) && !is_without(LetterRule::Fence) {
            return Step::Nothing;
        }
        match what {
            What::Hello { said, heard } => {
                if peer.is_none() && (letters.len() >= PEERS_MAX || !is_listed(&from)) {
                    return Step::Nothing;
                }
                let line = self.line(&from);
                if answered.is_some_and(|answered| answered < theirs) {
                    // What it has answered may not be what it remembers now.
                    line.answer = None;
                    line.hurry(now);
                    self.eager.insert(from.clone());
                }
                if peer.is_none_or(|peer| peer.epoch < theirs) {
                    Step::Meet(Met { peer: from, epoch: theirs, said, heard })
                } else {
                    Step::Answer { epoch: theirs, said }
                }
            }
            What::Back { to, said, heard, forgotten } => {
                if to != epoch || peer.is_some_and(|peer| peer.in_touch) || !self.lines.contains_key(&from) {
                    return Step::Nothing;
                }
                self.line(&from).answer = Some(Answer { epoch: theirs, said, heard, forgotten });
                self.recall(letters)
            }
            What::Letters(told) => {
                let listens = self.listens() || is_without(LetterRule::Barrier);
                if !listens || !peer.is_some_and(|peer| peer.in_touch && !peer.diverged) {
                    return Step::Nothing;
                }
                Step::Tell(
                    told.into_iter()
                        .map(|letter| Heard { from: from.clone(), epoch: theirs, letter })
                        .collect(),
                )
            }
            What::Got { heard, listens } => {
                let Some(peer) = peer.filter(|peer| peer.in_touch) else { return Step::Nothing };
                let Some(line) = self.lines.get_mut(&from) else { return Step::Nothing };
                let is_news = heard.is_some_and(|heard| line.got(heard, peer));
                if listens {
                    line.hurry(now);
                }
                if listens || is_news {
                    self.eager.insert(from);
                }
                Step::Nothing
            }
        }
    }

    /// What is to be decided and committed when all have answered that are waited for. If the commit is refused, this is asked again.
    pub fn recall(&self, letters: &Correspondence) -> Step {
        let has_answered = |room: &RoomId| self.lines.get(room).is_some_and(|line| line.answer.is_some());
        let have_all = self.unanswered.iter().all(has_answered);
        if !have_all && !is_without(LetterRule::Barrier) {
            return Step::Nothing;
        }
        let answers = self.lines.iter().filter_map(|(room, line)| Some((room, line.answer.as_ref()?)));
        let in_touch: Vec<InTouch> = answers
            .map(|(peer, answer)| {
                let Answer { epoch, said, heard, forgotten } = answer.clone();
                InTouch { peer: peer.clone(), epoch, said, heard, forgotten }
            })
            .collect();
        if in_touch.is_empty() {
            return Step::Nothing;
        }
        let mut recalled: Vec<(RoomId, Letter)> = Vec::new();
        for InTouch { peer, forgotten, .. } in &in_touch {
            let outbox = letters.peer(peer).map(|peer| &peer.outbox);
            let is_forgotten = |letter: &&Letter| !outbox.is_some_and(|outbox| outbox.is_waiting(letter.id));
            let forgotten = forgotten.iter().flatten().filter(is_forgotten);
            recalled.extend(forgotten.map(|letter| (peer.clone(), letter.clone())));
        }
        if !is_without(LetterRule::Order) {
            recalled.sort_by_key(|(_, letter)| letter.id);
        }
        Step::Recall { in_touch, letters: recalled, listens: have_all && !self.unanswered.is_empty() }
    }
}
