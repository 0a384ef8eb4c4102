//! The port to the database: a statement with its values goes in, rows come out.

use std::fmt;

use crate::tape::Entry;

/// A transaction that is open. Whoever has one neither begins nor ends it.
pub trait Tx {
    /// Runs one statement. Parameters are `$1`, `$2` and so on; a statement that changes something tells what by `RETURNING`.
    ///
    /// # Errors
    /// [`DbError`]; the transaction is then good for nothing but being rolled back.
    fn run(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, DbError>;

    /// What goes on the tape with this transaction, where there is one: what the ledger decides is added to it.
    fn taped(&mut self) -> Option<&mut Vec<Entry>> {
        None
    }
}

/// What databases hold, here: both kinds hold these alike.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// `BIGINT`.
    Int(i64),
    /// `TEXT`.
    Text(String),
    /// `BYTEA`, `BLOB`.
    Bytes(Vec<u8>),
}

/// Never what it holds: that may be a password's hash.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Int(_) => f.write_str("Int"),
            Self::Text(text) => write!(f, "Text of {} bytes", text.len()),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}

/// Times and counters. What does not fit stands for "never" or "as many as there can be", and stays that.
impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row of an answer, by the order of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(pub Vec<Value>);

/// Every reader says what it expects: a column of another kind means that the statement and the schema do not fit.
impl Row {
    /// A number.
    ///
    /// # Errors
    /// [`DbError::Broken`] when it is something else.
    pub fn int(&self, column: usize) -> Result<i64, DbError> {
        match self.0.get(column) {
            Some(Value::Int(value)) => Ok(*value),
            other => Err(unexpected("a number", column, other)),
        }
    }

    /// A time or counter, which is never below 0.
    ///
    /// # Errors
    /// [`DbError::Broken`] when it is something else.
    pub fn count(&self, column: usize) -> Result<u64, DbError> {
        u64::try_from(self.int(column)?).map_err(|_| DbError::Broken("a count is below 0".into()))
    }

    /// A time, or nothing.
    ///
    /// # Errors
    /// [`DbError::Broken`] when it is something else.
    pub fn maybe_count(&self, column: usize) -> Result<Option<u64>, DbError> {
        self.unless_null(column, Self::count)
    }

    /// A text.
    ///
    /// # Errors
    /// [`DbError::Broken`] when it is something else.
    pub fn text(&self, column: usize) -> Result<&str, DbError> {
        match self.0.get(column) {
            Some(Value::Text(value)) => Ok(value),
            other => Err(unexpected("a text", column, other)),
        }
    }

    /// A text, or nothing.
    ///
    /// # Errors
    /// [`DbError::Broken`] when it is something else.
    pub fn maybe_text(&self, column: usize) -> Result<Option<String>, DbError> {
        self.unless_null(column, |row, column| row.text(column).map(str::to_owned))
    }

    /// Bytes.
    ///
    /// # Errors
    /// [`DbError::Broken`] when it is something else.
    pub fn bytes(&self, column: usize) -> Result<&[u8], DbError> {
        match self.0.get(column) {
            Some(Value::Bytes(value)) => Ok(value),
            other => Err(unexpected("bytes", column, other)),
        }
    }

    /// Bytes, or nothing.
    ///
    /// # Errors
    /// [`DbError::Broken`] when it is something else.
    pub fn maybe_bytes(&self, column: usize) -> Result<Option<&[u8]>, DbError> {
        self.unless_null(column, Self::bytes)
    }

    fn unless_null<'a, T>(
        &'a self,
        column: usize,
        read: impl FnOnce(&'a Self, usize) -> Result<T, DbError>,
    ) -> Result<Option<T>, DbError> {
        if self.0.get(column) == Some(&Value::Null) { Ok(None) } else { read(self, column).map(Some) }
    }
}

fn unexpected(what: &str, column: usize, found: Option<&Value>) -> DbError {
    DbError::Broken(format!("column {column} is not {what} but {found:?}"))
}

/// Whether all databases keep these: the same is refused by each.
pub(crate) fn fit(values: &[Value]) -> Result<(), DbError> {
    let holds_zero = |value: &Value| matches!(value, Value::Text(text) if text.contains('\0'));
    if values.iter().any(holds_zero) { Err(DbError::Unfit) } else { Ok(()) }
}

/// Why the database did not do it. No text in it holds a value: it may be told in a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// Another row has this already; names the table's columns that hold it.
    #[error("there is one already: {0}")]
    Unique(String),
    /// A constraint or a trigger does not allow it.
    #[error("the database does not allow it: {0}")]
    Refused(String),
    /// A text holds a character that not all databases keep, as people never type it: U+0000.
    #[error("a text holds the character U+0000")]
    Unfit,
    /// Two transactions stood in each other's way. Done again, it may work.
    #[error("another transaction stood in the way")]
    Again,
    /// The database cannot be reached, or not in time. What was asked may have been done.
    #[error("the database is away: {0}")]
    Away(String),
    /// More waits than may wait.
    #[error("too much waits for the database")]
    Busy,
    /// The statement does not fit the schema, or a job panicked: a mistake of the program.
    #[error("{0}")]
    Broken(String),
}
