//! The house's binary, as a newcomer starts it.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

/// A house as a process, killed when dropped.
pub(crate) struct House {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    /// What it has said.
    pub(crate) said: Vec<String>,
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary, with one small table, whose usual folder is below `home`.
pub(crate) fn command(home: &Path, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_house"));
    for (name, value) in [("LISTEN", "0"), ("OPS_LISTEN", "0"), ("TABLES", "1"), ("BOTS", "0")] {
        command.env(format!("CARDHOUSE_{name}"), value);
    }
    command.args(flags).env("XDG_DATA_HOME", home);
    command
}

impl House {
    pub(crate) fn open(home: &Path, flags: &[&str]) -> Self {
        let mut child = command(home, flags).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let said: Vec<String> = lines.take(6).collect();
        let address = said[0].rsplit_once("http://").expect("it says where it is").1.trim_end_matches('/');
        Self { address: address.parse().unwrap(), child, said }
    }
}
