//! The `relay` process.

use std::{process::ExitCode, sync::Arc};

use broker::{
    bus::redis::RedisBus,
    clock::Clock,
    ports::Ports,
    redis::{Redis, RedisConfig, rights::Program},
    store::redis::RedisStore,
};
use clap::{CommandFactory as _, Parser};
use ops::{
    config::{LogArgs, NodeArgs, OpsArgs, RedisArgs, ThreadArgs},
    flags,
    readiness::{Readiness, drain_route, ops_routes},
    serve::{Front, HttpArgs, serve},
    signals,
    telemetry::{Metrics, exit_code},
};
use relay::{Keys, Relay, RelayConfig, config::GROUPS, door::DoorArgs};
use tokio_util::sync::CancellationToken;
use traces::TraceArgs;

/// Every message is a few short-lived allocations; with this allocator a delivery costs 7 % less CPU than with glibc's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Terminates players' WebSockets: checks tokens, carries commands to tables and frames to players.
///
/// Stops at SIGTERM once its clients have gone to other relays. Every flag can be given as the environment variable shown
/// beside it.
#[derive(Debug, Parser)]
#[command(name = "relay", version)]
struct Config {
    #[command(flatten)]
    door: DoorArgs,
    #[command(flatten)]
    relay: RelayConfig,
    #[command(flatten)]
    http: HttpArgs,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    redis: RedisArgs,
    #[command(flatten)]
    threads: ThreadArgs,
    #[command(flatten)]
    ops: OpsArgs,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    traces: TraceArgs,
}

fn main() -> ExitCode {
    exit_code("relay", start())
}

fn start() -> anyhow::Result<()> {
    let config: Config = flags::read_as(&command());
    config.relay.check().map_err(anyhow::Error::msg)?;
    config.log.init()?;
    config.threads.runtime()?.block_on(run(config))
}

async fn run(config: Config) -> anyhow::Result<()> {
    let metrics = Metrics::install()?;
    let _tidy = metrics.keep_tidy();
    let leave = signals::leaving()?;

    let redis = Redis::connect(RedisConfig { program: Program::Relay, ..config.redis.config() }).await?;
    let settings = redis.clone();
    let ports = Ports {
        bus: Arc::new(RedisBus::new(redis.clone())),
        store: Arc::new(RedisStore::new(redis)),
        clock: Clock::system(),
    };
    let node = config.node.node_id("relay");
    let traces = config.traces.start("relay", node.as_str())?;
    let bounds = RelayConfig { node: Some(node.clone()), heartbeat: config.node.heartbeat(), ..config.relay };
    let front = bounds.front(config.http, 0);
    let relay = Relay::new(ports, bounds, Keys::fetched(config.door.jwks_url));

    let readiness = Readiness::new();
    readiness.check("redis", move || settings.is_trusted());
    let own = relay.clone();
    readiness.check("relay", move || own.is_well());
    let listener = config.door.listen.listen("--listen").await?;
    let ops = config.ops.ops_listen.listen("--ops-listen").await?;
    tracing::info!(listen = %listener.local_addr()?, ops = %ops.local_addr()?, %node, "relay is up");

    // HTTP is served until the relay has drained: it tells newcomers to go elsewhere.
    let drained = CancellationToken::new();
    let guard = config.ops.guard(ops.local_addr()?)?;
    let routes = guard.protect(ops_routes(metrics, readiness).merge(drain_route(leave.clone())));
    let running = async {
        relay.run(leave.cancelled_owned()).await;
        drained.cancel();
    };
    tokio::join!(
        running,
        serve(listener, relay.router(), front, drained.clone().cancelled_owned()),
        serve(ops, routes, Front::operators(config.http), drained.clone().cancelled_owned()),
    );
    traces.finish().await;
    tracing::info!("relay has left");
    Ok(())
}

fn command() -> clap::Command {
    flags::grouped(Config::command(), GROUPS)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_flag_has_an_environment_variable_and_a_help_line() {
        ops::flags::assert_explained(&super::command());
    }
}
