//! `rooms`: counters that write to each other, with nothing else going on; and counters that open and end beside tables that are played,
//! held against the same tables without them. Counters are told by this process, in the place of a relay.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use anyhow::Context;
use broker::{
    bus::{Receiver, Subscription},
    channel::Channel,
    directory::{self, Readers},
    entry::{Entry, Kind},
    node::{Asked, NodeNews, RoomSpec, ToRoom, decode, encode},
    ports::Ports,
};
use bytes::Bytes;
use hdrhistogram::Histogram;
use loadtest::{cluster::ClusterArgs, swarm::tally::new_histogram};
use parking_lot::Mutex;
use protocol::{
    id::{Epoch, NodeId, RoomId, SessionId, UserId},
    rights::Rights,
};
use rooms::{open_room, testing::counter::Settings};
use serde_json::{Value, json};
use tokio::{
    sync::Notify,
    task::spawn_local,
    time::{Duration, Instant, sleep, timeout},
};

use super::{
    args::BenchArgs,
    figures::{Curve, Run},
    pace::Pace,
    play::Play,
    stage::{Stage, Tables},
};
use crate::counting_worker;

const RELAYS: usize = 2;
const WORKERS: usize = 2;

/// Letters a second, of all counters together.
const LETTERS_PER_S: u64 = 300;

/// How often the pace is looked at.
const PACE_EVERY: Duration = Duration::from_millis(1);

/// Before anything is counted.
const SETTLE: Duration = Duration::from_secs(2);

/// What was asked for is done within this, or something is wrong.
const WITHIN: Duration = Duration::from_secs(60);

/// What each counter has to pass on.
const STOCK: u64 = 1_000;

/// One run.
///
/// # Errors
/// When something breaks, or a letter or an end does not come.
pub async fn run(args: &BenchArgs) -> anyhow::Result<Run> {
    let tables = *args.tables.first().context("a number of tables")?;
    let rate = *args.rate.first().context("a rate")?;
    let cluster = ClusterArgs {
        relays: RELAYS,
        dealers: WORKERS,
        no_build: args.no_build,
        stand_in: Some(counting_worker::stand_in(None, &[])?),
        ..ClusterArgs::default()
    };
    let mut run = Run::default();
    let stage = Stage::with(cluster.clone(), Tables::of(0)).await?;
    letters(&stage, args, tables, &mut run).await?;
    stage.end().await;
    let stage = Stage::with(cluster, Tables::of(tables)).await?;
    churn(&stage, args, tables, rate, &mut run).await?;
    stage.end().await;
    Ok(run)
}

/// Letters around a ring of counters, one on its way from each at the most.
async fn letters(stage: &Stage, args: &BenchArgs, counters: usize, run: &mut Run) -> anyhow::Result<()> {
    let ring: Vec<RoomId> = (0..counters).map(|index| counter("ring", index)).collect();
    let house = Counters::of(stage).await?;
    for (index, room) in ring.iter().enumerate() {
        let before = ring[(index + counters - 1) % counters].clone();
        house.open(room, &Settings { peers: vec![before], ..Settings::default() }).await?;
    }
    house
        .until("all counters have an owner", |heard| ring.iter().all(|room| heard.epochs.contains_key(room)))
        .await?;
    for room in &ring {
        house.tell(room, &json!({"a": "add", "by": STOCK})).await?;
    }
    // Rooms that were opened before those that they write to have asked for them in vain, and ask again after a while.
    for (index, room) in ring.iter().enumerate() {
        let to = &ring[(index + 1) % counters];
        house.tell(room, &json!({"a": "send", "to": to, "by": 1})).await?;
    }
    house.until("each has heard a letter", |heard| heard.told >= counters as u64).await?;
    sleep(SETTLE).await;
    house.heard.state.lock().begin();

    let mut pace = Pace::new(LETTERS_PER_S);
    let end = Instant::now() + Duration::from_secs(args.seconds);
    let mut asked = 0_u64;
    while Instant::now() < end {
        sleep(PACE_EVERY).await;
        for _ in 0..pace.due(Instant::now()) {
            let from = asked as usize % counters;
            let to = &ring[(from + 1) % counters];
            house.tell(&ring[from], &json!({"a": "send", "to": to, "by": 1})).await?;
            asked += 1;
            pace.done();
        }
    }
    house.until("all letters have been told", |heard| heard.told >= asked).await?;
    let heard = house.heard.state.lock();
    for (name, share) in [("letter_p50_us", 0.5), ("letter_p99_us", 0.99), ("letter_p999_us", 0.999)] {
        run.tell(name, heard.letters_us.value_at_quantile(share) as f64);
    }
    run.tell("letters", heard.told as f64);
    run.latency.push(Curve::of("letter, from the sender's commit to the receiver's", &heard.letters_us));
    Ok(())
}

