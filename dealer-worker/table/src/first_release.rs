//! What the first release stored of a table, schema 1: read for ever, and written as long as a worker lives that reads nothing else.
//!
//! Frozen: types that have changed since stand here as they were. Whoever changes one of the others copies it here first.
//! Schema 1 knows nothing of who has left, of debts that outlive a stay, and of how much of the extra time for the disconnected
//! is used; and of a promised top-up it knows only that it is over, not how much of it came.

use holdem::{
    Hand, HandSetup, SeatIndex, Seed,
    between::{Owed, Positions},
    seat::SEATS_MAX,
};
use protocol::{
    id::UserId,
    table::{
        self as wire, AnteKind, BlindsOwed, ButtonRule, Card, ChipCount, GameVariant, LimitKind, RakeRule,
        SeatStatus, Straddles,
    },
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

use super::{
    event::{self, Extension},
    leavers::Leavers,
    log::Log,
    rail::ForTheRail,
    second_schema::HandView,
    state::{self, RunOut, TurnClock},
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
}

#[derive(Serialize, Deserialize)]
struct TableView {
    config: TableConfig,
    seats: Vec<Option<SeatView>>,
    hand: Option<HandView>,
    next_ms: Option<UnixMs>,
    chips: ChipCount,
}

#[derive(Serialize, Deserialize)]
struct TableConfig {
    name: String,
    seats: u8,
    variant: GameVariant,
    limit: LimitKind,
    small_blind: u64,
    big_blind: u64,
    ante_kind: AnteKind,
    ante: u64,
    straddles: Straddles,
    button_rule: ButtonRule,
    /// Never [`BlindsOwed::NoneMissed`].
    blinds_owed: BlindsOwed,
    rake: RakeRule,
    buy_in_min: u64,
    buy_in_max: u64,
    turn_ms: u64,
    bank_ms: u64,
    bank_refill_ms: u64,
    pause_ms: u64,
    runout_ms: u64,
    away_ms: u64,
    away_turns: u8,
    sit_out_ms: u64,
    runs_max: u8,
}

#[derive(Serialize, Deserialize)]
struct SeatView {
    user: UserId,
    name: String,
    stack: u64,
    bet: u64,
    status: SeatStatus,
    away: bool,
    bank_ms: u64,
    in_hand: bool,
    folded: bool,
    shown: Vec<Card>,
}

#[derive(Serialize, Deserialize)]
struct Place {
    top_up: u64,
    missed: u8,
    waits: bool,
    out_since: Option<UnixMs>,
    away_since: Option<UnixMs>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Rotation {
    first_button: SeatIndex,
    last: Option<Positions>,
    owed: [Owed; SEATS_MAX],
}

/// One of the events of a delta's record.
#[derive(Serialize, Deserialize)]
pub(super) enum Event {
    Seated { seat: u8, user: UserId, name: String, stack: u64, waits: bool },
    Left { seat: u8 },
    TopUpPromised { seat: u8, amount: u64 },
    ToppedUp { seat: u8, amount: u64 },
    Status { seat: u8, status: SeatStatus, waits: bool, at_ms: UnixMs },
    Away { seat: u8, away: bool, at_ms: UnixMs },
    HandStarted { setup: Box<HandSetup>, rotation: Rotation, seed: Seed },
    Hand { event: holdem::Event, timeout: bool },
    Turn { deadline_ms: UnixMs },
    Extended { deadline_ms: UnixMs, by: Extension },
    BankLeft { seat: u8, bank_ms: u64 },
    RunOut { events: Vec<holdem::Event>, at_ms: UnixMs },
    Paced { at_ms: UnixMs },
    HandEnded { at_ms: UnixMs, next_ms: UnixMs },
    Chat { user: UserId, name: String, text: String },
    HistoryLost { frames: u64 },
}

impl Table {
    /// The table as this release knows it.
    pub(super) fn read(self) -> state::Table {
        let Self { view, places, hand, rotation, hands, turns, turn, run_out, stats } = self;
        let TableView { config, seats, hand: shown, next_ms, chips } = view;
        let top_ups: Vec<u64> = places.iter().map(|place| place.top_up).collect();
        let seats = seats.into_iter().zip(top_ups).map(|(seat, top_up)| Some(seat?.read(top_up)));
        state::Table {
            view: wire::TableView {
                config: config.read(),
                seats: seats.collect(),
                hand: shown.map(HandView::read),
                next_ms,
                chips,
            },
            places: places.into_iter().map(Place::read).collect(),
            hand,
            rotation: rotation.read(),
            hands,
            turns,
            turn,
            run_out,
            stats,
            leavers: Leavers::default(),
            log: Log::default(),
            waiting: Waiting::default(),
            rail: ForTheRail::default(),
        }
        .without_past_decks()
    }

    /// The same table as far as schema 1 can say it.
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
            leavers: _,
            log: _,
            waiting: _,
            rail: _,
        } = table.clone();
        let wire::TableView { config, seats, hand: shown, next_ms, chips } = view;
        let top_ups = seats.iter().map(|seat| seat.as_ref().map_or(0, |seat| seat.top_up));
        let places = places.into_iter().zip(top_ups).map(|(place, top_up)| Place::of(&place, top_up));
        Self {
            places: places.collect(),
            view: TableView {
                config: TableConfig::of(config),
                seats: seats.into_iter().map(|seat| seat.map(SeatView::of)).collect(),
                hand: shown.map(HandView::of),
                next_ms,
                chips,
            },
            hand,
            rotation: Rotation::of(&rotation),
            hands,
            turns,
            turn,
            run_out,
            stats,
        }
    }
}

