//! The drill of docs/operations.md, "The tape": a house whose database is put back from a backup, with its tape beside it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{FLAGS, players::Players, process::House, staff::Auditor};

/// The database, with what SQLite keeps beside it.
fn files(folder: &Path) -> Vec<PathBuf> {
    ["people.db", "people.db-wal"]
        .map(|name| folder.join(name))
        .into_iter()
        .filter(|path| path.exists())
        .collect()
}

fn put(from: &Path, into: &Path) {
    fs::create_dir_all(into).unwrap();
    for old in files(into).into_iter().chain([into.join("people.db-shm")]) {
        let _ = fs::remove_file(old);
    }
    for file in files(from) {
        fs::copy(&file, into.join(file.file_name().unwrap())).unwrap();
    }
}

fn copy(from: &Path, into: &Path) {
    fs::create_dir_all(into).unwrap();
    for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
        match file.file_type().unwrap().is_dir() {
            true => copy(&file.path(), &into.join(file.file_name())),
            false => assert!(fs::copy(file.path(), into.join(file.file_name())).is_ok()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_whose_database_goes_back_has_all_that_it_has_answered() {
    let home = tempfile::tempdir().unwrap();
    let (data, tape, backup) =
        (home.path().join("cardhouse"), home.path().join("tape"), home.path().join("backup"));
    let taped = ["--tape-dir", tape.to_str().unwrap()];
    let mut house = House::open(home.path(), &[FLAGS.as_slice(), &taped].concat());
    let address = house.address.to_string();
    let flags = [FLAGS.as_slice(), &["--listen", &address]].concat();
    let with_tape = [flags.as_slice(), &taped].concat();
    let mut auditor = Auditor::new(house.address, &data.join("people.db")).await;
    let players = Players::start(house.address, 6, 3);
    players.seen.more(300).await;
    drop(house);
    put(&data, &backup);

    // They play on, come and go, and are told so.
    house = House::open(home.path(), &with_tape);
    players.seen.more(600).await;
    auditor.again().await;
    auditor.finds_all_right(3).await;
    drop(house);
    players.give_up();

    // The judge, on a copy of all of it: without the tape the ledger has forgotten what tables hold.
    let elsewhere = tempfile::tempdir().unwrap();
    copy(&data, &elsewhere.path().join("cardhouse"));
    put(&backup, &elsewhere.path().join("cardhouse"));
    house = House::open(elsewhere.path(), &flags);
    auditor.again().await;
    let told = auditor.audit().await;
    assert_ne!(told["tables"]["differences"], serde_json::json!({ "PLAY": 0 }), "{told}");
    drop(house);

    put(&backup, &data);
    house = House::open(home.path(), &with_tape);
    auditor.again().await;
    auditor.finds_all_right(3).await;
    // And people come, play and leave as before.
    let players = Players::start(house.address, 6, 3);
    players.seen.more(200).await;
    players.end().await;
    auditor.finds_all_right(3).await;
}
