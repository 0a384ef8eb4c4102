//! As much of TOML as poker hand histories use: tables of keys with strings, numbers, booleans, arrays; anything else is
//! kept as it was written. Numbers stay decimal: no value passes through floating point.

use std::fmt;

/// A number as written: `units` divided by ten to the power of `scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// All digits.
    pub units: i64,
    /// How many of them are behind the point; at most [`Decimal::SCALE_MAX`].
    pub scale: u32,
}

impl Decimal {
    /// The most digits behind the point that are kept.
    pub const SCALE_MAX: u32 = 9;

    /// The number in units of ten to the power of minus `scale`; `None` if it has more digits behind the point or does
    /// not fit.
    pub fn in_units(self, scale: u32) -> Option<i64> {
        self.units.checked_mul(10_i64.checked_pow(scale.checked_sub(self.scale)?)?)
    }

    /// The same number without needless zeros behind the point.
    #[must_use]
    pub fn trimmed(mut self) -> Decimal {
        while self.scale > 0 && self.units % 10 == 0 {
            self.units /= 10;
            self.scale -= 1;
        }
        self
    }

    /// Reads an integer or float as TOML writes them.
    pub(super) fn parse(text: &str) -> Option<Decimal> {
        let digits: String = text.chars().filter(|&c| c != '_').collect();
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (digits.as_str(), 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let unsigned = whole.strip_prefix(['-', '+']).unwrap_or(whole);
        if unsigned.is_empty() || !plain(unsigned) || !plain(fraction) {
            return None;
        }
        let units: i64 = format!("{whole}{fraction}").parse().ok()?;
        let places = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        let number = if places < 0 {
            Decimal { units: units.checked_mul(10_i64.checked_pow(places.unsigned_abs())?)?, scale: 0 }
        } else {
            Decimal { units, scale: places.unsigned_abs() }.trimmed()
        };
        (number.scale <= Decimal::SCALE_MAX).then_some(number)
    }
}

impl From<i64> for Decimal {
    fn from(units: i64) -> Decimal {
        Decimal { units, scale: 0 }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return self.units.fmt(f);
        }
        let sign = if self.units < 0 { "-" } else { "" };
        let one = 10_u64.pow(self.scale);
        let (whole, part) = (self.units.unsigned_abs() / one, self.units.unsigned_abs() % one);
        write!(f, "{sign}{whole}.{part:0width$}", width = self.scale as usize)
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A string of any of the four kinds.
    Text(String),
    /// An integer or a float that is a number.
    Number(Decimal),
    /// `inf`.
    Infinite,
    /// `true` or `false`.
    Truth(bool),
    /// An array.
    Array(Vec<Value>),
    /// Times, inline tables and the like, as written.
    Other(String),
}

/// A key, its value, and the text the value was written as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The key.
    pub key: String,
    /// What it says.
    pub value: Value,
    /// How it was written.
    pub source: String,
}

/// The fields under one table header, or before any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The header's text without brackets; empty before any header.
    pub name: String,
    /// The fields in the order written.
    pub fields: Vec<Field>,
}

/// Text that is not the TOML we read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}")]
pub struct TomlError {
    /// The line, from 1.
    pub line: usize,
    /// What should have been there.
    pub expected: &'static str,
}

/// How deep arrays may nest; hand histories use one level.
const DEPTH_MAX: usize = 8;

