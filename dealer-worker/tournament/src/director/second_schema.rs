//! What was stored of a tournament in schema 2, in which directors decided nothing of single entries: read for ever.
//!
//! Frozen: a type that changes is written down here as it was.

use std::collections::BTreeMap;

use protocol::{
    id::{RoomId, UserId},
    time::UnixMs,
    tournament::{Clock, Phase, Prize},
};
use serde::Deserialize;

use super::state::{self, Entrant, Holding, Settings, TableState};

/// The record of a keyframe.
#[derive(Deserialize)]
pub(super) struct Tournament {
    settings: Settings,
    phase: Phase,
    entrants: BTreeMap<u32, Entrant>,
    by_user: BTreeMap<UserId, u32>,
    entries: u32,
    tables: BTreeMap<u32, TableState>,
    clock: Option<Clock>,
    is_closed: bool,
    prizes: Vec<Prize>,
    out: Vec<Vec<u32>>,
    placed: u32,
    hold: Option<Holding>,
    last_table: Option<u32>,
    next: Option<RoomId>,
    ended_ms: Option<UnixMs>,
    is_over: bool,
    adjusted: i64,
    waits_until: Option<UnixMs>,
}

impl Tournament {
    /// The tournament as this release knows it.
    pub(super) fn read(self) -> state::Tournament {
        let Self {
            settings,
            phase,
            entrants,
            by_user,
            entries,
            tables,
            clock,
            is_closed,
            prizes,
            out,
            placed,
            hold,
            last_table,
            next,
            ended_ms,
            is_over,
            adjusted,
            waits_until,
        } = self;
        state::Tournament {
            settings,
            phase,
            entrants,
            by_user,
            entries,
            tables,
            clock,
            is_closed,
            prizes,
            out,
            placed,
            hold,
            last_table,
            next,
            ended_ms,
            is_over,
            adjusted,
            waits_until,
            directed: BTreeMap::new(),
        }
    }
}
