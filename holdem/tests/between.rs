//! Between hands: button and blinds, and who owes what (Robert's Rules, section 3; TDA 32, 34).

mod dealt;

use dealt::seat;
use holdem::between::{
    Ante, ButtonRule, EntryRule, NextHand, Occupant, Owed, Rotation, Straddles, TableRules,
};
use holdem::{Chips, Deck, Hand, HandRules, PostKind, SetupError};
use proptest::collection::vec;
use proptest::prelude::*;

const CASH: TableRules = TableRules {
    hand: HandRules::no_limit_holdem(Chips(50), Chips(100)),
    ante: Ante::None,
    straddles: Straddles::None,
    button: ButtonRule::Dead,
    entry: EntryRule::PostBlinds,
};

fn player(number: u8) -> Occupant {
    Occupant {
        seat: seat(number),
        stack: Chips(10_000),
        sitting_out: false,
        posts_now: false,
        straddles: false,
    }
}

fn players(numbers: &[u8]) -> Vec<Occupant> {
    numbers.iter().map(|&number| player(number)).collect()
}

/// A cash table from hand to hand.
struct Table {
    rules: TableRules,
    rotation: Rotation,
    seats: Vec<Occupant>,
}

impl Table {
    fn new(rules: TableRules, numbers: &[u8]) -> Table {
        let mut rotation = Rotation::new(seat(0));
        numbers.iter().for_each(|&number| rotation.arrive(seat(number)));
        Table { rules, rotation, seats: players(numbers) }
    }

    fn seat_mut(&mut self, number: u8) -> &mut Occupant {
        self.seats.iter_mut().find(|occupant| occupant.seat == seat(number)).expect("a player")
    }

    fn arrive(&mut self, number: u8) {
        self.rotation.arrive(seat(number));
        self.seats.push(player(number));
    }

    fn leave(&mut self, number: u8) {
        self.rotation.leave(seat(number));
        self.seats.retain(|occupant| occupant.seat != seat(number));
    }

    fn next(&mut self) -> NextHand {
        let next = self.rotation.next_hand(&self.rules, &self.seats).expect("two players or more");
        self.rotation = next.rotation;
        next
    }
}

fn dealt(next: &NextHand) -> Vec<u8> {
    let mut seats: Vec<u8> = next.setup.seats.iter().map(|seat| seat.seat.get()).collect();
    seats.sort_unstable();
    seats
}

fn posts(next: &NextHand, number: u8) -> Vec<(PostKind, u64)> {
    let player = next.setup.seats.iter().find(|player| player.seat == seat(number)).expect("dealt in");
    player.posts.iter().map(|post| (post.kind, post.amount.0)).collect()
}

#[test]
fn button_and_blinds_go_round() {
    let mut table = Table::new(CASH, &[0, 1, 2, 3]);
    for hand in 0..8 {
        let next = table.next();
        assert_eq!(next.setup.button, seat(hand % 4));
        assert_eq!(posts(&next, (hand + 1) % 4), [(PostKind::SmallBlind, 50)]);
        assert_eq!(posts(&next, (hand + 2) % 4), [(PostKind::BigBlind, 100)]);
    }
}

#[test]
fn a_newcomer_waits_for_the_big_blind() {
    let mut table = Table::new(CASH, &[0, 1, 2, 3]);
    table.next();
    table.arrive(5);
    let next = table.next();
    assert_eq!(
        (dealt(&next), next.waiting.contains(seat(5))),
        (vec![0, 1, 2, 3], true),
        "the big blind is on 3"
    );
    let next = table.next();
    assert_eq!(dealt(&next), [0, 1, 2, 3, 5]);
    assert_eq!(posts(&next, 5), [(PostKind::BigBlind, 100)], "his big blind and no more");
    assert_eq!(table.rotation.owed(seat(5)), Owed::NOTHING);
}

#[test]
fn a_newcomer_may_post_a_live_big_blind_at_once() {
    let mut table = Table::new(CASH, &[0, 1, 2, 3]);
    table.next();
    table.arrive(5);
    table.seat_mut(5).posts_now = true;
    let next = table.next();
    assert_eq!(posts(&next, 5), [(PostKind::OwedBlind, 100)]);
    let hand = Hand::start(&next.setup, Deck::unknown(), |_| ()).expect("a playable setup");
    assert_eq!(hand.player(seat(5)).map(|p| p.bet()), Some(Chips(100)), "it is live");
    assert_eq!(hand.to_act(), Some(seat(5)), "and he acts in his turn, here left of the big blind");
    assert!(hand.legal_actions().is_some_and(|legal| legal.check && legal.raise.is_some()));
}

