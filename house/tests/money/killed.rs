//! A house that is killed with -9 while it plays for money.

use rand::RngExt as _;

use crate::{FLAGS, players::Players, process::House, staff::Auditor, times};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_that_is_killed_again_and_again_makes_and_loses_no_chip() {
    let home = tempfile::tempdir().unwrap();
    let mut house = House::open(home.path(), &FLAGS);
    let address = house.address.to_string();
    let mut auditor = Auditor::new(house.address, &home.path().join("cardhouse/people.db")).await;
    let players = Players::start(house.address, 6, 3);
    players.seen.more(100).await;
    let mut transfers = 0;
    for kill in 1..=times("CARDHOUSE_MONEY_KILLS", 20) {
        players.seen.more(rand::rng().random_range(20..120)).await;
        drop(house);
        house = House::open(home.path(), &[FLAGS.as_slice(), &["--listen", &address]].concat());
        let goes_on = "Of an earlier time 3 tables went on.";
        assert!(house.said.iter().any(|line| line.contains(goes_on)), "kill {kill}: {:?}", house.said);
        auditor.again().await;
        auditor.finds_all_right(3).await;
        let balances = auditor.get("/api/me/balances").await;
        assert_eq!(balances["balances"][0]["available"], 1_000_000, "kill {kill}: {balances}");
        let now = auditor.audit().await["transfers"].as_u64().unwrap();
        assert!(now >= transfers, "kill {kill}: what was told is there");
        transfers = now;
    }
    players.seen.more(100).await;
    players.end().await;
    auditor.finds_all_right(3).await;
}
