//! The illustrations of the TDA rules of 2022, each as a test: rules 16, 17, 20, 21, 32, 34, 43, 47 and 54.
//! The players are called A, B, C ... as there; the constants give their seats.

mod dealt;

use dealt::{Dealt, blinds, deck, seat};
use holdem::between::positions::Positions;
use holdem::between::{Ante, ButtonRule, EntryRule, Occupant, Rotation, Straddles, TableRules};
use holdem::{
    Action, Chips, HandRules, HandSetup, Limit, PostKind, RefusalCode, ShowReason, Street, Variant,
};

const A: u8 = 0;
const B: u8 = 1;
const C: u8 = 2;
const D: u8 = 3;
const E: u8 = 4;
const F: u8 = 5;

/// On the flop with everybody in for the big blind; A is the first to act.
fn on_the_flop(rules: HandRules, stacks: &[u64]) -> Dealt {
    let with_the_blind: Vec<u64> = stacks.iter().map(|stack| stack + rules.big_blind.0).collect();
    let mut hand = Dealt::simple(rules, &with_the_blind);
    hand.quietly_to_next_street();
    assert_eq!((hand.hand.street(), hand.actor()), (Street::Flop, Some(A)));
    hand
}

#[test]
fn rule_16_example_1_both_hands_are_tabled_before_the_river() {
    let mut hand = on_the_flop(blinds(50, 100), &[1_000, 5_000]);
    hand.quietly_to_next_street();
    assert_eq!(hand.hand.street(), Street::Turn);
    hand.to(A, 1_000);
    assert!(hand.shown().is_empty());
    hand.call(B);
    assert_eq!(hand.shown(), [(A, ShowReason::AllIn), (B, ShowReason::AllIn)]);
    let shown = hand.events.iter().position(|e| matches!(e, holdem::Event::Shown { .. }));
    let river = hand
        .events
        .iter()
        .position(|e| matches!(e, holdem::Event::StreetDealt { street: Street::River, .. }));
    assert!(shown < river, "the hands are tabled, then the river is dealt");
}

#[test]
fn rule_16_example_2_hands_stay_down_while_betting_is_possible() {
    let mut hand = Dealt::simple(blinds(50, 100), &[700, 5_000, 5_000]);
    hand.call(C);
    hand.to(A, 700);
    hand.call(B);
    hand.call(C);
    assert!(hand.shown().is_empty(), "B and C both have chips");
    hand.check(B);
    hand.check(C);
    assert!(hand.shown().is_empty(), "betting is still possible");
    hand.to(B, 4_300);
    hand.call(C);
    assert_eq!(hand.shown().iter().map(|shown| shown.0).collect::<Vec<_>>(), [A, B, C]);
    assert!(hand.shown().iter().all(|shown| shown.1 == ShowReason::AllIn));
    let pots: Vec<u8> = hand.awards().iter().map(|award| award.0).collect();
    assert!(pots.is_sorted_by(|side, main| side >= main), "the side pot is awarded before the main pot");
}

#[test]
fn rule_16_example_3_all_are_tabled_after_the_river_when_one_is_all_in() {
    let mut hand = Dealt::simple(blinds(50, 100), &[700, 5_000, 5_000]);
    hand.call(C);
    hand.to(A, 700);
    hand.call(B);
    hand.call(C);
    hand.check(B);
    hand.check(C);
    hand.to(B, 1_000);
    hand.call(C);
    assert!(hand.shown().is_empty(), "the river remains to be bet");
    hand.check(B);
    assert!(hand.shown().is_empty());
    hand.check(C);
    assert_eq!(hand.shown().len(), 3, "nobody may muck, neither for the side pot nor for the main pot");
    assert!(hand.mucked().is_empty());
    assert_eq!(hand.awards()[0].0, 1, "the 2,000 side pot first");
}

