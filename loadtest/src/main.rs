//! `loadtest`: see `loadtest --help`, and the library for what each command does.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::flags::read::<loadtest::Cli>().run()
}
