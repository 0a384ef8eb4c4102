//! What is written down of hands in a simulated house: the real tables, in a database in memory, behind a way on which things go wrong; and the way
//! from tables into the queue.

use std::sync::Arc;

use broker::{
    queue::{Delivery, Lag, MessageId, Queue},
    store::Unavailable,
};
use bytes::Bytes;
use cage::{
    DbError,
    history::{NewHand, Written, find, keep},
    inline::Inline,
};
use futures_util::future::BoxFuture;
use hands::{Name, Sent};
use parking_lot::Mutex;
use protocol::{
    id::{Position, RoomId},
    time::UnixMs,
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reception::recorder::{Writes, Writing};
use tokio::time::{Duration, Instant, sleep};

use super::{plan::Plan, planted::Planted};
use crate::judge::{Pushed, Recorded, recorded};

/// The database, and the queue, take up to so long where they are slow.
const SLOW_MAX: Duration = Duration::from_millis(600);

/// Who says too early that hands are written writes them after this.
const LATE: Duration = Duration::from_secs(3);

/// Hands of a table that are looked at.
const TOLD: u32 = 2;

/// A hand that is taken for another one has a place so far on.
const ANEW: u64 = 1_000_000;

/// See the module.
pub(super) struct Archive {
    database: Inline,
    planted: Option<Planted>,
    way: Mutex<Way>,
    pushed: Pushed,
}

/// The way to it.
struct Way {
    rng: ChaCha8Rng,
    /// How often something goes wrong.
    troubles: f64,
}

/// What becomes of one that wants something done.
enum Fate {
    Done,
    Refused,
    Unheard,
    Slow(Duration),
    Twice,
}

impl Archive {
    /// Everything follows from the plan.
    pub(super) fn new(plan: &Plan) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(plan.seed ^ 0xa4c4);
        let way = Mutex::new(Way { rng, troubles: plan.recording_troubles });
        Self { database: Inline::open(), planted: plan.planted, way, pushed: Pushed::default() }
    }

    /// From now on nothing goes wrong.
    pub(super) fn heal(&self) {
        self.way.lock().troubles = 0.0;
    }

    /// What has come into the queue.
    pub(super) fn pushed(&self) -> Pushed {
        self.pushed.clone()
    }

    /// What a recorder writes with.
    pub(super) fn pen(self: &Arc<Self>) -> Pen {
        Pen { archive: self.clone(), late: Mutex::default() }
    }

    /// A table's way into this queue.
    pub(super) fn queue(self: &Arc<Self>, queue: Arc<dyn Queue>) -> Arc<dyn Queue> {
        Arc::new(Entrance { archive: self.clone(), queue })
    }

    /// The last hands of a table that everybody is told of.
    pub(super) fn told_everybody(&self, table: &RoomId, now_ms: UnixMs) -> Vec<Position> {
        let found = self.database.run(|tx| find::of_table(tx, table, now_ms, TOLD));
        found.expect("the database is in memory").into_iter().map(|found| found.name.at).collect()
    }

    /// Everything that was written down.
    pub(super) fn recorded(&self) -> Vec<Recorded> {
        self.database.run(recorded).expect("the database is in memory")
    }

    fn fate(&self) -> Fate {
        let Way { rng, troubles } = &mut *self.way.lock();
        if !rng.random_bool(*troubles) {
            return Fate::Done;
        }
        match rng.random_range(0..4) {
            0 => Fate::Refused,
            1 => Fate::Unheard,
            2 => Fate::Slow(SLOW_MAX.mul_f64(rng.random())),
            _ => Fate::Twice,
        }
    }

    fn keep(&self, hands: &[NewHand]) -> Result<Vec<Written>, DbError> {
        let (anew, live) =
            (self.planted == Some(Planted::RecordsAnew), self.planted == Some(Planted::RecordsLive));
        self.database.run(|tx| {
            let one = |hand: &NewHand| {
                let mut hand = hand.clone();
                let name = Name { room: hand.room.clone(), at: hand.at };
                if live {
                    hand.late_ms = 0;
                }
                if anew && find::one(tx, &name)?.is_some() {
                    hand.at = Position::new(hand.at.epoch().0, hand.at.seq().0 + ANEW);
                }
                keep(tx, &hand)
            };
            hands.iter().map(one).collect()
        })
    }
}