#[test]
fn rule_17_a_the_last_aggressor_of_the_last_street_tables_first() {
    // B has the best hand, so that A, who bet last, shows first and B after him; C is beaten and mucks.
    let deck = deck(&["QsQd", "AsAd", "7c2d"], "KhJh8s4c3d");
    let mut hand = Dealt::simple_with(blinds(50, 100), &[5_000; 3], deck);
    hand.quietly_to_next_street();
    hand.quietly_to_next_street();
    hand.quietly_to_next_street();
    hand.to(A, 500);
    hand.call(B);
    hand.call(C);
    assert_eq!(hand.shown(), [(A, ShowReason::Showdown), (B, ShowReason::Showdown)]);
    assert_eq!(hand.mucked(), [C]);
}

#[test]
fn rule_17_a_a_raise_takes_the_duty_to_show_first_from_the_bettor() {
    let deck = deck(&["QsQd", "7c2d", "AsAd"], "KhJh8s4c3d");
    let mut hand = Dealt::simple_with(blinds(50, 100), &[5_000; 3], deck);
    for _ in 0..3 {
        hand.quietly_to_next_street();
    }
    hand.to(A, 500);
    hand.fold(B);
    hand.to(C, 1_500);
    hand.call(A);
    assert_eq!(hand.shown(), [(C, ShowReason::Showdown)]);
    assert_eq!(hand.mucked(), [A]);
}

#[test]
fn rule_17_a_without_a_bet_on_the_last_street_the_first_seat_left_of_the_button_tables_first() {
    // C bet on the turn, which does not count on the river.
    let deck = deck(&["7c2d", "QsQd", "AsAd"], "KhJh8s4c3d");
    let mut hand = Dealt::simple_with(blinds(50, 100), &[5_000; 3], deck);
    hand.quietly_to_next_street();
    hand.quietly_to_next_street();
    hand.check(A);
    hand.check(B);
    hand.to(C, 400);
    hand.call(A);
    hand.call(B);
    hand.quietly_to_next_street();
    let order: Vec<u8> = hand.shown().iter().map(|shown| shown.0).collect();
    assert_eq!(order, [A, B, C], "clockwise from A, each better than the one before");
}

#[test]
fn rule_17_b_the_last_live_hand_wins_without_tabling() {
    use holdem::ShowChoice;
    let mut hand = Dealt::simple(blinds(50, 100), &[5_000; 3]);
    for player in [A, B, C] {
        hand.hand.choose_at_showdown(seat(player), ShowChoice::Never, |_| ()).expect("before the showdown");
    }
    for _ in 0..4 {
        hand.quietly_to_next_street();
    }
    assert_eq!((hand.shown(), hand.mucked()), (vec![], vec![A, B]));
    assert_eq!(hand.awards(), [(0, 0, C, 300)]);
}

#[test]
fn rule_19_the_board_is_played_only_by_tabled_hands() {
    let deck = deck(&["2c3d", "2d3c"], "AsKsQsJsTs");
    let mut hand = Dealt::simple_with(blinds(50, 100), &[1_000; 2], deck);
    for _ in 0..4 {
        hand.quietly_to_next_street();
    }
    assert_eq!(hand.shown().len(), 2, "both table to get their part");
    assert_eq!(hand.stacks(), [1_000, 1_000]);
}

#[test]
fn rule_20_the_odd_chip_goes_to_the_first_seat_left_of_the_button() {
    // A folds his small blind of 1 and leaves an odd pot to B and C.
    let deck = deck(&["7c2d", "AsKd", "AdKs"], "QhJh8s4c3d");
    let mut hand = Dealt::simple_with(blinds(1, 2), &[100; 3], deck);
    hand.to(C, 10);
    hand.fold(A);
    hand.call(B);
    for _ in 0..3 {
        hand.quietly_to_next_street();
    }
    assert_eq!(hand.stacks(), [99, 101, 100]);
}

#[test]
fn rule_20_two_odd_chips_of_three_winners_go_one_each() {
    // Five players put 4 in, of whom two fold: 20 chips for three equal hands.
    let deck = deck(&["7c2d", "AsKd", "AdKs", "7d2c", "AhKc"], "QsJh8s4c3d");
    let mut hand = Dealt::simple_with(blinds(2, 4), &[100; 5], deck);
    hand.quietly_to_next_street();
    hand.fold(A);
    hand.check(B);
    hand.check(C);
    hand.fold(D);
    hand.check(E);
    hand.quietly_to_next_street();
    hand.quietly_to_next_street();
    assert_eq!(hand.stacks(), [96, 103, 103, 96, 102], "seven, seven and six");
}