#[test]
fn nobody_enters_between_button_and_big_blind() {
    let mut table = Table::new(CASH, &[0, 2, 4, 6]);
    table.next();
    table.arrive(3);
    table.seat_mut(3).posts_now = true;
    let next = table.next();
    assert_eq!(next.setup.button, seat(2));
    assert_eq!(dealt(&next), [0, 2, 4, 6], "3 sits between the button and the small blind on 4");
    assert!(next.waiting.contains(seat(3)));
    let next = table.next();
    assert_eq!((next.setup.button, dealt(&next)), (seat(4), vec![0, 2, 3, 4, 6]), "the button has passed");
    assert_eq!(posts(&next, 3), [(PostKind::OwedBlind, 100)]);
}

#[test]
fn who_misses_the_big_blind_owes_it_and_both_after_the_small_blind_has_passed() {
    let mut table = Table::new(CASH, &[0, 1, 2, 3, 4]);
    table.next();
    table.seat_mut(3).sitting_out = true;
    let next = table.next();
    assert_eq!(posts(&next, 4), [(PostKind::BigBlind, 100)], "the big blind passes 3 by");
    assert_eq!(table.rotation.owed(seat(3)), Owed { big: true, small: false });
    table.next();
    assert_eq!(table.rotation.owed(seat(3)), Owed { big: true, small: true });
    table.seat_mut(3).sitting_out = false;
    table.seat_mut(3).posts_now = true;
    let next = table.next();
    assert_eq!(
        posts(&next, 3),
        [(PostKind::OwedBlind, 100), (PostKind::DeadBlind, 50)],
        "the small one is dead"
    );
    assert_eq!(table.rotation.owed(seat(3)), Owed::NOTHING);
}

#[test]
fn who_misses_only_the_small_blind_owes_only_that_and_it_is_dead() {
    let mut table = Table::new(CASH, &[0, 1, 2, 3, 4]);
    table.next();
    table.seat_mut(2).sitting_out = true;
    let next = table.next();
    assert_eq!(dealt(&next), [0, 1, 3, 4], "he had the big blind and now misses the small one");
    assert_eq!(table.rotation.owed(seat(2)), Owed { big: false, small: true });
    table.seat_mut(2).sitting_out = false;
    table.seat_mut(2).posts_now = true;
    while !dealt(&table.next()).contains(&2) {}
    assert_eq!(table.rotation.owed(seat(2)), Owed::NOTHING);
}

#[test]
fn who_sits_out_for_the_small_blind_of_three_players_owes_it() {
    let mut table = Table::new(CASH, &[0, 3, 5]);
    assert_eq!(posts(&table.next(), 5), [(PostKind::BigBlind, 100)]);
    table.seat_mut(5).sitting_out = true;
    assert_eq!(posts(&table.next(), 3), [(PostKind::SmallBlind, 50)], "heads-up, and the small blind stays");
    assert_eq!(table.rotation.owed(seat(5)), Owed { big: false, small: true });
}

#[test]
fn who_comes_back_before_a_blind_reached_him_owes_nothing() {
    let mut table = Table::new(CASH, &[0, 1, 2, 3, 4]);
    table.next();
    table.seat_mut(0).sitting_out = true;
    let next = table.next();
    assert_eq!(dealt(&next), [1, 2, 3, 4]);
    table.seat_mut(0).sitting_out = false;
    let next = table.next();
    assert_eq!((dealt(&next), posts(&next, 0)), (vec![0, 1, 2, 3, 4], vec![]));
}

#[test]
fn a_returning_player_who_waits_gets_his_debts_forgiven_by_the_big_blind() {
    let mut table = Table::new(CASH, &[0, 1, 2, 3]);
    table.next();
    table.seat_mut(3).sitting_out = true;
    table.next();
    table.next();
    table.seat_mut(3).sitting_out = false;
    let next = (0..4).map(|_| table.next()).find(|next| dealt(next).contains(&3)).expect("his turn comes");
    assert_eq!(posts(&next, 3), [(PostKind::BigBlind, 100)]);
}

