//! `money`: tables whose chips are somebody's are played at a pace while players come to them, sit down and leave again. How long their
//! chips take; and, if that is asked for, what becomes of play while the cage does not answer.
//!
//! At the end of each run the ledger is held against every table: a benchmark whose books are wrong has measured nothing.

use std::{fs::File, io::Write as _, rc::Rc};

use anyhow::Context;
use hdrhistogram::Histogram;
use loadtest::{cluster::ClusterArgs, swarm::tally::new_histogram};
use money::Currency;
use tokio::{
    task::{spawn_blocking, spawn_local},
    time::{Duration, Instant, sleep},
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    args::BenchArgs,
    comers::{Comers, PER_TABLE},
    figures::{Curve, Run},
    play::{Play, SEATS},
    stage::{BUY_IN, Stage, Tables},
};
use crate::{chaos::books::Books, judge::Auditor};

/// Before anything is counted at a pace.
const SETTLE: Duration = Duration::from_secs(2);

/// Once the cage is back, all is settled within this, or something is wrong.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// Between two looks at whether it is.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How often the disk is written to, to know what it takes.
const WRITES: usize = 200;

/// A page of a database, bytes.
const PAGE_BYTES: usize = 4_096;

/// A cluster that plays for a currency, with everybody seated and others who come and go.
pub struct Money {
    stage: Stage,
    play: Rc<Play>,
    comers: Rc<Comers>,
    auditor: Auditor,
    currency: Currency,
    tables: usize,
    // Goes last.
    _books: Option<Books>,
}

impl Money {
    /// Starts everything, and seats six at each table.
    ///
    /// # Errors
    /// When something is not installed or breaks.
    pub async fn start(args: &BenchArgs) -> anyhow::Result<Self> {
        let books = if args.postgres { Some(Books::open().await?) } else { None };
        let currency = Currency::new("PLAY")?;
        let (tables, relays) = (args.tables[0], args.relays[0]);
        let cluster = ClusterArgs {
            relays,
            dealers: 1,
            no_build: args.no_build,
            table_currency: Some(currency),
            postgres: books.as_ref().map(|books| books.url().to_owned()),
            ..ClusterArgs::default()
        };
        let mut stage =
            Stage::with(cluster, Tables { seats: SEATS + PER_TABLE, ..Tables::of(tables) }).await?;
        if let Some(books) = &books {
            books.entrust(&stage.living()?);
        }
        let auditor = stage.auditor().await?;
        let play = Play::seat(&stage, tables, args.apart).await?;
        let comers = Comers::come_in(&stage, tables).await?;
        Ok(Self { stage, play, comers, auditor, currency, tables, _books: books })
    }

    /// One run: each pace of play, the last of them without a prefix in its figures' names; then with the cage away, if that is asked for.
    ///
    /// # Errors
    /// When something breaks, or the ledger and the tables do not say the same.
    pub async fn run(&mut self, args: &BenchArgs) -> anyhow::Result<Run> {
        let mut run = Run::default();
        let disk_us = self.disk().await?;
        for (rate, prefix) in args.paces() {
            let play = self.play.clone();
            let playing = AbortOnDropHandle::new(spawn_local(async move { play.run(rate).await }));
            self.buy_ins(args, &prefix, &disk_us, &mut run).await?;
            let is_last = prefix.is_empty();
            if let Some(seconds) = args.cage_away.filter(|_| is_last) {
                self.cage_away(args.buy_ins, seconds, &mut run).await?;
            }
            drop(playing);
        }
        self.audit().await?;
        run.tell("audits_without_a_difference", 1.0);
        Ok(run)
    }

    /// Ends the cluster.
    pub async fn end(self) {
        self.comers.end();
        self.play.cut_all().await;
        self.stage.end().await;
    }

