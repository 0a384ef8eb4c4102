//! Bot swarm, cluster harness, simulator, chaos, benchmarks.
//!
//! - [`swarm`]: bots that play and judge: `loadtest swarm`.
//! - [`cluster`]: the real processes on this machine: `loadtest cluster`.
//! - [`mod@bench`]: what the real processes cost, beside what the same work costs at the least: `loadtest bench`.
//! - [`chaos`]: those processes killed, stopped and cut off while bots play: `loadtest chaos`.
//! - [`guests`]: guests that are no players.
//! - [`judge`]: what is promised, and how journals and clients are held against it.
//! - [`simulate`]: the whole house in one thread, with faults from a seed: `loadtest simulate`.
//! - [`signals`]: how a command is told to end.

pub mod bench;
pub mod chaos;
pub mod cluster;
pub mod guests;
pub mod judge;
pub mod signals;
pub mod simulate;
pub mod swarm;

use std::{process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};
use ops::outlet;
use rooms::{
    planted,
    testing::{Counter, counter::TILL},
};

/// Load and proof for a Cardhouse: bots that play and judge, and a real cluster on this machine to play at.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bots that find tables, sit, play, and judge everything that they see
    Swarm(swarm::SwarmArgs),
    /// Redis, nginx, relays, dealer workers and reception as processes on free loopback ports; until Ctrl-C
    Cluster(cluster::ClusterArgs),
    /// The real processes killed, stopped, cut off and restarted while bots play, and everything judged
    Chaos(chaos::ChaosArgs),
    /// The real relays, workers and clients in one thread under a simulated clock, with faults from a seed
    Simulate(simulate::command::Simulate),
    /// Memory, CPU and latency of the real processes on this machine, beside the floor
    Bench(bench::BenchArgs),
    /// A dealer worker that knows counters beside tables; started by `bench` and `chaos`
    #[command(hide = true)]
    CountingWorker(Box<CountingWorker>),
    /// What the same work takes at the least; started by `bench`
    #[command(subcommand, hide = true)]
    Floor(bench::floor::Floor),
}

/// Flags of `loadtest counting-worker`: those of `dealer-worker`, and where the till is.
#[derive(Debug, clap::Args)]
struct CountingWorker {
    #[command(flatten)]
    worker: dealer_worker::flags::Flags,
    /// The till that counters pay to
    #[arg(long)]
    till_url: Option<String>,
    /// A tournament seats one player twice, to see that it is seen
    #[arg(long)]
    plant_second_seat: bool,
}

impl CountingWorker {
    fn run(self) -> anyhow::Result<()> {
        let mut kinds = dealer_worker::kinds().with::<Counter>();
        if self.plant_second_seat {
            planted::plant_everywhere(planted::Fault::SeatsTwice);
        }
        if let Some(url) = self.till_url {
            kinds = kinds.served_by(TILL, Arc::new(chaos::till::TillAt::new(url)));
        }
        dealer_worker::process::run(self.worker, kinds)
    }
}

impl Cli {
    /// Runs the command to its end, and until its output has been read. A closed pipe does not disturb it.
    pub fn run(self) -> ExitCode {
        outlet::keep_all();
        let code = self.command();
        outlet::finish_wholly();
        code
    }

    fn command(self) -> ExitCode {
        // The simulator brings its own runtimes.
        if let Command::Simulate(simulate) = self.command {
            return if simulate.run() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        if let Command::CountingWorker(worker) = self.command {
            return worker.run().map_or_else(failed, |()| ExitCode::SUCCESS);
        }
        // All clients of a benchmark share one thread.
        if let Command::Bench(args) = self.command {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let done = runtime
                .map_err(anyhow::Error::from)
                .and_then(|runtime| tokio::task::LocalSet::new().block_on(&runtime, bench::command(args)));
            return done.unwrap_or_else(failed);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let done = runtime.map_err(anyhow::Error::from).and_then(|runtime| {
            runtime.block_on(async {
                match self.command {
                    Command::Swarm(args) => swarm::command(args).await,
                    Command::Cluster(args) => cluster::command(args).await,
                    Command::Chaos(args) => chaos::command(args).await,
                    Command::Floor(floor) => bench::floor::command(floor).await.map(|()| ExitCode::SUCCESS),
                    Command::Simulate(_) | Command::Bench(_) | Command::CountingWorker(_) => {
                        unreachable!("it was run above")
                    }
                }
            })
        });
        done.unwrap_or_else(failed)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what an error is handed to")]
fn failed(error: anyhow::Error) -> ExitCode {
    outlet::tell(format_args!("loadtest: {error:#}"));
    ExitCode::from(2)
}