#[test]
fn who_misses_any_blind_owes_all_he_missed_whether_he_waits_or_sits_out() {
    for waits in [true, false] {
        let mut table = Table::new(CASH, &[0, 1, 2, 3, 4]);
        table.next();
        table.seat_mut(3).sitting_out = true;
        table.next();
        assert_eq!(table.rotation.owed(seat(3)), Owed { big: true, small: false });
        // Back, and not dealt in until the button has passed: the small blind passes meanwhile.
        table.seat_mut(3).sitting_out = !waits;
        assert!(!dealt(&table.next()).contains(&3));
        assert_eq!(table.rotation.owed(seat(3)), Owed { big: true, small: true }, "waits: {waits}");
        table.seat_mut(3).sitting_out = false;
        table.seat_mut(3).posts_now = true;
        let next = table.next();
        assert_eq!(posts(&next, 3), [(PostKind::OwedBlind, 100), (PostKind::DeadBlind, 50)]);
    }
}

#[test]
fn a_returning_player_who_wants_to_post_and_has_to_let_the_button_pass_owes_what_passes_him_too() {
    let mut table = Table::new(CASH, &[0, 1, 2, 3, 4]);
    table.next();
    table.seat_mut(3).sitting_out = true;
    table.next();
    table.seat_mut(3).sitting_out = false;
    table.seat_mut(3).posts_now = true;
    assert!(!dealt(&table.next()).contains(&3), "he sits between button and big blind");
    assert_eq!(posts(&table.next(), 3), [(PostKind::OwedBlind, 100), (PostKind::DeadBlind, 50)]);
}

#[test]
fn a_newcomer_who_lets_the_button_pass_owes_the_big_blind_only() {
    let mut table = Table::new(CASH, &[0, 2, 4, 6]);
    table.next();
    table.arrive(3);
    table.seat_mut(3).posts_now = true;
    table.next();
    assert_eq!(
        posts(&table.next(), 3),
        [(PostKind::OwedBlind, 100)],
        "he was never there to miss a small blind"
    );
}

#[test]
fn who_leaves_and_comes_again_owes_what_he_owed_and_what_passed_his_seat_meanwhile() {
    let mut table = Table::new(CASH, &[0, 1, 2, 3, 4]);
    table.next();
    table.seat_mut(3).sitting_out = true;
    table.next();
    let mut debts = table.rotation.leave(seat(3)).expect("he was in the game");
    table.seats.retain(|occupant| occupant.seat != seat(3));
    assert_eq!(debts, Owed { big: true, small: false });
    let before = table.rotation;
    table.next();
    debts = debts.and(before.missed(&table.rotation, seat(3)));
    assert_eq!(debts, Owed { big: true, small: true }, "the small blind passed his seat");
    table.rotation.come_again(seat(3), debts);
    table.seats.push(Occupant { posts_now: true, ..player(3) });
    assert_eq!(posts(&table.next(), 3), [(PostKind::OwedBlind, 100), (PostKind::DeadBlind, 50)]);
}

#[test]
fn a_game_that_fell_apart_begins_anew_without_debts() {
    let mut table = Table::new(CASH, &[0, 1]);
    table.next();
    table.leave(1);
    table.arrive(4);
    let next = table.next();
    assert_eq!(dealt(&next), [0, 4]);
    assert_eq!(posts(&next, 4), [(PostKind::BigBlind, 100)]);
}

#[test]
fn in_a_tournament_everybody_is_dealt_in_and_owes_nothing() {
    let mut table = Table::new(TableRules { entry: EntryRule::Free, ..CASH }, &[0, 1, 2, 3]);
    table.next();
    table.seat_mut(3).sitting_out = true;
    table.arrive(5);
    let next = table.next();
    assert_eq!((dealt(&next), posts(&next, 5)), (vec![0, 1, 2, 3, 5], vec![]));
    assert_eq!(posts(&next, 3), [(PostKind::BigBlind, 100)], "absent or not, he is blinded off");
}

#[test]
fn at_a_play_money_table_who_sits_out_is_not_dealt_in_and_owes_nothing() {
    let mut table = Table::new(TableRules { entry: EntryRule::NothingOwed, ..CASH }, &[0, 1, 2, 3, 4]);
    table.next();
    table.seat_mut(3).sitting_out = true;
    for _ in 0..3 {
        assert_eq!(dealt(&table.next()), [0, 1, 2, 4]);
    }
    table.seat_mut(3).sitting_out = false;
    let next = table.next();
    assert_eq!((dealt(&next), posts(&next, 3)), (vec![0, 1, 2, 3, 4], vec![]));
}

