//! `trials simulate`: many seeds, on all cores.

use std::{
    collections::BTreeMap,
    panic::catch_unwind,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use ops::{
    config::positive,
    outlet::{finish_wholly, say, tell},
    telemetry::LogFormat,
};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::time::Duration;

use super::{
    plan::Plan,
    run::{Verdict, count_panics, pulse, run},
    tournament::TournamentArgs,
};

/// Runs seeds of the simulator and reports broken promises.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Simulate {
    /// Not a house, but one kind of room by itself.
    #[command(subcommand)]
    only: Option<Only>,
    /// Which seeds: `A..B` without B, or one.
    #[arg(long, default_value = "0..100")]
    seeds: Seeds,
    /// How many runs go on at once [default: one a core].
    #[arg(long, value_parser = positive::<usize>)]
    jobs: Option<usize>,
    /// Instead of what the seeds decide: calm weather with this many relays.
    #[arg(long, requires_all = ["workers", "tables"], value_parser = positive::<usize>)]
    relays: Option<usize>,
    /// And this many dealer workers.
    #[arg(long, value_parser = positive::<usize>)]
    workers: Option<usize>,
    /// And this many six-handed tables, all full.
    #[arg(long, value_parser = positive::<usize>)]
    tables: Option<usize>,
    /// And this long, virtual seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Houses of pits, relay and dealer worker in one process, alone or beside others; without it they are in three of ten.
    #[arg(long, conflicts_with = "relays")]
    pits: bool,
    /// Print one line of JSON at the end.
    #[arg(long)]
    json: bool,
    /// What the house logs meanwhile (a level, or a list such as `warn,dealer_worker=debug`), for looking into one seed.
    #[arg(long, default_value = "off", value_name = "FILTER")]
    log: String,
}

/// What is simulated by itself.
#[derive(Debug, clap::Subcommand)]
enum Only {
    /// A whole tournament with all its tables, and nothing around them: no relays, workers or broker
    Tournament(TournamentArgs),
}

/// What is printed before the seed that is to be run again.
const AGAIN: &str = "again with: cargo run --release -p trials -- simulate --seeds";

/// A range of seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seeds {
    from: u64,
    to: u64,
}

/// Text that is not a range of seeds.
#[derive(Debug, thiserror::Error)]
#[error("seeds are written A..B with A < B, or as one number")]
struct BadSeeds;

impl FromStr for Seeds {
    type Err = BadSeeds;

    fn from_str(text: &str) -> Result<Self, BadSeeds> {
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| BadSeeds);
        let (from, to) = match text.split_once("..") {
            Some((from, to)) => (number(from)?, number(to)?),
            None => (number(text)?, number(text)?.checked_add(1).ok_or(BadSeeds)?),
        };
        if from < to { Ok(Self { from, to }) } else { Err(BadSeeds) }
    }
}

/// The last line of `--json`.
#[derive(Debug, Default, Serialize)]
struct Report {
    seeds: u64,
    virtual_seconds: f64,
    wall_seconds: f64,
    breaches: u64,
    failing_seeds: Vec<u64>,
    frames: u64,
    hands: u64,
    actions: u64,
    deliveries: u64,
    busy: u64,
    unavailable: u64,
    forgotten: u64,
    cut: u64,
    moved: u64,
    viewers: u64,
    ousted: u64,
    blows: BTreeMap<&'static str, u64>,
    rewound: u64,
    jumped: u64,
}

/// A run whose clock stands still for so long goes round in a circle.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// The seeds that run, and by what it is seen that their clocks go on.
type Running = Mutex<BTreeMap<u64, Arc<AtomicU64>>>;

