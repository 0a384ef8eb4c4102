//! Letters: what other rooms say, and what this one says to them. What is to be done about it is decided in [`letters`]; here it is done.

use broker::channel::Channel;
use bytes::Bytes;
use protocol::{
    RefusalCode,
    id::{Epoch, Position, RoomId},
};
use tokio::time::{Duration, timeout};
use tracing::{debug, error, info, warn};

use super::{
    Ended, Running,
    commit::{Became, With},
    hear::BUSY_RETRY_MS,
};
use crate::{
    counts::counter,
    room::{
        Input, Refusal,
        any::AnyEvents,
        journal::has_ended,
        letters::{self, Post, Said, Step, What, correspondence::Heard, inbox::Hearing, wire::together},
        record::Delta,
        takeover::Claimer,
    },
};

/// Looking whether another room is there is not worth waiting longer for.
const LOOK_TIMEOUT: Duration = Duration::from_millis(500);

/// Where a room is that does not answer.
enum Whereabouts {
    /// It has ended: its journal says so, or it was there and is nowhere.
    Ended,
    /// It is nowhere, and nothing was ever heard of it.
    NotYet,
    /// It is there, or it is not known.
    Unknown,
}

impl Running {
    /// Another room has said something.
    pub(super) async fn hear_mail(&mut self, message: &Bytes) -> Result<(), Ended> {
        let mail = match letters::Mail::decode(message) {
            Ok(mail) => mail,
            Err(error) => {
                counter!("cardhouse_mail_malformed_total").increment(1);
                debug!(room = %self.id, %error, "mail that is none");
                return Ok(());
            }
        };
        let (from, now, epoch) = (mail.from.clone(), self.now(), self.journal.epoch());
        let room = &self.state.room;
        let is_listed = |from: &RoomId| room.hears(from);
        let step = self.post.hear(&self.state.letters, epoch, mail, is_listed, now);
        self.take_step(&from, step).await?;
        self.send_letters().await;
        Ok(())
    }

    /// Decides on what was forgotten, if all have answered and the store refused to write that the last time.
    pub(super) async fn recall(&mut self) -> Result<(), Ended> {
        let step = self.post.recall(&self.state.letters);
        self.take_step(&self.id.clone(), step).await?;
        self.send_letters().await;
        Ok(())
    }

    async fn take_step(&mut self, from: &RoomId, step: Step) -> Result<(), Ended> {
        match step {
            Step::Nothing => {}
            Step::Meet(met) => {
                let (epoch, said) = (met.epoch, met.said);
                if self.commit_letters(letters::Delta { met: Some(met), ..Default::default() }).await? {
                    self.say(from, self.state.letters.back(from, epoch, said)).await;
                }
            }
            Step::Answer { epoch, said } => {
                self.say(from, self.state.letters.back(from, epoch, said)).await;
            }
            Step::Recall { in_touch, letters, listens } => {
                if !letters.is_empty() {
                    counter!("cardhouse_letters_recalled_total").increment(letters.len() as u64);
                    warn!(room = %self.id, letters = letters.len(), "had written letters that its journal has lost");
                }
                let with = letters::Delta { in_touch, ..Default::default() };
                let with = With { letters: Some(with), ..With::default() };
                let became = self.decide_and_commit(Input::Recalled { letters: &letters }, with).await?;
                if listens && matches!(became, Became::Done) {
                    let peers: Vec<RoomId> =
                        self.state.letters.peers().map(|(room, _)| room.clone()).collect();
                    for peer in peers {
                        self.say(&peer, Post::got(&self.state.letters, &peer, true)).await;
                    }
                }
            }
            Step::Tell(told) => {
                for heard in told {
                    if !self.take_letter(heard).await? {
                        return Ok(());
                    }
                }
                self.say(from, Post::got(&self.state.letters, from, false)).await;
            }
        }
        Ok(())
    }

    /// Answers whether it is in the journal, or needs not be.
    async fn take_letter(&mut self, heard: Heard) -> Result<bool, Ended> {
        let (from, letter) = (heard.from.clone(), heard.letter.clone());
        let hearing = self.state.letters.hearing(&from, &letter);
        let delta = letters::Delta { heard: vec![heard], ..Default::default() };
        match hearing {
            Hearing::Ignore => {
                counter!("cardhouse_letters_repeated_total").increment(1);
                return Ok(true);
            }
            Hearing::UsedUp => return self.commit_letters(delta).await,
            Hearing::Tell => {}
        }
        let input = Input::Told { from: &from, letter: letter.id, body: letter.body.as_bytes() };
        let with = With { letters: Some(delta), ..With::default() };
        let is_written = matches!(self.decide_and_commit(input, with).await?, Became::Done);
        counter!("cardhouse_letters_heard_total").increment(u64::from(is_written));
        self.look_later(&from);
        Ok(is_written)
    }