#[test]
fn rule_8_a_nobody_new_is_dealt_in_between_small_blind_and_button() {
    for entry in [EntryRule::Free, EntryRule::NothingOwed] {
        let mut table = Table::new(TableRules { entry, ..CASH }, &[0, 2, 5, 7]);
        table.next();
        table.arrive(3);
        let next = table.next();
        assert_eq!(
            (next.setup.button, table.rotation.positions().map(|at| at.small_blind)),
            (seat(2), Some(seat(5)))
        );
        assert_eq!(dealt(&next), [0, 2, 5, 7], "{entry:?}: 3 sits between the button and the small blind");
        assert!(next.waiting.contains(seat(3)));
        let next = table.next();
        assert_eq!(
            (dealt(&next), posts(&next, 3)),
            (vec![0, 2, 3, 5, 7], vec![]),
            "{entry:?}: the button has passed"
        );
    }
}

#[test]
fn rule_8_a_a_new_player_may_get_the_big_blind_the_small_blind_or_the_button() {
    let tournament = TableRules { entry: EntryRule::Free, ..CASH };
    // The last hand: button 0, small blind 2, big blind 5. Whoever takes a seat that was left takes its place.
    let with = |left: Option<u8>, new: u8| {
        let mut table = Table::new(tournament, &[0, 2, 5, 7]);
        table.next();
        left.into_iter().for_each(|number| table.leave(number));
        table.arrive(new);
        let next = table.next();
        (next.setup.button.get(), posts(&next, new))
    };
    assert_eq!(with(None, 6), (2, vec![(PostKind::BigBlind, 100)]));
    assert_eq!(with(Some(5), 5), (2, vec![(PostKind::SmallBlind, 50)]));
    assert_eq!(with(Some(2), 2), (2, vec![]));
}

#[test]
fn a_third_player_joins_heads_up_play_on_either_side() {
    for newcomer in [1, 3] {
        let mut table = Table::new(CASH, &[0, 2]);
        let first = table.next();
        assert_eq!(posts(&first, 2), [(PostKind::BigBlind, 100)]);
        table.arrive(newcomer);
        let mut last_big_blind = 2;
        for _ in 0..6 {
            table.next();
            let at = table.rotation.positions().expect("a hand was dealt");
            assert_ne!(at.big_blind.get(), last_big_blind, "nobody has the big blind twice running");
            last_big_blind = at.big_blind.get();
        }
        assert_eq!(dealt(&table.next()), if newcomer == 1 { [0, 1, 2] } else { [0, 2, 3] });
    }
}

#[test]
fn a_moving_button_passes_over_empty_seats() {
    let mut table = Table::new(TableRules { button: ButtonRule::Moving, ..CASH }, &[0, 1, 2, 3, 4]);
    table.next();
    table.leave(1);
    let next = table.next();
    assert_eq!(next.setup.button, seat(2));
    assert_eq!(posts(&next, 3), [(PostKind::SmallBlind, 50)]);
    assert_eq!(posts(&next, 4), [(PostKind::BigBlind, 100)]);
}

#[test]
fn antes_are_paid_by_whom_the_table_says() {
    let who = |ante: Ante| -> Vec<(u8, PostKind)> {
        let next = Table::new(TableRules { ante, ..CASH }, &[0, 1, 2]).next();
        let antes = next
            .setup
            .seats
            .iter()
            .flat_map(|seat| seat.posts.iter().map(|post| (seat.seat.get(), post.kind)));
        antes.filter(|(_, kind)| !kind.is_live()).collect()
    };
    assert_eq!(
        who(Ante::PerPlayer(Chips(10))),
        [(0, PostKind::Ante), (1, PostKind::Ante), (2, PostKind::Ante)]
    );
    assert_eq!(who(Ante::BigBlind(Chips(100))), [(2, PostKind::TableAnte)]);
    assert_eq!(who(Ante::Button(Chips(100))), [(0, PostKind::TableAnte)]);
    assert_eq!(who(Ante::None), []);
}

#[test]
fn a_blind_that_no_table_can_count_is_refused_by_the_hand() {
    let hand = HandRules::no_limit_holdem(Chips(1), Chips(u64::MAX));
    let next = Table::new(TableRules { hand, straddles: Straddles::Either, ..CASH }, &[0, 1, 2]).next();
    assert_eq!(Hand::start(&next.setup, Deck::unknown(), |_| ()), Err(SetupError::TooManyChips));
}

