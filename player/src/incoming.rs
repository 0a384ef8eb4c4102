//! Reads what a relay sends, straight into the types of the room's kind.
//!
//! [`ClientOut`] says what may come; it keeps rooms' parts as raw JSON because a relay never looks into them. A
//! client looks into all of them, so it reads the envelope borrowed and each part once.
//!
//! A later house may say more: messages, fields, events and codes that are not known here are no fault of anybody.

use std::borrow::Cow;

use protocol::{
    ClientOut, ErrorCode, RefusalCode,
    client_out::NoticeCode,
    id::{Epoch, Position, RoomId, Seq},
    table::{LegalView, TableView},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IntoDeserializer, value::Error as BadWord},
};
use serde_json::{json, value::RawValue};

/// A message that is none of `cardhouse.v1`, or whose room part is none of a table's.
#[derive(Debug, thiserror::Error)]
#[error("not a message of this protocol: {0}")]
pub struct Unreadable(#[from] serde_json::Error);

/// A message from a relay.
#[derive(Debug)]
pub enum Incoming<'a> {
    /// A table's whole state.
    Keyframe(RoomId, Position, Box<TableView>),
    /// The events of one decision, to be read as what they are in the room's kind: see [`events`] for tables.
    Frame(RoomId, Position, &'a RawValue),
    /// The state of a room that is no table, and what it is.
    KeyframeOfOther {
        /// Which.
        room: RoomId,
        /// Its position.
        at: Position,
        /// Its kind.
        kind: Cow<'a, str>,
        /// Whether frames for others do not come.
        sparse: bool,
        /// To be read as what it is in the room's kind.
        state: &'a RawValue,
    },
    /// This user's part of a frame, to be read as what it is in the room's kind.
    Private(RoomId, Position, &'a RawValue),
    /// The answer "no" to a command.
    Refused(Refusal),
    /// There is no answer to a question.
    Unanswered(Refusal),
    /// Everything that has no room's part.
    Plain(ClientOut),
    /// What only a later house's clients know.
    Unknown,
}

/// See [`Refused`](protocol::client_out::Refused), and [`ClientOut::Unanswered`].
#[derive(Debug, Clone, Deserialize)]
pub struct Refusal {
    /// The command's counter, or the question's number.
    pub n: u64,
    /// Its room.
    pub room: RoomId,
    /// Why; `None` for a reason that only a later house has.
    #[serde(deserialize_with = "known")]
    pub code: Option<RefusalCode>,
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
    #[serde(borrow, alias = "e")]
    t: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Code<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
}

#[derive(Deserialize)]
struct RoomPart<'a> {
    room: RoomId,
    epoch: Epoch,
    seq: Seq,
    #[serde(borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(default)]
    sparse: bool,
    #[serde(borrow, alias = "state", alias = "events", alias = "private")]
    part: &'a RawValue,
}

/// Reads one message.
///
/// # Errors
/// [`Unreadable`] when it is none.
pub fn read(text: &str) -> Result<Incoming<'_>, Unreadable> {
    let tag: Tag<'_> = serde_json::from_str(text)?;
    Ok(match &*tag.t {
        "keyframe" => {
            let m: RoomPart<'_> = serde_json::from_str(text)?;
            // The first releases had tables only, and did not say so.
            let at = Position(m.epoch, m.seq);
            match m.kind.filter(|kind| kind != "table") {
                Some(kind) => {
                    Incoming::KeyframeOfOther { room: m.room, at, kind, sparse: m.sparse, state: m.part }
                }
                None => Incoming::Keyframe(m.room, at, serde_json::from_str(m.part.get())?),
            }
        }
        "frame" => {
            let m: RoomPart<'_> = serde_json::from_str(text)?;
            Incoming::Frame(m.room, Position(m.epoch, m.seq), m.part)
        }
        "private" => {
            let m: RoomPart<'_> = serde_json::from_str(text)?;
            Incoming::Private(m.room, Position(m.epoch, m.seq), m.part)
        }
        "refused" => Incoming::Refused(serde_json::from_str(text)?),
        "unanswered" => Incoming::Unanswered(serde_json::from_str(text)?),
        t => match serde_json::from_str(text) {
            Ok(message) => Incoming::Plain(message),
            Err(error) if is_later(t, text) => {
                tracing::debug!(%error, "a message of a later house");
                Incoming::Unknown
            }
            Err(error) => return Err(error.into()),
        },
    })
}

