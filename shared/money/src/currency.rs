//! The code of a currency.

use std::fmt;

use arrayvec::ArrayString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The longest code, in bytes.
const BYTES_MAX: usize = 8;

/// The code of a currency: 2 to 8 capital letters and digits, a letter first. `PLAY`, `EUR`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(ArrayString<BYTES_MAX>);

/// A code that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a currency's code has 2 to {BYTES_MAX} capital letters and digits, a letter first")]
pub struct BadCurrency;

impl Currency {
    /// Checks the characters and takes the code.
    ///
    /// # Errors
    /// [`BadCurrency`].
    pub fn new(code: &str) -> Result<Self, BadCurrency> {
        let of_them = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        let begins_well = code.bytes().next().is_some_and(|b| b.is_ascii_uppercase());
        if code.len() < 2 || !begins_well || !code.bytes().all(of_them) {
            return Err(BadCurrency);
        }
        ArrayString::from(code).map(Self).map_err(|_| BadCurrency)
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Currency {
    type Err = BadCurrency;
    fn from_str(code: &str) -> Result<Self, BadCurrency> {
        Self::new(code)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::new(&code).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_other_characters_is_refused() {
        for bad in ["", "E", "eur", "EU R", "3EUR", "TOOLONGXX", "€UR", "EUR\0"] {
            assert_eq!(Currency::new(bad), Err(BadCurrency), "{bad:?}");
        }
        assert_eq!(Currency::new("PLAY").unwrap().as_str(), "PLAY");
    }
}
