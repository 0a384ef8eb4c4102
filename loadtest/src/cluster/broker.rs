//! The cluster's Redis, in one of its three forms.

use shared::testing::redis_server::{Persistence, RedisCluster, RedisSentinel, RedisServer};
use tokio::time::{Duration, Instant};

use super::{
    args::{Aof, RedisMode},
    undertaker::Living,
};

/// A primary that comes back becomes a replica within this; sentinels take some ten seconds.
const IN_STEP_WITHIN: Duration = Duration::from_secs(60);

/// How often is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Redis as the nodes see it.
pub enum Broker {
    /// One server.
    Single(RedisServer),
    /// A primary, a replica and three sentinels.
    Sentinel(RedisSentinel),
    /// A cluster of three primaries.
    Cluster(RedisCluster),
}

impl Broker {
    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// When it does not come up; `redis-server` may not be installed.
    pub async fn start(mode: RedisMode, aof: Aof, living: &Living) -> anyhow::Result<Self> {
        let persistence = match aof {
            Aof::None => Persistence::None,
            Aof::Everysec => Persistence::AofEverySecond,
            Aof::Always => Persistence::AofAlways,
        };
        let broker = match mode {
            RedisMode::Single => Self::Single(RedisServer::start(persistence).await?),
            RedisMode::Sentinel => Self::Sentinel(RedisSentinel::start(persistence).await?),
            RedisMode::Cluster => Self::Cluster(RedisCluster::start(persistence).await?),
        };
        for server in broker.servers() {
            server.pid().into_iter().for_each(|pid| living.add(pid));
            living.add_dir(server.dir());
        }
        Ok(broker)
    }

    /// The URL for `--redis-url`.
    pub fn url(&self) -> String {
        match self {
            Self::Single(server) => server.url(),
            Self::Sentinel(all) => all.url(),
            Self::Cluster(all) => all.url(),
        }
    }

    /// All its server processes, sentinels too.
    pub fn servers(&self) -> Vec<&RedisServer> {
        match self {
            Self::Single(server) => vec![server],
            Self::Sentinel(all) => all.nodes.iter().chain(all.sentinels()).collect(),
            Self::Cluster(all) => all.nodes.iter().collect(),
        }
    }

    /// The servers that hold data.
    pub fn nodes_mut(&mut self) -> &mut [RedisServer] {
        match self {
            Self::Single(server) => std::slice::from_mut(server),
            Self::Sentinel(all) => &mut all.nodes,
            Self::Cluster(all) => &mut all.nodes,
        }
    }

    /// How many servers hold data: the first of [`Broker::servers`].
    pub fn nodes(&self) -> usize {
        match self {
            Self::Single(_) => 1,
            Self::Sentinel(all) => all.nodes.len(),
            Self::Cluster(all) => all.nodes.len(),
        }
    }

    /// Kills the primary that sentinels watch over, waits for its successor, and brings it back as the replica.
    ///
    /// # Errors
    /// When there are no sentinels, or that does not come to pass.
    pub async fn fail_over(&mut self, living: &Living) -> anyhow::Result<()> {
        let Self::Sentinel(all) = self else { anyhow::bail!("nobody watches over this Redis") };
        let old = all.primary()?;
        all.nodes[old].pid().into_iter().for_each(|pid| living.remove(pid));
        all.nodes[old].kill();
        all.replaced(old).await?;
        self.restart(old, living).await?;
        self.in_step(old).await
    }

    /// Waits until a data node that was out of reach does its part again: with sentinels, as the primary or as a replica that has
    /// what the primary has.
    ///
    /// # Errors
    /// When it does not.
    pub async fn in_order(&self, node: usize) -> anyhow::Result<()> {
        match self {
            Self::Sentinel(all) if all.primary()? != node => self.in_step(node).await,
            _ => Ok(()),
        }
    }

    async fn in_step(&self, node: usize) -> anyhow::Result<()> {
        let Self::Sentinel(all) = self else { return Ok(()) };
        let give_up = Instant::now() + IN_STEP_WITHIN;
        loop {
            let told = all.nodes[node].ask(&["INFO", "replication"]).map(|answer| answer.text());
            let told = told.unwrap_or_default();
            if told.contains("role:slave") && told.contains("master_link_status:up") {
                return Ok(());
            }
            anyhow::ensure!(Instant::now() < give_up, "no replica after {IN_STEP_WITHIN:?}: {told}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Kills a data node and starts it again with what it has on disk.
    ///
    /// # Errors
    /// When it does not come up again.
    pub async fn restart(&mut self, node: usize, living: &Living) -> anyhow::Result<()> {
        let server = &mut self.nodes_mut()[node];
        server.pid().into_iter().for_each(|pid| living.remove(pid));
        server.restart().await?;
        server.pid().into_iter().for_each(|pid| living.add(pid));
        Ok(())
    }
}
