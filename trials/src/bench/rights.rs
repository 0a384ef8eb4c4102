//! `rights`: users are banned while their sockets are open, at three relays. How long until each socket is closed: of one user after the
//! other, of all at once, and of all when the news of it reach no relay.

use std::{collections::BTreeMap, rc::Rc, sync::Arc};

use anyhow::Context;
use broker::{
    bus::memory::MemoryBus,
    ports::Ports,
    revocations::{Bearer, Revoker},
    wire::Wire,
};
use futures_util::{StreamExt, stream};
use hdrhistogram::Histogram;
use player::connect::Socket;
use protocol::{
    CloseCode,
    id::{NodeId, UserId},
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Duration, Instant, sleep_until, timeout},
};

use super::{
    args::BenchArgs,
    connection::{enter, hello},
    figures::{Curve, Run},
    stage::{Stage, Tables},
};

const RELAYS: usize = 3;

/// Users who are banned one after the other, before the others are all at once.
const ONE_BY_ONE: usize = 50;

/// When no relay hears of it, users are banned in so many parts, at times that are spread over the time between two readings.
const PARTS: usize = 10;

/// Between two parts.
const PART_EVERY: Duration = Duration::from_millis(500);

/// Connections being opened at the same time.
const OPENING_MAX: usize = 128;

/// Tokens live as long as reception's do, milliseconds.
const TOKEN_MS: u64 = 600_000;

/// Whoever is not closed within this is not closed.
const CLOSED_WITHIN: Duration = Duration::from_secs(30);

/// One run.
///
/// # Errors
/// When something breaks, or a socket is not closed for what it should be.
pub async fn run(args: &BenchArgs) -> anyhow::Result<Run> {
    let mut run = Run::default();
    let stage = Stage::start(RELAYS, Tables::of(0), args.no_build).await?;
    let ports = stage.ports().await?;
    let nowhere = MemoryBus::new(Wire::perfect(), &NodeId::new("nowhere")?);
    let unheard = Revoker::new(Ports { bus: Arc::new(nowhere), ..ports.clone() }, TOKEN_MS);
    let heard = Revoker::new(ports, TOKEN_MS);

    let mut house = House::open(&stage, args.sockets).await?;
    let mut one = Histogram::<u64>::new(3)?;
    let one_by_one = ONE_BY_ONE.min(house.users / 2);
    for user in 0..one_by_one {
        house.ban(&heard, user..user + 1).await?;
        house.all_closed(&mut one).await?;
    }
    let mut all = Histogram::<u64>::new(3)?;
    house.ban(&heard, one_by_one..house.users).await?;
    house.all_closed(&mut all).await?;
    house.end();

    let mut house = House::open(&stage, args.sockets).await?;
    let mut lost = Histogram::<u64>::new(3)?;
    let began = Instant::now();
    for part in 0..PARTS {
        sleep_until(began + PART_EVERY * u32::try_from(part)?).await;
        house.ban(&unheard, house.users * part / PARTS..house.users * (part + 1) / PARTS).await?;
    }
    house.all_closed(&mut lost).await?;
    house.end();
    stage.end().await;

    for (what, took_us) in [("one", &one), ("all", &all), ("news_lost", &lost)] {
        for (name, share) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
            run.tell(&format!("{what}_closed_{name}_ms"), took_us.value_at_quantile(share) as f64 / 1e3);
        }
        run.latency.push(Curve::of(what, took_us));
    }
    run.tell("sockets", args.sockets as f64);
    run.tell("closed", (one.len() + all.len() + lost.len()) as f64);
    Ok(run)
}

/// Users with a socket at each relay.
struct House {
    users: usize,
    /// Since when they are banned.
    banned: BTreeMap<usize, Instant>,
    /// So many sockets of theirs are to be closed yet.
    open: usize,
    /// Whose socket was closed, and when.
    closed: mpsc::UnboundedReceiver<(usize, anyhow::Result<Instant>)>,
    holding: JoinSet<()>,
}

impl House {
    async fn open(stage: &Stage, sockets: usize) -> anyhow::Result<Self> {
        let users = (sockets / RELAYS).max(1);
        let opening = stream::iter(0..users * RELAYS).map(|place| async move {
            let user = place / RELAYS;
            let token = stage.token(&name(user));
            anyhow::Ok((user, enter(&stage.dialer(place)?, hello(&token, None)).await?.socket))
        });
        let mut opening = opening.buffer_unordered(OPENING_MAX);
        let (tells, closed) = mpsc::unbounded_channel();
        let tells = Rc::new(tells);
        let mut holding = JoinSet::new();
        while let Some(opened) = opening.next().await {
            let (user, socket) = opened?;
            let tells = tells.clone();
            holding.spawn_local(async move {
                let _ = tells.send((user, until_revoked(socket).await));
            });
        }
        Ok(Self { users, banned: BTreeMap::new(), open: 0, closed, holding })
    }

    async fn ban(&mut self, revoker: &Revoker, users: std::ops::Range<usize>) -> anyhow::Result<()> {
        let bearers = users.clone().map(|user| Ok(Bearer { user: UserId::new(&name(user))?, login: None }));
        let bearers: Vec<Bearer> = bearers.collect::<anyhow::Result<_>>()?;
        let now = Instant::now();
        self.open += users.len() * RELAYS;
        self.banned.extend(users.map(|user| (user, now)));
        Ok(revoker.revoke(&bearers).await?)
    }

    /// Waits until all sockets are closed of those who are banned.
    async fn all_closed(&mut self, took_us: &mut Histogram<u64>) -> anyhow::Result<()> {
        while self.open > 0 {
            let closed = timeout(CLOSED_WITHIN, self.closed.recv()).await;
            let (user, at) = closed.context("a socket of somebody who is banned is open")?.context("open")?;
            let since = self.banned.get(&user).with_context(|| format!("{} is not banned", name(user)))?;
            took_us.record(u64::try_from((at? - *since).as_micros())?)?;
            self.open -= 1;
        }
        anyhow::ensure!(self.closed.try_recv().is_err(), "somebody else was closed");
        Ok(())
    }

    fn end(mut self) {
        self.holding.abort_all();
    }
}

fn name(user: usize) -> String {
    format!("u{user}")
}

/// Reads until the relay closes; when that was.
async fn until_revoked(mut socket: Socket) -> anyhow::Result<Instant> {
    loop {
        let message = socket.next().await.context("the connection broke")??;
        let Some((code, reason)) = message.as_close() else { continue };
        let at = Instant::now();
        anyhow::ensure!(
            u16::from(code) == CloseCode::Revoked as u16,
            "closed with {} {reason}",
            u16::from(code)
        );
        return Ok(at);
    }
}
