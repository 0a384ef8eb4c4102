//! One of the floors as a process.

use std::{net::SocketAddr, process::Stdio};

use anyhow::Context;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// Killed on drop; ends by itself when this process does.
pub struct FloorProcess {
    child: Child,
    orders: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
    address: Option<SocketAddr>,
}

/// The word with which a floor's process says that it is ready, and where it listens if it does.
pub const READY: &str = "ready";

/// The word with which it says that an order is carried out.
pub const DONE: &str = "done";

impl FloorProcess {
    /// Starts `trials floor` with these arguments and waits until it is ready.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start(arguments: &[String]) -> anyhow::Result<Self> {
        let mut command = Command::new(crate::program()?);
        command.arg("floor").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("cannot start a floor")?;
        let orders = child.stdin.take().context("a process without input")?;
        let said = BufReader::new(child.stdout.take().context("a process without output")?).lines();
        let mut floor = Self { child, orders, said, address: None };
        let ready = floor.hear(READY).await?;
        floor.address = ready.parse().ok();
        Ok(floor)
    }

    /// Its process.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("a floor has ended")
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When it does not.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        self.address.context("this floor does not listen")
    }

    /// Gives an order; [`FloorProcess::done`] waits until it is carried out.
    ///
    /// # Errors
    /// When the process has ended.
    pub async fn order(&mut self, order: &str) -> anyhow::Result<()> {
        Ok(self.orders.write_all(format!("{order}\n").as_bytes()).await?)
    }

    /// Waits until the order is carried out, and answers what is said of it.
    ///
    /// # Errors
    /// When the process has ended.
    pub async fn done(&mut self) -> anyhow::Result<String> {
        self.hear(DONE).await
    }

    async fn hear(&mut self, word: &str) -> anyhow::Result<String> {
        let line = self.said.next_line().await?.context("a floor has ended")?;
        let rest = line.strip_prefix(word).with_context(|| format!("a floor said {line:?}"))?;
        Ok(rest.trim().to_owned())
    }
}
