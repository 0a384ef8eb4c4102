//! Client to relay.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::id::{Position, RoomId, SessionId};

/// Every message that a client may send. Tag `t`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientIn {
    /// The first message. Answered by `welcome`, or by closing with [`CloseCode::BadToken`](super::CloseCode).
    Hello {
        /// A token from reception.
        token: String,
        /// The session of an earlier `welcome`, to go on with its commands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<SessionId>,
        /// Rooms to watch at once, each with the last frame that the client has: `{"t1": [epoch, seq]}`. The relay
        /// sends what came after, or a keyframe where that is gone. `[0, 0]` asks for a keyframe.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        resume: BTreeMap<RoomId, Position>,
    },
    /// A new token for the same user, before the old one expires. Answered by `refreshed`.
    Refresh {
        /// The new token.
        token: String,
    },
    /// Begins (or ends) lobby news: `lobby`, then `lobby_delta` at most once a second.
    Lobby {
        /// Whether to send them.
        on: bool,
    },
    /// Begins to send a room's frames: a keyframe and the deltas since, then each new frame.
    Watch {
        /// Which room.
        room: RoomId,
    },
    /// Ends it.
    Unwatch {
        /// Which room.
        room: RoomId,
    },
    /// Asks something of a room. Answered exactly once, by `ack` after the commit or by `refused`.
    Do {
        /// Grows with every command of the session, over all rooms. A command without an answer is sent again with the
        /// same `n` after a reconnect, and is applied once.
        n: u64,
        /// Which room; watched from now on, if it was not.
        room: RoomId,
        /// What, in the words of the room's kind: for tables [`TableCommand`](super::table::TableCommand).
        #[serde(rename = "do", deserialize_with = "super::raw::required")]
        what: Box<RawValue>,
    },
    /// After a `welcome` that says `counts`, on a session that goes on: the largest `n` that the client has used in it. Commands with a larger
    /// one are certainly no repeats. Without this every command of a session that goes on may be one. Not answered.
    Count {
        /// The largest `n` so far; 0 if there was none.
        n: u64,
    },
    /// Answered by `pong` at once.
    Ping {
        /// Anything; comes back as it is. Clients send their clock.
        at: u64,
    },
}
