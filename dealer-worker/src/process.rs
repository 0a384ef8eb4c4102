//! The process around a worker: settings, logs, Redis, health, and the signals that end it.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use broker::{
    bus::redis::RedisBus, clock::Clock, pass::Passes, ports::Ports, queue::redis::RedisQueue, redis::Redis,
    seal::Sealer, store::redis::RedisStore,
};
use hands::SERVICE;
use ops::{
    outlet,
    readiness::{Readiness, drain_route, ops_routes},
    serve::{Front, serve},
    signals,
    telemetry::Metrics,
};
use rooms::{Chance, Kinds, Worker};
use table::settings::check;

use crate::{
    cage_client::CageClient,
    flags::{Flags, Task},
    hands::Recording,
    open_floor, open_queue, open_tables,
    schedule::{self, Template},
    seal_keys,
};

/// Runs a worker of these kinds of rooms until it is told to end.
///
/// # Errors
/// When a flag is wrong, Redis is not there at the start, or a part of the worker fails.
pub fn run(flags: Flags, kinds: Kinds) -> anyhow::Result<()> {
    if let Some(Task::SealKeys(what)) = flags.task {
        let folder = flags
            .seal
            .folder()
            .context("--seal-key-dir, or the variable CARDHOUSE_SEAL_KEY_DIR, says which folder")?;
        seal_keys::manage(&folder, what)?.iter().for_each(outlet::say);
        return Ok(());
    }
    // Nobody should wait for Redis to learn that a flag is wrong.
    check(&flags.tables.config())?;
    let schedule = flags.tables.schedule()?.unwrap_or_default();
    flags.log.init()?;
    flags.threads.runtime()?.block_on(work(flags, kinds, schedule))
}

async fn work(flags: Flags, kinds: Kinds, offered: Vec<Template>) -> anyhow::Result<()> {
    let metrics = Metrics::install()?;
    let _tidy = metrics.keep_tidy();
    let leaving = signals::leaving()?;

    let redis = Redis::connect(flags.redis.config()).await?;
    let (settings, queue) = (redis.clone(), Arc::new(RedisQueue::new(redis.clone())));
    let ports = Ports {
        bus: Arc::new(RedisBus::new(redis.clone())),
        store: Arc::new(RedisStore::new(redis)),
        clock: Clock::system(),
    };
    let config = flags.config()?;
    let node = config.node.clone();
    let traces = flags.traces.start("dealer-worker", node.as_str())?;
    let passes = Arc::new(Passes::new(money::wire::PURPOSE, &config.seal_key, &config.seal_keys_older));
    let kinds = match flags.cage.cage_url.as_slice() {
        [] => kinds,
        urls => kinds.served_by(money::SERVICE, Arc::new(CageClient::new(urls, passes.clone())?)),
    };
    let hands_sealer = Arc::new(Sealer::with(&config.seal_key, &config.seal_keys_older));
    let kinds = match flags.hands.keep_hands {
        true => kinds.served_by(SERVICE, Arc::new(Recording::new(queue, hands_sealer.clone()))),
        false => kinds,
    };
    let worker = Worker::new(ports.clone(), config, kinds, Chance::of_the_system());
    let readiness = Readiness::new();
    readiness.observe(worker.observed());
    readiness.check("redis", move || settings.is_trusted());

    let ops = flags.ops.ops_listen.listen("--ops-listen").await?;
    tracing::info!(ops = %ops.local_addr()?, %node, "dealer worker is up");
    let guard = flags.ops.guard(ops.local_addr()?)?;
    let routes = guard.protect(ops_routes(metrics, readiness.clone()).merge(drain_route(leaving.clone())));
    let watching = serve(ops, routes, Front::operators(flags.http), std::future::pending());

    if flags.tables.tables > 0 {
        let opened = open_tables(&ports, flags.tables.tables, &flags.tables.opening()).await?;
        tracing::info!(opened, "tables are open");
    }
    if flags.floor.players_tables {
        open_floor(&ports, &flags.floor.settings(flags.tables.config())).await?;
    }
    if let Some(queue) = flags.floor.queue(&flags.tables) {
        open_queue(&ports, &queue, flags.tables.opening().rail).await?;
    }
    if !offered.is_empty() {
        let opened = schedule::open(&ports, &offered).await?;
        tracing::info!(opened, "tournaments are open");
    }
    let following = seal_keys::follow(flags.seal.clone(), [worker.sealer(), hands_sealer]);
    let reread = Duration::from_millis(flags.seal.seal_key_reread_ms);
    let knowing = passes.follow(reread, || flags.seal.keys());
    let told = async {
        leaving.cancelled().await;
        tracing::info!("leaving");
        readiness.drain();
        std::future::pending().await
    };
    let ended = tokio::select! { biased;
        ended = worker.run(leaving.clone()) => ended.context("the worker has ended"),
        () = watching => unreachable!("it serves for ever"),
        () = following => unreachable!("keys are followed for ever"),
        () = knowing => unreachable!("so are those of passes"),
        () = told => unreachable!("it waits for the worker to end"),
    };
    traces.finish().await;
    ended
}
