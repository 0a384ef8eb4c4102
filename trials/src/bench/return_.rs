//! `return`: seated players with steady play are cut off at once, all of them, and come back with `resume`.

use std::{
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use player::connect::Dialer;
use tokio::{
    task::spawn_local,
    time::{Duration, Instant, sleep},
};

use super::{
    args::BenchArgs,
    connection::{enter, hello},
    figures::Run,
    floor::FloorProcess,
    play::{Play, SEATS},
    proc_stat::memory_bytes,
    stage::{Stage, Tables},
};

const RELAYS: usize = 2;

/// Actions a second of steady play.
const RATE: u64 = 1_000;

/// Play before the cut, and after everybody is back.
const PLAY: Duration = Duration::from_secs(3);

/// After play has ceased, until the last frame has arrived.
const SETTLE: Duration = Duration::from_secs(1);

/// Everybody must be back within this.
const BACK_WITHIN: Duration = Duration::from_secs(60);

/// How often the relays' memory is looked at.
const MEMORY_EVERY: Duration = Duration::from_millis(20);

/// A cluster with seated players, for several runs.
pub struct Return {
    stage: Stage,
    play: Rc<Play>,
}

impl Return {
    /// Starts relays, a worker and Redis, and seats everybody.
    ///
    /// # Errors
    /// When something breaks.
    pub async fn start(args: &BenchArgs) -> anyhow::Result<Self> {
        let tables = args.players.div_ceil(SEATS);
        let stage = Stage::start(RELAYS, Tables::of(tables), args.no_build).await?;
        let play = Play::seat(&stage, tables, false).await?;
        Ok(Self { stage, play })
    }

    /// One run.
    ///
    /// # Errors
    /// When somebody does not come back.
    pub async fn run(&self, args: &BenchArgs) -> anyhow::Result<Run> {
        let mut run = Run::default();
        let playing = {
            let play = self.play.clone();
            spawn_local(async move { play.run(RATE).await })
        };
        sleep(PLAY).await;
        self.play.reset();
        self.play.cut_all().await;
        let peak = Peak::watch(self.stage.pids().relays.clone());
        let before = self.stage.snapshot()?;
        let back = tokio::time::timeout(BACK_WITHIN, self.play.come_back()).await??;
        let cost = self.stage.cost_since(&before)?;
        let peak_bytes = peak.end();
        sleep(PLAY).await;
        playing.abort();
        sleep(SETTLE).await;
        let counts = &self.play.counts;
        let missed = counts.missed.get() + self.play.lacking();
        let players = args.players.div_ceil(SEATS) * SEATS;
        let floor = open_bare(&self.stage, players).await?;
        run.compare("all_back_ms", back.up_to_date.as_secs_f64() * 1e3, floor.as_secs_f64() * 1e3);
        run.tell("all_welcome_ms", back.welcomed.as_secs_f64() * 1e3);
        run.tell("missed", missed as f64);
        run.tell("repeated", counts.repeated.get() as f64);
        run.tell("players", players as f64);
        run.tell("relays_cpu_us_per_player", cost.relays.us as f64 / players as f64);
        run.tell("worker_cpu_us_per_player", cost.workers.us as f64 / players as f64);
        run.tell("redis_cpu_us_per_player", cost.redis.us as f64 / players as f64);
        run.tell("generator_cores", cost.generator_cores());
        run.tell("relays_peak_rss_mib", peak_bytes as f64 / f64::from(1 << 20));
        Ok(run)
    }

    /// Ends the cluster.
    pub async fn end(self) {
        self.play.cut_all().await;
        self.stage.end().await;
    }
}

/// The most that processes have held in memory, looked at by a thread of its own.
struct Peak {
    most: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    watching: std::thread::JoinHandle<()>,
}

impl Peak {
    fn watch(pids: Vec<u32>) -> Self {
        let (most, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (highest, end) = (most.clone(), over.clone());
        let watching = std::thread::spawn(move || {
            while !end.load(Relaxed) {
                highest.fetch_max(memory_bytes(&pids).unwrap_or(0), Relaxed);
                std::thread::sleep(MEMORY_EVERY);
            }
        });
        Self { most, over, watching }
    }

    fn end(self) -> u64 {
        self.over.store(true, Relaxed);
        // It only reads; if it has panicked, there is just no peak.
        let _ = self.watching.join();
        self.most.load(Relaxed)
    }
}

/// As many bare WebSockets with a token checked on each, opened at once: how long until the last is welcome.
async fn open_bare(stage: &Stage, players: usize) -> anyhow::Result<Duration> {
    let arguments = ["upgrade".to_owned(), format!("--keys={}", stage.public_keys())];
    let mut floors = Vec::new();
    for _ in 0..RELAYS {
        floors.push(FloorProcess::start(&arguments).await?);
    }
    let dialers = floors
        .iter()
        .map(|floor| Ok(Dialer::new(&format!("ws://{}/ws", floor.address()?))?))
        .collect::<anyhow::Result<Vec<Dialer>>>()?;
    let tokens: Vec<String> = (0..players).map(|i| stage.token(&format!("p{i}"))).collect();
    let began = Instant::now();
    let opening = tokens.into_iter().enumerate().map(|(i, token)| {
        let dialer = dialers[i % RELAYS].clone();
        spawn_local(async move {
            Ok::<_, anyhow::Error>((enter(&dialer, hello(&token, None)).await?, began.elapsed()))
        })
    });
    let mut last = Duration::ZERO;
    let mut open = Vec::new();
    for opened in opening.collect::<Vec<_>>() {
        let (entered, at) = opened.await??;
        last = last.max(at);
        open.push(entered);
    }
    Ok(last)
}
