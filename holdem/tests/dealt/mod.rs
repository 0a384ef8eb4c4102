//! Hands with chosen cards, played action by action: what the tests of this folder tell their stories with.

#![allow(dead_code, reason = "each test binary uses its own part")]

use holdem::{
    Action, Card, Chips, Deck, Event, Hand, HandRules, HandSetup, LegalActions, Rake, Refusal, SEATS_MAX,
    SeatIndex, ShowReason,
};

/// The seat of that number.
pub(crate) fn seat(number: u8) -> SeatIndex {
    SeatIndex::new(number).expect("a seat number below ten")
}

/// No-limit hold'em without rake.
pub(crate) fn blinds(small: u64, big: u64) -> HandRules {
    HandRules::no_limit_holdem(Chips(small), Chips(big))
}

/// Cards written without separators.
pub(crate) fn cards(text: &str) -> Vec<Card> {
    (0..text.len() / 2).map(|at| text[2 * at..2 * at + 2].parse().expect("a card")).collect()
}

/// A deck that deals these hole cards (left of the button first) and this board; everything else is unknown.
pub(crate) fn deck(hole: &[&str], board: &str) -> Deck {
    let hole: Vec<Vec<Card>> = hole.iter().map(|text| cards(text)).collect();
    let mut order: Vec<Option<Card>> = Vec::new();
    for round in 0..hole[0].len() {
        order.extend(hole.iter().map(|hand| Some(hand[round])));
    }
    for (at, card) in cards(board).into_iter().enumerate() {
        // A burn before the flop, the turn, the river, and again for a second board's streets.
        if [0, 3, 4].contains(&at) {
            order.push(None);
        }
        order.push(Some(card));
    }
    Deck::from_order(order)
}

/// A hand under way and all that happened in it.
pub(crate) struct Dealt {
    pub(crate) hand: Hand,
    pub(crate) events: Vec<Event>,
}

impl Dealt {
    pub(crate) fn start(setup: &HandSetup, deck: Deck) -> Dealt {
        let mut events = Vec::new();
        let hand = Hand::start(setup, deck, |event| events.push(event)).expect("a playable setup");
        Dealt { hand, events }
    }

    /// Players in seats 0, 1, ... with these stacks, the button last, a deck from a fixed seed.
    pub(crate) fn simple(rules: HandRules, stacks: &[u64]) -> Dealt {
        Dealt::simple_with(rules, stacks, Deck::shuffled(rules.variant, &holdem::Seed([9; 32])))
    }

    pub(crate) fn simple_with(rules: HandRules, stacks: &[u64], deck: Deck) -> Dealt {
        let stacks: Vec<Chips> = stacks.iter().copied().map(Chips).collect();
        Dealt::start(&HandSetup::simple(rules, stacks.len() as u8 - 1, &stacks), deck)
    }

    pub(crate) fn try_act(&mut self, number: u8, action: Action) -> Result<(), Refusal> {
        self.hand.act(seat(number), action, |event| self.events.push(event))
    }

    #[track_caller]
    fn act(&mut self, number: u8, action: Action) {
        let to_act = self.hand.to_act();
        if let Err(refusal) = self.try_act(number, action) {
            panic!("{action:?} by seat {number} is refused ({refusal}); to act: {to_act:?}");
        }
    }

    #[track_caller]
    pub(crate) fn fold(&mut self, number: u8) {
        self.act(number, Action::Fold);
    }

    #[track_caller]
    pub(crate) fn check(&mut self, number: u8) {
        self.act(number, Action::Check);
    }

    #[track_caller]
    pub(crate) fn call(&mut self, number: u8) {
        self.act(number, Action::Call);
    }

    /// Bets or raises to a total on this street.
    #[track_caller]
    pub(crate) fn to(&mut self, number: u8, total: u64) {
        self.act(number, Action::RaiseTo(Chips(total)));
    }

    /// Everybody calls or checks until the next street, or the end.
    pub(crate) fn quietly_to_next_street(&mut self) {
        let street = self.hand.street();
        while let Some(seat) = self.hand.to_act().filter(|_| self.hand.street() == street) {
            let legal = self.legal();
            self.act(seat.get(), if legal.check { Action::Check } else { Action::Call });
        }
    }

    #[track_caller]
    pub(crate) fn legal(&self) -> LegalActions {
        self.hand.legal_actions().expect("somebody is to act")
    }

    /// The least total the player to act may raise to; `None` if he may not raise.
    #[track_caller]
    pub(crate) fn least_raise_to(&self) -> Option<u64> {
        self.legal().raise.map(|range| range.min_to.0)
    }

    #[track_caller]
    pub(crate) fn to_call(&self) -> u64 {
        self.legal().call.map_or(0, |call| call.0)
    }

    pub(crate) fn actor(&self) -> Option<u8> {
        self.hand.to_act().map(SeatIndex::get)
    }

    pub(crate) fn stack(&self, number: u8) -> u64 {
        self.hand.player(seat(number)).expect("a player").stack().0
    }

    pub(crate) fn stacks(&self) -> Vec<u64> {
        self.hand.seats().map(|(_, player)| player.stack().0).collect()
    }

    /// Who showed, in order, and why.
    pub(crate) fn shown(&self) -> Vec<(u8, ShowReason)> {
        let shown = |event: &Event| match *event {
            Event::Shown { seat, why, .. } => Some((seat.get(), why)),
            _ => None,
        };
        self.events.iter().filter_map(shown).collect()
    }

    pub(crate) fn mucked(&self) -> Vec<u8> {
        let mucked = |event: &Event| match *event {
            Event::Mucked { seat } => Some(seat.get()),
            _ => None,
        };
        self.events.iter().filter_map(mucked).collect()
    }

    /// Pot, board, seat and amount of each award, in order.
    pub(crate) fn awards(&self) -> Vec<(u8, u8, u8, u64)> {
        let award = |event: &Event| match *event {
            Event::PotAwarded { pot, board, seat, amount } => Some((pot, board, seat.get(), amount.0)),
            _ => None,
        };
        self.events.iter().filter_map(award).collect()
    }
}

/// Two boards after an all-in on the flop: 900 from each of two players who show, and a third who folded the seven of clubs.
pub(crate) fn run_twice() -> (HandSetup, Dealt) {
    let rake = Rake { basis_points: 500, caps: [Chips(30); SEATS_MAX - 1] };
    let rules = HandRules { runs_max: 2, rake, ..blinds(50, 100) };
    let setup = HandSetup::simple(rules, 2, &[Chips(1_000), Chips(1_000), Chips(5_000)]);
    let mut order = deck(&["AsAd", "7c2d", "KsKd"], "2c7h8sJcQd").order().to_vec();
    for card in ["Kh", "3c"] {
        order.extend([None, Some(card.parse().expect("a card"))]);
    }
    let mut hand = Dealt::start(&setup, Deck::from_order(order));
    hand.quietly_to_next_street();
    hand.to(0, 900);
    hand.fold(1);
    hand.call(2);
    for voter in [0, 2] {
        hand.hand.vote_runs(seat(voter), 2, |event| hand.events.push(event)).expect("the offer is open");
    }
    (setup, hand)
}
