//! A hand history file as fields: parsed, checked for shape, rendered.

use std::fmt;

use super::notation::{NotAnAction, Notation};
use super::toml::{self, Decimal, Field, Table, TomlError, Value, quoted};
use crate::seat::SEATS_MAX;
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
}

/// A text that is no hand history, or not one of a game we model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhhError {
    /// Not TOML.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// A field is missing or has another type or length than it should.
    #[error("field {0:?} is missing or malformed")]
    Field(&'static str),
    /// An entry of `actions`.
    #[error(transparent)]
    Action(#[from] NotAnAction),
    /// A game that the engine does not model.
    #[error("variant {0:?} is not modelled")]
    Variant(String),
    /// No hand at all.
    #[error("no hand in the file")]
    Empty,
}

/// Reads all hands of a file. Tables whose name begins with an underscore are their author's own and no hands.
///
/// # Errors
/// For each hand by itself; for the whole file if it is not TOML.
pub fn parse_all(text: &str) -> Result<Vec<Result<Record, PhhError>>, PhhError> {
    let mut tables = toml::parse(text)?;
    let own = |table: &Table| table.name.rsplit('.').next().is_some_and(|name| name.starts_with('_'));
    tables.retain(|table| !own(table));
    if tables.is_empty() {
        return Err(PhhError::Empty);
    }
    Ok(tables.into_iter().map(Record::from_table).collect())
}

impl std::str::FromStr for Record {
    type Err = PhhError;

    /// Reads the one hand of a `.phh` file.
    fn from_str(text: &str) -> Result<Record, PhhError> {
        parse_all(text)?.into_iter().next().ok_or(PhhError::Empty)?
    }
}

/// The fields that [`Record`] holds by name; the rest are kept as text.
const MODELLED: [&str; 9] = [
    "variant",
    "ante_trimming_status",
    "antes",
    "blinds_or_straddles",
    "min_bet",
    "starting_stacks",
    "actions",
    "finishing_stacks",
    "winnings",
];

/// See [`Record::rake`].
pub(super) const RAKE_FIELD: &str = "_rake";

impl Record {
    fn from_table(table: Table) -> Result<Record, PhhError> {
        let get = |key: &'static str| table.fields.iter().find(|f| f.key == key).map(|f| &f.value);
        let Some(Value::Text(code)) = get("variant") else { return Err(PhhError::Field("variant")) };
        let (variant, limit) = game(code).ok_or_else(|| PhhError::Variant(code.clone()))?;
        let ante_trimming = match get("ante_trimming_status") {
            None => false,
            Some(Value::Truth(truth)) => *truth,
            Some(_) => return Err(PhhError::Field("ante_trimming_status")),
        };
        let starting_stacks = stacks(get("starting_stacks"), "starting_stacks")?;
        let count = starting_stacks.len();
        if !(2..=SEATS_MAX).contains(&count) {
            return Err(PhhError::Field("starting_stacks"));
        }
        let of_all = |key: &'static str| {
            let numbers = numbers(get(key), key)?;
            if numbers.len() == count { Ok(numbers) } else { Err(PhhError::Field(key)) }
        };
        let Some(&Value::Number(min_bet)) = get("min_bet") else { return Err(PhhError::Field("min_bet")) };
        let Some(Value::Array(actions)) = get("actions") else { return Err(PhhError::Field("actions")) };
        let actions = actions.iter().map(|action| match action {
            Value::Text(text) => Ok(text.parse()?),
            _ => Err(PhhError::Field("actions")),
        });
        let finishing_stacks = match get("finishing_stacks") {
            None => None,
            some => Some(stacks(some, "finishing_stacks")?),
        };
        let winnings = get("winnings").map(|_| of_all("winnings")).transpose()?;
        let other = |field: &Field| !MODELLED.contains(&field.key.as_str());
        Ok(Record {
            variant,
            limit,
            ante_trimming,
            antes: of_all("antes")?,
            blinds_or_straddles: of_all("blinds_or_straddles")?,
            min_bet,
            actions: actions.collect::<Result<_, _>>()?,
            finishing_stacks: finishing_stacks.filter(|stacks| stacks.len() == count),
            winnings,
            other: table
                .fields
                .iter()
                .filter(|f| other(f))
                .map(|f| (f.key.clone(), f.source.clone()))
                .collect(),
            name: table.name,
            starting_stacks,
        })
    }

    /// How many players.
    pub fn players(&self) -> usize {
        self.starting_stacks.len()
    }

    /// What the house took, in the field `_rake`: the format has none, but lets users define fields with an underscore.
    pub fn rake(&self) -> Option<Decimal> {
        let (_, source) = self.other.iter().find(|(key, _)| key == RAKE_FIELD)?;
        Decimal::parse(source)
    }

    /// How many digits behind the point the amounts need: all of them in chips are integers of that unit.
    pub fn scale(&self) -> u32 {
        let raises = self.actions.iter().filter_map(|action| match action.what {
            Some(super::notation::What::BetOrRaiseTo(_, amount)) => Some(amount),
            _ => None,
        });
        let fields = self.antes.iter().chain(&self.blinds_or_straddles).copied();
        let stacks = self.starting_stacks.iter().flatten().copied();
        let all = fields.chain(stacks).chain(raises).chain([self.min_bet]);
        all.map(|amount| amount.trimmed().scale).max().unwrap_or(0)
    }
}

fn numbers(value: Option<&Value>, key: &'static str) -> Result<Vec<Decimal>, PhhError> {
    let Some(Value::Array(items)) = value else { return Err(PhhError::Field(key)) };
    items
        .iter()
        .map(|item| match item {
            Value::Number(number) => Ok(*number),
            _ => Err(PhhError::Field(key)),
        })
        .collect()
}

fn stacks(value: Option<&Value>, key: &'static str) -> Result<Vec<Option<Decimal>>, PhhError> {
    let Some(Value::Array(items)) = value else { return Err(PhhError::Field(key)) };
    items
        .iter()
        .map(|item| match item {
            Value::Number(number) => Ok(Some(*number)),
            Value::Infinite => Ok(None),
            _ => Err(PhhError::Field(key)),
        })
        .collect()
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

fn game(code: &str) -> Option<(Variant, Limit)> {
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
            writeln!(f, "[{}]", self.name)?;
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
        let bare = |key: &str| key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        self.other.iter().try_for_each(|(key, source)| {
            let key = if bare(key) { key.clone() } else { quoted(key) };
            writeln!(f, "{key} = {source}")
        })
    }
}
