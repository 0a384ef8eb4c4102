//! Replays recorded hands: `replay FILE_OR_FOLDER...`
//!
//! Every `.phh` file below is played through the engine and its final stacks compared with the recorded ones; `.phhs`
//! files with many hands count hand by hand. Hands that do not come out right are printed with both. The last line counts
//! them; the exit code is 1 if any failed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use holdem::phh::{PhhError, Record, Replay, Verdict, parse_all};

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
    /// Passed, but nothing was recorded, or too little is known, to compare the stacks with.
    not_compared: usize,
    irregular_raises: usize,
    passed_over: usize,
    /// Amounts that were not told in the unit of their hand.
    rounded: usize,
    /// Of them, those that were off by more than a float's noise.
    rounded_off: usize,
}

fn main() -> ExitCode {
    let mut tally = Tally::default();
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if paths.is_empty() {
        eprintln!("usage: replay FILE_OR_FOLDER...");
        return ExitCode::from(2);
    }
    for path in paths {
        for file in files_below(&path) {
            replay_file(&file, &mut tally);
        }
    }
    if tally.not_compared > 0 {
        println!(
            "{} of the passed hands record no stacks or not all cards: played through, not compared",
            tally.not_compared
        );
    }
    if tally.irregular_raises > 0 {
        println!("{} raises outside the limits stood as played (TDA 52)", tally.irregular_raises);
    }
    if tally.passed_over > 0 {
        println!("{} players were passed over by their records and folded (TDA 53-B)", tally.passed_over);
    }
    if tally.rounded > 0 {
        println!(
            "{} amounts were rounded to the unit of their hand, {} of them by more than a float's noise",
            tally.rounded, tally.rounded_off
        );
    }
    println!("{} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.skipped);
    if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The path itself if it is a file, else all hand histories below it in the order of their names.
fn files_below(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else { return vec![path.to_owned()] };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort_unstable();
    let history =
        |path: &Path| path.extension().is_some_and(|extension| extension == "phh" || extension == "phhs");
    entries
        .into_iter()
        .filter(|path| path.is_dir() || history(path))
        .flat_map(|path| files_below(&path))
        .collect()
}

fn replay_file(path: &Path, tally: &mut Tally) {
    let hands = match fs::read(path) {
        Ok(bytes) => parse_all(&String::from_utf8_lossy(&bytes)),
        Err(error) => {
            println!("{}: {error}", path.display());
            tally.failed += 1;
            return;
        }
    };
    match hands {
        Ok(hands) => hands.into_iter().for_each(|hand| replay_hand(path, hand, tally)),
        Err(error) => fail(path, "", &error.to_string(), tally),
    }
}

fn replay_hand(path: &Path, hand: Result<Record, PhhError>, tally: &mut Tally) {
    let record = match hand {
        Ok(record) => record,
        Err(PhhError::Variant { .. }) => {
            tally.skipped += 1;
            return;
        }
        Err(error) => return fail(path, "", &error.to_string(), tally),
    };
    let replay = match Replay::of(&record) {
        Ok(replay) => replay,
        Err(error) => return fail(path, &record.name, &error.to_string(), tally),
    };
    tally.rounded += record.rounded.len();
    tally.rounded_off += record.rounded.iter().filter(|rounded| rounded.lost_millionths > 0).count();
    tally.irregular_raises += replay.irregular_raises;
    tally.passed_over += replay.passed_over;
    match replay.verdict(&record) {
        Verdict::Matches => tally.passed += 1,
        Verdict::Consistent => {
            tally.passed += 1;
            tally.not_compared += 1;
        }
        Verdict::Differs { expected, actual } => {
            let expected: Vec<String> =
                expected.iter().map(|e| e.map_or_else(|| "unknown".to_owned(), |e| e.to_string())).collect();
            let actual: Vec<String> = actual.iter().map(|chips| replay.amount(*chips).to_string()).collect();
            let what = format!("expected [{}], got [{}]", expected.join(", "), actual.join(", "));
            fail(path, &record.name, &what, tally);
        }
    }
}

fn fail(path: &Path, name: &str, what: &str, tally: &mut Tally) {
    tally.failed += 1;
    let name = if name.is_empty() { String::new() } else { format!(" [{name}]") };
    println!("{}{name}: {what}", path.display());
}
