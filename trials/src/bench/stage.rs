//! What a workload is played on: the real processes of a cluster, tokens for as many players as it takes, and what the
//! processes have cost so far.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc, time::SystemTime};

use anyhow::Context;
use broker::{
    bus::redis::RedisBus,
    clock::Clock,
    ports::Ports,
    redis::{Redis, RedisConfig},
    store::redis::RedisStore,
};
use dealer_worker::{Opening, open_tables};
use loadtest::cluster::{Cluster, ClusterArgs, Node, broker::Broker, process::signal, undertaker::Living};
use money::Currency;
use player::connect::Dialer;
use protocol::{
    id::{NodeId, RoomId, UserId},
    rail::RailConfig,
    table::TableConfig,
};
use tokens::{Claims, Signer};
use tokio::time::{Duration, Instant, sleep};

use super::{
    figures::Run,
    play::SEATS,
    proc_stat::{CpuTime, memory_bytes},
    redis_stat::Commands,
};
use crate::judge::Auditor;

/// Tokens outlive any workload, milliseconds.
const TOKEN_MS: u64 = 3_600_000;

/// Tables are all owned within this, or something is wrong.
const OWNED_WITHIN: Duration = Duration::from_secs(60);

/// Chips of a player who sits down: more than a workload can lose.
pub const BUY_IN: u64 = 1_000_000;

/// Nobody's turn ends by the clock while a workload is measured, milliseconds.
const TURN_MS: u64 = 600_000;

/// The tables that stand there from the beginning.
#[derive(Debug, Clone, Copy)]
pub struct Tables {
    /// How many.
    pub count: usize,
    /// Of each.
    pub seats: usize,
    /// How spectators are shown them.
    pub rail: RailConfig,
}

impl Tables {
    /// So many, of [`SEATS`] seats, and live.
    pub fn of(count: usize) -> Self {
        Self { count, seats: SEATS, rail: RailConfig::default() }
    }
}

/// A running cluster of which a workload knows every process.
pub struct Stage {
    cluster: Option<Cluster>,
    currency: Option<Currency>,
    signer: Signer,
    relays: Vec<SocketAddr>,
    /// Where pits listen, by their names.
    pits: BTreeMap<NodeId, SocketAddr>,
    /// Where the players of a table connect, if that is where its owner is.
    at_owner: Vec<SocketAddr>,
    pids: Pids,
    redis_port: u16,
    redis_url: String,
}

/// Whose CPU and memory are counted.
#[derive(Debug, Clone, Default)]
pub struct Pids {
    /// Relays.
    pub relays: Vec<u32>,
    /// Dealer workers.
    pub workers: Vec<u32>,
    /// Redis.
    pub redis: Vec<u32>,
    /// Reception, which is the cage where chips are somebody's.
    pub reception: Vec<u32>,
}

/// What everything has cost and done at a moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    at: Instant,
    relays: CpuTime,
    workers: CpuTime,
    redis: CpuTime,
    reception: CpuTime,
    generator: CpuTime,
    commands: Commands,
}

/// What it has cost between two moments.
#[derive(Debug, Clone)]
pub struct Cost {
    /// Seconds between them.
    pub seconds: f64,
    /// Of all relays.
    pub relays: CpuTime,
    /// Of all dealer workers.
    pub workers: CpuTime,
    /// Of Redis.
    pub redis: CpuTime,
    /// Of reception. Where no chips are somebody's it has no part in play.
    pub reception: CpuTime,
    /// Of this process: the load generator.
    pub generator: CpuTime,
    /// What Redis was asked.
    pub commands: Commands,
}

impl Cost {
    /// Relays, workers and Redis together, microseconds.
    pub fn product_us(&self) -> f64 {
        (self.relays.us + self.workers.us + self.redis.us) as f64
    }

    /// Tells what a delivery has cost: all of it, and the part of each kind of process.
    pub fn tell_per_delivery(&self, run: &mut Run, name: impl Fn(&str) -> String, deliveries: f64) {
        let parts = [("relays", self.relays), ("worker", self.workers), ("redis", self.redis)];
        for (part, cpu) in parts {
            run.tell(&name(&format!("{part}_cpu_us_per_delivery")), cpu.us as f64 / deliveries);
        }
        run.tell(&name("cpu_us_per_delivery"), self.product_us() / deliveries);
    }

