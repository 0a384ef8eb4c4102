//! Which names look like each other.

use std::{borrow::Cow, sync::LazyLock};

use icu_properties::{
    CodePointMapData,
    props::{BidiClass, GeneralCategory as Category},
};
use unicode_normalization::UnicodeNormalization as _;
use unicode_security::confusable_detection::skeleton;

use super::{PlayerName, allowed::category};

/// How a name looks: two names look alike if they are the same but for capitals, look-alike characters (UTS 39, section 4)
/// or invisible ones, in either order of looking; or if they mix both directions of writing and are made of the same
/// characters, which then may stand in the same order on a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looks([String; 2]);

impl Looks {
    /// Of a name.
    pub fn of(name: &str) -> Self {
        // First capitals, then shapes, and the other way round: capital I looks like l, and small i does not.
        let name = compatible(name);
        let looks = [folded(&shape(&name)), shape(&folded(&name))];
        Self(if is_of_both_directions(&name) { looks.map(|looks| in_order(&looks)) } else { looks })
    }

    /// Whether people may take one name for the other.
    pub fn alike(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(one, other)| one == other)
    }

    /// Both ways of looking, to be kept and compared elsewhere: two names look alike if their first forms are the same, or their second.
    pub fn into_forms(self) -> [String; 2] {
        self.0
    }
}

impl From<&PlayerName> for Looks {
    fn from(name: &PlayerName) -> Self {
        Self::of(name.as_str())
    }
}

/// In the form in which letters are compared, whichever way they were typed (NFKC): plain ones are in it.
fn compatible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { text.into() } else { text.nfkc().collect() }
}

/// The skeleton. That of plain letters is theirs one after the other, and most names are of plain letters.
fn shape(text: &str) -> String {
    static PLAIN: LazyLock<Vec<String>> = LazyLock::new(|| {
        (0..=0x7f_u8).map(|letter| skeleton(char::from(letter).encode_utf8(&mut [0])).collect()).collect()
    });
    match text.is_ascii() {
        true => text.bytes().map(|letter| PLAIN[usize::from(letter)].as_str()).collect(),
        false => skeleton(text).collect(),
    }
}

fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

fn in_order(text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    characters.sort_unstable();
    characters.into_iter().collect()
}

fn is_of_both_directions(text: &str) -> bool {
    let classes = || text.chars().map(|c| CodePointMapData::<BidiClass>::new().get(c));
    let rightwards = [BidiClass::LeftToRight, BidiClass::EuropeanNumber, BidiClass::ArabicNumber];
    classes().any(|class| [BidiClass::RightToLeft, BidiClass::ArabicLetter].contains(&class))
        && classes().any(|class| rightwards.contains(&class))
}

/// Whether a name has `bot` in brackets of any kind, as a mark of the house might look.
pub(super) fn says_bot(name: &str) -> bool {
    let plain_brackets = |c: char| match category(c) {
        Category::OpenPunctuation | Category::InitialPunctuation => '(',
        Category::ClosePunctuation | Category::FinalPunctuation => ')',
        _ => c,
    };
    static BOT: LazyLock<Looks> = LazyLock::new(|| Looks::of("(bot)"));
    let name: String = compatible(name).chars().filter(|c| *c != ' ').map(plain_brackets).collect();
    let looks = Looks::of(&name);
    looks.0.iter().zip(&BOT.0).any(|(name, bot)| name.contains(bot.as_str()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_letters_look_as_unicode_says(name in "[ -~]{0,40}") {
            let general: String = name.nfkc().collect();
            prop_assert_eq!(&*compatible(&name), &general);
            prop_assert_eq!(shape(&name), skeleton(&general).collect::<String>());
            let cased: String = name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect();
            prop_assert_eq!(folded(&name), cased);
        }
    }
}
