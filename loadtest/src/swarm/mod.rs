//! The swarm: bots that get guest tokens, find tables, sit and play, and judge everything that they see.
//!
//! - [`args`]: the flags.
//! - [`cup`]: a whole tournament; [`scout`]: who finds it, and asks what has come of it; [`moves`]: how long it takes to come from one of its tables to the next.
//! - [`crowd`]: one process's bots, from the first token to the last answer.
//! - [`tally`]: what they count while they play, [`stopwatch`]: from an action to its frame at each player.
//! - [`processes`]: several processes as one swarm.
//! - [`progress`]: the live view; [`summary`]: the result.

pub mod args;
pub mod crowd;
pub mod cup;
pub mod moves;
pub mod processes;
pub mod progress;
mod scout;
pub mod stopwatch;
pub mod summary;
pub mod tally;

use std::process::ExitCode;

use anyhow::Context;
use ops::outlet::{say, tell};

pub use args::SwarmArgs;
pub use crowd::Crowd;
pub use summary::{Outcome, Summary};

use crate::signals;

/// `loadtest swarm`: exit status 0 without a breach, 1 with one, 2 when nothing could be played.
///
/// # Errors
/// When there is nothing to connect to, or no table.
pub async fn command(args: SwarmArgs) -> anyhow::Result<ExitCode> {
    let stop = signals::until_told()?;
    if let Some(entries) = args.tournament {
        let played = cup::run(&args, entries, &stop).await?;
        tell(played.text().trim_end());
        if args.json {
            say(serde_json::to_string(&played)?);
        }
        anyhow::ensure!(played.deliveries > 0, "nothing was played");
        return Ok(if played.breaches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let outcome = if args.processes > 1 {
        processes::run(&args, &stop).await?
    } else {
        Crowd::find(&args).await?.run(&args, &stop).await
    };
    if args.part.is_some() {
        say(serde_json::to_string(&processes::Said::Outcome(Box::new(outcome.into())))?);
        return Ok(ExitCode::SUCCESS);
    }
    let mut described = Vec::new();
    outcome.describe(&mut described).context("cannot write the summary")?;
    tell(String::from_utf8_lossy(&described).trim_end());
    let summary = outcome.summary();
    if args.json {
        say(serde_json::to_string(&summary)?);
    }
    anyhow::ensure!(summary.actions > 0, "no action was played");
    Ok(if outcome.breaches.total() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
