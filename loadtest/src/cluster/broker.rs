//! The cluster's Redis, in one of its three forms.

use std::net::Ipv4Addr;

use servers::redis_server::{Persistence, RedisCluster, RedisSentinel, RedisServer};
use tokio::time::{Duration, Instant, sleep};

use super::{
    args::{Aof, RedisMode},
    undertaker::Living,
};

/// A primary that comes back becomes a replica within this. Sentinels take some ten seconds; now and then they have taken more than a
/// minute.
const IN_STEP_WITHIN: Duration = Duration::from_secs(180);

/// How often is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Redis as the nodes see it.
pub enum Broker {
    /// One server.
    Single(RedisServer),
    /// A primary, a replica and three sentinels.
    Sentinel(RedisSentinel),
    /// A cluster of three primaries with a replica each.
    Cluster(RedisCluster),
}

impl Broker {
    /// Starts it at an address of this machine, and waits until it answers.
    ///
    /// # Errors
    /// When it does not come up; `redis-server` may not be installed.
    pub async fn start(mode: RedisMode, aof: Aof, at: Ipv4Addr, living: &Living) -> anyhow::Result<Self> {
        let persistence = match aof {
            Aof::None => Persistence::None,
            Aof::Everysec => Persistence::AofEverySecond,
            Aof::Always => Persistence::AofAlways,
        };
        let broker = match mode {
            RedisMode::Single => Self::Single(RedisServer::start_at(at, persistence).await?),
            RedisMode::Sentinel => Self::Sentinel(RedisSentinel::start_at(at, persistence).await?),
            RedisMode::Cluster => Self::Cluster(RedisCluster::start_replicated(at, persistence).await?),
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

    /// Kills a primary that has a replica, waits for its successor, and brings it back as the replica. For the time `behind` before, the
    /// replica has got nothing from the primary, which went on: what it acknowledged then is lost. In a cluster `pair` says which.
    ///
    /// # Errors
    /// When there are no replicas, or that does not come to pass.
    pub async fn fail_over(&mut self, pair: usize, behind: Duration, living: &Living) -> anyhow::Result<()> {
        // Another fault may have left it far behind: what a failover would lose then is not what is to be tried.
        self.whole(pair).await?;
        let (old, new) = self.pair(pair)?;
        if !behind.is_zero() {
            if let Err(error) = self.node(new).fall_behind(self.node(old)) {
                self.node(new).catch_up()?;
                return Err(error.into());
            }
            sleep(behind).await;
        }
        self.node(old).pid().into_iter().for_each(|pid| living.remove(pid));
        self.nodes_mut()[old].kill();
        let replaced = match self {
            Self::Single(_) => anyhow::bail!("nobody watches over this Redis"),
            Self::Sentinel(all) => all.replaced(old).await.map(drop),
            Self::Cluster(all) => all.replaced_by(new).await,
        };
        // Whatever came of it, neither is left unable to follow the other.
        self.node(new).catch_up()?;
        self.restart(old, living).await?;
        replaced?;
        self.whole(pair).await
    }

    /// Waits until a pair has a primary and a replica that has what the primary has, whichever is which: the sentinels may have changed
    /// their minds, and the one that was killed is primary again.
    async fn whole(&self, pair: usize) -> anyhow::Result<()> {
        let give_up = Instant::now() + IN_STEP_WITHIN;
        while !self.pair(pair).is_ok_and(|(_, replica)| self.node(replica).is_replica_in_step()) {
            anyhow::ensure!(Instant::now() < give_up, "no replica after {IN_STEP_WITHIN:?}");
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// The indices of a primary and of its replica.
    fn pair(&self, pair: usize) -> anyhow::Result<(usize, usize)> {
        match self {
            Self::Single(_) => anyhow::bail!("this Redis has no replica"),
            Self::Sentinel(all) => all.primary().map(|primary| (primary, 1 - primary)).map_err(Into::into),
            Self::Cluster(all) => Ok(all.pair(pair)?),
        }
    }

    fn node(&self, index: usize) -> &RedisServer {
        self.servers()[index]
    }

    /// Waits until a data node that was out of reach does its part again: where there are replicas, as a primary or as a
    /// replica that has what the primary has.
    ///
    /// # Errors
    /// When it does not.
    pub async fn in_order(&self, node: usize) -> anyhow::Result<()> {
        match self {
            Self::Sentinel(_) => self.whole(0).await,
            Self::Cluster(_) if !self.node(node).is_primary() => self.in_step(node).await,
            _ => Ok(()),
        }
    }

    async fn in_step(&self, node: usize) -> anyhow::Result<()> {
        let give_up = Instant::now() + IN_STEP_WITHIN;
        while !self.node(node).is_replica_in_step() {
            anyhow::ensure!(Instant::now() < give_up, "no replica after {IN_STEP_WITHIN:?}");
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Deletes all that there is.
    ///
    /// # Errors
    /// When no server does that.
    pub fn lose_everything(&self) -> anyhow::Result<()> {
        let servers = self.servers();
        // Replicas follow.
        let flushed = servers[..self.nodes()].iter().filter(|server| server.ask(&["FLUSHALL"]).is_ok());
        anyhow::ensure!(flushed.count() > 0, "Redis does not forget");
        Ok(())
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
