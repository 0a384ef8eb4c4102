//! The live view: one line that moves, on a terminal only.

use std::{
    io::IsTerminal,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use indicatif::{ProgressBar, ProgressStyle};
use ops::outlet::say;
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
    Terminal(Drawing),
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
            Out::Terminal(Drawing::start(args.seconds))
        } else {
            Out::Nowhere
        };
        let bots = args.part().share(args.bots).len() as u64;
        Self { out, seconds: args.seconds, bots }
    }

    /// Bots are coming.
    pub fn ramping(&self, tally: &Tally) {
        if let Out::Terminal(drawing) = &self.out {
            drawing.draw(0, format!("{}/{} bots", tally.online(), self.bots));
        }
    }

    /// They are playing, since so long.
    pub fn playing(&self, progress: Progress, since: Duration) {
        match &self.out {
            Out::Terminal(drawing) => {
                let seconds = since.as_secs_f64().max(0.001);
                let line = format!(
                    "{}/{} bots  {} hands  {:.0} actions/s  {:.0} deliveries/s  p50 {:.1} ms  p99 {:.1} ms",
                    progress.online,
                    self.bots,
                    progress.hands,
                    progress.actions as f64 / seconds,
                    progress.deliveries as f64 / seconds,
                    progress.p50_us as f64 / 1_000.0,
                    progress.p99_us as f64 / 1_000.0,
                );
                drawing.draw(since.as_secs().min(self.seconds), line);
            }
            Out::Parent => {
                say(serde_json::to_string(&Said::Progress(progress)).expect("numbers are JSON"));
            }
            Out::Nowhere => {}
        }
    }

    /// Makes room for the summary.
    pub fn clear(self) {
        if let Out::Terminal(drawing) = self.out {
            drawing.end();
        }
    }
}

/// A terminal that is not cleared within this stands still.
const CLEARED_WITHIN: Duration = Duration::from_secs(1);

/// Draws in a thread of its own: a terminal that its owner has stopped (Ctrl-S) stops whoever writes to it, and bots are to
/// play on.
#[derive(Debug)]
struct Drawing {
    lines: SyncSender<(u64, String)>,
    ended: Receiver<()>,
}

impl Drawing {
    fn start(seconds: u64) -> Self {
        let (lines, drawn) = sync_channel::<(u64, String)>(1);
        let (end, ended) = sync_channel::<()>(1);
        thread::spawn(move || {
            let style = ProgressStyle::with_template("{spinner} {wide_msg} {bar:20}");
            let bar = ProgressBar::new(seconds).with_style(style.expect("a template of known fields"));
            for (position, line) in drawn {
                bar.set_position(position);
                bar.set_message(line);
                bar.tick();
            }
            bar.finish_and_clear();
            drop(end);
        });
        Self { lines, ended }
    }

    /// Draws this, unless it is still drawing: there will be a newer one soon.
    fn draw(&self, position: u64, line: String) {
        let _ = self.lines.try_send((position, line));
    }

    fn end(self) {
        drop(self.lines);
        // Nothing is sent: the other end goes with the thread.
        let _ = self.ended.recv_timeout(CLEARED_WITHIN);
    }
}
