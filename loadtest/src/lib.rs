//! Bot swarm and cluster harness.
//!
//! - [`swarm`]: bots that play and judge: `loadtest swarm`.
//! - [`cluster`]: the real processes on this machine: `loadtest cluster`.
//! - [`signals`]: how a command is told to end.
//!
//! What goes on from there, to simulated houses, processes that are killed, and figures, is the crate `trials`: who only wants a cluster and bots need
//! not build it.

pub mod cluster;
pub mod signals;
pub mod swarm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ops::outlet;

/// Load for a Cardhouse: bots that play and judge, and a real cluster on this machine to play at.
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
}

impl Cli {
    /// Runs the command to its end, and until its output has been read.
    pub fn run(self) -> ExitCode {
        run_wholly("loadtest", || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(async {
                match self.command {
                    Command::Swarm(args) => swarm::command(args).await,
                    Command::Cluster(args) => cluster::command(args).await,
                }
            })
        })
    }
}

/// Runs what a tool of this name was asked for, and lets all that it says be read. A closed pipe does not disturb it.
pub fn run_wholly(tool: &str, command: impl FnOnce() -> anyhow::Result<ExitCode>) -> ExitCode {
    outlet::keep_all();
    let code = command().unwrap_or_else(|error| {
        outlet::tell(format_args!("{tool}: {error:#}"));
        ExitCode::from(2)
    });
    outlet::finish_wholly();
    code
}
