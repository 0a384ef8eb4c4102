//! The variables that a program takes, as its `--help` names them.

use std::{io, path::Path, process::Command};

/// Their names.
///
/// # Errors
/// When the program cannot be started.
pub fn variables(program: impl AsRef<Path>) -> io::Result<Vec<String>> {
    let help = Command::new(program.as_ref()).arg("--help").output()?;
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let names = help.split("[env: ").skip(1).filter_map(|after| after.split('=').next());
    Ok(names.map(str::to_owned).collect())
}