#[test]
fn at_most_one_player_straddles_and_the_button_has_the_first_say() {
    let straddler = |straddles: Straddles, willing: &[u8], numbers: &[u8]| {
        let mut table = Table::new(TableRules { straddles, ..CASH }, numbers);
        willing.iter().for_each(|&number| table.seat_mut(number).straddles = true);
        let next = table.next();
        let straddlers: Vec<u8> = next
            .setup
            .seats
            .iter()
            .filter(|seat| {
                seat.posts.iter().any(|post| post.kind == PostKind::Straddle && post.amount == Chips(200))
            })
            .map(|seat| seat.seat.get())
            .collect();
        assert!(straddlers.len() <= 1);
        straddlers.first().copied()
    };
    let five = [0, 1, 2, 3, 4];
    assert_eq!(straddler(Straddles::None, &five, &five), None);
    assert_eq!(straddler(Straddles::UnderTheGun, &five, &five), Some(3));
    assert_eq!(straddler(Straddles::Button, &five, &five), Some(0));
    assert_eq!(straddler(Straddles::Either, &five, &five), Some(0));
    assert_eq!(straddler(Straddles::Either, &[3, 4], &five), Some(3));
    assert_eq!(straddler(Straddles::UnderTheGun, &[4], &five), None, "only from under the gun");
    assert_eq!(straddler(Straddles::Either, &[0, 1], &[0, 1]), None, "not heads-up");
    assert_eq!(
        straddler(Straddles::Either, &[0, 1, 2], &[0, 1, 2]),
        Some(0),
        "three-handed both places are one"
    );
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Arrive(u8),
    Leave(u8),
    SitOut(u8),
    Return(u8, bool),
    Deal,
}

fn any_move() -> impl Strategy<Value = Move> {
    let place = 0..10u8;
    prop_oneof![
        1 => place.clone().prop_map(Move::Arrive),
        1 => place.clone().prop_map(Move::Leave),
        1 => place.clone().prop_map(Move::SitOut),
        1 => (place, any::<bool>()).prop_map(|(number, posts)| Move::Return(number, posts)),
        5 => Just(Move::Deal),
    ]
}

