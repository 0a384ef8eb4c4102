//! A database in memory that is asked in the caller's own thread: for worlds with a clock of their own, in which nobody waits for a thread.

use std::sync::Mutex;

use crate::{
    sql::{Place, Session},
    tx::{DbError, Tx},
};

/// See the module.
pub struct Inline(Mutex<Box<dyn Session>>);

impl Inline {
    /// An empty one, whose schema is up to date.
    ///
    /// # Panics
    /// When SQLite cannot be opened in memory.
    pub fn open() -> Self {
        let mut sessions = Place::Memory.open().expect("SQLite opens in memory");
        Self(Mutex::new(sessions.writers.remove(0)))
    }

    /// Does `work` in a transaction of its own, which ends with it.
    ///
    /// # Errors
    /// What the work returned; then it has done nothing.
    ///
    /// # Panics
    /// If a job before panicked.
    pub fn run<T>(&self, work: impl FnOnce(&mut dyn Tx) -> Result<T, DbError>) -> Result<T, DbError> {
        let mut session = self.0.lock().expect("no job has panicked");
        session.begin()?;
        let done = work(session.tx());
        session.batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        done
    }
}
