//! Tapes that are not whole, and tapes of others.

use std::fs;

use cage::tape::{self, ForwardError, TapeError};

use super::house::{House, all_of};
use crate::{
    ledger::{buy, cash_out, done, id},
    setup::{Cage, DAY, NOW},
};

/// The only file of the tape.
fn file(house: &House) -> std::path::PathBuf {
    let files = fs::read_dir(house.tape("main")).unwrap().map(|file| file.unwrap().path());
    let mut tapes: Vec<_> = files.filter(|path| path.extension().is_some_and(|of| of == "tape")).collect();
    assert_eq!(tapes.len(), 1);
    tapes.remove(0)
}

/// A tape with four lines behind its head, and a backup of before the last three of them.
async fn taped(house: &House) -> Vec<String> {
    let (cage, _) = house.open_taped("now").await;
    assert_eq!(cage.ask(id(1, 1), cash_out("u-ann", 0)).await, done());
    house.back_up(cage, "now", "backup").await;
    let (cage, _) = house.open_taped("now").await;
    for seq in 2..=4 {
        assert_eq!(cage.ask(id(1, seq), cash_out("u-bob", 0)).await, done());
    }
    let expected = all_of(&cage).await;
    house.back_up(cage, "now", "end").await;
    expected
}

pub(crate) async fn a_last_line_that_is_torn_was_told_to_nobody(house: House) {
    let expected = taped(&house).await;
    let whole = fs::read(file(&house)).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for torn in [&whole[last..last + 1], &whole[last..whole.len() - 1], b"\0\0\0\0", b"{\"n\":9\n\0\n"] {
        fs::write(file(&house), [&whole[..], torn].concat()).unwrap();
        assert_eq!(tape::check(&house.tape("main")).is_ok(), torn != b"{\"n\":9\n\0\n");
    }
    fs::write(file(&house), [&whole[..], &whole[last..last + 40]].concat()).unwrap();
    let (cage, forward) = house.open_taped("backup").await;
    assert_eq!(forward.applied, 3);
    assert_eq!(all_of(&cage).await, expected);
    assert_eq!(fs::read(file(&house)).unwrap(), whole, "it is taken away");
    assert_eq!(cage.ask(id(1, 5), cash_out("u-bob", 0)).await, done());
    assert_eq!(tape::check(&house.tape("main")).unwrap(), 5);
}

pub(crate) async fn any_other_damage_is_refused_with_the_lines_number(house: House) {
    taped(&house).await;
    let cage = house.open("backup").await;
    let whole = fs::read_to_string(file(&house)).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    assert_eq!(lines.len(), 5);
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = lines.iter().map(|line| (*line).to_owned()).collect();
        change(&mut lines);
        lines.join("\n") + "\n"
    };
    for (what, damaged, at) in [
        ("an amount", with(&|lines| lines[2] = lines[2].replace(r#""amount":0"#, r#""amount":1"#)), 3),
        ("a bit of a hash", with(&|lines| lines[1] = lines[1].replace(r#""hash":""#, r#""hash":"0"#)), 2),
        ("a line is missing", with(&|lines| drop(lines.remove(2))), 3),
        ("a line stands twice", with(&|lines| lines.insert(2, lines[1].clone())), 3),
        ("two lines have changed places", with(&|lines| lines.swap(2, 3)), 3),
        ("a line of something else", with(&|lines| lines.insert(4, "hello".into())), 5),
        ("the head", with(&|lines| lines[0] = lines[0].replace(r#""from":1"#, r#""from":2"#)), 1),
        ("a later release", with(&|lines| lines[0] = lines[0].replace(r#""tape":1"#, r#""tape":2"#)), 1),
        ("the last line, with its end", with(&|lines| lines[4] = lines[4].replace("u-bob", "u-bib")), 5),
    ] {
        fs::write(file(&house), damaged).unwrap();
        let refused = house.keep(&cage, "main").await.unwrap_err();
        let ForwardError::Tape(TapeError::Damaged(damage)) = &refused else { panic!("{what}: {refused}") };
        assert_eq!(damage.line, at, "{what}: {refused}");
        assert!(
            matches!(tape::check(&house.tape("main")), Err(TapeError::Damaged(found)) if found == *damage)
        );
    }
    fs::write(file(&house), whole).unwrap();
    house.keep(&cage, "main").await.unwrap();
}

pub(crate) async fn a_tape_that_has_lost_its_end_is_not_written_on(house: House) {
    taped(&house).await;
    let (cage, _) = house.open_taped("end").await;
    house.back_up(cage, "end", "marked").await;
    let whole = fs::read_to_string(file(&house)).unwrap();
    let without_last = &whole[..whole.trim_end().rfind('\n').unwrap() + 1];
    fs::write(file(&house), without_last).unwrap();
    let cage = house.open("marked").await;
    let refused = house.keep(&cage, "main").await.unwrap_err();
    assert!(matches!(refused, ForwardError::Tape(TapeError::Short(_, 3, 4))), "{refused}");
}

pub(crate) async fn a_tape_is_one_cages_and_one_ledgers(house: House) {
    let (cage, _) = house.open_taped("now").await;
    assert_eq!(cage.ask(id(1, 1), buy("u-ann", 100)).await, done());
    let other = house.open("other").await;
    let taken = house.keep(&other, "main").await.unwrap_err();
    assert!(matches!(taken, ForwardError::Tape(TapeError::Taken(_))), "{taken}");
    house.back_up(cage, "now", "end").await;
    let theirs = house.keep(&other, "main").await.unwrap_err();
    assert!(matches!(theirs, ForwardError::Tape(TapeError::NotOurs(..))), "{theirs}");
    house.keep(&other, "another").await.unwrap();
}

pub(crate) async fn each_day_has_a_file_that_goes_on_where_the_one_before_ended(house: House) {
    let (cage, _) = house.open_taped("now").await;
    house.back_up(cage, "now", "backup").await;
    let (cage, _) = house.open_taped("now").await;
    let ask = |cage: Cage, day: u64| async move {
        let body = money::Body::write(&cash_out("u-ann", 0));
        let at = crate::ledger::room("t1");
        cage.write(move |tx| cage::ledger::answer(tx, NOW + day * DAY, &at, id(1, day + 1), &body)).await
    };
    for day in [0, 1, 1, 3, 2] {
        ask(cage.clone(), day).await;
    }
    let expected = all_of(&cage).await;
    house.back_up(cage, "now", "end").await;
    let names = || {
        let files = fs::read_dir(house.tape("main")).unwrap().map(|file| file.unwrap().file_name());
        let mut names: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
        names.sort_unstable();
        names
    };
    let files = names();
    assert_eq!(files, ["2023-11-14.tape", "2023-11-15.tape", "2023-11-17.tape", "tape.lock"]);
    // A file that was being begun when the machine stopped.
    fs::write(house.tape("main").join("2023-11-18.tape"), "{\"tape\":1,\"data").unwrap();
    let (cage, forward) = house.open_taped("backup").await;
    assert_eq!(forward.applied, 4);
    assert_eq!((all_of(&cage).await, names()), (expected, files));
    house.back_up(cage, "backup", "later").await;
    // The one between is gone.
    fs::remove_file(house.tape("main").join("2023-11-15.tape")).unwrap();
    assert!(matches!(tape::check(&house.tape("main")), Err(TapeError::Damaged(damage)) if damage.line == 1));
}