/// The tables are played for a while, then for as long while counters open and end.
async fn churn(
    stage: &Stage,
    args: &BenchArgs,
    tables: usize,
    rate: u64,
    run: &mut Run,
) -> anyhow::Result<()> {
    let play = Play::seat(stage, tables, args.apart).await?;
    let house = Counters::of(stage).await?;
    let playing = spawn_local({
        let play = play.clone();
        async move { play.run(rate).await }
    });
    sleep(SETTLE).await;
    play.reset();
    sleep(Duration::from_secs(args.seconds)).await;
    let quiet = play.counts.latency_us.borrow().clone();
    play.reset();
    house.heard.state.lock().taken.clear();

    let began = Instant::now();
    let each = Duration::from_secs(args.seconds) / args.churned;
    let churned: Vec<RoomId> = (0..args.churned as usize).map(|index| counter("churn", index)).collect();
    for (number, room) in (1..).zip(&churned) {
        house.open(room, &Settings::default()).await?;
        house.until("it has an owner", |heard| heard.epochs.contains_key(room)).await?;
        house.tell(room, &json!({"a": "close"})).await?;
        tokio::time::sleep_until(began + each * number).await;
    }
    house.until("all have ended", |heard| heard.ended.len() == churned.len()).await?;
    let seconds = began.elapsed().as_secs_f64();
    let beside = play.counts.latency_us.borrow().clone();
    let faults = [
        ("missed", &play.counts.missed),
        ("repeated", &play.counts.repeated),
        ("refused", &play.counts.refused),
    ];
    for (name, count) in faults {
        run.tell(name, count.get() as f64);
    }
    playing.abort();
    play.cut_all().await;
    let mut left = 0_u32;
    for room in &churned {
        left += u32::from(directory::spec(&*house.ports.store, room).await?.is_some());
    }
    for (name, share) in [("p50_us", 0.5), ("p99_us", 0.99)] {
        run.compare(name, beside.value_at_quantile(share) as f64, quiet.value_at_quantile(share) as f64);
    }
    run.latency.push(Curve::of("action to every player, rooms open and end beside", &beside));
    run.latency.push(Curve::of("action to every player, without", &quiet));
    run.tell("opened_and_ended", churned.len() as f64);
    run.tell("opened_and_ended_per_s", churned.len() as f64 / seconds);
    run.tell("left_in_the_directory", f64::from(left));
    let taken = &house.heard.state.lock().taken;
    run.tell("other_rooms_moved", taken.iter().filter(|room| !churned.contains(room)).count() as f64);
    Ok(())
}

fn counter(of: &str, index: usize) -> RoomId {
    RoomId::new(&format!("{of}{}", index + 1)).expect("letters and digits are a name")
}

/// Counters as a relay knows them.
struct Counters {
    ports: Ports,
    node: NodeId,
    heard: Arc<Heard>,
    subscription: Box<dyn Subscription>,
    n: std::cell::Cell<u64>,
}

impl Counters {
    async fn of(stage: &Stage) -> anyhow::Result<Rc<Self>> {
        let ports = stage.ports().await?;
        let heard = Arc::new(Heard { state: Mutex::new(State::new()), changed: Notify::new() });
        let subscription = ports.bus.subscriber(heard.clone());
        subscription.subscribe(&Channel::nodes()).await?;
        Ok(Rc::new(Self { ports, node: NodeId::new("bench")?, heard, subscription, n: 0.into() }))
    }