#[test]
fn rule_21_each_side_pot_is_split_separately() {
    // A is all-in for 5; B and C play on. The main pot of 15 splits three ways evenly, the side pot of B and C is odd
    // through D, who folds after putting in 6 of it.
    let deck = deck(&["AcKh", "AsKd", "AdKs", "7d2c"], "QsJh8s4c3d");
    let mut hand = Dealt::simple_with(blinds(1, 2), &[5, 100, 100, 11], deck);
    hand.to(C, 12);
    hand.call(D);
    hand.call(A);
    hand.call(B);
    hand.quietly_to_next_street();
    let pots: Vec<u64> = hand.hand.pots().iter().map(|pot| pot.amount.0).collect();
    assert_eq!(pots, [20, 18, 2], "A is in for 5, D for 11, B and C for 12");
    hand.quietly_to_next_street();
    hand.quietly_to_next_street();
    // Main pot: 20 among A, B and C is 7, 7, 6. Side pot: 18 is 9 and 9. Last pot: 2 is 1 and 1.
    assert_eq!(hand.stacks(), [7, 88 + 7 + 9 + 1, 88 + 6 + 9 + 1, 0]);
    let order: Vec<u8> = hand.awards().iter().map(|award| award.0).collect();
    assert_eq!(order, [2, 2, 1, 1, 0, 0, 0], "the outermost first");
}

const TOURNAMENT: TableRules = TableRules {
    hand: HandRules::no_limit_holdem(Chips(50), Chips(100)),
    ante: Ante::None,
    straddles: Straddles::None,
    button: ButtonRule::Dead,
    entry: EntryRule::Free,
};

fn players(numbers: &[u8]) -> Vec<Occupant> {
    let occupant = |&number: &u8| Occupant {
        seat: seat(number),
        stack: Chips(1_000),
        sitting_out: false,
        posts_now: false,
        straddles: false,
    };
    numbers.iter().map(occupant).collect()
}

/// Button, small blind and big blind of hand after hand, the given players present in each.
fn positions(hands: &[&[u8]]) -> Vec<(u8, u8, u8)> {
    let mut rotation = Rotation::new(seat(0));
    hands
        .iter()
        .map(|present| {
            let next = rotation.next_hand(&TOURNAMENT, &players(present)).expect("two players or more");
            rotation = next.rotation;
            let Positions { button, small_blind, big_blind } =
                rotation.positions().expect("a hand was dealt");
            (button.get(), small_blind.get(), big_blind.get())
        })
        .collect()
}

#[test]
fn rule_32_the_button_is_dead_when_the_small_blind_left() {
    let all: &[u8] = &[0, 1, 2, 3, 4];
    let without_1: &[u8] = &[0, 2, 3, 4];
    assert_eq!(positions(&[all, without_1, without_1]), [(0, 1, 2), (1, 2, 3), (2, 3, 4)]);
}

#[test]
fn rule_32_the_small_blind_is_dead_when_the_big_blind_left() {
    let all: &[u8] = &[0, 1, 2, 3, 4];
    let without_2: &[u8] = &[0, 1, 3, 4];
    assert_eq!(positions(&[all, without_2, without_2]), [(0, 1, 2), (1, 2, 3), (2, 3, 4)]);
    let mut rotation = Rotation::new(seat(0));
    rotation = rotation.next_hand(&TOURNAMENT, &players(all)).expect("a hand").rotation;
    let next = rotation.next_hand(&TOURNAMENT, &players(without_2)).expect("a hand");
    let kinds: Vec<PostKind> =
        next.setup.seats.iter().flat_map(|seat| &seat.posts).map(|post| post.kind).collect();
    assert_eq!(kinds, [PostKind::BigBlind], "nobody posts the small blind");
}

