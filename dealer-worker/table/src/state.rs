//! The state of a table, and what each event does to it.

use std::collections::VecDeque;

use hands::project;
use holdem::{
    Deck, Hand, HandSetup, SeatIndex,
    between::{Owed, Positions, Rotation},
};
use protocol::{
    id::UserId,
    table::{Card, SeatStatus, SeatView, TableConfig, TableEvent, TableView, TurnView},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

use super::{
    event::{Event, Extension},
    leavers::{Leaver, Leavers},
    log::Log,
    rail::ForTheRail,
    stats::Stats,
    waiting::Waiting,
};

/// A table. Changed by `Table::apply_into` and by nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// What everybody sees; kept by the same fold that clients do.
    pub(super) view: TableView,
    /// What else is known of each seat.
    pub(super) places: Vec<Place>,
    /// The hand being played, or the last one: its cards may still be shown.
    pub(super) hand: Option<Box<Hand>>,
    /// Button and blinds from hand to hand.
    pub(super) rotation: Rotation,
    /// How many hands were started.
    pub(super) hands: u64,
    /// How many turns the hand has had.
    pub(super) turns: u64,
    /// The clock of the turn.
    pub(super) turn: Option<TurnClock>,
    /// The rest of a hand without betting.
    pub(super) run_out: Option<RunOut>,
    /// For the lobby.
    pub(super) stats: Stats,
    /// Who has left.
    pub(super) leavers: Leavers,
    /// The hand that is played, for its record.
    pub(super) log: Log,
    /// Who waits for a seat.
    pub(super) waiting: Waiting,
    /// What those see of cards who have no part in the table.
    pub(super) rail: ForTheRail,
}

/// What is known of a seat beyond what everybody sees. An empty seat's is the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Turns in a row that the clock had to play.
    pub(super) missed: u8,
    /// Waits for the big blind.
    pub(super) waits: bool,
    /// Sits out since.
    pub(super) out_since: Option<UnixMs>,
    /// Disconnected since.
    pub(super) away_since: Option<UnixMs>,
    /// So much of the extra time for the disconnected is used, milliseconds.
    pub(super) away_used_ms: u64,
    /// The last hand in which there was some.
    pub(super) protected_in: u64,
}

/// How long the player to act has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TurnClock {
    pub(super) deadline_ms: UnixMs,
    /// The time bank is running.
    pub(super) on_bank: bool,
    /// The extra time for the disconnected was given.
    pub(super) protected: bool,
}

/// See [`Event::RunOut`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RunOut {
    pub(super) events: VecDeque<holdem::Event>,
    pub(super) at_ms: UnixMs,
}

impl Table {
    /// An empty table.
    pub fn new(config: TableConfig) -> Self {
        let first = SeatIndex::new(0).expect("there is a first seat");
        Self {
            places: vec![Place::default(); usize::from(config.seats)],
            view: TableView::new(config),
            hand: None,
            rotation: Rotation::new(first),
            hands: 0,
            turns: 0,
            turn: None,
            run_out: None,
            stats: Stats::default(),
            leavers: Leavers::default(),
            log: Log::default(),
            waiting: Waiting::default(),
            rail: ForTheRail::default(),
        }
    }

    /// The same table without the deck of a hand that is over, which earlier owners did not forget.
    #[must_use]
    pub(super) fn without_past_decks(mut self) -> Self {
        if self.running().is_none() {
            self.hand.iter_mut().for_each(|hand| hand.forget_deck());
        }
        self
    }

    /// What everybody sees.
    pub fn public(&self) -> &TableView {
        &self.view
    }

    /// The settings.
    pub fn config(&self) -> &TableConfig {
        &self.view.config
    }

    /// The hand, while it is being played.
    pub(super) fn running(&self) -> Option<&Hand> {
        let ended = self.view.hand.as_ref().is_none_or(|hand| hand.ended);
        if ended { None } else { self.hand.as_deref() }
    }

    /// Whether a hand is on.
    pub fn is_playing(&self) -> bool {
        self.running().is_some()
    }

    /// Button and blinds of the last hand; `None` before the first.
    pub fn positions(&self) -> Option<Positions> {
        self.rotation.positions()
    }

    /// The player of a seat.
    pub fn seated(&self, seat: u8) -> Option<&SeatView> {
        self.view.seats.get(usize::from(seat))?.as_ref()
    }

    /// All players with their seats.
    pub(super) fn players(&self) -> impl Iterator<Item = (u8, &SeatView)> {
        let seats = (0u8..).zip(&self.view.seats);
        seats.filter_map(|(at, seat)| seat.as_ref().map(|seat| (at, seat)))
    }

    pub(super) fn place(&self, seat: u8) -> &Place {
        &self.places[usize::from(seat)]
    }

    /// Whether the seat's player is in the hand being played.
    pub fn in_running_hand(&self, seat: u8) -> bool {
        self.running().is_some() && self.seated(seat).is_some_and(|player| player.in_hand)
    }

    /// The seat of a user.
    pub fn seat_of(&self, user: &UserId) -> Option<u8> {
        self.view.seat_of(user)
    }

