//! What was stored of a table in schema 2, which had no question on how many boards a hand is run, no log of it and no waiting list: read for
//! ever, and written as long as a worker lives that reads nothing else.
//!
//! Frozen, like what the first release stored: types that have changed since stand here as they were.

use holdem::{Hand, between::Rotation};
use protocol::{
    table::{self as wire, Card, ChipCount, PotView, SeatView, StreetName, TableConfig, TurnView},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

use super::{
    event::Event,
    leavers::Leavers,
    log::Log,
    rail::ForTheRail,
    state::{self, Place, RunOut, TurnClock},
    stats::Stats,
    waiting::Waiting,
};

/// The record of a keyframe.
#[derive(Serialize, Deserialize)]
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

#[derive(Serialize, Deserialize)]
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
        let (log, waiting) = (Log::default(), Waiting::default());
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
        .without_past_decks()
    }

    /// The same table as far as schema 2 can say it.
    pub(super) fn of(table: &state::Table) -> Self {
        let state::Table {
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
            log: _,
            waiting: _,
            rail: _,
        } = table.clone();
        let wire::TableView { config, seats, hand: shown, next_ms, chips } = view;
        let view = TableView { config, seats, hand: shown.map(HandView::of), next_ms, chips };
        Self { view, places, hand, rotation, hands, turns, turn, run_out, stats, leavers }
    }
}

/// The events that it has words for.
pub(super) fn words(events: &[Event]) -> Vec<&Event> {
    let is_later = |event: &&Event| {
        matches!(
            event,
            Event::Timed { .. }
                | Event::Configured { .. }
                | Event::Runs { .. }
                | Event::Waits { .. }
                | Event::WaiterAway { .. }
                | Event::Called { .. }
                | Event::WaitsNoMore { .. }
                | Event::CallMissed { .. }
                | Event::CardsTold { .. }
        )
    };
    events.iter().filter(|event| !is_later(event)).collect()
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