    async fn buy_ins(
        &self,
        args: &BenchArgs,
        prefix: &str,
        disk_us: &Histogram<u64>,
        run: &mut Run,
    ) -> anyhow::Result<()> {
        let name = |name: &str| format!("{prefix}{name}");
        sleep(SETTLE).await;
        self.play.reset();
        self.comers.reset();
        let before = self.stage.snapshot()?;
        self.comers.come(args.buy_ins, args.buy_ins * args.seconds).await?;
        self.comers.all_gone().await?;
        let cost = self.stage.cost_since(&before)?;

        let counts = &self.comers.counts;
        let seated_us = counts.seated_us.borrow();
        anyhow::ensure!(!seated_us.is_empty(), "nobody was seated");
        for (short, share) in [("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999)] {
            run.compare(&name(short), at(&seated_us, share), at(disk_us, share));
            run.tell(&name(&format!("asked_to_seated_{short}")), at(&counts.asked_us.borrow(), share));
            run.tell(&name(&format!("written_late_{short}")), at(&counts.late_us.borrow(), share));
        }
        run.latency.push(Curve::of(format!("{prefix}due to seated"), &seated_us));
        run.tell(&name("buy_ins"), seated_us.len() as f64);
        run.tell(&name("buy_ins_per_s"), seated_us.len() as f64 / cost.seconds);
        run.tell(&name("buy_ins_refused"), counts.refused_us.borrow().len() as f64);
        run.tell(&name("seats_taken_back"), counts.freed.get() as f64);
        let played = &self.play.counts;
        anyhow::ensure!(played.hands.get() > 0, "no hand was played");
        run.tell(&name("actions_per_s"), played.actions.get() as f64 / cost.seconds);
        run.tell(&name("hands_per_min"), played.hands.get() as f64 / cost.seconds * 60.0);
        for (what, count) in
            [("missed", &played.missed), ("repeated", &played.repeated), ("refused", &played.refused)]
        {
            run.tell(&name(what), count.get() as f64);
        }
        run.tell(&name("reception_cpu_us_per_buy_in"), cost.reception.us as f64 / seated_us.len() as f64);
        run.tell(&name("generator_cores"), cost.generator_cores());
        Ok(())
    }

    /// The cage stands still for so long. Play goes on as before, or it does not: hands a minute beside those of the run before.
    async fn cage_away(&self, per_s: u64, seconds: u64, run: &mut Run) -> anyhow::Result<()> {
        self.play.reset();
        self.comers.reset();
        let began = Instant::now();
        self.stage.stop_the_cage();
        let came = self.comers.come(per_s, per_s * seconds).await;
        let away_s = began.elapsed().as_secs_f64();
        self.stage.let_the_cage_go_on();
        let back = Instant::now();
        came?;
        let nobody = self.comers.call_off();
        let hands_per_min = self.play.counts.hands.get() as f64 / away_s * 60.0;
        let before = *run.figures.get("hands_per_min").context("play was counted before")?;
        run.tell("cage_away_hands_per_min", hands_per_min);
        run.tell("cage_away_hands_to_before", hands_per_min / before);
        {
            let counts = &self.comers.counts;
            let refused_us = counts.refused_us.borrow();
            run.tell("cage_away_refused", refused_us.len() as f64);
            for (short, share) in [("p50_us", 0.5), ("p99_us", 0.99)] {
                run.tell(&format!("cage_away_refused_{short}"), at(&refused_us, share));
            }
            run.tell("cage_away_seats_taken_back", counts.freed.get() as f64);
            run.tell("cage_away_nobody_left_to_come", nobody as f64);
        }
        self.comers.all_gone().await?;
        // What lies there is what players have brought and comers have lost to them: until the ledger says so, somebody is not paid.
        let players = (self.tables * SEATS) as u64 * BUY_IN;
        let lying = players.saturating_add_signed(self.comers.lying());
        while self.auditor.at_tables(self.currency).await? != lying {
            anyhow::ensure!(back.elapsed() < SETTLED_WITHIN, "not all are paid after {SETTLED_WITHIN:?}");
            sleep(LOOK_EVERY).await;
        }
        run.tell("cage_back_all_paid_ms", back.elapsed().as_secs_f64() * 1e3);
        Ok(())
    }

    async fn audit(&self) -> anyhow::Result<()> {
        let wrong = self.auditor.find(u32::try_from(self.tables)?, false).await?;
        wrong.map_or(Ok(()), |wrong| {
            Err(anyhow::anyhow!("the ledger and the tables do not say the same: {wrong}"))
        })
    }

    /// What the disk takes for a page that is to stay.
    async fn disk(&self) -> anyhow::Result<Histogram<u64>> {
        let file = self.stage.dir().context("the cluster has ended")?.join("disk");
        let write = move || {
            let mut took_us = new_histogram();
            let mut file = File::create(file)?;
            for _ in 0..WRITES {
                let began = Instant::now();
                file.write_all(&[0; PAGE_BYTES])?;
                file.sync_data()?;
                took_us.saturating_record(u64::try_from(began.elapsed().as_micros())?);
            }
            anyhow::Ok(took_us)
        };
        spawn_blocking(write).await?
    }
}

fn at(histogram: &Histogram<u64>, share: f64) -> f64 {
    histogram.value_at_quantile(share) as f64
}
