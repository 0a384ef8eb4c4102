//! Does faults to the processes, and undoes them.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use anyhow::Context;
use loadtest::cluster::{Cluster, Node, process::signal};
use protocol::id::{Epoch, NodeId, RoomId};
use servers::redis_server::RedisServer;
use tokio::{
    sync::{Mutex, MutexGuard},
    task::spawn_blocking,
    time::{Duration, Instant, sleep},
};

use super::{
    backup::Backup,
    books::Books,
    fault::{Fault, Kind},
    link::{Link, State},
    recovery::{Recoveries, Ticket},
};
use crate::judge::Shadow;

/// A process that was started again is ready within this.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How often is looked whether it is.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How much slower a slow link is, each way.
const SLOWER: Duration = Duration::from_millis(60);

/// A slow Redis stands still for so long, every time it has gone on for [`GOES`].
const STANDS: Duration = Duration::from_millis(80);

/// What has ended by itself is started again after this.
const AGAIN: Duration = Duration::from_millis(500);

/// A recorder that goes on is killed within this, milliseconds: in the midst of what it does.
const TAKES_MS_MAX: u64 = 60;

/// See [`STANDS`].
const GOES: Duration = Duration::from_millis(20);

/// The links of all nodes.
#[derive(Debug, Default)]
pub struct Links(BTreeMap<Node, Link>);

impl Links {
    /// A link for a node to the Redis at `url`; answers the URL that leads through it.
    ///
    /// # Errors
    /// When the URL is not a single server's, or there is no free port.
    pub fn lay(&mut self, node: Node, url: &str) -> anyhow::Result<String> {
        let server: SocketAddr = url.strip_prefix("redis://").context("not a single Redis")?.parse()?;
        let link = Link::to(server)?;
        let url = format!("redis://{}", link.address());
        self.0.insert(node, link);
        Ok(url)
    }

    /// All are as they should be.
    pub fn heal(&self) {
        self.0.values().for_each(|link| link.set(State::Open));
    }
}

/// Who does it. Cheap to clone.
#[derive(Clone)]
pub struct Striker {
    cluster: Arc<Mutex<Cluster>>,
    links: Arc<Links>,
    shadow: Arc<Mutex<Shadow>>,
    recoveries: Arc<Recoveries>,
    books: Option<Arc<Books>>,
    /// Those to which clients connect.
    relays: Vec<Node>,
    /// Those that own tables.
    dealers: Vec<Node>,
}

impl Striker {
    /// For a cluster of these processes.
    pub fn new(
        cluster: Arc<Mutex<Cluster>>,
        links: Arc<Links>,
        shadow: Arc<Mutex<Shadow>>,
        recoveries: Arc<Recoveries>,
        nodes: Vec<Node>,
    ) -> Self {
        let of = |is_one: fn(&Node) -> bool| nodes.iter().copied().filter(is_one).collect();
        let relays = of(|node| matches!(node, Node::Relay(_) | Node::Pit(_)));
        let dealers = of(|node| matches!(node, Node::Dealer(_) | Node::Pit(_)));
        Self { cluster, links, shadow, recoveries, books: None, relays, dealers }
    }

    /// The same, where hands are written down.
    #[must_use]
    pub fn with_books(self, books: Option<Arc<Books>>) -> Self {
        Self { books, ..self }
    }

    /// Does a fault, for as long as it lasts. Answers whose recovery is to be waited for.
    ///
    /// # Errors
    /// When a process does not come back.
    pub async fn strike(&self, fault: Fault) -> anyhow::Result<Ticket> {
        match fault.kind {
            Kind::RelayKilled => self.kill(fault, self.a_relay(fault)).await,
            Kind::WorkerKilled => self.kill(fault, self.a_worker_with_tables(fault).await).await,
            Kind::NginxKilled => self.kill(fault, Node::Nginx).await,
            Kind::ReceptionKilled => self.kill(fault, Node::Reception).await,
            Kind::RecorderKilled => self.kill_recorder(fault).await,
            Kind::DatabaseKilled => {
                let ticket = self.begin(fault.kind, None).await;
                let living = self.cluster.lock().await.living();
                self.books.as_ref().context("no hands are kept")?.kill(fault.lasts, &living).await?;
                Ok(ticket)
            }
            Kind::DatabaseRestored => self.restore_database(fault).await,
            Kind::RelayHung => Ok(self.halt(fault, self.a_relay(fault)).await),
            Kind::RelayStopped => self.stop(fault, self.a_relay(fault)).await,
            Kind::WorkerStopped => self.stop(fault, self.a_worker_with_tables(fault).await).await,
            Kind::RelayRestarted => self.restart(fault, self.a_relay(fault)).await,
            Kind::WorkerRestarted => self.restart(fault, self.a_worker_with_tables(fault).await).await,
            Kind::RedisKilled => {
                let mut cluster = self.cluster.lock().await;
                let node = fault.whom % cluster.broker_nodes();
                let ticket = self.begin(fault.kind, None).await;
                cluster.restart_broker(node).await?;
                Ok(ticket)
            }
            Kind::RedisFailedOver | Kind::RedisFailedOverBehind => {
                let ticket = self.begin(fault.kind, None).await;
                self.cluster.lock().await.fail_over_broker(fault.whom, fault.lasts).await?;
                Ok(ticket)
            }
            Kind::RedisStopped => self.stop_redis(fault, [(fault.lasts, Duration::ZERO)]).await,
            Kind::RedisSlow => {
                let fits = fault.lasts.div_duration_f64(STANDS + GOES).ceil() as usize;
                self.stop_redis(fault, std::iter::repeat_n((STANDS, GOES), fits)).await
            }
            Kind::RedisFlushed => self.flush(fault).await,
            Kind::SubscribersDropped => self.drop_connections(fault, "pubsub").await,
            Kind::ConnectionsDropped => self.drop_connections(fault, "normal").await,
            Kind::LinkCut => self.bend(fault, State::Cut).await,
            Kind::LinkHeld => self.bend(fault, State::Held).await,
            Kind::SubscriberSilent => self.bend(fault, State::Silent).await,
            Kind::LinkSlow => self.bend(fault, State::Slow(SLOWER)).await,
            Kind::Partitioned => self.cut_off(fault).await,
        }
    }