/// Reads a document: the table before any header if it has fields, then each table.
///
/// # Errors
/// At the first place that is not understood.
pub fn parse(text: &str) -> Result<Vec<Table>, TomlError> {
    // Some editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { text, at: 0 };
    let mut tables = vec![Table::default()];
    loop {
        reader.skip_blank_lines();
        match reader.peek() {
            None => break,
            Some('[') => {
                let line = reader.rest().lines().next().unwrap_or_default();
                let header = line.split('#').next().unwrap_or_default().trim();
                let name = header.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
                let name = name.ok_or_else(|| reader.error("a closing bracket of a table header"))?;
                tables.push(Table { name: name.trim().to_owned(), fields: Vec::new() });
                reader.at += line.len();
            }
            Some(_) => {
                let field = reader.field()?;
                tables.last_mut().expect("there is one from the start").fields.push(field);
            }
        }
    }
    tables.retain(|table| !table.name.is_empty() || !table.fields.is_empty());
    Ok(tables)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn error(&self, expected: &'static str) -> TomlError {
        TomlError { line: self.text[..self.at].matches('\n').count() + 1, expected }
    }

    fn skip_spaces(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
    }

    fn skip_comment(&mut self) {
        if self.peek() == Some('#') {
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    fn skip_blank_lines(&mut self) {
        loop {
            let before = self.at;
            while self.peek().is_some_and(char::is_whitespace) {
                self.next();
            }
            self.skip_comment();
            if self.at == before {
                return;
            }
        }
    }

    fn field(&mut self) -> Result<Field, TomlError> {
        let key = match self.peek() {
            Some('"' | '\'') => match self.value(0)? {
                Value::Text(key) => key,
                _ => return Err(self.error("a key")),
            },
            _ => {
                let end = self.rest().find(['=', '\n', '#']).unwrap_or(self.rest().len());
                let key = self.rest()[..end].trim().to_owned();
                self.at += end;
                key
            }
        };
        if key.is_empty() {
            return Err(self.error("a key"));
        }
        self.skip_spaces();
        if !self.eat("=") {
            return Err(self.error("an equals sign after the key"));
        }
        self.skip_spaces();
        let start = self.at;
        let value = self.value(0)?;
        let source = self.text[start..self.at].trim_end().to_owned();
        self.skip_spaces();
        self.skip_comment();
        match self.peek() {
            None | Some('\n' | '\r') => Ok(Field { key, value, source }),
            Some(_) => Err(self.error("the end of the line")),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, TomlError> {
        if depth > DEPTH_MAX {
            return Err(self.error("fewer nested arrays"));
        }
        for (quote, escapes) in [("\"\"\"", true), ("'''", false)] {
            if self.eat(quote) {
                self.eat("\r");
                self.eat("\n");
                return self.string(quote, escapes);
            }
        }
        match self.peek() {
            Some('"') => {
                self.next();
                self.string("\"", true)
            }
            Some('\'') => {
                self.next();
                self.string("'", false)
            }
            Some('[') => self.array(depth),
            Some('{') => self.inline_table(),
            Some(_) => self.scalar(),
            None => Err(self.error("a value")),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, TomlError> {
        self.next();
        let mut items = Vec::new();
        loop {
            self.skip_blank_lines();
            if self.eat("]") {
                return Ok(Value::Array(items));
            }
            items.push(self.value(depth + 1)?);
            self.skip_blank_lines();
            if !self.eat(",") && self.peek() != Some(']') {
                return Err(self.error("a comma or the end of the array"));
            }
        }
    }

    /// Kept as written, up to the brace that closes it on the same line.
    fn inline_table(&mut self) -> Result<Value, TomlError> {
        let line = self.rest().lines().next().unwrap_or_default();
        let end = line.rfind('}').ok_or_else(|| self.error("the end of the inline table"))?;
        self.at += end + 1;
        Ok(Value::Other(line[..=end].to_owned()))
    }

    fn string(&mut self, quote: &str, escapes: bool) -> Result<Value, TomlError> {
        let mut text = String::new();
        loop {
            if self.eat(quote) {
                return Ok(Value::Text(text));
            }
            match self.next() {
                None => return Err(self.error("the end of the string")),
                Some('\n') if quote.len() == 1 => return Err(self.error("the end of the string")),
                Some('\\') if escapes => text.extend(self.escape()?),
                Some(other) => text.push(other),
            }
        }
    }

    fn escape(&mut self) -> Result<Option<char>, TomlError> {
        let escaped = match self.next() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some(same @ ('"' | '\\')) => same,
            Some('\n') => {
                while self.peek().is_some_and(char::is_whitespace) {
                    self.next();
                }
                return Ok(None);
            }
            Some(kind @ ('u' | 'U')) => {
                let digits = if kind == 'u' { 4 } else { 8 };
                let code = self.rest().get(..digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
                let escaped = code.and_then(char::from_u32).ok_or_else(|| self.error("a character code"))?;
                self.at += digits;
                escaped
            }
            _ => return Err(self.error("a known escape")),
        };
        Ok(Some(escaped))
    }

    fn scalar(&mut self) -> Result<Value, TomlError> {
        let end = self.rest().find([',', ']', '\n', '\r', '#', '}']).unwrap_or(self.rest().len());
        let word = self.rest()[..end].trim();
        if word.is_empty() {
            return Err(self.error("a value"));
        }
        self.at += end;
        Ok(match word {
            "true" => Value::Truth(true),
            "false" => Value::Truth(false),
            "inf" | "+inf" => Value::Infinite,
            number => Decimal::parse(number).map_or_else(|| Value::Other(word.to_owned()), Value::Number),
        })
    }
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