#[test]
fn rule_34_b_heads_up_the_button_is_the_small_blind_and_acts_first_then_last() {
    let mut hand = Dealt::start(
        &HandSetup::simple(blinds(50, 100), 1, &[Chips(1_000), Chips(1_000)]),
        deck(&["AsKd", "7c2d"], "QhJh8s4c3d"),
    );
    assert_eq!((hand.stack(1), hand.stack(0)), (950, 900), "the button posted the small blind");
    assert_eq!(hand.actor(), Some(1), "and acts first before the flop");
    let dealt: Vec<u8> = hand
        .events
        .iter()
        .filter_map(|event| match event {
            holdem::Event::HoleDealt { seat, .. } => Some(seat.get()),
            _ => None,
        })
        .collect();
    assert_eq!(dealt, [0, 1], "the button is dealt the last card");
    hand.call(1);
    hand.check(0);
    for _ in 0..3 {
        assert_eq!(hand.actor(), Some(0), "and acts last on every other street");
        hand.check(0);
        hand.check(1);
    }
}

#[test]
fn rule_34_b_nobody_has_the_big_blind_twice_in_a_row_when_play_becomes_heads_up() {
    let three: &[u8] = &[0, 1, 2];
    for (leaver, remaining) in [(0, [1, 2]), (1, [0, 2]), (2, [0, 1])] {
        let hands = positions(&[three, &remaining, &remaining]);
        let [(_, _, first), (button, small, second), (_, _, third)] = hands[..] else {
            panic!("three hands")
        };
        assert_eq!(button, small, "heads-up the button is the small blind");
        assert_ne!(first, second, "after seat {leaver} left");
        assert_ne!(second, third);
    }
}

#[test]
fn rule_43_example_1_the_least_raise_is_the_last_raise_not_the_whole_bet() {
    let mut hand = on_the_flop(blinds(100, 200), &[20_000; 4]);
    hand.to(A, 600);
    hand.to(B, 1_600);
    hand.to(C, 3_600);
    assert_eq!(hand.least_raise_to(), Some(5_600));
}

#[test]
fn rule_43_example_2_a_short_all_in_leaves_the_least_raise_at_the_big_blind() {
    // A, B and so on are under the gun: seat 2 and after.
    let mut hand = Dealt::simple(blinds(50, 100), &[5_000, 5_000, 150, 5_000]);
    hand.to(C, 150);
    assert_eq!((hand.to_call(), hand.least_raise_to()), (150, Some(250)));
}

#[test]
fn rule_43_example_3_the_raise_counts_and_not_the_total() {
    let mut hand = on_the_flop(blinds(100, 200), &[20_000; 3]);
    hand.quietly_to_next_street();
    hand.to(A, 300);
    hand.to(B, 1_000);
    assert_eq!((hand.to_call(), hand.least_raise_to()), (1_000, Some(1_700)));
}

#[test]
fn rule_43_example_4_a_the_largest_raise_so_far_counts() {
    let mut hand = Dealt::simple(blinds(25, 50), &[10_000; 6]);
    hand.to(C, 125);
    assert_eq!(hand.least_raise_to(), Some(200));
    hand.to(D, 200);
    assert_eq!(hand.least_raise_to(), Some(275));
    hand.to(E, 500);
    assert_eq!(hand.least_raise_to(), Some(800));
}

#[test]
fn rule_43_example_4_b_the_same_bet_by_one_raise_has_a_larger_least_raise() {
    let mut hand = Dealt::simple(blinds(25, 50), &[10_000; 6]);
    hand.to(C, 500);
    hand.call(D);
    hand.call(E);
    assert_eq!((hand.to_call(), hand.least_raise_to()), (500, Some(950)));
}

/// Rule 47, example 1: A bets 100, B is all-in for 125, C calls, D is all-in for 200, E calls.
fn rule_47_example_1() -> Dealt {
    let mut hand = on_the_flop(blinds(50, 100), &[5_000, 125, 5_000, 200, 5_000]);
    hand.to(A, 100);
    hand.to(B, 125);
    hand.call(C);
    hand.to(D, 200);
    hand.call(E);
    hand
}

