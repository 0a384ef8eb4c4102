//! Real Redis servers: one alone, a cluster of three primaries, or a primary with a replica and sentinels.
//!
//! Each runs in a directory of its own on free loopback ports, and is killed when its owner is dropped. Starting is
//! asynchronous only in waiting.

use std::{
    io,
    net::TcpListener,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;
use tokio::time::{Duration, Instant, sleep};

use super::resp::{Answer, ask};

/// The longest wait for a server, cluster or sentinel to be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// How often a server is started anew because somebody else took its port first.
const PORT_ATTEMPTS: usize = 10;

/// The name under which sentinels know the primary.
pub const SENTINEL_SERVICE: &str = "cardhouse";

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

/// A port that was free a moment ago.
///
/// # Errors
/// When the system has none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// One server process.
pub struct RedisServer {
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
        Self::start_with(persistence.arguments().iter().map(|argument| (*argument).to_owned()).collect())
            .await
    }

    async fn start_with(arguments: Vec<String>) -> io::Result<Self> {
        let mut last = io::Error::other("not tried");
        for _ in 0..PORT_ATTEMPTS {
            let dir = tempfile::Builder::new().prefix("cardhouse-redis-").tempdir()?;
            let mut server = Self { port: free_port()?, arguments: arguments.clone(), child: None, dir };
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
        format!("redis://127.0.0.1:{}", self.port)
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
        // A configuration file that it may rewrite comes first, as its name alone; then what is the same for all.
        command.args(&self.arguments).args([
            "--port",
            &self.port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
        ]);
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

/// Slots of a Redis Cluster.
const SLOTS: usize = 16_384;

/// A cluster of three primaries without replicas.
pub struct RedisCluster {
    /// The primaries, in the order of their slots.
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts the primaries and joins them.
    ///
    /// # Errors
    /// When they do not come up or together.
    pub async fn start(persistence: Persistence) -> io::Result<Self> {
        const PRIMARIES: usize = 3;
        let mut nodes = Vec::new();
        for _ in 0..PRIMARIES {
            let mut arguments: Vec<String> = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]
                .iter()
                .chain(persistence.arguments())
                .map(|argument| (*argument).to_owned())
                .collect();
            arguments.extend(["--cluster-port".to_owned(), free_port()?.to_string()]);
            nodes.push(RedisServer::start_with(arguments).await?);
        }
        for (at, node) in nodes.iter().enumerate() {
            let (first, last) = (at * SLOTS / PRIMARIES, (at + 1) * SLOTS / PRIMARIES - 1);
            node.ask(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()])?;
            node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()])?;
        }
        for node in &nodes[1..] {
            let bus = node.arguments.last().expect("the cluster port was put last").clone();
            nodes[0].ask(&["CLUSTER", "MEET", "127.0.0.1", &node.port().to_string(), &bus])?;
        }
        until("a cluster of three", || {
            nodes.iter().all(|node| {
                let info = node.ask(&["CLUSTER", "INFO"]).map(|answer| answer.text()).unwrap_or_default();
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
            })
        })
        .await?;
        Ok(Self { nodes })
    }

    /// `redis-cluster://...` with all nodes.
    pub fn url(&self) -> String {
        let (first, others) = self.nodes.split_first().expect("a cluster has nodes");
        let others: Vec<_> = others.iter().map(|node| format!("node=127.0.0.1:{}", node.port())).collect();
        format!("redis-cluster://127.0.0.1:{}?{}", first.port(), others.join("&"))
    }

    /// The index of the node that has a key.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn owner_of(&self, key: &str) -> io::Result<usize> {
        let Answer::Number(slot) = self.nodes[0].ask(&["CLUSTER", "KEYSLOT", key])? else {
            return Err(io::Error::other("a slot is a number"));
        };
        let owns = |node: &RedisServer| {
            let nodes = node.ask(&["CLUSTER", "NODES"]).map(|answer| answer.text()).unwrap_or_default();
            let mine = nodes.lines().find(|line| line.contains("myself")).unwrap_or_default();
            mine.split_whitespace().skip(8).any(|range| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                matches!((first.parse(), last.parse()), (Ok(a), Ok(b)) if (a..=b).contains(&slot))
            })
        };
        self.nodes.iter().position(owns).ok_or_else(|| io::Error::other("nobody owns the slot"))
    }

    /// Gives the slot of a key, which must hold no keys, to the node at `to`, as an operator's resharding does.
    ///
    /// # Errors
    /// When a node refuses.
    pub fn move_slot_of(&self, key: &str, to: usize) -> io::Result<()> {
        let slot = self.nodes[0].ask(&["CLUSTER", "KEYSLOT", key])?.text();
        let id = self.nodes[to].ask(&["CLUSTER", "MYID"])?.text();
        // The new owner first, so that the slot is never without one.
        self.nodes[to].ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &id])?;
        self.nodes[to].ask(&["CLUSTER", "BUMPEPOCH"])?;
        for node in &self.nodes {
            node.ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &id])?;
        }
        Ok(())
    }
}

