//! Which characters may stand where in people's text.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{
        BidiControl, CanonicalCombiningClass, DefaultIgnorableCodePoint, EmojiModifier, ExtendedPictographic,
        GeneralCategory as Category, GeneralCategoryGroup, JoiningType, VariationSelector,
    },
};
use unicode_normalization::UnicodeNormalization as _;

use super::Unfit;

/// The most nonspacing marks on one letter, decomposed (UTS 39, section 5.4). Vietnamese and Thai have two, Hebrew with
/// all its points three.
pub(super) const MARKS_MAX: usize = 4;

pub(super) const JOINER: char = '\u{200d}';
pub(super) const NON_JOINER: char = '\u{200c}';

/// Characters that are drawn as nothing although no property of Unicode says so: blanks of braille, music, Khitan and
/// hieroglyphs, and the place of an object that is not there.
const BLANKS: [char; 6] = ['\u{2800}', '\u{fffc}', '\u{13441}', '\u{13442}', '\u{16fe4}', '\u{1d159}'];

const BLACK_FLAG: char = '\u{1f3f4}';
const CANCEL_TAG: char = '\u{e007f}';

/// Checks a text in one line whose spaces are plain ones.
pub(super) fn check(text: &str) -> Result<(), Unfit> {
    // Decomposed: marks are counted however they were typed.
    let text: Vec<char> = text.nfd().collect();
    // Marks on the last letter; `None` where there is none to put a mark on.
    let mut marks = None;
    let mut at = 0;
    while let Some(&c) = text.get(at) {
        let (before, after) = (&text[..at], &text[at + 1..]);
        at += 1;
        if c == JOINER || c == NON_JOINER {
            if !joins(c, before, after) {
                return Err(Unfit::Invisible(c));
            }
            continue;
        }
        if has::<BidiControl>(c) {
            return Err(Unfit::Reorders(c));
        }
        if has::<VariationSelector>(c) {
            // It chooses between forms of the letter before it.
            match before.last() {
                Some(&letter) if is_seen(letter) && letter != ' ' && !is_mark(letter) => continue,
                _ => return Err(Unfit::Invisible(c)),
            }
        }
        if is_tag(c) && before.last() == Some(&BLACK_FLAG) {
            at += flag_of_a_region(&text[at - 1..]).ok_or(Unfit::Invisible(c))? - 1;
            continue;
        }
        match category(c) {
            Category::Control | Category::LineSeparator | Category::ParagraphSeparator => {
                return Err(Unfit::Control(c));
            }
            Category::PrivateUse | Category::Unassigned | Category::Surrogate => {
                return Err(Unfit::Unknown(c));
            }
            _ if !is_seen(c) => return Err(Unfit::Invisible(c)),
            Category::SpaceSeparator => marks = None,
            Category::NonspacingMark | Category::EnclosingMark => {
                let on_letter = marks.as_mut().ok_or(Unfit::LooseMark(c))?;
                *on_letter += 1;
                if *on_letter > MARKS_MAX {
                    return Err(Unfit::TooManyMarks);
                }
            }
            // Drawn beside the letter, but not without it.
            Category::SpacingMark if marks.is_none() => return Err(Unfit::LooseMark(c)),
            Category::SpacingMark => {}
            _ => marks = Some(0),
        }
    }
    Ok(())
}

/// Whether a joiner or non-joiner changes what is seen where it stands.
fn joins(joiner: char, before: &[char], after: &[char]) -> bool {
    let last = before.last().copied();
    let next = after.first().copied();
    let letter = |c: &char| GeneralCategoryGroup::Letter.contains(category(*c));
    // In the scripts of India: on either side of the sign that takes a consonant's vowel away (RFC 5892, A.1 and A.2).
    if last.is_some_and(is_virama) || (next.is_some_and(is_virama) && last.as_ref().is_some_and(letter)) {
        return true;
    }
    // In Arabic script and its like: between letters that have joining forms, whether these two would join or not.
    let is_transparent = |c: &&char| joining(**c) == JoiningType::Transparent;
    let has_forms = |c: &char| letter(c) && joining(*c) != JoiningType::NonJoining;
    let (left, right) =
        (before.iter().rev().find(|c| !is_transparent(c)), after.iter().find(|c| !is_transparent(c)));
    if left.is_some_and(has_forms) && right.is_some_and(has_forms) {
        return true;
    }
    // Between the parts of a picture, of which the first may have a colour of its own (UTS 51).
    let is_picture = |c: char| has::<ExtendedPictographic>(c);
    let changes_picture = |c: &char| has::<VariationSelector>(*c) || has::<EmojiModifier>(*c);
    let first = before.iter().rev().find(|c| !changes_picture(c));
    joiner == JOINER && first.is_some_and(|c| is_picture(*c)) && next.is_some_and(is_picture)
}

/// The length of the tags that name a region's flag after a black one, such as Scotland's (UTS 51, ED-14a).
fn flag_of_a_region(tags: &[char]) -> Option<usize> {
    let region = tags.iter().take_while(|tag| is_tag(**tag) && **tag != CANCEL_TAG).count();
    let is_letter_or_digit =
        |tag: &char| matches!(tag, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let is_region = (3..=6).contains(&region) && tags[..region].iter().all(is_letter_or_digit);
    (is_region && tags.get(region) == Some(&CANCEL_TAG)).then_some(region + 1)
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0020}'..=CANCEL_TAG)
}

fn is_seen(c: char) -> bool {
    !has::<DefaultIgnorableCodePoint>(c) && category(c) != Category::Format && !BLANKS.contains(&c)
}

pub(super) fn is_mark(c: char) -> bool {
    GeneralCategoryGroup::Mark.contains(category(c))
}

fn is_virama(c: char) -> bool {
    CodePointMapData::<CanonicalCombiningClass>::new().get(c) == CanonicalCombiningClass::Virama
}

fn joining(c: char) -> JoiningType {
    CodePointMapData::new().get(c)
}

pub(super) fn category(c: char) -> Category {
    CodePointMapData::new().get(c)
}

/// Whether the character has a property.
fn has<P: icu_properties::props::BinaryProperty>(c: char) -> bool {
    CodePointSetData::new::<P>().contains(c)
}
