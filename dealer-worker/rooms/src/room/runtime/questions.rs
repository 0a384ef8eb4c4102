//! What clients ask: answered from the committed state, and from nothing else. An answer changes nothing and is in no journal.

use protocol::{
    ClientOut, RefusalCode,
    bounds::ANSWER_BYTES_MAX,
    id::{NodeId, Position, SessionId, UserId},
};

use super::Running;
use crate::{
    counts::counter,
    planted::{Fault, is_planted},
    room::{Input, Moment, Refusal, any::AnyRoom, frame},
};

/// How the names of receptions begin, which ask for the house.
const RECEPTION: &str = "reception-";

/// A client's question.
pub(super) struct Question<'a> {
    pub(super) user: UserId,
    pub(super) session: SessionId,
    pub(super) n: u64,
    /// The JSON text of its `q`.
    pub(super) body: &'a [u8],
}

impl Running {
    /// Answers a question, or says why not. A room that has just been taken over and is not on its feet yet is silent: it is asked again.
    pub(super) fn answer(&mut self, relay: &NodeId, question: Question<'_>) {
        if !self.has_begun {
            return;
        }
        let Question { user, session, n, body: asked } = question;
        // While something is being written, and even if its answer is lost, the state is that of the last frame.
        let at = Position(self.journal.last_frame_epoch(), self.journal.last().seq());
        let drafted = self.drafted();
        let room = drafted.as_ref().unwrap_or(&self.state.room);
        let answered = if self.is_late_for(relay, &user) {
            let message =
                "this room is shown late to whoever has no part in it, and answers only those who have";
            Err(Refusal::new(RefusalCode::NotAllowed, message))
        } else {
            room.answer_with(&user, asked, &self.state.errands)
        };
        let answered = answered.and_then(|body| {
            if body.get().len() <= ANSWER_BYTES_MAX {
                return Ok(body);
            }
            let message =
                format!("that is more than an answer can hold, {ANSWER_BYTES_MAX} bytes: ask for less");
            Err(Refusal::new(RefusalCode::BadQuestion, message))
        });
        counter!("cardhouse_questions_total").increment(1);
        let room = self.id.clone();
        let message = match answered {
            Ok(body) => ClientOut::Answer { n, room, at, body },
            Err(Refusal { code, message, legal: _, retry_after_ms }) => {
                ClientOut::Unanswered { n, room, code, message, retry_after_ms }
            }
        };
        self.context.replies.answer(relay, user, session, frame::json(&message));
    }

    /// Whether who asks is shown the room late: an answer would tell what it has not seen. Whoever asks through no relay is of the house, and
    /// is told by the name of its node, since whoever lives is not always known.
    fn is_late_for(&self, asked_by: &NodeId, user: &UserId) -> bool {
        let is_of_the_house = asked_by.as_str().starts_with(RECEPTION);
        self.shown_late_by_ms() > 0 && !is_of_the_house && !self.state.room.live().contains(user)
    }

    /// A planted fault: the state that the room will be in once its clock is due, which nobody has committed.
    fn drafted(&mut self) -> Option<AnyRoom> {
        let due = self.state.room.deadline().filter(|_| is_planted(Fault::AnswersUncommitted))?;
        let moment = Moment { now: due, at: self.journal.next() };
        Some(self.state.room.decide(Input::Clock, moment, &mut self.chance).ok()?.after)
    }
}
