//! The ledger of a cluster is held against its tables while bots play there.

use std::process::{Command, Stdio};

use loadtest::cluster::{Cluster, ClusterArgs, binaries};
use money::Currency;
use protocol::id::RoomId;
use serde_json::Value;
use trials::judge::Auditor;

const BOTS: u64 = 12;

#[tokio::test(flavor = "multi_thread")]
async fn a_swarm_that_plays_for_what_is_somebodys_makes_and_loses_no_chip() {
    const TABLES: u32 = 3;
    let play = Currency::new("PLAY").unwrap();
    let args = ClusterArgs {
        relays: 1,
        tables: TABLES,
        table_currency: Some(play),
        no_build: true,
        dealer_flag: vec!["--pause-ms=100".into()],
        ..ClusterArgs::default()
    };
    let mut cluster = Cluster::start(&args).await.unwrap();
    let auditor = Auditor::hire(&mut cluster).await.unwrap();
    // The program lies beside those of the cluster.
    let swarm = Command::new(binaries::folder(false, false).unwrap().join("loadtest"))
        .args([
            "swarm",
            "--accounts",
            &format!("--bots={BOTS}"),
            "--tables=3",
            "--seconds=10",
            "--currency=PLAY",
        ])
        .args(["--leave=0.2", "--vanish=0.05", "--think-ms=50", "--json", "--url", &cluster.ws_url()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let playing = tokio::task::spawn_blocking(|| swarm.wait_with_output());
    let mut looked = 0;
    while !playing.is_finished() {
        assert_eq!(auditor.find(TABLES, false).await.unwrap(), None, "look {looked}");
        looked += 1;
    }
    let out = playing.await.unwrap().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let report: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert!(out.status.success() && report["actions"].as_u64() > Some(0) && looked > 3, "{looked}: {report}");
    let judged = report["purses"]["judged"].as_u64();
    assert!(judged >= Some(BOTS / 2), "players know themselves what they ought to have: {report}");
    auditor.forget_token();
    assert_eq!(auditor.find(TABLES, false).await.unwrap(), None, "a run may be longer than a token holds");
    auditor.forge(RoomId::new("t2").unwrap(), play).await.unwrap();
    let wrong = auditor.find(TABLES, false).await.unwrap().expect("it is found");
    assert!(wrong.contains(r#""room":"t2""#) && wrong.contains(r#""difference":1"#), "{wrong}");
    cluster.end().await;
}
