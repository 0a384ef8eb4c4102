//! The `relay` process.

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use anyhow::Context;
use clap::Parser;
use hyper::Uri;
use relay::{Keys, Relay, RelayConfig, serve};
use shared::{
    bus::redis::RedisBus,
    clock::Clock,
    config::{LogArgs, NodeArgs, OpsArgs, RedisArgs, ThreadArgs},
    ports::Ports,
    readiness::{Readiness, drain_route, ops_routes},
    redis::Redis,
    store::redis::RedisStore,
    telemetry::{Metrics, exit_code},
};
use tokio::{
    net::{TcpListener, TcpSocket},
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

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
    /// Where to listen: address and port (port 0: any free one, printed at start)
    #[arg(long, env = "CARDHOUSE_RELAY_LISTEN", default_value = "127.0.0.1:8081", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where reception publishes the keys that tokens are checked with
    #[arg(
        long,
        env = "CARDHOUSE_JWKS_URL",
        default_value = "http://127.0.0.1:8090/.well-known/jwks.json",
        value_name = "URL"
    )]
    jwks_url: Uri,
    #[command(flatten)]
    relay: RelayConfig,
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
}

fn main() -> ExitCode {
    exit_code("relay", start())
}

fn start() -> anyhow::Result<()> {
    let config = Config::parse();
    config.log.init()?;
    config.threads.runtime()?.block_on(run(config))
}

async fn run(config: Config) -> anyhow::Result<()> {
    let metrics = Metrics::install()?;
    let _tidy = metrics.keep_tidy();
    let leave = leave_at_signal()?;

    let redis = Redis::connect(config.redis.config()).await?;
    let ports = Ports {
        bus: Arc::new(RedisBus::new(redis.clone())),
        store: Arc::new(RedisStore::new(redis)),
        clock: Clock::system(),
    };
    let node = config.node.node_id("relay");
    let bounds = RelayConfig { node: Some(node.clone()), heartbeat: config.node.heartbeat(), ..config.relay };
    let relay = Relay::new(ports, bounds, Keys::fetched(config.jwks_url));

    let readiness = Readiness::new();
    let own = relay.clone();
    readiness.check("relay", move || match own.troubles() {
        troubles if troubles.is_empty() => Ok(()),
        troubles => Err(troubles.join("; ")),
    });
    let listener = listen(config.listen, "--listen")?;
    let ops = listen(config.ops.ops_listen, "--ops-listen")?;
    tracing::info!(listen = %listener.local_addr()?, ops = %ops.local_addr()?, %node, "relay is up");

    // HTTP is served until the relay has drained: it tells newcomers to go elsewhere.
    let drained = CancellationToken::new();
    let routes = ops_routes(metrics, readiness).merge(drain_route(leave.clone()));
    let running = async {
        relay.run(leave.cancelled_owned()).await;
        drained.cancel();
    };
    tokio::join!(
        running,
        serve(listener, relay.router(), drained.clone().cancelled_owned()),
        serve(ops, routes, drained.clone().cancelled_owned()),
    );
    tracing::info!("relay has left");
    Ok(())
}

/// Connections that wait to be accepted, at most (the system's `net.core.somaxconn` may allow fewer). When another relay has
/// died its clients come all at once, and one that finds no room tries again only after a second.
const BACKLOG: u32 = 16_384;

fn listen(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A relay that was restarted takes its port over from connections that are still ending.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().with_context(|| format!("cannot listen on {flag} {address}"))
}

/// Is cancelled at SIGTERM, and at SIGINT for those at a terminal.
fn leave_at_signal() -> anyhow::Result<CancellationToken> {
    let leave = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let cancel = leave.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        cancel.cancel();
    });
    Ok(leave)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_flag_has_an_environment_variable_and_a_help_line() {
        let command = Config::command();
        command.clone().debug_assert();
        for flag in
            command.get_arguments().filter(|flag| !["help", "version"].contains(&flag.get_id().as_str()))
        {
            let name = flag.get_env().and_then(|name| name.to_str());
            assert!(name.is_some_and(|name| name.starts_with("CARDHOUSE_")), "{}", flag.get_id());
            assert!(flag.get_help().is_some(), "{}", flag.get_id());
        }
    }
}
