//! What a client knows: who it is, what it sees of rooms and of the lobby, and what has no answer yet.

use protocol::{
    id::{Position, RoomId, SessionId, UserId},
    lobby::Row,
    table::{Card, TableView},
    talk::TalkView,
};

use super::{Client, Phase};
use crate::{
    answers::Answers, breach::Breaches, decision::Deeds, follower::Follower, looking::Looking,
    questions::Questions, watched::Watched,
};

impl Client {
    /// Whether something was missed, so that only a reconnect with resume puts it right.
    pub fn wants_reconnect(&self) -> bool {
        self.wants_reconnect
    }

    /// Whether the house wants who has a seat to connect near it.
    pub fn connects_near(&self) -> bool {
        self.connects_near
    }

    /// Whether the relay has said welcome.
    pub fn is_online(&self) -> bool {
        self.phase == Phase::Online
    }

    /// The session that its commands belong to; `None` before the first welcome.
    pub fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// Who the relay says this is; `None` before the first welcome.
    pub fn user(&self) -> Option<&UserId> {
        self.user.as_ref()
    }

    /// A watched room.
    pub fn room(&self, room: &RoomId) -> Option<&Follower> {
        self.rooms.get(room).map(Watched::follower)
    }

    /// What is said in a watched room in which people talk; `None` until its first keyframe.
    pub fn talk(&self, room: &RoomId) -> Option<&TalkView> {
        self.rooms.get(room)?.talk()
    }

    /// How many parts of its own it has got in a watched room that counts them.
    pub fn parts(&self, room: &RoomId) -> Option<u64> {
        self.rooms.get(room)?.count()
    }

    /// Whether a watched room's frames for others do not come.
    pub fn is_sparse(&self, room: &RoomId) -> bool {
        self.rooms.get(room).is_some_and(Watched::is_sparse)
    }

    /// The last frame that was taken of a watched room, of whatever kind it is.
    pub fn position(&self, room: &RoomId) -> Option<Position> {
        self.rooms.get(room).map(Watched::at)
    }

    /// A watched room's table, once its keyframe has come.
    pub fn table(&self, room: &RoomId) -> Option<&TableView> {
        self.room(room)?.view()
    }

    /// The own hole cards in the hand that is on; empty without.
    pub fn hole_cards(&self, room: &RoomId) -> &[Card] {
        let Some(follower) = self.room(room) else { return &[] };
        let hand = follower.view().and_then(|view| view.hand.as_ref()).map(|hand| hand.hand);
        if Some(follower.private().hand) == hand { &follower.private().cards } else { &[] }
    }

    /// What was done in the hand that is on at a watched table, as far as it was seen.
    pub fn deeds(&self, room: &RoomId) -> Option<&Deeds> {
        self.rooms.get(room).map(Watched::deeds)
    }

    /// What it looks at in the lobby, and what it sees.
    pub fn looking(&self) -> Option<&Looking> {
        self.lobby.as_ref()
    }

    /// The rows that it sees in the lobby, in their order.
    pub fn lobby_rows(&self) -> impl Iterator<Item = &Row> {
        self.lobby.iter().filter_map(Looking::seen).flat_map(|seen| seen.rows())
    }

    /// Commands and their answers.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// Questions without an answer so far.
    pub fn questions(&self) -> &Questions {
        &self.questions
    }

    /// What was broken so far.
    pub fn breaches(&self) -> &Breaches {
        &self.breaches
    }
}
