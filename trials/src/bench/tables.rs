//! `tables`: real hold'em at many tables, paced, journaled; and the two hops through Redis that a command and its frame take at
//! the least.

use std::rc::Rc;

use loadtest::cluster::ClusterArgs;
use money::Currency;
use ops::outlet::tell;
use tokio::{
    task::spawn_local,
    time::{Duration, sleep},
};

use super::{
    args::BenchArgs,
    figures::{Curve, Run},
    hops::measure_hops,
    play::Play,
    stage::{self, Cost, Stage},
};

/// Before anything is counted at a pace.
const SETTLE: Duration = Duration::from_secs(2);

/// How long a quiet cluster is watched, to know what it asks of Redis by itself: heartbeats and the lobby come in bursts.
const QUIET: Duration = Duration::from_secs(5);

/// On which processes tables are played, beside Redis.
#[derive(Debug, Clone, Copy)]
pub enum Processes {
    /// So many relays and a dealer worker.
    Split {
        /// How many relays.
        relays: usize,
    },
    /// So many pits, each with the players of its tables. What they cost stands as that of relays.
    Pits(usize),
}

impl Processes {
    /// Publications of a frame that nobody elsewhere listens to.
    fn publications(self) -> f64 {
        match self {
            Self::Split { .. } => 1.0,
            Self::Pits(_) => 0.0,
        }
    }
}

/// Frames of tables that have just got an owner are published for everybody for about so long.
const KNOWN_AFTER: Duration = Duration::from_secs(40);

/// A cluster with all players seated, for several runs.
pub struct Tables {
    processes: Processes,
    stage: Stage,
    play: Rc<Play>,
    tables: usize,
}

impl Tables {
    /// Starts these processes and Redis, and seats everybody; with a `currency` also a ledger, of which their chips come.
    ///
    /// # Errors
    /// When something breaks.
    pub async fn start(
        args: &BenchArgs,
        processes: Processes,
        tables: usize,
        currency: Option<Currency>,
    ) -> anyhow::Result<Self> {
        let (relays, dealers, pits) = match processes {
            Processes::Split { relays } => (relays, 1, 0),
            Processes::Pits(pits) => (0, 0, pits),
        };
        let cluster = ClusterArgs {
            relays,
            dealers,
            pits,
            no_build: args.no_build,
            keep_hands: args.keep_hands,
            table_currency: currency,
            ..ClusterArgs::default()
        };
        let stage = Stage::with(cluster, stage::Tables::of(tables)).await?;
        let play = Play::seat(&stage, tables, args.apart).await?;
        if matches!(processes, Processes::Pits(_)) {
            tell("waiting until pits know that nobody elsewhere listens");
            sleep(KNOWN_AFTER).await;
        }
        Ok(Self { processes, stage, play, tables })
    }

    /// One run: each pace, the last of them without a prefix in its figures' names.
    ///
    /// # Errors
    /// When something breaks.
    pub async fn run(&self, args: &BenchArgs) -> anyhow::Result<Run> {
        let mut run = Run::default();
        for (rate, prefix) in args.paces() {
            self.measure(args, rate, &prefix, &mut run).await?;
        }
        Ok(run)
    }

    /// Ends the cluster.
    pub async fn end(self) {
        self.play.cut_all().await;
        self.stage.end().await;
    }

    async fn measure(&self, args: &BenchArgs, rate: u64, prefix: &str, run: &mut Run) -> anyhow::Result<()> {
        sleep(SETTLE).await;
        let quiet = self.stage.snapshot()?;
        sleep(QUIET).await;
        let quiet = self.stage.cost_since(&quiet)?;
        let play = self.play.clone();
        let playing = spawn_local(async move { play.run(rate).await });
        sleep(SETTLE).await;
        self.play.reset();
        let before = self.stage.snapshot()?;
        sleep(Duration::from_secs(args.seconds)).await;
        let cost = self.stage.cost_since(&before)?;
        let counts = &self.play.counts;
        let latency = counts.latency_us.borrow().clone();
        let (actions, deliveries) = (counts.actions.get() as f64, counts.deliveries.get() as f64);
        let frame_bytes = counts.bytes.get() as f64 / deliveries;
        let (frames, unasked) = (counts.frames.get() as f64, counts.unasked.get() as f64);
        let faults =
            [("missed", &counts.missed), ("repeated", &counts.repeated), ("refused", &counts.refused)];
        for (name, count) in faults {
            run.tell(&format!("{prefix}{name}"), count.get() as f64);
        }
        playing.abort();
        anyhow::ensure!(actions > 0.0, "no action was played");

        let floor = measure_hops(&self.stage, self.tables, args, rate, frame_bytes as usize).await?;
        let name = |name: &str| format!("{prefix}{name}");
        for (short, share) in [("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999)] {
            let of = |histogram: &hdrhistogram::Histogram<u64>| histogram.value_at_quantile(share) as f64;
            run.compare(&name(short), of(&latency), of(&floor.latency_us));
        }
        run.latency.push(Curve::of(format!("action to every player, {rate}/s"), &latency));
        run.latency.push(Curve::of(format!("two Redis hops, {rate}/s"), &floor.latency_us));
        run.compare(&name("redis_cpu_us_per_action"), cost.redis.us as f64 / actions, floor.redis_us_per_hop);
        cost.tell_per_delivery(run, name, deliveries);
        run.tell(&name("cpu_us_per_action"), cost.product_us() / actions);
        run.tell(&name("reception_cpu_us_per_action"), cost.reception.us as f64 / actions);
        run.tell(&name("actions_per_s"), actions / cost.seconds);
        run.tell(&name("deliveries_per_s"), deliveries / cost.seconds);
        run.tell(&name("message_bytes_per_delivery"), frame_bytes);
        tell_commands(
            run,
            name,
            &cost,
            &quiet,
            &Entries { actions, frames, unasked, publications: self.processes.publications() },
        );
        run.tell(&name("generator_cores"), cost.generator_cores());
        Ok(())
    }
}

/// What stands in the journals.
struct Entries {
    actions: f64,
    frames: f64,
    unasked: f64,
    /// Of each of them.
    publications: f64,
}

/// A command takes one publication, and every frame, asked for or not, an append and a publication; on pits there is no publication. What a quiet cluster asks
/// (heartbeats, the lobby) is taken off.
fn tell_commands(run: &mut Run, name: impl Fn(&str) -> String, cost: &Cost, quiet: &Cost, entries: &Entries) {
    let in_quiet = quiet.commands.all() as f64 / quiet.seconds * cost.seconds;
    let all = cost.commands.all() as f64;
    let for_unasked = (1.0 + entries.publications) * entries.unasked;
    run.tell(&name("redis_commands_per_action"), (all - in_quiet - for_unasked) / entries.actions);
    run.tell(&name("redis_commands_per_action_with_all_else"), all / entries.actions);
    run.tell(&name("redis_xadds_per_frame"), cost.commands.calls("xadd") as f64 / entries.frames);
    run.tell(&name("frames_per_action"), entries.frames / entries.actions);
}
