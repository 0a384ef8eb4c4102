//! SQLite: one writer, and readers that see what is committed while it writes.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use rusqlite::{
    Connection, Error, ErrorCode, OpenFlags,
    types::{ToSqlOutput, ValueRef},
};

use super::{OpenError, Place, Session, Sessions};
use crate::{
    schema,
    tx::{DbError, Row, Tx, Value, fit},
};

/// Readers at most.
const READERS_MAX: usize = 4;

/// How long a command beside the owner waits for its turn to write.
const BUSY: Duration = Duration::from_secs(5);

/// Statements that a connection keeps prepared; there are fewer.
const PREPARED_MAX: usize = 256;

/// `FULL`: what was answered survives the machine's loss of power.
const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                       PRAGMA trusted_schema = OFF;";

pub(super) fn in_memory(place: &Place) -> Result<Sessions, OpenError> {
    let connection = Connection::open_in_memory().map_err(|error| away(place, &error))?;
    let writer = prepared(place, connection, None)?;
    Ok(Sessions { writers: vec![Box::new(writer)], readers: Vec::new() })
}

/// With `owned`, the file belongs to this process alone as long as a connection lives.
pub(super) fn in_file(place: &Place, path: &Path, owned: bool) -> Result<Sessions, OpenError> {
    let at = |error: std::io::Error| OpenError::File(path.into(), error.to_string());
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(at)?;
    }
    let lock = owned.then(|| lock(path)).transpose()?.map(Arc::new);
    // Nobody else is to read it; SQLite's other files get its mode.
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(at)?;
    let connection = Connection::open(path).map_err(|error| away(place, &error))?;
    let writer = prepared(place, connection, lock.clone())?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let readers = if owned { cores.min(READERS_MAX) } else { 0 };
    let readers = (0..readers).map(|_| {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|error| away(place, &error))?;
        connection.busy_timeout(BUSY).map_err(|error| away(place, &error))?;
        connection.execute_batch("PRAGMA query_only = ON").map_err(|error| away(place, &error))?;
        let reader = Sqlite::new(connection, "BEGIN", lock.clone());
        Ok(Box::new(reader) as Box<dyn Session>)
    });
    let readers = readers.collect::<Result<_, OpenError>>()?;
    Ok(Sessions { writers: vec![Box::new(writer)], readers })
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let at = |error: std::io::Error| OpenError::File(name.clone().into(), error.to_string());
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&name).map_err(at)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Taken(path.into())),
        Err(TryLockError::Error(error)) => Err(at(error)),
    }
}

fn prepared(place: &Place, mut connection: Connection, lock: Option<Arc<File>>) -> Result<Sqlite, OpenError> {
    connection.busy_timeout(BUSY).map_err(|error| away(place, &error))?;
    connection.execute_batch(PRAGMAS).map_err(|error| away(place, &error))?;
    schema::of_sqlite().run(&mut connection).map_err(|e| OpenError::Schema(place.clone(), e.to_string()))?;
    Ok(Sqlite::new(connection, "BEGIN IMMEDIATE", lock))
}

fn away(place: &Place, error: &Error) -> OpenError {
    OpenError::Database(place.clone(), error.to_string())
}

struct Sqlite {
    connection: Connection,
    begin: &'static str,
    /// By where the text is, and how long: it is the same for ever.
    ours: HashMap<(usize, usize), String>,
    /// Held as long as any connection.
    _lock: Option<Arc<File>>,
}

impl Sqlite {
    fn new(connection: Connection, begin: &'static str, lock: Option<Arc<File>>) -> Self {
        connection.set_prepared_statement_cache_capacity(PREPARED_MAX);
        Self { connection, begin, ours: HashMap::new(), _lock: lock }
    }
}

impl Session for Sqlite {
    fn begin(&mut self) -> Result<(), DbError> {
        self.batch(self.begin)
    }

    fn batch(&mut self, sql: &'static str) -> Result<(), DbError> {
        self.connection.execute_batch(sql).map_err(|error| failed(&error))
    }

    /// There is one writer, and a transaction ends with its connection.
    fn watchword(&mut self, _word: i64) -> Result<(), DbError> {
        Ok(())
    }

    fn tx(&mut self) -> &mut dyn Tx {
        self
    }

    fn give_up(&mut self) {
        if !self.connection.is_autocommit() {
            let _ = self.batch("ROLLBACK");
        }
    }
}

impl Tx for Sqlite {
    fn run(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, DbError> {
        fit(values)?;
        let ours = self.ours.entry((sql.as_ptr() as usize, sql.len())).or_insert_with(|| translated(sql));
        let mut statement = self.connection.prepare_cached(ours).map_err(|error| failed(&error))?;
        let columns = statement.column_count();
        let values = rusqlite::params_from_iter(values.iter().map(Bound));
        let mut rows = statement.query(values).map_err(|error| failed(&error))?;
        let mut read = Vec::new();
        while let Some(row) = rows.next().map_err(|error| failed(&error))? {
            let values =
                (0..columns).map(|column| match row.get_ref(column).map_err(|error| failed(&error))? {
                    ValueRef::Null => Ok(Value::Null),
                    ValueRef::Integer(value) => Ok(Value::Int(value)),
                    ValueRef::Text(text) => Ok(Value::Text(String::from_utf8_lossy(text).into_owned())),
                    ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes.to_vec())),
                    ValueRef::Real(_) => Err(DbError::Broken("a column holds a fraction".into())),
                });
            read.push(Row(values.collect::<Result<_, _>>()?));
        }
        Ok(read)
    }
}

struct Bound<'a>(&'a Value);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// SQLite counts `?1`, where PostgreSQL counts `$1`; and its only writer need not lock a row.
fn translated(sql: &str) -> String {
    let mut ours = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once('$') {
        ours += before;
        ours.push(if after.starts_with(|c: char| c.is_ascii_digit()) { '?' } else { '$' });
        rest = after;
    }
    (ours + rest).replace(" FOR UPDATE", "")
}

/// Without any value: SQLite's messages name tables, columns and constraints.
fn failed(error: &Error) -> DbError {
    let Error::SqliteFailure(code, message) = error else { return DbError::Broken(error.to_string()) };
    let message = message.clone().unwrap_or_default();
    match code.code {
        ErrorCode::ConstraintViolation => match message.split_once("UNIQUE constraint failed: ") {
            Some((_, columns)) => DbError::Unique(columns.into()),
            None => DbError::Refused(message),
        },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => DbError::Again,
        ErrorCode::Unknown
        | ErrorCode::ApiMisuse
        | ErrorCode::TypeMismatch
        | ErrorCode::ParameterOutOfRange => DbError::Broken(message),
        _ => DbError::Away(message),
    }
}
