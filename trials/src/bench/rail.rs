//! `rail`: one table before thousands of spectators. The frames are what a player says, decided by the table's worker, journaled
//! and published like any other; the floor writes frames of the same size to as many plain sockets.

use std::rc::Rc;

use anyhow::Context;
use futures_util::{SinkExt, StreamExt, stream};
use hdrhistogram::Histogram;
use player::connect::{Socket, tcp};
use protocol::rail::RailConfig;
use tokio::{
    net::TcpStream,
    task::{AbortHandle, spawn_local},
    time::{Duration, Instant, sleep},
};
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

use super::{
    args::BenchArgs,
    connection::{enter, hello},
    figures::{Curve, Run},
    floor::{FloorProcess, tcp},
    heard::{Heard, watch_frames},
    pace::Pace,
    proc_stat::CpuTime,
    stage::{Stage, Tables},
    told::Told,
};

const RELAYS: usize = 2;

/// Who says something in turn: below the bound on one client's messages.
const SPEAKERS: usize = 4;

/// Characters of what is said; with the frame around it about 200 bytes.
const SAID_CHARS: usize = 80;

/// Characters of what is said before stalled spectators, of four bytes each: more than kernels hold back for a socket must be
/// left unread in the time that a run takes.
const SAID_WIDE_CHARS: usize = 200;

/// Receive buffer of a spectator who stops reading, bytes.
const STALLED_BUFFER_BYTES: usize = 4_096;

/// Connections being opened at the same time.
const OPENING_MAX: usize = 64;

/// Before counting begins, and after the last frame until it must have arrived.
const SETTLE: Duration = Duration::from_secs(2);

/// A table with its speakers, and spectators around it.
pub struct Rail {
    stage: Stage,
    heard: Rc<Heard>,
    speakers: Vec<Speaker>,
    reading: Vec<AbortHandle>,
}

struct Speaker {
    out: futures_util::stream::SplitSink<Socket, Message>,
    n: u64,
    reading: AbortHandle,
}

impl Rail {
    /// Starts relays, a worker and Redis, and opens the rail.
    ///
    /// # Errors
    /// When something breaks.
    pub async fn start(args: &BenchArgs) -> anyhow::Result<Self> {
        let rail = RailConfig::late(args.rail_delay_ms);
        let tables = Tables { rail, ..Tables::of(1) };
        let stage = Stage::start(RELAYS, tables, args.no_build).await?;
        let heard = Rc::new(Heard::default());
        heard.late_us.set(1_000 * u64::from(args.rail_delay_ms));
        let mut speakers = Vec::new();
        for i in 0..SPEAKERS {
            speakers.push(Speaker::begin(&stage, i).await?);
        }
        let mut rail = Self { stage, heard, speakers, reading: Vec::new() };
        rail.watch(args.spectators).await?;
        // What was said until now has come.
        sleep(shown_after(args)).await;
        Ok(rail)
    }

