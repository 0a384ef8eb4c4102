//! One process of the cluster: started, signalled, killed, started again, and never left behind.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::{Child, Command},
    time::{Duration, Instant},
};

use super::undertaker::Living;

/// A process that was asked to end is killed when it has not ended within this.
const END_WITHIN: Duration = Duration::from_secs(15);

/// Between two looks at a process that is starting.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// One answer of a health check takes at most this.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// How to start a process, again and again.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// What it is called in reports: `relay 1`.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its additional environment; secrets go here, since arguments can be read by anybody.
    pub environment: Vec<(String, OsString)>,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where a health check goes, and the path that answers 200 when it is ready.
    pub ready: (SocketAddr, &'static str),
    /// The signal that asks it to end.
    pub end_signal: &'static str,
}

/// See the module. Killed on drop, with its whole process group.
#[derive(Debug)]
pub struct Process {
    recipe: Recipe,
    log: PathBuf,
    living: Living,
    child: Option<(Child, u32)>,
    starts: u32,
}

impl Process {
    /// Starts it; its output goes to `dir/NAME.log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(recipe: Recipe, dir: &Path, living: &Living) -> anyhow::Result<Self> {
        let log = dir.join(format!("{}.log", recipe.name.replace(' ', "-")));
        let mut process = Self { recipe, log, living: living.clone(), child: None, starts: 0 };
        process.spawn()?;
        Ok(process)
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.recipe.name
    }

    /// What it is called among nodes; new at every start.
    pub fn node_id(&self) -> String {
        format!("{}-{}", self.recipe.name.replace(' ', "-"), self.starts)
    }

    /// Where it listens.
    pub fn listen(&self) -> SocketAddr {
        self.recipe.listen
    }

    /// Its process id while it runs (or is stopped, or has ended unnoticed).
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(|(_, pid)| *pid)
    }

    /// Where operators look: `/metrics`, `/readyz`.
    pub fn ops(&self) -> SocketAddr {
        self.recipe.ready.0
    }

    /// Where its output is.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Sends it a signal, such as `STOP`, `CONT` or `HUP`.
    pub fn signal(&self, name: &str) {
        if let Some(pid) = self.pid() {
            signal(pid, name);
        }
    }

    /// Whether it has ended by itself; then how.
    pub fn has_ended(&mut self) -> Option<String> {
        let (child, _) = self.child.as_mut()?;
        let status = child.try_wait().ok().flatten()?;
        self.buried();
        Some(status.to_string())
    }

    /// Ends it at once, as a crash would.
    pub async fn kill(&mut self) {
        let Some((child, pid)) = &mut self.child else { return };
        signal_group(*pid, "KILL");
        let _ = child.wait().await;
        self.buried();
    }

    /// Asks it to end, and waits until it has.
    pub async fn end(&mut self) {
        self.signal("CONT");
        self.signal(self.recipe.end_signal);
        let Some((child, _)) = &mut self.child else { return };
        match tokio::time::timeout(END_WITHIN, child.wait()).await {
            Ok(_) => self.buried(),
            Err(_) => self.kill().await,
        }
    }

    /// Starts it again after it has ended, at the same address.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(self.child.is_none(), "{} runs", self.recipe.name);
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let errors: File = log.try_clone()?;
        self.starts += 1;
        let recipe = &self.recipe;
        let child = Command::new(&recipe.program)
            .args(&recipe.arguments)
            .envs(recipe.environment.iter().map(|(name, value)| (name, value)))
            .env("CARDHOUSE_NODE_ID", self.node_id())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            // Ctrl-C at the terminal is for the harness, which then ends all in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {} ({})", recipe.name, recipe.program.display()))?;
        let pid = child.id().context("a process without an id")?;
        self.living.add(pid);
        self.child = Some((child, pid));
        Ok(())
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// When it ends or is not ready within `within`; with the end of its output.
    pub async fn ready(&mut self, within: Duration) -> anyhow::Result<()> {
        let give_up = Instant::now() + within;
        loop {
            if self.is_ready().await {
                return Ok(());
            }
            let ended = self.has_ended();
            if let Some(ended) = ended {
                anyhow::bail!("{} ended: {ended}\n{}", self.name(), self.last_words());
            }
            if Instant::now() >= give_up {
                anyhow::bail!("{} is not ready after {within:?}\n{}", self.name(), self.last_words());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Whether it is ready now.
    pub async fn is_ready(&self) -> bool {
        let asked = async {
            let (at, path) = self.recipe.ready;
            let mut stream = TcpStream::connect(at).await.ok()?;
            let request = format!("GET {path} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.ok()?;
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await.ok()?;
            (&answer == b"HTTP/1.1 200").then_some(())
        };
        matches!(tokio::time::timeout(ANSWER_WITHIN, asked).await, Ok(Some(())))
    }

    /// The end of its output.
    pub fn last_words(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// It has ended and was waited for. What it may have started itself goes with it.
    fn buried(&mut self) {
        if let Some((_, pid)) = self.child.take() {
            signal_group(pid, "KILL");
            self.living.remove(pid);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some((_, pid)) = &self.child {
            signal_group(*pid, "KILL");
        }
    }
}

/// What the process with this operators' port tells of itself, behind the head of the answer.
///
/// # Errors
/// When it is not there.
pub async fn metrics_of(ops: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(ops).await?;
    let request = format!("GET /metrics HTTP/1.1\r\nhost: {ops}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Sends a signal to a process. Without `libc` a shell's built-in does it: about a millisecond.
pub fn signal(pid: u32, name: &str) {
    kill(&pid.to_string(), name);
}

fn signal_group(pid: u32, name: &str) {
    kill(&format!("-{pid}"), name);
}

fn kill(target: &str, name: &str) {
    let script = format!("kill -s {name} -- {target} 2>/dev/null");
    let done = std::process::Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).status();
    if let Err(error) = done {
        tracing::warn!(%error, target, name, "no signal could be sent");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::undertaker::Undertaker;

    fn sleeper(dir: &Path, living: &Living) -> Process {
        let recipe = Recipe {
            name: "sleeper 1".into(),
            program: "sh".into(),
            arguments: vec!["-c".into(), "sleep 1000 & wait".into()],
            environment: Vec::new(),
            listen: ([127, 0, 0, 1], 1).into(),
            ready: (([127, 0, 0, 1], 1).into(), "/livez"),
            end_signal: "TERM",
        };
        Process::start(recipe, dir, living).unwrap()
    }

    /// Whether any process of the group is left that is not a zombie.
    fn group_lives(group: u32) -> bool {
        let stats = std::fs::read_dir("/proc").unwrap().flatten();
        let stats = stats.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
        let mut fields = stats.filter_map(|stat| stat.rsplit_once(") ").map(|(_, after)| after.to_owned()));
        fields.any(|after| {
            let fields: Vec<&str> = after.split(' ').collect();
            fields[0] != "Z" && fields[2] == group.to_string()
        })
    }

    async fn until_gone(group: u32) {
        while group_lives(group) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn a_killed_process_takes_its_children_along_and_can_be_started_again() {
        let dir = tempfile::tempdir().unwrap();
        let undertaker = Undertaker::for_dir(dir.path()).unwrap();
        let mut process = sleeper(dir.path(), &undertaker.living());
        let first = process.pid().unwrap();
        assert!(group_lives(first));
        process.kill().await;
        until_gone(first).await;
        process.spawn().unwrap();
        let second = process.pid().unwrap();
        process.end().await;
        until_gone(second).await;
    }

    #[tokio::test]
    async fn what_a_killed_harness_leaves_behind_is_cleared_away() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run");
        std::fs::create_dir(&run).unwrap();
        let undertaker = Undertaker::for_dir(&run).unwrap();
        let process = sleeper(&run, &undertaker.living());
        let pid = process.pid().unwrap();
        // As if this process had been killed: nothing of it is dropped in order, but its pipe closes.
        std::mem::forget(process);
        drop(undertaker);
        until_gone(pid).await;
        assert!(!run.exists());
    }
}
