//! Posts, pots, rake and several boards: where the chips go.

mod dealt;

use dealt::{Dealt, blinds, deck, seat};
use holdem::{
    Action, AnteOrder, Card, Chips, Deck, Event, HandRules, HandSetup, Limit, Player, Post, PostKind, Rake,
    RefusalCode, SEATS_MAX, SetupError, ShowChoice, Street, Variant,
};
use smallvec::smallvec;

/// Seats 0, 1, ... with these stacks, the button last, without posts.
fn without_posts(rules: HandRules, stacks: &[u64]) -> HandSetup {
    let stacks: Vec<Chips> = stacks.iter().copied().map(Chips).collect();
    let mut setup = HandSetup::simple(rules, stacks.len() as u8 - 1, &stacks);
    setup.seats.iter_mut().for_each(|seat| seat.posts.clear());
    setup
}

fn post(kind: PostKind, amount: u64) -> Post {
    Post { kind, amount: Chips(amount) }
}

fn posted(dealt: &Dealt) -> Vec<(u8, PostKind, u64)> {
    let posted = |event: &Event| match *event {
        Event::Posted { seat, kind, amount, .. } => Some((seat.get(), kind, amount.0)),
        _ => None,
    };
    dealt.events.iter().filter_map(posted).collect()
}

#[test]
fn a_short_stack_pays_ante_or_blind_first_as_the_table_says() {
    for (order, expected) in [
        (AnteOrder::BeforeBlinds, [(PostKind::TableAnte, 80), (PostKind::BigBlind, 20)]),
        (AnteOrder::AfterBlinds, [(PostKind::BigBlind, 100), (PostKind::TableAnte, 0)]),
    ] {
        let mut setup =
            without_posts(HandRules { ante_order: order, ..blinds(50, 100) }, &[1_000, 100, 1_000]);
        setup.seats[1].posts = smallvec![post(PostKind::BigBlind, 100), post(PostKind::TableAnte, 80)];
        let hand = Dealt::start(&setup, Deck::unknown());
        let paid: Vec<(PostKind, u64)> =
            posted(&hand).into_iter().map(|(_, kind, amount)| (kind, amount)).collect();
        assert_eq!(paid, expected);
        assert_eq!(hand.to_call(), 100, "a short blind is called in full");
    }
}

#[test]
fn a_big_blind_that_the_ante_left_nothing_of_is_still_called_in_full_and_acted_after() {
    let mut setup = without_posts(blinds(50, 100), &[1_000, 80, 1_000, 1_000]);
    setup.seats[0].posts = smallvec![post(PostKind::SmallBlind, 50)];
    setup.seats[1].posts = smallvec![post(PostKind::BigBlind, 100), post(PostKind::TableAnte, 100)];
    let hand = Dealt::start(&setup, Deck::unknown());
    assert_eq!((hand.actor(), hand.to_call(), hand.least_raise_to()), (Some(2), 100, Some(200)));
}

#[test]
fn against_a_short_big_blind_alone_nobody_pays_more_than_it() {
    // Heads-up: the small blind of 50 covers the big blind's 30; there is nothing to decide, 20 come back.
    let hand = Dealt::simple_with(blinds(50, 100), &[30, 1_000], deck(&["AsAd", "KsKd"], "2c3d7h8sJc"));
    assert!(hand.hand.ended());
    assert_eq!(hand.stacks(), [60, 970]);
    // Three-handed: the small blind may call 10 more to match 60, not 50 more to match a full blind.
    let mut hand = Dealt::simple(blinds(50, 100), &[1_000, 60, 1_000]);
    hand.fold(2);
    assert_eq!((hand.actor(), hand.to_call(), hand.least_raise_to()), (Some(0), 10, None));
}

#[test]
fn nobody_may_raise_whom_no_other_player_could_call() {
    // On the flop seat 0 bets his last 100; seat 2 has 50 left, so seat 1 has nobody to raise.
    let mut hand = Dealt::simple(blinds(5, 10), &[110, 5_000, 60]);
    hand.quietly_to_next_street();
    hand.to(0, 100);
    assert_eq!((hand.actor(), hand.to_call(), hand.least_raise_to()), (Some(1), 100, None));
    hand.call(1);
    assert_eq!((hand.actor(), hand.to_call()), (Some(2), 50));
}

