//! What must hold in every hand, checked while a hand of any kind is played by arbitrary choices. The property tests and
//! the fuzz target share it.

#![allow(dead_code, reason = "each user takes its own part")]

use holdem::{
    Action, AnteOrder, Chips, Deck, Event, Hand, HandRules, HandSetup, LegalActions, Limit, Post, PostKind,
    Rake, Refusal, SEATS_MAX, SeatIndex, SeatSet, SeatSetup, Seed, Variant, evaluate,
};

/// Arbitrary bytes as a source of choices; zeros when they run out.
pub(crate) struct Choices<'a>(pub(crate) &'a [u8]);

impl Choices<'_> {
    /// A number below `bound`, of up to 32 bits.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let width = if bound <= 1 << 8 { 1 } else { 4 };
        let (head, tail) = self.0.split_at(width.min(self.0.len()));
        self.0 = tail;
        head.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)) % bound
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 1
    }
}

/// A table of any game, size, blinds, debts, antes, rake; seats scattered; the button perhaps dead.
pub(crate) fn any_setup(choices: &mut Choices<'_>) -> HandSetup {
    const VARIANTS: [Variant; 5] =
        [Variant::Holdem, Variant::Omaha, Variant::ShortDeck, Variant::Omaha5, Variant::Omaha6];
    let variant = VARIANTS[choices.below(5) as usize];
    let limit = if choices.one_in(2) { Limit::PotLimit } else { Limit::NoLimit };
    let big_blind = Chips(1 + choices.below(100));
    let small_blind = Chips(choices.below(big_blind.0 + 1));
    let rake = match choices.below(3) {
        0 => Rake::NONE,
        _ => Rake {
            basis_points: choices.below(2_000) as u16,
            caps: [Chips(choices.below(50)); SEATS_MAX - 1],
        },
    };
    let ante_order = if choices.one_in(3) { AnteOrder::AfterBlinds } else { AnteOrder::BeforeBlinds };
    let runs_max = 1 + choices.below(3) as u8;
    let rules = HandRules {
        variant,
        limit,
        ante_order,
        rake,
        runs_max,
        ..HandRules::no_limit_holdem(small_blind, big_blind)
    };
    let wanted = 2 + choices.below(variant.players_max() as u64 - 1) as usize;
    let mut free: Vec<SeatIndex> = (0..SEATS_MAX as u8).filter_map(SeatIndex::new).collect();
    let taken: Vec<SeatIndex> =
        (0..wanted).map(|_| free.swap_remove(choices.below(free.len() as u64) as usize)).collect();
    let button = SeatIndex::new(choices.below(SEATS_MAX as u64) as u8).expect("below ten");
    let taken: SeatSet = taken.into_iter().collect();
    let order: Vec<SeatIndex> = taken.clockwise_from(button).collect();
    let (small, big) = if wanted == 2 { (1, 0) } else { (0, 1) };
    let ante = Chips(choices.below(big_blind.0 + 1));
    let ante_kind = choices.below(4);
    let seats = order.iter().enumerate().map(|(place, &seat)| {
        let stack = match choices.below(4) {
            0 => 1 + choices.below(3 * big_blind.0),
            1 => 1 + choices.below(20 * big_blind.0),
            2 => 1 + choices.below(300 * big_blind.0),
            _ => 1 + choices.below(u64::from(u32::MAX)),
        };
        let mut posts: Vec<Post> = Vec::new();
        if place == big {
            posts.push(Post { kind: PostKind::BigBlind, amount: big_blind });
        } else if place == small && !choices.one_in(10) {
            posts.push(Post { kind: PostKind::SmallBlind, amount: small_blind });
        } else if choices.one_in(10) {
            posts.push(Post { kind: PostKind::OwedBlind, amount: big_blind });
        } else if choices.one_in(10) {
            posts.push(Post { kind: PostKind::DeadBlind, amount: small_blind });
        } else if choices.one_in(10) {
            posts.push(Post { kind: PostKind::Straddle, amount: Chips(2 * big_blind.0) });
        }
        match ante_kind {
            1 => posts.push(Post { kind: PostKind::Ante, amount: ante }),
            2 if place == big => posts.push(Post { kind: PostKind::TableAnte, amount: ante }),
            _ => {}
        }
        SeatSetup { seat, stack: Chips(stack), posts: posts.into_iter().collect() }
    });
    HandSetup { rules, button, seats: seats.collect() }
}

