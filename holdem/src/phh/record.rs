//! A hand history as fields: read, checked for shape, rendered.

use std::fmt;

use super::decimal::{Decimal, Unit, Written};
use super::document::{TomlError, bare_or_quoted, quoted};
use super::notation::{Notation, What};
use crate::variant::{Limit, Variant};

/// One hand of a `.phh` file, or of a `.phhs` file with many. Players are in PHH's order: `p1` sits left of the button,
/// the last player has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The table header it stood under in a file with many hands; else empty.
    pub name: String,
    /// The game.
    pub variant: Variant,
    /// The bet limit.
    pub limit: Limit,
    /// Whether a short ante wins only as much from each other (`ante_trimming_status`).
    pub ante_trimming: bool,
    /// Antes by player; heads-up in reverse.
    pub antes: Vec<Decimal>,
    /// Blinds and straddles by player, heads-up in reverse; a negative one is a big blind posted to enter.
    pub blinds_or_straddles: Vec<Decimal>,
    /// The least bet.
    pub min_bet: Decimal,
    /// Stacks before antes and blinds; `None` is unknown (`inf`).
    pub starting_stacks: Vec<Option<Decimal>>,
    /// What happened.
    pub actions: Vec<Notation>,
    /// Stacks at the end, if recorded.
    pub finishing_stacks: Option<Vec<Option<Decimal>>>,
    /// Pots collected, after rake, if recorded.
    pub winnings: Option<Vec<Decimal>>,
    /// All other fields, as written.
    pub other: Vec<(String, String)>,
    /// The amounts that the file does not tell in its own unit, in its order; empty for a record that was made otherwise.
    pub rounded: Vec<Rounded>,
}

/// An amount that was rounded to the unit of its hand when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rounded {
    /// The field it stands in.
    pub field: &'static str,
    /// Which entry of that field, from 1.
    pub entry: usize,
    /// The number as it was written.
    pub written: String,
    /// The number that was kept.
    pub kept: Decimal,
    /// How far apart the two are, in millionths of the unit: 0 where a float's noise was taken off, 500,000 at most.
    pub lost_millionths: u64,
}

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, entry {}: {} was rounded to {}", self.field, self.entry, self.written, self.kept)
    }
}

/// A text that is no hand history, or not one of a game we model. Lines are those of the file, from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhhError {
    /// Not TOML.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// A field is missing (then the line is where the hand begins), or has another type, length or size than it should.
    #[error("line {line}: field {field:?} is missing or malformed")]
    Field {
        /// Where.
        line: usize,
        /// Which.
        field: &'static str,
    },
    /// An entry of `actions`.
    #[error("line {line}: not an action of the games we model: {notation:?}")]
    Action {
        /// Where.
        line: usize,
        /// The entry.
        notation: String,
    },
    /// A game that the engine does not model.
    #[error("line {line}: variant {code:?} is not modelled")]
    Variant {
        /// Where.
        line: usize,
        /// What it says.
        code: String,
    },
    /// No hand at all.
    #[error("no hand in the file")]
    Empty,
}

impl std::str::FromStr for Record {
    type Err = PhhError;

    /// Reads the one hand of a `.phh` file.
    fn from_str(text: &str) -> Result<Record, PhhError> {
        super::parse_all(text)?.into_iter().next().ok_or(PhhError::Empty)?
    }
}

/// See [`Record::rake`].
pub(super) const RAKE_FIELD: &str = "_rake";

impl Record {
    /// How many players.
    pub fn players(&self) -> usize {
        self.starting_stacks.len()
    }

    /// What the house took, in the field `_rake`: the format has none, but lets users define fields with an underscore.
    pub fn rake(&self) -> Option<Decimal> {
        let (_, source) = self.other.iter().find(|(key, _)| key == RAKE_FIELD)?;
        let rake = Written::parse(source)?;
        let alone = [rake];
        Unit::of(alone.iter(), [].iter()).round(&alone[0]).map(|rounding| rounding.kept)
    }

    /// Adds a field with a text.
    pub fn tell(&mut self, field: &str, text: &str) {
        self.other.push((field.to_owned(), quoted(text)));
    }

