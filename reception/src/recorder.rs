//! Writes hands down that are over: takes them from the queue, has each in the database, and says then that they are done.
//!
//! A hand comes once or more; in the database it is once, by its name. A database that is away holds up what was taken, and nothing is taken
//! meanwhile: a delivery that cannot be done counts against the message. A hand that cannot be read, or that the database does not take, is left, and
//! comes again; after five times it is put aside by the queue.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use broker::{
    clock::Clock,
    queue::{Delivery, MessageId, Queue},
    seal::Sealer,
};
use cage::{
    DbError, Tellers, Tx,
    history::{self, NewHand, Written},
};
use hands::{HandRecord, QUEUE, Sent};
use metrics::{counter, gauge, histogram};
use tokio::time::{Instant, sleep};
use tracing::{error, warn};

/// Hands in one transaction at most.
const BATCH_MAX: usize = 128;

/// How long is waited for the first one.
const WAIT: Duration = Duration::from_secs(1);

/// Who has taken a hand and has not written it down for so long has died.
const IDLE: Duration = Duration::from_secs(30);

/// Between two looks for such hands, and at how much waits.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Between two tries of a queue or a database that is away.
const AGAIN: Duration = Duration::from_millis(500);

/// See the module.
pub struct Recorder {
    queue: Arc<dyn Queue>,
    sealer: Arc<Sealer>,
    tellers: Arc<dyn Writes>,
    clock: Clock,
    name: String,
    /// When the newest hand ended that it has written down, or when it began, milliseconds.
    written_up_to_ms: AtomicU64,
}

/// A transaction under way.
pub type Writing<'a> = Pin<Box<dyn Future<Output = Result<Vec<Written>, DbError>> + Send + 'a>>;

/// Where hands are written: a database, or what a test has in its place.
pub trait Writes: Send + Sync + 'static {
    /// Writes these in one transaction; without any it only tells whether that could be done.
    fn write(&self, hands: Vec<NewHand>) -> Writing<'_>;
}

impl Writes for crate::People {
    fn write(&self, hands: Vec<NewHand>) -> Writing<'_> {
        Box::pin(write(self.tellers(), hands))
    }
}

async fn write(tellers: &Tellers, hands: Vec<NewHand>) -> Result<Vec<Written>, DbError> {
    let work = move |tx: &mut dyn Tx| {
        if hands.is_empty() {
            tx.run("SELECT CAST(1 AS BIGINT)", &[])?;
        }
        history::keep_all(tx, &hands)
    };
    tellers.write("hands", work).await
}

/// Done again, it may work.
fn may_work(error: &DbError) -> bool {
    matches!(error, DbError::Again | DbError::Away(_) | DbError::Busy)
}

impl Recorder {
    /// Writes hands from this queue. The name is one that no other recorder has.
    pub fn new(
        queue: Arc<dyn Queue>,
        sealer: Arc<Sealer>,
        tellers: Arc<dyn Writes>,
        clock: Clock,
        name: String,
    ) -> Self {
        let written_up_to_ms = AtomicU64::new(clock.now_ms());
        Self { queue, sealer, tellers, clock, name, written_up_to_ms }
    }

    /// Until it is dropped. What it has taken then comes to another.
    pub async fn run(self) {
        // Also while it waits for the database.
        let telling = async {
            loop {
                self.tell_lag().await;
                sleep(LOOK_EVERY).await;
            }
        };
        tokio::join!(self.work(), telling);
    }

    async fn work(&self) {
        let mut look_at = Instant::now();
        loop {
            // Nothing is taken that could not be written.
            if let Err(error) = self.tellers.write(Vec::new()).await {
                warn!(%error, "hands wait: the database is away");
                sleep(AGAIN).await;
                continue;
            }
            let looks = Instant::now() >= look_at;
            let taken = if looks {
                look_at = Instant::now() + LOOK_EVERY;
                self.queue.reclaim(QUEUE, &self.name, IDLE, BATCH_MAX).await
            } else {
                self.queue.take(QUEUE, &self.name, BATCH_MAX, WAIT).await
            };
            match taken {
                Ok(taken) if taken.is_empty() => {}
                Ok(taken) => self.record(taken).await,
                Err(error) => {
                    warn!(%error, "hands wait: the queue is away");
                    sleep(AGAIN).await;
                }
            }
        }
    }

