//! Client to relay.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    lobby::{self, View},
    object::{Numeral, Object, Unfit, quoted},
};
use crate::id::{Position, RoomId, SessionId};

/// Every message that a client may send. Tag `t`. Written by serde, and read, strictly, by [`ClientIn::read`] alone.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ClientIn<'a> {
    /// The first message. Answered by `welcome`, or by closing with [`CloseCode::BadToken`](super::CloseCode).
    Hello {
        /// A token from reception.
        token: Cow<'a, str>,
        /// The session of an earlier `welcome`, to go on with its commands.
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<SessionId>,
        /// Rooms to watch at once, each with the last frame that the client has: `{"t1": [epoch, seq]}`. The relay
        /// sends what came after, or a keyframe where that is gone. `[0, 0]` asks for a keyframe.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        resume: BTreeMap<RoomId, Position>,
    },
    /// A new token for the same user, before the old one expires. Answered by `refreshed`.
    Refresh {
        /// The new token.
        token: Cow<'a, str>,
    },
    /// Begins (or ends) lobby news: `lobby`, then `lobby_delta` at most once a second. Said again, it changes the view.
    Lobby {
        /// Whether to send them.
        on: bool,
        /// The client's number of the view, which stands in all news of it; 0 if left out.
        #[serde(skip_serializing_if = "Option::is_none")]
        v: Option<u8>,
        /// Which part of the lobby. Without one, as clients of the first releases ask: the first tables by players.
        #[serde(skip_serializing_if = "Option::is_none")]
        view: Option<Box<View>>,
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
        #[serde(rename = "do")]
        what: Cow<'a, RawValue>,
    },
    /// Asks a room what it holds. Answered by `answer` or `unanswered`; if neither comes, it may be asked again. The room need not be
    /// watched, and is not from now on.
    Ask {
        /// Any number; comes back with the answer. Commands count by themselves.
        n: u64,
        /// Which room.
        room: RoomId,
        /// What, in the words of the room's kind: for tables a [`TableQuestion`](super::table::TableQuestion).
        q: Cow<'a, RawValue>,
    },
    /// After a `welcome` that says `counts`, on a session that goes on: the largest `n` that the client has used in it. Commands with a larger
    /// one are certainly no repeats. Without this every command of a session that goes on may be one. Not answered.
    Count {
        /// The largest `n` so far; 0 if there was none.
        n: u64,
    },
    /// Answered by `pong` at once.
    Ping {
        /// Any number; comes back to the letter. Clients send their clock.
        at: Numeral<'a>,
    },
}

/// Why a text is no message of a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMessage {
    /// It is not JSON, not an object, or has no text `t`.
    #[error("not a message of this protocol")]
    NoMessage,
    /// Its `t`, the beginning of which this is, is none that this house knows.
    #[error("this house does not know messages of the kind `{0}`")]
    Unknown(String),
    /// A field is missing, is none of this kind of message, comes twice or holds something else than it should.
    #[error("{t}: {why}")]
    Unfit {
        /// The message's kind.
        t: &'static str,
        /// What is wrong.
        why: Unfit,
    },
    /// The same of a command whose number and room can be read, so that it can be refused.
    #[error("{why}")]
    Command {
        /// Its counter.
        n: u64,
        /// Its room.
        room: RoomId,
        /// What is wrong.
        why: Unfit,
    },
    /// The same of a question.
    #[error("{why}")]
    Question {
        /// Its number.
        n: u64,
        /// Its room.
        room: RoomId,
        /// What is wrong.
        why: Unfit,
    },
}

impl<'a> ClientIn<'a> {
    /// The tags of all kinds.
    pub const TAGS: [&'static str; 9] =
        ["hello", "refresh", "lobby", "watch", "unwatch", "do", "ask", "count", "ping"];

    /// Reads a message, borrowing from the text: no field may be missing, unknown, doubled or of another type.
    ///
    /// # Errors
    /// [`BadMessage`] says what is wrong, in words for whoever writes the client.
    pub fn read(text: &'a str) -> Result<Self, BadMessage> {
        let mut object = Object::read(text).ok_or(BadMessage::NoMessage)?;
        let tag: Cow<'a, str> = object.required("t").map_err(|_| BadMessage::NoMessage)?;
        let Some(t) = Self::TAGS.into_iter().find(|known| *known == tag) else {
            return Err(BadMessage::Unknown(quoted(&tag)));
        };
        match t {
            "do" => return Self::command(object),
            "ask" => return Self::question(object),
            _ => {}
        }
        Self::fields(t, object).map_err(|why| BadMessage::Unfit { t, why })
    }

    fn fields(t: &str, mut object: Object<'a>) -> Result<Self, Unfit> {
        let message = match t {
            "hello" => Self::Hello {
                token: object.required("token")?,
                session: object.optional("session")?,
                resume: object.optional("resume")?.unwrap_or_default(),
            },
            "refresh" => Self::Refresh { token: object.required("token")? },
            "lobby" => Self::Lobby {
                on: object.required("on")?,
                v: object.optional("v")?,
                view: lobby::view(&mut object)?,
            },
            "watch" => Self::Watch { room: object.required("room")? },
            "unwatch" => Self::Unwatch { room: object.required("room")? },
            "count" => Self::Count { n: object.required("n")? },
            "ping" => Self::Ping { at: object.required("at")? },
            _ => unreachable!("commands and questions are read apart, and there are no other tags"),
        };
        object.end()?;
        Ok(message)
    }

    fn command(object: Object<'a>) -> Result<Self, BadMessage> {
        let Numbered { n, room, part } = Numbered::read(object, "do", "do")?;
        match part {
            Ok(what) => Ok(Self::Do { n, room, what }),
            Err(why) => Err(BadMessage::Command { n, room, why }),
        }
    }

    fn question(object: Object<'a>) -> Result<Self, BadMessage> {
        let Numbered { n, room, part } = Numbered::read(object, "ask", "q")?;
        match part {
            Ok(q) => Ok(Self::Ask { n, room, q }),
            Err(why) => Err(BadMessage::Question { n, room, why }),
        }
    }
}

/// What is answered by its number: the part for the room may be wrong.
struct Numbered<'a> {
    n: u64,
    room: RoomId,
    part: Result<Cow<'a, RawValue>, Unfit>,
}