    /// Adds a field with a list of texts.
    pub fn tell_all(&mut self, field: &str, texts: &[&str]) {
        let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
        self.other.push((field.to_owned(), list(&texts)));
    }

    /// How many digits behind the point the amounts need: all of them in chips are integers of that unit.
    pub fn scale(&self) -> u32 {
        let raises = self.actions.iter().filter_map(|action| match action.what {
            Some(What::BetOrRaiseTo(_, amount)) => Some(amount),
            _ => None,
        });
        let fields = self.antes.iter().chain(&self.blinds_or_straddles).copied();
        let stacks = self.starting_stacks.iter().flatten().copied();
        let all = fields.chain(stacks).chain(raises).chain([self.min_bet]);
        all.map(|amount| amount.trimmed().scale).max().unwrap_or(0)
    }

    /// By how many millionths of a chip play may differ from what happened because amounts were rounded: a bet that is off by
    /// a part of a chip is off by as much again with every player who calls it. 0 if only the noise of floats was taken off.
    pub(super) fn lost_millionths(&self) -> u64 {
        let lost = self.rounded.iter().map(|rounded| match rounded.field {
            "finishing_stacks" | "winnings" => rounded.lost_millionths,
            _ => rounded.lost_millionths * self.players() as u64,
        });
        lost.sum()
    }
}

/// The specification names three of our games; the others are spelled likewise: limit letter, `T` or `O`, cards.
const CODES: [(&str, Variant, Limit); 10] = [
    ("NT", Variant::Holdem, Limit::NoLimit),
    ("PT", Variant::Holdem, Limit::PotLimit),
    ("NS", Variant::ShortDeck, Limit::NoLimit),
    ("PS", Variant::ShortDeck, Limit::PotLimit),
    ("NO", Variant::Omaha, Limit::NoLimit),
    ("PO", Variant::Omaha, Limit::PotLimit),
    ("NO5", Variant::Omaha5, Limit::NoLimit),
    ("PO5", Variant::Omaha5, Limit::PotLimit),
    ("NO6", Variant::Omaha6, Limit::NoLimit),
    ("PO6", Variant::Omaha6, Limit::PotLimit),
];

pub(super) fn game(code: &str) -> Option<(Variant, Limit)> {
    CODES.iter().find(|entry| entry.0 == code).map(|&(_, variant, limit)| (variant, limit))
}

fn code(variant: Variant, limit: Limit) -> &'static str {
    CODES.iter().find(|entry| (entry.1, entry.2) == (variant, limit)).expect("every game has a code").0
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(T::to_string).collect();
    format!("[{}]", items.join(", "))
}

fn stack_list(stacks: &[Option<Decimal>]) -> String {
    let texts: Vec<String> =
        stacks.iter().map(|s| s.map_or_else(|| "inf".to_owned(), |s| s.to_string())).collect();
    list(&texts)
}

/// The file's text.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.name.is_empty() {
            writeln!(f, "[{}]", bare_or_quoted(&self.name))?;
        }
        writeln!(f, "variant = '{}'", code(self.variant, self.limit))?;
        writeln!(f, "ante_trimming_status = {}", self.ante_trimming)?;
        writeln!(f, "antes = {}", list(&self.antes))?;
        writeln!(f, "blinds_or_straddles = {}", list(&self.blinds_or_straddles))?;
        writeln!(f, "min_bet = {}", self.min_bet)?;
        writeln!(f, "starting_stacks = {}", stack_list(&self.starting_stacks))?;
        let actions: Vec<String> = self.actions.iter().map(|action| quoted(&action.to_string())).collect();
        writeln!(f, "actions = {}", list(&actions))?;
        if let Some(stacks) = &self.finishing_stacks {
            writeln!(f, "finishing_stacks = {}", stack_list(stacks))?;
        }
        if let Some(winnings) = &self.winnings {
            writeln!(f, "winnings = {}", list(winnings))?;
        }
        self.other.iter().try_for_each(|(key, source)| writeln!(f, "{} = {source}", bare_or_quoted(key)))
    }
}
