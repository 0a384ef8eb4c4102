//! What was stored of a tournament in schema 3, in which entries cost nobody's chips: read for ever.
//!
//! Frozen: a type that changes is written down here as it was.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    second_schema,
    state::{self, Directed},
};

/// The record of a keyframe: that of schema 2, and what directors have decided behind it.
#[derive(Deserialize)]
pub(super) struct Tournament {
    before: second_schema::Tournament,
    directed: BTreeMap<u32, Directed>,
}

impl Tournament {
    /// The tournament as this release knows it.
    pub(super) fn read(self) -> state::Tournament {
        let Self { before, directed } = self;
        state::Tournament { directed, ..before.read() }
    }
}
