//! What nodes count by themselves, added up over all their lives.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use loadtest::cluster::process::metrics_of;
use parking_lot::Mutex;
use tokio::time::{Duration, timeout};

/// The counters that tell of repair, and what a report calls them.
const COUNTERS: [(&str, &str); 12] = [
    ("relay_command_retries_total", "commands_retried"),
    ("relay_repaired_frames_total", "frames_repaired"),
    ("relay_holes_total", "holes"),
    ("relay_history_lost_total", "history_lost"),
    ("cardhouse_takeovers_total", "takeovers"),
    ("cardhouse_hand_overs_total", "hand_overs"),
    ("cardhouse_commits_fenced_total", "commits_fenced"),
    ("cardhouse_commands_repeated_total", "commands_repeated"),
    ("cardhouse_appends_unknown_total", "appends_unknown"),
    ("cardhouse_entries_lost_total", "entries_lost"),
    ("cardhouse_cut_off_total", "cut_off"),
    ("cardhouse_redis_answers_shifted_total", "answers_shifted"),
];

/// How often nodes are asked. What a killed one counted since is not known.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// A node answers within this or is asked the next time.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// See the module. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Counters(Arc<Mutex<BTreeMap<(SocketAddr, &'static str), Counter>>>);

#[derive(Debug, Clone, Copy, Default)]
struct Counter {
    /// Of earlier lives.
    before: u64,
    now: u64,
}

impl Counters {
    /// Asks these nodes' operators' addresses, for ever.
    pub async fn watch(self, nodes: Vec<SocketAddr>) {
        loop {
            futures_util::future::join_all(nodes.iter().map(|node| self.ask(*node))).await;
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    async fn ask(&self, node: SocketAddr) {
        let Ok(Ok(text)) = timeout(ANSWER_WITHIN, metrics_of(node)).await else { return };
        let mut counters = self.0.lock();
        for (name, called) in COUNTERS {
            // Without labels: a line is a name and a number.
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
            let Some(value) = value else { continue };
            let counter = counters.entry((node, called)).or_default();
            if value < counter.now {
                counter.before += counter.now;
            }
            counter.now = value;
        }
    }

    /// The sums over all nodes.
    pub fn sums(&self) -> BTreeMap<&'static str, u64> {
        let mut sums: BTreeMap<_, u64> = COUNTERS.iter().map(|(_, called)| (*called, 0)).collect();
        for ((_, called), counter) in &*self.0.lock() {
            *sums.entry(called).or_default() += counter.before + counter.now;
        }
        sums
    }
}
