//! What was stored of a table in schema 3, which had no waiting list: read for ever.
//!
//! Frozen, like what was stored before: types that have changed since stand here as they were.

use holdem::{Hand, between::Rotation};
use protocol::table::TableView;
use serde::Deserialize;

use super::{
    leavers::Leavers,
    log::Log,
    rail::ForTheRail,
    state::{self, Place, RunOut, TurnClock},
    stats::Stats,
    waiting::Waiting,
};

/// The record of a keyframe.
#[derive(Deserialize)]
pub(super) struct Table {
    view: TableView,
    places: Vec<Place>,
    hand: Option<Box<Hand>>,
    rotation: Rotation,
    hands: u64,
    turns: u64,
    turn: Option<TurnClock>,
    run_out: Option<RunOut>,
    stats: Stats,
    leavers: Leavers,
    log: Log,
}

impl Table {
    /// The table as this release knows it.
    pub(super) fn read(self) -> state::Table {
        self.with(Waiting::default())
    }

    /// The same, where who waits was stored behind it.
    pub(super) fn with(self, waiting: Waiting) -> state::Table {
        let Self { view, places, hand, rotation, hands, turns, turn, run_out, stats, leavers, log } = self;
        state::Table {
            view,
            places,
            hand,
            rotation,
            hands,
            turns,
            turn,
            run_out,
            stats,
            leavers,
            log,
            waiting,
            rail: ForTheRail::default(),
        }
    }
}