    async fn watch(&mut self, spectators: usize) -> anyhow::Result<()> {
        let stage = &self.stage;
        let opening = stream::iter(0..spectators).map(|i| async move {
            let token = stage.token(&format!("rail{i}"));
            let mut socket = enter(&stage.dialer(i)?, hello(&token, None)).await?.socket;
            let room = Stage::table(0);
            socket.send(Message::text(format!(r#"{{"t":"watch","room":"{room}"}}"#))).await?;
            loop {
                let message = socket.next().await.context("ended")??;
                let told = message.as_text().map(Told::read);
                if let Some(Told::Keyframe { seq, .. } | Told::Frame { seq, .. }) = told {
                    return anyhow::Ok((socket, seq));
                }
            }
        });
        let mut opening = opening.buffer_unordered(OPENING_MAX);
        let mut opened = Vec::with_capacity(spectators);
        while let Some(one) = opening.next().await {
            opened.push(one?);
        }
        drop(opening);
        for (socket, seq) in opened {
            let reading = spawn_local(watch_frames(socket, seq, self.heard.clone()));
            self.reading.push(reading.abort_handle());
        }
        Ok(())
    }

    /// One run: everybody reads; and, if asked for, the same with some who do not.
    ///
    /// # Errors
    /// When something breaks.
    pub async fn run(&mut self, args: &BenchArgs) -> anyhow::Result<Run> {
        let mut run = Run::default();
        let said = ".".repeat(SAID_CHARS);
        let product = self.measure(args, &said).await?;
        let to = Spectators { count: args.spectators, frames_per_s: args.frames, seconds: args.seconds };
        let floor = measure_floor(&to, product.bytes).await?;
        let lost = |measured: &Measured| measured.due.saturating_sub(measured.delivered) as f64;
        run.compare("cpu_us_per_delivery", product.relay_us_per_delivery, floor.relay_us_per_delivery);
        for (name, share) in [("p50_us", 0.5), ("p99_us", 0.99)] {
            let of = |measured: &Measured| measured.latency_us.value_at_quantile(share) as f64;
            run.compare(name, of(&product), of(&floor));
        }
        run.compare("deliveries_per_s", product.per_s(), floor.per_s());
        run.figures.insert("lost".into(), lost(&product) + self.heard.lost.get() as f64);
        run.floor.insert("lost".into(), lost(&floor));
        run.tell("early", self.heard.early.get() as f64);
        run.compare("generator_cores", product.generator_cores, floor.generator_cores);
        run.tell("frame_bytes", product.bytes as f64);
        run.latency.push(Curve::of("said to every spectator", &product.latency_us));
        run.latency.push(Curve::of("written to every plain socket", &floor.latency_us));
        Ok(run)
    }

    /// Some spectators stop reading while the others go on: what the others notice, and what it takes in memory.
    ///
    /// # Errors
    /// When something breaks.
    pub async fn run_stalled(&mut self, args: &BenchArgs, run: &mut Run) -> anyhow::Result<()> {
        let said = "\u{1F0A1}".repeat(SAID_WIDE_CHARS);
        let before = self.measure(args, &said).await?;
        let room = Stage::table(0);
        let mut stalled = Vec::new();
        for i in 0..args.stalled {
            let token = self.stage.token(&format!("stalled{i}"));
            let mut socket = enter(&self.stage.dialer(i)?, hello(&token, None)).await?.socket;
            socket2::SockRef::from(tcp(&socket)).set_recv_buffer_size(STALLED_BUFFER_BYTES)?;
            socket.send(Message::text(format!(r#"{{"t":"watch","room":"{room}"}}"#))).await?;
            stalled.push(socket);
        }
        // As many as before: those who stall take the place of others.
        let replaced = self.reading.split_off(self.reading.len().saturating_sub(args.stalled));
        replaced.iter().for_each(AbortHandle::abort);
        sleep(SETTLE).await;
        let bytes_before = self.stage.relays_memory_bytes()?;
        let after = self.measure(args, &said).await?;
        let grown = self.stage.relays_memory_bytes()?.saturating_sub(bytes_before);
        run.tell("stalled", args.stalled as f64);
        run.tell("stalled_frame_bytes", after.bytes as f64);
        let p99 = |measured: &Measured| measured.latency_us.value_at_quantile(0.99) as f64;
        run.tell("stalled_others_p99_us", p99(&after));
        run.tell("stalled_none_p99_us", p99(&before));
        run.tell(
            "stalled_others_lost",
            (after.due.saturating_sub(after.delivered) + self.heard.lost.get()) as f64,
        );
        run.tell("stalled_relays_grew_bytes_per_stalled", grown as f64 / args.stalled.max(1) as f64);
        drop(stalled);
        Ok(())
    }

    async fn measure(&mut self, args: &BenchArgs, said: &str) -> anyhow::Result<Measured> {
        sleep(SETTLE).await;
        self.heard.begin();
        let before = self.stage.snapshot()?;
        let frames = args.frames * args.seconds;
        let mut pace = Pace::new(args.frames);
        let mut spoken = 0;
        while spoken < frames {
            sleep(Duration::from_millis(1)).await;
            for _ in 0..pace.due(Instant::now()).min(frames - spoken) {
                let speaker = usize::try_from(spoken)? % self.speakers.len();
                self.speakers[speaker].say(said).await?;
                spoken += 1;
                pace.done();
            }
        }
        let cost_of_speaking = self.stage.cost_since(&before)?;
        sleep(SETTLE + shown_after(args)).await;
        let cost = self.stage.cost_since(&before)?;
        let delivered = self.heard.frames.get();
        anyhow::ensure!(delivered > 0, "nobody heard anything");
        let latency_us = self.heard.latency_us.take().context("counting has begun")?;
        Ok(Measured {
            relay_us_per_delivery: cost.relays.us as f64 / delivered as f64,
            // Keyframes come on top of what is said, so there may be more, never less.
            due: frames * self.reading.len() as u64,
            delivered,
            bytes: self.heard.bytes.get() / delivered,
            latency_us,
            seconds: cost_of_speaking.seconds,
            generator_cores: cost_of_speaking.generator_cores(),
        })
    }

    /// Ends the cluster.
    pub async fn end(self) {
        self.reading.iter().for_each(AbortHandle::abort);
        self.speakers.iter().for_each(|speaker| speaker.reading.abort());
        self.stage.end().await;
    }
}

impl Speaker {
    async fn begin(stage: &Stage, index: usize) -> anyhow::Result<Self> {
        let name = format!("speaker{index}");
        let entered = enter(&stage.dialer(index)?, hello(&stage.token(&name), None)).await?;
        let (out, mut incoming) = entered.socket.split();
        let reading = spawn_local(async move { while let Some(Ok(_)) = incoming.next().await {} });
        let mut speaker = Self { out, n: 0, reading: reading.abort_handle() };
        speaker.say("hello").await?;
        Ok(speaker)
    }

    async fn say(&mut self, what: &str) -> anyhow::Result<()> {
        self.n += 1;
        let (n, room, now_us) = (self.n, Stage::table(0), tcp::now_us());
        let room = room.as_str();
        // The time at the front, within the bound on characters.
        let what = what.char_indices().nth(180).map_or(what, |(at, _)| &what[..at]);
        let text =
            format!(r#"{{"t":"do","n":{n},"room":"{room}","do":{{"a":"chat","text":"{now_us}{what}"}}}}"#);
        Ok(self.out.send(Message::text(text)).await?)
    }
}

/// How late spectators are shown what is said.
fn shown_after(args: &BenchArgs) -> Duration {
    Duration::from_millis(args.rail_delay_ms.into())
}

/// What a run of frames to all sockets has shown.
pub(super) struct Measured {
    pub(super) relay_us_per_delivery: f64,
    due: u64,
    delivered: u64,
    /// Of a frame.
    bytes: u64,
    latency_us: Histogram<u64>,
    seconds: f64,
    generator_cores: f64,
}

impl Measured {
    fn per_s(&self) -> f64 {
        self.delivered as f64 / self.seconds
    }
}

/// To whom the floor writes, and how often.
pub(super) struct Spectators {
    pub(super) count: usize,
    pub(super) frames_per_s: u64,
    pub(super) seconds: u64,
}

/// Writes frames of so many bytes to plain sockets.
///
/// # Errors
/// When something breaks.
pub(super) async fn measure_floor(to: &Spectators, bytes: u64) -> anyhow::Result<Measured> {
    let mut floors = Vec::new();
    for _ in 0..RELAYS {
        floors.push(FloorProcess::start(&["tcp".into()]).await?);
    }
    let heard = Rc::new(Heard::default());
    let mut reading = Vec::new();
    for i in 0..to.count {
        let stream = tcp::connect(floors[i % RELAYS].address()?).await?;
        reading.push(spawn_local(watch_plain(ClientBuilder::new().take_over(stream), heard.clone())));
    }
    sleep(SETTLE).await;
    heard.begin();
    let pids = floors.iter().map(FloorProcess::pid).collect::<anyhow::Result<Vec<_>>>()?;
    let (before, own_before, began) = (CpuTime::of(&pids)?, CpuTime::of_this_process()?, Instant::now());
    let frames = to.frames_per_s * to.seconds;
    for floor in &mut floors {
        floor.order(&format!("{} {frames} {bytes}", to.frames_per_s)).await?;
    }
    for floor in &mut floors {
        floor.done().await?;
    }
    let (own, seconds) = (CpuTime::of_this_process()? - own_before, began.elapsed().as_secs_f64());
    sleep(SETTLE).await;
    let cpu = CpuTime::of(&pids)? - before;
    let delivered = heard.frames.get();
    anyhow::ensure!(delivered > 0, "the floor has delivered nothing");
    reading.iter().for_each(tokio::task::JoinHandle::abort);
    let latency_us = heard.latency_us.take().context("counting has begun")?;
    Ok(Measured {
        relay_us_per_delivery: cpu.us as f64 / delivered as f64,
        due: frames * to.count as u64,
        delivered,
        bytes,
        latency_us,
        seconds,
        generator_cores: own.us as f64 / 1e6 / seconds,
    })
}

async fn watch_plain(mut socket: WebSocketStream<TcpStream>, heard: Rc<Heard>) {
    while let Some(Ok(message)) = socket.next().await {
        if let Some(text) = message.as_text() {
            heard.take(text);
        }
    }
}
