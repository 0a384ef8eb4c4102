//! The benchmarks: workloads, each measured from outside beside its floor in the same run.
//!
//! In reading order:
//!
//! - [`args`]: the flags. [`figures`]: what comes out. [`report`]: the same with plots; [`machine`]: what it was measured on.
//! - [`idle`], [`tables`], [`chat`], [`rail`], [`lobby`], [`return_`]: the workloads; [`ceiling`]: what the load generator could do.
//! - [`rooms`]: a workload of rooms that are no tables: letters, openings and ends.
//! - [`money`]: buy-ins of players who come and go ([`comers`]) where chips are somebody's, and play while the cage is away.
//! - [`rights`]: how soon sockets are closed whose users are banned.
//! - [`directory`]: a workload without processes: who knows which rooms there are.
//! - [`stage`]: the cluster that they run on. [`play`]: seated players; [`connection`], [`told`], [`pace`], [`heard`]: what players and
//!   listeners are made of.
//! - [`floor`]: what the same work takes at the least; [`hops`]: of what goes through Redis twice.
//! - [`proc_stat`], [`redis_stat`]: how cost is read.
//!
//! All clients run in this process, on one thread: what they count needs no lock, and one core is left to the product.

pub mod args;
pub mod ceiling;
pub mod chat;
pub mod comers;
pub mod connection;
pub mod directory;
pub mod figures;
pub mod floor;
mod heard;
pub mod hops;
pub mod idle;
pub mod lobby;
pub mod machine;
pub mod money;
pub mod pace;
pub mod play;
pub mod proc_stat;
pub mod rail;
pub mod redis_stat;
pub mod report;
pub mod return_;
pub mod rights;
pub mod rooms;
pub mod stage;
pub mod tables;
pub mod told;

use std::process::ExitCode;

use anyhow::Context;
use loadtest::signals;
use ops::outlet::{say, tell};

pub use args::{BenchArgs, Workload};
use figures::{Run, Summary};
use machine::Machine;

