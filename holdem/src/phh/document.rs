//! The hands in a file's TOML: where each one stands, and what is told of them as it was written.
//!
//! A file is one TOML document. If it is none, because of a mistake in one hand, it is taken apart at its table headers and
//! each hand is read by itself, so that the others are not lost.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::record::{PhhError, Record};

/// Text that is not TOML, or a name that is used twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct TomlError {
    /// The line in the file, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl TomlError {
    /// The longest piece of a file that an error repeats.
    const QUOTE_BYTES_MAX: usize = 40;
}

/// A file, or the part of one from a table header on.
#[derive(Clone, Copy)]
pub(super) struct Source<'t> {
    text: &'t str,
    first_line: usize,
}

/// Fields by which a table is known as a hand.
const OF_A_HAND: [&str; 4] = ["variant", "starting_stacks", "actions", "blinds_or_straddles"];

/// Reads all hands of a file, in its order. Tables whose name begins with an underscore are their author's own and no hands.
///
/// # Errors
/// For each hand by itself; for the whole file if there is none in it, or if it is not TOML and has no headers to tell the
/// hands apart by.
pub fn parse_all(text: &str) -> Result<Vec<Result<Record, PhhError>>, PhhError> {
    // Some editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = Source { text, first_line: 1 };
    let mut hands = Hands::default();
    match source.parse() {
        Ok(table) => hands.read_file(source, &table),
        Err(error) => {
            let parts = source.parts();
            if let [_] = parts.as_slice() {
                return Err(error.into());
            }
            parts.into_iter().for_each(|part| hands.read_part(part));
        }
    }
    if hands.found.is_empty() { Err(PhhError::Empty) } else { Ok(hands.found) }
}

impl<'t> Source<'t> {
    /// The line in the file of a place in this text.
    pub(super) fn line(self, at: usize) -> usize {
        self.first_line + self.text.bytes().take(at).filter(|&byte| byte == b'\n').count()
    }

    /// The document, or the first of the mistakes in it.
    fn parse(self) -> Result<DeTable<'t>, TomlError> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        let place = |error: &toml::de::Error| error.span().unwrap_or_default();
        let Some(first) = errors.into_iter().min_by_key(|error| place(error).start) else {
            return Ok(table.into_inner());
        };
        // A mistake may be in the middle of a character.
        let (line, at) = (self.line(place(&first).start), self.text.get(place(&first)).unwrap_or_default());
        let told = !at.is_empty() && at.len() <= TomlError::QUOTE_BYTES_MAX && !at.contains('\n');
        let what = if told { format!("{}: {at}", first.message()) } else { first.message().to_owned() };
        Err(TomlError { line, what })
    }

    pub(super) fn slice(self, span: Range<usize>) -> &'t str {
        &self.text[span]
    }

    /// Whether a table was written as a value, in braces.
    fn is_inline(self, value: &Spanned<DeValue<'_>>) -> bool {
        self.slice(value.span()).starts_with('{')
    }

    /// A value as it was written; tables with headers of their own as inline ones.
    pub(super) fn as_value(self, value: &Spanned<DeValue<'_>>) -> String {
        let mut written = String::new();
        match value.get_ref() {
            DeValue::Table(table) if !self.is_inline(value) => self.write_inline(table, &mut written),
            DeValue::Array(items)
                if items.iter().any(|item| item.get_ref().is_table() && !self.is_inline(item)) =>
            {
                let items: Vec<String> = items.iter().map(|item| self.as_value(item)).collect();
                let _ = write!(written, "[{}]", items.join(", "));
            }
            _ => written.push_str(self.slice(value.span())),
        }
        written
    }

    fn write_inline(self, table: &DeTable<'_>, written: &mut String) {
        let mut fields: Vec<_> = table.iter().collect();
        fields.sort_by_key(|(key, _)| key.span().start);
        let field = |(key, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
            format!("{} = {}", bare_or_quoted(key.get_ref()), self.as_value(value))
        };
        let fields: Vec<String> = fields.into_iter().map(field).collect();
        let _ = write!(written, "{{ {} }}", fields.join(", "));
    }

    /// Whether a value in a hand's table is a hand of its own.
    pub(super) fn is_hand(self, value: &Spanned<DeValue<'_>>) -> bool {
        value.get_ref().as_table().is_some_and(is_hand) && !self.is_inline(value)
    }

    /// The text before any header, if there is some, and the text from each header that does not belong to the hand before.
    fn parts(self) -> Vec<Source<'t>> {
        let mut parts = vec![self];
        let mut path: Option<Vec<String>> = None;
        let (mut at, mut part_at) = (0, 0);
        for (number, line) in self.text.split_inclusive('\n').enumerate() {
            if let Some(header) = header(line) {
                let below =
                    path.as_ref().is_some_and(|path| header.len() > path.len() && header.starts_with(path));
                if !(below && has_fields(&self.text[part_at..at])) {
                    let before = parts.pop().expect("there is one from the start");
                    parts.push(Source { text: &self.text[part_at..at], ..before });
                    parts.push(Source { text: &self.text[at..], first_line: self.first_line + number });
                    (path, part_at) = (Some(header), at);
                }
            }
            at += line.len();
        }
        parts.retain(|part| !part.text.trim().is_empty());
        parts
    }
}

