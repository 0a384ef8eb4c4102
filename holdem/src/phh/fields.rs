//! Makes a record of a hand's TOML table.

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::decimal::{Decimal, Rounding, Unit, Written};
use super::document::Source;
use super::notation::Notation;
use super::record::{PhhError, Record, Rounded, game};
use crate::seat::SEATS_MAX;

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

/// A hand's table as it stands in a file.
#[derive(Clone, Copy)]
struct Fields<'a, 't> {
    table: &'a DeTable<'t>,
    source: Source<'a>,
    /// Where the table begins.
    at: usize,
}

/// An amount before the hand's unit is known; `None` is unknown (`inf`).
struct Amount<'a> {
    number: Option<Written>,
    written: &'a str,
    at: usize,
}

impl Record {
    /// The record that the table tells of a hand of that name, which begins at `at`.
    pub(super) fn read(
        name: String,
        table: &DeTable<'_>,
        source: Source<'_>,
        at: usize,
    ) -> Result<Record, PhhError> {
        let fields = Fields { table, source, at };
        let (code, at) = match fields.get("variant").map(|value| (value.get_ref(), value.span().start)) {
            Some((DeValue::String(code), at)) => (code, at),
            _ => return Err(fields.malformed("variant")),
        };
        let (variant, limit) = game(code)
            .ok_or_else(|| PhhError::Variant { line: source.line(at), code: code.clone().into_owned() })?;
        let ante_trimming = match fields.get("ante_trimming_status").map(Spanned::get_ref) {
            None => false,
            Some(DeValue::Boolean(truth)) => *truth,
            Some(_) => return Err(fields.malformed("ante_trimming_status")),
        };
        let starting_stacks = fields.amounts("starting_stacks")?;
        let count = starting_stacks.len();
        if !(2..=SEATS_MAX).contains(&count) {
            return Err(fields.malformed("starting_stacks"));
        }
        let antes = fields.known_amounts("antes", count)?;
        let blinds_or_straddles = fields.known_amounts("blinds_or_straddles", count)?;
        let min_bet = fields.get("min_bet").and_then(|value| amount(value, source));
        let min_bet =
            min_bet.filter(|bet| bet.number.is_some()).ok_or_else(|| fields.malformed("min_bet"))?;
        let actions = fields.actions()?;
        let finishing_stacks = fields.optional("finishing_stacks", || fields.amounts("finishing_stacks"))?;
        let finishing_stacks = finishing_stacks.filter(|stacks| stacks.len() == count);
        let winnings = fields.optional("winnings", || fields.known_amounts("winnings", count))?;

        let forced = antes.iter().chain(&blinds_or_straddles).chain([&min_bet]);
        let raises = actions.iter().filter_map(|action| action.raise.as_ref());
        let others = starting_stacks.iter().filter_map(|stack| stack.number.as_ref()).chain(raises);
        let unit = Unit::of(forced.filter_map(|amount| amount.number.as_ref()), others);
        let mut keeper = Keeper { fields, unit, rounded: Vec::new() };
        Ok(Record {
            name,
            variant,
            limit,
            ante_trimming,
            antes: keeper.keep_known("antes", &antes)?,
            blinds_or_straddles: keeper.keep_known("blinds_or_straddles", &blinds_or_straddles)?,
            min_bet: keeper.keep_known("min_bet", &[min_bet])?[0],
            starting_stacks: keeper.keep("starting_stacks", &starting_stacks)?,
            actions: keeper.keep_actions(&actions)?,
            finishing_stacks: finishing_stacks.map(|f| keeper.keep("finishing_stacks", &f)).transpose()?,
            winnings: winnings.map(|winnings| keeper.keep_known("winnings", &winnings)).transpose()?,
            other: fields.other(),
            rounded: keeper.rounded,
        })
    }
}

impl<'a, 't> Fields<'a, 't> {
    fn get(self, field: &str) -> Option<&'a Spanned<DeValue<'t>>> {
        self.table.get(field)
    }

    fn malformed(self, field: &'static str) -> PhhError {
        let at = self.get(field).map_or(self.at, |value| value.span().start);
        PhhError::Field { line: self.source.line(at), field }
    }

    fn array(self, field: &'static str) -> Result<&'a DeArray<'t>, PhhError> {
        match self.get(field).map(Spanned::get_ref) {
            Some(DeValue::Array(items)) => Ok(items),
            _ => Err(self.malformed(field)),
        }
    }

    fn amounts(self, field: &'static str) -> Result<Vec<Amount<'a>>, PhhError> {
        let bad = |item: &Spanned<DeValue<'_>>| PhhError::Field {
            line: self.source.line(item.span().start),
            field,
        };
        self.array(field)?.iter().map(|item| amount(item, self.source).ok_or_else(|| bad(item))).collect()
    }