#[test]
fn rule_47_example_1_short_all_ins_that_add_up_to_a_full_raise_reopen_the_betting() {
    let hand = rule_47_example_1();
    assert_eq!((hand.actor(), hand.to_call()), (Some(A), 100));
    assert_eq!(hand.least_raise_to(), Some(300), "the least raise is the last full bet");
}

#[test]
fn rule_47_example_1_a_betting_is_closed_for_a_caller_who_faces_less_than_a_full_raise() {
    let mut hand = rule_47_example_1();
    hand.call(A);
    assert_eq!((hand.actor(), hand.to_call()), (Some(C), 75));
    assert_eq!(hand.least_raise_to(), None);
    let refusal = hand.try_act(C, Action::RaiseTo(Chips(300))).expect_err("he may call or fold");
    assert_eq!(refusal.code, RefusalCode::RaiseClosed);
    hand.call(C);
    assert_eq!(hand.hand.street(), Street::Turn);
}

#[test]
fn rule_47_example_1_b_a_full_raise_reopens_it_for_the_same_caller() {
    let mut hand = rule_47_example_1();
    hand.to(A, 300);
    assert_eq!((hand.actor(), hand.to_call()), (Some(C), 175));
    assert_eq!(hand.least_raise_to(), Some(400));
}

#[test]
fn rule_47_example_2_after_several_short_all_ins_the_least_raise_is_the_last_full_bet() {
    let mut hand = on_the_flop(blinds(50, 100), &[5_000, 500, 650, 800, 5_000, 5_000]);
    hand.to(A, 300);
    hand.to(B, 500);
    hand.to(C, 650);
    hand.to(D, 800);
    hand.call(E);
    assert_eq!((hand.actor(), hand.to_call(), hand.least_raise_to()), (Some(F), 800, Some(1_100)));
}

/// Rule 47, example 3: A (seat 2) calls 4,000, B folds, C is all-in for 7,500, the others fold to the big blind.
fn rule_47_example_3() -> Dealt {
    let mut hand = Dealt::simple(blinds(2_000, 4_000), &[50_000, 50_000, 50_000, 50_000, 7_500, 50_000]);
    hand.call(2);
    hand.fold(3);
    hand.to(4, 7_500);
    hand.fold(5);
    hand.fold(0);
    hand
}

#[test]
fn rule_47_example_3_a_the_big_blind_may_raise_and_if_he_calls_the_limper_may_not() {
    let mut hand = rule_47_example_3();
    assert_eq!((hand.actor(), hand.to_call(), hand.least_raise_to()), (Some(1), 3_500, Some(11_500)));
    hand.call(1);
    assert_eq!((hand.actor(), hand.to_call(), hand.least_raise_to()), (Some(2), 3_500, None));
}

#[test]
fn rule_47_example_3_b_the_big_blind_raises_and_reopens_the_betting_for_the_limper() {
    let mut hand = rule_47_example_3();
    hand.to(1, 11_500);
    assert_eq!((hand.actor(), hand.to_call(), hand.least_raise_to()), (Some(2), 7_500, Some(15_500)));
}

#[test]
fn rule_54_b_dead_and_short_blinds_count_in_full_for_a_pot_sized_raise() {
    let rules = HandRules { variant: Variant::Omaha, limit: Limit::PotLimit, ..blinds(100, 200) };
    let stacks = [Chips(10_000), Chips(10_000), Chips(10_000), Chips(10_000)];
    let mut dead_small_blind = HandSetup::simple(rules, 3, &stacks);
    dead_small_blind.seats[0].posts.clear();
    let mut short_big_blind = HandSetup::simple(rules, 3, &stacks);
    short_big_blind.seats[1].stack = Chips(100);
    for setup in [dead_small_blind, short_big_blind] {
        let hand = Dealt::start(&setup, holdem::Deck::unknown());
        let raise = hand.legal().raise.expect("the first to act may raise");
        assert_eq!((raise.min_to, raise.max_to), (Chips(400), Chips(700)));
    }
}
