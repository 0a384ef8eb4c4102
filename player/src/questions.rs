//! Questions to rooms and their answers. A question changes nothing and may be lost, so it is asked again until something comes.

use std::{borrow::Cow, collections::VecDeque};

use protocol::{ClientIn, id::RoomId};
use serde_json::value::RawValue;
use tokio::time::{Duration, Instant};

/// A question that has no answer is asked again after so long.
pub const ASK_AGAIN: Duration = Duration::from_secs(2);

/// A question without an answer so far.
#[derive(Debug)]
pub struct Open {
    /// Its number.
    pub n: u64,
    /// Its room.
    pub room: RoomId,
    /// What was asked.
    pub q: Box<RawValue>,
    /// When it was asked first.
    pub since: Instant,
    /// When it was asked last.
    asked: Instant,
}

impl Open {
    fn text(&self) -> String {
        let (n, room) = (self.n, self.room.clone());
        let message = ClientIn::Ask { n, room, q: Cow::Borrowed(&self.q) };
        serde_json::to_string(&message).expect("messages are JSON")
    }
}

/// The questions of one client, whatever its session is.
#[derive(Debug, Default)]
pub struct Questions {
    last_n: u64,
    open: VecDeque<Open>,
}

/// An answer to what was never asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("never asked")]
pub struct NeverAsked;

impl Questions {
    /// Numbers a question and keeps it until its answer. Returns its number, and the text to send.
    pub fn ask(&mut self, room: &RoomId, q: Box<RawValue>, now: Instant) -> (u64, String) {
        self.last_n += 1;
        let question = Open { n: self.last_n, room: room.clone(), q, since: now, asked: now };
        let text = question.text();
        self.open.push_back(question);
        (self.last_n, text)
    }

    /// Those to be asked again now.
    pub fn due(&mut self, now: Instant) -> Vec<String> {
        let due = self.open.iter_mut().filter(|question| now.duration_since(question.asked) >= ASK_AGAIN);
        due.map(|question| {
            question.asked = now;
            question.text()
        })
        .collect()
    }

    /// When the next one is.
    pub fn deadline(&self) -> Option<Instant> {
        self.open.iter().map(|question| question.asked + ASK_AGAIN).min()
    }

    /// Takes the answer to a question and returns the question; `None` if it was answered already, which an answer to a repetition
    /// may be.
    ///
    /// # Errors
    /// [`NeverAsked`], also if it was asked of another room.
    pub fn answered(&mut self, n: u64, room: &RoomId) -> Result<Option<Open>, NeverAsked> {
        match self.open.iter().position(|question| question.n == n) {
            Some(at) if self.open[at].room == *room => Ok(self.open.remove(at)),
            None if n > 0 && n <= self.last_n => Ok(None),
            _ => Err(NeverAsked),
        }
    }

    /// Questions without an answer, oldest first.
    pub fn open(&self) -> impl ExactSizeIterator<Item = &Open> {
        self.open.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_question_is_asked_again_until_it_has_an_answer_and_a_second_one_is_nothing() {
        let (room, other) = (RoomId::new("t1").unwrap(), RoomId::new("t2").unwrap());
        let mut questions = Questions::default();
        let q = || RawValue::from_string(r#"{"about":"seats"}"#.into()).unwrap();
        let start = Instant::now();
        let (n, text) = questions.ask(&room, q(), start);
        assert_eq!(text, r#"{"t":"ask","n":1,"room":"t1","q":{"about":"seats"}}"#);
        questions.ask(&room, q(), start + ASK_AGAIN / 2);
        assert_eq!(questions.deadline(), Some(start + ASK_AGAIN));
        assert_eq!(questions.due(start + ASK_AGAIN), [text]);
        assert_eq!(questions.due(start + ASK_AGAIN).len(), 0);
        assert_eq!(questions.answered(n, &other).unwrap_err(), NeverAsked);
        assert_eq!(questions.answered(n, &room).unwrap().unwrap().n, n);
        assert!(questions.answered(n, &room).unwrap().is_none());
        assert_eq!(questions.answered(3, &room).unwrap_err(), NeverAsked);
        assert_eq!(questions.open().len(), 1);
    }
}
