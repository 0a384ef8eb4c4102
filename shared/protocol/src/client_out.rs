//! Relay to client.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    code::{ErrorCode, RefusalCode},
    lobby::{Delta, Whole},
};
use crate::{
    id::{Epoch, Position, RoomId, Seq, SessionId, UserId},
    time::UnixMs,
};

/// Every message that a client may get. Tag `t`.
///
/// `frame`, `keyframe`, `private` and `rail` are encoded by the dealer worker, everything else by the relay.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ClientOut {
    /// Answers `hello`.
    Welcome {
        /// Who the token says you are.
        user: UserId,
        /// The name that others see.
        name: String,
        /// Keep it: `hello` after a reconnect names it.
        session: SessionId,
        /// The server's clock.
        now_ms: UnixMs,
        /// When the token expires; send `refresh` before.
        expires_ms: UnixMs,
        /// Send something (a `ping`) at least this often, milliseconds.
        idle_ms: u64,
        /// Whether to connect with `?near=ROOM` while one has a seat there: it leads to the relay of that room's players.
        #[serde(default)]
        near: bool,
        /// Whether this relay understands [`ClientIn::Count`](super::ClientIn::Count). Those of the first release close the connection at it.
        #[serde(default)]
        counts: bool,
        /// Whether this relay understands a `view` in [`ClientIn::Lobby`](super::ClientIn::Lobby). Those of releases before 3 refuse it.
        #[serde(default)]
        views: bool,
    },
    /// Answers `refresh`.
    Refreshed {
        /// When the new token expires.
        expires_ms: UnixMs,
    },
    /// A room's whole state. It is what the frames before it add up to; a client that has them all finds its own view
    /// equal to it, any other takes it over.
    Keyframe {
        /// Which room.
        room: RoomId,
        /// Its epoch.
        epoch: Epoch,
        /// The frame's number.
        seq: Seq,
        /// What kind of room it is, such as `table`: how to read `state`, `events` and `private`. The first releases had tables only,
        /// and do not say so.
        #[serde(default = "table_if_missing")]
        kind: Cow<'static, str>,
        /// Frames of this room that tell nothing to all come only to those whom they tell something alone: numbers that are left out
        /// were not missed. What is told to one counts its parts in their `k`.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        sparse: bool,
        /// The state, for tables a [`TableView`](super::table::TableView).
        #[serde(deserialize_with = "super::raw::required")]
        state: Box<RawValue>,
    },
    /// The events of one decision, to be applied in order.
    Frame {
        /// Which room.
        room: RoomId,
        /// Its epoch.
        epoch: Epoch,
        /// The frame's number: one more than the last frame's, else something was missed (reconnect with `resume`).
        seq: Seq,
        /// The events, for tables [`TableEvent`](super::table::TableEvent)s.
        #[serde(deserialize_with = "super::raw::required")]
        events: Box<RawValue>,
    },
    /// What a frame holds for this user alone; comes right after the frame of the same number and replaces what an
    /// earlier `private` of the room said.
    Private {
        /// Which room.
        room: RoomId,
        /// Its epoch.
        epoch: Epoch,
        /// The frame's number.
        seq: Seq,
        /// For tables a [`TablePrivate`](super::table::TablePrivate).
        #[serde(deserialize_with = "super::raw::required")]
        private: Box<RawValue>,
    },
    /// What a frame holds for the rail alone: for everybody who watches and has no part in the room; comes right after the frame of the same
    /// number and replaces what an earlier `rail` of the room said.
    Rail {
        /// Which room.
        room: RoomId,
        /// Its epoch.
        epoch: Epoch,
        /// The frame's number.
        seq: Seq,
        /// As the room's kind has it. Tables say nothing so far.
        #[serde(deserialize_with = "super::raw::required")]
        rail: Box<RawValue>,
    },
    /// From here on what comes of this room is so much older than what its players get, or is live again. The keyframe that comes next,
    /// if one does, replaces whatever one has of the room, also if that is later: who was live and is not any more begins anew.
    Behind {
        /// Which room.
        room: RoomId,
        /// So much, milliseconds; 0: it is live.
        by_ms: u32,
    },
    /// The room's frames end here: answers `unwatch`, or the room has closed.
    Unwatched {
        /// Which room.
        room: RoomId,
    },
    /// A page of the lobby. Answers `lobby`; comes again when a client has not read for a while.
    Lobby(Whole),
    /// What has changed on the page since the last `lobby` or `lobby_delta`.
    LobbyDelta(Delta),
    /// The command was applied, in this frame. Sent after the commit.
    Ack {
        /// The command's counter.
        n: u64,
        /// Its room.
        room: RoomId,
        /// The frame's epoch.
        epoch: Epoch,
        /// The frame's number.
        seq: Seq,
    },
    /// The command was not applied and will not be.
    Refused(Refused),
    /// Answers a question by what the room's journal held up to a frame. It may come twice while the room changes its owner.
    Answer {
        /// The question's number.
        n: u64,
        /// Its room.
        room: RoomId,
        /// The frame or keyframe up to which the answer is right.
        at: Position,
        /// The answer, for tables a [`TableAnswer`](super::table::TableAnswer).
        #[serde(deserialize_with = "super::raw::required")]
        body: Box<RawValue>,
    },
    /// The question is not answered, and why.
    Unanswered {
        /// The question's number.
        n: u64,
        /// Its room.
        room: RoomId,
        /// For programs.
        code: RefusalCode,
        /// For people.
        message: String,
        /// Worth asking again after so many milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
    /// A message other than a command was refused; the connection goes on.
    Error {
        /// For programs.
        code: ErrorCode,
        /// For people.
        message: String,
        /// The room it was about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomId>,
    },
    /// Answers `ping`.
    Pong {
        /// What the ping held, to the letter.
        #[serde(deserialize_with = "super::raw::required")]
        at: Box<RawValue>,
        /// The server's clock.
        now_ms: UnixMs,
    },
    /// This relay is leaving: connect again (you will reach another) after so many milliseconds, with `resume`.
    Reconnect {
        /// Spread out, so that not everybody comes at once.
        after_ms: u64,
    },
    /// Something to know about a room or this connection that changes no state.
    Notice {
        /// The room it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomId>,
        /// For programs.
        code: NoticeCode,
        /// For people.
        message: String,
    },
}

fn table_if_missing() -> Cow<'static, str> {
    Cow::Borrowed("table")
}

/// See [`ClientOut::Refused`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refused {
    /// The command's counter.
    pub n: u64,
    /// Its room.
    pub room: RoomId,
    /// For programs.
    pub code: RefusalCode,
    /// For people.
    pub message: String,
    /// Worth trying again (with a new `n`) after so many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// What would be legal now, for tables [`LegalView`](super::table::LegalView).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::raw::optional")]
    pub legal: Option<Box<RawValue>>,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeCode {
    /// Your seat is now played from another session of yours.
    TakenOver,
    /// The broker has lost frames that were acknowledged; the room goes on from the state that follows.
    HistoryLost,
    /// Without a room: this relay does not get frames at the moment. With one: it cannot store anything and stands still.
    Delayed,
    /// Frames come again, or the room goes on.
    Recovered,
    /// Too many different views of the lobby are looked at here: yours is a coarser one, in the order that you asked for.
    ViewRounded,
}
