//! The program as an operator meets it.

use std::process::Command;

fn help() -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_pit")).arg("--help").output().expect("it can be run");
    assert!(out.status.success());
    String::from_utf8(out.stdout).expect("help is text")
}

#[test]
fn it_has_the_flags_of_a_relay_and_of_a_dealer_worker() {
    let help = help();
    for flag in ["--jwks-url", "--near", "--drain-ms", "--seal-key", "--hand-over-ms"] {
        assert!(help.contains(flag), "{flag}: {help}");
    }
}
