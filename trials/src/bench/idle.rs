//! `idle`: connections with a session that have joined the lobby and say nothing but what keeps them alive.
//!
//! Each run starts new relays: memory that an earlier run has left behind would hide what a connection costs.

use std::net::SocketAddr;

use anyhow::Context;
use futures_util::{SinkExt, StreamExt, stream};
use player::connect::Socket;
use tokio::{
    task::spawn_local,
    time::{Duration, Instant, sleep},
};
use tokio_websockets::Message;

use super::{
    args::BenchArgs,
    connection::{enter, hello},
    figures::Run,
    floor::{FloorProcess, tcp},
    proc_stat::{CpuTime, memory_bytes},
    stage::{Stage, Tables},
};

const RELAYS: usize = 2;

/// Tables that the lobby lists.
const TABLES: usize = 100;

/// Connections being opened at the same time.
const OPENING_MAX: usize = 128;

/// After the last connection, before memory is looked at: what was lent for opening is given back.
const SETTLE: Duration = Duration::from_secs(2);

/// One run.
///
/// # Errors
/// When the machine does not allow so many open files, or something breaks.
pub async fn run(args: &BenchArgs) -> anyhow::Result<Run> {
    let mut run = Run::default();
    let stage = Stage::start(RELAYS, Tables::of(TABLES), args.no_build).await?;
    let connections = args.connections as f64;
    let before_bytes = at_rest(&stage).await?;
    let before = stage.snapshot()?;
    let began = Instant::now();
    let sockets = connect_all(&stage, args.connections).await?;
    let opening_s = began.elapsed().as_secs_f64();
    let opening = stage.cost_since(&before)?;
    let holding: Vec<_> =
        sockets.into_iter().map(|socket| spawn_local(hold(socket)).abort_handle()).collect();
    sleep(SETTLE).await;
    let bytes = stage.relays_memory_bytes()?.saturating_sub(before_bytes);
    let silence = stage.snapshot()?;
    sleep(Duration::from_secs(args.idle_seconds)).await;
    let silent = stage.cost_since(&silence)?;
    let ended = holding.iter().filter(|task| task.is_finished()).count();
    anyhow::ensure!(ended == 0, "{ended} idle connections have ended");
    holding.iter().for_each(tokio::task::AbortHandle::abort);
    stage.end().await;

    let mut floor = FloorProcess::start(&["tcp".into()]).await?;
    let (floor_bytes, floor_opening_s, floor_cpu_us) = hold_plain(&mut floor, args.connections).await?;

    run.compare("rss_bytes_per_connection", bytes as f64 / connections, floor_bytes as f64 / connections);
    run.compare("connections_opened_per_s", connections / opening_s, connections / floor_opening_s);
    run.compare(
        "cpu_us_per_connection_opened",
        opening.relays.us as f64 / connections,
        floor_cpu_us as f64 / connections,
    );
    run.tell("connections_opened_per_relay_cpu_s", connections * 1e6 / (opening.relays.us.max(1)) as f64);
    run.tell(
        "cpu_ms_per_10000_connections_and_minute",
        silent.relays.us as f64 / 1e3 / silent.seconds * 60.0 * 10_000.0 / connections,
    );
    run.tell("connections", connections);
    run.tell("generator_cores_while_opening", opening.generator_cores());
    Ok(run)
}

/// What relays hold before there are connections, bytes: once they have stopped giving back what starting took.
async fn at_rest(stage: &Stage) -> anyhow::Result<u64> {
    let give_up = Instant::now() + SETTLE * 5;
    let mut bytes = stage.relays_memory_bytes()?;
    loop {
        sleep(SETTLE).await;
        let now = stage.relays_memory_bytes()?;
        if now >= bytes || Instant::now() > give_up {
            return Ok(now);
        }
        bytes = now;
    }
}

async fn connect_all(stage: &Stage, connections: usize) -> anyhow::Result<Vec<Socket>> {
    let opening = stream::iter(0..connections).map(|i| async move {
        let token = stage.token(&format!("idle{i}"));
        let mut socket = enter(&stage.dialer(i)?, hello(&token, None)).await?.socket;
        socket.send(Message::text(r#"{"t":"lobby","on":true}"#)).await?;
        // The lobby itself, so that it is not on its way when memory is looked at.
        while !socket
            .next()
            .await
            .context("ended")??
            .as_text()
            .is_some_and(|text| text.starts_with(r#"{"t":"lobby""#))
        {}
        anyhow::Ok(socket)
    });
    let mut opening = opening.buffer_unordered(OPENING_MAX);
    let mut sockets = Vec::with_capacity(connections);
    while let Some(socket) = opening.next().await {
        sockets.push(socket?);
    }
    Ok(sockets)
}

/// Reads, which answers pings.
async fn hold(mut socket: Socket) {
    while let Some(Ok(_)) = socket.next().await {}
}

/// The same number of plain connections: memory, time to open them in seconds, CPU in microseconds.
async fn hold_plain(floor: &mut FloorProcess, connections: usize) -> anyhow::Result<(u64, f64, u64)> {
    let pids = [floor.pid()?];
    let address: SocketAddr = floor.address()?;
    let (before_bytes, before) = (memory_bytes(&pids)?, CpuTime::of(&pids)?);
    let began = Instant::now();
    let opening = stream::iter(0..connections).map(|_| tcp::connect(address));
    let mut opening = opening.buffer_unordered(OPENING_MAX);
    let mut streams = Vec::with_capacity(connections);
    while let Some(stream) = opening.next().await {
        streams.push(stream?);
    }
    let opening_s = began.elapsed().as_secs_f64();
    sleep(SETTLE).await;
    let cpu_us = (CpuTime::of(&pids)? - before).us;
    Ok((memory_bytes(&pids)?.saturating_sub(before_bytes), opening_s, cpu_us))
}