    /// One amount for each player, none unknown.
    fn known_amounts(self, field: &'static str, count: usize) -> Result<Vec<Amount<'a>>, PhhError> {
        let amounts = self.amounts(field)?;
        if let Some(unknown) = amounts.iter().find(|amount| amount.number.is_none()) {
            return Err(PhhError::Field { line: self.source.line(unknown.at), field });
        }
        if amounts.len() == count { Ok(amounts) } else { Err(self.malformed(field)) }
    }

    fn optional<T>(
        self,
        field: &str,
        read: impl FnOnce() -> Result<T, PhhError>,
    ) -> Result<Option<T>, PhhError> {
        self.get(field).map(|_| read()).transpose()
    }

    fn actions(self) -> Result<Vec<Entry<'a>>, PhhError> {
        let entry = |item: &'a Spanned<DeValue<'t>>| match item.get_ref() {
            DeValue::String(text) => {
                Ok(Entry { text, at: item.span().start, raise: Notation::written_amount(text) })
            }
            _ => Err(PhhError::Field { line: self.source.line(item.span().start), field: "actions" }),
        };
        self.array("actions")?.iter().map(entry).collect()
    }

    /// What is not modelled, in the order written.
    fn other(self) -> Vec<(String, String)> {
        let kept = |value: &Spanned<DeValue<'_>>| !self.source.is_hand(value);
        let mut other: Vec<_> = self.table.iter().filter(|(_, value)| kept(value)).collect();
        other.retain(|(key, _)| !MODELLED.contains(&key.get_ref().as_ref()));
        other.sort_by_key(|(key, _)| key.span().start);
        other
            .into_iter()
            .map(|(key, value)| (key.get_ref().to_string(), self.source.as_value(value)))
            .collect()
    }
}

/// An entry of `actions`, and the amount in it.
struct Entry<'a> {
    text: &'a str,
    at: usize,
    raise: Option<Written>,
}

/// A number or `inf`.
fn amount<'a>(value: &Spanned<DeValue<'_>>, source: Source<'a>) -> Option<Amount<'a>> {
    let number = match value.get_ref() {
        DeValue::Integer(integer) if integer.radix() == 10 => Some(Written::parse(integer.as_str())?),
        DeValue::Integer(integer) => {
            let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok()?;
            Some(Written::parse(&number.to_string())?)
        }
        DeValue::Float(float) => match float.as_str() {
            "inf" | "+inf" => None,
            number => Some(Written::parse(number)?),
        },
        _ => return None,
    };
    Some(Amount { number, written: source.slice(value.span()), at: value.span().start })
}

/// Rounds amounts to the hand's unit and takes note of it.
struct Keeper<'a, 't> {
    fields: Fields<'a, 't>,
    unit: Unit,
    rounded: Vec<Rounded>,
}

impl Keeper<'_, '_> {
    fn keep(
        &mut self,
        field: &'static str,
        amounts: &[Amount<'_>],
    ) -> Result<Vec<Option<Decimal>>, PhhError> {
        let share = matches!(field, "finishing_stacks" | "winnings");
        let keep = |(amount, entry): (&Amount<'_>, usize)| {
            let Some(number) = &amount.number else { return Ok(None) };
            let rounding = if share { self.unit.round_share(number) } else { self.unit.round(number) };
            let too_large = || PhhError::Field { line: self.fields.source.line(amount.at), field };
            let rounding = rounding.ok_or_else(too_large)?;
            self.note(field, entry, amount.written, rounding);
            Ok(Some(rounding.kept))
        };
        amounts.iter().zip(1..).map(keep).collect()
    }

    fn keep_known(&mut self, field: &'static str, amounts: &[Amount<'_>]) -> Result<Vec<Decimal>, PhhError> {
        Ok(self.keep(field, amounts)?.into_iter().flatten().collect())
    }

    fn keep_actions(&mut self, actions: &[Entry<'_>]) -> Result<Vec<Notation>, PhhError> {
        let keep = |(action, entry): (&Entry<'_>, usize)| {
            let rounding = action.raise.as_ref().and_then(|raise| self.unit.round(raise));
            if let Some(rounding) = rounding {
                self.note("actions", entry, action.text, rounding);
            }
            Notation::read(action.text, |_| rounding.map(|rounding| rounding.kept))
                .map_err(|not| PhhError::Action { line: self.fields.source.line(action.at), notation: not.0 })
        };
        actions.iter().zip(1..).map(keep).collect()
    }

    fn note(&mut self, field: &'static str, entry: usize, written: &str, rounding: Rounding) {
        let Rounding { kept, exact, lost_millionths } = rounding;
        if !exact {
            let written = written.to_owned();
            self.rounded.push(Rounded { field, entry, written, kept, lost_millionths });
        }
    }
}