    /// The hole cards that the player of a seat holds in the hand on the table; none for who came later.
    pub(super) fn hole_cards(&self, seat: u8) -> Vec<Card> {
        let dealt_in = self.seated(seat).is_some_and(|player| player.in_hand);
        let hand = self.hand.as_deref().filter(|_| dealt_in);
        let player = SeatIndex::new(seat).zip(hand).and_then(|(seat, hand)| hand.player(seat));
        let known = player.and_then(|player| player.hole_cards().known());
        known.map(|cards| cards.map(project::card).collect()).unwrap_or_default()
    }

    /// The turn as everybody sees it.
    pub(super) fn turn_view(&self) -> Option<&TurnView> {
        self.view.hand.as_ref()?.turn.as_ref()
    }

    /// Does what an event says, and adds to `seen` what everybody sees of it.
    ///
    /// # Panics
    /// If the event cannot follow from this state: the journal would be of another room, or this a fault of ours.
    pub(super) fn apply_into(&mut self, event: &Event, seen: &mut Vec<TableEvent>) {
        let first = seen.len();
        self.change(event, seen);
        // A hand's events are folded into the view one by one as they are projected.
        if !matches!(event, Event::Hand { .. }) {
            for event in &seen[first..] {
                self.show(event);
            }
        }
        debug_assert!(self.view.conserves_chips(), "chips after {event:?}");
    }

    fn show(&mut self, event: &TableEvent) {
        if let Err(misfit) = self.view.apply(event) {
            panic!("{misfit}: {event:?}");
        }
    }

    fn change(&mut self, event: &Event, seen: &mut Vec<TableEvent>) {
        match event {
            Event::Seated { seat, user, name, stack, waits, debts } => {
                let status = self.sit(*seat, user, *waits, *debts);
                let (user, bot, name) = (user.clone(), user.is_bot(), name.clone());
                let (seat, stack, bank_ms) = (*seat, *stack, self.config().bank_ms);
                seen.push(TableEvent::Seated { seat, user, name, bot, stack, status, bank_ms });
            }
            Event::Left { seat, at_ms } => {
                let player = self.seated(*seat).expect("who leaves has a seat");
                let (user, stack) = (player.user.clone(), player.stack);
                self.places[usize::from(*seat)] = Place::default();
                let owed = self.rotation.leave(index(*seat));
                self.leavers.remember(Leaver { user, seat: index(*seat), stack, owed, at_ms: *at_ms });
                seen.push(TableEvent::Left { seat: *seat, stack });
            }
            Event::TopUpPromised { seat, amount } => {
                seen.push(TableEvent::TopUpPromised { seat: *seat, amount: *amount });
            }
            Event::ToppedUp { seat, amount } => {
                seen.push(TableEvent::ToppedUp { seat: *seat, amount: *amount });
            }
            Event::TopUpLapsed { seat, amount } => {
                seen.push(TableEvent::TopUpLapsed { seat: *seat, amount: *amount });
            }
            Event::Status { seat, status, waits, at_ms } => {
                let place = self.place_mut(*seat);
                place.out_since = (*status == SeatStatus::SittingOut).then_some(*at_ms);
                place.waits = *waits;
                place.missed = 0;
                seen.push(TableEvent::Status { seat: *seat, status: *status });
            }
            Event::Away { seat, away, at_ms } => {
                let place = self.place_mut(*seat);
                place.away_since = away.then_some(*at_ms);
                place.missed = 0;
                seen.push(TableEvent::Away { seat: *seat, away: *away });
            }
            Event::Runs { deadline_ms } => {
                let hand = self.hand.as_deref().expect("runs are of a hand");
                let max = hand.runs_offered().expect("they were offered");
                let seats = hand.run_voters().map(SeatIndex::get).collect();
                seen.push(TableEvent::RunsOffered { max, seats, deadline_ms: *deadline_ms });
            }
            Event::Timed { at_ms } => self.log.at(*at_ms),
            Event::Waits { user, name } => self.waiting.join(user.clone(), name.clone()),
            Event::WaiterAway { user, since_ms } => self.waiting.away(user, *since_ms),
            Event::Called { seat, user, until_ms } => self.waiting.call(*seat, user, *until_ms),
            Event::WaitsNoMore { user } => self.waiting.forget(user),
            Event::CallMissed { user, at_ms, until_ms } => self.waiting.miss(user, *at_ms, *until_ms),
            Event::CardsTold { hand } => self.tell_rail(*hand),
            Event::Configured { config } => seen.push(TableEvent::Configured { config: config.clone() }),
            Event::HandStarted { setup, rotation, seed } => {
                let deck = Deck::shuffled(setup.rules.variant, seed);
                let hand = Hand::new(setup, deck).expect("a table's seats make a valid hand");
                self.hands += 1;
                self.turns = 0;
                self.leavers.pass(&self.rotation, rotation);
                self.rotation = *rotation;
                self.log.begin(self.hands, setup, self.dealt_in(setup));
                self.have_played(setup);
                let seats = hand.dealt_in().clockwise_from(hand.button()).map(SeatIndex::get).collect();
                seen.push(TableEvent::HandStarted { hand: self.hands, button: hand.button().get(), seats });
                self.hand = Some(Box::new(hand));
            }
            Event::Hand { event, timeout } => self.play(event, *timeout, seen),
            Event::Turn { deadline_ms } => {
                self.turns += 1;
                self.turn = Some(TurnClock { deadline_ms: *deadline_ms, on_bank: false, protected: false });
                let hand = self.hand.as_deref().expect("a turn is part of a hand");
                let turn = project::turn(hand, self.turns, *deadline_ms);
                seen.push(TableEvent::Turn(turn.expect("a turn is somebody's")));
            }
            Event::Extended { deadline_ms, by } => {
                let turn = self.turn.as_mut().expect("only a turn is extended");
                turn.deadline_ms = *deadline_ms;
                turn.on_bank |= *by == Extension::Bank;
                turn.protected |= *by == Extension::Protection;
                let seat = self.turn_view().expect("a turn is seen").seat;
                if *by == Extension::Protection {
                    self.place_mut(seat).protected_in = self.hands;
                }
                seen.push(TableEvent::Bank { seat, deadline_ms: *deadline_ms });
            }
            Event::BankLeft { seat, bank_ms } => {
                seen.push(TableEvent::BankLeft { seat: *seat, bank_ms: *bank_ms });
            }
            Event::AwayBank { seat, used_ms } => self.place_mut(*seat).away_used_ms = *used_ms,
            Event::RunOut { events, at_ms } => {
                self.run_out = Some(RunOut { events: events.iter().copied().collect(), at_ms: *at_ms });
            }
            Event::Paced { at_ms } => {
                self.run_out.as_mut().expect("only a run-out is paced").at_ms = *at_ms;
            }
            Event::HandEnded { at_ms, next_ms } => {
                self.stats.hand_ended(self.view.hand.as_ref().map_or(0, |_| self.last_pot()), *at_ms);
                let hands = self.hand.as_deref().map(project::shown_hands).unwrap_or_default();
                self.hand.iter_mut().for_each(|hand| hand.forget_deck());
                self.keep_for_the_rail(*at_ms);
                self.log.end(*at_ms);
                seen.push(TableEvent::HandEnded { hand: self.hands, next_ms: *next_ms, hands });
            }
            Event::Chat { user, name, text } => {
                let (user, name, text) = (user.clone(), name.clone(), text.clone());
                seen.push(TableEvent::Chat { bot: user.is_bot(), user, name, text });
            }
            Event::HistoryLost { frames } => seen.push(TableEvent::HistoryLost { frames: *frames }),
        }
    }