    /// How many cores the load generator has used on average.
    pub fn generator_cores(&self) -> f64 {
        self.generator.us as f64 / 1e6 / self.seconds
    }
}

impl Stage {
    /// Starts a cluster of so many relays, one dealer worker, and tables whose play nothing but players holds up.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start(relays: usize, tables: Tables, no_build: bool) -> anyhow::Result<Self> {
        let args = ClusterArgs { relays, dealers: 1, no_build, ..ClusterArgs::default() };
        Self::with(args, tables).await
    }

    /// The same with these relays and workers, what the tables play for, and these tables.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn with(args: ClusterArgs, tables: Tables) -> anyhow::Result<Self> {
        let args = ClusterArgs {
            tables: 0,
            relay_flag: vec!["--connections-max=20000".into(), "--log=warn".into()],
            // One talker stands for many: what its talk costs is what is measured.
            dealer_flag: vec!["--log=warn".into(), "--talk-every-ms=0".into()],
            ..args
        };
        let mut cluster = Cluster::start(&args).await?;
        let signer = signer(&cluster)?;
        let Broker::Single(redis) = cluster.broker() else { unreachable!("one server was asked for") };
        let (redis_port, redis_url, redis_pid) = (redis.port(), redis.url(), redis.pid());
        let mut pids = Pids { redis: vec![redis_pid.context("Redis has ended")?], ..Pids::default() };
        let (mut addresses, mut pits) = (Vec::new(), BTreeMap::new());
        for node in cluster.nodes() {
            let process = cluster.node(node);
            let pid = process.pid().context("a process has ended")?;
            match node {
                Node::Relay(_) => {
                    addresses.push(process.listen());
                    pids.relays.push(pid);
                }
                Node::Pit(_) => {
                    addresses.push(process.listen());
                    pits.insert(NodeId::new(&process.node_id())?, process.listen());
                    pids.relays.push(pid);
                }
                Node::Dealer(_) => pids.workers.push(pid),
                Node::Reception => pids.reception.push(pid),
                Node::Nginx | Node::Recorder => {}
            }
        }
        let currency = args.table_currency;
        let cluster = Some(cluster);
        let (relays, at_owner) = (addresses, Vec::new());
        let mut stage =
            Self { cluster, currency, signer, relays, pits, at_owner, pids, redis_port, redis_url };
        stage.open(tables).await?;
        Ok(stage)
    }

    /// Opens tables and waits until all have an owner.
    async fn open(&mut self, Tables { count, seats, rail }: Tables) -> anyhow::Result<()> {
        if count == 0 {
            return Ok(());
        }
        let ports = self.ports().await?;
        let config = TableConfig {
            seats: u8::try_from(seats)?,
            buy_in_min: 2,
            buy_in_max: BUY_IN,
            // Whoever comes again brings what he brought before.
            rathole_ms: 0,
            turn_ms: TURN_MS,
            pause_ms: 0,
            runout_ms: 0,
            ..TableConfig::default()
        };
        let opening = Opening { currency: self.currency, rail, ..Opening::of(config) };
        open_tables(&ports, u32::try_from(count)?, &opening).await?;
        let give_up = Instant::now() + OWNED_WITHIN;
        for table in (0..count).map(Self::table) {
            let owner = loop {
                let owner = broker::directory::owner(&*ports.store, &table).await?;
                if let Some(node) = owner.and_then(|owner| owner.node) {
                    break node;
                }
                anyhow::ensure!(Instant::now() < give_up, "{table} has no owner after {OWNED_WITHIN:?}");
                sleep(Duration::from_millis(50)).await;
            };
            self.at_owner.extend(self.pits.get(&owner));
        }
        Ok(())
    }

    /// Bus and store of the cluster, to speak in the place of a node.
    ///
    /// # Errors
    /// When Redis is not there.
    pub async fn ports(&self) -> anyhow::Result<Ports> {
        let redis = Redis::connect(RedisConfig::new(&self.redis_url)).await?;
        let store = Arc::new(RedisStore::new(redis.clone()));
        Ok(Ports { bus: Arc::new(RedisBus::new(redis)), store, clock: Clock::system() })
    }

    /// The name of the table of an index from 0.
    pub fn table(index: usize) -> RoomId {
        RoomId::new(&format!("t{}", index + 1)).expect("t and digits are a name")
    }

    /// How to reach a relay; `turn` goes round them.
    pub fn dialer(&self, turn: usize) -> anyhow::Result<Dialer> {
        Ok(Dialer::new(&format!("ws://{}/ws", self.relays[turn % self.relays.len()]))?)
    }

    /// How to reach the pit that owns a table; without pits, a relay.
    pub fn dialer_near(&self, table: usize) -> anyhow::Result<Dialer> {
        match self.at_owner.get(table) {
            Some(address) => Ok(Dialer::new(&format!("ws://{address}/ws"))?),
            None => self.dialer(table),
        }
    }

    /// A token as reception would give it.
    pub fn token(&self, user: &str) -> String {
        self.signer.sign(&claims(user))
    }

    /// What tokens are checked with.
    pub fn public_keys(&self) -> String {
        self.signer.public().to_json()
    }

    /// One of the staff, who holds the ledger against the tables.
    ///
    /// # Errors
    /// When reception does not answer as it should.
    pub async fn auditor(&mut self) -> anyhow::Result<Auditor> {
        Auditor::hire(self.cluster.as_mut().context("the cluster has ended")?).await
    }

    /// The cage stands still: it is there and does not answer.
    pub fn stop_the_cage(&self) {
        self.pids.reception.iter().for_each(|pid| signal(*pid, "STOP"));
    }

    /// It goes on.
    pub fn let_the_cage_go_on(&self) {
        self.pids.reception.iter().for_each(|pid| signal(*pid, "CONT"));
    }

    /// The list of all that is to go when this process does.
    ///
    /// # Errors
    /// When the cluster has ended.
    pub fn living(&self) -> anyhow::Result<Living> {
        Ok(self.cluster.as_ref().context("the cluster has ended")?.living())
    }

    /// A folder on the disk that the cluster writes to.
    pub fn dir(&self) -> Option<&Path> {
        self.cluster.as_ref().map(Cluster::dir)
    }

    /// Of all processes that are measured.
    pub fn pids(&self) -> &Pids {
        &self.pids
    }

    /// Where Redis listens.
    pub fn redis_port(&self) -> u16 {
        self.redis_port
    }

    /// Resident memory of all relays, bytes.
    ///
    /// # Errors
    /// When one has ended.
    pub fn relays_memory_bytes(&self) -> anyhow::Result<u64> {
        memory_bytes(&self.pids.relays)
    }

    /// What everything has cost so far.
    ///
    /// # Errors
    /// When a process has ended.
    pub fn snapshot(&self) -> anyhow::Result<Snapshot> {
        Ok(Snapshot {
            at: Instant::now(),
            relays: CpuTime::of(&self.pids.relays)?,
            workers: CpuTime::of(&self.pids.workers)?,
            redis: CpuTime::of(&self.pids.redis)?,
            reception: CpuTime::of(&self.pids.reception)?,
            generator: CpuTime::of_this_process()?,
            commands: Commands::of(self.redis_port)?,
        })
    }

    /// What everything has cost since `earlier`.
    ///
    /// # Errors
    /// When a process has ended.
    pub fn cost_since(&self, earlier: &Snapshot) -> anyhow::Result<Cost> {
        let now = self.snapshot()?;
        Ok(Cost {
            seconds: (now.at - earlier.at).as_secs_f64(),
            relays: now.relays - earlier.relays,
            workers: now.workers - earlier.workers,
            redis: now.redis - earlier.redis,
            reception: now.reception - earlier.reception,
            generator: now.generator - earlier.generator,
            commands: now.commands.since(&earlier.commands),
        })
    }

    /// Ends all processes. Clients are told to go elsewhere unless they have gone before.
    pub async fn end(mut self) {
        if let Some(cluster) = self.cluster.take() {
            // Dropped and not ended in order: what drains waits for clients that are gone.
            drop(cluster);
        }
    }
}

/// Reads the key that the cluster's reception signs with.
fn signer(cluster: &Cluster) -> anyhow::Result<Signer> {
    let keys = std::fs::read_dir(cluster.dir().join("keys"))?;
    let key =
        keys.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|e| e == "pem"));
    let key = key.context("reception has no key")?;
    Ok(Signer::from_pem(&std::fs::read_to_string(key)?)?)
}

fn claims(user: &str) -> Claims {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    Claims::new(UserId::new(user).expect("benchmarks give good names"), user, now_ms, TOKEN_MS)
}
