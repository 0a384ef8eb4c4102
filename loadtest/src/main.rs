//! `loadtest`: see `loadtest --help`, and the library for what each command does.

use std::process::ExitCode;

fn main() -> ExitCode {
    ops::flags::read::<loadtest::Cli>().run()
}