/// Plays a hand by the choices and panics where an invariant does not hold.
pub(crate) fn play_and_check(choices: &mut Choices<'_>) -> (HandSetup, Hand, Vec<Event>) {
    let setup = any_setup(choices);
    let (hand, events) = play_and_check_setup(&setup, choices);
    (setup, hand, events)
}

/// The same from a given setup.
pub(crate) fn play_and_check_setup(setup: &HandSetup, choices: &mut Choices<'_>) -> (Hand, Vec<Event>) {
    let seed = Seed(std::array::from_fn(|_| choices.below(256) as u8));
    let deck = Deck::shuffled(setup.rules.variant, &seed);
    let chips: Chips = setup.seats.iter().map(|seat| seat.stack).sum();
    let mut events = Vec::new();
    let mut hand = Hand::start(setup, deck.clone(), |event| events.push(event)).expect("a playable setup");
    // Each raise adds at least a chip per chip of full raise; everything else is bounded by seats and streets.
    let deepest = setup.seats.iter().map(|seat| seat.stack.0).max().expect("two seats");
    let actions_max = 4 * SEATS_MAX as u64 * (3 + deepest / setup.rules.big_blind.0);
    let mut actions = 0;
    loop {
        assert_eq!(chips_on_table(&hand), chips, "chips are conserved");
        assert_pots_are_contributions(&hand);
        if let Some(seat) = hand.to_act() {
            let legal = hand.legal_actions().expect("a seat is to act");
            assert_exactly_the_legal_actions_are_accepted(&hand, seat, &legal);
            hand.act(seat, any_action(&legal, choices), |event| events.push(event)).expect("a legal action");
            actions += 1;
            assert!(actions <= actions_max, "a hand ends");
        } else if let Some(seat) = { hand.run_voters().next() } {
            let max = offered(&events);
            assert!(hand.clone().vote_runs(seat, max + 1, |_| ()).is_err(), "more boards than offered");
            let boards = 1 + choices.below(max.into()) as u8;
            hand.vote_runs(seat, boards, |event| events.push(event)).expect("the offer is open");
        } else {
            break;
        }
    }
    assert!(hand.ended(), "a hand that waits for nobody is over");
    assert!(hand.boards().iter().all(|board| board.known().is_some()), "no board outlasts the deck");
    assert_settled_pot_by_pot(setup, &hand, &events);
    assert_replay_gives_the_state(setup, deck, &hand, &events);
    (hand, events)
}

fn offered(events: &[Event]) -> u8 {
    let offer = |event: &Event| match *event {
        Event::RunsOffered { max } => Some(max),
        _ => None,
    };
    events.iter().rev().find_map(offer).expect("there are voters")
}

fn chips_on_table(hand: &Hand) -> Chips {
    let stacks: Chips = hand.seats().map(|(_, player)| player.stack()).sum();
    stacks + hand.pot_total() + hand.rake()
}

fn assert_pots_are_contributions(hand: &Hand) {
    let pots: Chips = hand.pots().iter().map(|pot| pot.amount).sum();
    let put_in: Chips = hand.seats().map(|(_, player)| player.contributed() - player.bet()).sum();
    assert_eq!(pots, put_in, "pots sum to contributions");
    let nested =
        hand.pots().windows(2).all(|pair| pair[1].eligible.and(pair[0].eligible) == pair[1].eligible);
    assert!(nested, "who may win a side pot may win the pots before it");
}

fn any_action(legal: &LegalActions, choices: &mut Choices<'_>) -> Action {
    let passive = if legal.check { Action::Check } else { Action::Call };
    match (choices.below(8), legal.raise) {
        (0, _) => Action::Fold,
        (1, Some(range)) => Action::RaiseTo(range.min_to),
        (2, Some(range)) => Action::RaiseTo(range.max_to),
        (3, Some(range)) => {
            Action::RaiseTo(Chips(range.min_to.0 + choices.below(range.max_to.0 - range.min_to.0 + 1)))
        }
        _ => passive,
    }
}

