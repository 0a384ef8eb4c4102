//! What a match promises: it is fair to both, loses no chip, and says how sure it is.

use agency::{
    args::Cli,
    deal::Deal,
    duplicate::{Terms, play},
    tally::Tally,
};
use clap::Parser as _;
use holdem::Action;
use proptest::prelude::*;
use rand::{Rng, RngExt};
use strategies::{Spot, Strategy, Style, Temper};

const STYLES: [Style; 4] =
    [Style::Tight, Style::LooseAggressive, Style::RandomLegal, Style::Sensible(Temper::Solid)];

/// The same strategy with other chance: so it plays itself without playing the same.
struct Otherwise(Style);

impl Strategy for Otherwise {
    fn decide(&self, spot: &Spot, rng: &mut dyn Rng) -> Action {
        let _: u64 = rng.random();
        self.0.decide(spot, rng)
    }
}

/// Gives every hand up.
struct Folds;

impl Strategy for Folds {
    fn decide(&self, _: &Spot, _: &mut dyn Rng) -> Action {
        Action::Fold
    }
}

/// Asks for more than the rules allow.
struct Greedy;

impl Strategy for Greedy {
    fn decide(&self, _: &Spot, _: &mut dyn Rng) -> Action {
        Action::RaiseTo(holdem::Chips(u64::MAX))
    }
}

fn terms(hands: u64, seats: u8, seed: u64) -> Terms {
    Terms { hands, seats, seed, stack: 100 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_chip_is_made_or_lost_as_the_cards_fell_or_on_average(seed: u64, seats in 2u8..=6, stack in 1u64..200) {
        let styles: Vec<&dyn Strategy> = STYLES.iter().map(|style| style as &dyn Strategy).collect();
        let played = Deal::new(seed, 0, seats, stack).play(|seat| styles[seat % styles.len()]);
        prop_assert_eq!(played.nets.iter().sum::<i64>(), 0);
        prop_assert!(played.adjusted.iter().sum::<f64>().abs() < 1e-6, "{:?}", played.adjusted);
        prop_assert_eq!(played.illegal, 0);
    }
}

#[test]
fn a_strategy_wins_nothing_from_itself() {
    for (style, seats) in
        [(Style::Tight, 2), (Style::LooseAggressive, 3), (Style::Sensible(Temper::Loose), 6)]
    {
        let outcome = play(&style, &style, terms(120, seats, 7));
        assert!(outcome.adjusted.mean.abs() < 1e-6, "{style:?} {outcome:?}");
    }
}

#[test]
fn with_other_chance_what_it_wins_from_itself_is_nothing_within_the_interval() {
    // Of 40 intervals of 95 % two miss on average; more than seven in one of 1,500 runs, and this is one run for ever.
    let misses = |one: &dyn Strategy, other: &dyn Strategy| {
        let misses = |seed: &u64| !play(one, other, terms(100, 2, *seed)).adjusted.holds(0.0);
        (0..40).filter(misses).count()
    };
    assert!(misses(&Style::Tight, &Otherwise(Style::Tight)) <= 7);
    // The check can fail: it does where one of them is better.
    assert!(misses(&Style::LooseAggressive, &Folds) > 30);
}

#[test]
fn the_same_seed_plays_the_same_match_and_another_one_another() {
    let played = |seed| play(&Style::Tight, &Style::RandomLegal, terms(60, 3, seed));
    assert_eq!(played(1), played(1));
    assert_ne!(played(1), played(2));
}

#[test]
fn duplicate_deals_and_averages_over_cards_to_come_make_the_interval_smaller() {
    let (one, other) = (Style::Sensible(Temper::Solid), Style::Sensible(Temper::Loose));
    let outcome = play(&one, &other, terms(600, 6, 3));
    assert!(outcome.adjusted.half < 0.8 * outcome.single.half, "{outcome:?}");
    assert!(outcome.adjusted.half < outcome.raw.half, "{outcome:?}");
    // Both measure the same.
    assert!((outcome.adjusted.mean - outcome.raw.mean).abs() < outcome.raw.half, "{outcome:?}");
}

#[test]
fn what_the_rules_refuse_is_counted_and_not_done() {
    let outcome = play(&Greedy, &Style::Tight, terms(20, 2, 1));
    assert!(outcome.illegal > 0 && outcome.adjusted.mean.is_finite());
}

#[test]
fn an_interval_narrows_with_the_root_of_the_samples() {
    let of = |count: u32| {
        let mut tally = Tally::default();
        (0..count).for_each(|at| tally.add(f64::from(at % 2)));
        tally.mean()
    };
    assert!((of(100).mean - 0.5).abs() < 1e-12 && (of(100).half - 1.96 * 0.502_5 / 10.0).abs() < 1e-4);
    assert!((of(400).half / of(100).half - 0.5).abs() < 0.01);
    assert!(of(1).half.is_infinite() && of(0).half.is_infinite());
}

fn said(words: &[&str]) -> Result<String, String> {
    let cli = Cli::try_parse_from([&["agency"], words].concat()).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    cli.run(&mut out).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn the_command_line_plays_matches_and_says_what_is_wrong_with_others() {
    let line = said(&["match", "tight", "random", "loose", "--hands", "20", "--seats", "3"]).unwrap();
    assert!(line.lines().count() == 2 && line.contains("tight against random, 3 seats"), "{line}");
    let json = said(&["match", "tight", "random", "--hands", "20", "--json"]).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["outcome"]["hands"], &json["unit"]), (&20.into(), &"mbb/h".into()));
    assert!(said(&["push-fold", "--stack", "10"]).unwrap().lines().all(|line| line.contains(" AA AKs")));
    assert!(said(&["strategies"]).unwrap().contains("pot-odds"));
    for wrong in [
        &["match", "tight"][..],
        &["match", "tight", "nobody"],
        &["match", "tight", "random", "--hands", "0"],
        &["match", "tight", "random", "--seats", "1"],
        &["match", "tight", "random", "--seats", "11"],
        &["match", "tight", "random", "--stack", "0"],
        &["match", "tight", "random", "--hands", "-5"],
        &["push-fold", "--stack", "NaN"],
        &["push-fold", "--stack", "16"],
        &[],
    ] {
        assert!(said(wrong).is_err(), "{wrong:?}");
    }
    assert!(
        said(&["match", "tight", "nobody"]).unwrap_err().contains("sensible-solid"),
        "names what there is"
    );
}
