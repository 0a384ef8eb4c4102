//! Real Redis servers: one alone, a [cluster](RedisCluster) of three primaries, or a primary with a replica and sentinels.
//!
//! Each runs in a directory of its own on free loopback ports, and is killed when its owner is dropped. Starting is
//! asynchronous only in waiting.

mod cluster;
mod sentinel;

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    ops::RangeInclusive,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use tempfile::TempDir;
use tokio::time::{Duration, Instant, sleep};

pub use cluster::RedisCluster;
pub use sentinel::RedisSentinel;

use crate::resp::{Answer, ask};

/// The longest wait for a server, cluster or sentinel to be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// How often a server is started anew because somebody else took its port first.
const PORT_ATTEMPTS: usize = 10;

/// Whether and how a server writes its append-only file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Persistence {
    /// Memory only: a restart forgets everything.
    #[default]
    None,
    /// `appendfsync everysec`.
    AofEverySecond,
    /// `appendfsync always`.
    AofAlways,
}

impl Persistence {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::None => &["--appendonly", "no"],
            Self::AofEverySecond => &["--appendonly", "yes", "--appendfsync", "everysec"],
            Self::AofAlways => &["--appendonly", "yes", "--appendfsync", "always"],
        }
    }
}

/// What Redis is set to for our journals: the file that operators use.
const SETTINGS: &str = include_str!("../../../../docker/redis.conf");

/// The document with the least rights of each program.
const DOCUMENT: &str = include_str!("../../../../docs/operations.md");

/// The password of users that tests make.
const PASSWORD: &str = "secret";

/// Ports that no system gives to outgoing connections by itself (Linux begins at 32,768).
const PORTS: RangeInclusive<u16> = 10_000..=32_000;

/// How many of them are tried.
const PORTS_TRIED_MAX: usize = 100;

/// A port that was free a moment ago, and that nobody's outgoing connection takes before the server for which it is has
/// started, or while that is away. A process is told none twice until it was told them all: of forty drawn from these by chance, two are the
/// same in one start of thirty.
///
/// # Errors
/// When none is found.
pub fn free_port() -> io::Result<u16> {
    static TOLD: OnceLock<AtomicUsize> = OnceLock::new();
    let told = TOLD.get_or_init(|| AtomicUsize::new(rand::random_range(0..PORTS.len())));
    let mut taken = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..PORTS_TRIED_MAX {
        let nth = told.fetch_add(1, Relaxed) % PORTS.len();
        let port = PORTS.start() + nth as u16;
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(_) => return Ok(port),
            Err(error) => taken = error,
        }
    }
    Err(taken)
}

/// One server process.
pub struct RedisServer {
    /// The address by which others know it; loopback always works.
    host: Ipv4Addr,
    port: u16,
    arguments: Vec<String>,
    child: Option<Child>,
    dir: TempDir,
}

impl RedisServer {
    /// Starts a server that stands alone.
    ///
    /// # Errors
    /// When `redis-server` is not installed or does not come up.
    pub async fn start(persistence: Persistence) -> io::Result<Self> {
        Self::start_at(Ipv4Addr::LOCALHOST, persistence).await
    }

    /// The same, reachable at an address of this machine.
    ///
    /// # Errors
    /// As [`RedisServer::start`].
    pub async fn start_at(host: Ipv4Addr, persistence: Persistence) -> io::Result<Self> {
        let arguments = persistence.arguments().iter().map(|argument| (*argument).to_owned()).collect();
        Self::start_with(host, arguments).await
    }