    /// A room that does not answer may not be there; then nothing is expected of it.
    pub(super) async fn look_for(&mut self, room: RoomId) -> Result<(), Ended> {
        match self.whereabouts(&room).await {
            Whereabouts::Unknown => {
                self.look_later(&room);
                return Ok(());
            }
            Whereabouts::NotYet => self.post.is_absent(&room),
            Whereabouts::Ended => {
                info!(room = %self.id, with = %room, "a room that was written to has ended");
                let parted = letters::Delta { parted: vec![room.clone()], ..Default::default() };
                let with = With { letters: Some(parted), ..With::default() };
                // Not written: it is looked for again.
                let _ = self.decide_and_commit(Input::Gone { room: &room }, with).await?;
            }
        }
        self.recall().await
    }

    /// Nothing more is expected of a room: when it has ended, it is to be forgotten.
    fn look_later(&mut self, room: &RoomId) {
        if self.state.room.has_done_with(room) {
            self.post.look_later(room, self.now());
        }
    }

    /// What the store says of another room. If it does not answer it is asked again later.
    async fn whereabouts(&self, room: &RoomId) -> Whereabouts {
        let claimer = Claimer::of(&self.context);
        let looked = timeout(LOOK_TIMEOUT, async {
            match has_ended(&*self.context.ports.store, room).await {
                Ok(Some(true)) => Whereabouts::Ended,
                Ok(None) if matches!(claimer.spec(room).await, Ok(None)) => {
                    let met = self.state.letters.peer(room).is_some_and(|peer| peer.epoch > Epoch(0));
                    if met { Whereabouts::Ended } else { Whereabouts::NotYet }
                }
                _ => Whereabouts::Unknown,
            }
        });
        looked.await.unwrap_or(Whereabouts::Unknown)
    }

    /// This room and another one do not remember the same.
    pub(super) async fn tell_diverged(&mut self, from: RoomId) -> Result<(), Ended> {
        error!(room = %self.id, %from, "two rooms do not remember the same of their letters: they write to each other no more");
        let input = Input::Diverged { from: &from };
        if matches!(self.decide_and_commit(input, With::default()).await?, Became::Unwritten) {
            self.diverged.push_back(from);
        }
        Ok(())
    }

    /// What there is against a command that would say this.
    pub(super) fn objection_to_letters(&self, said: &[Said]) -> Option<Refusal> {
        let why = |said: &Said| {
            if self.post.awaits(&said.to) {
                Some("another room is still being asked what was said before")
            } else if !self.post.has_space(&self.state.letters, &said.to) {
                Some("another room has not answered for too long")
            } else {
                None
            }
        };
        said.iter().find_map(why).map(|why| Refusal::for_now(RefusalCode::Busy, why, BUSY_RETRY_MS))
    }

    /// What is committed of the letters, with what was learned of them meanwhile.
    pub(super) fn with_what_was_learned(&self, mut delta: letters::Delta) -> Option<Box<letters::Delta>> {
        assert!(delta.said.is_empty() || self.kind.writes_letters, "a kind of rooms that write letters");
        self.post.commits(&self.state.letters, &mut delta);
        (!delta.is_empty()).then(|| Box::new(delta))
    }

    /// It is in the journal, and applied.
    pub(super) fn committed_letters(&mut self, delta: &letters::Delta, at_ms: u64) {
        counter!("cardhouse_letters_said_total").increment(delta.said.len() as u64);
        self.post.committed(&self.state.letters, delta, at_ms);
        for room in delta.peers() {
            if self.state.letters.peer(room).is_some_and(|peer| peer.diverged)
                && self.known_diverged.insert(room.clone())
            {
                counter!("cardhouse_rooms_diverged_total").increment(1);
                self.diverged.push_back(room.clone());
            }
        }
    }

    /// Whether nothing that this room has said is still on its way.
    pub(super) fn letters_have_arrived(&self) -> bool {
        self.post.has_all_arrived(&self.state.letters)
    }

    /// Sends what is due.
    pub(super) async fn send_letters(&mut self) {
        if !self.kind.writes_letters {
            return;
        }
        for (to, what) in self.post.outgoing(&self.state.letters, self.now()) {
            self.say(&to, what).await;
        }
    }

    /// May be lost: whatever matters is said again.
    async fn say(&self, to: &RoomId, what: What) {
        let mail = letters::Mail { from: self.id.clone(), epoch: self.journal.epoch(), what };
        if let Err(error) = self.context.ports.bus.publish(&Channel::mail(to), mail.encode()).await {
            debug!(room = %self.id, %to, %error, "mail was not sent");
        }
    }

    /// A planted fault: what is decided leaves before it is durable.
    pub(super) async fn send_early(&self, delta: &Delta<AnyEvents>, at: Position) {
        let Some(delta) = &delta.letters else { return };
        let mut letters = self.state.letters.clone();
        letters.apply(delta, at, self.now());
        for Said { to, .. } in &delta.said {
            let Some(peer) = letters.peer(to).filter(|peer| peer.in_touch) else { continue };
            self.say(to, What::Letters(together(peer.outbox.after(peer.outbox.acked())))).await;
        }
    }
}
