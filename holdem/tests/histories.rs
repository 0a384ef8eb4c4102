//! Hand histories: PHH in and out, and text out. (For Open Hand History see `ohh.rs`.)

mod dealt;

use dealt::run_twice;
use holdem::Chips;
use holdem::history::{Occasion, View, text};
use holdem::phh::decimal::Decimal;
use holdem::phh::render::without_unseen_cards;
use holdem::phh::{PhhError, Record, Replay, ReplayError, Verdict, parse_all, record_of};

const CASH: &str = include_str!("hands/cash.phhs");

fn cash(name: &str) -> Record {
    let hands = parse_all(CASH).expect("a file of hands").into_iter();
    hands.flatten().find(|hand| hand.name == name).expect("a hand of that name")
}

fn chips(amounts: &[u64]) -> Vec<Chips> {
    amounts.iter().copied().map(Chips).collect()
}

#[test]
fn what_is_written_reads_as_the_same() {
    for hand in parse_all(CASH).expect("a file of hands").into_iter().flatten() {
        assert_eq!(hand.to_string().parse::<Record>().as_ref(), Ok(&hand));
    }
}

#[test]
fn fields_that_the_engine_does_not_model_are_kept_as_written() {
    let hand = cash("1");
    let other: Vec<(&str, &str)> =
        hand.other.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(other, [("time", "20:15:00"), ("seats", "[4, 5, 6]"), ("players", "['One', \"T'wo\"]")]);
    assert!(cash("2").to_string().contains("_house = { name = 'ours' }"));
}

#[test]
fn amounts_are_exact_decimals_of_the_smallest_unit() {
    let replay = Replay::of(&cash("1")).expect("a hand");
    assert_eq!(replay.scale, 2, "cents");
    assert_eq!(replay.stacks()[..2], chips(&[995, 1_205])[..]);
    assert_eq!(replay.verdict(&cash("1")), Verdict::Consistent, "winnings after an unknown rake");
}

#[test]
fn unknown_cards_that_are_shown_later_count_and_so_does_rake() {
    let hand = cash("2");
    let replay = Replay::of(&hand).expect("a hand");
    assert_eq!(replay.stacks(), chips(&[1_805, 0]), "without the rake of 2");
    assert_eq!(replay.verdict(&hand), Verdict::Matches);
    for (first, second, why) in [(0, 178, "the other one did not win"), (178, 0, "half a chip is missing")] {
        let mut wrong = hand.clone();
        wrong.finishing_stacks = Some(vec![Some(Decimal::from(first)), Some(Decimal::from(second))]);
        assert!(matches!(replay.verdict(&wrong), Verdict::Differs { .. }), "{why}");
    }
    let mut unraked = hand.clone();
    unraked.other.clear();
    assert!(matches!(replay.verdict(&unraked), Verdict::Differs { .. }), "without rake every chip counts");
}

#[test]
fn games_that_are_not_modelled_are_told_apart_from_bad_files() {
    let hands = parse_all(CASH).expect("a file of hands");
    assert_eq!(hands[2], Err(PhhError::Variant { line: 36, code: "F7S".to_owned() }));
    let missing = parse_all("\nvariant = 'NT'").expect("TOML");
    assert_eq!(missing, [Err(PhhError::Field { line: 1, field: "starting_stacks" })]);
    assert!(matches!(parse_all("variant = \n"), Err(PhhError::Toml(_))));
    assert_eq!(parse_all("# nothing\n"), Err(PhhError::Empty));
}

#[test]
fn a_split_may_differ_by_an_odd_chip_and_by_no_more() {
    let hand = cash("4");
    let replay = Replay::of(&hand).expect("a hand");
    assert_eq!(replay.stacks(), chips(&[201, 200, 199, 200]), "10 chips: 4, 3 and 3");
    assert_eq!(replay.verdict(&hand), Verdict::Matches);
    let mut wrong = hand.clone();
    wrong.finishing_stacks = Some([199, 201, 199, 201].map(|stack| Some(Decimal::from(stack))).to_vec());
    assert!(matches!(replay.verdict(&wrong), Verdict::Differs { .. }));
}

