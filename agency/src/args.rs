//! The command line.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use serde_json::json;
use strategies::{named, push_fold::SHORT};

use crate::{
    count,
    duplicate::{Outcome, Terms, play},
    short,
};

/// Measures how strong strategies are, in the engine alone.
#[derive(Debug, Clone, Parser)]
#[command(name = "agency", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What can be done.
#[derive(Debug, Clone, Subcommand)]
pub enum What {
    /// Play a strategy against others, and say what it wins
    Match(MatchArgs),
    /// Count out how often each class of hands wins against each other, and write it to a file: some minutes
    CountAllIns {
        /// Where to
        file: PathBuf,
    },
    /// Say what is pushed and called heads-up with a short stack, and what the best answer gains
    PushFold {
        /// The hands by name, with so many big blinds
        #[arg(long, value_name = "BLINDS", value_parser = short_stack)]
        stack: Option<f64>,
    },
    /// Name the strategies
    Strategies,
}

/// A match.
#[derive(Debug, Clone, Args)]
pub struct MatchArgs {
    /// Whose winnings are counted: it has one seat
    #[arg(value_name = "STRATEGY", value_parser = known)]
    pub one: String,

    /// Who has all other seats; several are played one after the other
    #[arg(value_name = "OTHER", required = true, value_parser = known)]
    pub others: Vec<String>,

    /// Hands of the first; each deal is played once from each seat
    #[arg(long, value_name = "COUNT", default_value_t = 12_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub hands: u64,

    /// Seats
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u8).range(2..=10))]
    pub seats: u8,

    /// Where all chance comes from: the same seed plays the same match
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,

    /// Big blinds with which everybody begins every hand
    #[arg(long, value_name = "BLINDS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub stack: u64,

    /// A line of JSON for each match
    #[arg(long)]
    pub json: bool,
}

fn known(name: &str) -> Result<String, String> {
    let all = || named::NAMES.map(|(name, _)| name).join(", ");
    named::strategy(name).map(|_| name.to_owned()).ok_or_else(|| format!("there are {}", all()))
}

fn short_stack(text: &str) -> Result<f64, String> {
    let stack = text.parse().ok().filter(|stack| (1.0..=SHORT).contains(stack));
    stack.ok_or_else(|| format!("from 1 to {SHORT} big blinds"))
}

impl Cli {
    /// Does it, and writes what came of it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn run(self, out: &mut dyn Write) -> anyhow::Result<()> {
        match self.what {
            What::Match(args) => args.run(out),
            What::CountAllIns { file } => {
                let bytes: Vec<u8> = count::wins().into_iter().flat_map(u32::to_le_bytes).collect();
                fs::write(&file, bytes).with_context(|| format!("{} cannot be written", file.display()))
            }
            What::PushFold { stack: None } => Ok(short::tell(out)?),
            What::PushFold { stack: Some(stack) } => Ok(short::tell_ranges(stack, out)?),
            What::Strategies => {
                named::NAMES.iter().try_for_each(|(name, what)| writeln!(out, "{name:<16}  {what}"))?;
                Ok(())
            }
        }
    }
}

impl MatchArgs {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let strategy = |name: &str| named::strategy(name).context("a strategy that is known");
        let one = strategy(&self.one)?;
        let terms = Terms { hands: self.hands, seats: self.seats, seed: self.seed, stack: self.stack };
        for name in &self.others {
            let outcome = play(&one, &strategy(name)?, terms);
            self.tell(name, &outcome, out)?;
            out.flush()?;
        }
        Ok(())
    }

    fn tell(&self, other: &str, outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
        let Self { one, seats, seed, stack, .. } = self;
        if self.json {
            let line = json!({"one": one, "other": other, "seats": seats, "seed": seed, "stack": stack, "unit": "mbb/h", "outcome": outcome});
            return writeln!(out, "{line}");
        }
        let Outcome { hands, adjusted, raw, illegal, .. } = outcome;
        write!(
            out,
            "{one} against {other}, {seats} seats, {stack} big blinds: {:+.0} +-{:.0} mbb/h ({:+.0} +-{:.0} as the cards fell; {hands} hands, seed {seed})",
            adjusted.mean, adjusted.half, raw.mean, raw.half
        )?;
        if *illegal > 0 {
            write!(out, "; {illegal} actions were against the rules")?;
        }
        writeln!(out)
    }
}