#[test]
fn an_ante_that_nobody_matched_comes_back() {
    let mut setup = without_posts(blinds(50, 100), &[5, 1_000]);
    for seat in &mut setup.seats {
        seat.posts = smallvec![post(PostKind::Ante, 20)];
    }
    let hand = Dealt::start(&setup, deck(&["AsAd", "KsKd"], "2c3d7h8sJc"));
    assert_eq!(hand.stacks(), [10, 995], "five of each are played for");
}

#[test]
fn dead_money_lies_in_the_main_pot() {
    let mut setup = without_posts(blinds(50, 100), &[1_000, 1_000, 1_000, 60]);
    setup.seats[0].posts = smallvec![post(PostKind::SmallBlind, 50)];
    setup.seats[1].posts = smallvec![post(PostKind::BigBlind, 100), post(PostKind::TableAnte, 100)];
    setup.seats[2].posts = smallvec![post(PostKind::OwedBlind, 100), post(PostKind::DeadBlind, 50)];
    let mut hand = Dealt::start(&setup, deck(&["2c7d", "KsKd", "QsQd", "AsAd"], "3c4d8h9sJc"));
    assert_eq!(hand.actor(), Some(2), "a posted blind changes nothing in the order");
    assert!(hand.legal().check, "and is live");
    hand.check(2);
    hand.call(3);
    hand.call(0);
    hand.check(1);
    let pots: Vec<u64> = hand.hand.pots().iter().map(|pot| pot.amount.0).collect();
    assert_eq!(pots, [4 * 60 + 150, 3 * 40], "the ante and the dead blind may be won by the short stack");
    for _ in 0..3 {
        hand.quietly_to_next_street();
    }
    assert_eq!((hand.stack(3), hand.stack(1)), (390, 1_000 - 200 + 120));
}

#[test]
fn a_straddle_buys_the_last_action_before_the_flop_and_doubles_the_least_raise() {
    // Under the gun: seat 2 of five; action starts with seat 3 and ends with the straddler.
    let mut setup = HandSetup::simple(blinds(50, 100), 4, &[Chips(5_000); 5]);
    setup.seats[2].posts.push(post(PostKind::Straddle, 200));
    let mut hand = Dealt::start(&setup, Deck::unknown());
    assert_eq!((hand.actor(), hand.to_call(), hand.least_raise_to()), (Some(3), 200, Some(400)));
    for caller in [3, 4, 0, 1] {
        hand.call(caller);
    }
    assert_eq!(hand.actor(), Some(2));
    assert!(hand.legal().check && hand.legal().raise.is_some(), "he has the option");
    hand.check(2);
    assert_eq!((hand.hand.street(), hand.actor()), (Street::Flop, Some(0)), "then everybody in his place");
    assert_eq!(hand.least_raise_to(), Some(100), "after the flop the big blind is the least bet");
}

#[test]
fn a_button_straddle_lets_the_small_blind_act_first() {
    let mut setup = HandSetup::simple(blinds(50, 100), 4, &[Chips(5_000); 5]);
    setup.seats[4].posts.push(post(PostKind::Straddle, 200));
    let hand = Dealt::start(&setup, Deck::unknown());
    assert_eq!((hand.actor(), hand.to_call()), (Some(0), 150));
}

#[test]
fn an_uncalled_bet_comes_back_and_is_not_raked() {
    let rake = Rake { basis_points: 1_000, caps: [Chips(1_000); SEATS_MAX - 1] };
    let mut hand = Dealt::simple(HandRules { rake, ..blinds(50, 100) }, &[5_000; 3]);
    hand.quietly_to_next_street();
    hand.to(0, 2_000);
    hand.fold(1);
    hand.fold(2);
    assert_eq!(hand.hand.rake(), Chips(30), "a tenth of the 300 that were matched");
    assert_eq!(hand.stacks(), [5_170, 4_900, 4_900]);
    assert!(hand.shown().is_empty(), "nobody called, nobody shows");
    hand.hand.show(seat(0), |event| hand.events.push(event)).expect("the winner may");
    assert_eq!(hand.shown().len(), 1);
    let again = hand.hand.show(seat(0), |_| ()).expect_err("they are seen already");
    assert_eq!(again.code, RefusalCode::NotPossible);
}

