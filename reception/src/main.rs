//! The `reception` binary: reads its keys, serves, and leaves on SIGTERM or Ctrl-C.

use std::{future::pending, process::ExitCode, sync::Arc, time::Duration};

use broker::clock::Clock;
use ops::{
    flags, outlet,
    readiness::{Readiness, drain_route, ops_routes},
    serve::{Front, serve},
    signals,
    telemetry::{Metrics, exit_code},
};
use reception::{
    Desk, Keyring,
    config::{Config, Task},
    key_dir::KeyDir,
};
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    exit_code("reception", start())
}

fn start() -> anyhow::Result<()> {
    let config: Config = flags::read();
    let keys = KeyDir::new(config.key_dir.clone(), Duration::from_millis(config.key_settle_ms));
    match config.task {
        Some(Task::Keys(what)) => {
            keys.manage(what)?.iter().for_each(outlet::say);
            Ok(())
        }
        None => Runtime::new()?.block_on(run(config, keys)),
    }
}

async fn run(config: Config, keys: KeyDir) -> anyhow::Result<()> {
    config.log.init()?;
    let metrics = Metrics::install()?;
    let _tidy = metrics.keep_tidy();
    let leaving = signals::leaving()?;
    let front = config.front();

    let keyring = Arc::new(Keyring::new(keys.read_or_create()?));
    let rereading = keys.follow(keyring.clone(), Duration::from_millis(config.key_reread_ms));
    let desk = Desk::new(keyring, Clock::system(), config.tokens.token_ms());
    let readiness = Readiness::new();
    let tried = desk.clone();
    readiness.check("keys", move || tried.check().map_err(|error| error.to_string()));

    let ops = config.ops.ops_listen.listen("--ops-listen").await?;
    let listener = config.listen.listen("--listen").await?;
    tracing::info!(address = %listener.local_addr()?, ops = %ops.local_addr()?, "listening");

    let router = reception::router(desk, config.tokens.api(config.hosts, config.allow_origin));
    let serving = serve(listener, router, front, leaving.clone().cancelled_owned());
    let guard = config.ops.guard(ops.local_addr()?)?;
    let routes = guard.protect(ops_routes(metrics, readiness.clone()).merge(drain_route(leaving.clone())));
    let watching = serve(ops, routes, Front::operators(config.http), pending());
    let told = async {
        leaving.cancelled().await;
        tracing::info!("leaving");
        readiness.drain();
        pending::<()>().await
    };
    tokio::select! {
        () = serving => Ok(()),
        () = watching => unreachable!("it serves for ever"),
        () = rereading => unreachable!("keys are followed for ever"),
        () = told => unreachable!("it waits for the server to end"),
    }
}
