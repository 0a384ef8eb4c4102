//! A house whose journals are gone: what everybody had is known from the hands that were written down.

use std::{fs, path::Path};

use cage::{Tx, history::find, ledger, people::audit};
use protocol::id::RoomId;
use serde_json::json;

use crate::{
    FLAGS,
    found::{house, wrong},
    players::Players,
    process::House,
    staff::{Auditor, beside},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_whose_journals_are_gone_pays_everybody_at_the_last_hand_and_opens_its_tables_anew() {
    let home = tempfile::tempdir().unwrap();
    let database = home.path().join("cardhouse/people.db");
    let mut house = House::open(home.path(), &FLAGS);
    let address = house.address.to_string();
    let mut auditor = Auditor::new(house.address, &database).await;
    let players = Players::start(house.address, 6, 3);
    players.seen.more(400).await;
    while written(&database).await.len() < 3 {
        players.seen.more(50).await;
    }
    drop(house);
    players.give_up();
    fs::remove_dir_all(home.path().join("cardhouse/journals")).unwrap();
    // Everybody is paid behind these.
    let last = written(&database).await;

    house = House::open(home.path(), &[FLAGS.as_slice(), &["--listen", &address]].concat());
    auditor.again().await;
    let told = auditor.audit().await;
    assert!(told["good"] == true && told["currencies"][0]["sum"] == 0, "{told}");
    assert_eq!(told["tables"]["differences"], json!({ "PLAY": 0 }), "{told}");
    let told = |tx: &mut dyn Tx| {
        let of_each = ["t1", "t2", "t3"].map(|room| audit::about(tx, room, u64::MAX, 9));
        let entries: Vec<_> = of_each.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
        Ok(entries
            .into_iter()
            .map(|kept| kept.entry)
            .filter(|entry| entry.action == "table_settled")
            .collect())
    };
    let settled: Vec<audit::Entry> = beside(&database).await.read(told).await.unwrap();
    assert_eq!(settled.len(), 3, "{settled:?}");
    for (hand, told) in last.iter().zip(&settled) {
        assert!(told.detail.starts_with(&format!("behind hand {hand}: ")), "{hand}: {told:?}");
    }
    // They are tables like others: people come with what they have got, and play.
    let players = Players::start(house.address, 6, 3);
    players.seen.more(200).await;
    players.end().await;
    auditor.finds_right(3).await;
}

/// The last hand of each table of which one was written down.
async fn written(database: &Path) -> Vec<String> {
    let last = |tx: &mut dyn Tx| {
        let rooms = ["t1", "t2", "t3"].map(|room| RoomId::new(room).unwrap());
        let each: Vec<_> =
            rooms.iter().map(|room| find::of_table(tx, room, u64::MAX, 1)).collect::<Result<_, _>>()?;
        Ok(each.into_iter().flatten().map(|hand| hand.name.to_string()).collect())
    };
    beside(database).await.read(last).await.unwrap()
}

/// And if it were: the ledger would hold nothing for chips that lie there, which the audit finds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_there_is_not_settled_and_it_would_be_found() {
    let home = tempfile::tempdir().unwrap();
    let (address, _house) = house(home.path()).await;
    let database = home.path().join("cardhouse/people.db");
    let auditor = Auditor::new(address, &database).await;
    let players = Players::start(address, 3, 1);
    players.seen.more(100).await;
    let asked = json!({ "room": "t1", "reason": "I believe that it is gone" });
    let refused = auditor.post("/api/staff/ledger/settle", asked).await;
    assert_eq!(refused["code"], "table_lives", "{refused}");
    let unknown = json!({ "room": "t99", "reason": "I believe that it is gone" });
    assert_eq!(auditor.post("/api/staff/ledger/settle", unknown).await["code"], "not_found");
    auditor.finds_all_right(1).await;
    // Planted: nobody has looked whether it is there.
    let room = RoomId::new("t1").unwrap();
    let now = 4_000_000_000_000;
    let settle = move |tx: &mut dyn Tx| ledger::settle(tx, now, &room);
    let settled = beside(&database).await.write("x", settle).await.unwrap().unwrap();
    assert!(!settled.paid.is_empty());
    let told = wrong(&auditor).await;
    assert!(
        told["tables"]["wrong"][0]["difference"].as_i64().unwrap() < 0,
        "chips lie there for nothing: {told}"
    );
}
