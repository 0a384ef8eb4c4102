//! The process around a worker: settings, logs, Redis, health, and the signals that end it.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use broker::{
    bus::redis::RedisBus, clock::Clock, pass::Passes, ports::Ports, queue::redis::RedisQueue, redis::Redis,
    seal::Sealer, store::redis::RedisStore,
};
use hands::SERVICE;
use ops::{
    config::SealArgs,
    outlet,
    readiness::{Readiness, drain_route, ops_routes},
    serve::{Front, serve},
    signals,
    telemetry::Metrics,
};
use protocol::id::NodeId;
use rooms::{Chance, Kinds, Worker, WorkerConfig};
use table::settings::check;
use tokio_util::sync::CancellationToken;

use crate::{
    agents::Asking,
    cage_client::CageClient,
    flags::{Flags, Task},
    hands::Recording,
    open_floor, open_jobs, open_queue, open_tables,
    schedule::{self, Opened, Template},
    seal_keys,
};

/// Runs a worker of these kinds of rooms until it is told to end.
///
/// # Errors
/// When a flag is wrong, Redis is not there at the start, or a part of the worker fails.
pub fn run(flags: Flags, kinds: Kinds) -> anyhow::Result<()> {
    if let Some(task) = &flags.task {
        return manage(&flags, task);
    }
    let offered = checked(&flags)?;
    flags.log.init()?;
    flags.threads.runtime()?.block_on(work(flags, kinds, offered))
}

/// Does what is to be done with keys.
///
/// # Errors
/// When the folder is not named, or cannot be used.
pub fn manage(flags: &Flags, task: &Task) -> anyhow::Result<()> {
    let Task::SealKeys(what) = *task;
    let folder = flags
        .seal
        .folder()
        .context("--seal-key-dir, or the variable CARDHOUSE_SEAL_KEY_DIR, says which folder")?;
    seal_keys::manage(&folder, what)?.iter().for_each(outlet::say);
    Ok(())
}

/// The tournaments to offer. Nobody should wait for Redis to learn that a flag is wrong.
///
/// # Errors
/// When one is.
pub fn checked(flags: &Flags) -> anyhow::Result<Vec<Template>> {
    check(&flags.tables.config())?;
    let offered = flags.tables.schedule()?.unwrap_or_default();
    if let Some((id, currency)) = schedule::first_price(&offered)
        && flags.cage.cage_url.is_empty()
    {
        bail!("--schedule: {id} costs {currency}, and --cage-url does not say who keeps that");
    }
    Ok(offered)
}

async fn work(flags: Flags, kinds: Kinds, offered: Vec<Template>) -> anyhow::Result<()> {
    let metrics = Metrics::install()?;
    let _tidy = metrics.keep_tidy();
    let leaving = signals::leaving()?;

    let redis = Redis::connect(flags.redis.config()).await?;
    let settings = redis.clone();
    let ports = Ports {
        bus: Arc::new(RedisBus::new(redis.clone())),
        store: Arc::new(RedisStore::new(redis.clone())),
        clock: Clock::system(),
    };
    let node = flags.node.node_id("dealer");
    let traces = flags.traces.start("dealer-worker", node.as_str())?;
    let dealer = Dealer::new(&flags, node.clone(), kinds, &redis, ports)?;
    let readiness = Readiness::new();
    readiness.observe(dealer.worker.observed());
    readiness.check("redis", move || settings.is_trusted());

    let ops = flags.ops.ops_listen.listen("--ops-listen").await?;
    tracing::info!(ops = %ops.local_addr()?, %node, "dealer worker is up");
    let guard = flags.ops.guard(ops.local_addr()?)?;
    let routes = guard.protect(ops_routes(metrics, readiness.clone()).merge(drain_route(leaving.clone())));
    let watching = serve(ops, routes, Front::operators(flags.http), std::future::pending());

    dealer.open(&flags, &offered).await?;
    let told = async {
        leaving.cancelled().await;
        tracing::info!("leaving");
        readiness.drain();
        std::future::pending().await
    };
    let ended = tokio::select! { biased;
        ended = dealer.run(leaving.clone()) => ended,
        () = watching => unreachable!("it serves for ever"),
        () = told => unreachable!("it waits for the worker to end"),
    };
    traces.finish().await;
    ended
}