/// What a whole invocation has measured.
#[derive(Debug, Default)]
pub struct Results {
    /// By workload, in the order in which they ran.
    pub workloads: Vec<(&'static str, Summary)>,
    /// `tables` with other numbers of relays or tables.
    pub growth: Vec<Grown>,
}

/// A point of the growth series.
#[derive(Debug)]
pub struct Grown {
    /// How many relays.
    pub relays: usize,
    /// How many tables.
    pub tables: usize,
    /// What it cost.
    pub summary: Summary,
}

impl Results {
    /// One object a workload.
    pub fn to_json(&self, machine: &Machine) -> serde_json::Value {
        let mut all: serde_json::Map<_, _> =
            self.workloads.iter().map(|(name, summary)| ((*name).to_owned(), summary.to_json())).collect();
        if !self.growth.is_empty() {
            let point = |grown: &Grown| {
                let mut json = grown.summary.to_json();
                json["relays"] = grown.relays.into();
                json["tables"] = grown.tables.into();
                json
            };
            all.insert("growth".into(), self.growth.iter().map(point).collect());
        }
        all.insert("measured_on".into(), machine.to_json());
        all.into()
    }
}

/// `trials bench`: exit status 0 when everything was measured.
///
/// # Errors
/// When something is not installed or breaks.
pub async fn command(args: BenchArgs) -> anyhow::Result<ExitCode> {
    let stop = signals::until_told()?;
    let measuring = measure(&args);
    let results = tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(ExitCode::FAILURE),
        results = measuring => results?,
    };
    let machine = Machine::this();
    tell(&machine);
    if let Some(file) = &args.html {
        let html = report::html(&results, &machine)?;
        std::fs::write(file, html).with_context(|| format!("cannot write {}", file.display()))?;
        tell(format_args!("report: {}", file.display()));
    }
    if args.json {
        say(results.to_json(&machine));
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs what was asked for; prints each result as it comes.
///
/// # Errors
/// When something is not installed or breaks.
pub async fn measure(args: &BenchArgs) -> anyhow::Result<Results> {
    let mut results = Results::default();
    let mut add = |name: &'static str, summary: Summary| {
        tell(summary.describe(name));
        results.workloads.push((name, summary));
    };
    if args.workload.includes(Workload::Ceiling) {
        add("ceiling", counted(args, "ceiling", async || ceiling::run(args).await).await?);
    }
    // By itself: it takes its time and measures no process.
    if args.workload == Workload::Directory {
        add("directory", directory::run(args).await.map(|run| Summary::of(&[run]))?);
    }
    if args.workload.includes(Workload::Idle) {
        add("idle", counted(args, "idle", async || idle::run(args).await).await?);
    }
    if args.workload.includes(Workload::Chat) {
        let mut chat = chat::Chat::start(args).await?;
        add("chat", counted(args, "chat", async || chat.run(args).await).await?);
        chat.end().await;
    }
    // By itself: what it takes is the disk's.
    if args.workload == Workload::Money {
        let mut money = money::Money::start(args).await?;
        add("money", counted(args, "money", async || money.run(args).await).await?);
        money.end().await;
    }
    if args.workload.includes(Workload::Rail) {
        add("rail", measure_rail(args).await?);
    }
    if args.workload.includes(Workload::Lobby) {
        add("lobby", counted(args, "lobby", async || lobby::run(args).await).await?);
    }
    if args.workload.includes(Workload::Return) {
        let stage = return_::Return::start(args).await?;
        add("return", counted(args, "return", async || stage.run(args).await).await?);
        stage.end().await;
    }
    if args.workload.includes(Workload::Rooms) {
        add("rooms", counted(args, "rooms", async || rooms::run(args).await).await?);
    }
    if args.workload.includes(Workload::Rights) {
        add("rights", counted(args, "rights", async || rights::run(args).await).await?);
    }
    if args.workload.includes(Workload::Tables) {
        measure_tables(args, &mut results).await?;
    }
    Ok(results)
}

async fn measure_rail(args: &BenchArgs) -> anyhow::Result<Summary> {
    let mut rail = rail::Rail::start(args).await?;
    let mut runs = Vec::new();
    for number in 0..=args.runs {
        progress("rail", number, args.runs);
        let run = rail.run(args).await?;
        if number > 0 {
            runs.push(run);
        }
    }
    if args.stalled > 0 {
        tell(format_args!("rail: {} stop reading", args.stalled));
        let last = runs.last_mut().context("at least one run")?;
        rail.run_stalled(args, last).await?;
    }
    rail.end().await;
    Ok(Summary::of(&runs))
}

/// The first numbers of relays and tables give the figures of `tables`, all of them together those of growth.
async fn measure_tables(args: &BenchArgs, results: &mut Results) -> anyhow::Result<()> {
    let points =
        args.relays.iter().flat_map(|relays| args.tables.iter().map(move |tables| (*relays, *tables)));
    let points: Vec<(usize, usize)> = points.collect();
    for &(relays, tables) in &points {
        let split = tables::Processes::Split { relays };
        let stage = tables::Tables::start(args, split, tables, None).await?;
        let name = format!("tables ({relays} relays, {tables} tables)");
        let summary = match (args.table_currency, args.pits) {
            (Some(currency), _) => {
                let for_money = tables::Tables::start(args, split, tables, Some(currency)).await?;
                let beside = in_turns(args, "tables with and without a currency", &stage, &for_money).await?;
                for_money.end().await;
                beside
            }
            (None, Some(pits)) => {
                let these = tables::Processes::Pits(pits);
                let on_pits = tables::Tables::start(args, these, tables, None).await?;
                let name = format!("tables on {pits} pits and on {relays} relays and a worker");
                let beside = in_turns(args, &name, &stage, &on_pits).await?;
                on_pits.end().await;
                beside
            }
            (None, None) => counted(args, &name, async || stage.run(args).await).await?,
        };
        stage.end().await;
        tell(summary.describe(&name));
        if results.workloads.iter().all(|(name, _)| *name != "tables") {
            results.workloads.push(("tables", summary.clone()));
        }
        if points.len() > 1 {
            results.growth.push(Grown { relays, tables, summary });
        }
    }
    Ok(())
}

/// Tables in which something is otherwise beside others: what the floor is are the others.
async fn in_turns(
    args: &BenchArgs,
    name: &str,
    others: &tables::Tables,
    these: &tables::Tables,
) -> anyhow::Result<Summary> {
    let run = async || {
        let without = others.run(args).await?;
        Ok(these.run(args).await?.beside(without))
    };
    counted(args, name, run).await
}

/// One warm-up, and as many runs as are counted.
async fn counted(
    args: &BenchArgs,
    name: &str,
    mut run: impl AsyncFnMut() -> anyhow::Result<Run>,
) -> anyhow::Result<Summary> {
    let mut runs = Vec::new();
    for number in 0..=args.runs {
        progress(name, number, args.runs);
        let run = run().await?;
        if number > 0 {
            runs.push(run);
        }
    }
    Ok(Summary::of(&runs))
}

fn progress(name: &str, number: u64, runs: u64) {
    match number {
        0 => tell(format_args!("{name}: warm-up")),
        _ => tell(format_args!("{name}: run {number} of {runs}")),
    }
}
