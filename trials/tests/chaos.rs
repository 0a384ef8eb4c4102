//! Chaos in small: real processes, a few bots, half a minute.

use std::process::{Command, Output};

use serde_json::Value;

fn chaos(arguments: &[&str]) -> (Output, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trials"));
    let output = command
        .args(["chaos", "--json", "--no-build", "--bots=12", "--tables=2"])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().unwrap_or_default();
    let report = serde_json::from_str(line)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    (output, report)
}

fn sum(counts: &Value) -> u64 {
    counts.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

#[test]
fn whatever_is_killed_stopped_or_cut_off_nothing_is_lost() {
    let (output, report) = chaos(&["--minutes=0.4", "--seed=11", "--calm-ms-max=500"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(sum(&report["breaches"]), 0, "{report}");
    assert!(report["breaches"].as_object().unwrap().len() >= 10, "every promise is named: {report}");
    assert!(report["actions"].as_u64() > Some(0) && report["hands"].as_u64() > Some(0), "{report}");
    assert!(sum(&report["faults"]) > 0, "{report}");
    assert!(report["jobs_done"].as_u64() > Some(10), "{report}");
    assert!(report["judged"].as_u64() > Some(0) && report["not_judged"].as_u64() == Some(0), "{report}");
}

#[test]
fn what_is_published_and_not_written_is_caught() {
    let flags = ["--minutes=0.05", "--only=reception_killed", "--plant-unwritten-frames"];
    let (output, report) = chaos(&flags);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(sum(&report["breaches"]) > 0, "{report}");
}

/// Some come late, all but one go out, and whoever is moved is moved while things go wrong. Entries cost chips that are somebody's.
#[test]
fn a_tournament_comes_to_its_winner_whatever_is_killed() {
    let flags = ["--tournament=24", "--tournament-level-seconds=4", "--minutes=0.5", "--calm-ms-max=3000"];
    let only = ["--only=worker_killed,relay_killed,redis_killed", "--one-at-a-time", "--table-currency=PLAY"];
    let (output, report) = chaos(&[&flags[..], &only].concat());
    assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(sum(&report["breaches"]), 0, "{report}");
    let played = &report["tournament"];
    assert_eq!(played["entries"].as_u64(), Some(24), "{report}");
    assert_eq!(
        played["accounts"].as_u64(),
        Some(24),
        "each has paid for his entry, and has got his prize: {report}"
    );
    assert!(played["moved"].as_u64() > Some(0) && played["seen_us"]["count"].as_u64() > Some(0), "{report}");
    assert!(sum(&report["faults"]) > 0, "{report}");
}

#[test]
fn a_tournament_that_seats_one_player_twice_is_caught() {
    let flags = ["--tournament=24", "--tournament-level-seconds=4", "--minutes=0.4", "--plant-second-seat"];
    let (output, report) = chaos(&[&flags[..], &["--only=reception_killed"]].concat());
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report["breaches"]["one_place"].as_u64() > Some(0), "{report}");
}

#[test]
fn a_room_of_jobs_that_takes_late_answers_is_caught() {
    let (output, report) = chaos(&["--minutes=0.3", "--only=worker_killed", "--plant-late-answers"]);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report["breaches"]["answered"].as_u64() > Some(0), "{report}");
}

#[test]
fn a_till_that_takes_twice_is_caught() {
    let flags = ["--minutes=0.3", "--only=worker_killed,connections_dropped", "--plant-forgetful-till"];
    let (output, report) = chaos(&flags);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report["breaches"]["errands"].as_u64() > Some(0), "{report}");
}

#[test]
fn where_chips_are_somebodys_none_is_made_or_lost_whatever_is_killed_the_cage_too() {
    let only = "--only=worker_killed,reception_killed,relay_killed,connections_dropped";
    let flags = ["--table-currency=PLAY", "--minutes=0.3", "--seed=5", "--calm-ms-max=500", only];
    let (output, report) = chaos(&flags);
    assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(sum(&report["breaches"]), 0, "{report}");
    assert!(report["hands"].as_u64() > Some(0) && sum(&report["faults"]) > 0, "{report}");
    assert!(
        report["purses"]["judged"].as_u64() > Some(3),
        "most players know what they ought to have: {report}"
    );
}

