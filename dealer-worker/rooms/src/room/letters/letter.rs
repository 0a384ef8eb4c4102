//! A letter and its name.

use bytes::Bytes;
use protocol::id::{Position, RoomId};
use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::{BODY_BYTES_MAX, REFERENCES_MAX};

/// A letter's name within the room that wrote it: where the entry stands whose decision wrote it, and the how manieth of that
/// entry it is. Ordered as they were written, and never given twice, since positions are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LetterId {
    /// The entry.
    pub at: Position,
    /// Counts the entry's letters, to whomever they are.
    pub index: u16,
}

/// A letter that another one answers or uses up. If a room has forgotten that it wrote the latter, it learns from this that the
/// former has had its consequence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reference {
    /// Who wrote the former; need not be the one to whom the latter goes.
    pub from: RoomId,
    /// The former.
    pub letter: LetterId,
}

/// A letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Its name.
    pub id: LetterId,
    /// The one before it to the same room.
    pub prev: Option<LetterId>,
    /// What it uses up; at most [`REFERENCES_MAX`].
    #[serde(deserialize_with = "few")]
    pub re: Vec<Reference>,
    /// What it says.
    pub body: Body,
}

/// More than a letter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a letter holds {BODY_BYTES_MAX} bytes, and uses up {REFERENCES_MAX} others")]
pub struct TooLarge;

/// What a letter says, in words that the two kinds of rooms have agreed on; at most [`BODY_BYTES_MAX`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Body(Bytes);

impl Body {
    /// Takes the bytes, if they are not too many.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, TooLarge> {
        let bytes = bytes.into();
        if bytes.len() <= BODY_BYTES_MAX { Ok(Self(bytes)) } else { Err(TooLarge) }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Bytes::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// References, if they are not too many.
pub(super) fn few<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Reference>, D::Error> {
    let references = Vec::deserialize(deserializer)?;
    if references.len() <= REFERENCES_MAX { Ok(references) } else { Err(D::Error::custom(TooLarge)) }
}
