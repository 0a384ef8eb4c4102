//! What one says at a table.

use super::{Bounds, Unfit, tidied, without};

/// The longest line, in characters as people count them.
pub const LINE_CHARACTERS_MAX: usize = 200;

/// The longest line, in bytes of UTF-8.
pub const LINE_BYTES_MAX: usize = 1_024;

const BOUNDS: Bounds = Bounds { characters_max: LINE_CHARACTERS_MAX, bytes_max: LINE_BYTES_MAX };

/// What keyboards and clipboards put into a text without anybody's asking, and what nobody misses: a place where a word may
/// break or must not, the direction of a single character, a mark of byte order.
const LEFT_OUT: [char; 7] = ['\u{ad}', '\u{61c}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{feff}'];

/// One line of talk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line(String);

impl Line {
    /// Tidies and checks.
    ///
    /// # Errors
    /// [`Unfit`] says what is wrong, in words for the user.
    pub fn new(text: &str) -> Result<Self, Unfit> {
        tidied(&without(text, |c| LEFT_OUT.contains(&c)), &BOUNDS).map(Self)
    }

    /// The characters.
    pub fn into_string(self) -> String {
        self.0
    }
}
