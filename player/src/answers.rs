//! Commands and their answers: each gets exactly one, however often it had to be sent.

use std::{borrow::Cow, collections::VecDeque};

use protocol::{ClientIn, id::RoomId};
use serde_json::value::RawValue;
use tokio::time::{Duration, Instant};

/// A command without an answer so far.
#[derive(Debug)]
pub struct Waiting {
    /// Its counter.
    pub n: u64,
    /// Its room.
    pub room: RoomId,
    /// Whether it was an action in a hand.
    pub acts: bool,
    /// The message, to be sent again after a reconnect.
    pub text: String,
    /// When it was first sent.
    pub since: Instant,
}

/// The commands of one session.
#[derive(Debug)]
pub struct Answers {
    next_n: u64,
    waiting: VecDeque<Waiting>,
}

/// An answer to a command that has none coming.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unexpected {
    /// It has been answered already.
    #[error("answered twice")]
    Twice,
    /// It was never asked.
    #[error("never asked")]
    NeverAsked,
    /// The answer names another room than the command.
    #[error("another room's")]
    OtherRoom,
}

impl Default for Answers {
    fn default() -> Self {
        Self { next_n: 1, waiting: VecDeque::new() }
    }
}

impl Answers {
    /// Numbers a command and keeps it until its answer. The text to send is the last of [`Answers::waiting`].
    /// `acts`: it is an action in a hand.
    pub fn ask(&mut self, room: &RoomId, what: Box<RawValue>, acts: bool, now: Instant) -> &Waiting {
        let n = self.next_n;
        self.next_n += 1;
        let message = ClientIn::Do { n, room: room.clone(), what: Cow::Owned(what) };
        let text = serde_json::to_string(&message).expect("messages are JSON");
        self.waiting.push_back(Waiting { n, room: room.clone(), acts, text, since: now });
        self.waiting.back().expect("just pushed")
    }

    /// The largest number that was used; 0 if none was.
    pub fn last_n(&self) -> u64 {
        self.next_n - 1
    }

    /// Takes the answer to a command and returns the command.
    ///
    /// # Errors
    /// [`Unexpected`] when no such answer was to come.
    pub fn answered(&mut self, n: u64, room: &RoomId) -> Result<Waiting, Unexpected> {
        let Some(at) = self.waiting.iter().position(|command| command.n == n) else {
            return Err(if n < self.next_n && n > 0 { Unexpected::Twice } else { Unexpected::NeverAsked });
        };
        let command = self.waiting.remove(at).expect("found there");
        if command.room == *room { Ok(command) } else { Err(Unexpected::OtherRoom) }
    }

    /// Commands without an answer, oldest first.
    pub fn waiting(&self) -> impl ExactSizeIterator<Item = &Waiting> {
        self.waiting.iter()
    }

    /// How many wait for longer than `bound`.
    pub fn overdue(&self, bound: Duration, now: Instant) -> usize {
        self.waiting.iter().filter(|command| now.duration_since(command.since) > bound).count()
    }

    /// The session is over: what became of the waiting commands will not be told. Returns how many there were.
    pub fn give_up(&mut self) -> usize {
        std::mem::take(self).waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_command_has_one_answer_coming() {
        let (room, other) = (RoomId::new("t1").unwrap(), RoomId::new("t2").unwrap());
        let mut answers = Answers::default();
        let start = Instant::now();
        let what = || RawValue::from_string("{}".into()).unwrap();
        assert_eq!(answers.ask(&room, what(), false, start).n, 1);
        assert_eq!(answers.ask(&room, what(), false, start).n, 2);
        assert_eq!(answers.ask(&room, what(), false, start).n, 3);
        assert_eq!(answers.answered(2, &room).unwrap().n, 2);
        assert_eq!(answers.answered(2, &room).unwrap_err(), Unexpected::Twice);
        assert_eq!(answers.answered(4, &room).unwrap_err(), Unexpected::NeverAsked);
        assert_eq!(answers.answered(3, &other).unwrap_err(), Unexpected::OtherRoom);
        assert_eq!(answers.waiting().map(|command| command.n).collect::<Vec<_>>(), [1]);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(answers.overdue(Duration::from_secs(2), Instant::now()), 1);
        assert_eq!(answers.overdue(Duration::from_secs(4), Instant::now()), 0);
        assert_eq!(answers.give_up(), 1);
    }
}
