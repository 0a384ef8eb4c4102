//! What the audit is there to find.

use std::{net::SocketAddr, path::Path};

use cage::{Tx, ledger};
use house::{Config, House};
use money::{Ask, Body as _, Currency, Share};
use protocol::id::{ErrandId, Position, RoomId, UserId};
use rooms::planted::{Fault, plant};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    SOON,
    players::Players,
    staff::{Auditor, beside},
};

/// A house in this very thread.
pub(crate) async fn house(folder: &Path) -> (SocketAddr, AbortOnDropHandle<()>) {
    let mut config = Config::defaults();
    config.listen = ([127, 0, 0, 1], 0).into();
    config.data.folder = Some(folder.join("cardhouse"));
    config.tables.tables = 1;
    config.tables.pause_ms = 20;
    config.tables.table_currency = Some(play());
    config.chips.currencies = vec!["PLAY:0:1000000:0".parse().unwrap()];
    config.bots.bots = 2;
    config.bots.bot_think_min_ms = 0;
    config.bots.bot_think_more_ms = 10;
    let house = House::open(config).await.unwrap();
    let address = house.address();
    let run = house.run(CancellationToken::new());
    (address, AbortOnDropHandle::new(tokio::spawn(async move { run.await.unwrap() })))
}

fn play() -> Currency {
    Currency::new("PLAY").unwrap()
}

/// What the audit says once it says that something is wrong.
pub(crate) async fn wrong(auditor: &Auditor) -> Value {
    let until = Instant::now() + SOON;
    loop {
        let told = auditor.audit().await;
        if told["good"] == false {
            return told;
        }
        assert!(Instant::now() < until, "{told}");
        sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_table_that_pays_a_chip_too_many_is_found() {
    plant(Some(Fault::PaysOneTooMany));
    let home = tempfile::tempdir().unwrap();
    let (address, _house) = house(home.path()).await;
    let auditor = Auditor::new(address, &home.path().join("cardhouse/people.db")).await;
    let _players = Players::start(address, 3, 1);
    let told = wrong(&auditor).await;
    plant(None);
    let table = &told["tables"]["wrong"][0];
    assert_eq!((&table["room"], &table["currency"]), (&json!("t1"), &json!("PLAY")), "{told}");
    assert!(table["difference"].as_i64().unwrap() < 0, "chips were made: {told}");
    assert_eq!(
        (&told["wrong"], &told["currencies"][0]["sum"]),
        (&json!([]), &json!(0)),
        "the ledger itself is right"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_booked_for_a_table_by_somebody_else_is_found_to_the_chip() {
    let home = tempfile::tempdir().unwrap();
    let (address, _house) = house(home.path()).await;
    let database = home.path().join("cardhouse/people.db");
    let auditor = Auditor::new(address, &database).await;
    let players = Players::start(address, 3, 1);
    players.seen.more(100).await;
    auditor.finds_all_right(1).await;
    // All that the ledger itself could check is right with it.
    let forged = Share { user: UserId::new("u-thief").unwrap(), currency: play(), amount: 7 };
    let (room, body) = (RoomId::new("t1").unwrap(), Ask::Return(forged).write());
    let steal = move |tx: &mut dyn Tx| {
        let epoch = tx.run("SELECT MAX(epoch) FROM request WHERE room = 't1'", &[])?[0].count(0)?;
        let id = ErrandId { at: Position::new(epoch, 1), n: 77 };
        ledger::answer(tx, 1, &room, id, &body)
    };
    beside(&database).await.write("x", steal).await.unwrap();
    for _ in 0..5 {
        let told = auditor.audit().await;
        assert_eq!(told["tables"]["differences"], json!({ "PLAY": -7 }), "{told}");
        assert_eq!(told["currencies"][0]["sum"], 0);
        players.seen.more(20).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_balance_that_was_changed_by_hand_is_found_to_the_chip() {
    let home = tempfile::tempdir().unwrap();
    let (address, _house) = house(home.path()).await;
    let database = home.path().join("cardhouse/people.db");
    let auditor = Auditor::new(address, &database).await;
    let players = Players::start(address, 3, 1);
    players.seen.more(100).await;
    let change = |tx: &mut dyn Tx| {
        // Nobody can without taking the lock off the door.
        tx.run("DROP TRIGGER account_moves", &[])?;
        tx.run("UPDATE account SET balance = balance + 3 WHERE kind = 'table' AND name = 't1'", &[])
    };
    beside(&database).await.write("x", change).await.unwrap();
    let told = auditor.audit().await;
    assert_eq!(told["wrong"], json!(["PLAY/table/t1"]), "{told}");
    assert_eq!(told["tables"]["wrong"][0]["difference"], 3, "{told}");
    assert_eq!(told["currencies"][0]["sum"], 3, "{told}");
}