    async fn start_with(host: Ipv4Addr, arguments: Vec<String>) -> io::Result<Self> {
        let mut last = io::Error::other("not tried");
        for _ in 0..PORT_ATTEMPTS {
            let dir = tempfile::Builder::new().prefix("cardhouse-redis-").tempdir()?;
            let mut server =
                Self { host, port: free_port()?, arguments: arguments.clone(), child: None, dir };
            match server.restart().await {
                Ok(()) => return Ok(server),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `redis://...`
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Kills it (SIGKILL), if it runs, and starts it again on the same port and directory. Returns when it answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn restart(&mut self) -> io::Result<()> {
        self.kill();
        let log = self.dir.path().join("log");
        let mut command = Command::new("redis-server");
        // A configuration file comes first, as its name alone: a sentinel's own, which it rewrites, or ours. Then what differs from it.
        if !self.arguments.iter().any(|argument| argument == "--sentinel") {
            let settings = self.dir.path().join("redis.conf");
            std::fs::write(&settings, SETTINGS)?;
            command.arg(settings);
        }
        command.args(&self.arguments).args([
            "--port",
            &self.port.to_string(),
            "--save",
            "",
            "--protected-mode",
            "no",
            "--bind",
            "127.0.0.1",
        ]);
        if self.host != Ipv4Addr::LOCALHOST {
            command.arg(self.host.to_string());
        }
        command.arg("--dir").arg(self.dir.path()).arg("--logfile").arg(&log);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C at a terminal is for whoever started it, who then ends all in order.
        command.process_group(0);
        self.child = Some(command.spawn()?);
        let end = Instant::now() + READY_WITHIN;
        loop {
            // LOADING is an error and so not PONG.
            if matches!(ask(self.port, &["PING"]), Ok(Answer::Text(text)) if text == "PONG") && self.is_ours()
            {
                return Ok(());
            }
            let ended = self.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
            if ended || Instant::now() > end {
                self.kill();
                let log = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(io::Error::other(format!("redis-server does not come up: {log}")));
            }
            sleep(LOOK).await;
        }
    }

    /// Whether it is this server that answers on the port, and not one that took the port first.
    fn is_ours(&self) -> bool {
        let info = ask(self.port, &["INFO", "server"]).map(|answer| answer.text()).unwrap_or_default();
        self.pid().is_some_and(|pid| info.lines().any(|line| line == format!("process_id:{pid}")))
    }

    /// Kills it (SIGKILL).
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops it in its tracks (SIGSTOP): connections stay, nothing answers.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on (SIGCONT).
    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        if let Some(pid) = self.pid() {
            let status = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status();
            assert!(status.is_ok_and(|status| status.success()), "cannot send SIG{name} to our redis-server");
        }
    }

    /// Whether it says that it is a primary.
    pub fn is_primary(&self) -> bool {
        self.ask(&["ROLE"]).is_ok_and(|role| role.text().starts_with("master"))
    }

    /// Whether it says that it is a replica and has what its primary has.
    pub fn is_replica_in_step(&self) -> bool {
        let told = self.ask(&["INFO", "replication"]).map(|answer| answer.text()).unwrap_or_default();
        told.contains("role:slave") && told.contains("master_link_status:up")
    }

    /// From now on a replica gets nothing more from its primary, though both live, until [`RedisServer::catch_up`].
    ///
    /// # Errors
    /// When one of them does not answer.
    pub fn fall_behind(&self, primary: &Self) -> io::Result<()> {
        // The primary refuses a password where none is set, and so the replica.
        self.ask(&["CONFIG", "SET", "masterauth", "none"])?;
        primary.ask(&["CLIENT", "KILL", "TYPE", "replica"])?;
        Ok(())
    }

    /// Ends [`RedisServer::fall_behind`].
    ///
    /// # Errors
    /// When it does not answer.
    pub fn catch_up(&self) -> io::Result<()> {
        self.ask(&["CONFIG", "SET", "masterauth", ""]).map(drop)
    }

    /// Makes a user as `docs/operations.md` writes it down (`ACL SETUSER name ...`), and answers the URL with which to be it.
    ///
    /// # Errors
    /// When the document has no such line, or the server does not take it.
    pub fn user_of_the_document(&self, name: &str) -> io::Result<String> {
        let rights =
            documented_rights(name).ok_or_else(|| io::Error::other("no such user in the document"))?;
        let mut command = vec!["ACL", "SETUSER", name, "reset"];
        let password = format!(">{PASSWORD}");
        command
            .extend(rights.iter().map(|word| if word.starts_with('>') { password.as_str() } else { word }));
        self.ask(&command)?;
        Ok(self.url_of(name))
    }

    /// The URL of a user with the password of tests.
    pub fn url_of(&self, user: &str) -> String {
        format!("redis://{user}:{PASSWORD}@{}", self.address())
    }

    /// Sends one command.
    ///
    /// # Errors
    /// When the server does not answer, or answers with an error.
    pub fn ask(&self, command: &[&str]) -> io::Result<Answer> {
        match ask(self.port, command)? {
            Answer::Error(error) => Err(io::Error::other(error)),
            answer => Ok(answer),
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The words after `ACL SETUSER name` in `docs/operations.md`.
pub fn documented_rights(name: &str) -> Option<Vec<&'static str>> {
    let is_of = |line: &&str| line.split_whitespace().take(3).eq(["ACL", "SETUSER", name]);
    Some(DOCUMENT.lines().find(is_of)?.split_whitespace().skip(3).collect())
}

/// Waits until `look` says yes.
async fn until(what: &str, mut look: impl FnMut() -> bool) -> io::Result<()> {
    let end = Instant::now() + READY_WITHIN;
    while !look() {
        if Instant::now() > end {
            return Err(io::Error::other(format!("{what}: not within {READY_WITHIN:?}")));
        }
        sleep(LOOK).await;
    }
    Ok(())
}
