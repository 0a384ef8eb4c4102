//! Which names look like each other.

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
        let name: String = name.nfkc().collect();
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

fn shape(text: &str) -> String {
    skeleton(text).collect()
}

fn folded(text: &str) -> String {
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
    let name: String = name.nfkc().filter(|c| *c != ' ').map(plain_brackets).collect();
    let looks = Looks::of(&name);
    let bot = Looks::of("(bot)");
    looks.0.iter().zip(&bot.0).any(|(name, bot)| name.contains(bot.as_str()))
}
