//! What a house is put to the test with: simulator, chaos, benchmarks.
//!
//! - [`simulate`]: the whole house in one thread, with faults from a seed: `trials simulate`.
//! - [`chaos`]: the real processes killed, stopped and cut off while bots play: `trials chaos`.
//! - [`mod@bench`]: what the real processes cost, beside what the same work costs at the least: `trials bench`.
//! - [`guests`]: guests that are no players.
//! - [`judge`]: what is promised, and how journals and clients are held against it.
//! - [`counting_worker`]: a dealer worker with rooms that only tests have.
//!
//! Processes and swarms are those of [`loadtest`].

pub mod bench;
pub mod chaos;
pub mod counting_worker;
pub mod guests;
pub mod judge;
pub mod simulate;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use tokio::{runtime::Builder, task::LocalSet};

/// Trials of a Cardhouse: all of it in one thread with faults from a seed, its processes killed while bots play, and what they cost.
#[derive(Debug, Parser)]
#[command(name = "trials", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The real relays, workers and clients in one thread under a simulated clock, with faults from a seed
    Simulate(simulate::command::Simulate),
    /// The real processes killed, stopped, cut off and restarted while bots play, and everything judged
    Chaos(chaos::ChaosArgs),
    /// Memory, CPU and latency of the real processes on this machine, beside the floor
    Bench(bench::BenchArgs),
    /// A dealer worker that knows counters beside tables; started by `bench` and `chaos`
    #[command(hide = true)]
    CountingWorker(Box<counting_worker::CountingWorker>),
    /// What the same work takes at the least; started by `bench`
    #[command(subcommand, hide = true)]
    Floor(bench::floor::Floor),
}

impl Cli {
    /// Runs the command to its end, and until its output has been read.
    pub fn run(self) -> ExitCode {
        loadtest::run_wholly("trials", || self.command())
    }

    fn command(self) -> anyhow::Result<ExitCode> {
        match self.command {
            // It brings its own runtimes.
            Command::Simulate(simulate) => {
                Ok(if simulate.run() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Command::Chaos(args) => {
                Builder::new_multi_thread().enable_all().build()?.block_on(chaos::command(args))
            }
            // All clients of a benchmark share one thread.
            Command::Bench(args) => {
                let runtime = Builder::new_current_thread().enable_all().build()?;
                LocalSet::new().block_on(&runtime, bench::command(args))
            }
            Command::CountingWorker(worker) => worker.run().map(|()| ExitCode::SUCCESS),
            Command::Floor(floor) => {
                let runtime = Builder::new_multi_thread().enable_all().build()?;
                runtime.block_on(bench::floor::command(floor)).map(|()| ExitCode::SUCCESS)
            }
        }
    }
}

/// This program; of a test, the one that lies beside it.
fn program() -> anyhow::Result<PathBuf> {
    let this = std::env::current_exe()?;
    let folder = this.parent().context("a program without a folder")?;
    if folder.ends_with("deps") {
        return Ok(folder.parent().context("deps without a parent")?.join("trials"));
    }
    Ok(this)
}
