//! The cluster's Redis, in one of its three forms.

use shared::testing::redis_server::{Persistence, RedisCluster, RedisSentinel, RedisServer};

use super::{
    args::{Aof, RedisMode},
    undertaker::Living,
};

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
