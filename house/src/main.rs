//! The newcomer's command: opens a house, says where it is, and closes it on Ctrl-C.

use std::process::ExitCode;

use anyhow::Context as _;
use house::{Config, House};
use shared::{outlet::say, telemetry::exit_code};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    exit_code("house", start())
}

fn start() -> anyhow::Result<()> {
    Runtime::new()?.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let config = Config::from_command_line();
    config.log.init()?;
    let bots = config.bots.at_a_table(config.tables.seats);
    let tables = config.tables.tables;
    let house = House::open(config).await?;
    say(format_args!("Cardhouse is open: {}", house.url()));
    say(format_args!(
        "  {tables} tables with {bots} bots each. Open the address in a browser, pick a name, sit down."
    ));
    say("  Open it in a second window to play against yourself.");
    say("  Everything is in memory: when the house closes, tables and chips are gone.");
    say(format_args!("  Health and metrics: http://{}/metrics", house.ops_address()));
    say("  Ctrl-C closes it; --help lists what can be set.");
    let closing = CancellationToken::new();
    tokio::spawn(close_on_signal(closing.clone()));
    house.run(closing).await.context("the house had to close")?;
    say("Closed.");
    Ok(())
}

async fn close_on_signal(closing: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("the runtime can wait for signals");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    closing.cancel();
}