#[test]
fn an_action_out_of_turn_is_refused_with_its_place() {
    let mut hand = cash("4");
    hand.actions.swap(5, 6);
    match Replay::of(&hand) {
        Err(ReplayError::Refused { number, notation, .. }) => {
            assert_eq!((number, notation.as_str()), (6, "p1 cc"))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_raise_that_stood_against_the_rules_is_replayed_and_counted() {
    let mut hand = cash("4");
    hand.actions[5] = "p4 cbr 3".parse().expect("a notation");
    let replay = Replay::of(&hand).expect("nobody objected in time");
    assert_eq!(replay.irregular_raises, 1, "a raise by 1 where 2 is the least");
    hand.actions[5] = "p4 cbr 200".parse().expect("a notation");
    let refused = Replay::of(&hand).expect_err("more than his stack after the ante");
    assert!(matches!(refused, ReplayError::Refused { number: 6, .. }));
}

#[test]
fn a_check_that_decides_nothing_may_be_recorded() {
    // The big blind has more in than the only other player, who is all-in; some programs still ask him.
    let hand: Record = "
variant = 'NT'
antes = [0, 0, 0]
blinds_or_straddles = [50, 100, 0]
min_bet = 100
starting_stacks = [1000, 1000, 60]
actions = ['d dh p1 7c2d', 'd dh p2 KsKd', 'd dh p3 AsAd', 'p3 cc', 'p1 f', 'p2 cc', 'd db 3c4d8h', 'd db 9s', 'd db Jc']
finishing_stacks = [950, 940, 170]
"
    .parse()
    .expect("a hand");
    assert_eq!(Replay::of(&hand).map(|replay| replay.verdict(&hand)), Ok(Verdict::Matches));
}

#[test]
fn a_player_whom_the_record_passes_over_is_folded() {
    let mut hand = cash("4");
    hand.actions.remove(4);
    let replay = Replay::of(&hand).expect("the third player never acts");
    assert_eq!((replay.passed_over, replay.verdict(&hand)), (1, Verdict::Matches));
}

#[test]
fn a_record_that_breaks_off_is_compared_where_it_does() {
    let mut hand = cash("4");
    hand.actions.truncate(8);
    hand.finishing_stacks = Some([197, 197, 199, 197].map(|stack| Some(Decimal::from(stack))).to_vec());
    let replay = Replay::of(&hand).expect("a hand");
    assert!(!replay.hand.ended());
    assert_eq!(replay.verdict(&hand), Verdict::Matches);
}

#[test]
fn a_card_cannot_be_dealt_twice() {
    let mut hand = cash("4");
    hand.actions[2] = "d dh p3 As3d".parse().expect("a notation");
    assert_eq!(
        Replay::of(&hand).expect_err("two aces of spades"),
        ReplayError::CardTwice("As".parse().expect("a card"))
    );
}

/// Heads-up to a showdown on a board that plays for nobody, with these entries before and after it.
fn heads_up(hole: &str, shown: &str, end: &str) -> Record {
    let text = format!(
        "variant = 'NT'
antes = [0, 0]
blinds_or_straddles = [1, 2]
min_bet = 2
starting_stacks = [100, 100]
actions = [{hole}, 'p2 cc', 'p1 cc', 'd db QhJh8s', 'p1 cc', 'p2 cc', 'd db 4c', 'p1 cc', 'p2 cc', 'd db 3d', 'p1 cc', 'p2 cc', {shown}]
{end}"
    );
    text.parse().expect("a hand")
}

#[test]
fn a_dash_shows_the_cards_that_were_dealt() {
    let hand =
        heads_up("'d dh p1 7c2d', 'd dh p2 AsAd'", "'p1 sm 7c2d', 'p2 sm -'", "finishing_stacks = [98, 102]");
    assert_eq!(hand.to_string().parse::<Record>().as_ref(), Ok(&hand));
    assert_eq!(Replay::of(&hand).map(|replay| replay.verdict(&hand)), Ok(Verdict::Matches));
    assert!(without_unseen_cards(hand, None).to_string().contains("d dh p2 AsAd"));
}

#[test]
fn a_hand_may_be_dealt_card_by_card() {
    let hand = heads_up(
        "'d dh p1 7c', 'd dh p2 As', 'd dh p1 2d', 'd dh p2 Ad'",
        "'p1 sm', 'p2 sm AsAd'",
        "finishing_stacks = [98, 102]",
    );
    assert_eq!(Replay::of(&hand).map(|replay| replay.verdict(&hand)), Ok(Verdict::Matches));
}

#[test]
fn unknown_cards_are_beaten_by_shown_ones_and_leave_the_winner_open_without() {
    let stacks = "finishing_stacks = [102, 98]";
    let (unknown, beaten) = ("'d dh p1 ????', 'd dh p2 ????'", "'p1 sm 7c2d', 'p2 sm ????'");
    let hand = heads_up(unknown, beaten, stacks);
    assert_eq!(Replay::of(&hand).map(|replay| replay.verdict(&hand)), Ok(Verdict::Matches));
    for stacks in [stacks, "finishing_stacks = [98, 102]", "winnings = [0, 4]"] {
        let hand = heads_up(unknown, "'p1 sm ????', 'p2 sm ????'", stacks);
        assert_eq!(Replay::of(&hand).map(|replay| replay.verdict(&hand)), Ok(Verdict::Consistent));
    }
}

#[test]
fn winnings_of_nobody_are_winnings_unknown() {
    let hand = heads_up("'d dh p1 7c2d', 'd dh p2 AsAd'", "'p1 sm', 'p2 sm -'", "winnings = [0, 0]");
    assert_eq!(Replay::of(&hand).map(|replay| replay.verdict(&hand)), Ok(Verdict::Consistent));
}

#[test]
fn a_blind_that_nobody_called_may_count_as_won_or_as_returned() {
    let walk = |winnings: &str| -> Record {
        let text = format!(
            "variant = 'NT'
antes = [2.50, 2.50, 2.50]
blinds_or_straddles = [10, 0, 0]
min_bet = 10
starting_stacks = [3148.90, 2152, 3320.65]
actions = ['d dh p1 ????', 'd dh p2 ????', 'd dh p3 ????', 'p2 f', 'p3 f']
winnings = {winnings}"
        );
        text.parse().expect("a hand")
    };
    for (winnings, fits) in [("[7.50, 0, 0]", true), ("[17.50, 0, 0]", true), ("[17.51, 0, 0]", false)] {
        let hand = walk(winnings);
        let verdict = Replay::of(&hand).expect("a hand").verdict(&hand);
        assert_eq!(verdict == Verdict::Consistent, fits, "{winnings}: {verdict:?}");
    }
}

#[test]
fn tables_of_the_authors_own_are_no_hands() {
    let hand = heads_up("'d dh p1 7c2d', 'd dh p2 AsAd'", "'p1 sm', 'p2 sm -'", "[_notes]\nwho = 'us'");
    let text = format!("\u{feff}[1]\n{hand}\n[_notes]\nwho = 'us'\n[_more.notes]\n");
    let hands = parse_all(&text).expect("TOML");
    assert_eq!(hands, [Ok(Record { name: "1".to_owned(), ..hand })]);
}

#[test]
fn several_boards_survive_phh() {
    let (setup, hand) = run_twice();
    let record = record_of(&setup, &hand.events, 2);
    let replay = Replay::of(&record).expect("a hand");
    assert_eq!(replay.hand.boards(), hand.hand.boards());
    assert_eq!(replay.verdict(&record), Verdict::Matches, "the rake is told");
    assert!(record.to_string().contains("starting_stacks = [10, 10, 50]"), "hundredths");
}

#[test]
fn cards_that_were_not_shown_can_be_left_out() {
    let (setup, hand) = run_twice();
    let record = record_of(&setup, &hand.events, 0);
    let public = without_unseen_cards(record.clone(), None).to_string();
    assert!(public.contains("d dh p1 AsAd") && public.contains("d dh p2 ????"));
    assert!(without_unseen_cards(record, Some(1)).to_string().contains("d dh p2 7c2d"));
}

#[test]
fn of_a_hand_that_was_shown_in_part_the_record_for_others_keeps_the_rest_down() {
    let record = |shows: &str| -> Record {
        let text = format!(
            "variant = 'NT'\nantes = [0, 0]\nblinds_or_straddles = [1, 2]\nmin_bet = 2\nstarting_stacks = [100, 100]\n\
             actions = ['d dh p1 AsAd', 'd dh p2 KsKd', 'p2 f', 'p1 sm {shows}']\n"
        );
        text.parse().expect("a hand")
    };
    let part = without_unseen_cards(record("As??"), None).to_string();
    assert!(!part.contains("Ad") && part.contains("p1 sm As??"), "{part}");
    assert!(without_unseen_cards(record("AsAd"), None).to_string().contains("d dh p1 AsAd"));
}

fn occasion() -> Occasion {
    Occasion {
        site: "Cardhouse".to_owned(),
        hand: "42".to_owned(),
        table: "Jacks".to_owned(),
        table_size: 6,
        started_at: "2026-01-31T18:00:00Z".to_owned(),
        currency: "EUR".to_owned(),
        scale: 2,
        tournament: None,
        names: ["Ann", "Bob", "Cy"].map(str::to_owned).to_vec(),
    }
}

#[test]
fn the_text_reads_as_a_hand() {
    let (setup, hand) = run_twice();
    let page = text::render(&setup, &hand.events, &occasion(), View::Public);
    let expected = "\
Hand 42: No-limit hold'em 0.5/1 EUR
Table Jacks, 2026-01-31T18:00:00Z, button on seat 3
Seat 1: Ann (10)
Seat 2: Bob (10)
Seat 3: Cy (50)
Ann posts small blind 0.5
Bob posts big blind 1
Cy calls 1
Ann calls 0.5
Bob checks
--- Flop: 2c7h8s (board 2c7h8s, pot 3) ---
Ann bets 9 and is all-in
Bob folds
Cy calls 9
Ann tables AsAd
Cy tables KsKd
The players may agree on up to 2 boards
Ann agrees to 2
Cy agrees to 2
It is run on 2
--- Turn: Jc (board 2c7h8sJc, pot 21) ---
--- River: Qd (board 2c7h8sJcQd, pot 21) ---
--- Turn of board 2: Kh (board 2c7h8sKh, pot 21) ---
--- River of board 2: 3c (board 2c7h8sKh3c, pot 21) ---
The house takes 0.3 from the main pot
Ann wins 10.35 from the main pot on board 1
Cy wins 10.35 from the main pot on board 2
--- Summary ---
Board 1: 2c7h8sJcQd
Board 2: 2c7h8sKh3c
Rake 0.3
Ann won 10.35, has 10.35
Cy won 10.35, has 50.35
";
    assert_eq!(page, expected);
}