/// The events of a frame of a room of some kind, without those that only a later house has.
///
/// # Errors
/// [`Unreadable`] when they are none.
pub fn events<E: DeserializeOwned>(text: &str) -> Result<Vec<E>, Unreadable> {
    let parts: Vec<&RawValue> = serde_json::from_str(text)?;
    let mut events = Vec::with_capacity(parts.len());
    for part in parts {
        match serde_json::from_str(part.get()) {
            Ok(event) => events.push(event),
            Err(error) => {
                let Tag { t } = serde_json::from_str(part.get())?;
                if knows::<E>(&json!({ "e": t })) {
                    return Err(error.into());
                }
            }
        }
    }
    Ok(events)
}

/// Whether a message that cannot be read is one of a later house: of a kind that is not known, or with a code that is not.
fn is_later(t: &str, text: &str) -> bool {
    let code = |knows: fn(&serde_json::Value) -> bool| {
        serde_json::from_str::<Code<'_>>(text).is_ok_and(|Code { code }| !knows(&json!(code)))
    };
    match t {
        "error" => code(knows::<ErrorCode>),
        "notice" => code(knows::<NoticeCode>),
        t => !knows::<ClientOut>(&json!({ "t": t })),
    }
}

/// Whether the kind of something is known, of which nothing is given but its tag.
fn knows<T: DeserializeOwned>(tagged: &serde_json::Value) -> bool {
    T::deserialize(tagged).err().is_none_or(|error| !error.to_string().starts_with("unknown variant"))
}

