//! What was stored of a table in schema 4, which did not remember who misses calls: read for ever.
//!
//! Frozen, like what was stored before: types that have changed since stand here as they were.

use serde::Deserialize;

use super::{
    state, third_schema,
    waiting::{self, Called, Waiter},
};

/// The record of a keyframe: that of schema 3, and who waits behind it.
#[derive(Deserialize)]
pub(super) struct Table {
    before: third_schema::Table,
    waiting: Waiting,
}

#[derive(Deserialize)]
struct Waiting {
    line: Vec<Waiter>,
    called: Vec<Called>,
}

impl Table {
    /// The table as this release knows it.
    pub(super) fn read(self) -> state::Table {
        let Self { before, waiting: Waiting { line, called } } = self;
        before.with(waiting::Waiting::of(line, called))
    }
}