    /// The tables have recovered, or not in time: ends what had to last until then.
    pub async fn relent(&self, fault: Fault) {
        if fault.kind == Kind::RelayHung {
            self.cluster.lock().await.node(self.a_relay(fault)).signal("CONT");
        }
    }

    /// Has everything as it should be.
    ///
    /// # Errors
    /// When a process is not ready.
    pub async fn heal(&self) -> anyhow::Result<()> {
        self.links.heal();
        let mut cluster = self.cluster.lock().await;
        if let Some(machines) = cluster.machines() {
            machines.plug_all()?;
        }
        for node in cluster.nodes() {
            cluster.node(node).ready(READY_WITHIN).await?;
        }
        Ok(())
    }

    /// The tables of one dealer worker, or all.
    async fn begin(&self, kind: Kind, worker: Option<&str>) -> Ticket {
        let mut shadow = self.shadow.lock().await;
        // If Redis is out of reach right now, what was read last must do.
        let _ = shadow.look().await;
        let tables: BTreeMap<RoomId, Epoch> = shadow
            .tables()
            .into_iter()
            .filter(|room| {
                worker.is_none_or(|worker| shadow.owner(room).is_some_and(|owner| owner.as_str() == worker))
            })
            .map(|room| (room.clone(), shadow.last(&room).epoch()))
            .collect();
        self.recoveries.begin(kind, tables)
    }

    fn a_relay(&self, fault: Fault) -> Node {
        self.relays[fault.whom % self.relays.len()]
    }

    /// Of the dealer workers one that owns something, as far as there is one: the others would not be missed.
    async fn a_worker_with_tables(&self, fault: Fault) -> Node {
        let mut cluster = self.cluster.lock().await;
        let shadow = self.shadow.lock().await;
        let rooms = shadow.tables();
        let owners: Vec<&str> =
            rooms.iter().filter_map(|room| shadow.owner(room).map(NodeId::as_str)).collect();
        let all = self.dealers.iter().copied();
        let owning: Vec<Node> =
            all.filter(|node| owners.contains(&cluster.node(*node).node_id().as_str())).collect();
        let all = owning.len().max(1);
        owning.get(fault.whom % all).copied().unwrap_or(self.dealers[fault.whom % self.dealers.len()])
    }

    /// A fault of one of our processes: who is concerned, and what its process is.
    async fn victim(&self, fault: Fault, node: Node) -> (Ticket, MutexGuard<'_, Cluster>) {
        let mut cluster = self.cluster.lock().await;
        let name = cluster.node(node).node_id();
        let worker = fault.kind.moves_tables().then_some(name.as_str());
        (self.begin(fault.kind, worker).await, cluster)
    }

    async fn kill(&self, fault: Fault, node: Node) -> anyhow::Result<Ticket> {
        let (ticket, mut cluster) = self.victim(fault, node).await;
        cluster.node(node).kill().await;
        drop(cluster);
        sleep(fault.lasts).await;
        self.start(node).await?;
        Ok(ticket)
    }

    /// What has piled up while it stood still it takes at once, and dies over it.
    async fn kill_recorder(&self, fault: Fault) -> anyhow::Result<Ticket> {
        let ticket = self.halt(fault, Node::Recorder).await;
        sleep(fault.lasts).await;
        self.cluster.lock().await.node(Node::Recorder).signal("CONT");
        sleep(Duration::from_millis(fault.whom as u64 % TAKES_MS_MAX)).await;
        self.cluster.lock().await.node(Node::Recorder).kill().await;
        self.start(Node::Recorder).await?;
        Ok(ticket)
    }

