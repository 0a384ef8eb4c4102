//! What a message means to whoever drives a client.

use protocol::{
    ErrorCode,
    client_out::NoticeCode,
    id::{Position, RoomId},
    table::TableEvent,
};
use serde_json::value::RawValue;
use tokio::time::Duration;

use crate::incoming::Refusal;

/// What a message meant.
#[derive(Debug)]
pub enum Heard {
    /// The connection is up.
    Welcome {
        /// The session of before goes on.
        resumed: bool,
    },
    /// A delta was taken (or refused as a breach: then the view has not moved).
    Frame {
        /// Which room.
        room: RoomId,
        /// Where.
        at: Position,
        /// The events.
        events: Vec<TableEvent>,
        /// The hand and turn that were on before it.
        turn: Option<(u64, u64)>,
    },
    /// A keyframe was taken.
    Keyframe {
        /// Which room.
        room: RoomId,
        /// Where.
        at: Position,
    },
    /// The own part of a frame was taken.
    Private {
        /// Which room.
        room: RoomId,
    },
    /// A command was applied.
    Acked {
        /// Its counter.
        n: u64,
        /// Its room.
        room: RoomId,
        /// In which frame.
        at: Position,
        /// It was an action in a hand.
        acted: bool,
        /// Since it was first sent.
        after: Duration,
    },
    /// A command was not applied.
    Refused(Refusal),
    /// A question was answered.
    Answer {
        /// Its number.
        n: u64,
        /// Its room.
        room: RoomId,
        /// What was asked.
        q: Box<RawValue>,
        /// The frame up to which the answer is right.
        at: Position,
        /// The answer, in the words of the room's kind.
        body: Box<RawValue>,
    },
    /// A question is not answered.
    Unanswered {
        /// What was asked.
        q: Box<RawValue>,
        /// Why.
        why: Refusal,
    },
    /// The lobby is here or has changed.
    Lobby,
    /// A room has told its rail something, with this frame.
    Rail {
        /// Which room.
        room: RoomId,
        /// The frame.
        at: Position,
    },
    /// A room's frames end.
    Unwatched(RoomId),
    /// A message that was no command was refused.
    Error {
        /// Why.
        code: ErrorCode,
        /// About which room.
        room: Option<RoomId>,
    },
    /// To know.
    Notice(NoticeCode),
    /// The relay is leaving: connect again after so long.
    Reconnect(Duration),
    /// An answer to a ping; the time since it was sent.
    Pong(Duration),
    /// The new token holds.
    Refreshed,
    /// Nothing to act on: a stray or unreadable message, counted if it is a breach.
    Nothing,
}