impl Simulate {
    /// Runs all seeds; answers whether every promise was kept.
    pub fn run(self) -> bool {
        if let Err(error) = ops::telemetry::init_logs(&self.log, LogFormat::Human) {
            tell(format_args!("trials: --log {}: {error}", self.log));
            return false;
        }
        if let Some(Only::Tournament(tournament)) = &self.only {
            return tournament.run();
        }
        count_panics();
        let Seeds { from, to } = self.seeds;
        let jobs = self.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let next = AtomicU64::new(from);
        let report = Mutex::new(Report::default());
        let running = Arc::new(Running::default());
        let (again, watched) = (self.again_with(), running.clone());
        // Not in the scope: nothing but the end of the process ends a thread that goes round in a circle.
        std::thread::spawn(move || watch(&watched, &again));
        let began = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= to {
                            return;
                        }
                        running.lock().insert(seed, pulse());
                        let verdict = catch_unwind(|| run(&self.plan(seed)));
                        running.lock().remove(&seed);
                        report.lock().take(seed, verdict.ok(), &self.again_with());
                    }
                });
            }
        });
        let mut report = report.into_inner();
        report.wall_seconds = began.elapsed().as_secs_f64();
        report.failing_seeds.sort_unstable();
        report.print(self.json);
        report.failing_seeds.is_empty()
    }

    fn plan(&self, seed: u64) -> Plan {
        match (self.relays, self.workers, self.tables) {
            (Some(relays), Some(workers), Some(tables)) => {
                Plan::calm(seed, relays, workers, tables, tables * 6, Duration::from_secs(self.seconds))
            }
            _ if self.pits => Plan::together(seed),
            _ => Plan::of(seed),
        }
    }

    /// The flags with which the same plan follows from a seed.
    fn again_with(&self) -> String {
        let mut again = String::from(if self.pits { " --pits" } else { "" });
        if let (Some(relays), Some(workers), Some(tables)) = (self.relays, self.workers, self.tables) {
            let seconds = self.seconds;
            again += &format!(" --relays {relays} --workers {workers} --tables {tables} --seconds {seconds}");
        }
        again
    }
}

/// Ends the process when a run goes round in a circle.
fn watch(running: &Running, again: &str) {
    let mut seen: BTreeMap<u64, (u64, Instant)> = BTreeMap::new();
    loop {
        std::thread::sleep(STUCK_AFTER / 20);
        let running = running.lock();
        seen.retain(|seed, _| running.contains_key(seed));
        for (seed, pulse) in &*running {
            let pulse = pulse.load(Ordering::Relaxed);
            let (last, since) = seen.entry(*seed).or_insert((pulse, Instant::now()));
            if *last != pulse {
                (*last, *since) = (pulse, Instant::now());
            } else if since.elapsed() > STUCK_AFTER {
                say(format_args!("seed {seed}: its clock stands still; {AGAIN} {seed}{again}"));
                finish_wholly();
                std::process::exit(1);
            }
        }
    }
}

impl Report {
    /// `None` is a run that panicked: the message stands above.
    fn take(&mut self, seed: u64, verdict: Option<Verdict>, again: &str) {
        self.seeds += 1;
        let broken = verdict.as_ref().is_none_or(|verdict| !verdict.broken.is_empty());
        if broken {
            self.failing_seeds.push(seed);
            say(format_args!("seed {seed}: broken; {AGAIN} {seed}{again}"));
        }
        let Some(verdict) = verdict else {
            self.breaches += 1;
            return;
        };
        for (promise, what) in &verdict.broken {
            say(format_args!("  {promise:?}: {what}"));
        }
        self.breaches += verdict.broken.len() as u64;
        self.virtual_seconds += verdict.virtual_time.as_secs_f64();
        self.frames += verdict.frames;
        self.hands += verdict.hands;
        self.actions += verdict.acked;
        self.deliveries += verdict.heard;
        self.busy += verdict.busy;
        self.unavailable += verdict.unavailable;
        self.forgotten += verdict.forgotten;
        self.cut += verdict.cut;
        self.moved += verdict.moved;
        self.viewers += verdict.viewers;
        self.ousted += verdict.ousted;
        for (kind, fell) in &verdict.blows {
            *self.blows.entry(kind).or_default() += fell;
        }
        self.rewound += verdict.rewound;
        self.jumped += verdict.jumped;
    }

    fn print(&self, json: bool) {
        say(format_args!(
            "{} seeds, {:.0} virtual seconds in {:.1} s (x{:.0}): {} hands, {} actions, {} deliveries, {} blows, \
             {} breaches in {} seeds",
            self.seeds,
            self.virtual_seconds,
            self.wall_seconds,
            self.virtual_seconds / self.wall_seconds.max(f64::EPSILON),
            self.hands,
            self.actions,
            self.deliveries,
            self.blows.values().sum::<u64>(),
            self.breaches,
            self.failing_seeds.len(),
        ));
        if json {
            say(serde_json::to_string(self).expect("a report is JSON"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_or_one() {
        assert_eq!("3..9".parse::<Seeds>().unwrap(), Seeds { from: 3, to: 9 });
        assert_eq!("7".parse::<Seeds>().unwrap(), Seeds { from: 7, to: 8 });
        for bad in ["", "9..3", "3..3", "x", "18446744073709551615"] {
            assert!(bad.parse::<Seeds>().is_err(), "{bad}");
        }
    }
}
