//! What is kept for longer than a game: people, their logins and rights, the audit, and whose chips are where, in SQLite or PostgreSQL.
//!
//! The domain is synchronous SQL behind a port of one function ([`Tx`]): the same text for both databases, with the clock and all
//! randomness given from outside. What constraints of the database can hold, they hold.
//!
//! In reading order:
//!
//! - [`tx`]: the port: statements in, rows out, and what may go wrong.
//! - [`sql`]: its adapters.
//! - [`schema`]: the tables, and how they come to be.
//! - [`teller`]: threads that do jobs on the database and commit them in groups.
//! - [`inline`]: a database in memory without threads, for simulated worlds.
//! - `testing` (a feature): PostgreSQL servers for tests.
//! - [`people`]: who somebody is, how he is signed in, what he may do, and what has happened.
//! - [`ledger`]: whose chips are where.
//! - [`history`]: hands that are over.
//! - [`tape`]: what the ledger has decided, on another disk, for a database that has gone back.
//!
//! Not here: HTTP, passwords in the clear, tokens for playing (`reception`); tables (`dealer-worker`), which say by [`money`] what they want.

pub mod history;
pub mod inline;
pub mod ledger;
pub mod people;
pub mod schema;
pub mod sql;
pub mod tape;
pub mod teller;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tx;

pub use sql::Place;
pub use teller::Tellers;
pub use tx::{DbError, Row, Tx, Value};
