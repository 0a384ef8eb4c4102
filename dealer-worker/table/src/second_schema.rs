//! What was stored of a table in schema 2, which had no question on how many boards a hand is run: read for ever.
//!
//! Frozen, like what the first release stored: types that have changed since stand here as they were.

use holdem::{Hand, between::Rotation};
use protocol::{
    table::{self as wire, Card, ChipCount, PotView, SeatView, StreetName, TableConfig, TurnView},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

use super::{
    leavers::Leavers,
    state::{self, Place, RunOut, TurnClock},
    stats::Stats,
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
}

#[derive(Deserialize)]
struct TableView {
    config: TableConfig,
    seats: Vec<Option<SeatView>>,
    hand: Option<HandView>,
    next_ms: Option<UnixMs>,
    chips: ChipCount,
}

/// As in schema 1.
#[derive(Serialize, Deserialize)]
pub(super) struct HandView {
    hand: u64,
    button: u8,
    street: StreetName,
    hole_cards: u8,
    boards: Vec<Vec<Card>>,
    pots: Vec<PotView>,
    turn: Option<TurnView>,
    ended: bool,
}

impl Table {
    /// The table as this release knows it.
    pub(super) fn read(self) -> state::Table {
        let Self { view, places, hand, rotation, hands, turns, turn, run_out, stats, leavers } = self;
        let TableView { config, seats, hand: shown, next_ms, chips } = view;
        let view = wire::TableView { config, seats, hand: shown.map(HandView::read), next_ms, chips };
        state::Table { view, places, hand, rotation, hands, turns, turn, run_out, stats, leavers }
            .without_past_decks()
    }
}

impl HandView {
    pub(super) fn read(self) -> wire::HandView {
        let Self { hand, button, street, hole_cards, boards, pots, turn, ended } = self;
        wire::HandView { hand, button, street, hole_cards, boards, pots, turn, ended, runs: None }
    }

    pub(super) fn of(hand: wire::HandView) -> Self {
        let wire::HandView { hand, button, street, hole_cards, boards, pots, turn, ended, runs: _ } = hand;
        Self { hand, button, street, hole_cards, boards, pots, turn, ended }
    }
}
