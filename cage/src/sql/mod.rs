//! The adapters: SQLite, in memory or in a file, and PostgreSQL.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::{fmt, path::PathBuf, str::FromStr};

use crate::tx::{DbError, Tx};

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// SQLite in memory: gone with the process.
    Memory,
    /// SQLite in a file, which belongs to one process.
    File(PathBuf),
    /// The same file while another process may have it open: for a command that does one thing and ends.
    FileBeside(PathBuf),
    /// PostgreSQL: a URL, which may hold a password.
    Postgres(String),
}

/// Never the password that stands in a URL.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::File(path) | Self::FileBeside(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
                let rest = rest.split('?').next().unwrap_or_default();
                write!(f, "{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
            }
        }
    }
}

impl FromStr for Place {
    type Err = String;

    /// A URL that begins with `postgres://` or `postgresql://`; everything else is a file's path.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => match text.parse::<::postgres::Config>() {
                Ok(_) => Ok(Self::Postgres(text.into())),
                // Not what the library says: it may repeat a part of the password.
                Err(_) => {
                    Err("this is not a URL of PostgreSQL, such as postgres://USER@HOST/DATABASE".into())
                }
            },
            Some(_) => Err("it is a file's path or begins with postgres://".into()),
            None if text.is_empty() => Err("it is empty".into()),
            None => Ok(Self::File(text.into())),
        }
    }
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{0} belongs to another process that is running: SQLite is for one. Several share PostgreSQL")]
    Taken(PathBuf),
    /// A file or folder cannot be made or read.
    #[error("cannot open {0}: {1}")]
    File(PathBuf, String),
    /// The database does not answer, or does not let us in.
    #[error("cannot open the database {0}: {1}")]
    Database(Place, String),
    /// The schema could not be brought up to date.
    #[error("cannot bring the schema of {0} up to date: {1}")]
    Schema(Place, String),
    /// The system gives no threads.
    #[error("cannot start a thread: {0}")]
    Threads(String),
}

/// A connection on which one teller works.
pub(crate) trait Session: Send {
    /// Begins a transaction, connecting anew if that is needed.
    fn begin(&mut self) -> Result<(), DbError>;

    /// Runs statements without values or answers.
    fn batch(&mut self, sql: &'static str) -> Result<(), DbError>;

    /// Says this word in the open transaction, and returns when no earlier one that said it is open any more: one whose connection was lost may
    /// still be committed for a moment.
    fn watchword(&mut self, word: i64) -> Result<(), DbError>;

    /// The open transaction.
    fn tx(&mut self) -> &mut dyn Tx;

    /// After an error of the connection: whatever is open ends, and the next [`begin`](Self::begin) starts clean.
    fn give_up(&mut self);
}

/// What tellers work on.
pub(crate) struct Sessions {
    pub(crate) writers: Vec<Box<dyn Session>>,
    pub(crate) readers: Vec<Box<dyn Session>>,
}

impl Place {
    /// Opens all connections; the schema is up to date.
    pub(crate) fn open(&self) -> Result<Sessions, OpenError> {
        match self {
            Self::Memory => sqlite::in_memory(self),
            Self::File(path) => sqlite::in_file(self, path, true),
            Self::FileBeside(path) => sqlite::in_file(self, path, false),
            Self::Postgres(url) => postgres::open(self, url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_never_shows_its_password() {
        let place: Place = "postgres://house:s3cret@db:5432/cards?sslmode=disable".parse().unwrap();
        assert_eq!(
            (format!("{place:?}"), place.to_string()),
            (place.to_string(), "postgres://db:5432/cards".into())
        );
        let wrong = "postgres://house:s3cret@db:port/cards".parse::<Place>().unwrap_err();
        assert!(!wrong.contains("s3cret") && wrong.contains("postgres://USER@HOST"), "{wrong}");
        assert_eq!("data/cards.db".parse(), Ok(Place::File("data/cards.db".into())));
        assert!("mysql://x".parse::<Place>().is_err() && "".parse::<Place>().is_err());
    }
}
