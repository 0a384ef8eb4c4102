//! `chat`: people who talk in many rooms of six, so many lines a second, each committed to the room's journal before anybody sees it.
//!
//! How old a line is when it is heard is counted from when it was *due*, and not from when it was sent: what waits because the generator
//! was held up is part of what a listener sees. The generator's own share, from due to written, is told apart.

use std::rc::Rc;

use anyhow::Context;
use futures_util::{SinkExt, StreamExt, stream, stream::SplitSink};
use hdrhistogram::Histogram;
use loadtest::swarm::tally::new_histogram;
use player::connect::Socket;
use protocol::{id::RoomId, talk};
use tokio::{
    task::{AbortHandle, spawn_local},
    time::{Duration, sleep},
};
use tokio_websockets::Message;

use super::{
    args::BenchArgs,
    connection::{enter, hello},
    figures::{Curve, Run},
    floor::tcp,
    heard::{Heard, watch_frames},
    hops::measure_hops,
    pace::due_at,
    play::SEATS,
    stage::{Stage, Tables},
    told::Told,
};

/// Characters of what is said behind the time: with the frame around it about 200 bytes.
const SAID_CHARS: usize = 60;

/// Connections being opened at the same time.
const OPENING_MAX: usize = 64;

/// Before anything is counted at a pace, and after the last line until it must have been heard.
const SETTLE: Duration = Duration::from_secs(2);

/// Rooms with their members.
pub struct Chat {
    stage: Stage,
    members: Vec<Member>,
    heard: Rc<Heard>,
    rooms: usize,
}

struct Member {
    room: RoomId,
    out: SplitSink<Socket, Message>,
    /// Lines said.
    n: u64,
    reading: AbortHandle,
}

impl Chat {
    /// Starts relays, a worker and Redis, and has six people come to each room.
    ///
    /// # Errors
    /// When something breaks.
    pub async fn start(args: &BenchArgs) -> anyhow::Result<Self> {
        let (rooms, relays) = (args.tables[0], args.relays[0]);
        let stage = Stage::start(relays, Tables::of(rooms), args.no_build).await?;
        let heard = Rc::new(Heard::default());
        let (at, count) = (&stage, &heard);
        let coming = stream::iter(0..rooms * SEATS).map(|index| async move {
            let relay = if args.apart { index } else { index / SEATS };
            Member::come(at, index, relay, count.clone()).await
        });
        let came: Vec<_> = coming.buffered(OPENING_MAX).collect().await;
        let members = came.into_iter().collect::<anyhow::Result<_>>()?;
        Ok(Self { stage, members, heard, rooms })
    }

    /// One run: each pace, the last of them without a prefix in its figures' names.
    ///
    /// # Errors
    /// When something breaks.
    pub async fn run(&mut self, args: &BenchArgs) -> anyhow::Result<Run> {
        let mut run = Run::default();
        for (rate, prefix) in args.paces() {
            self.measure(args, rate, &prefix, &mut run).await?;
        }
        Ok(run)
    }

    /// Ends the cluster.
    pub async fn end(self) {
        self.members.iter().for_each(|member| member.reading.abort());
        self.stage.end().await;
    }

    async fn measure(
        &mut self,
        args: &BenchArgs,
        rate: u64,
        prefix: &str,
        run: &mut Run,
    ) -> anyhow::Result<()> {
        self.talk(rate, SETTLE.as_secs() * rate).await?;
        sleep(SETTLE).await;
        self.heard.begin();
        let before = self.stage.snapshot()?;
        let lines = args.seconds * rate;
        let late_us = self.talk(rate, lines).await?;
        let cost = self.stage.cost_since(&before)?;
        sleep(SETTLE).await;
        let latency_us = self.heard.latency_us.take().context("counting has begun")?;
        let (heard, lost) = (self.heard.frames.get(), self.heard.lost.get());
        anyhow::ensure!(heard > 0, "nobody heard anything");
        let bytes = self.heard.bytes.get() / heard;

        let floor = measure_hops(&self.stage, self.rooms, args, rate, usize::try_from(bytes)?).await?;
        let name = |name: &str| format!("{prefix}{name}");
        for (short, share) in [("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999)] {
            let of = |histogram: &Histogram<u64>| histogram.value_at_quantile(share) as f64;
            run.compare(&name(short), of(&latency_us), of(&floor.latency_us));
            run.tell(&name(&format!("written_late_{short}")), of(&late_us));
        }
        run.latency.push(Curve::of(format!("due to every listener, {rate}/s"), &latency_us));
        run.latency.push(Curve::of(format!("two Redis hops, {rate}/s"), &floor.latency_us));
        // Keyframes come on top of what is said, so there may be more, never less.
        let due = lines * SEATS as u64;
        run.tell(&name("lost"), (lost + due.saturating_sub(heard)) as f64);
        cost.tell_per_delivery(run, name, heard as f64);
        run.tell(&name("deliveries_per_s"), heard as f64 / cost.seconds);
        run.tell(&name("message_bytes_per_delivery"), bytes as f64);
        let commands = cost.commands.all() as f64;
        run.tell(&name("redis_commands_per_line_with_all_else"), commands / lines as f64);
        run.tell(&name("generator_cores"), cost.generator_cores());
        Ok(())
    }

    /// Says so many lines at a pace, in one room after the other; returns by how much they were written after they were due.
    async fn talk(&mut self, rate: u64, lines: u64) -> anyhow::Result<Histogram<u64>> {
        let said = ".".repeat(SAID_CHARS);
        let mut late_us = new_histogram();
        let mut due = due_at(rate, lines);
        let mut line = 0;
        while let Some(due_us) = due.recv().await {
            // Everybody in turn, and no two in turn in the same room.
            let (room, seat) = (line % self.rooms, line / self.rooms % SEATS);
            self.members[room * SEATS + seat].say(due_us, &said).await?;
            late_us.saturating_record(tcp::now_us().saturating_sub(due_us));
            line += 1;
        }
        Ok(late_us)
    }
}

impl Member {
    async fn come(stage: &Stage, index: usize, relay: usize, heard: Rc<Heard>) -> anyhow::Result<Self> {
        let room = talk::beside(&Stage::table(index / SEATS))?;
        let token = stage.token(&format!("talker{index}"));
        let mut socket = enter(&stage.dialer(relay)?, hello(&token, None)).await?.socket;
        socket.send(Message::text(format!(r#"{{"t":"watch","room":"{room}"}}"#))).await?;
        let seq = loop {
            let message = socket.next().await.context("the relay ended the connection")??;
            if let Some(Told::Keyframe { seq, .. }) = message.as_text().map(Told::read) {
                break seq;
            }
        };
        let (out, incoming) = socket.split();
        let reading = spawn_local(watch_frames(incoming, seq, heard)).abort_handle();
        Ok(Self { room, out, n: 0, reading })
    }

    async fn say(&mut self, due_us: u64, said: &str) -> anyhow::Result<()> {
        self.n += 1;
        let (n, room) = (self.n, &self.room);
        let text =
            format!(r#"{{"t":"do","n":{n},"room":"{room}","do":{{"a":"say","text":"{due_us}{said}"}}}}"#);
        Ok(self.out.send(Message::text(text)).await?)
    }
}
