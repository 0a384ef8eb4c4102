//! What people write for others to see: their names and what they say, by Unicode's own data.
//!
//! Many scripts, ligatures and pictures are welcome; what nobody can see, what reorders a line, and marks piled as high as a
//! house are not. It follows PRECIS (RFC 8264, `FreeformClass`, as nicknames of RFC 8266) and UTS 39. It is wider than PRECIS
//! where that refuses what people write: a joiner may also stand between the parts of a picture, before a virama
//! (Bengali), and between any letters that join (Persian).
//!
//! In reading order:
//!
//! - [`name`]: the name of a player.
//! - [`line`](mod@line): what one says at a table.
//! - [`allowed`]: which characters may stand where.
//! - [`alike`]: which names look like each other.

mod alike;
mod allowed;
pub mod line;
pub mod name;

use icu_properties::{CodePointMapData, props::GeneralCategory};
use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

pub use self::{alike::Looks, line::Line, name::PlayerName};

/// Why a text is not fit to be shown, in words that go on from "it".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// There is nothing to see.
    #[error("it is empty")]
    Empty,
    /// More characters, as people count them, than so many.
    #[error("it has more than {0} characters")]
    TooLong(usize),
    /// More bytes in UTF-8 than so many.
    #[error("it has more than {0} bytes")]
    TooManyBytes(usize),
    /// A line break, tab or other control character.
    #[error("it has a control character or line break (U+{:04X})", u32::from(*.0))]
    Control(char),
    /// A character that changes the direction of the text around it.
    #[error("it has a character that reorders text (U+{:04X})", u32::from(*.0))]
    Reorders(char),
    /// A character that nobody sees, or a joiner that joins nothing.
    #[error("it has an invisible character (U+{:04X})", u32::from(*.0))]
    Invisible(char),
    /// A character that Unicode has not assigned, or leaves to private use.
    #[error("it has a character without a meaning that all share (U+{:04X})", u32::from(*.0))]
    Unknown(char),
    /// A combining mark on nothing.
    #[error("it has a mark without a letter under it (U+{:04X})", u32::from(*.0))]
    LooseMark(char),
    /// More marks on a letter than any language writes.
    #[error("it has more than {} marks on one letter", allowed::MARKS_MAX)]
    TooManyMarks,
    /// It says that it is a bot's, as a mark would.
    #[error("it says that it is a bot: bots are marked by the house")]
    SaysBot,
}

/// How long a text may be.
struct Bounds {
    /// As people count: grapheme clusters (UAX 29).
    characters_max: usize,
    bytes_max: usize,
}

/// Brings a text into the one form in which it is stored and compared: spaces of any kind are single plain ones, none at the
/// ends, and letters are composed (NFC). Says what is wrong with it, if anything is.
fn tidied(text: &str, bounds: &Bounds) -> Result<String, Unfit> {
    let space =
        |c: char| CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::SpaceSeparator;
    let words = text.trim().split(space).filter(|word| !word.is_empty());
    let text: String = words.collect::<Vec<_>>().join(" ").nfc().collect();
    if text.is_empty() {
        return Err(Unfit::Empty);
    }
    allowed::check(&text)?;
    if text.graphemes(true).nth(bounds.characters_max).is_some() {
        return Err(Unfit::TooLong(bounds.characters_max));
    }
    if text.len() > bounds.bytes_max {
        return Err(Unfit::TooManyBytes(bounds.bytes_max));
    }
    Ok(text)
}

fn without(text: &str, unwanted: impl Fn(char) -> bool) -> String {
    text.chars().filter(|c| !unwanted(*c)).collect()
}
