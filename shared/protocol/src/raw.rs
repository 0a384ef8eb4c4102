//! Reading of parts that are kept as JSON text, inside messages with a tag.
//!
//! Serde reads a tagged enum through a buffer of its own, from which no [`RawValue`] can be taken; so these parts go by way
//! of a [`Value`]. That is for tools and tests: relays and players, who read many messages, look at the tag first.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

/// For a part that must be there.
pub(super) fn required<'de, D: Deserializer<'de>>(from: D) -> Result<Box<RawValue>, D::Error> {
    to_raw_value(&Value::deserialize(from)?).map_err(D::Error::custom)
}

/// For a part that may be missing.
pub(super) fn optional<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Box<RawValue>>, D::Error> {
    let value = Option::<Value>::deserialize(from)?;
    value.map(|value| to_raw_value(&value).map_err(D::Error::custom)).transpose()
}