impl TableConfig {
    fn read(self) -> wire::TableConfig {
        let Self {
            name,
            seats,
            variant,
            limit,
            small_blind,
            big_blind,
            ante_kind,
            ante,
            straddles,
            button_rule,
            blinds_owed,
            rake,
            buy_in_min,
            buy_in_max,
            turn_ms,
            bank_ms,
            bank_refill_ms,
            pause_ms,
            runout_ms,
            away_ms,
            away_turns,
            sit_out_ms,
            runs_max,
        } = self;
        let wire::TableConfig { away_bank_ms, away_refill_ms, rathole_ms, .. } = wire::TableConfig::default();
        wire::TableConfig {
            name,
            seats,
            variant,
            limit,
            small_blind,
            big_blind,
            ante_kind,
            ante,
            straddles,
            button_rule,
            blinds_owed,
            rake,
            buy_in_min,
            buy_in_max,
            turn_ms,
            bank_ms,
            bank_refill_ms,
            pause_ms,
            runout_ms,
            away_ms,
            away_bank_ms,
            away_refill_ms,
            away_turns,
            sit_out_ms,
            rathole_ms,
            runs_max,
        }
    }

    fn of(config: wire::TableConfig) -> Self {
        let wire::TableConfig {
            name,
            seats,
            variant,
            limit,
            small_blind,
            big_blind,
            ante_kind,
            ante,
            straddles,
            button_rule,
            blinds_owed,
            rake,
            buy_in_min,
            buy_in_max,
            turn_ms,
            bank_ms,
            bank_refill_ms,
            pause_ms,
            runout_ms,
            away_ms,
            away_bank_ms: _,
            away_refill_ms: _,
            away_turns,
            sit_out_ms,
            rathole_ms: _,
            runs_max,
        } = config;
        let blinds_owed = match blinds_owed {
            BlindsOwed::PostOrWait => BlindsOwed::PostOrWait,
            BlindsOwed::Nothing | BlindsOwed::NoneMissed => BlindsOwed::Nothing,
        };
        Self {
            name,
            seats,
            variant,
            limit,
            small_blind,
            big_blind,
            ante_kind,
            ante,
            straddles,
            button_rule,
            blinds_owed,
            rake,
            buy_in_min,
            buy_in_max,
            turn_ms,
            bank_ms,
            bank_refill_ms,
            pause_ms,
            runout_ms,
            away_ms,
            away_turns,
            sit_out_ms,
            runs_max,
        }
    }
}

impl SeatView {
    fn read(self, top_up: u64) -> wire::SeatView {
        let Self { user, name, stack, bet, status, away, bank_ms, in_hand, folded, shown } = self;
        wire::SeatView { user, name, stack, bet, top_up, status, away, bank_ms, in_hand, folded, shown }
    }

    fn of(seat: wire::SeatView) -> Self {
        let wire::SeatView {
            user,
            name,
            stack,
            bet,
            top_up: _,
            status,
            away,
            bank_ms,
            in_hand,
            folded,
            shown,
        } = seat;
        Self { user, name, stack, bet, status, away, bank_ms, in_hand, folded, shown }
    }
}

impl Place {
    fn read(self) -> state::Place {
        let Self { top_up: _, missed, waits, out_since, away_since } = self;
        state::Place { missed, waits, out_since, away_since, ..state::Place::default() }
    }

    fn of(place: &state::Place, top_up: u64) -> Self {
        let state::Place { missed, waits, out_since, away_since, away_used_ms: _, protected_in: _ } = *place;
        Self { top_up, missed, waits, out_since, away_since }
    }
}

impl Rotation {
    fn read(self) -> holdem::between::Rotation {
        holdem::between::Rotation::remembered(self.first_button, self.last, self.owed)
    }

