//! PostgreSQL: several tellers on a connection each. One that has lost its connection makes another with the next job.

use std::{
    collections::HashMap,
    error::Error as _,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use postgres::{
    Client, Config, Error, NoTls, Statement,
    error::SqlState,
    types::{IsNull, ToSql, Type, to_sql_checked},
};

use super::{OpenError, Place, Session, Sessions};
use crate::{
    schema,
    tx::{DbError, Row, Tx, Value, fit},
};

/// Connections, and threads on them.
pub(crate) const TELLERS: usize = 8;

/// A server that does not let us in within this is away.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// A connection that carries nothing for so long, though something was sent, is lost.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// A server that was away is not asked again for so long: who asks meanwhile hears at once that it is.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// A statement that takes longer is given up, and so is a transaction that somebody left open. Whoever waits longer for a row stands in
/// somebody's way himself, since a group of jobs holds the rows of all of them: the jobs are done again, each in its own transaction. A
/// deadlock among eight groups is over by that at once, where the server would find one victim a second.
const OPTIONS: &str =
    "-c statement_timeout=5000 -c lock_timeout=500 -c idle_in_transaction_session_timeout=10000";

/// What may go well when it is done again.
const STOOD_IN_THE_WAY: [SqlState; 3] =
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::LOCK_NOT_AVAILABLE];

/// Two nodes that start at once do not both make the tables.
const ONE_AT_A_TIME: i64 = 0x6361_7264_686f_7573;

pub(super) fn open(place: &Place, url: &str) -> Result<Sessions, OpenError> {
    let away = |error: &Error| OpenError::Database(place.clone(), reason(error));
    let mut config: Config = url.parse().map_err(|error: Error| away(&error))?;
    config.application_name("cardhouse").connect_timeout(CONNECT_WITHIN).tcp_user_timeout(SILENCE_MAX);
    migrate(&config).map_err(|error| OpenError::Schema(place.clone(), error))?;
    config.options(OPTIONS);
    let writers = (0..TELLERS).map(|_| {
        let mut session = Postgres { config: config.clone(), open: None, away_since: None };
        session.connect().map_err(|error| OpenError::Database(place.clone(), error.to_string()))?;
        Ok(Box::new(session) as Box<dyn Session>)
    });
    Ok(Sessions { writers: writers.collect::<Result<_, OpenError>>()?, readers: Vec::new() })
}

fn migrate(config: &Config) -> Result<(), String> {
    let mut client = config.connect(NoTls).map_err(|error| reason(&error))?;
    client.execute("SELECT pg_advisory_lock($1)", &[&ONE_AT_A_TIME]).map_err(|error| reason(&error))?;
    schema::of_postgres().run(&mut client).map(drop).map_err(|error| error.to_string())
}

struct Postgres {
    config: Config,
    open: Option<Open>,
    away_since: Option<Instant>,
}

struct Open {
    client: Client,
    /// By where the text is, and how long: it is the same for ever.
    prepared: HashMap<(usize, usize), Statement>,
}

impl Postgres {
    fn connect(&mut self) -> Result<&mut Open, DbError> {
        if self.open.as_ref().is_none_or(|open| open.client.is_closed()) {
            self.open = None;
            if self.away_since.is_some_and(|since| since.elapsed() < ASK_AGAIN) {
                return Err(DbError::Away("it did not answer a moment ago".into()));
            }
            let connected = self.config.connect(NoTls);
            self.away_since = connected.is_err().then(Instant::now);
            let client = connected.map_err(|error| DbError::Away(reason(&error)))?;
            self.open = Some(Open { client, prepared: HashMap::new() });
        }
        self.open.as_mut().ok_or_else(|| DbError::Away("there is no connection".into()))
    }

    fn open(&mut self) -> Result<&mut Open, DbError> {
        self.open.as_mut().ok_or_else(|| DbError::Away("there is no connection".into()))
    }
}

impl Session for Postgres {
    fn begin(&mut self) -> Result<(), DbError> {
        // A connection that has died since shows it only when it is used: once more, on another.
        let begun = self.connect()?.client.batch_execute("BEGIN");
        match begun.map_err(|error| failed(&error)) {
            Err(DbError::Away(_)) => {
                self.open = None;
                self.connect()?.client.batch_execute("BEGIN").map_err(|error| failed(&error))
            }
            begun => begun,
        }
    }

    fn batch(&mut self, sql: &'static str) -> Result<(), DbError> {
        self.open()?.client.batch_execute(sql).map_err(|error| failed(&error))
    }

    fn watchword(&mut self, word: i64) -> Result<(), DbError> {
        let say = "SELECT CAST(1 AS BIGINT) FROM (SELECT pg_advisory_xact_lock($1)) AS said";
        self.run(say, &[word.into()]).map(drop)
    }

    fn tx(&mut self) -> &mut dyn Tx {
        self
    }

    fn give_up(&mut self) {
        self.open = None;
    }
}

impl Tx for Postgres {
    fn run(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, DbError> {
        fit(values)?;
        let open = self.open()?;
        let key = (sql.as_ptr() as usize, sql.len());
        let statement = match open.prepared.get(&key) {
            Some(statement) => statement.clone(),
            None => {
                let statement = open.client.prepare(sql).map_err(|error| failed(&error))?;
                open.prepared.insert(key, statement.clone());
                statement
            }
        };
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        let rows = open.client.query(&statement, &values).map_err(|error| failed(&error))?;
        rows.iter().map(read).collect()
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) if *kind == Type::INT4 => i32::try_from(*value)?.to_sql(kind, out),
            Self::Int(value) => value.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::TEXT, Type::BYTEA].contains(kind)
    }

    to_sql_checked!();
}

fn read(row: &postgres::Row) -> Result<Row, DbError> {
    let values = row.columns().iter().enumerate().map(|(at, column)| {
        let value = match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(at).map(Value::from),
            Type::INT4 => row.try_get::<_, Option<i32>>(at).map(|value| value.map(i64::from).into()),
            Type::TEXT => row.try_get::<_, Option<String>>(at).map(Value::from),
            Type::BYTEA => row.try_get::<_, Option<&[u8]>>(at).map(Value::from),
            ref other => return Err(DbError::Broken(format!("a column is of the type {other}"))),
        };
        value.map_err(|error| DbError::Broken(error.to_string()))
    });
    values.collect::<Result<_, _>>().map(Row)
}

/// Without any value: the message and the constraint's name, never the detail, which tells the row.
fn failed(error: &Error) -> DbError {
    let Some(told) = error.as_db_error() else {
        // Values that the statement does not take are our mistake; everything else is the connection's.
        let of_connection = |source: &(dyn std::error::Error + 'static)| source.is::<std::io::Error>();
        let away = error.is_closed() || error.source().is_none_or(of_connection);
        return if away { DbError::Away(error.to_string()) } else { DbError::Broken(error.to_string()) };
    };
    let state = told.code();
    let name = || told.constraint().unwrap_or(told.message()).to_owned();
    if *state == SqlState::UNIQUE_VIOLATION {
        DbError::Unique(name())
    } else if state.code().starts_with("23") || *state == SqlState::RAISE_EXCEPTION {
        DbError::Refused(name())
    } else if STOOD_IN_THE_WAY.contains(state) {
        DbError::Again
    } else if ["08", "53", "57", "25"].iter().any(|class| state.code().starts_with(class)) {
        // It goes down, has no room, or has given the transaction up.
        DbError::Away(told.message().into())
    } else {
        DbError::Broken(told.message().into())
    }
}

/// What is told to operators of a connection that was not made.
fn reason(error: &Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(told), _) => told.message().into(),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}
