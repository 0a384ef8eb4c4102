//! Players who come to a table whose chips are somebody's, and leave as soon as they sit: what they measure is how long their chips take.
//!
//! How long is counted from when a player was *due* to come, and not from when he said so: who is late because the house is slow with
//! those before him has waited too. The generator's own share, from due to written, is told apart.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use anyhow::Context;
use futures_util::{SinkExt, StreamExt, stream, stream::SplitSink, stream::SplitStream};
use hdrhistogram::Histogram;
use loadtest::swarm::tally::new_histogram;
use player::connect::Socket;
use protocol::id::RoomId;
use tokio::{
    task::{AbortHandle, spawn_local},
    time::{Duration, Instant, sleep},
};
use tokio_websockets::Message;

use super::{
    connection::{enter, hello},
    floor::tcp,
    pace::due_at,
    play::SEATS,
    stage::Stage,
    told::{SeatNews, Told},
};

/// So many come to a table: while one waits for chips that do not come, another can be told so.
pub const PER_TABLE: usize = 2;

/// What a player brings.
const BRINGS: u64 = 200;

/// Connections being opened at the same time.
const OPENING_MAX: usize = 64;

/// Whoever sits leaves within this, when the hand ends that he may be in; and chips that do not come are waited for no longer.
const GONE_WITHIN: Duration = Duration::from_secs(60);

/// Between two looks at whether all are gone.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Where a player is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Not at the table.
    Away,
    /// He has asked for a seat.
    Asked { due_us: u64, sent_us: u64 },
    /// He has had it, and has said that he leaves.
    Leaving,
}

/// What players have counted since the last [`Comers::reset`].
pub struct Counts {
    /// From when a player was due to when he heard that he sits.
    pub seated_us: RefCell<Histogram<u64>>,
    /// The same from when he had asked.
    pub asked_us: RefCell<Histogram<u64>>,
    /// By how much he asked late.
    pub late_us: RefCell<Histogram<u64>>,
    /// From when he had asked to when he was refused.
    pub refused_us: RefCell<Histogram<u64>>,
    /// So many were given a seat, and it was taken back: their chips did not come in time.
    pub freed: Cell<u64>,
}

impl Counts {
    fn new() -> Self {
        let histogram = || RefCell::new(new_histogram());
        Self {
            seated_us: histogram(),
            asked_us: histogram(),
            late_us: histogram(),
            refused_us: histogram(),
            freed: Cell::new(0),
        }
    }
}

struct Comer {
    room: RoomId,
    seat: usize,
    news: SeatNews,
    out: tokio::sync::Mutex<SplitSink<Socket, Message>>,
    n: Cell<u64>,
    at: Cell<At>,
}

/// All of them, until [`Comers::end`].
pub struct Comers {
    all: Vec<Comer>,
    /// Who is at no table, in the order in which they left.
    idle: RefCell<VecDeque<usize>>,
    /// For whom there was nobody yet: when they were due.
    due: RefCell<VecDeque<u64>>,
    reading: RefCell<Vec<AbortHandle>>,
    /// What all have brought and not taken away since they came in: who was in a hand may have lost something, or won.
    lying: Cell<i64>,
    /// What they count.
    pub counts: Counts,
}

