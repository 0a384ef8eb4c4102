//! Reads what a relay sends, straight into the types of the room's kind.
//!
//! [`ClientOut`] says what may come; it keeps rooms' parts as raw JSON because a relay never looks into them. A
//! client looks into all of them, so it reads the envelope borrowed and each part once.

use serde::Deserialize;
use serde_json::value::RawValue;
use shared::{
    id::{Epoch, Position, RoomId, Seq},
    protocol::{
        ClientOut, RefusalCode,
        table::{LegalView, TableEvent, TablePrivate, TableView},
    },
};

/// A message that is none of `cardhouse.v1`, or whose room part is none of a table's.
#[derive(Debug, thiserror::Error)]
#[error("not a message of this protocol: {0}")]
pub struct Unreadable(#[from] serde_json::Error);

/// A message from a relay.
#[derive(Debug)]
pub enum Incoming {
    /// A table's whole state.
    Keyframe(RoomId, Position, Box<TableView>),
    /// The events of one decision.
    Frame(RoomId, Position, Vec<TableEvent>),
    /// This user's part of a frame.
    Private(RoomId, Position, TablePrivate),
    /// The answer "no" to a command.
    Refused(Refusal),
    /// Everything that has no room's part.
    Plain(ClientOut),
}

/// See [`Refused`](shared::protocol::client_out::Refused).
#[derive(Debug, Clone, Deserialize)]
pub struct Refusal {
    /// The command's counter.
    pub n: u64,
    /// Its room.
    pub room: RoomId,
    /// Why.
    pub code: RefusalCode,
    /// For people.
    pub message: String,
    /// Try again (with a new `n`) after so many milliseconds.
    #[serde(default)]
    pub retry_after_ms: Option<u64>,
    /// What would be legal now.
    #[serde(default)]
    pub legal: Option<LegalView>,
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow)]
    t: std::borrow::Cow<'a, str>,
}

#[derive(Deserialize)]
struct RoomPart<'a> {
    room: RoomId,
    epoch: Epoch,
    seq: Seq,
    #[serde(borrow, alias = "state", alias = "events", alias = "private")]
    part: &'a RawValue,
}

/// Reads one message.
///
/// # Errors
/// [`Unreadable`] when it is none.
pub fn read(text: &str) -> Result<Incoming, Unreadable> {
    let tag: Tag<'_> = serde_json::from_str(text)?;
    Ok(match &*tag.t {
        "keyframe" => {
            let m: RoomPart<'_> = serde_json::from_str(text)?;
            Incoming::Keyframe(m.room, Position(m.epoch, m.seq), serde_json::from_str(m.part.get())?)
        }
        "frame" => {
            let m: RoomPart<'_> = serde_json::from_str(text)?;
            Incoming::Frame(m.room, Position(m.epoch, m.seq), serde_json::from_str(m.part.get())?)
        }
        "private" => {
            let m: RoomPart<'_> = serde_json::from_str(text)?;
            Incoming::Private(m.room, Position(m.epoch, m.seq), serde_json::from_str(m.part.get())?)
        }
        "refused" => Incoming::Refused(serde_json::from_str(text)?),
        _ => Incoming::Plain(serde_json::from_str(text)?),
    })
}

/// How many cards the text names anywhere, known field or not: JSON strings such as `"As"`.
pub fn cards_named(text: &str) -> usize {
    let is_card = |b: &[u8]| {
        b[0] == b'"' && b[3] == b'"' && b"23456789TJQKA".contains(&b[1]) && b"cdhs".contains(&b[2])
    };
    text.as_bytes().windows(4).filter(|four| is_card(four)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_brings_what_is_legal() {
        let text = r#"{"t":"refused","n":4,"room":"t1","code":"illegal","message":"no","legal":{"hand":2,"turn":
            {"turn":3,"seat":1,"deadline_ms":9,"call":4,"raise":{"min":8,"max":90,"bet":false}}}}"#;
        let Incoming::Refused(refusal) = read(text).unwrap() else { panic!("another message") };
        assert_eq!((refusal.n, refusal.code), (4, RefusalCode::Illegal));
        assert_eq!(refusal.legal.unwrap().turn.unwrap().raise.unwrap().max, 90);
    }

    #[test]
    fn plain_messages_and_frames_are_read() {
        assert!(matches!(
            read(r#"{"t":"pong","at":1,"now_ms":2}"#),
            Ok(Incoming::Plain(ClientOut::Pong { .. }))
        ));
        let frame = r#"{"t":"frame","room":"t1","epoch":2,"seq":7,"events":[{"e":"dealt","cards":2}]}"#;
        let Incoming::Frame(room, at, events) = read(frame).unwrap() else { panic!("another message") };
        assert_eq!((room.as_str(), at, events.len()), ("t1", Position::new(2, 7), 1));
        assert!(read(r#"{"t":"frame","room":"t1"}"#).is_err());
        assert!(read("[1]").is_err());
    }

    #[test]
    fn cards_are_counted_wherever_they_stand() {
        assert_eq!(cards_named(r#"{"a":["As","Td"],"b":{"2c":"xs"},"c":"As Td"}"#), 3);
    }
}
