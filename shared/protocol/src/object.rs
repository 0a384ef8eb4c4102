//! A JSON object of a client, read strictly: its fields by name, each once, each of its type, and none beside them.
//!
//! Derived reading is laxer than `docs/protocol.md` promises: it takes an array for an object, lets fields that nobody knows
//! into what has none of its own, and lets the last of two equal names win in a map. So whatever clients send is read here.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::table::ActKind;
use crate::id::{Position, RoomId, SessionId};

/// The largest whole number that a client may send: a browser's numbers hold no more exactly.
pub const WHOLE_MAX: u64 = (1 << 53) - 1;

/// No message has more fields; of what has, the rest is not looked at.
const FIELDS_MAX: usize = 16;

/// So much of a word of the client's is said back to it, characters.
const QUOTED_CHARS_MAX: usize = 40;

/// An object is not what it was to be: a sentence that names the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(String);

impl Unfit {
    /// A field holds something else than it should.
    pub(super) fn is_not(name: &str, what: &str) -> Self {
        Self(format!("`{name}` is not {what}"))
    }

    /// A field holds a word, but none that this house knows.
    pub(super) fn unknown_word(name: &str, word: &str) -> Self {
        Self(format!("`{name}` is `{}`, which this house does not know", quoted(word)))
    }
}

/// The beginning of a word of the client's.
pub(super) fn quoted(word: &str) -> String {
    word.chars().take(QUOTED_CHARS_MAX).collect()
}

/// See the module. Nothing is copied that can be borrowed from the text.
pub(super) struct Object<'a> {
    fields: SmallVec<[Field<'a>; 8]>,
    /// There were more.
    excess: bool,
}

struct Field<'a> {
    name: Cow<'a, str>,
    value: &'a RawValue,
    twice: bool,
}

impl<'a> Object<'a> {
    /// Reads an object; `None` if the text is something else, or no JSON.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// A field that must be there.
    pub(super) fn required<T: Part<'a>>(&mut self, name: &str) -> Result<T, Unfit> {
        match self.take(name)? {
            Some(value) => T::read(value).ok_or_else(|| Unfit::is_not(name, T::IS)),
            None => Err(Unfit(format!("`{name}` is missing"))),
        }
    }

    /// A field that may be missing, or null, which is the same.
    pub(super) fn optional<T: Part<'a>>(&mut self, name: &str) -> Result<Option<T>, Unfit> {
        match self.take(name)? {
            Some(value) if value.get() != "null" => {
                T::read(value).map(Some).ok_or_else(|| Unfit::is_not(name, T::IS))
            }
            _ => Ok(None),
        }
    }

    /// There must be nothing left.
    pub(super) fn end(self) -> Result<(), Unfit> {
        if let Some(field) = self.fields.first() {
            return Err(Unfit(format!("`{}` does not belong here", quoted(&field.name))));
        }
        if self.excess { Err(Unfit("there are too many fields".into())) } else { Ok(()) }
    }

    fn take(&mut self, name: &str) -> Result<Option<&'a RawValue>, Unfit> {
        let Some(at) = self.fields.iter().position(|field| field.name == name) else { return Ok(None) };
        let field = self.fields.remove(at);
        if field.twice { Err(Unfit(format!("`{name}` comes twice"))) } else { Ok(Some(field.value)) }
    }
}

/// A field's name, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut object = Object { fields: SmallVec::new(), excess: false };
                while let Some(Name(name)) = map.next_key()? {
                    if object.fields.len() == FIELDS_MAX {
                        object.excess = true;
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    let value = map.next_value()?;
                    match object.fields.iter_mut().find(|field| field.name == name) {
                        Some(field) => field.twice = true,
                        None => object.fields.push(Field { name, value, twice: false }),
                    }
                }
                Ok(object)
            }
        }

        from.deserialize_map(Fields)
    }
}

/// What a field may hold.
pub(super) trait Part<'a>: Sized {
    /// In words, behind "is not".
    const IS: &'static str;

    /// `None` if the JSON is something else.
    fn read(json: &'a RawValue) -> Option<Self>;
}

impl Part<'_> for u64 {
    const IS: &'static str = "a whole number from 0 to 9007199254740991, in digits alone";

    fn read(json: &RawValue) -> Option<Self> {
        serde_json::from_str(json.get()).ok().filter(|number| *number <= WHOLE_MAX)
    }
}

impl Part<'_> for u32 {
    const IS: &'static str = "a whole number from 0 to 4294967295, in digits alone";

    fn read(json: &RawValue) -> Option<Self> {
        serde_json::from_str(json.get()).ok()
    }
}

