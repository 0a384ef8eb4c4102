//! Bots with accounts play in a cluster that keeps people.

use std::process::{Command, Stdio};

use loadtest::cluster::{Cluster, ClusterArgs, Node, process::metrics_of};
use serde_json::Value;

const BOTS: u64 = 12;

/// How many tokens reception has made for this.
async fn tokens(cluster: &mut Cluster, what: &str) -> u64 {
    let at = cluster.node(Node::Reception).ops();
    let answer = metrics_of(at).await.unwrap();
    let name = format!("reception_tokens_total{{for=\"{what}\"}} ");
    answer.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swarm_of_members_plays_without_a_breach_and_renews_its_tokens() {
    let args = ClusterArgs {
        relays: 1,
        tables: 3,
        accounts: true,
        no_build: true,
        // As short as may be: each bot asks for the next one while it plays.
        reception_flag: vec!["--token-seconds=10".into()],
        ..ClusterArgs::default()
    };
    let mut cluster = Cluster::start(&args).await.unwrap();
    let swarm = Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args(["swarm", "--accounts", &format!("--bots={BOTS}"), "--tables=3", "--seconds=12"])
        .args(["--vanish=0.1", "--json", "--url", &cluster.ws_url()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = tokio::task::spawn_blocking(|| swarm.wait_with_output()).await.unwrap().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let report: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert!(out.status.success(), "{report}");
    assert!(report["actions"].as_u64() > Some(0), "{report}");
    assert_eq!(tokens(&mut cluster, "account").await, BOTS, "each has made one account");
    assert!(tokens(&mut cluster, "refresh").await >= BOTS, "and nobody has made another to go on");
    cluster.end().await;
}