fn assert_exactly_the_legal_actions_are_accepted(hand: &Hand, seat: SeatIndex, legal: &LegalActions) {
    let accepts = |seat, action| -> Result<(), Refusal> { hand.clone().act(seat, action, |_| ()) };
    assert!(legal.fold && accepts(seat, Action::Fold).is_ok());
    assert_eq!(accepts(seat, Action::Check).is_ok(), legal.check);
    assert_eq!(accepts(seat, Action::Call).is_ok(), legal.call.is_some());
    assert_ne!(legal.check, legal.call.is_some(), "either there is something to call or there is not");
    match legal.raise {
        None => {
            for to in [Chips(1), Chips(hand.bet_level().0 + hand.full_raise().0), Chips::TABLE_MAX] {
                assert!(accepts(seat, Action::RaiseTo(to)).is_err());
            }
        }
        Some(range) => {
            assert!(range.min_to <= range.max_to);
            assert!(accepts(seat, Action::RaiseTo(range.min_to)).is_ok());
            assert!(accepts(seat, Action::RaiseTo(range.max_to)).is_ok());
            assert!(accepts(seat, Action::RaiseTo(Chips(range.max_to.0 + 1))).is_err());
            assert!(accepts(seat, Action::RaiseTo(Chips(range.min_to.0 - 1))).is_err());
        }
    }
    for other in (0..SEATS_MAX as u8).filter_map(SeatIndex::new).filter(|&other| other != seat) {
        assert!(accepts(other, Action::Fold).is_err(), "only one seat acts at a time");
    }
}

/// Settles the pots again, the main pot first and each by itself, and compares with what was awarded outermost first.
fn assert_settled_pot_by_pot(setup: &HandSetup, hand: &Hand, events: &[Event]) {
    let mut rakes = vec![Chips::ZERO; SEATS_MAX];
    let mut awarded = [Chips::ZERO; SEATS_MAX];
    for event in events {
        match *event {
            Event::RakeTaken { pot, amount } => rakes[pot as usize] += amount,
            Event::PotAwarded { seat, amount, .. } => awarded[seat.index()] += amount,
            _ => {}
        }
    }
    let mut expected = [Chips::ZERO; SEATS_MAX];
    let boards = hand.boards();
    for (pot, rake) in hand.pots().iter().zip(rakes) {
        let claims = pot.eligible.and(hand.live());
        let claims = if claims.is_empty() { hand.live() } else { claims };
        for (board, number) in boards.iter().zip(0u64..) {
            let net = (pot.amount - rake).0;
            let part = net / boards.len() as u64 + u64::from(number < net % boards.len() as u64);
            let strength = |seat: SeatIndex| {
                let player = hand.player(seat).expect("eligible players were dealt in");
                evaluate::strength(setup.rules.variant, player.hole_cards(), board)
            };
            let best = claims.iter().map(strength).max().expect("somebody is eligible");
            let winners: Vec<SeatIndex> =
                claims.clockwise_from(setup.button).filter(|&seat| strength(seat) == best).collect();
            for (&seat, place) in winners.iter().zip(0u64..) {
                let count = winners.len() as u64;
                expected[seat.index()] += Chips(part / count + u64::from(place < part % count));
            }
        }
    }
    assert_eq!(awarded, expected, "settlement does not depend on the order of the pots");
    if hand.street() == holdem::Street::Preflop {
        assert_eq!(hand.rake(), Chips::ZERO, "no flop, no drop");
    }
}

fn assert_replay_gives_the_state(setup: &HandSetup, deck: Deck, hand: &Hand, events: &[Event]) {
    let mut replayed = Hand::new(setup, deck).expect("the same setup");
    events.iter().for_each(|event| replayed.apply(event));
    assert_eq!(&replayed, hand, "replaying the events gives the state");

    let mut observer = Hand::new(setup, Deck::unknown()).expect("the same setup");
    events.iter().filter_map(Event::public).for_each(|event| observer.apply(&event));
    for ((seat, seen), (_, player)) in observer.seats().zip(hand.seats()) {
        assert_eq!((seen.stack(), seen.contributed()), (player.stack(), player.contributed()), "seat {seat}");
        assert_eq!(seen.hole_cards().known().is_some(), player.shown(), "only shown cards are seen");
    }
}
