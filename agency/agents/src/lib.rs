//! The agency: plays for the AI players whom tables ask for.
//!
//! Tables put [jobs](seats::Job) into a queue. An [`Agency`] takes as many as it can play at a time, and has each [played](Plays) by a client
//! that connects as that user: at once, since what a job is worth is over after some seconds. A job that is taken is done: whether somebody plays is
//! what the table itself sees, which asks again where nobody does. So agencies come, go and die as they like, and know nothing of each other.

use std::{sync::Arc, time::Duration};

use broker::{
    clock::Clock,
    queue::{Delivery, MessageId, Queue},
};
use futures_util::future::BoxFuture;
use metrics::{counter, gauge};
use parking_lot::Mutex;
use player::{
    Bot, Character, Habits, Invited, Style,
    connect::{Dialer, Happening, NoConnection, play},
    guest::Tokens,
};
use protocol::{hosted::AiLevel, id::UserId};
use rand::RngExt as _;
use seats::{Job, QUEUE, Wanted};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// How long is waited for a job.
const WAIT: Duration = Duration::from_secs(1);

/// What somebody has taken and not done for so long is worth nothing any more.
const IDLE: Duration = Duration::from_secs(30);

/// Between two looks for that.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Between two tries of a queue that is away.
const AGAIN: Duration = Duration::from_millis(500);

/// Between two complaints that there is no connection to be had.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// Jobs that are taken at once.
const BATCH_MAX: usize = 16;

/// Plays for somebody.
pub trait Plays: Send + Sync + 'static {
    /// Until the seat is not its to play any more. Dropped, it leaves the seat to whom the table asks next.
    fn play(&self, job: Job) -> BoxFuture<'static, ()>;
}

/// See the module.
pub struct Agency {
    queue: Arc<dyn Queue>,
    plays: Arc<dyn Plays>,
    clock: Clock,
    name: String,
    most: usize,
}

impl Agency {
    /// Plays for up to `most` at a time. The name is one that no other agency has.
    pub fn new(
        queue: Arc<dyn Queue>,
        plays: Arc<dyn Plays>,
        clock: Clock,
        name: String,
        most: usize,
    ) -> Self {
        Self { queue, plays, clock, name, most }
    }

    /// Until it is dropped. All who play for it are gone then, and their tables ask others.
    pub async fn run(self) {
        let mut playing = JoinSet::new();
        let mut look_at = Instant::now() + LOOK_EVERY;
        loop {
            while playing.try_join_next().is_some() {}
            gauge!("agency_playing").set(playing.len() as f64);
            if playing.len() >= self.most {
                // Others take what comes meanwhile.
                playing.join_next().await;
                continue;
            }
            let most = BATCH_MAX.min(self.most - playing.len());
            let looks = Instant::now() >= look_at;
            let taken = if looks {
                look_at = Instant::now() + LOOK_EVERY;
                self.queue.reclaim(QUEUE, &self.name, IDLE, most).await
            } else {
                self.queue.take(QUEUE, &self.name, most, WAIT).await
            };
            match taken {
                Ok(taken) => self.begin(taken, &mut playing).await,
                Err(error) => {
                    warn!(%error, "AI players wait: the queue is away");
                    sleep(AGAIN).await;
                }
            }
        }
    }

    async fn begin(&self, taken: Vec<Delivery>, playing: &mut JoinSet<()>) {
        let mut done: Vec<MessageId> = Vec::with_capacity(taken.len());
        for Delivery { id, message, .. } in taken {
            done.push(id);
            match Job::read(&message) {
                Ok(job) if job.wanted.until_ms <= self.clock.now_ms() => {
                    counter!("agency_jobs_total", "job" => "late").increment(1);
                    debug!(room = %job.room, user = %job.wanted.user, "somebody was wanted, and is not any more");
                }
                Ok(job) => {
                    counter!("agency_jobs_total", "job" => "taken").increment(1);
                    playing.spawn(self.plays.play(job));
                }
                Err(error) => {
                    counter!("agency_jobs_total", "job" => "unread").increment(1);
                    warn!(%error, "a job cannot be read");
                }
            }
        }
        // What is not heard to be done comes again, too late.
        if !done.is_empty()
            && let Err(error) = self.queue.done(QUEUE, &done).await
        {
            debug!(%error, "jobs come again");
        }
    }
}

/// How somebody of this strength plays; `i` tells those apart that are of one.
pub fn style(level: AiLevel, i: usize) -> Style {
    match level {
        AiLevel::Easy => [Style::LooseAggressive, Style::Tight][i % 2],
        AiLevel::Medium => Style::of_house(i),
        AiLevel::Hard => Style::PushFold,
    }
}

/// Who plays for what a job wants: one of the house's own bots, without a connection.
pub fn mind(job: &Job, habits: Habits, seed: u64, token: String, now: Instant) -> Invited {
    let Job { room, wanted: Wanted { level, .. } } = job;
    let style = style(*level, usize::try_from(seed % 64).unwrap_or(0));
    let character = Character { style, habits, tables: Arc::from([room.clone()]), home: 0, seed };
    Invited::new(Bot::new(character, token, now), room.clone(), now)
}

/// The house's own bots, over real connections.
pub struct OfTheHouse<F> {
    dialer: Dialer,
    habits: Habits,
    tokens: F,
    complaints: Arc<Complaints>,
}

/// That there is no connection to be had is told once in a while, and not by each AI player with each try.
#[derive(Default)]
struct Complaints {
    last: Mutex<Option<Instant>>,
}

impl Complaints {
    fn unreachable(&self, error: &NoConnection) {
        counter!("agency_unreachable_total").increment(1);
        let (now, mut last) = (Instant::now(), self.last.lock());
        if last.is_none_or(|last| now >= last + COMPLAIN_EVERY) {
            *last = Some(now);
            warn!(%error, "AI players find no way to their tables");
        }
    }
}

impl<F> OfTheHouse<F> {
    /// They connect to this address, take their time like this, and get their tokens from what this makes for each user.
    pub fn new(dialer: Dialer, habits: Habits, tokens: F) -> Self {
        // What they say and when they go is the host's to say, and not theirs.
        let habits = Habits { chat: 0.0, leave: 0.0, sit_out: 0.0, vanish: 0.0, ..habits };
        Self { dialer, habits, tokens, complaints: Arc::default() }
    }
}

impl<F, T> Plays for OfTheHouse<F>
where
    F: Fn(UserId) -> T + Send + Sync + 'static,
    T: Tokens + 'static,
{
    fn play(&self, job: Job) -> BoxFuture<'static, ()> {
        let (dialer, tokens) = (self.dialer.clone(), (self.tokens)(job.wanted.user.clone()));
        let mind = mind(&job, self.habits.clone(), rand::rng().random(), String::new(), Instant::now());
        let (name, complaints) = (job.wanted.name, self.complaints.clone());
        Box::pin(async move {
            let for_ever = CancellationToken::new();
            let on = |_: &_, what: Happening<'_>, _| {
                if let Happening::Unreachable(error) = what {
                    complaints.unreachable(error);
                }
            };
            if let Err(error) = play(&name, mind, &dialer, &tokens, for_ever, on).await {
                warn!(%error, name, "an AI player has no token");
            }
        })
    }
}