#[test]
fn no_flop_no_drop() {
    let rake = Rake { basis_points: 1_000, caps: [Chips(1_000); SEATS_MAX - 1] };
    let mut hand = Dealt::simple(HandRules { rake, ..blinds(50, 100) }, &[5_000; 3]);
    hand.to(2, 1_000);
    hand.fold(0);
    hand.fold(1);
    assert_eq!((hand.hand.rake(), hand.stacks()), (Chips::ZERO, vec![4_950, 4_900, 5_150]));
}

#[test]
fn the_rake_is_capped_by_the_number_of_players_dealt_in() {
    let mut caps = [Chips(1_000); SEATS_MAX - 1];
    caps[3 - 2] = Chips(7);
    let rake = Rake { basis_points: 500, caps };
    for (players, expected) in [(3, 7), (4, 20)] {
        let mut hand = Dealt::simple(HandRules { rake, ..blinds(50, 100) }, &vec![5_000; players]);
        for _ in 0..4 {
            hand.quietly_to_next_street();
        }
        assert_eq!(hand.hand.rake(), Chips(expected), "{players} players");
    }
}

#[test]
fn each_pot_bears_the_rake_of_its_own_chips_until_the_cap() {
    let rake = Rake { basis_points: 1_000, caps: [Chips(60); SEATS_MAX - 1] };
    let rules = HandRules { rake, ..blinds(50, 100) };
    let mut hand =
        Dealt::simple_with(rules, &[100, 1_000, 1_000], deck(&["AsAd", "KsKd", "QsQd"], "2c3d7h8sJc"));
    hand.to(2, 1_000);
    hand.call(0);
    hand.call(1);
    let rakes: Vec<(u8, u64)> = hand
        .events
        .iter()
        .filter_map(|event| match *event {
            Event::RakeTaken { pot, amount } => Some((pot, amount.0)),
            _ => None,
        })
        .collect();
    assert_eq!(rakes, [(1, 30), (0, 30)], "a tenth of 300, and of 1,800 only what the cap leaves");
    assert_eq!(hand.stacks(), [270, 1_770, 0]);
}

/// Two players all-in on the flop; the first has the better hand on the first board, the second on the second.
fn all_in_on_the_flop(runs_max: u8) -> Dealt {
    let rules = HandRules { runs_max, ..blinds(50, 100) };
    let mut order: Vec<_> = deck(&["AsAd", "KsKd"], "2c7h8sJcQd").order().to_vec();
    for card in ["Kh", "3c", "4d", "5s"] {
        order.extend([None, Some(card.parse().expect("a card"))]);
    }
    let mut hand = Dealt::simple_with(rules, &[1_000, 1_001], Deck::from_order(order));
    hand.quietly_to_next_street();
    hand.to(0, 900);
    hand.call(1);
    hand
}

#[test]
fn it_is_run_once_unless_the_table_offers_more() {
    let hand = all_in_on_the_flop(1);
    assert!(hand.hand.ended());
    assert_eq!((hand.hand.boards().len(), hand.stacks()), (1, vec![2_000, 1]));
}

#[test]
fn run_it_twice_splits_the_pot_between_the_boards() {
    let mut hand = all_in_on_the_flop(2);
    assert_eq!(hand.shown().len(), 2, "the players see all hands before they agree");
    assert_eq!(hand.hand.to_act(), None);
    for voter in [1, 0] {
        hand.hand.vote_runs(seat(voter), 2, |event| hand.events.push(event)).expect("the offer is open");
    }
    let boards: Vec<String> = hand.hand.boards().iter().map(ToString::to_string).collect();
    assert_eq!(boards, ["2c7h8sJcQd", "2c7h8sKh3c"], "the flop is shared");
    assert_eq!(hand.awards(), [(0, 0, 0, 1_000), (0, 1, 1, 1_000)]);
    assert_eq!(hand.stacks(), [1_000, 1_001]);
}

