//! `agency`: see `agency --help`, and the library for how it measures.

use std::io::{self, Write as _};

use agency::args::Cli;
use clap::Parser as _;

fn main() -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    Cli::parse().run(&mut out)?;
    Ok(out.flush()?)
}
