//! `loadtest`: see `loadtest --help`, and the library for what each command does.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    loadtest::Cli::parse().run()
}