    async fn open(&self, room: &RoomId, settings: &Settings) -> anyhow::Result<()> {
        self.subscription.subscribe(&Channel::frames(room)).await?;
        let spec = RoomSpec::new("counter", settings);
        let is_new = open_room(&self.ports, room, &spec, Readers::OfThisRelease).await?;
        anyhow::ensure!(is_new, "{room} is there already");
        Ok(())
    }

    async fn tell(&self, room: &RoomId, what: &Value) -> anyhow::Result<()> {
        let epoch = self.heard.state.lock().epochs.get(room).copied().context("it has no owner")?;
        self.n.set(self.n.get() + 1);
        let what = Asked::First {
            user: UserId::new("bench")?,
            name: "Bench".into(),
            session: SessionId(1),
            n: self.n.get(),
            body: what.to_string().into(),
            rights: Rights::default(),
        };
        let message = ToRoom { epoch, relay: self.node.clone(), what };
        self.ports.bus.publish(&Channel::commands(room), encode(&message)).await?;
        Ok(())
    }

    async fn until(&self, what: &str, is_so: impl Fn(&State) -> bool) -> anyhow::Result<()> {
        let waiting = async {
            loop {
                let changed = self.heard.changed.notified();
                if is_so(&self.heard.state.lock()) {
                    return;
                }
                changed.await;
            }
        };
        timeout(WITHIN, waiting).await.with_context(|| format!("waited until {what}"))
    }
}

/// What is said of counters.
struct Heard {
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    epochs: BTreeMap<RoomId, Epoch>,
    /// When letters were committed, by sender, receiver and number; until they are told.
    sent_at: BTreeMap<(RoomId, RoomId, u64), Instant>,
    sent: BTreeMap<(RoomId, RoomId), u64>,
    letters_us: Histogram<u64>,
    told: u64,
    ended: BTreeSet<RoomId>,
    /// Rooms that somebody has taken.
    taken: Vec<RoomId>,
}

impl State {
    fn new() -> Self {
        Self {
            epochs: BTreeMap::new(),
            sent_at: BTreeMap::new(),
            sent: BTreeMap::new(),
            letters_us: new_histogram(),
            told: 0,
            ended: BTreeSet::new(),
            taken: Vec::new(),
        }
    }

    /// Counts from now on.
    fn begin(&mut self) {
        self.letters_us.reset();
        self.told = 0;
    }

    fn hear(&mut self, entry: &Entry) -> anyhow::Result<()> {
        self.epochs.insert(entry.room.clone(), entry.at.epoch());
        if entry.kind == Kind::End {
            self.ended.insert(entry.room.clone());
        }
        if entry.kind != Kind::Delta {
            return Ok(());
        }
        let public: Value = serde_json::from_slice(&entry.public)?;
        for event in public["events"].as_array().into_iter().flatten() {
            let other = |key: &str| RoomId::new(event[key].as_str().unwrap_or_default());
            match event["e"].as_str() {
                Some("sent") => {
                    let way = (entry.room.clone(), other("to")?);
                    let number = self.sent.entry(way.clone()).or_default();
                    *number += 1;
                    self.sent_at.insert((way.0, way.1, *number), Instant::now());
                }
                Some("received") => {
                    let number = event["number"].as_u64().context("a number")?;
                    let way = (other("from")?, entry.room.clone(), number);
                    let sent_at = self.sent_at.remove(&way).context("it was not sent")?;
                    let us = u64::try_from(sent_at.elapsed().as_micros()).unwrap_or(u64::MAX);
                    self.letters_us.saturating_record(us);
                    self.told += 1;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Receiver for Heard {
    fn deliver(&self, channel: &str, payload: Bytes) {
        let mut state = self.state.lock();
        if channel == Channel::nodes().as_str() {
            if let Ok(NodeNews::Owns { room, .. }) = decode(&payload) {
                state.taken.push(room);
            }
            return;
        }
        let heard = Entry::decode(payload).map_err(anyhow::Error::from).and_then(|entry| state.hear(&entry));
        heard.expect("workers say what can be read, and tell no letter before it was sent");
        self.changed.notify_waiters();
    }

    fn missed(&self) {
        panic!("the broker of a benchmark loses nothing");
    }
}
