//! Statistics, by hands that were written by hand, and by those that somebody else has recorded, counted once more from their text.

use std::{collections::BTreeMap, fs, path::Path};

use hands::stats::{Tally, tally};
use holdem::phh::{document::parse_all, replay::Replay};

/// Where recorded hands may be: beside the repository.
const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/phh/pluribus");

/// What players p1, p2 ... did in a hand of these actions, with blinds of 1 and 2 and stacks of 200.
fn played(actions: &[&str]) -> Vec<Tally> {
    let players = actions.iter().filter(|action| action.starts_with("d dh")).count();
    let zeros = vec!["0"; players].join(", ");
    let blinds: Vec<&str> = ["1", "2"].into_iter().chain(std::iter::repeat("0")).take(players).collect();
    let actions: Vec<String> = actions.iter().map(|action| format!("'{action}'")).collect();
    let text = format!(
        "variant = 'NT'\nante_trimming_status = true\nantes = [{zeros}]\nblinds_or_straddles = [{}]\nmin_bet = 2\n\
         starting_stacks = [{}]\nactions = [{}]\n",
        blinds.join(", "),
        vec!["200"; players].join(", "),
        actions.join(", ")
    );
    let record = parse_all(&text).unwrap().remove(0).unwrap();
    let replay = Replay::of(&record).unwrap();
    assert!(replay.hand.ended(), "{:?}", replay.events);
    tally(&replay.setup, &replay.events).into_iter().map(|(_, tally)| tally).collect()
}

const DEALT: [&str; 3] = ["d dh p1 AhAd", "d dh p2 KhKd", "d dh p3 7h2d"];

fn hand(actions: &[&str]) -> Vec<Tally> {
    played(&[DEALT.as_slice(), actions].concat())
}

#[test]
fn a_blind_that_is_posted_or_checked_is_no_choice() {
    let [small, big, button] = hand(&[
        "p3 f",
        "p1 cc",
        "p2 cc",
        "d db 3c4c5d",
        "p1 cc",
        "p2 cc",
        "d db 9s",
        "p1 cc",
        "p2 cc",
        "d db Js",
        "p1 cc",
        "p2 cc",
        "p1 sm AhAd",
        "p2 sm KhKd",
    ])[..] else {
        panic!()
    };
    assert_eq!((small.vpip, big.vpip, button.vpip), (1, 0, 0));
    assert_eq!((small.pfr, big.pfr), (0, 0));
    assert_eq!((small.flops, big.flops, button.flops), (1, 1, 0));
    assert_eq!((small.showdowns, small.showdowns_won), (1, 1));
    assert_eq!((big.showdowns, big.showdowns_won, button.showdowns), (1, 0, 0));
    assert_eq!((small.net, big.net, button.net), (2, -2, 0));
    assert_eq!((small.millibb, big.millibb), (1_000, -1_000));
    assert_eq!((small.bets, small.calls), (0, 0));
}

#[test]
fn a_raise_is_answered_by_a_three_bet_or_could_have_been() {
    let [small, big, button] = hand(&["p3 cbr 6", "p1 f", "p2 cbr 20", "p3 cbr 60", "p2 f"])[..] else {
        panic!()
    };
    assert_eq!(
        (button.vpip, button.pfr, button.three_bet, button.three_bet_could),
        (1, 1, 0, 0),
        "it opens, and bets the fourth time"
    );
    assert_eq!((small.three_bet, small.three_bet_could, small.vpip), (0, 1, 0));
    assert_eq!((big.three_bet, big.three_bet_could, big.pfr), (1, 1, 1));
    assert_eq!([small, big, button].map(|tally| (tally.flops, tally.showdowns)), [(0, 0); 3]);
    assert_eq!([small.net, big.net, button.net], [-1, -20, 21]);
}

#[test]
fn who_folds_to_a_bet_after_the_flop_has_seen_it_and_no_showdown() {
    let [small, big, button] = hand(&[
        "p3 f",
        "p1 cbr 6",
        "p2 cc",
        "d db 3c4c5d",
        "p1 cbr 6",
        "p2 cbr 18",
        "p1 cc",
        "d db 9s",
        "p1 cc",
        "p2 cbr 40",
        "p1 f",
    ])[..] else {
        panic!()
    };
    assert_eq!((small.bets, small.calls, big.bets, big.calls), (1, 1, 2, 0));
    assert_eq!((small.flops, small.showdowns, big.showdowns), (1, 0, 0));
    assert_eq!((big.vpip, big.pfr, big.three_bet_could), (1, 0, 1));
    assert_eq!((small.net, big.net, button.net), (-24, 24, 0));
}

