//! The name of a player, as others see it.

use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Bounds, Looks, Unfit, alike, allowed, tidied, without};

/// The longest name, in characters as people count them.
pub const NAME_CHARACTERS_MAX: usize = 20;

/// The longest name, in bytes of UTF-8: six families, or twenty letters of Burmese with their signs.
pub const NAME_TEXT_BYTES_MAX: usize = 160;

const BOUNDS: Bounds = Bounds { characters_max: NAME_CHARACTERS_MAX, bytes_max: NAME_TEXT_BYTES_MAX };

/// How much of a token's name is looked at, characters of Unicode.
const SALVAGED_MAX: usize = 4 * NAME_TEXT_BYTES_MAX;

/// Who comes with a name of which nothing can be shown.
const NAMELESS: &str = "Guest";

/// A name that others can read. Not unique, unlike the user's id: [`Looks`] tells whether two look alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerName(String);

impl PlayerName {
    /// Tidies and checks.
    ///
    /// # Errors
    /// [`Unfit`] says what is wrong, in words for the user.
    pub fn new(name: &str) -> Result<Self, Unfit> {
        let name = tidied(name, &BOUNDS)?;
        if alike::says_bot(&name) { Err(Unfit::SaysBot) } else { Ok(Self(name)) }
    }

    /// What can be shown of a name that is already in a token: of an older house, or of another issuer whose rules are wider.
    /// What may not be shown is left out, too much is cut off, and who then has no name is called a guest.
    pub fn salvaged(name: &str) -> Self {
        // Decomposed, as it is checked: the mark that is wrong may be a part of a composed letter.
        let mut name: String = name.chars().take(SALVAGED_MAX).nfd().collect();
        loop {
            let mended = match Self::new(&name) {
                Ok(name) => return name,
                Err(
                    Unfit::Control(c)
                    | Unfit::Reorders(c)
                    | Unfit::Invisible(c)
                    | Unfit::Unknown(c)
                    | Unfit::LooseMark(c),
                ) => without(&name, |at| at == c),
                Err(Unfit::TooManyMarks) => without(&name, allowed::is_mark),
                Err(Unfit::TooLong(_) | Unfit::TooManyBytes(_)) => {
                    cut(&name.nfc().collect::<String>(), "").nfd().collect()
                }
                Err(Unfit::Empty | Unfit::SaysBot) => return Self(NAMELESS.into()),
            };
            // A stranger's text is looked at as often as it gets shorter, and no more.
            if mended.len() >= name.len() {
                return Self(NAMELESS.into());
            }
            name = mended;
        }
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, with a number behind it if it looks like one of these.
    ///
    /// # Panics
    /// Never: there are more numbers than names.
    #[must_use]
    pub fn unlike(&self, taken: &[Looks]) -> Self {
        let is_free = |name: &Self| {
            let looks = Looks::from(name);
            !taken.iter().any(|other| other.alike(&looks))
        };
        (1..).map(|number| self.numbered(number)).find(is_free).expect("there are more numbers than names")
    }

    /// The name with a number behind it; without one for 1.
    #[must_use]
    pub fn numbered(&self, number: usize) -> Self {
        if number == 1 { self.clone() } else { Self(cut(&self.0, &format!(" {number}"))) }
    }
}

/// As much of a name as leaves room for what comes behind it, and that.
fn cut(name: &str, behind: &str) -> String {
    let mut bytes = behind.len();
    let fits = |character: &&str| {
        bytes += character.len();
        bytes <= NAME_TEXT_BYTES_MAX
    };
    let characters = name.graphemes(true).take(NAME_CHARACTERS_MAX - behind.len());
    let kept: String = characters.take_while(fits).collect();
    // A joiner at the end would have nothing to join any more.
    let kept = kept.trim_end_matches([' ', allowed::JOINER, allowed::NON_JOINER]);
    format!("{}{behind}", if kept.is_empty() { NAMELESS } else { kept })
}
