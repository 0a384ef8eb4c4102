//! `ceiling`: what the load generator itself can do, against servers that do next to nothing.

use std::{cell::Cell, rc::Rc};

use futures_util::StreamExt;
use tokio::{
    task::spawn_local,
    time::{Duration, Instant, sleep},
};
use tokio_websockets::ClientBuilder;

use super::{args::BenchArgs, figures::Run, floor::FloorProcess, floor::tcp, proc_stat::CpuTime, told::Told};

/// Sockets that are written to without a pause.
const SOCKETS: usize = 1_000;

/// Frames to each.
const FRAMES: u64 = 500;

/// Bytes of a frame.
const FRAME_BYTES: u64 = 200;

/// All frames must have arrived within this.
const WITHIN: Duration = Duration::from_secs(60);

/// One run.
///
/// # Errors
/// When something breaks.
pub async fn run(_: &BenchArgs) -> anyhow::Result<Run> {
    let mut run = Run::default();
    let mut floor = FloorProcess::start(&["tcp".into()]).await?;
    let heard = Rc::new(Cell::new(0_u64));
    let mut reading = Vec::new();
    for _ in 0..SOCKETS {
        let stream = tcp::connect(floor.address()?).await?;
        let mut socket = ClientBuilder::new().take_over(stream);
        let heard = heard.clone();
        reading.push(spawn_local(async move {
            while let Some(Ok(message)) = socket.next().await {
                let Some(text) = message.as_text() else { continue };
                // As a spectator does.
                if Told::read(text) == Told::Other && tcp::age_us(text).is_some() {
                    heard.set(heard.get() + 1);
                }
            }
        }));
    }
    let due = SOCKETS as u64 * FRAMES;
    let (before, began) = (CpuTime::of_this_process()?, Instant::now());
    floor.order(&format!("0 {FRAMES} {FRAME_BYTES}")).await?;
    while heard.get() < due {
        anyhow::ensure!(began.elapsed() < WITHIN, "{} of {due} frames have arrived", heard.get());
        sleep(Duration::from_millis(1)).await;
    }
    let seconds = began.elapsed().as_secs_f64();
    let cpu = CpuTime::of_this_process()? - before;
    reading.iter().for_each(tokio::task::JoinHandle::abort);
    run.tell("deliveries_per_s", due as f64 / seconds);
    run.tell("deliveries_per_generator_cpu_s", due as f64 * 1e6 / cpu.us.max(1) as f64);
    Ok(run)
}
