//! What was stored of a table in schema 5, which told its rail nothing: read for ever.
//!
//! Frozen, like what was stored before: types that have changed since stand here as they were.

use serde::Deserialize;

use super::{state, third_schema, waiting::Waiting};

/// The record of a keyframe: that of schema 3, and who waits, and has missed calls, behind it.
#[derive(Deserialize)]
pub(super) struct Table {
    before: third_schema::Table,
    waiting: Waiting,
}

impl Table {
    /// The table as this release knows it.
    pub(super) fn read(self) -> state::Table {
        let Self { before, waiting } = self;
        before.with(waiting)
    }
}
