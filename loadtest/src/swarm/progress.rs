//! The live view: one line that moves, on a terminal only.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Duration;

use super::{
    args::SwarmArgs,
    processes::Said,
    tally::{Progress, Tally},
};

/// Where progress is shown.
#[derive(Debug)]
pub struct View {
    out: Out,
    seconds: u64,
    bots: u64,
}

#[derive(Debug)]
enum Out {
    Terminal(ProgressBar),
    /// This process is a part of a swarm: the whole is shown by the process that started it.
    Parent,
    Nowhere,
}

impl View {
    /// The view that fits the flags and where standard error goes.
    pub fn new(args: &SwarmArgs) -> Self {
        let out = if args.part.is_some() {
            Out::Parent
        } else if std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{spinner} {wide_msg} {bar:20}");
            Out::Terminal(
                ProgressBar::new(args.seconds).with_style(style.expect("a template of known fields")),
            )
        } else {
            Out::Nowhere
        };
        let bots = args.part().share(args.bots).len() as u64;
        Self { out, seconds: args.seconds, bots }
    }

    /// Bots are coming.
    pub fn ramping(&self, tally: &Tally) {
        if let Out::Terminal(bar) = &self.out {
            bar.set_message(format!("{}/{} bots", tally.online(), self.bots));
            bar.tick();
        }
    }

    /// They are playing, since so long.
    pub fn playing(&self, progress: Progress, since: Duration) {
        match &self.out {
            Out::Terminal(bar) => {
                let seconds = since.as_secs_f64().max(0.001);
                bar.set_position(since.as_secs().min(self.seconds));
                bar.set_message(format!(
                    "{}/{} bots  {} hands  {:.0} actions/s  {:.0} deliveries/s  p50 {:.1} ms  p99 {:.1} ms",
                    progress.online,
                    self.bots,
                    progress.hands,
                    progress.actions as f64 / seconds,
                    progress.deliveries as f64 / seconds,
                    progress.p50_us as f64 / 1_000.0,
                    progress.p99_us as f64 / 1_000.0,
                ));
            }
            Out::Parent => {
                println!("{}", serde_json::to_string(&Said::Progress(progress)).expect("numbers are JSON"));
            }
            Out::Nowhere => {}
        }
    }

    /// Makes room for the summary.
    pub fn clear(&self) {
        if let Out::Terminal(bar) = &self.out {
            bar.finish_and_clear();
        }
    }
}
