//! What a client says, read once and borrowed from the socket's buffer.
//!
//! The same messages as [`shared::protocol::ClientIn`]. That enum is tagged inside, which serde reads through a buffer
//! of its own; a command's `do` would be copied, and taken apart only to be written again.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::value::RawValue;
use shared::id::{Position, RoomId, SessionId};

/// See the module.
#[derive(Debug)]
pub(crate) enum Message<'a> {
    Hello { token: Cow<'a, str>, session: Option<SessionId>, resume: BTreeMap<RoomId, Position> },
    Refresh { token: Cow<'a, str> },
    Lobby { on: bool },
    Watch { room: RoomId },
    Unwatch { room: RoomId },
    Do { n: u64, room: RoomId, what: &'a str },
    Count { n: u64 },
    Ping { at: u64 },
}

/// All fields of all messages; which belong together is checked after reading.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    #[serde(borrow)]
    t: Cow<'a, str>,
    #[serde(borrow)]
    token: Option<Cow<'a, str>>,
    session: Option<SessionId>,
    resume: Option<BTreeMap<RoomId, Position>>,
    on: Option<bool>,
    room: Option<RoomId>,
    n: Option<u64>,
    #[serde(rename = "do", borrow)]
    what: Option<&'a RawValue>,
    at: Option<u64>,
}

impl<'a> Message<'a> {
    /// Reads a message; `None` if it is none of this protocol. For the client the two are the same: it is broken.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let fields: Fields<'a> = serde_json::from_str(text).ok()?;
        match fields {
            Fields {
                t,
                token: Some(token),
                session,
                resume,
                on: None,
                room: None,
                n: None,
                what: None,
                at: None,
            } if t == "hello" => Some(Self::Hello { token, session, resume: resume.unwrap_or_default() }),
            Fields { session: Some(_), .. } | Fields { resume: Some(_), .. } => None,
            Fields { t, token: Some(token), on: None, room: None, n: None, what: None, at: None, .. } => {
                (t == "refresh").then_some(Self::Refresh { token })
            }
            Fields { t, token: None, on: Some(on), room: None, n: None, what: None, at: None, .. } => {
                (t == "lobby").then_some(Self::Lobby { on })
            }
            Fields {
                t,
                token: None,
                on: None,
                room: Some(room),
                n: Some(n),
                what: Some(what),
                at: None,
                ..
            } => (t == "do").then_some(Self::Do { n, room, what: what.get() }),
            Fields { t, token: None, on: None, room: Some(room), n: None, what: None, at: None, .. } => {
                match &*t {
                    "watch" => Some(Self::Watch { room }),
                    "unwatch" => Some(Self::Unwatch { room }),
                    _ => None,
                }
            }
            Fields { t, token: None, on: None, room: None, n: Some(n), what: None, at: None, .. } => {
                (t == "count").then_some(Self::Count { n })
            }
            Fields { t, token: None, on: None, room: None, n: None, what: None, at: Some(at), .. } => {
                (t == "ping").then_some(Self::Ping { at })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::protocol::ClientIn;

    use super::*;

    #[test]
    fn every_message_of_the_protocol_is_read() {
        let room = RoomId::new("t1").unwrap();
        let resume = BTreeMap::from([(room.clone(), Position::new(1, 2))]);
        let what = RawValue::from_string(r#"{"a": "leave"}"#.into()).unwrap();
        let said = |message: &ClientIn| serde_json::to_string(message).unwrap();
        let hello = said(&ClientIn::Hello { token: "x".into(), session: Some(SessionId(7)), resume });
        assert!(matches!(
            Message::read(&hello),
            Some(Message::Hello { token, session: Some(SessionId(7)), resume }) if token == "x" && resume.len() == 1
        ));
        let refresh = said(&ClientIn::Refresh { token: "x".into() });
        assert!(matches!(Message::read(&refresh), Some(Message::Refresh { token }) if token == "x"));
        assert!(matches!(
            Message::read(&said(&ClientIn::Lobby { on: true })),
            Some(Message::Lobby { on: true })
        ));
        let watch = said(&ClientIn::Watch { room: room.clone() });
        assert!(matches!(Message::read(&watch), Some(Message::Watch { .. })));
        let unwatch = said(&ClientIn::Unwatch { room: room.clone() });
        assert!(matches!(Message::read(&unwatch), Some(Message::Unwatch { .. })));
        assert!(matches!(Message::read(&said(&ClientIn::Ping { at: 3 })), Some(Message::Ping { at: 3 })));
        assert!(matches!(Message::read(&said(&ClientIn::Count { n: 9 })), Some(Message::Count { n: 9 })));
        let command = said(&ClientIn::Do { n: 4, room, what });
        assert!(matches!(
            Message::read(&command),
            Some(Message::Do { n: 4, room, what: r#"{"a": "leave"}"# }) if room.as_str() == "t1"
        ));
    }

    #[test]
    fn what_is_not_a_message_is_none() {
        for text in [
            "",
            "[]",
            "{",
            "null",
            r#"{"t":"dance"}"#,
            r#"{"t":"ping"}"#,
            r#"{"t":"ping","at":-1}"#,
            r#"{"t":"ping","at":1,"x":2}"#,
            r#"{"t":"ping","at":1,"room":"t1"}"#,
            r#"{"t":"lobby","on":true,"session":"0000000000000001"}"#,
            r#"{"t":"watch","room":"no good"}"#,
            r#"{"t":"do","room":"t1","do":{}}"#,
            r#"{"t":"do","n":1,"room":"t1"}"#,
            r#"{"t":"hello"}"#,
        ] {
            assert!(Message::read(text).is_none(), "{text}");
        }
    }
}
