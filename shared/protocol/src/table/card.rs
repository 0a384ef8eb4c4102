//! A card as it travels: two characters, rank then suit.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Such as `As`, `Td`, `2c`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Card([u8; 2]);

impl Card {
    /// Reads `As`; `None` if it is not a card.
    pub fn new(text: &str) -> Option<Self> {
        match text.as_bytes() {
            &[rank, suit] if b"23456789TJQKA".contains(&rank) && b"cdhs".contains(&suit) => {
                Some(Self([rank, suit]))
            }
            _ => None,
        }
    }

    /// The two characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("rank and suit are ASCII")
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Card {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Card {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a card")))
    }
}
