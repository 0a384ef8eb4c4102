//! Judging what is answered to questions: the answer follows from what the journal says up to the frame that it names.

use player::incoming::Refusal;
use protocol::{
    RefusalCode,
    bounds::{ANSWER_BYTES_MAX, QUESTION_BYTES_MAX},
    id::{Position, RoomId, UserId},
    table::TableQuestion,
    tournament::TournamentQuestion,
};
use serde_json::{Value, json, value::RawValue};

use super::{Journal, OfContest, Promise, Shadow};

/// What a question deserves.
enum Deserves {
    /// This answer.
    Answer(Value),
    /// Some answer, of which nothing is known here.
    AnAnswer,
    /// An answer if it is not too long.
    Perhaps,
    /// None.
    Nothing,
}

impl Shadow {
    /// Judges an answer, once the journal has been read as far.
    pub fn answered(&mut self, room: &RoomId, user: &UserId, at: Position, q: &RawValue, body: &RawValue) {
        if self.losses > 0 {
            return;
        }
        let told = |why: &str| format!("{room} {at}: {user} asked {q} and was told {body}, {why}");
        let Some(journal) = self.rooms.get(room) else {
            return self.accuse(Promise::Answers, told("and there is no such room"));
        };
        if !self.holds(room, at) && !self.may_have_held(room, at) {
            return self.accuse(Promise::Answers, told("which is not in the journal"));
        }
        if body.get().len() > ANSWER_BYTES_MAX {
            return self.accuse(Promise::Answers, told("which is too long"));
        }
        if journal.is_late_for(user, at) {
            self.accuse(Promise::Rail, told("and is shown the room late"));
            return;
        }
        match journal.deserved(at, q) {
            Deserves::Answer(answer) if serde_json::from_str(body.get()).ok().as_ref() != Some(&answer) => {
                self.accuse(Promise::Answers, told(&format!("and right is {answer}")));
            }
            Deserves::Nothing => self.accuse(Promise::Answers, told("which was no question")),
            Deserves::Answer(_) | Deserves::AnAnswer | Deserves::Perhaps => {}
        }
    }

    /// Judges that there is none.
    pub fn unanswered(&mut self, user: &UserId, q: &RawValue, why: &Refusal) {
        let room = &why.room;
        let is_there =
            self.rooms.get(room).is_some_and(|journal| journal.ended.is_none()) && self.losses == 0;
        let is_right = match why.code {
            Some(RefusalCode::NoSuchRoom) => !is_there,
            Some(RefusalCode::BadQuestion) => {
                let journal = self.rooms.get(room);
                let deserves = journal.map(|journal| journal.deserved(journal.last, q));
                !matches!(deserves, Some(Deserves::Answer(_) | Deserves::AnAnswer))
            }
            Some(RefusalCode::NotAllowed) => self.rooms.get(room).is_some_and(|journal| journal.late),
            Some(RefusalCode::TooFast | RefusalCode::Busy | RefusalCode::Unavailable) => {
                why.retry_after_ms.is_some()
            }
            _ => false,
        };
        if !is_right {
            self.accuse(Promise::Answers, format!("{room}: {user} asked {q} and was told {why:?}"));
        }
    }
}

impl Journal {
    fn deserved(&self, at: Position, q: &RawValue) -> Deserves {
        let known = |answer: Option<Value>| answer.map_or(Deserves::AnAnswer, Deserves::Answer);
        if q.get().len() > QUESTION_BYTES_MAX {
            return Deserves::Nothing;
        }
        if self.talk.is_some() || self.parts.is_some() {
            return Deserves::Nothing;
        }
        if self.figures.is_some() {
            let q: Value = serde_json::from_str(q.get()).unwrap_or_default();
            return match q["about"].as_str() {
                Some("total") if q == json!({"about": "total"}) => known(self.totals.get(&at).cloned()),
                Some("mine") => Deserves::AnAnswer,
                Some("story") => Deserves::Perhaps,
                _ => Deserves::Nothing,
            };
        }
        if self.of_contest == Some(OfContest::Itself) {
            let is_question = TournamentQuestion::read(q.get()).is_ok();
            return if is_question { Deserves::AnAnswer } else { Deserves::Nothing };
        }
        match TableQuestion::read(q.get()) {
            Ok(question) => known(self.views.get(&at).map(|view| json!(question.answer(view)))),
            Err(_) => Deserves::Nothing,
        }
    }
}