    /// A seat is taken: what is known of its player from now on.
    fn sit(&mut self, seat: u8, user: &UserId, waits: bool, debts: Owed) -> SeatStatus {
        *self.place_mut(seat) = Place { waits, ..Place::default() };
        self.rotation.come_again(index(seat), debts);
        self.leavers.forget(user);
        self.waiting.sits(user);
        if waits { SeatStatus::Waiting } else { SeatStatus::Playing }
    }

    /// Whoever was called and is dealt in has come.
    fn have_played(&mut self, setup: &HandSetup) {
        let view = &self.view;
        let is_dealt_in =
            |user: &UserId| setup.seats.iter().any(|dealt| view.seat_of(user) == Some(dealt.seat.get()));
        self.waiting.have_come(is_dealt_in);
    }

    /// A fact of the hand: seen first, since some of what is seen depends on how things stood before.
    fn play(&mut self, event: &holdem::Event, timeout: bool, seen: &mut Vec<TableEvent>) {
        let mut hand = self.hand.take().expect("a hand's events follow its start");
        let first = seen.len();
        self.log.note(event);
        project::before(&hand, &self.view, event, timeout, seen);
        hand.apply(event);
        project::after(&hand, event, seen);
        self.hand = Some(hand);
        for event in &seen[first..] {
            self.show(event);
        }
        if let holdem::Event::Acted { seat, .. } = event {
            self.turn = None;
            let place = self.place_mut(seat.get());
            place.missed = if timeout { place.missed.saturating_add(1) } else { 0 };
        }
        if let Some(run_out) = &mut self.run_out {
            let shown = run_out.events.pop_front();
            debug_assert_eq!(shown.as_ref(), Some(event), "a run-out shows what was decided");
            if run_out.events.is_empty() {
                self.run_out = None;
            }
        }
    }

    /// All that was in the pots of the hand that is on the table.
    fn last_pot(&self) -> u64 {
        let hand = self.hand.as_deref();
        hand.map_or(0, |hand| hand.seats().map(|(_, player)| player.contributed().0).sum())
    }

    fn place_mut(&mut self, seat: u8) -> &mut Place {
        &mut self.places[usize::from(seat)]
    }
}

/// The seat in the words of the rules.
///
/// # Panics
/// If there is no such seat at any table: seats are checked where they come in.
pub(super) fn index(seat: u8) -> SeatIndex {
    SeatIndex::new(seat).expect("a table has at most ten seats")
}