/// A primary, its replica, and sentinels that make the replica primary when the primary is gone.
pub struct RedisSentinel {
    /// Both; which is the primary, the sentinels say.
    pub nodes: [RedisServer; 2],
    sentinels: Vec<RedisServer>,
}

impl RedisSentinel {
    /// Starts all of them; the sentinels call a node dead after half a second.
    ///
    /// # Errors
    /// When they do not come up or do not find each other.
    pub async fn start(persistence: Persistence) -> io::Result<Self> {
        const SENTINELS: usize = 3;
        let primary = RedisServer::start(persistence).await?;
        let mut arguments: Vec<String> =
            persistence.arguments().iter().map(|argument| (*argument).to_owned()).collect();
        arguments.extend(["--replicaof".into(), "127.0.0.1".into(), primary.port().to_string()]);
        arguments.extend(["--repl-diskless-sync-delay".into(), "0".into()]);
        let replica = RedisServer::start_with(arguments).await?;
        until("a replica in step", || {
            let info = replica.ask(&["INFO", "replication"]).map(|answer| answer.text()).unwrap_or_default();
            info.contains("master_link_status:up")
        })
        .await?;
        let mut sentinels = Vec::new();
        for _ in 0..SENTINELS {
            let dir = tempfile::Builder::new().prefix("cardhouse-sentinel-").tempdir()?;
            let config = dir.path().join("sentinel.conf");
            let monitor = format!(
                "sentinel monitor {SENTINEL_SERVICE} 127.0.0.1 {} 2\n\
                 sentinel down-after-milliseconds {SENTINEL_SERVICE} 500\n\
                 sentinel failover-timeout {SENTINEL_SERVICE} 3000\n",
                primary.port()
            );
            std::fs::write(&config, monitor)?;
            let arguments = vec![config.to_string_lossy().into_owned(), "--sentinel".into()];
            let mut sentinel = RedisServer { port: free_port()?, arguments, child: None, dir };
            sentinel.restart().await?;
            sentinels.push(sentinel);
        }
        let all = Self { nodes: [primary, replica], sentinels };
        until("sentinels that know each other and the replica", || {
            all.sentinels.iter().all(|sentinel| {
                let known = sentinel.ask(&["SENTINEL", "MASTER", SENTINEL_SERVICE]);
                let known = known.map(|answer| answer.text()).unwrap_or_default();
                known.contains("num-other-sentinels 2") && known.contains("num-slaves 1")
            })
        })
        .await?;
        Ok(all)
    }

    /// The sentinels' processes.
    pub fn sentinels(&self) -> &[RedisServer] {
        &self.sentinels
    }

    /// `redis-sentinel://...` with all sentinels.
    pub fn url(&self) -> String {
        let (first, others) = self.sentinels.split_first().expect("there are sentinels");
        let others: String = others.iter().map(|node| format!("node=127.0.0.1:{}&", node.port())).collect();
        format!("redis-sentinel://127.0.0.1:{}?{others}sentinelServiceName={SENTINEL_SERVICE}", first.port())
    }

    /// The index of the node that the sentinels call primary.
    ///
    /// # Errors
    /// When no sentinel answers.
    pub fn primary(&self) -> io::Result<usize> {
        let ask = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SENTINEL_SERVICE];
        let address = self.sentinels[0].ask(&ask)?.text();
        let port = |node: &RedisServer| address.ends_with(&format!(" {}", node.port()));
        self.nodes.iter().position(port).ok_or_else(|| io::Error::other("the primary is none of ours"))
    }

    /// Kills the primary. Answers its index.
    ///
    /// # Errors
    /// When no sentinel says which it is.
    pub fn kill_primary(&mut self) -> io::Result<usize> {
        let old = self.primary()?;
        self.nodes[old].kill();
        Ok(old)
    }

    /// Waits until, in place of the killed node at `old`, the other is primary. Answers its index.
    ///
    /// # Errors
    /// When that does not happen.
    pub async fn replaced(&self, old: usize) -> io::Result<usize> {
        let new = 1 - old;
        until("a failover", || {
            let role = self.nodes[new].ask(&["ROLE"]).map(|answer| answer.text()).unwrap_or_default();
            role.starts_with("master") && self.primary().is_ok_and(|primary| primary == new)
        })
        .await?;
        Ok(new)
    }

    /// Kills the primary and waits until the other is primary. Answers its index.
    ///
    /// # Errors
    /// When that does not happen.
    pub async fn fail_over(&mut self) -> io::Result<usize> {
        let old = self.kill_primary()?;
        self.replaced(old).await
    }
}
