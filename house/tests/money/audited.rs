//! The audit under load.

use rand::RngExt as _;

use crate::{FLAGS, players::Players, process::House, staff::Auditor, times};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_and_the_tables_say_the_same_at_any_moment_while_they_are_played_at() {
    let home = tempfile::tempdir().unwrap();
    let house = House::open(home.path(), &FLAGS);
    let auditor = Auditor::new(house.address, &home.path().join("cardhouse/people.db")).await;
    let players = Players::start(house.address, 8, 3);
    players.seen.more(200).await;
    for _ in 0..times("CARDHOUSE_MONEY_AUDITS", 40) {
        auditor.finds_all_right(3).await;
        players.seen.more(rand::rng().random_range(0..40)).await;
    }
    // How many hands send chips to and fro is the players' choice: they play until many have.
    loop {
        let told = auditor.finds_all_right(3).await;
        if told["transfers"].as_u64().unwrap() > 50
            && told["currencies"][0]["house"]["rake"].as_i64().unwrap() > 0
        {
            break;
        }
        players.seen.more(20).await;
    }
    players.end().await;
    auditor.finds_all_right(3).await;
}