#[test]
fn a_chip_that_is_booked_in_the_name_of_a_table_is_caught() {
    let flags =
        ["--table-currency=PLAY", "--minutes=0.05", "--only=reception_killed", "--plant-forged-booking"];
    let (output, report) = chaos(&flags);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report["breaches"]["money"].as_u64() > Some(0), "{report}");
}

/// More than one table and player, so that what one gets is not simply what there is.
#[test]
fn when_nothing_is_left_of_any_table_everybody_is_paid_at_the_last_hand_and_plays_on() {
    let flags =
        ["--table-currency=PLAY", "--minutes=0.4", "--seed=3", "--calm-ms-max=1500", "--only=redis_flushed"];
    let (output, report) = chaos(&flags);
    assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(sum(&report["breaches"]), 0, "{report}");
    assert!(sum(&report["faults"]) > 0 && report["settled_tables"].as_u64() >= Some(2), "{report}");
    assert!(report["settled_players"].as_u64() > Some(4), "{report}");
}

#[test]
fn a_chip_that_is_slipped_to_a_player_is_caught_by_the_player() {
    let flags =
        ["--table-currency=PLAY", "--minutes=0.05", "--only=reception_killed", "--plant-slipped-chip"];
    let (output, report) = chaos(&flags);
    assert_eq!(output.status.code(), Some(1), "{report}");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("a bot: Money:") && told.contains("ought to have"), "{report}{told}");
}

/// The database goes back, and what was answered since stands on the tape.
fn goes_back(flags: &[&str]) -> (std::process::Output, serde_json::Value) {
    let usual = [
        "--table-currency=PLAY",
        "--seed=5",
        "--calm-ms-max=1500",
        "--only=database_restored",
        "--think-ms=60",
    ];
    chaos(&[&usual, flags].concat())
}

#[test]
fn a_database_that_goes_back_forgets_nothing_that_stands_on_the_tape() {
    for flags in
        [["--minutes=0.3", "--keep-tape"].as_slice(), &["--minutes=0.2", "--keep-tape", "--keep-hands"]]
    {
        let (output, report) = goes_back(flags);
        assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(sum(&report["breaches"]), 0, "{report}");
        assert!(report["faults"]["database_restored"].as_u64() >= Some(1), "{report}");
    }
}

#[test]
fn a_database_that_goes_back_without_a_tape_is_caught_by_the_audit() {
    let (output, report) = goes_back(&["--minutes=0.2", "--plant-no-tape"]);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report["breaches"]["money"].as_u64() > Some(0), "{report}");
}

/// What was played is written down once, whoever dies over it.
#[test]
fn every_hand_is_written_down_once_whatever_becomes_of_recorder_and_database() {
    let only = "--only=recorder_killed,database_killed,worker_killed";
    let (output, report) = chaos(&["--minutes=0.4", "--seed=7", "--calm-ms-max=1000", "--keep-hands", only]);
    assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(sum(&report["breaches"]), 0, "{report}");
    assert!(report["faults"]["recorder_killed"].as_u64() > Some(0), "{report}");
    assert!(report["faults"]["database_killed"].as_u64() > Some(0), "{report}");
    let written = &report["written"];
    assert!(written["hands"].as_u64() >= report["hands"].as_u64() && written["dead"] == 0, "{report}");
}

#[test]
fn a_hand_that_somebody_says_is_written_down_and_is_not_is_caught() {
    let flags = ["--minutes=0.1", "--only=reception_killed", "--keep-hands", "--plant-unwritten-hands"];
    let (output, report) = chaos(&flags);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report["breaches"]["kept"].as_u64() > Some(0), "{report}");
}
