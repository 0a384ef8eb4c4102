//! The `Store` port: journals with a fence, and small maps. What the store has acknowledged is durable to the degree
//! that its configuration promises.
//!
//! Adapters: [`memory`] inside one process (with injected faults for the simulator), [`mod@file`] inside one process and in a folder, [`redis`].

pub mod file;
pub mod memory;
pub mod redis;
mod shelf;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use protocol::id::{Position, RoomId};

/// The store cannot be reached or did not answer in time: whether a write happened is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store is out of reach: {0}")]
pub struct Unavailable(pub String);

/// Why an append was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The journal holds an entry at or after this position: somebody else owns the room, or this very entry was
    /// written by an attempt whose answer was lost (compare with [`Store::read`]).
    #[error("the journal is past this position")]
    Fenced,
    /// There is no journal ([`Store::extend`]): the store has lost it whole, and nothing was written.
    #[error("the journal is gone")]
    Gone,
    /// The store has said no, in these words: nothing was written, nor will it be. It may say yes later.
    #[error("the store refuses to write: {0}")]
    Refused(String),
    /// See [`Unavailable`]; the caller must find out by [`Store::read`] before it goes on.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// One entry as it stands in a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub at: Position,
    /// Its bytes: an encoded [`Entry`](crate::entry::Entry).
    pub bytes: Bytes,
}

/// Journals and maps.
pub trait Store: Send + Sync + 'static {
    /// Appends `entry` at exactly `at`, if that is after everything in the journal; in the same step drops entries
    /// before `keep_from`, if given. Begins the journal if there is none, and so is for claims: an owner's frames
    /// [extend](Store::extend) it. Returns when the entry is durable as configured.
    ///
    /// # Errors
    /// [`AppendError::Fenced`] if the journal has an entry at or after `at`: nothing was written.
    fn append(
        &self,
        room: &RoomId,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
    ) -> BoxFuture<'_, Result<(), AppendError>>;

    /// The same, but never begins a journal: where there is none the store has lost what was acknowledged, and an entry
    /// that stood alone would hide it.
    ///
    /// # Errors
    /// Also [`AppendError::Gone`].
    fn extend(
        &self,
        room: &RoomId,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
    ) -> BoxFuture<'_, Result<(), AppendError>>;

    /// Writes something small where no room has its journal, by the way that an append takes: whether it could be done now.
    ///
    /// # Errors
    /// [`AppendError::Refused`] in the store's own words, or [`AppendError::Unavailable`].
    fn probe_writing(&self) -> BoxFuture<'_, Result<(), AppendError>>;

    /// Reads something small by the way that a journal is read.
    fn probe_reading(&self) -> BoxFuture<'_, Result<(), Unavailable>>;

    /// The entries after `after` (all, if `None`), oldest first, at most `limit`.
    fn read(
        &self,
        room: &RoomId,
        after: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Stored>, Unavailable>>;

    /// The entries before `before` (all, if `None`), newest first, at most `limit`.
    fn read_back(
        &self,
        room: &RoomId,
        before: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Stored>, Unavailable>>;

    /// The last entry, without reading the others.
    fn last(&self, room: &RoomId) -> BoxFuture<'_, Result<Option<Stored>, Unavailable>>;

    /// Has a journal vanish after so many seconds, in the place of any such time that was set before. Nothing happens where there is none.
    fn expire(&self, room: &RoomId, seconds: u64) -> BoxFuture<'_, Result<(), Unavailable>>;

    /// All fields of a map.
    fn map_all(&self, map: &str) -> BoxFuture<'_, Result<Vec<(String, Bytes)>, Unavailable>>;

    /// The names of all fields of a map.
    fn map_fields(&self, map: &str) -> BoxFuture<'_, Result<Vec<String>, Unavailable>>;

    /// One field of a map.
    fn map_get(&self, map: &str, field: &str) -> BoxFuture<'_, Result<Option<Bytes>, Unavailable>>;

    /// Sets a field of a map.
    fn map_set(&self, map: &str, field: &str, value: Bytes) -> BoxFuture<'_, Result<(), Unavailable>>;

    /// Sets a field of a map unless it is there; answers whether it was set.
    fn map_set_new(&self, map: &str, field: &str, value: Bytes) -> BoxFuture<'_, Result<bool, Unavailable>>;

    /// Removes a field of a map.
    fn map_remove(&self, map: &str, field: &str) -> BoxFuture<'_, Result<(), Unavailable>>;

    /// A number that changes whenever the store may have lost acknowledged entries or changed its primary (reconnect,
    /// restart, failover). An owner that sees it change must assert its rooms anew before it relies on the journal.
    fn generation(&self) -> u64;
}