/// A worker on Redis, and what it needs while it runs: keys, and the way to whoever does its rooms' errands.
pub struct Dealer {
    /// Owns the rooms.
    pub worker: Worker,
    ports: Ports,
    seal: SealArgs,
    passes: Arc<Passes>,
    hands_sealer: Arc<Sealer>,
}

impl Dealer {
    /// As the flags say, with this name, on these ports. Must be called within a runtime.
    ///
    /// # Errors
    /// When keys cannot be read, or the cage is nowhere.
    pub fn new(
        flags: &Flags,
        node: NodeId,
        kinds: Kinds,
        redis: &Redis,
        ports: Ports,
    ) -> anyhow::Result<Self> {
        let config = WorkerConfig { node, ..flags.config()? };
        let passes = Arc::new(Passes::new(money::wire::PURPOSE, &config.seal_key, &config.seal_keys_older));
        let kinds = match flags.cage.cage_url.as_slice() {
            [] => kinds,
            urls => kinds.served_by(money::SERVICE, Arc::new(CageClient::new(urls, passes.clone())?)),
        };
        let hands_sealer = Arc::new(Sealer::with(&config.seal_key, &config.seal_keys_older));
        let kinds = match flags.hands.keep_hands {
            true => {
                let queue = Arc::new(RedisQueue::new(redis.clone()));
                kinds.served_by(SERVICE, Arc::new(Recording::new(queue, hands_sealer.clone())))
            }
            false => kinds,
        };
        let kinds = match flags.floor.agency {
            true => {
                let queue = Arc::new(RedisQueue::new(redis.clone()));
                kinds.served_by(seats::SERVICE, Arc::new(Asking::new(queue)))
            }
            false => kinds,
        };
        let worker = Worker::new(ports.clone(), config, kinds, Chance::of_the_system());
        Ok(Self { worker, ports, seal: flags.seal.clone(), passes, hands_sealer })
    }

    /// Opens what the flags say is open, unless it is.
    ///
    /// # Errors
    /// When the store does not answer, or the flags describe no table.
    pub async fn open(&self, flags: &Flags, offered: &[Template]) -> anyhow::Result<()> {
        let ports = &self.ports;
        if flags.tables.tables > 0 {
            let opened = open_tables(ports, flags.tables.tables, &flags.tables.opening()).await?;
            tracing::info!(opened, "tables are open");
        }
        if flags.floor.players_tables {
            open_floor(ports, &flags.floor.settings(flags.tables.config())).await?;
        }
        if let Some(queue) = flags.floor.queue(&flags.tables) {
            open_queue(ports, &queue, flags.tables.opening().rail).await?;
        }
        if let Some(jobs) = flags.floor.work() {
            open_jobs(ports, &jobs).await?;
        }
        if !offered.is_empty() {
            let Opened { opened, .. } = schedule::open(ports, offered).await?;
            tracing::info!(opened, "tournaments are open");
        }
        Ok(())
    }

    /// Runs until it is told to leave, and has handed its rooms over.
    ///
    /// # Errors
    /// When a part of the worker fails.
    pub async fn run(self, leaving: CancellationToken) -> anyhow::Result<()> {
        let following = seal_keys::follow(self.seal.clone(), [self.worker.sealer(), self.hands_sealer]);
        let reread = Duration::from_millis(self.seal.seal_key_reread_ms);
        let knowing = self.passes.follow(reread, || self.seal.keys());
        tokio::select! { biased;
            ended = self.worker.run(leaving) => ended.context("the worker has ended"),
            () = following => unreachable!("keys are followed for ever"),
            () = knowing => unreachable!("so are those of passes"),
        }
    }
}
