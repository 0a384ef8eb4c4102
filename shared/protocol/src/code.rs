//! Codes for programs: why something was refused, and why a connection was closed.

use serde::{Deserialize, Serialize};

/// Why a command was refused. Stable: clients and the swarm's report go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The `do` is not a command of this kind of room.
    BadCommand,
    /// The `q` is not a question of this kind of room, or it asks for more than one answer can hold.
    BadQuestion,
    /// There is no such room.
    NoSuchRoom,
    /// The command's `n` is not greater than the session's last in this room, and this command was not applied (perhaps another one
    /// with its `n` was) and never will be.
    StaleN,
    /// The room has forgotten what it answered to this session: whether the command was applied is not known any more, and it is
    /// not applied now. Look at the room's state; do it again with a new `n` if it is still wanted.
    Forgotten,
    /// Too many commands wait for an answer, or came within a second; `retry_after_ms` says when to try again.
    TooFast,
    /// The room's or the house's queues are full; `retry_after_ms` says when to try again.
    Busy,
    /// The room cannot store anything at the moment, so nothing was done; `retry_after_ms` says when to try again.
    Unavailable,
    /// The hand or the turn that the action names is over.
    Late,
    /// It is somebody else's turn.
    NotYourTurn,
    /// The action is not legal now; `legal` says what is.
    Illegal,
    /// You have no seat here.
    NotSeated,
    /// You have a seat here already.
    AlreadySeated,
    /// The seat is taken.
    SeatTaken,
    /// There is no such seat, or none is free.
    NoSeat,
    /// The buy-in or top-up is outside the table's limits; the message says them.
    BadAmount,
    /// You have left this table with more than you want to bring, and not long ago; `legal` says what to bring.
    LeftWithMore,
    /// Not possible in the middle of a hand.
    InHand,
    /// You are that already (sitting out, back, leaving).
    Unchanged,
    /// The text is empty or too long.
    BadText,
    /// The seat is played from another session of yours; watch the room again to take it back.
    OtherSession,
    /// You may not do this (any more); the message says what.
    NotAllowed,
    /// The play time that you allow yourself is used up; `legal` says when it begins again.
    PlayTimeUsed,
    /// The table's host has not let you in: `knock`.
    NotLetIn,
    /// The table is opened by another code.
    WrongCode,
    /// Settings that describe no table, or none that this house allows; the message says what is wrong.
    BadSettings,
    /// There are as many of them as there may be; the message says of what.
    TooMany,
    /// You were called to a seat at this table and did not come; `retry_after_ms` says when you may wait again.
    CallMissed,
    /// There is no such job of yours.
    NoSuchJob,
    /// The job is not yours to do (any more): your lease of it is over.
    LeaseLost,
}

/// Why a message that is not a command was refused; the connection goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// There is no such room.
    NoSuchRoom,
    /// More rooms watched than one connection may.
    TooManyRooms,
    /// As many watch the room as may who have no part in it. Nothing more comes of it until one watches it again.
    RailFull,
    /// The new token is not valid, or is another user's.
    BadToken,
    /// The room cannot be read at the moment; the relay goes on trying and will send its keyframe.
    Unavailable,
    /// `hello` was said already.
    AlreadyGreeted,
    /// The message's `t` is none that this house knows.
    UnknownMessage,
    /// A field of the message is missing, is none of it, comes twice or holds something else than it should.
    BadMessage,
}

/// Close codes of our own (4000 to 4999, RFC 6455 section 7.4.2), and the standard ones that we send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// Goodbye. Reconnect only if the user wants to.
    Normal = 1000,
    /// RFC 6455 was violated. Do not reconnect; mend the client.
    Protocol = 1002,
    /// Binary messages are not spoken here. Do not reconnect; mend the client.
    Unsupported = 1003,
    /// Text that is not UTF-8. Do not reconnect; mend the client.
    NotText = 1007,
    /// A message larger than the limit. Do not send it again.
    TooLarge = 1009,
    /// The relay is restarting. Reconnect with `resume` after a random time below a second.
    Restart = 1012,
    /// No room for more connections. Reconnect after some seconds.
    TryAgainLater = 1013,
    /// No `hello` in time. Reconnect and say it.
    HelloTimeout = 4000,
    /// Something came before `hello`. Mend the client.
    HelloFirst = 4001,
    /// The token is not valid. Get a new one, then reconnect.
    BadToken = 4002,
    /// The token has expired on the live connection. Get a new one, then reconnect with `resume`.
    TokenExpired = 4003,
    /// Not a JSON object with a `t`. Mend the client.
    BadMessage = 4004,
    /// Too many messages in too short a time. Reconnect with `resume` after some seconds, and send less.
    TooFast = 4005,
    /// Nothing was heard for too long. Reconnect with `resume`.
    Idle = 4006,
    /// What was sent was not read for too long. Reconnect with `resume`.
    TooSlow = 4007,
    /// The same session was continued on another connection. Do not reconnect with it.
    SessionTaken = 4008,
    /// The token was revoked: it says what its person may no longer do, or its login has ended. Get a new one, then reconnect with `resume`;
    /// if there is none, say why.
    Revoked = 4009,
}
