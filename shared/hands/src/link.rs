//! The name by which a hand is shared: nobody comes to it but who was given it.

use std::{fmt, str::FromStr};

/// Bytes of a link. A billion hands have one in 10^15 of them.
pub const LINK_BYTES: usize = 10;

/// Base32 in small letters (RFC 4648).
const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A link, random: sixteen letters and digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link(pub [u8; LINK_BYTES]);

/// A text that is no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a link has 16 letters and digits")]
pub struct BadLink;

impl Link {
    /// A new one, from the system's randomness.
    ///
    /// # Panics
    /// If the system has none.
    pub fn random() -> Self {
        let mut bytes = [0; LINK_BYTES];
        aws_lc_rs::rand::fill(&mut bytes).expect("the system gives random bytes");
        Self(bytes)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        let digit = |place: u32| char::from(DIGITS[usize::try_from(bits >> (5 * place) & 31).unwrap_or(0)]);
        (0..16).rev().try_for_each(|place| write!(f, "{}", digit(place)))
    }
}

impl FromStr for Link {
    type Err = BadLink;

    fn from_str(text: &str) -> Result<Self, BadLink> {
        if text.len() != 16 {
            return Err(BadLink);
        }
        let value = |letter: u8| DIGITS.iter().position(|digit| *digit == letter).ok_or(BadLink);
        let bits = text.bytes().try_fold(0_u128, |bits, letter| Ok(bits << 5 | value(letter)? as u128))?;
        let bytes = bits.to_be_bytes();
        bytes[bytes.len() - LINK_BYTES..].try_into().map(Self).map_err(|_| BadLink)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_as_it_is_written_and_in_no_other_way() {
        for bytes in [[0; 10], [255; 10], *b"0123456789", Link::random().0] {
            let text = Link(bytes).to_string();
            assert_eq!((text.len(), text.parse()), (16, Ok(Link(bytes))), "{text}");
        }
        assert_eq!(Link([0, 0, 0, 0, 0, 0, 0, 0, 0, 33]).to_string(), "aaaaaaaaaaaaaabb");
        for bad in [
            "",
            "aaaaaaaaaaaaaaa",
            "aaaaaaaaaaaaaaaaa",
            "AAAAAAAAAAAAAAAA",
            "aaaaaaaaaaaaaaa1",
            "aaaaaaaaaaaaaa.a",
        ] {
            assert_eq!(bad.parse::<Link>(), Err(BadLink), "{bad:?}");
        }
    }
}
