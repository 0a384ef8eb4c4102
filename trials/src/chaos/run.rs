//! One run: the cluster, the storm, the calm, the verdict.

use std::{
    ffi::OsStr,
    path::Path,
    process::ExitCode,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use anyhow::Context;
use broker::{
    bus::redis::RedisBus,
    clock::Clock,
    ports::Ports,
    queue::redis::RedisQueue,
    redis::{Redis, RedisConfig},
    store::{Store, redis::RedisStore},
};
use loadtest::{
    cluster::{Cluster, ClusterArgs},
    signals,
};
use ops::outlet::{say, tell};
use protocol::{
    id::{RoomId, UserId},
    rail::RailConfig,
    talk::beside,
};
use tokio::{
    sync::Mutex,
    task::JoinSet,
    time::{Duration, Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    args::ChaosArgs,
    badge::Badges,
    books::{Books, take_unwritten},
    counters::Counters,
    crowd::Crowd,
    cup::Cup,
    fault::{Fault, Schedule},
    hearing::Hearing,
    pauses::Pauses,
    planted::publish_unwritten,
    recovery::{Recoveries, Ticket},
    report::{Quantiles, Report},
    strike::{Links, Striker},
    till::TillServer,
};
use crate::{
    counting_worker,
    guests::counters,
    judge::{Auditor, Promise, Shadow, is_in_directory, judge_contest, judge_counters, judge_stakes},
};

/// All bots are online within this.
const ONLINE_WITHIN: Duration = Duration::from_secs(60);

/// After a fault every table concerned goes on within this, or it is a breach.
const RECOVERED_WITHIN: Duration = Duration::from_secs(60);

/// When nothing goes wrong any more, every table completes a hand within this.
const LIVE_WITHIN: Duration = Duration::from_secs(90);

/// Nothing is on its way any more after so long without bots.
const QUIET: Duration = Duration::from_secs(2);

/// What has ended is in no directory after so long.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// How often is looked whether something has come about.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// `trials chaos`: exit status 0 without a breach, 1 with one, 2 when there was nothing to judge.
///
/// # Errors
/// When the cluster cannot be started.
pub async fn command(args: ChaosArgs) -> anyhow::Result<ExitCode> {
    let told = signals::until_told()?;
    let report = run(&args, &told).await?;
    tell(report.text().trim_end());
    if args.json {
        say(serde_json::to_string(&report)?);
    }
    anyhow::ensure!(report.actions > 0, "no action was played");
    Ok(if report.breaches_total() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs until the time is up, or `stop` is cancelled.
///
/// # Errors
/// When the cluster cannot be started; what goes wrong later is a breach.
pub async fn run(args: &ChaosArgs, stop: &CancellationToken) -> anyhow::Result<Report> {
    if args.restores() {
        anyhow::ensure!(args.table_currency.is_some(), "a tape is kept of a ledger: --table-currency");
        anyhow::ensure!(!args.flushes(), "what tables are paid by goes back with the database");
    }
    let mut links = Links::default();
    let with_links = args.with_links();
    let till = TillServer::open(args.seed, args.plant_forgetful_till).await?;
    let books = match args.keeps_hands() {
        true => Some(Arc::new(Books::open().await?)),
        false => None,
    };
    let postgres = books.as_ref().map(|books| books.url().to_owned());
    let has_own_rooms = args.counters() > 0;
    let plants =
        [(args.plant_second_seat, "--plant-second-seat"), (args.plant_late_answers, "--plant-late-answers")];
    let plants: Vec<&str> =
        plants.into_iter().filter(|(is_planted, _)| *is_planted).map(|(_, flag)| flag).collect();
    let stand_in = has_own_rooms.then(|| counting_worker::stand_in(Some(till.port), &plants));
    let cluster = ClusterArgs { stand_in: stand_in.transpose()?, postgres, ..args.cluster() };
    let mut cluster =
        Cluster::start_through(
            &cluster,
            |node, url| {
                if with_links { links.lay(node, url) } else { Ok(url.to_owned()) }
            },
        )
        .await?;
    books.iter().for_each(|books| books.entrust(&cluster.living()));
    let redis =
        Redis::connect(RedisConfig::new(cluster.broker().url())).await.context("the judge needs Redis")?;
    let store = Arc::new(RedisStore::new(redis.clone()));
    let mut shadow = Shadow::new(store.clone());
    let tables: Arc<[RoomId]> =
        (1..=args.tables).map(|number| RoomId::new(&format!("t{number}")).expect("a name")).collect();
    tables.iter().for_each(|table| shadow.follow(table.clone()));
    let talks: Vec<RoomId> = tables.iter().filter_map(|table| beside(table).ok()).collect();
    talks.iter().for_each(|talk| shadow.follow_talk(talk.clone()));
    let tests_own = counters::named(args.counters() as usize);
    tests_own.iter().for_each(|counter| shadow.follow_counter(counter.clone()));
    let bus = Arc::new(RedisBus::new(redis.clone()));
    let ports = Ports { bus, store: store.clone(), clock: Clock::system() };
    counters::open(&tests_own, RailConfig::default(), &ports).await?;
    if has_own_rooms {
        dealer_worker::open_jobs(&ports, &jobs::Settings { lease_ms: 5_000, ..jobs::Settings::default() })
            .await?;
        shadow.follow_jobs(cluster.sealer());
    }
    let cup = match args.tournament {
        None => None,
        Some(_) if args.may_lose() => {
            anyhow::bail!(
                "a tournament is judged only where Redis loses nothing: --redis single --aof always"
            )
        }
        Some(entries) => {
            let level = Duration::from_secs(args.tournament_level_seconds);
            let cup = Cup::open(entries, level, args.table_currency, &ports).await?;
            shadow.follow_contest(cup.room.clone(), cup.config.clone(), cluster.sealer());
            Some(cup)
        }
    };
    if args.may_lose() {
        shadow.expect_losses();
    }
    let shadow = Arc::new(Mutex::new(shadow));
    let pauses = Pauses::listen(&RedisBus::new(redis.clone())).await?;
    let recoveries = Arc::new(Recoveries::new(Clock::system()));
    let (hearing, witness) = Hearing::before(shadow.clone());
    let over = CancellationToken::new();
    let judging = AbortOnDropHandle::new(tokio::spawn(hearing.run(over.clone())));
    let counters = Counters::default();
    let nodes = cluster.nodes();
    let ops = nodes.iter().map(|node| cluster.node(*node).ops()).collect();
    let _counting = AbortOnDropHandle::new(tokio::spawn(counters.clone().watch(ops)));

    let think = Duration::from_millis(args.think_ms);
    let mut crowd = Crowd::start(
        &cluster.ws_url(),
        args.bots,
        &tables,
        think,
        (args.seed, args.table_currency),
        &witness,
        &recoveries,
    )?;
    crowd.add_guests(&tests_own, &tables);
    if has_own_rooms {
        crowd.add_workmen(&Badges::of(&cluster.dir().join("keys"))?);
    }
    cup.iter().for_each(|cup| crowd.add_contestants(cup, think));
    let counts = crowd.counts().clone();
    let auditor = match args.table_currency {
        Some(_) => Some(Auditor::hire(&mut cluster).await.context("the judge needs one of the staff")?),
        None => None,
    };
    let cluster = Arc::new(Mutex::new(cluster));
    let striker = Striker::new(cluster.clone(), Arc::new(links), shadow.clone(), recoveries.clone(), nodes)
        .with_books(books.clone());
    let give_up = Instant::now() + ONLINE_WITHIN;
    while counts.online.load(Relaxed) < args.bots as u64 && Instant::now() < give_up && !stop.is_cancelled() {
        sleep(LOOK_EVERY).await;
    }
    expect_hands(&tables, &shadow).await;

    let queue = RedisQueue::new(redis.clone());
    let thief = args
        .plant_unwritten_hands
        .then(|| AbortOnDropHandle::new(tokio::spawn(take_unwritten(queue.clone()))));
    let _planted = args.plant_unwritten_frames.then(|| {
        let (bus, store, tables) = (RedisBus::new(redis.clone()), RedisStore::new(redis), tables.clone());
        AbortOnDropHandle::new(tokio::spawn(async move { publish_unwritten(bus, store, &tables).await }))
    });
    let mut report = Report::default();
    let began = Instant::now();
    let storm = Storm { striker: striker.clone(), recoveries: recoveries.clone(), shadow: shadow.clone() };
    storm.rage(args, began + args.stormy(), stop, &mut report).await;
    report.minutes = began.elapsed().as_secs_f64() / 60.0;

    if let Err(error) = striker.heal().await {
        shadow.lock().await.accuse(Promise::Live, format!("not ready when all was over: {error:#}"));
    }
    expect_hands(&tables, &shadow).await;
    if let Some(cup) = &cup {
        expect_winner(cup, began, &shadow, stop).await;
    }
    judge_ledger(auditor.as_ref(), args, &shadow).await;
    if let (Some(auditor), Some(currency), true) = (&auditor, args.table_currency, args.plant_slipped_chip) {
        auditor.slip(tables[0].clone(), currency).await?;
    }
    let left = crowd.end().await;
    expect_ends(&tests_own, &shadow).await;
    expect_burials(&tests_own, &*store).await;
    sleep(QUIET).await;
    if let (Some(auditor), Some(currency), true) = (&auditor, args.table_currency, args.plant_forged_booking)
    {
        auditor.forge(tables[0].clone(), currency).await?;
    }
    judge_ledger(auditor.as_ref(), args, &shadow).await;
    drop(thief);
    // What was written down has gone back with the database.
    if let Some(books) = books.as_ref().filter(|_| !args.restores()) {
        let keys = cluster.lock().await.dir().join("keys");
        match books.judge(&queue, &keys, Clock::system().now_ms(), &shadow).await {
            Ok(written) => report.written = written,
            Err(error) => shadow.lock().await.accuse(Promise::Live, format!("{error:#}")),
        }
    }
    if let Some(auditor) = &auditor {
        let settled = auditor.settled().await?;
        (report.settled_tables, report.settled_players) = (settled.tables, settled.paid);
        let mut shadow = shadow.lock().await;
        settled.wrong.into_iter().for_each(|wrong| shadow.accuse(Promise::Money, wrong));
    }
    over.cancel();
    report.judged = judging.await?;

    let mut shadow = shadow.lock().await;
    judge_counters(&tests_own, |room| till.till.taken(room), &*store, &mut shadow).await?;
    if has_own_rooms && !args.may_lose() {
        shadow.judge_jobs();
    }
    (report.jobs_done, report.jobs_handed_on) = shadow.jobs_done();
    if let Some(cup) = &cup {
        judge_contest(&*store, &mut shadow).await?;
        report.tournament = shadow.contest_progress().map(|progress| cup.played(progress));
        if let (Some(auditor), Some(currency)) = (&auditor, cup.currency) {
            let users: Vec<UserId> = shadow.prizes_of_contest().into_keys().collect();
            let books = auditor.read(currency, cup.room.clone(), users.clone()).await?;
            judge_stakes(&cup.room, cup.cost(), &users, &books, &mut shadow)?;
            report.tournament.iter_mut().for_each(|played| played.accounts = users.len());
        }
        anyhow::ensure!(!shadow.is_contest_unread(), "the judge was too slow to read all of the tournament");
    }
    report.hands = tables.iter().map(|table| shadow.hands_ended(table)).sum();
    report.frames = shadow.frames();
    report.actions = counts.actions.load(Relaxed);
    report.deliveries = counts.deliveries.load(Relaxed);
    report.reconnects = counts.reconnects.load(Relaxed);
    report.not_judged = witness.left_out();
    report.take_broken(shadow.broken());
    report.refereed(&left.breaches);
    report.purses = left.purses;
    if left.turned_away > 0 {
        report.take_broken(&[(
            Promise::Client,
            format!("{} bots were turned away for good", left.turned_away),
        )]);
    }
    report.recovered(recoveries.times());
    report.hand_over_us = Quantiles::of(pauses.pauses_us());
    report.counted = counters.sums();
    drop((shadow, striker, storm));
    if let Some(cluster) = Arc::into_inner(cluster) {
        let cluster = cluster.into_inner();
        if let Some(dir) = args.logs.as_ref().filter(|_| report.breaches_total() > 0) {
            keep_logs(cluster.dir(), dir, &report).context("the logs cannot be kept")?;
        }
        cluster.end().await;
    }
    Ok(report)
}

/// Where chips are somebody's, the ledger says the same as the tables.
async fn judge_ledger(auditor: Option<&Auditor>, args: &ChaosArgs, shadow: &Mutex<Shadow>) {
    let Some(auditor) = auditor else { return };
    // A tournament whose entries cost something is compared like a table.
    let tables = args.tables + u32::from(args.tournament.is_some());
    match auditor.find(tables, args.may_lose()).await {
        Ok(None) => {}
        Ok(Some(wrong)) => shadow.lock().await.accuse(Promise::Money, wrong),
        Err(error) => shadow.lock().await.accuse(Promise::Live, format!("{error:#}")),
    }
}

/// Copies the processes' logs to `to`, and writes the faults and breaches beside them.
fn keep_logs(from: &Path, to: &Path, report: &Report) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        if let (Some("log"), Some(name)) = (path.extension().and_then(OsStr::to_str), path.file_name()) {
            std::fs::copy(&path, to.join(name))?;
        }
    }
    std::fs::write(to.join("faults.txt"), report.struck.join("\n") + "\n")?;
    std::fs::write(to.join("breaches.txt"), report.described.join("\n") + "\n")
}

/// The time as logs give it, UTC.
fn time_of_day() -> String {
    let ms = Clock::system().now_ms() % 86_400_000;
    let (s, ms) = (ms / 1_000, ms % 1_000);
    format!("{:02}:{:02}:{:02}.{ms:03}", s / 3_600, s / 60 % 60, s % 60)
}

/// One fault after the other.
struct Storm {
    striker: Striker,
    recoveries: Arc<Recoveries>,
    shadow: Arc<Mutex<Shadow>>,
}

impl Storm {
    async fn rage(&self, args: &ChaosArgs, until: Instant, stop: &CancellationToken, report: &mut Report) {
        let mut struck = JoinSet::new();
        let schedule = Schedule::new(args.seed, args.kinds(), !args.one_at_a_time, args.calm_ms_max);
        for fault in schedule {
            if Instant::now() >= until || stop.is_cancelled() {
                break;
            }
            tracing::info!(?fault, "strikes");
            report.struck.push(format!("{} {fault:?}", time_of_day()));
            *report.faults.entry(fault.kind).or_default() += 1;
            struck.spawn(strike(fault, self.striker.clone(), self.recoveries.clone(), self.shadow.clone()));
            if !fault.overlaps {
                while struck.join_next().await.is_some() {}
            }
            tokio::select! {
                () = sleep(fault.calm) => {}
                () = stop.cancelled() => {}
            }
        }
        while struck.join_next().await.is_some() {}
    }
}

async fn strike(fault: Fault, striker: Striker, recoveries: Arc<Recoveries>, shadow: Arc<Mutex<Shadow>>) {
    let ticket: Ticket = match striker.strike(fault).await {
        Ok(ticket) => ticket,
        Err(error) => {
            let what = format!("after {}: {error:#}", fault.kind.name());
            return shadow.lock().await.accuse(Promise::Live, what);
        }
    };
    let stuck = recoveries.wait(ticket, RECOVERED_WITHIN).await;
    striker.relent(fault).await;
    if let Some(table) = stuck.first() {
        let what = format!(
            "{}: {} tables, {table} among them, accepted no action within {RECOVERED_WITHIN:?} of {}",
            time_of_day(),
            stuck.len(),
            fault.kind.name()
        );
        shadow.lock().await.accuse(Promise::Live, what);
    }
}

/// The tellers have closed the counters: each ends, once its errands are done and its letters told.
async fn expect_ends(counters: &[RoomId], shadow: &Mutex<Shadow>) {
    let all = async {
        loop {
            let shadow = shadow.lock().await;
            if counters.iter().all(|counter| shadow.has_ended(counter)) {
                return;
            }
            drop(shadow);
            sleep(LOOK_EVERY).await;
        }
    };
    if timeout(LIVE_WITHIN, all).await.is_err() {
        let mut shadow = shadow.lock().await;
        let left: Vec<&RoomId> = counters.iter().filter(|counter| !shadow.has_ended(counter)).collect();
        let what = format!("{left:?} did not end within {LIVE_WITHIN:?}");
        shadow.accuse(Promise::Live, what);
    }
}

/// Whoever has ended a room takes it out of the directory behind that, and again if the broker does not answer. What is there in the end is judged.
async fn expect_burials(counters: &[RoomId], store: &dyn Store) {
    let all = async {
        for counter in counters {
            while !matches!(is_in_directory(store, counter).await, Ok(false)) {
                sleep(LOOK_EVERY).await;
            }
        }
    };
    let _ = timeout(LIVE_WITHIN, all).await;
}

/// The tournament comes to its winner, and neither it nor a table of it is there any more.
async fn expect_winner(cup: &Cup, since: Instant, shadow: &Mutex<Shadow>, stop: &CancellationToken) {
    let until = since + cup.ends_within();
    while Instant::now() < until && !stop.is_cancelled() {
        let shadow = shadow.lock().await;
        let is_over = shadow.rooms_of_contest().iter().all(|room| shadow.has_ended(room));
        if is_over || shadow.is_contest_broken() || shadow.is_contest_unread() {
            break;
        }
        drop(shadow);
        sleep(LOOK_EVERY).await;
    }
    // What is to be taken out of the directory is.
    sleep(GONE_WITHIN).await;
}

/// Nothing goes wrong: every table completes a hand.
async fn expect_hands(tables: &[RoomId], shadow: &Mutex<Shadow>) {
    let ended = || async {
        let shadow = shadow.lock().await;
        tables.iter().map(|table| shadow.hands_ended(table)).collect::<Vec<_>>()
    };
    let before = ended().await;
    let all = async {
        while ended().await.iter().zip(&before).any(|(now, before)| now <= before) {
            sleep(LOOK_EVERY).await;
        }
    };
    if timeout(LIVE_WITHIN, all).await.is_err() {
        let now = ended().await;
        let stuck = tables.iter().zip(now.iter().zip(&before)).filter(|(_, (now, before))| now <= before);
        let stuck: Vec<&RoomId> = stuck.map(|(table, _)| table).collect();
        let what = format!("{stuck:?} completed no hand within {LIVE_WITHIN:?}");
        shadow.lock().await.accuse(Promise::Live, what);
    }
}
