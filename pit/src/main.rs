//! The `pit` process: a relay and a dealer worker, and the short way between the two.

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use anyhow::Context as _;
use broker::{
    bus::{near::NearBus, redis::RedisBus},
    clock::Clock,
    ports::Ports,
    redis::Redis,
    store::redis::RedisStore,
};
use clap::{CommandFactory as _, Parser};
use dealer_worker::{
    flags::{self as worker_flags, Flags},
    kinds_of,
    process::{Dealer, checked},
};
use ops::{
    flags,
    readiness::{Readiness, drain_route, ops_routes},
    serve::{Front, serve},
    signals,
    telemetry::{Metrics, exit_code},
};
use protocol::id::NodeId;
use relay::{Keys, Relay, RelayConfig, config::GROUPS, door::DoorArgs};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// Every message is a few short-lived allocations; with this allocator a delivery costs 7 % less CPU than with glibc's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A relay and a dealer worker in one process. What players who are connected here do at tables that are owned here goes to Redis once: into the
/// table's journal. For all others it is a relay and a dealer worker like any.
///
/// Stops at SIGTERM once its clients have gone to other relays and its tables to other workers. Every flag can be given as the environment variable
/// shown beside it.
#[derive(Debug, Parser)]
#[command(name = "pit", version)]
struct Config {
    #[command(flatten)]
    door: DoorArgs,
    #[command(flatten)]
    relay: RelayConfig,
    #[command(flatten)]
    worker: Flags,
}

fn main() -> ExitCode {
    exit_code("pit", start())
}

fn start() -> anyhow::Result<()> {
    let Config { door, relay, worker } = flags::read_as(&command());
    relay.check().map_err(anyhow::Error::msg)?;
    if let Some(task) = &worker.task {
        return dealer_worker::process::manage(&worker, task);
    }
    let offered = checked(&worker)?;
    worker.log.init()?;
    worker.threads.runtime()?.block_on(async move {
        let metrics = Metrics::install()?;
        let _tidy = metrics.keep_tidy();
        let leaving = signals::leaving()?;

        let redis = Redis::connect(worker.redis.config()).await?;
        let settings = redis.clone();
        let name = worker.node.node_id("pit");
        let door_name = its_relay(&name)?;
        let far = Arc::new(RedisBus::new(redis.clone()));
        let near = NearBus::new(far, door_name.clone(), relay.listens);
        let ports = Ports {
            bus: near.clone(),
            store: Arc::new(RedisStore::new(redis.clone())),
            clock: Clock::system(),
        };
        let traces = worker.traces.start("pit", name.as_str())?;
        let kinds = kinds_of(worker.floor.players_tables);
        let dealer = Dealer::new(&worker, name.clone(), kinds, &redis, ports.clone())?;
        near.follow(dealer.worker.membership());
        let heartbeat = worker.node.heartbeat();
        let bounds = RelayConfig { node: Some(door_name), pit: Some(name.clone()), heartbeat, ..relay };
        let front = bounds.front(worker.http, 0);
        let relay = Relay::new(ports, bounds, Keys::fetched(door.jwks_url));
        let _telling =
            AbortOnDropHandle::new(tokio::spawn(tell_door(relay.reached_at(), dealer.worker.opens_at())));

        let readiness = Readiness::new();
        readiness.observe(dealer.worker.observed());
        readiness.check("redis", move || settings.is_trusted());
        let own = relay.clone();
        readiness.check("relay", move || own.is_well());
        let listener = door.listen.listen("--listen").await?;
        let ops = worker.ops.ops_listen.listen("--ops-listen").await?;
        tracing::info!(listen = %listener.local_addr()?, ops = %ops.local_addr()?, node = %name, "pit is up");

        // HTTP is served until both have drained: it tells newcomers to go elsewhere.
        let drained = CancellationToken::new();
        let guard = worker.ops.guard(ops.local_addr()?)?;
        let routes =
            guard.protect(ops_routes(metrics, readiness.clone()).merge(drain_route(leaving.clone())));
        dealer.open(&worker, &offered).await?;
        let running = async {
            let (_, dealt) = tokio::join!(relay.run(leaving.clone().cancelled_owned()), async {
                let ended = dealer.run(leaving.clone()).await;
                // Without a worker there is no pit.
                leaving.cancel();
                ended
            });
            drained.cancel();
            dealt
        };
        let told = async {
            leaving.cancelled().await;
            tracing::info!("leaving");
            readiness.drain();
        };
        let (dealt, (), (), ()) = tokio::join!(
            running,
            told,
            serve(listener, relay.router(), front, drained.clone().cancelled_owned()),
            serve(ops, routes, Front::operators(worker.http), drained.clone().cancelled_owned()),
        );
        traces.finish().await;
        tracing::info!("pit has left");
        dealt
    })
}

/// Tells all nodes where the edge reaches it, as soon as it has come.
async fn tell_door(
    mut reached: watch::Receiver<Option<SocketAddr>>,
    opens_at: Arc<dyn Fn(SocketAddr) + Send + Sync>,
) {
    while reached.changed().await.is_ok() {
        if let Some(door) = *reached.borrow_and_update() {
            tracing::info!(%door, "the edge reaches it there");
            opens_at(door);
        }
    }
}

/// The name of its relay among nodes; its worker has its own.
fn its_relay(node: &NodeId) -> anyhow::Result<NodeId> {
    NodeId::new(&format!("{node}-relay"))
        .context("--node-id: its relay has a name that is six letters longer")
}

fn command() -> clap::Command {
    // Its relay has a `--drain-ms`, too: for its clients.
    let command = Config::command()
        .mut_arg("hand_over_ms", |arg| arg.long("hand-over-ms").env("CARDHOUSE_HAND_OVER_MS"));
    flags::grouped(flags::grouped(command, worker_flags::GROUPS), GROUPS)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_flag_has_an_environment_variable_and_a_help_line() {
        ops::flags::assert_explained(&super::command());
    }
}