fn is_hand(table: &DeTable<'_>) -> bool {
    OF_A_HAND.iter().any(|&key| table.contains_key(key))
}

/// Whether anything stands below the header that a text begins with.
fn has_fields(text: &str) -> bool {
    let mut below = text.lines().skip(1).map(str::trim_start);
    below.any(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The path that a line names if it is a table header.
fn header(line: &str) -> Option<Vec<String>> {
    if !line.trim_start().starts_with('[') {
        return None;
    }
    let table = DeTable::parse(line).ok()?.into_inner();
    let (mut path, mut table) = (Vec::new(), &table);
    while let Some((key, value)) = table.iter().next() {
        path.push(key.get_ref().to_string());
        table = match value.get_ref() {
            DeValue::Table(inner) => inner,
            DeValue::Array(items) => items.first()?.get_ref().as_table()?,
            _ => return None,
        };
    }
    Some(path)
}

/// The hands found so far.
#[derive(Default)]
struct Hands {
    found: Vec<Result<Record, PhhError>>,
    /// The lines of the hands read in parts, to tell names that are used twice.
    lines: BTreeMap<String, usize>,
    /// How many tables of each array of tables were read.
    counts: BTreeMap<String, usize>,
}

/// A table that should be a hand, and where it begins.
struct Candidate<'a, 't> {
    name: String,
    at: usize,
    table: &'a DeTable<'t>,
}

impl Hands {
    fn read_file(&mut self, source: Source<'_>, table: &DeTable<'_>) {
        for candidate in self.candidates(source, table) {
            self.found.push(Record::read(candidate.name, candidate.table, source, candidate.at));
        }
    }

    fn read_part(&mut self, part: Source<'_>) {
        let table = match part.parse() {
            Ok(table) => table,
            Err(error) => return self.found.push(Err(error.into())),
        };
        for candidate in self.candidates(part, &table) {
            let line = part.line(candidate.at);
            if let Some(first) = self.lines.get(&candidate.name) {
                let what = format!("a hand of this name is on line {first} already");
                self.found.push(Err(TomlError { line, what }.into()));
                continue;
            }
            self.lines.insert(candidate.name.clone(), line);
            self.found.push(Record::read(candidate.name, candidate.table, part, candidate.at));
        }
    }

    fn candidates<'a, 't>(&mut self, source: Source<'_>, table: &'a DeTable<'t>) -> Vec<Candidate<'a, 't>> {
        let mut candidates = Vec::new();
        self.collect(source, Candidate { name: String::new(), at: 0, table }, &mut candidates);
        candidates.sort_by_key(|candidate| candidate.at);
        candidates
    }

    /// Tables that are hands, below `parent` and `parent` itself. What is told for the whole file, before the hands, is none.
    fn collect<'a, 't>(
        &mut self,
        source: Source<'_>,
        parent: Candidate<'a, 't>,
        candidates: &mut Vec<Candidate<'a, 't>>,
    ) {
        let parent_is_hand = is_hand(parent.table);
        let own = |key: &str| key.starts_with('_');
        let mut is_folder = false;
        for (key, value) in parent.table.iter().filter(|(key, _)| !own(key.get_ref())) {
            let name = match parent.name.as_str() {
                "" => key.get_ref().to_string(),
                above => format!("{above}.{}", key.get_ref()),
            };
            match value.get_ref() {
                DeValue::Table(table) if !source.is_inline(value) && (!parent_is_hand || is_hand(table)) => {
                    is_folder = true;
                    self.collect(source, Candidate { name, at: value.span().start, table }, candidates);
                }
                DeValue::Array(items) if !parent_is_hand => {
                    for item in items.iter().filter(|item| !source.is_inline(item)) {
                        let DeValue::Table(table) = item.get_ref() else { continue };
                        is_folder = true;
                        let count = self.counts.entry(name.clone()).or_default();
                        *count += 1;
                        let name = format!("{name}.{count}");
                        self.collect(source, Candidate { name, at: item.span().start, table }, candidates);
                    }
                }
                _ => {}
            }
        }
        let of_the_file = parent.name.is_empty() && parent.table.keys().all(|key| own(key.get_ref()));
        if parent_is_hand || (!is_folder && !of_the_file) {
            candidates.push(parent);
        }
    }
}

/// A key or a header as TOML allows it.
pub(super) fn bare_or_quoted(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare { key.to_owned() } else { quoted(key) }
}

/// Text as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    if !text.contains('\'') && !text.chars().any(char::is_control) {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
