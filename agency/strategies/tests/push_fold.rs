//! Short stacks: what is played is an equilibrium, shown by the best answer to it.

use std::cmp::Ordering;

use holdem::{Card, Variant, evaluate::best};
use strategies::{
    all_in::{BOARDS, equity, pairs},
    combo::{CLASSES, class},
    push_fold::{
        heads_up::{Game, Ranges, share},
        ring::Ring,
    },
};

/// Thousandths of a big blind.
const MILLI: f64 = 1_000.0;

fn of(hand: &str) -> usize {
    let cards: Vec<_> = hand.split_whitespace().map(|card| card.parse().unwrap()).collect();
    class([cards[0], cards[1]])
}

#[test]
fn hands_win_all_ins_as_often_as_is_known() {
    for (one, other, known) in [
        ("As Ah", "Ks Kh", 0.8195),
        ("As Kh", "Qs Qh", 0.4325),
        ("As Ks", "Qs Qh", 0.4605),
        ("As Ah", "7s 2h", 0.8824),
        ("7s 6s", "As Kh", 0.4152),
    ] {
        let won = equity(of(one), of(other));
        assert!((won - known).abs() < 0.002, "{one} against {other}: {won}");
        assert!((won + equity(of(other), of(one)) - 1.0).abs() < 1e-12);
    }
    assert_eq!(pairs().iter().sum::<f64>(), 1_326.0 * 1_225.0);
    assert_eq!(BOARDS, 1_712_304);
    let against_any = |one: usize| {
        let sum: f64 = (0..CLASSES).map(|other| pairs()[one * CLASSES + other] * equity(one, other)).sum();
        sum / (0..CLASSES).map(|other| pairs()[one * CLASSES + other]).sum::<f64>()
    };
    assert!((against_any(of("As Ah")) - 0.8520).abs() < 0.0005, "{}", against_any(of("As Ah")));
    assert!((against_any(of("3s 2h")) - 0.3230).abs() < 0.0005, "{}", against_any(of("3s 2h")));
}

#[test]
fn what_is_embedded_is_what_dealing_every_board_gives() {
    let cards: Vec<Card> = Card::all().collect();
    let hand =
        |text: &str| -> Vec<Card> { text.split_whitespace().map(|card| card.parse().unwrap()).collect() };
    let (suited, mut won, mut boards) = (hand("As Ks"), 0.0, 0.0);
    // Of the 24 pairs of such hands twelve share a suit.
    for queens in ["Qs Qh", "Qd Qh"] {
        let queens = hand(queens);
        let rest: Vec<Card> =
            cards.iter().filter(|card| !suited.contains(card) && !queens.contains(card)).copied().collect();
        for a in 0..44 {
            for b in a + 1..45 {
                for c in b + 1..46 {
                    for d in c + 1..47 {
                        for e in d + 1..48 {
                            let board = [rest[a], rest[b], rest[c], rest[d], rest[e]];
                            let of = |hand: &[Card]| best(Variant::Holdem, board.iter().chain(hand).copied());
                            won += match of(&suited).cmp(&of(&queens)) {
                                Ordering::Less => 0.0,
                                Ordering::Equal => 0.5,
                                Ordering::Greater => 1.0,
                            };
                            boards += 1.0;
                        }
                    }
                }
            }
        }
    }
    assert!((won / boards - equity(of("As Ks"), of("Qs Qh"))).abs() < 1e-9);
}

#[test]
fn nobody_gains_a_thousandth_of_a_big_blind_against_the_solution() {
    for stack in [1.0, 2.0, 5.0, 8.0, 10.0, 15.0] {
        let game = Game::of_blinds(stack);
        let ranges = game.solve();
        let gain = MILLI * game.exploitability(&ranges);
        println!(
            "{stack:>4} big blinds: pushes {:.1} %, calls {:.1} %, value {:+.1} mbb, exploitability {gain:.3} mbb",
            100.0 * share(&ranges.push),
            100.0 * share(&ranges.call),
            MILLI * game.value(&ranges)
        );
        assert!((0.0..1.0).contains(&gain), "{stack}: {gain}");
        // The check can fail: who pushes anything, or never calls, is exploited.
        let any = Ranges { push: vec![1.0; CLASSES], ..ranges.clone() };
        let never = Ranges { call: vec![0.0; CLASSES], ..ranges };
        assert!(stack < 8.0 || MILLI * game.exploitability(&any) > 10.0);
        assert!(MILLI * game.exploitability(&never) > 10.0);
    }
}

#[test]
fn the_deeper_the_stacks_the_fewer_hands_go_in() {
    let shares = [3.0, 6.0, 10.0, 15.0].map(|stack| {
        let ranges = Game::of_blinds(stack).solve();
        [share(&ranges.push), share(&ranges.call)]
    });
    for two in shares.windows(2) {
        assert!(two[0][0] > two[1][0] && two[0][1] > two[1][1], "{shares:?}");
    }
    let ranges = Game::of_blinds(10.0).solve();
    for always in ["As Ah", "As 2h", "2s 2h", "Ks Qh"] {
        assert!(ranges.push[of(always)] > 0.99, "{always}");
    }
    assert!(ranges.push[of("3s 2h")] < 0.01 && ranges.call[of("7s 2h")] < 0.01);
}

fn sit_and_go(stacks: &[f64], prizes: &[f64]) -> Ring {
    let mut posted = vec![0.0; stacks.len()];
    posted[stacks.len() - 2] = 50.0;
    posted[stacks.len() - 1] = 100.0;
    Ring { stacks: stacks.to_vec(), posted, antes: 0.0, prizes: prizes.to_vec() }
}

#[test]
fn where_the_winner_takes_all_two_players_play_as_for_chips() {
    let ring = sit_and_go(&[1_000.0, 1_000.0], &[1.0]);
    let (solved, chips) = (ring.solve_in(300), Game::of_blinds(10.0).solve());
    assert!((share(&solved.push[0]) - share(&chips.push)).abs() < 0.01);
    assert!((share(solved.calls(0, 1)) - share(&chips.call)).abs() < 0.01);
    assert!(ring.gain(&solved) < 0.000_2, "{}", ring.gain(&solved));
}

#[test]
fn in_a_sit_and_go_little_is_left_to_gain_for_anybody() {
    let ring = sit_and_go(&[1_000.0, 800.0, 1_500.0, 700.0, 1_200.0, 800.0], &[65.0, 35.0]);
    let solved = ring.solve();
    let shares: Vec<_> = solved.push.iter().map(|push| (100.0 * share(push)).round()).collect();
    println!("six players of 7 to 15 big blinds push {shares:?} % in turn, gain {:.6}", ring.gain(&solved));
    assert!(ring.gain(&solved) < 0.000_5, "{}", ring.gain(&solved));
    assert!(
        share(&solved.push[0]) < share(&solved.push[4]),
        "the first has five behind, the small blind one"
    );
    // The check can fail: nobody has learnt anything in one round.
    assert!(ring.gain(&ring.solve_in(1)) > 0.005);
}

#[test]
fn on_the_bubble_fewer_hands_call_than_for_chips() {
    let stacks = [1_000.0; 4];
    let [bubble, chips] =
        [&[50.0, 30.0, 20.0][..], &[100.0][..]].map(|prizes| sit_and_go(&stacks, prizes).solve());
    for pusher in 0..3 {
        let [bubble, chips] = [&bubble, &chips].map(|solved| share(solved.calls(pusher, 3)));
        assert!(bubble < 0.75 * chips, "{pusher}: {bubble} {chips}");
    }
}
