//! `trials`: see `trials --help`, and the library for what each command does.

use std::process::ExitCode;

fn main() -> ExitCode {
    ops::flags::read::<trials::Cli>().run()
}
