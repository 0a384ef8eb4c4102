//! Keys are changed while people play.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use loadtest::cluster::{Cluster, ClusterArgs, Node, binaries, process::metrics_of};
use serde_json::Value;
use tokio::time::{Duration, sleep, timeout};

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(60);

/// Has a program of ours do something with its keys.
fn manage(program: &Path, words: &[&str], folder: &Path) -> String {
    let out = Command::new(program).args(words).arg(folder).output().unwrap();
    assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// Waits until a process's metrics have this line.
async fn until(cluster: &mut Cluster, node: Node, metric: &str) {
    let at = cluster.node(node).ops();
    let told = async {
        loop {
            let answer = metrics_of(at).await.unwrap();
            if answer.lines().any(|line| line == metric) {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, told).await.unwrap_or_else(|_| panic!("{node:?} does not tell {metric}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_tokens_and_of_journals_are_rotated_under_open_sockets() {
    const RELAYS: usize = 1;
    let programs = binaries::folder(false, false).unwrap();
    let (reception, worker) = (programs.join("reception"), programs.join("dealer-worker"));
    let seals = tempfile::tempdir().unwrap();
    manage(&worker, &["seal-keys", "rotate", "--seal-key-dir"], seals.path());
    let args = ClusterArgs {
        relays: RELAYS,
        tables: 4,
        no_build: true,
        seal_key_dir: Some(seals.path().to_owned()),
        dealer_flag: vec!["--seal-key-settle-ms=1000".into(), "--seal-key-reread-ms=200".into()],
        ..ClusterArgs::default()
    };
    let mut cluster = Cluster::start(&args).await.unwrap();
    let tokens = cluster.dir().join("keys");
    // Bots that vanish come back with their tokens, whichever key has signed them.
    let swarm = Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args([
            "swarm",
            "--bots=12",
            "--tables=4",
            "--seconds=15",
            "--vanish=0.3",
            "--json",
            "--url",
            &cluster.ws_url(),
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();

    manage(&reception, &["keys", "rotate", "--key-dir"], &tokens);
    until(&mut cluster, Node::Reception, "reception_keys 2").await;
    let keys = manage(&reception, &["keys", "list", "--key-settle-ms=0", "--key-dir"], &tokens);
    assert!(keys.contains("still good\n") && keys.ends_with("in force\n"), "{keys}");

    manage(&worker, &["seal-keys", "rotate", "--seal-key-dir"], seals.path());
    let dealers = [0, 1].map(Node::Dealer);
    for metric in ["cardhouse_seal_keys_changed_total 1", "cardhouse_rooms_sealed_before 0"] {
        for dealer in dealers {
            until(&mut cluster, dealer, metric).await;
        }
    }
    let prune = ["seal-keys", "prune", "--after-seconds=0", "--seal-key-settle-ms=1000", "--seal-key-dir"];
    assert!(manage(&worker, &prune, seals.path()).ends_with("removed\n"));
    for dealer in dealers {
        until(&mut cluster, dealer, "cardhouse_seal_keys 1").await;
    }
    // The other one reads what this one has written with the new key, which is all that it has.
    cluster.node(dealers[0]).kill().await;
    // Four tables, and where people talk at each.
    until(&mut cluster, dealers[1], "cardhouse_rooms_owned 8").await;

    let out = tokio::task::spawn_blocking(|| swarm.wait_with_output()).await.unwrap().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let report: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert!(out.status.success(), "{report}");
    assert!(report["actions"].as_u64() > Some(0), "{report}");
    cluster.end().await;
}
