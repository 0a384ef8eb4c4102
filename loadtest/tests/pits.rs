//! A table's players are at the pit that owns it: behind a real edge, while pits come and go.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use loadtest::cluster::{Cluster, ClusterArgs, Node, process::metrics_of};
use tokio::{
    process::{Child, Command},
    time::{Duration, sleep, timeout},
};

const PITS: usize = 3;
const TABLES: u32 = 9;
const BOTS: u32 = 27;

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(90);

/// A share is told of so many commands, however long these take.
const COMMANDS: u64 = 150;

/// What players say for the first time: to the room in the same process, and to rooms elsewhere.
#[derive(Debug, Clone, Copy, Default)]
struct Said {
    near: u64,
    far: u64,
}

impl Said {
    fn all(self) -> u64 {
        self.near + self.far
    }

    /// All who have a seat are at home: what is still said to rooms elsewhere is of those who sit down, a few now and then.
    fn is_of_players_at_home(self) -> bool {
        self.far * 20 <= self.all()
    }

    fn since(self, before: Self) -> Self {
        Self { near: self.near.saturating_sub(before.near), far: self.far.saturating_sub(before.far) }
    }
}

/// Pits behind nginx, and bots at their tables.
struct House {
    cluster: Cluster,
    swarm: Child,
}

impl House {
    async fn open(templates: &Path) -> Self {
        let args = ClusterArgs {
            relays: 0,
            dealers: 0,
            pits: PITS,
            tables: TABLES,
            no_build: true,
            nginx_dir: templates.to_owned(),
            relay_flag: vec!["--lead-after-ms=500".into(), "--drain-ms=2000".into()],
            ..ClusterArgs::default()
        };
        let cluster = Cluster::start(&args).await.unwrap();
        let swarm = Command::new(env!("CARGO_BIN_EXE_loadtest"))
            .args(["swarm", "--json", "--seconds=3600", "--think-ms=100", "--leave=0", "--vanish=0"])
            .args([format!("--bots={BOTS}"), format!("--tables={TABLES}")])
            .args(["--url", &cluster.ws_url()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { cluster, swarm }
    }

    /// What a pit has counted; nothing, if it does not run.
    async fn said_at(&mut self, pit: usize) -> Said {
        let at = self.cluster.node(Node::Pit(pit)).ops();
        let Ok(answer) = metrics_of(at).await else { return Said::default() };
        let count = |way: &str| {
            let name = format!("cardhouse_near_total{{what=\"commands\",way=\"{way}\"}} ");
            answer.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |count| count.parse().unwrap())
        };
        Said { near: count("near"), far: count("far") }
    }

    async fn said(&mut self) -> Said {
        let mut said = Said::default();
        for pit in 0..PITS {
            let more = self.said_at(pit).await;
            said = Said { near: said.near + more.near, far: said.far + more.far };
        }
        said
    }

    /// What is said from now on, of so many commands.
    async fn says(&mut self) -> Said {
        let before = self.said().await;
        loop {
            let said = self.said().await.since(before);
            if said.all() >= COMMANDS {
                return said;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until what players say goes to rooms in the same process, and sees that it stays so.
    async fn until_all_are_home(&mut self, when: &str) {
        let home = async {
            loop {
                if self.says().await.is_of_players_at_home() {
                    break;
                }
            }
        };
        timeout(SOON, home)
            .await
            .unwrap_or_else(|_| panic!("{when}: not all players are where their table is"));
        let said = self.says().await;
        assert!(said.is_of_players_at_home(), "{when}: {said:?}");
    }

    /// The players go, and say whether anybody has seen what must not be.
    async fn close(self) -> (bool, String) {
        let pid = self.swarm.id().expect("it plays").to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        let ended = self.swarm.wait_with_output().await.unwrap();
        (ended.status.success(), String::from_utf8(ended.stdout).unwrap())
    }
}

/// The folder of the configuration that is in use.
fn templates() -> PathBuf {
    ClusterArgs::default().nginx_dir
}

/// Whoever plays is at the pit of the table soon after he has sat down, after a pit has left and after one has come; and nobody's hand is the worse for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_tables_players_are_at_the_pit_that_owns_it_and_follow_it_when_pits_come_and_go() {
    let mut house = House::open(&templates()).await;
    house.until_all_are_home("at first").await;
    house.cluster.node(Node::Pit(0)).end().await;
    house.until_all_are_home("when a pit has left").await;
    let back = house.cluster.node(Node::Pit(0));
    back.spawn().unwrap();
    back.ready(SOON).await.unwrap();
    house.until_all_are_home("when one has come").await;
    let said = house.said_at(0).await;
    assert!(said.near > 0, "it has tables, and their players: {said:?}");
    let (all_is_well, summary) = house.close().await;
    assert!(all_is_well, "{summary}");
}

/// The judge itself: behind an edge that goes by the hash alone not all are at home, however long they play.
#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_does_not_lead_is_found() {
    let planted = tempfile::tempdir().unwrap();
    for file in fs::read_dir(templates()).unwrap() {
        let file = file.unwrap();
        let text = fs::read_to_string(file.path()).unwrap().replace("edge_says leads;", "edge_says \"\";");
        fs::write(planted.path().join(file.file_name()), text).unwrap();
    }
    let mut house = House::open(planted.path()).await;
    // They have sat down.
    house.says().await;
    house.says().await;
    let said = house.says().await;
    assert!(!said.is_of_players_at_home(), "{said:?}");
    house.close().await;
}