    fn of(rotation: &holdem::between::Rotation) -> Self {
        let owed = std::array::from_fn(|at| {
            let seat = u8::try_from(at).ok().and_then(SeatIndex::new);
            rotation.owed(seat.expect("there are so many seats"))
        });
        Self { first_button: rotation.first_button(), last: rotation.positions(), owed }
    }
}

/// The events as this release knows them.
pub(super) fn read_events(events: Vec<Event>) -> Vec<event::Event> {
    events.into_iter().map(read_event).collect()
}

fn read_event(event: Event) -> event::Event {
    use event::Event as Now;
    match event {
        Event::Seated { seat, user, name, stack, waits } => {
            Now::Seated { seat, user, name, stack, waits, debts: Owed::NOTHING }
        }
        // Long ago: nothing follows from it.
        Event::Left { seat } => Now::Left { seat, at_ms: 0 },
        Event::TopUpPromised { seat, amount } => Now::TopUpPromised { seat, amount },
        Event::ToppedUp { seat, amount } => Now::ToppedUp { seat, amount },
        Event::Status { seat, status, waits, at_ms } => Now::Status { seat, status, waits, at_ms },
        Event::Away { seat, away, at_ms } => Now::Away { seat, away, at_ms },
        Event::HandStarted { setup, rotation, seed } => {
            Now::HandStarted { setup, rotation: rotation.read(), seed }
        }
        Event::Hand { event, timeout } => Now::Hand { event, timeout },
        Event::Turn { deadline_ms } => Now::Turn { deadline_ms },
        Event::Extended { deadline_ms, by } => Now::Extended { deadline_ms, by },
        Event::BankLeft { seat, bank_ms } => Now::BankLeft { seat, bank_ms },
        Event::RunOut { events, at_ms } => Now::RunOut { events, at_ms },
        Event::Paced { at_ms } => Now::Paced { at_ms },
        Event::HandEnded { at_ms, next_ms } => Now::HandEnded { at_ms, next_ms },
        Event::Chat { user, name, text } => Now::Chat { user, name, text },
        Event::HistoryLost { frames } => Now::HistoryLost { frames },
    }
}

/// The same events as far as schema 1 can say them.
pub(super) fn write_events(events: &[event::Event]) -> Vec<Event> {
    events.iter().cloned().filter_map(write_event).collect()
}

fn write_event(event: event::Event) -> Option<Event> {
    use event::Event as Now;
    Some(match event {
        Now::Seated { seat, user, name, stack, waits, debts: _ } => {
            Event::Seated { seat, user, name, stack, waits }
        }
        Now::Left { seat, at_ms: _ } => Event::Left { seat },
        Now::TopUpPromised { seat, amount } => Event::TopUpPromised { seat, amount },
        Now::ToppedUp { seat, amount } => Event::ToppedUp { seat, amount },
        // So that the promise is over there too.
        Now::TopUpLapsed { seat, amount: _ } => Event::ToppedUp { seat, amount: 0 },
        Now::Status { seat, status, waits, at_ms } => Event::Status { seat, status, waits, at_ms },
        Now::Away { seat, away, at_ms } => Event::Away { seat, away, at_ms },
        Now::HandStarted { setup, rotation, seed } => {
            Event::HandStarted { setup, rotation: Rotation::of(&rotation), seed }
        }
        Now::Hand { event, timeout } => Event::Hand { event, timeout },
        Now::Turn { deadline_ms } => Event::Turn { deadline_ms },
        Now::Extended { deadline_ms, by } => Event::Extended { deadline_ms, by },
        Now::BankLeft { seat, bank_ms } => Event::BankLeft { seat, bank_ms },
        Now::AwayBank { .. } => return None,
        Now::RunOut { events, at_ms } => Event::RunOut { events, at_ms },
        Now::Paced { at_ms } => Event::Paced { at_ms },
        Now::HandEnded { at_ms, next_ms } => Event::HandEnded { at_ms, next_ms },
        Now::Chat { user, name, text } => Event::Chat { user, name, text },
        Now::HistoryLost { frames } => Event::HistoryLost { frames },
        // A hand's rules stand in its start; the settings come with the next keyframe.
        Now::Configured { .. } => return None,
        // Its workers know no table at which that is asked.
        Now::Runs { .. } => return None,
        // Schema 1 keeps no log.
        Now::Timed { .. } => return None,
        // And no waiting list.
        Now::Waits { .. }
        | Now::WaiterAway { .. }
        | Now::Called { .. }
        | Now::WaitsNoMore { .. }
        | Now::CallMissed { .. } => return None,
        // It tells its rail nothing.
        Now::CardsTold { .. } => return None,
    })
}