#[test]
fn run_it_thrice_deals_three_boards_and_the_odd_chips_go_to_the_first_ones() {
    let mut hand = all_in_on_the_flop(3);
    for voter in [0, 1] {
        hand.hand.vote_runs(seat(voter), 3, |event| hand.events.push(event)).expect("the offer is open");
    }
    assert_eq!(hand.awards(), [(0, 0, 0, 667), (0, 1, 1, 667), (0, 2, 0, 666)]);
}

#[test]
fn one_player_who_declines_is_enough_to_run_it_once() {
    let mut hand = all_in_on_the_flop(3);
    hand.hand.vote_runs(seat(0), 3, |_| ()).expect("the offer is open");
    let twice = hand.hand.vote_runs(seat(0), 2, |_| ()).expect_err("he has answered");
    assert_eq!(twice.code, RefusalCode::NotPossible);
    assert!(!hand.hand.ended());
    hand.hand.vote_runs(seat(1), 1, |event| hand.events.push(event)).expect("the offer is open");
    assert_eq!((hand.hand.boards().len(), hand.hand.ended()), (1, true));
}

#[test]
fn who_is_out_of_the_hand_has_no_say_in_the_runs() {
    let mut hand = Dealt::simple(HandRules { runs_max: 2, ..blinds(50, 100) }, &[1_000; 3]);
    hand.fold(2);
    hand.to(0, 1_000);
    hand.call(1);
    assert_eq!(hand.hand.run_voters().map(|seat| seat.get()).collect::<Vec<_>>(), [0, 1]);
    assert!(hand.hand.vote_runs(seat(2), 2, |_| ()).is_err());
}

#[test]
fn pot_limit_raises_to_the_pot_after_the_call() {
    let rules = HandRules { variant: Variant::Omaha, limit: Limit::PotLimit, ..blinds(50, 100) };
    let mut hand = Dealt::simple(rules, &[50_000; 3]);
    assert_eq!(
        hand.legal().raise.map(|raise| raise.max_to),
        Some(Chips(350)),
        "call 100, pot 250, raise 250"
    );
    hand.to(2, 350);
    assert_eq!(hand.legal().raise.map(|raise| raise.max_to), Some(Chips(1_150)), "call 300 more, pot 800");
    let refusal = hand.try_act(0, Action::RaiseTo(Chips(1_151))).expect_err("more than the pot");
    assert_eq!(refusal.code, RefusalCode::RaiseTooLarge);
    hand.fold(0);
    hand.fold(1);
    assert_eq!(hand.stacks(), [49_950, 49_900, 50_150]);
}

#[test]
fn no_limit_has_no_cap_on_raises() {
    let mut hand = Dealt::simple(blinds(1, 2), &[10_000; 2]);
    let mut to = 2;
    for raise in 0..100 {
        to += 2;
        hand.to(1 - (raise % 2), to);
    }
    assert!(hand.legal().raise.is_some(), "TDA 48");
}

#[test]
fn time_out_checks_if_it_is_free_and_folds_otherwise() {
    let mut hand = Dealt::simple(blinds(50, 100), &[1_000; 3]);
    assert_eq!(hand.hand.timeout_action(), Some(Action::Fold));
    hand.call(2);
    hand.call(0);
    assert_eq!(hand.hand.timeout_action(), Some(Action::Check));
}

#[test]
fn a_refused_action_changes_nothing_and_names_the_legal_ones() {
    let mut hand = Dealt::simple(blinds(50, 100), &[1_000; 3]);
    let before = hand.hand.clone();
    for (number, action, code) in [
        (0, Action::Fold, RefusalCode::NotYourTurn),
        (2, Action::Check, RefusalCode::BetToCall),
        (2, Action::RaiseTo(Chips(199)), RefusalCode::RaiseTooSmall),
        (2, Action::RaiseTo(Chips(1_001)), RefusalCode::RaiseTooLarge),
    ] {
        let refusal = hand.try_act(number, action).expect_err("not legal");
        assert_eq!(refusal.code, code);
        assert_eq!(refusal.legal.is_some(), number == 2, "the legal actions are told to whose turn it is");
        assert_eq!(hand.hand, before);
    }
    hand.call(2);
    hand.call(0);
    assert_eq!(hand.try_act(1, Action::Call).expect_err("nothing to call").code, RefusalCode::NothingToCall);
    hand.fold(1);
    while let Some(actor) = hand.actor() {
        hand.check(actor);
    }
    assert_eq!(hand.try_act(0, Action::Fold).expect_err("it is over").code, RefusalCode::NoActionDue);
}