#[test]
fn who_is_all_in_before_the_flop_sees_it_and_shows_down() {
    let [small, big, _] = hand(&[
        "p3 f",
        "p1 cbr 200",
        "p2 cc",
        "p1 sm AhAd",
        "p2 sm KhKd",
        "d db 3c4c5d",
        "d db 9s",
        "d db Js",
    ])[..] else {
        panic!()
    };
    assert_eq!((small.flops, small.showdowns, small.showdowns_won, small.net), (1, 1, 1, 200));
    assert_eq!((big.flops, big.showdowns, big.showdowns_won, big.net), (1, 1, 0, -200));
}

/// What the text of a recorded hand says by itself, of each player: VPIP, PFR, 3-bet, could, flops, bets, calls. Nothing of the rules is known here
/// but what a raise is.
fn counted(actions: &[String], players: usize) -> Vec<[u64; 7]> {
    let mut of = vec![[0; 7]; players];
    let mut folded = vec![false; players];
    let (mut boards, mut raises, mut raiser) = (0, 0, usize::MAX);
    let mut level = 100;
    let mut put = vec![0; players];
    (put[0], put[1]) = (50, 100);
    for action in actions {
        let words: Vec<&str> = action.split(' ').collect();
        if words[..2] == ["d", "db"] {
            boards += 1;
            if boards == 1 {
                (0..players).filter(|at| !folded[*at]).for_each(|at| of[at][4] = 1);
            }
            (level, put) = (0, vec![0; players]);
            continue;
        }
        let Some(at) = words[0].strip_prefix('p').and_then(|at| at.parse::<usize>().ok()) else { continue };
        let at = at - 1;
        let raise = words[1] == "cbr";
        let call = words[1] == "cc" && put[at] < level;
        if !["f", "cc", "cbr"].contains(&words[1]) {
            continue;
        }
        if boards == 0 {
            if raises == 1 && raiser != at {
                of[at][3] = 1;
                of[at][2] |= u64::from(raise);
            }
            of[at][0] |= u64::from(raise || call);
            of[at][1] |= u64::from(raise);
            if raise {
                (raises, raiser) = (raises + 1, at);
            }
        } else {
            of[at][5] += u64::from(raise);
            of[at][6] += u64::from(call);
        }
        folded[at] |= words[1] == "f";
        if raise {
            level = words[2].parse().unwrap();
        }
        if raise || call {
            put[at] = level;
        }
    }
    of
}

#[test]
fn recorded_hands_come_to_what_their_text_says() {
    if !Path::new(RECORDED).is_dir() {
        println!("skipped: there are no recorded hands at {RECORDED}");
        return;
    }
    let (mut hands, mut sums) = (0, BTreeMap::<String, [u64; 7]>::new());
    for file in fs::read_dir(RECORDED).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let line = |field: &str| {
            text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(" = ")).unwrap().to_owned()
        };
        let list = |text: String| -> Vec<String> {
            text.trim_matches(['[', ']']).split(", ").map(|word| word.trim_matches('\'').to_owned()).collect()
        };
        let (actions, names) = (list(line("actions")), list(line("players")));
        let record = parse_all(&text).unwrap().remove(0).unwrap();
        let replay = Replay::of(&record).unwrap();
        let ours = tally(&replay.setup, &replay.events);
        let theirs = counted(&actions, names.len());
        let mut net = 0;
        for (seat, tally) in ours {
            let Tally { vpip, pfr, three_bet, three_bet_could, flops, bets, calls, .. } = tally;
            let ours = [vpip, pfr, three_bet, three_bet_could, flops, bets, calls];
            assert_eq!(ours, theirs[seat.index()], "p{} of {text}", seat.index() + 1);
            net += tally.net;
            let sum = sums.entry(names[seat.index()].clone()).or_default();
            sum.iter_mut().zip(ours).for_each(|(sum, more)| *sum += more);
        }
        assert_eq!(net, 0);
        hands += 1;
    }
    assert!(hands > 100, "{hands} hands");
    let [vpip, pfr, ..] = sums["Pluribus"];
    println!("{hands} hands; Pluribus VPIP {vpip}, PFR {pfr}");
    assert!(pfr > 0 && pfr < vpip);
}
