//! The `reception` binary: reads its keys, serves, and leaves on SIGTERM or Ctrl-C.

use std::{future::IntoFuture as _, net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context as _;
use reception::{Desk, Keyring, config::Config, key_dir::KeyDir};
use shared::{
    clock::Clock,
    flags,
    readiness::{Readiness, drain_route, ops_routes},
    signals,
    telemetry::{Metrics, exit_code},
};
use tokio::{runtime::Runtime, time::timeout};

fn main() -> ExitCode {
    exit_code("reception", start())
}

fn start() -> anyhow::Result<()> {
    Runtime::new()?.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let config: Config = flags::read();
    config.log.init()?;
    let metrics = Metrics::install()?;
    let _tidy = metrics.keep_tidy();
    let leaving = signals::leaving()?;

    let keys = KeyDir::new(config.key_dir, Duration::from_millis(config.key_settle_ms));
    let keyring = Arc::new(Keyring::new(keys.read_or_create()?));
    let rereading = keys.follow(keyring.clone(), Duration::from_millis(config.key_reread_ms));
    let desk = Desk::new(keyring, Clock::system(), config.tokens.token_ms());
    let readiness = Readiness::new();
    let tried = desk.clone();
    readiness.check("keys", move || tried.check().map_err(|error| error.to_string()));

    let ops = config.ops.ops_listen.listen("--ops-listen").await?;
    let listener = config.listen.listen("--listen").await?;
    tracing::info!(address = %listener.local_addr()?, ops = %ops.local_addr()?, "listening");

    let api = config.tokens.api(config.trust_proxy, config.allow_origin);
    let router = reception::router(desk, api).into_make_service_with_connect_info::<SocketAddr>();
    let serving =
        axum::serve(listener, router).with_graceful_shutdown(leaving.clone().cancelled_owned()).into_future();
    let routes = ops_routes(metrics, readiness.clone()).merge(drain_route(leaving.clone()));
    let watching = axum::serve(ops, routes).into_future();
    tokio::pin!(serving);
    tokio::select! {
        ended = &mut serving => return ended.context("the server ended"),
        ended = watching => return ended.context("the operators' server ended"),
        () = rereading => unreachable!("keys are followed for ever"),
        () = leaving.cancelled() => tracing::info!("leaving"),
    }
    readiness.drain();
    leaving.cancel();
    if timeout(Duration::from_millis(config.drain_ms), serving).await.is_err() {
        tracing::warn!("some requests were cut off");
    }
    Ok(())
}
