//! The floor of what goes through Redis twice: to a worker, and from it to relays. The process that answers is
//! [`floor::hops`](super::floor::hops).

use std::{cell::RefCell, rc::Rc};

use hdrhistogram::Histogram;
use loadtest::swarm::tally::new_histogram;
use tokio::{
    task::{JoinHandle, spawn_local},
    time::{Duration, Instant, sleep},
};

use super::{
    args::BenchArgs,
    floor::{
        FloorProcess,
        hops::{self, Listener, Publisher},
    },
    pace::Pace,
    play::SEATS,
    proc_stat::CpuTime,
    stage::Stage,
};

/// Bytes of a command as a relay publishes it.
const COMMAND_BYTES: usize = 150;

/// How often the pace is looked at, as that of players.
const PACE_EVERY: Duration = Duration::from_millis(1);

/// How long it is measured.
const SECONDS_MAX: u64 = 5;

/// What two hops take.
pub struct Hops {
    /// From publishing a command to each relay's ear.
    pub latency_us: Histogram<u64>,
    /// CPU of Redis.
    pub redis_us_per_hop: f64,
}

/// Two publications each, at the pace of the workload and of its sizes.
///
/// # Errors
/// When something breaks.
pub async fn measure_hops(
    stage: &Stage,
    rooms: usize,
    args: &BenchArgs,
    rate: u64,
    frame_bytes: usize,
) -> anyhow::Result<Hops> {
    let port = stage.redis_port();
    let arguments = [
        "hops".to_owned(),
        format!("--redis-port={port}"),
        format!("--channels={}", rooms),
        format!("--bytes={frame_bytes}"),
    ];
    let floor = FloorProcess::start(&arguments).await?;
    let redis = &stage.pids().redis;
    // As many ears as there are relays: each hears the tables that have players there.
    let relays = stage.pids().relays.len();
    let ears = if args.apart { relays.min(SEATS) } else { relays };
    let sent_at = Rc::new(RefCell::new(Vec::<Instant>::new()));
    let latency_us = Rc::new(RefCell::new(new_histogram()));
    let mut hearing = Vec::new();
    for ear in 0..ears {
        let hears = |room: &usize| args.apart || room % ears == ear;
        let heard = (1..=rooms).filter(hears).map(hops::frames);
        let mut listener = Listener::subscribe(port, heard).await?;
        let (sent_at, latency_us) = (sent_at.clone(), latency_us.clone());
        hearing.push(spawn_local(async move {
            while let Ok((_, frame)) = listener.next().await {
                let number = hops::number(&frame).and_then(|number| usize::try_from(number).ok());
                let at = number.and_then(|number| sent_at.borrow().get(number).copied());
                if let Some(at) = at {
                    let us = u64::try_from(at.elapsed().as_micros()).unwrap_or(u64::MAX);
                    latency_us.borrow_mut().saturating_record(us);
                }
            }
        }));
    }
    let mut publisher = Publisher::connect(port).await?;
    let mut pace = Pace::new(rate);
    let before = CpuTime::of(redis)?;
    let end = Instant::now() + Duration::from_secs(args.seconds.min(SECONDS_MAX));
    let mut number = 0;
    while Instant::now() < end {
        sleep(PACE_EVERY).await;
        for _ in 0..pace.due(Instant::now()) {
            sent_at.borrow_mut().push(Instant::now());
            let channel = hops::commands(1 + number as usize % rooms);
            publisher.publish(&channel, &hops::message(number, COMMAND_BYTES)).await?;
            number += 1;
            pace.done();
        }
    }
    let redis_us = (CpuTime::of(redis)? - before).us;
    hearing.iter().for_each(JoinHandle::abort);
    drop(floor);
    let latency_us = latency_us.borrow().clone();
    anyhow::ensure!(!latency_us.is_empty(), "no hop came back");
    Ok(Hops { latency_us, redis_us_per_hop: redis_us as f64 / number.max(1) as f64 })
}
