//! A Redis Cluster.

use std::{io, net::Ipv4Addr};

use super::{Persistence, RedisServer, free_port, until};
use crate::resp::Answer;

/// Slots of a Redis Cluster.
const SLOTS: usize = 16_384;

/// A cluster of three primaries, each with a replica if wanted.
pub struct RedisCluster {
    /// The primaries as they were at the start, in the order of their slots; then their replicas in the same order.
    pub nodes: Vec<RedisServer>,
}

/// The primaries of a cluster.
const PRIMARIES: usize = 3;

impl RedisCluster {
    /// Starts three primaries without replicas and joins them.
    ///
    /// # Errors
    /// When they do not come up or together.
    pub async fn start(persistence: Persistence) -> io::Result<Self> {
        Self::start_nodes(Ipv4Addr::LOCALHOST, persistence, PRIMARIES).await
    }

    /// Starts three primaries with a replica each, reachable at an address of this machine.
    ///
    /// # Errors
    /// When they do not come up or together.
    pub async fn start_replicated(host: Ipv4Addr, persistence: Persistence) -> io::Result<Self> {
        let all = Self::start_nodes(host, persistence, 2 * PRIMARIES).await?;
        let (primaries, replicas) = all.nodes.split_at(PRIMARIES);
        for (primary, replica) in primaries.iter().zip(replicas) {
            let id = primary.ask(&["CLUSTER", "MYID"])?.text();
            replica.ask(&["CLUSTER", "REPLICATE", &id])?;
        }
        until("replicas in step", || replicas.iter().all(RedisServer::is_replica_in_step)).await?;
        Ok(all)
    }

    async fn start_nodes(host: Ipv4Addr, persistence: Persistence, count: usize) -> io::Result<Self> {
        // While a primary is being replaced, the others serve their slots.
        let clustered = [
            ["--cluster-enabled", "yes"],
            ["--cluster-node-timeout", "2000"],
            ["--cluster-require-full-coverage", "no"],
            ["--repl-diskless-sync-delay", "0"],
        ];
        let mut nodes = Vec::new();
        for _ in 0..count {
            let mut arguments: Vec<String> = clustered
                .iter()
                .flatten()
                .chain(persistence.arguments())
                .map(|argument| (*argument).to_owned())
                .collect();
            arguments.extend(["--cluster-announce-ip".to_owned(), host.to_string()]);
            arguments.extend(["--cluster-port".to_owned(), free_port()?.to_string()]);
            nodes.push(RedisServer::start_with(host, arguments).await?);
        }
        for (at, node) in nodes.iter().take(PRIMARIES).enumerate() {
            let (first, last) = (at * SLOTS / PRIMARIES, (at + 1) * SLOTS / PRIMARIES - 1);
            node.ask(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()])?;
            node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()])?;
        }
        for node in &nodes[1..] {
            let bus = node.arguments.last().expect("the cluster port was put last").clone();
            nodes[0].ask(&["CLUSTER", "MEET", &host.to_string(), &node.port().to_string(), &bus])?;
        }
        let all_known = format!("cluster_known_nodes:{count}");
        until("a cluster whose nodes know each other", || {
            nodes.iter().all(|node| {
                let info = node.ask(&["CLUSTER", "INFO"]).map(|answer| answer.text()).unwrap_or_default();
                info.contains("cluster_state:ok") && info.contains(&all_known)
            })
        })
        .await?;
        Ok(Self { nodes })
    }

    /// The indices of a primary of a replicated cluster and of its replica: of the pair that began as primary `pair`.
    ///
    /// # Errors
    /// When neither says that it is the primary.
    pub fn pair(&self, pair: usize) -> io::Result<(usize, usize)> {
        let (one, other) = (pair % PRIMARIES, pair % PRIMARIES + PRIMARIES);
        match (self.nodes[one].is_primary(), self.nodes[other].is_primary()) {
            (true, _) => Ok((one, other)),
            (_, true) => Ok((other, one)),
            _ => Err(io::Error::other("neither is the primary")),
        }
    }

    /// Waits until a killed primary's replica has taken its place and all serve again.
    ///
    /// # Errors
    /// When that does not happen.
    pub async fn replaced_by(&self, replica: usize) -> io::Result<()> {
        until("a failover", || self.nodes[replica].is_primary()).await
    }

    /// `redis-cluster://...` with all nodes.
    pub fn url(&self) -> String {
        let (first, others) = self.nodes.split_first().expect("a cluster has nodes");
        let others: Vec<_> = others.iter().map(|node| format!("node={}", node.address())).collect();
        format!("redis-cluster://{}?{}", first.address(), others.join("&"))
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