    async fn tell_lag(&self) {
        if let Ok(lag) = self.queue.lag(QUEUE).await {
            let waiting = lag.waiting + lag.taken;
            let since_ms = self.written_up_to_ms.load(Ordering::Relaxed);
            // Hands come in the order in which they end, but for a few. So what waits has not waited for longer.
            let behind_ms = if waiting > 0 { self.clock.now_ms().saturating_sub(since_ms) } else { 0 };
            gauge!("recorder_waiting").set(waiting as f64);
            gauge!("recorder_behind_seconds").set(behind_ms as f64 / 1_000.0);
            gauge!("recorder_dead").set(lag.dead as f64);
        }
    }

    /// Writes what was taken, and says what is done.
    pub async fn record(&self, taken: Vec<Delivery>) {
        let mut hands: Vec<(MessageId, NewHand)> = Vec::new();
        for Delivery { id, message, deliveries } in taken {
            match self.open(&message) {
                Ok(hand) => hands.push((id, hand)),
                Err(why) => {
                    counter!("recorder_failed_total").increment(1);
                    error!(deliveries, why, "a hand cannot be read");
                }
            }
        }
        let done = self.written(&hands).await;
        let mut tries = 0;
        // What is written and not said to be done comes again, to no effect.
        while !done.is_empty() && self.queue.done(QUEUE, &done).await.is_err() && tries < 3 {
            tries += 1;
            sleep(AGAIN).await;
        }
    }

    fn open(&self, message: &[u8]) -> Result<NewHand, String> {
        let Sent { room, at, sealed, late_ms } = Sent::read(message).map_err(|unread| unread.to_string())?;
        let (_, record) = self.sealer.open(&room, at, &sealed).map_err(|sealed| sealed.to_string())?;
        let record = HandRecord::read(&record).map_err(|unread| unread.to_string())?;
        Ok(NewHand { room, at, record, late_ms })
    }

    /// Which of them stand in the database now. All together; and where one of them is not taken, each alone.
    async fn written(&self, hands: &[(MessageId, NewHand)]) -> Vec<MessageId> {
        let all: Vec<NewHand> = hands.iter().map(|(_, hand)| hand.clone()).collect();
        if all.is_empty() {
            return Vec::new();
        }
        if self.until_written(all).await.is_ok() {
            return hands.iter().map(|(id, _)| id.clone()).collect();
        }
        let mut done = Vec::new();
        for (id, hand) in hands {
            match self.until_written(vec![hand.clone()]).await {
                Ok(()) => done.push(id.clone()),
                Err(error) => {
                    counter!("recorder_failed_total").increment(1);
                    error!(%error, room = %hand.room, at = %hand.at, "a hand is not written down");
                }
            }
        }
        done
    }

    async fn until_written(&self, hands: Vec<NewHand>) -> Result<(), DbError> {
        let ended: Vec<u64> = hands.iter().map(|hand| hand.record.ended_ms).collect();
        loop {
            match self.tellers.write(hands.clone()).await {
                Ok(written) => {
                    self.count(&written, &ended);
                    return Ok(());
                }
                Err(error) if may_work(&error) => sleep(AGAIN).await,
                Err(error) => return Err(error),
            }
        }
    }

    fn count(&self, written: &[Written], ended_ms: &[u64]) {
        let now = self.clock.now_ms();
        for (written, ended_ms) in written.iter().zip(ended_ms) {
            self.written_up_to_ms.fetch_max(*ended_ms, Ordering::Relaxed);
            let word = if written.is_new { "new" } else { "known" };
            counter!("recorder_hands_total", "hand" => word).increment(1);
            counter!("recorder_gaps_total").increment(u64::from(written.is_gap));
            counter!("recorder_void_total").increment(written.voided);
            histogram!("recorder_lag_seconds").record(now.saturating_sub(*ended_ms) as f64 / 1_000.0);
        }
    }
}