    /// Nobody is left who remembers a table, and then nothing is left of any.
    async fn flush(&self, fault: Fault) -> anyhow::Result<Ticket> {
        let ticket = self.begin(fault.kind, None).await;
        let mut cluster = self.cluster.lock().await;
        for &dealer in &self.dealers {
            cluster.node(dealer).kill().await;
        }
        cluster.broker().lose_everything()?;
        drop(cluster);
        self.shadow.lock().await.recede().await?;
        sleep(fault.lasts).await;
        for &dealer in &self.dealers {
            self.start(dealer).await?;
        }
        Ok(ticket)
    }

    /// What was answered since the backup stands on the tape, or nowhere.
    async fn restore_database(&self, fault: Fault) -> anyhow::Result<Ticket> {
        let ticket = self.begin(fault.kind, None).await;
        let mut cluster = self.cluster.lock().await;
        let backup = Backup::take(&mut cluster, self.books.as_deref()).await?;
        drop(cluster);
        sleep(fault.lasts).await;
        let mut cluster = self.cluster.lock().await;
        cluster.node(Node::Reception).kill().await;
        backup.put_back(&cluster.living()).await?;
        drop(cluster);
        self.start(Node::Reception).await?;
        Ok(ticket)
    }

    async fn restart(&self, fault: Fault, node: Node) -> anyhow::Result<Ticket> {
        let (ticket, mut cluster) = self.victim(fault, node).await;
        cluster.node(node).end().await;
        drop(cluster);
        self.start(node).await?;
        Ok(ticket)
    }

    /// Another fault may have started it already. The cluster is free for others meanwhile: what is started may need what
    /// another fault has killed.
    async fn start(&self, node: Node) -> anyhow::Result<()> {
        let give_up = Instant::now() + READY_WITHIN;
        loop {
            let mut cluster = self.cluster.lock().await;
            let process = cluster.node(node);
            // One that found no database ends, and whoever runs it starts it again.
            if process.has_ended().is_some() {
                drop(cluster);
                sleep(AGAIN).await;
                continue;
            }
            if process.pid().is_none() {
                process.spawn()?;
            }
            if process.is_ready().await {
                return Ok(());
            }
            let name = process.name().to_owned();
            anyhow::ensure!(Instant::now() < give_up, "{name} is not ready: {}", process.last_words());
            drop(cluster);
            sleep(LOOK_EVERY).await;
        }
    }

    async fn halt(&self, fault: Fault, node: Node) -> Ticket {
        let (ticket, mut cluster) = self.victim(fault, node).await;
        cluster.node(node).signal("STOP");
        ticket
    }

    async fn stop(&self, fault: Fault, node: Node) -> anyhow::Result<Ticket> {
        let ticket = self.halt(fault, node).await;
        sleep(fault.lasts).await;
        self.cluster.lock().await.node(node).signal("CONT");
        Ok(ticket)
    }

    /// Each time it stands still for so long, and goes on for so long.
    async fn stop_redis(
        &self,
        fault: Fault,
        fits: impl IntoIterator<Item = (Duration, Duration)> + Send + 'static,
    ) -> anyhow::Result<Ticket> {
        let ticket = self.begin(fault.kind, None).await;
        let (node, pid) = {
            let cluster = self.cluster.lock().await;
            let servers = cluster.broker().servers();
            let node = fault.whom % cluster.broker_nodes();
            (node, servers[node].pid())
        };
        // On a thread of its own: those of the runtime may all wait for this server's answer.
        let stop = move || {
            for (stands, goes) in fits {
                let Some(pid) = pid else { break };
                signal(pid, "STOP");
                std::thread::sleep(stands);
                signal(pid, "CONT");
                std::thread::sleep(goes);
            }
        };
        spawn_blocking(stop).await?;
        self.cluster.lock().await.broker().in_order(node).await?;
        Ok(ticket)
    }

    async fn drop_connections(&self, fault: Fault, of: &str) -> anyhow::Result<Ticket> {
        let ticket = self.begin(fault.kind, None).await;
        let cluster = self.cluster.lock().await;
        let servers: Vec<&RedisServer> = cluster.broker().servers();
        for server in &servers[..cluster.broker_nodes()] {
            // One that was stopped by another fault does not answer, and has no connections that could break.
            if let Err(error) = server.ask(&["CLIENT", "KILL", "TYPE", of]) {
                tracing::debug!(%error, "no connections were dropped");
            }
        }
        Ok(ticket)
    }

    async fn cut_off(&self, fault: Fault) -> anyhow::Result<Ticket> {
        let ticket = self.begin(fault.kind, None).await;
        let machines = self.cluster.lock().await.machines().context("nodes have no machines of their own")?;
        let machine = fault.whom % (self.relays.len() + self.dealers.len());
        machines.set_wire(machine, false)?;
        sleep(fault.lasts).await;
        machines.set_wire(machine, true)?;
        Ok(ticket)
    }

    async fn bend(&self, fault: Fault, state: State) -> anyhow::Result<Ticket> {
        let links: Vec<&Link> = self.links.0.values().collect();
        let link = links[fault.whom % links.len()];
        let ticket = self.begin(fault.kind, None).await;
        link.set(state);
        sleep(fault.lasts).await;
        link.set(State::Open);
        Ok(ticket)
    }
}