impl Part<'_> for u8 {
    const IS: &'static str = "a whole number from 0 to 255, in digits alone";

    fn read(json: &RawValue) -> Option<Self> {
        serde_json::from_str(json.get()).ok()
    }
}

impl Part<'_> for bool {
    const IS: &'static str = "true or false";

    fn read(json: &RawValue) -> Option<Self> {
        serde_json::from_str(json.get()).ok()
    }
}

impl<'a> Part<'a> for Cow<'a, str> {
    const IS: &'static str = "a text";

    fn read(json: &'a RawValue) -> Option<Self> {
        let between = json.get().strip_prefix('"')?.strip_suffix('"')?;
        if between.contains('\\') {
            return serde_json::from_str(json.get()).ok().map(Cow::Owned);
        }
        Some(Cow::Borrowed(between))
    }
}

impl Part<'_> for RoomId {
    const IS: &'static str = "a room's name: 1 to 40 characters of A-Z a-z 0-9 _ - .";

    fn read(json: &RawValue) -> Option<Self> {
        Self::new(&Cow::read(json)?).ok()
    }
}

impl Part<'_> for SessionId {
    const IS: &'static str = "a session: sixteen hexadecimal digits";

    fn read(json: &RawValue) -> Option<Self> {
        serde_json::from_str(json.get()).ok()
    }
}

impl Part<'_> for ActKind {
    const IS: &'static str = "fold, check, call, bet or raise";

    fn read(json: &RawValue) -> Option<Self> {
        word(json)
    }
}

/// One of the words of an enum.
pub(super) fn word<T: DeserializeOwned>(json: &RawValue) -> Option<T> {
    // As text first: an enum may also be written as an object, by serde's lights.
    let word = <Cow<'_, str>>::read(json)?;
    T::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(&word)).ok()
}

/// An object, not looked into.
impl<'a> Part<'a> for Cow<'a, RawValue> {
    const IS: &'static str = "an object";

    fn read(json: &'a RawValue) -> Option<Self> {
        json.get().starts_with('{').then_some(Cow::Borrowed(json))
    }
}

/// An object, to be read on.
impl<'a> Part<'a> for Object<'a> {
    const IS: &'static str = "an object";

    fn read(json: &'a RawValue) -> Option<Self> {
        Self::read(json.get())
    }
}

/// A number of any kind, as it was written.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(transparent)]
pub struct Numeral<'a>(Cow<'a, RawValue>);

impl Numeral<'_> {
    /// The longest, in bytes: it is sent back.
    pub const BYTES_MAX: usize = 32;

    /// As it was written.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl From<Numeral<'_>> for Box<RawValue> {
    fn from(numeral: Numeral<'_>) -> Self {
        numeral.0.into_owned()
    }
}

impl From<u64> for Numeral<'static> {
    fn from(number: u64) -> Self {
        Self(Cow::Owned(RawValue::from_string(number.to_string()).expect("digits are a number")))
    }
}

impl<'a> Part<'a> for Numeral<'a> {
    const IS: &'static str = "a number of at most 32 characters";

    fn read(json: &'a RawValue) -> Option<Self> {
        let text = json.get();
        let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        (is_number && text.len() <= Self::BYTES_MAX).then_some(Self(Cow::Borrowed(json)))
    }
}