#[test]
fn a_winner_may_choose_to_show_and_a_loser_too() {
    let cards = deck(&["AsAd", "KsKd", "QsQd"], "2c3d7h8sJc");
    let mut hand = Dealt::simple_with(blinds(50, 100), &[1_000; 3], cards);
    hand.hand
        .choose_at_showdown(seat(2), ShowChoice::Always, |event| hand.events.push(event))
        .expect("in time");
    for _ in 0..4 {
        hand.quietly_to_next_street();
    }
    assert_eq!(hand.shown().iter().map(|shown| shown.0).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(hand.mucked(), [1]);
    hand.hand.show(seat(1), |_| ()).expect("also a mucked hand may be shown afterwards");
}

#[test]
fn who_shows_some_cards_still_holds_the_others_and_may_show_them_too() {
    let cards = deck(&["AsAd", "KsKd"], "2c3d7h8sJc");
    let mut hand = Dealt::simple_with(blinds(50, 100), &[1_000; 2], cards);
    let ace = |card: Card| card.to_string() == "As";
    let winner = seat(0);
    assert!(hand.hand.show_some(winner, ace, |_| ()).is_err(), "the hand is not over");
    hand.fold(1);
    assert!(hand.hand.show_some(winner, |_| false, |_| ()).is_err(), "none of them");
    let mut told = Vec::new();
    hand.hand.show_some(winner, ace, |event| told.push(event)).expect("one of them");
    let Event::Shown { cards, .. } = told[0] else { panic!("{told:?}") };
    assert_eq!(cards.to_string(), "As??");
    let player = hand.hand.player(winner).expect("dealt in");
    assert_eq!((player.hole_cards().to_string().as_str(), player.shown()), ("AsAd", false));
    hand.hand.show(winner, |event| told.push(event)).expect("all of them");
    assert!(hand.hand.player(winner).is_some_and(Player::shown));
    assert!(hand.hand.show(winner, |_| ()).is_err(), "they were seen");
}

#[test]
fn setups_that_describe_no_hand_are_refused() {
    let rules = blinds(50, 100);
    let good = HandSetup::simple(rules, 2, &[Chips(1_000); 3]);
    let refused = |change: &dyn Fn(&mut HandSetup)| {
        let mut setup = good.clone();
        change(&mut setup);
        holdem::Hand::start(&setup, Deck::unknown(), |_| ()).expect_err("no hand")
    };
    assert_eq!(refused(&|setup| setup.seats.truncate(1)), SetupError::Players(1));
    assert_eq!(refused(&|setup| setup.seats[1].seat = seat(0)), SetupError::SeatTwice(seat(0)));
    assert_eq!(refused(&|setup| setup.seats[1].stack = Chips::ZERO), SetupError::NoChips(seat(1)));
    assert_eq!(refused(&|setup| setup.seats[1].stack = Chips(u64::MAX)), SetupError::TooManyChips);
    assert_eq!(refused(&|setup| setup.seats[1].posts[0].amount = Chips(u64::MAX)), SetupError::TooManyChips);
    assert_eq!(refused(&|setup| setup.rules.big_blind = Chips::ZERO), SetupError::NoBigBlind);
    assert_eq!(refused(&|setup| setup.rules.rake.basis_points = 10_001), SetupError::Rake);
    assert_eq!(refused(&|setup| setup.rules.runs_max = 4), SetupError::Runs);
    let six_card_for_ten = HandRules { variant: Variant::Omaha6, ..rules };
    assert!(
        holdem::Hand::start(
            &HandSetup::simple(six_card_for_ten, 0, &[Chips(1_000); 10]),
            Deck::unknown(),
            |_| ()
        )
        .is_err()
    );
}
