//! What was stored of a tournament in schema 2, in which directors decided nothing of single entries: read for ever.
//!
//! Frozen: a type that changes is written down here as it was.

use protocol::time::UnixMs;
use serde::Deserialize;

use super::{first_schema, state};

/// The record of a keyframe: that of schema 1, and until when its owner waits behind it.
#[derive(Deserialize)]
pub(super) struct Tournament {
    before: first_schema::Tournament,
    waits_until: Option<UnixMs>,
}

impl Tournament {
    /// The tournament as this release knows it.
    pub(super) fn read(self) -> state::Tournament {
        let Self { before, waits_until } = self;
        state::Tournament { waits_until, ..before.read() }
    }
}
