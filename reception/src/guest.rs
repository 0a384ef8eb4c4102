//! Who a guest is: a name of their choice, and a user id that nobody can guess or choose.

use rand::RngExt as _;
use shared::id::UserId;

/// The longest name of a guest, in characters.
pub const NAME_CHARS_MAX: usize = 20;

/// Characters of a guest's id after `g-`, five random bits each.
const ID_CHARS: u32 = 16;

/// RFC 4648's base32 in small letters: nothing in it is mistaken for something else when read aloud.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A name that others will see: 1 to [`NAME_CHARS_MAX`] visible characters, trimmed. Not unique, unlike the user id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestName(String);

/// Why a name is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Nothing is left after trimming.
    #[error("a name has at least one visible character")]
    Empty,
    /// It is too long.
    #[error("a name has at most {NAME_CHARS_MAX} characters")]
    TooLong,
    /// It has control, formatting or blank characters, with which it could look like another name or break a line.
    #[error("a name has letters, digits, signs and single spaces only")]
    Unprintable,
}

impl GuestName {
    /// Trims and checks.
    ///
    /// # Errors
    /// [`BadName`] says what is wrong, in words for the user.
    pub fn new(name: &str) -> Result<Self, BadName> {
        let name = name.trim();
        if name.is_empty() {
            return Err(BadName::Empty);
        }
        if name.chars().nth(NAME_CHARS_MAX).is_some() {
            return Err(BadName::TooLong);
        }
        if name.contains("  ") || !name.chars().all(visible_or_space) {
            return Err(BadName::Unprintable);
        }
        Ok(Self(name.into()))
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Not a control character, and not one of Unicode's invisible ones: those reorder a line (bidirectional controls)
/// or make two names that look the same.
fn visible_or_space(c: char) -> bool {
    let invisible = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{10ffff}');
    c == ' ' || !(c.is_control() || c.is_whitespace() || invisible)
}

/// A new guest's id: `g-` and eighty random bits.
pub fn new_user(rng: &mut impl rand::Rng) -> UserId {
    let bits: u128 = rng.random();
    let digits = (0..ID_CHARS).map(|at| char::from(BASE32[(bits >> (5 * at)) as usize & 31]));
    let id: String = "g-".chars().chain(digits).collect();
    UserId::new(&id).expect("base32 is within the characters of a name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_counted_in_characters() {
        assert_eq!(GuestName::new("  Ann Lee ").unwrap().as_str(), "Ann Lee");
        assert_eq!(GuestName::new(&"é".repeat(20)).unwrap().as_str(), "é".repeat(20));
        assert_eq!(GuestName::new(&"é".repeat(21)), Err(BadName::TooLong));
        assert_eq!(GuestName::new(" \t "), Err(BadName::Empty));
    }

    #[test]
    fn names_of_many_scripts_are_welcome() {
        for name in ["Zoë", "Łukasz", "Анна", "अनिता", "李雷", "🂡 ace", "O'Neil", "<b>"]
        {
            assert!(GuestName::new(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn a_name_that_could_pass_for_another_is_refused() {
        for name in
            ["Ann\u{200b}", "\u{202e}nnA", "A\u{ad}nn", "A\nnn", "A  nn", "A\u{a0}nn", "\u{3164}", "A\0"]
        {
            assert_eq!(GuestName::new(name), Err(BadName::Unprintable), "{name:?}");
        }
    }

    #[test]
    fn two_guests_never_get_the_same_id() {
        let mut rng = rand::rng();
        let ids: std::collections::HashSet<_> = (0..10_000).map(|_| new_user(&mut rng)).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.as_str().len() == 18 && id.as_str().starts_with("g-")));
    }
}