fn any_entry() -> impl Strategy<Value = EntryRule> {
    prop_oneof![Just(EntryRule::PostBlinds), Just(EntryRule::Free), Just(EntryRule::NothingOwed)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// However players come and go: every hand is playable, has one big blind, never the one of the hand before, the
    /// button right before the blinds, and nobody plays who owes more than he posts.
    #[test]
    fn every_next_hand_is_in_order(moves in vec(any_move(), 0..60), moving in any::<bool>(), entry in any_entry()) {
        let rules = TableRules {
            button: if moving { ButtonRule::Moving } else { ButtonRule::Dead },
            entry,
            ..CASH
        };
        let mut table = Table::new(rules, &[0, 3, 5]);
        let mut ledger = Ledger::default();
        for step in moves {
            let taken = |table: &Table, number| table.seats.iter().any(|occupant| occupant.seat == seat(number));
            match step {
                Move::Arrive(number) if !taken(&table, number) => {
                    ledger.arrive(number, table.rotation.positions().is_some());
                    table.arrive(number);
                }
                Move::Leave(number) if taken(&table, number) => table.leave(number),
                Move::SitOut(number) if taken(&table, number) => table.seat_mut(number).sitting_out = true,
                Move::Return(number, posts) if taken(&table, number) => {
                    table.seat_mut(number).sitting_out = false;
                    table.seat_mut(number).posts_now = posts;
                }
                Move::Deal => {
                    let before = table.rotation;
                    let Some(next) = table.rotation.next_hand(&table.rules, &table.seats) else { continue };
                    table.rotation = next.rotation;
                    check_next_hand(&before, &next)?;
                    match entry {
                        EntryRule::PostBlinds => ledger.check(&before, &table.seats, &next)?,
                        EntryRule::Free | EntryRule::NothingOwed => check_free_entry(entry, &table.seats, &next)?,
                    }
                }
                _ => {}
            }
        }
    }
}

fn check_next_hand(before: &Rotation, next: &NextHand) -> Result<(), TestCaseError> {
    let at = next.rotation.positions().expect("a hand is dealt");
    let seats = dealt(next);
    let count =
        |kind| next.setup.seats.iter().flat_map(|seat| &seat.posts).filter(|post| post.kind == kind).count();
    prop_assert!(seats.contains(&at.big_blind.get()));
    prop_assert_eq!(count(PostKind::BigBlind), 1);
    prop_assert!(count(PostKind::SmallBlind) <= 1);
    prop_assert_eq!(next.setup.button, at.button);
    if let Some(last) = before.positions()
        && seats.contains(&last.big_blind.get())
    {
        prop_assert_ne!(last.big_blind, at.big_blind, "the big blind twice running");
    }
    if seats.len() == 2 {
        prop_assert_eq!(at.button, at.small_blind, "heads-up the button is the small blind");
    } else {
        let order: Vec<u8> = at.big_blind.clockwise().map(|seat| seat.get()).collect();
        let place = |seat: holdem::SeatIndex| order.iter().position(|&number| number == seat.get());
        prop_assert!(
            place(at.button) < place(at.small_blind),
            "button, small blind, big blind in this order"
        );
        prop_assert!(place(at.small_blind) < place(at.big_blind));
        let between = seats.iter().any(|&number| {
            let place = order.iter().position(|&other| other == number);
            place > place_of(&order, at.small_blind.get()) && place < place_of(&order, at.big_blind.get())
        });
        prop_assert!(!between, "nobody is dealt in between the blinds");
    }
    prop_assert!(Hand::start(&next.setup, Deck::unknown(), |_| ()).is_ok());
    Ok(())
}

/// Nobody owes anything: whoever may play does, but for a newcomer in the one place where he must not.
fn check_free_entry(entry: EntryRule, seats: &[Occupant], next: &NextHand) -> Result<(), TestCaseError> {
    let at = next.rotation.positions().expect("a hand is dealt");
    for occupant in seats {
        let number = occupant.seat.get();
        let plays = dealt(next).contains(&number);
        let may = entry == EntryRule::Free || !occupant.sitting_out;
        prop_assert!(may || !plays);
        prop_assert!(!plays || posts(next, number).iter().all(|(kind, _)| *kind != PostKind::OwedBlind));
        // Heads-up the positions are those of two, whatever places the others would have had.
        if may && !plays && dealt(next).len() > 2 {
            let order: Vec<u8> = at.button.clockwise().map(|seat| seat.get()).collect();
            prop_assert!(
                place_of(&order, number) < place_of(&order, at.small_blind.get()),
                "{number} {at:?}"
            );
        }
    }
    Ok(())
}

/// The blinds that each player owes, kept apart from the rules: what passed his seat while he was not dealt in.
#[derive(Default)]
struct Ledger {
    owed: [Owed; 10],
    /// Was never dealt in, and no big blind has passed him.
    new: [bool; 10],
}

impl Ledger {
    fn arrive(&mut self, number: u8, game_is_on: bool) {
        self.owed[usize::from(number)] = if game_is_on { Owed::NEWCOMER } else { Owed::NOTHING };
        self.new[usize::from(number)] = game_is_on;
    }

    fn check(&mut self, before: &Rotation, seats: &[Occupant], next: &NextHand) -> Result<(), TestCaseError> {
        let at = next.rotation.positions().expect("a hand is dealt");
        let is_even = |number: u8| self.owed[usize::from(number)] == Owed::NOTHING;
        // With fewer than two who are even the game has begun anew.
        let anew = dealt(next).into_iter().filter(|&number| is_even(number)).count() < 2;
        for number in seats.iter().map(|occupant| occupant.seat.get()) {
            let owed = &mut self.owed[usize::from(number)];
            if dealt(next).contains(&number) {
                let posted = posts(next, number);
                let has = |kind| posted.iter().any(|(posted, _)| *posted == kind);
                if !anew && !has(PostKind::BigBlind) {
                    prop_assert_eq!(
                        *owed,
                        Owed { big: has(PostKind::OwedBlind), small: has(PostKind::DeadBlind) }
                    );
                }
                *owed = Owed::NOTHING;
                self.new[usize::from(number)] = false;
            } else if let Some(last) = before.positions() {
                let passed = |from: holdem::SeatIndex, to: holdem::SeatIndex| {
                    let way: Vec<u8> = from.clockwise().map(|seat| seat.get()).collect();
                    place_of(&way, number) < place_of(&way, to.get()) && number != from.get()
                };
                let moved = last.small_blind != at.small_blind && number != last.small_blind.get();
                let went_by = passed(last.small_blind, at.small_blind) || number == at.small_blind.get();
                let was_due = number == last.big_blind.get();
                owed.small |= (was_due || (moved && went_by)) && !self.new[usize::from(number)];
                if passed(last.big_blind, at.big_blind) {
                    owed.big = true;
                    self.new[usize::from(number)] = false;
                }
            }
        }
        Ok(())
    }
}

fn place_of(order: &[u8], number: u8) -> Option<usize> {
    order.iter().position(|&other| other == number)
}