/// A recorder's way to the database. What is not written yet goes with it.
pub(super) struct Pen {
    archive: Arc<Archive>,
    /// Of one that says too early that it is done: what is still to be written, and when.
    late: Mutex<Vec<(Instant, NewHand)>>,
}

impl Pen {
    /// Says that it is done, and does what is due.
    fn promise(&self, hands: Vec<NewHand>) -> Vec<Written> {
        let (mut late, now) = (self.late.lock(), Instant::now());
        let written = vec![Written::default(); hands.len()];
        late.extend(hands.into_iter().map(|hand| (now + LATE, hand)));
        let due: Vec<NewHand> = late.extract_if(.., |(when, _)| *when <= now).map(|(_, hand)| hand).collect();
        self.archive.keep(&due).expect("the database is in memory");
        written
    }
}

impl Writes for Pen {
    fn write(&self, hands: Vec<NewHand>) -> Writing<'_> {
        Box::pin(async move {
            if self.archive.planted == Some(Planted::RecordsLate) {
                return Ok(self.promise(hands));
            }
            match self.archive.fate() {
                Fate::Refused => return Err(DbError::Away("nobody there".into())),
                Fate::Slow(long) => sleep(long).await,
                Fate::Unheard => {
                    self.archive.keep(&hands)?;
                    return Err(DbError::Away("the answer is lost".into()));
                }
                Fate::Done | Fate::Twice => {}
            }
            self.archive.keep(&hands)
        })
    }
}

/// A queue into which things come late, or twice, or are said not to have come.
struct Entrance {
    archive: Arc<Archive>,
    queue: Arc<dyn Queue>,
}

impl Queue for Entrance {
    fn push(&self, queue: &str, message: Bytes) -> BoxFuture<'_, Result<(), Unavailable>> {
        let queue = queue.to_owned();
        Box::pin(async move {
            let fate = self.archive.fate();
            match fate {
                Fate::Refused => return Err(Unavailable("nobody there".into())),
                Fate::Slow(long) => sleep(long).await,
                Fate::Twice => self.queue.push(&queue, message.clone()).await?,
                Fate::Done | Fate::Unheard => {}
            }
            self.queue.push(&queue, message.clone()).await?;
            if let Ok(Sent { room, at, .. }) = Sent::read(&message) {
                self.archive.pushed.lock().insert((room, at));
            }
            match fate {
                Fate::Unheard => Err(Unavailable("the answer is lost".into())),
                _ => Ok(()),
            }
        })
    }

    fn take(
        &self,
        queue: &str,
        taker: &str,
        most: usize,
        wait: Duration,
    ) -> BoxFuture<'_, Result<Vec<Delivery>, Unavailable>> {
        self.queue.take(queue, taker, most, wait)
    }

    fn done(&self, queue: &str, ids: &[MessageId]) -> BoxFuture<'_, Result<(), Unavailable>> {
        self.queue.done(queue, ids)
    }

    fn give_back(
        &self,
        queue: &str,
        taker: &str,
        ids: &[MessageId],
    ) -> BoxFuture<'_, Result<(), Unavailable>> {
        self.queue.give_back(queue, taker, ids)
    }

    fn reclaim(
        &self,
        queue: &str,
        taker: &str,
        idle: Duration,
        most: usize,
    ) -> BoxFuture<'_, Result<Vec<Delivery>, Unavailable>> {
        self.queue.reclaim(queue, taker, idle, most)
    }

    fn lag(&self, queue: &str) -> BoxFuture<'_, Result<Lag, Unavailable>> {
        self.queue.lag(queue)
    }

    fn dead(&self, queue: &str) -> BoxFuture<'_, Result<Vec<Bytes>, Unavailable>> {
        self.queue.dead(queue)
    }
}