impl Comers {
    /// Has [`PER_TABLE`] players watch each of so many tables, behind its first [`SEATS`] seats.
    ///
    /// # Errors
    /// When one is turned away.
    pub async fn come_in(stage: &Stage, tables: usize) -> anyhow::Result<Rc<Self>> {
        // One for each table, and then another.
        let coming = stream::iter(0..tables * PER_TABLE).map(|index| async move {
            let (table, seat) = (index % tables, SEATS + index / tables);
            let user = format!("comer{index}");
            let mut socket = enter(&stage.dialer(table)?, hello(&stage.token(&user), None)).await?.socket;
            let room = Stage::table(table);
            socket.send(Message::text(format!(r#"{{"t":"watch","room":"{room}"}}"#))).await?;
            let (out, incoming) = socket.split();
            let comer = Comer {
                room,
                seat,
                news: SeatNews::of(seat, &user),
                out: tokio::sync::Mutex::new(out),
                n: Cell::new(0),
                at: Cell::new(At::Away),
            };
            anyhow::Ok((comer, incoming))
        });
        let came: Vec<_> = coming.buffered(OPENING_MAX).collect().await;
        let (all, incoming): (Vec<_>, Vec<_>) =
            came.into_iter().collect::<anyhow::Result<Vec<_>>>()?.into_iter().unzip();
        let comers = Rc::new(Self {
            idle: RefCell::new((0..all.len()).collect()),
            all,
            due: RefCell::default(),
            reading: RefCell::default(),
            lying: Cell::new(0),
            counts: Counts::new(),
        });
        let reading = incoming.into_iter().enumerate().map(|(index, incoming)| {
            let comers = comers.clone();
            spawn_local(async move { comers.read(index, incoming).await }).abort_handle()
        });
        let reading: Vec<_> = reading.collect();
        comers.reading.replace(reading);
        Ok(comers)
    }

    /// So many are due at a pace.
    ///
    /// # Errors
    /// When a connection has ended.
    pub async fn come(&self, per_s: u64, count: u64) -> anyhow::Result<()> {
        let mut due = due_at(per_s, count);
        while let Some(due_us) = due.recv().await {
            self.due.borrow_mut().push_back(due_us);
            self.ask().await?;
        }
        Ok(())
    }

    /// Those for whom there was nobody do not come any more.
    pub fn call_off(&self) -> u64 {
        std::mem::take(&mut *self.due.borrow_mut()).len() as u64
    }

    /// Waits until all who were due have come and all have left.
    ///
    /// # Errors
    /// When they do not.
    pub async fn all_gone(&self) -> anyhow::Result<()> {
        let give_up = Instant::now() + GONE_WITHIN;
        while self.idle.borrow().len() < self.all.len() || !self.due.borrow().is_empty() {
            let left = self.all.len() - self.idle.borrow().len();
            anyhow::ensure!(Instant::now() < give_up, "{left} have not left after {GONE_WITHIN:?}");
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Forgets what was counted.
    pub fn reset(&self) {
        let Counts { seated_us, asked_us, late_us, refused_us, freed } = &self.counts;
        for histogram in [seated_us, asked_us, late_us, refused_us] {
            histogram.borrow_mut().reset();
        }
        freed.set(0);
    }

    /// What all have brought to tables and not taken away again; below 0: they have won.
    pub fn lying(&self) -> i64 {
        self.lying.get()
    }

    /// Nobody listens any more.
    pub fn end(&self) {
        self.reading.take().iter().for_each(AbortHandle::abort);
    }

    /// Whoever is at no table asks for a seat for whom it is due.
    async fn ask(&self) -> anyhow::Result<()> {
        while let Some((index, due_us)) = self.pair() {
            let comer = &self.all[index];
            let sent_us = tcp::now_us();
            comer.at.set(At::Asked { due_us, sent_us });
            self.counts.late_us.borrow_mut().saturating_record(sent_us.saturating_sub(due_us));
            let what =
                format!(r#"{{"a":"sit","seat":{},"buy_in":{BRINGS},"wait_for_big_blind":true}}"#, comer.seat);
            comer.say(&what).await?;
        }
        Ok(())
    }

    fn pair(&self) -> Option<(usize, u64)> {
        let (mut idle, mut due) = (self.idle.borrow_mut(), self.due.borrow_mut());
        let due_us = *due.front()?;
        let index = idle.pop_front()?;
        due.pop_front();
        Some((index, due_us))
    }

    async fn read(&self, index: usize, mut incoming: SplitStream<Socket>) {
        while let Some(Ok(message)) = incoming.next().await {
            let Some(text) = message.as_text() else { continue };
            if let Err(error) = self.hear(index, text).await {
                // That he does not leave is seen.
                tracing::warn!(%error, index, "cannot go on");
                return;
            }
        }
    }

    async fn hear(&self, index: usize, text: &str) -> anyhow::Result<()> {
        let comer = &self.all[index];
        let since = |us: u64| tcp::now_us().saturating_sub(us);
        match (comer.at.get(), Told::read(text)) {
            (At::Asked { due_us, sent_us }, Told::Frame { rest, .. }) if comer.news.is_seated(rest) => {
                self.counts.seated_us.borrow_mut().saturating_record(since(due_us));
                self.counts.asked_us.borrow_mut().saturating_record(since(sent_us));
                comer.at.set(At::Leaving);
                self.lying.set(self.lying.get() + BRINGS.cast_signed());
                comer.say(r#"{"a":"leave"}"#).await.context("leaving")
            }
            (At::Asked { .. }, Told::Frame { rest, .. }) if comer.news.is_freed(rest) => {
                self.counts.freed.set(self.counts.freed.get() + 1);
                self.is_away(index).await
            }
            (At::Asked { sent_us, .. }, Told::Refused) => {
                self.counts.refused_us.borrow_mut().saturating_record(since(sent_us));
                tracing::debug!(index, text, "refused");
                self.is_away(index).await
            }
            (At::Leaving, Told::Frame { rest, .. }) => match comer.news.left_with(rest) {
                Some(chips) => {
                    self.lying.set(self.lying.get() - chips.cast_signed());
                    self.is_away(index).await
                }
                None => Ok(()),
            },
            (At::Leaving, Told::Refused) => anyhow::bail!("may not leave: {text}"),
            _ => Ok(()),
        }
    }

    async fn is_away(&self, index: usize) -> anyhow::Result<()> {
        self.all[index].at.set(At::Away);
        self.idle.borrow_mut().push_back(index);
        self.ask().await
    }
}

impl Comer {
    async fn say(&self, what: &str) -> anyhow::Result<()> {
        self.n.set(self.n.get() + 1);
        let (n, room) = (self.n.get(), &self.room);
        let text = format!(r#"{{"t":"do","n":{n},"room":"{room}","do":{what}}}"#);
        Ok(self.out.lock().await.send(Message::text(text)).await?)
    }
}