/// A code, if it is known.
fn known<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    let word = Cow::<'de, str>::deserialize(from)?;
    let word: serde::de::value::StrDeserializer<'_, BadWord> = word.as_ref().into_deserializer();
    Ok(T::deserialize(word).ok())
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
    use protocol::{
        table::{TableAnswer, TableEvent, TablePrivate},
        testing::mutations::examples,
    };
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_refusal_brings_what_is_legal() {
        let text = r#"{"t":"refused","n":4,"room":"t1","code":"illegal","message":"no","legal":{"hand":2,"turn":
            {"turn":3,"seat":1,"deadline_ms":9,"call":4,"raise":{"min":8,"max":90,"bet":false}}}}"#;
        let Incoming::Refused(refusal) = read(text).unwrap() else { panic!("another message") };
        assert_eq!((refusal.n, refusal.code), (4, Some(RefusalCode::Illegal)));
        assert_eq!(refusal.legal.unwrap().turn.unwrap().raise.unwrap().max, 90);
    }

    #[test]
    fn a_refused_buy_in_brings_its_limits() {
        let text = r#"{"t":"refused","n":4,"room":"t1","code":"left_with_more","message":"no","legal":{"hand":2,"turn":null,
            "buy_in":{"min":812,"max":812}}}"#;
        let Incoming::Refused(refusal) = read(text).unwrap() else { panic!("another message") };
        assert_eq!(refusal.legal.unwrap().buy_in.unwrap().min, 812);
    }

    #[test]
    fn plain_messages_and_frames_are_read() {
        assert!(matches!(
            read(r#"{"t":"pong","at":1,"now_ms":2}"#),
            Ok(Incoming::Plain(ClientOut::Pong { .. }))
        ));
        let frame = r#"{"t":"frame","room":"t1","epoch":2,"seq":7,"events":[{"e":"dealt","cards":2}]}"#;
        let Incoming::Frame(room, at, part) = read(frame).unwrap() else { panic!("another message") };
        assert_eq!((room.as_str(), at), ("t1", Position::new(2, 7)));
        assert_eq!(events::<TableEvent>(part.get()).unwrap().len(), 1);
        assert!(read(r#"{"t":"frame","room":"t1"}"#).is_err());
        assert!(read("[1]").is_err());
    }

    #[test]
    fn cards_are_counted_wherever_they_stand() {
        assert_eq!(cards_named(r#"{"a":["As","Td"],"b":{"2c":"xs"},"c":"As Td"}"#), 3);
    }

    /// The value with a field more in every object, but not in rows of the lobby, which may say anything of their kind.
    fn with_more(value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let more = fields.iter().map(|(name, value)| match name.as_str() {
                    "rows" | "set" | "tables" => (name.clone(), value.clone()),
                    _ => (name.clone(), with_more(value)),
                });
                more.chain([("later".to_owned(), json!({"x": [1, null]}))]).collect()
            }
            Value::Array(values) => values.iter().map(with_more).collect(),
            other => other.clone(),
        }
    }

    fn frame_of(events: &Value) -> Value {
        json!({"t": "frame", "room": "t1", "epoch": 1, "seq": 2, "events": events})
    }

    /// What a table's client makes of a message.
    fn understood(message: &Value) -> Result<String, Unreadable> {
        Ok(match read(&message.to_string())? {
            Incoming::Frame(room, at, part) => format!("{room} {at} {:?}", events::<TableEvent>(part.get())?),
            Incoming::Private(room, at, part) => {
                format!("{room} {at} {:?}", serde_json::from_str::<TablePrivate>(part.get())?)
            }
            // In what was asked for each room has words of its own.
            Incoming::Plain(ClientOut::Answer { n, room, at, body }) => {
                format!("answer {n} {room} {at} {:?}", serde_json::from_str::<TableAnswer>(body.get())?)
            }
            // Nobody here reads what a kind of room tells its rail.
            Incoming::Plain(ClientOut::Rail { room, epoch, seq, rail: _ }) => {
                format!("rail {room} {epoch:?} {seq:?}")
            }
            other => format!("{other:?}"),
        })
    }

    fn shown(message: &Value) -> String {
        understood(message).unwrap_or_else(|error| panic!("{error}: {message}"))
    }

    #[test]
    fn fields_of_a_later_house_are_passed_over_in_every_message_and_event() {
        let events = examples("event").into_iter().map(|event| frame_of(&json!([event])));
        for message in examples("house").into_iter().chain(events) {
            assert_eq!(shown(&with_more(&message)), shown(&message));
        }
    }

    #[test]
    fn messages_events_and_codes_of_a_later_house_are_no_fault() {
        assert_eq!(shown(&json!({"t": "jackpot", "room": "t1", "amount": 5})), "Unknown");
        assert_eq!(shown(&json!({"t": "error", "code": "jackpot", "message": "x"})), "Unknown");
        assert_eq!(
            shown(&json!({"t": "notice", "code": "jackpot", "message": "x", "room": "t1"})),
            "Unknown"
        );
        let refused = json!({"t": "refused", "n": 4, "room": "t1", "code": "jackpot", "message": "x"});
        let Ok(Incoming::Refused(refusal)) = read(&refused.to_string()) else { panic!("another message") };
        assert_eq!((refusal.n, refusal.code), (4, None));
        let dealt = json!({"e": "dealt", "cards": 2});
        let more = frame_of(&json!([{"e": "jackpot", "amount": 5}, dealt, {"e": "rabbit"}]));
        assert_eq!(shown(&more), shown(&frame_of(&json!([dealt]))));
    }

    #[test]
    fn what_a_house_gets_wrong_is_still_a_fault() {
        for wrong in [
            json!({"t": "pong", "at": 1}),
            json!({"t": "error", "code": "bad_token"}),
            json!({"t": "notice", "code": 7, "message": "x"}),
            json!({"t": "refused", "n": 4, "room": "t1", "message": "x"}),
            frame_of(&json!([{"e": "dealt", "cards": "two"}])),
            frame_of(&json!([{"cards": 2}])),
            frame_of(&json!([{"e": "status", "seat": 1, "status": "dancing"}])),
        ] {
            assert!(understood(&wrong).is_err(), "{wrong}");
        }
    }
}
