//! Several processes as one swarm: each has its share of tables and bots, tells its progress line by line on standard output, and
//! at last its whole outcome.

use std::{collections::BTreeMap, process::Stdio};

use anyhow::Context;
use player::{Breaches, Purses};
use protocol::RefusalCode;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::mpsc,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    args::SwarmArgs,
    progress::View,
    summary::Outcome,
    tally::{Progress, new_histogram},
};

/// A line from a part.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// How far it is.
    Progress(Progress),
    /// How it ended.
    Outcome(Box<WholeOutcome>),
}

/// An [`Outcome`] with nothing left out.
#[derive(Debug, Serialize, Deserialize)]
pub struct WholeOutcome {
    bots: u64,
    seconds: u64,
    hands: u64,
    actions: u64,
    deliveries: u64,
    /// Microseconds and how often.
    latency_us: Vec<(u64, u64)>,
    breaches: Breaches,
    jumped: u64,
    lost: u64,
    described: Vec<String>,
    refused: BTreeMap<RefusalCode, u64>,
    reconnects: u64,
    turned_away: BTreeMap<u16, u64>,
    without_token: u64,
    #[serde(default)]
    purses: Purses,
}

impl From<Outcome> for WholeOutcome {
    fn from(outcome: Outcome) -> Self {
        let latency = outcome.latency_us.iter_recorded();
        Self {
            bots: outcome.bots,
            seconds: outcome.seconds,
            hands: outcome.hands,
            actions: outcome.actions,
            deliveries: outcome.deliveries,
            latency_us: latency.map(|step| (step.value_iterated_to(), step.count_at_value())).collect(),
            jumped: outcome.breaches.jumped,
            lost: outcome.breaches.lost,
            described: outcome.breaches.described.clone(),
            breaches: outcome.breaches,
            refused: outcome.refused,
            reconnects: outcome.reconnects,
            turned_away: outcome.turned_away,
            without_token: outcome.without_token,
            purses: outcome.purses,
        }
    }
}

impl From<WholeOutcome> for Outcome {
    fn from(whole: WholeOutcome) -> Self {
        let mut latency_us = new_histogram();
        for (us, count) in whole.latency_us {
            latency_us.saturating_record_n(us, count);
        }
        let WholeOutcome { jumped, lost, described, .. } = whole;
        Self {
            bots: whole.bots,
            seconds: whole.seconds,
            hands: whole.hands,
            actions: whole.actions,
            deliveries: whole.deliveries,
            latency_us,
            breaches: Breaches { jumped, lost, described, ..whole.breaches },
            refused: whole.refused,
            reconnects: whole.reconnects,
            turned_away: whole.turned_away,
            without_token: whole.without_token,
            purses: whole.purses,
        }
    }
}

/// Runs `args.processes` parts to their end. They are in this process's group, so Ctrl-C reaches them; `stop` ends them too.
///
/// # Errors
/// When a part cannot be started or ends without an outcome.
pub async fn run(args: &SwarmArgs, stop: &CancellationToken) -> anyhow::Result<Outcome> {
    let (tell, mut told) = mpsc::channel(64);
    let mut parts = Vec::new();
    for index in 0..args.processes {
        let mut part = start(args, index)?;
        let out = part.stdout.take().context("a part without output")?;
        parts.push(part);
        let tell = tell.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(out).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if tell.send((index, line)).await.is_err() {
                    return;
                }
            }
        });
    }
    drop(tell);
    let view = View::new(args);
    let mut progress = vec![Progress::default(); args.processes];
    let mut outcome: Option<Outcome> = None;
    let mut ended = 0;
    let mut begin = None;
    let mut asked = false;
    loop {
        let line = tokio::select! {
            biased;
            line = told.recv() => line,
            () = stop.cancelled(), if !asked => {
                asked = true;
                parts.iter().for_each(interrupt);
                continue;
            }
        };
        let Some((index, line)) = line else { break };
        match serde_json::from_str(&line).with_context(|| format!("part {index} said {line:?}"))? {
            Said::Progress(now) => {
                progress[index] = now;
                view.playing(sum(&progress), begin.get_or_insert_with(Instant::now).elapsed());
            }
            Said::Outcome(part) => {
                let part = Outcome::from(*part);
                ended += 1;
                match &mut outcome {
                    Some(whole) => whole.add(&part),
                    None => outcome = Some(part),
                }
            }
        }
    }
    view.clear();
    for mut part in parts {
        part.wait().await?;
    }
    anyhow::ensure!(
        ended == args.processes,
        "{} of {} parts ended without an outcome",
        args.processes - ended,
        args.processes
    );
    outcome.context("a swarm of no processes")
}

fn start(args: &SwarmArgs, index: usize) -> anyhow::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("swarm").args(["--url", &args.url]);
    if let Some(reception) = &args.reception {
        command.args(["--reception", reception]);
    }
    if let Some(ca) = &args.ca {
        command.arg("--ca").arg(ca);
    }
    if let Some(address) = args.connect_to {
        command.args(["--connect-to", &address.to_string()]);
    }
    if args.accounts {
        command.arg("--accounts");
    }
    if let Some(currency) = args.currency {
        command.args(["--currency", currency.as_str()]);
    }
    let numbers = [
        ("--bots", args.bots.to_string()),
        ("--tables", args.tables.to_string()),
        ("--seconds", args.seconds.to_string()),
        ("--think-ms", args.think_ms.to_string()),
        ("--chat", args.chat.to_string()),
        ("--leave", args.leave.to_string()),
        ("--vanish", args.vanish.to_string()),
        ("--away-ms", args.away_ms.to_string()),
        ("--ramp", (args.ramp / u32::try_from(args.processes)?).max(1).to_string()),
        ("--ramp-seconds-max", args.ramp_seconds_max.to_string()),
        ("--seed", args.seed.to_string()),
        ("--part", format!("{index}/{}", args.processes)),
    ];
    for (flag, value) in numbers {
        command.args([flag, &value]);
    }
    command.stdout(Stdio::piped()).stdin(Stdio::null()).kill_on_drop(true);
    command.spawn().context("cannot start a part of the swarm")
}

/// Asks a part to end as Ctrl-C would.
fn interrupt(part: &Child) {
    if let Some(pid) = part.id() {
        crate::cluster::process::signal(pid, "INT");
    }
}

/// All parts together; latencies are the worst part's.
fn sum(parts: &[Progress]) -> Progress {
    parts.iter().fold(Progress::default(), |whole, part| Progress {
        online: whole.online + part.online,
        reconnects: whole.reconnects + part.reconnects,
        hands: whole.hands + part.hands,
        actions: whole.actions + part.actions,
        deliveries: whole.deliveries + part.deliveries,
        p50_us: whole.p50_us.max(part.p50_us),
        p99_us: whole.p99_us.max(part.p99_us),
    })
}
