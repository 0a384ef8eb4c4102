//! A primary with a replica, and sentinels that watch over them.

use std::{io, net::Ipv4Addr};

use super::{Persistence, RedisServer, free_port, until};

/// The name under which sentinels know the primary.
const SERVICE: &str = "cardhouse";

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
        Self::start_at(Ipv4Addr::LOCALHOST, persistence).await
    }

    /// The same, reachable at an address of this machine.
    ///
    /// # Errors
    /// As [`RedisSentinel::start`].
    pub async fn start_at(host: Ipv4Addr, persistence: Persistence) -> io::Result<Self> {
        const SENTINELS: usize = 3;
        let primary = RedisServer::start_at(host, persistence).await?;
        let mut arguments: Vec<String> =
            persistence.arguments().iter().map(|argument| (*argument).to_owned()).collect();
        arguments.extend(["--replicaof".into(), host.to_string(), primary.port().to_string()]);
        arguments.extend(["--repl-diskless-sync-delay".into(), "0".into()]);
        let replica = RedisServer::start_with(host, arguments).await?;
        until("a replica in step", || replica.is_replica_in_step()).await?;
        let mut sentinels = Vec::new();
        for _ in 0..SENTINELS {
            let dir = tempfile::Builder::new().prefix("cardhouse-sentinel-").tempdir()?;
            let config = dir.path().join("sentinel.conf");
            let monitor = format!(
                "sentinel announce-ip {host}\n\
                 sentinel monitor {SERVICE} {host} {} 2\n\
                 sentinel down-after-milliseconds {SERVICE} 500\n\
                 sentinel failover-timeout {SERVICE} 3000\n",
                primary.port()
            );
            std::fs::write(&config, monitor)?;
            let arguments = vec![config.to_string_lossy().into_owned(), "--sentinel".into()];
            let mut sentinel = RedisServer { host, port: free_port()?, arguments, child: None, dir };
            sentinel.restart().await?;
            sentinels.push(sentinel);
        }
        let all = Self { nodes: [primary, replica], sentinels };
        until("sentinels that know each other and the replica", || {
            all.sentinels.iter().all(|sentinel| {
                let known = sentinel.ask(&["SENTINEL", "MASTER", SERVICE]);
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
        let others: String = others.iter().map(|node| format!("node={}&", node.address())).collect();
        format!("redis-sentinel://{}?{others}sentinelServiceName={SERVICE}", first.address())
    }

    /// The index of the node that all sentinels call primary.
    ///
    /// # Errors
    /// When one does not answer, or they do not agree.
    pub fn primary(&self) -> io::Result<usize> {
        let ask = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE];
        let mut addresses = Vec::new();
        for sentinel in &self.sentinels {
            addresses.push(sentinel.ask(&ask)?.text());
        }
        let is_primary = |node: &RedisServer| {
            let end = format!(" {}", node.port());
            addresses.iter().all(|address| address.ends_with(&end))
        };
        self.nodes.iter().position(is_primary).ok_or_else(|| io::Error::other("the sentinels do not agree"))
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
            self.nodes[new].is_primary() && self.primary().is_ok_and(|primary| primary == new)
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
