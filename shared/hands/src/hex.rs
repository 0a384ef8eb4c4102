//! Bytes as hexadecimal digits, in small letters: how hashes are told.

use std::fmt::Write as _;

use crate::Hash;

/// The digits of these bytes.
pub fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// The hash that is written so; in no other way.
pub fn hash(text: &str) -> Option<Hash> {
    let bytes = text.as_bytes();
    let is_written = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if bytes.len() != 64 || !bytes.iter().all(is_written) {
        return None;
    }
    let mut hash = [0; 32];
    for (into, pair) in hash.iter_mut().zip(bytes.chunks(2)) {
        *into = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

/// Hashes in JSON.
pub mod serde {
    use ::serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::Hash;

    /// As digits.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::digits(hash))
    }

    /// From digits.
    ///
    /// # Errors
    /// When it is no hash.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::hash(&text).ok_or_else(|| D::Error::custom("a hash has 64 hexadecimal digits"))
    }
}