/// The positions of rooms.
impl Part<'_> for BTreeMap<RoomId, Position> {
    const IS: &'static str = "an object that holds [epoch, seq] for each room once, both whole numbers";

    fn read(json: &RawValue) -> Option<Self> {
        struct Positions;

        impl<'de> Visitor<'de> for Positions {
            type Value = BTreeMap<RoomId, Position>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of positions")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut positions = BTreeMap::new();
                while let Some((Name(room), (epoch, seq))) = map.next_entry::<Name<'de>, (u64, u64)>()? {
                    let room = RoomId::new(&room).map_err(Error::custom)?;
                    if epoch > WHOLE_MAX || seq > WHOLE_MAX {
                        return Err(Error::custom("too large a number"));
                    }
                    if positions.insert(room, Position::new(epoch, seq)).is_some() {
                        return Err(Error::custom("a room comes twice"));
                    }
                }
                Ok(positions)
            }
        }

        serde_json::Deserializer::from_str(json.get()).deserialize_map(Positions).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object<'_> {
        Object::read(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn a_field_is_taken_once_and_what_is_left_does_not_belong() {
        let mut one = object(r#"{"n": 3, "on": true, "x": {}}"#);
        assert_eq!((one.required("n"), one.required("on")), (Ok(3_u64), Ok(true)));
        assert_eq!(one.required::<u64>("n").unwrap_err().to_string(), "`n` is missing");
        assert_eq!(one.end().unwrap_err().to_string(), "`x` does not belong here");
        let mut two = object(r#"{"n": 3, "\u006e": 3, "to": null}"#);
        assert_eq!(two.required::<u64>("n").unwrap_err().to_string(), "`n` comes twice");
        assert_eq!(two.optional::<u64>("to"), Ok(None));
        let many: String = (0..100).map(|at| format!(r#""f{at}": {at},"#)).collect();
        let many = format!("{{{}}}", many.trim_end_matches(','));
        let mut many = object(&many);
        assert_eq!(many.required("f15"), Ok(15_u64));
        assert!(many.required::<u64>("f16").is_err());
        assert!(many.end().is_err());
    }

    #[test]
    fn what_is_no_object_is_none() {
        for text in ["", "{", "[]", r#"["hello"]"#, "null", "1", r#""{}""#, r#"{"a":1}}"#, r#"{"a":01}"#] {
            assert!(Object::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn numbers_are_whole_and_written_in_digits() {
        fn read<T: for<'a> Part<'a>>(number: &str) -> Option<T> {
            let text = format!(r#"{{"n": {number}}}"#);
            object(&text).required("n").ok()
        }
        assert_eq!(read("9007199254740991"), Some(WHOLE_MAX));
        for number in
            ["9007199254740992", "18446744073709551616", "-1", "-0", "1.0", "1e0", "0.5", "\"1\"", "null"]
        {
            assert_eq!(read::<u64>(number), None, "{number}");
        }
        assert_eq!([read("255"), read("256"), read("3.0")], [Some(255_u8), None, None]);
    }

    #[test]
    fn a_numeral_keeps_its_letters() {
        let text = |number: &str| {
            let text = format!(r#"{{"at": {number}}}"#);
            object(&text).required::<Numeral<'_>>("at").ok().map(|at| at.as_str().to_owned())
        };
        for number in ["1", "1.0", "-0", "1e3", "1E+3", "123.25", "1760000000123.4561", "1e999"] {
            assert_eq!(text(number).as_deref(), Some(number));
        }
        for number in ["\"1\"", "true", "null", "[1]", "123456789012345678901234567890123"] {
            assert_eq!(text(number), None, "{number}");
        }
        assert_eq!(Numeral::from(7).as_str(), "7");
    }

    #[test]
    fn positions_are_pairs_and_no_room_has_two() {
        type Positions = BTreeMap<RoomId, Position>;
        let read = |resume: &str| object(&format!(r#"{{"r": {resume}}}"#)).required::<Positions>("r").ok();
        assert_eq!(read(r#"{"t1": [3, 4], "t2": [0, 0]}"#).unwrap().len(), 2);
        for resume in [
            r#"{"t1": [3, 4], "t1": [3, 4]}"#,
            r#"{"t1": [3]}"#,
            r#"{"t1": [3, 4, 5]}"#,
            r#"{"t1": {"epoch": 3, "seq": 4}}"#,
            r#"{"t1": [3.0, 4]}"#,
            r#"{"t1": [9223372036854775808, 5]}"#,
            r#"{"no good": [3, 4]}"#,
            r#"[["t1", [3, 4]]]"#,
        ] {
            assert_eq!(read(resume), None, "{resume}");
        }
    }

    #[test]
    fn text_is_borrowed_unless_it_has_escapes_and_lone_surrogates_are_none() {
        let plain = object(r#"{"a": "b\tc"}"#).required::<Cow<'_, str>>("a");
        assert_eq!(plain.as_deref(), Ok("b\tc"));
        assert!(matches!(object(r#"{"a": "bc"}"#).required("a"), Ok(Cow::Borrowed("bc"))));
        assert!(object(r#"{"a": "\ud800"}"#).required::<Cow<'_, str>>("a").is_err());
        for kind in [r#"{"raise": null}"#, r#""Raise""#, "1"] {
            let text = format!(r#"{{"a": {kind}}}"#);
            assert!(object(&text).required::<ActKind>("a").is_err(), "{kind}");
        }
        assert_eq!(object(r#"{"a": "r\u0061ise"}"#).required("a"), Ok(ActKind::Raise));
    }

    #[test]
    fn what_is_said_back_of_a_clients_word_is_bounded() {
        let long = "x".repeat(10_000);
        let text = format!(r#"{{"{long}": 1}}"#);
        let left = object(&text).end().unwrap_err();
        assert!(left.to_string().len() < 100, "{left}");
        assert!(Unfit::unknown_word("a", &long).to_string().len() < 120);
    }
}