impl<'a> Numbered<'a> {
    fn read(mut object: Object<'a>, t: &'static str, part: &str) -> Result<Self, BadMessage> {
        let unfit = |why| BadMessage::Unfit { t, why };
        let n = object.required("n").map_err(unfit)?;
        let room = object.required("room").map_err(unfit)?;
        let part = object.required(part).and_then(|part| object.end().map(|()| part));
        Ok(Self { n, room, part })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full_view() -> View {
        View {
            kind: Some("table".into()),
            game: Some("NL Hold'em".into()),
            bb: Some((2, 10)),
            seats: vec![6, 9],
            free: 1,
            text: "asp".into(),
            sort: lobby::Sort::Blinds,
            desc: Some(true),
            from: 30,
            count: 100,
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let room = RoomId::new("t1").unwrap();
        let resume = BTreeMap::from([(room.clone(), Position::new(1, 2))]);
        let what = RawValue::from_string(r#"{"a": "leave"}"#.into()).unwrap();
        let messages = [
            ClientIn::Hello { token: "x".into(), session: Some(SessionId(7)), resume },
            ClientIn::Hello { token: "x".into(), session: None, resume: BTreeMap::new() },
            ClientIn::Refresh { token: "x".into() },
            ClientIn::Lobby { on: true, v: None, view: None },
            ClientIn::Lobby { on: true, v: Some(2), view: Some(Box::new(full_view())) },
            ClientIn::Watch { room: room.clone() },
            ClientIn::Unwatch { room: room.clone() },
            ClientIn::Do { n: 4, room: room.clone(), what: Cow::Owned(what.clone()) },
            ClientIn::Ask { n: 4, room, q: Cow::Owned(what) },
            ClientIn::Count { n: 9 },
            ClientIn::Ping { at: 3.into() },
        ];
        for message in &messages {
            let text = serde_json::to_string(message).unwrap();
            let read = ClientIn::read(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
            let tag = text.split('"').nth(3).unwrap();
            assert!(ClientIn::TAGS.contains(&tag), "{tag}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            ("", "not a message of this protocol"),
            (r#"["hello", "x"]"#, "not a message of this protocol"),
            (r#"{"t": 1}"#, "not a message of this protocol"),
            (r#"{"t":"ping","t":"ping","at":1}"#, "not a message of this protocol"),
            (r#"{"t":"dance"}"#, "this house does not know messages of the kind `dance`"),
            (r#"{"t":"ping"}"#, "ping: `at` is missing"),
            (r#"{"t":"ping","at":1,"room":"t1"}"#, "ping: `room` does not belong here"),
            (r#"{"t":"lobby","on":true,"session":null}"#, "lobby: `session` does not belong here"),
            (r#"{"t":"do","room":"t1","do":{}}"#, "do: `n` is missing"),
            (r#"{"t":"do","n":1,"room":"t1"}"#, "`do` is missing"),
            (r#"{"t":"do","n":1,"room":"t1","do":null}"#, "`do` is not an object"),
            (r#"{"t":"do","n":1,"room":"t1","do":["leave"]}"#, "`do` is not an object"),
            (r#"{"t":"do","n":1,"room":"t1","do":{},"x":1}"#, "`x` does not belong here"),
            (r#"{"t":"ask","room":"t1","q":{}}"#, "ask: `n` is missing"),
            (r#"{"t":"ask","n":1,"room":"t1"}"#, "`q` is missing"),
            (r#"{"t":"ask","n":1,"room":"t1","q":"seats"}"#, "`q` is not an object"),
        ] {
            assert_eq!(ClientIn::read(text).unwrap_err().to_string(), said, "{text}");
        }
        let command = ClientIn::read(r#"{"t":"do","n":9,"room":"t1","do":7}"#).unwrap_err();
        assert!(matches!(command, BadMessage::Command { n: 9, .. }), "{command:?}");
        let question = ClientIn::read(r#"{"t":"ask","n":9,"room":"t1","q":7}"#).unwrap_err();
        assert!(matches!(question, BadMessage::Question { n: 9, .. }), "{question:?}");
    }
}
