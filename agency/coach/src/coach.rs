//! The coach behind one connection: takes jobs, has them answered, and tells what comes.
//!
//! A visitor of the house as any other: that the connection comes back, that rooms are resumed and that a command is done once comes with the
//! [client](player::client). What is said of jobs is decided in [`leases`](crate::leases); each answer is a task of its own, which ends with its lease.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use broker::clock::Clock;
use metrics::{counter, gauge, histogram};
use player::{
    Heard,
    connect::{Dialer, Happening, play},
    guest::Tokens,
    visitor::{Own, Visitor},
};
use protocol::{
    ClientOut,
    client_out::NoticeCode,
    id::{RoomId, UserId},
    jobs::{JobsCommand, JobsPrivate, JobsView, MOST_MAX, Work, rooms},
};
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use tokio::{
    sync::{
        Semaphore,
        mpsc::{self, Receiver},
    },
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::{debug, warn};

use crate::{
    budget::{Budget, Limits},
    leases::{Close, Leases, Name, Step},
    model::{Ended, Failed, Model},
};

/// How the coach is called where names are told.
pub const NAME: &str = "Coach";

/// Between two looks at what models have said, while any do.
const TICK: Duration = Duration::from_millis(50);

/// So often a room is told that the coach is there, besides with each connection: a room that was opened later, or has forgotten it, knows it then, and
/// says which leases there are.
const READY_EVERY: Duration = Duration::from_secs(20);

/// Whoever has more jobs than he answers at a time gives one back that has waited for so long.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// Pieces of one answer that wait to be told; a model that is quicker waits.
const PIECES_MAX: usize = 64;

/// A lease is extended when a third of it is over, and within these bounds.
const KEEP: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(5));

/// A job that the model has failed is tried again behind this, and behind what the model says within the other.
const AGAIN: Duration = Duration::from_secs(2);
const AGAIN_MAX: Duration = Duration::from_secs(60);

/// Between two complaints about the same.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// A coach that was turned away comes again behind this.
const COME_AGAIN: Duration = Duration::from_secs(30);

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct CoachConfig {
    /// So many answers at a time.
    pub at_once: u16,
    /// What one user may have on one day.
    pub limits: Limits,
}

/// See the module.
pub struct Coach {
    own: Own,
    model: Model,
    at_once: u16,
    slots: Arc<Semaphore>,
    budget: Budget,
    clock: Clock,
    leases: Leases,
    answering: BTreeMap<Name, Answering>,
    /// When each room is told next that the coach is there.
    ready_at: BTreeMap<RoomId, Instant>,
    /// Those commands.
    readies: BTreeMap<RoomId, u64>,
    keep: Duration,
    complains_at: Instant,
}

/// An answer that comes.
struct Answering {
    user: UserId,
    began: Instant,
    said: Receiver<Said>,
    _task: AbortOnDropHandle<()>,
}

/// What its task says.
enum Said {
    Piece(String),
    Ended(Result<Ended, Failed>),
    /// There was no room for it.
    Crowded,
}

impl Coach {
    /// Asks this model.
    pub fn new(model: Model, CoachConfig { at_once, limits }: CoachConfig, clock: Clock) -> Self {
        let now = Instant::now();
        Self {
            own: Own::new(rand::random(), String::new(), now),
            model,
            at_once,
            slots: Arc::new(Semaphore::new(at_once.into())),
            budget: Budget::new(limits),
            clock,
            leases: Leases::new(now),
            answering: BTreeMap::new(),
            ready_at: rooms().map(|room| (room, now)).collect(),
            readies: BTreeMap::new(),
            keep: KEEP.1,
            complains_at: now,
        }
    }

    fn is_jobs(&self, room: &RoomId) -> bool {
        self.ready_at.contains_key(room)
    }

    fn steps(&mut self, steps: Vec<Step>, now: Instant) {
        for step in steps {
            match step {
                Step::Begin { name, user, text } => self.begin(name, user, text, now),
                Step::Stop(name) => {
                    if self.answering.remove(&name).is_some() {
                        count("stopped");
                    }
                }
            }
        }
        // What there is to say is said at once.
        self.own.rests_until = now;
    }

    fn begin(&mut self, name: Name, user: UserId, text: String, now: Instant) {
        if let Err(over) = self.budget.ask(&user, &name, text.len(), self.clock.now_ms()) {
            count("over_budget");
            self.leases.close(&name, Close::Reject(over.to_string()));
            return;
        }
        let (says, said) = mpsc::channel(PIECES_MAX);
        let (model, slots) = (self.model.clone(), self.slots.clone());
        let task = tokio::spawn(async move {
            let Ok(Ok(_slot)) = timeout(WAIT_MAX, slots.acquire()).await else {
                let _ = says.send(Said::Crowded).await;
                return;
            };
            let (pieces, mut told) = mpsc::channel(1);
            let passing = async {
                while let Some(piece) = told.recv().await {
                    if says.send(Said::Piece(piece)).await.is_err() {
                        return;
                    }
                }
            };
            let answer = async move { model.answer(&text, &pieces).await };
            let (ended, ()) = tokio::join!(answer, passing);
            let _ = says.send(Said::Ended(ended)).await;
        });
        let answering = Answering { user, began: now, said, _task: AbortOnDropHandle::new(task) };
        self.answering.insert(name, answering);
    }

    /// Takes what models have said.
    fn listen(&mut self, now: Instant) {
        let mut ended = Vec::new();
        for (name, answering) in &mut self.answering {
            while let Ok(said) = answering.said.try_recv() {
                match said {
                    Said::Piece(text) => {
                        self.budget.told(&answering.user, text.len());
                        self.leases.piece(name, &text);
                    }
                    Said::Ended(how) => ended.push((name.clone(), close(how, now - answering.began))),
                    Said::Crowded => {
                        count("crowded");
                        let why = "the coach has too much to do".into();
                        ended.push((name.clone(), Close::Nack(why, AGAIN)));
                    }
                }
            }
        }
        for (name, close) in ended {
            self.answering.remove(&name);
            self.leases.close(&name, close);
        }
        gauge!("coach_answering").set(self.answering.len() as f64);
    }

    /// Tells rooms that it is there.
    fn be_ready(&mut self, now: Instant) {
        let due: Vec<RoomId> =
            self.ready_at.iter().filter(|(_, at)| **at <= now).map(|(room, _)| room.clone()).collect();
        for room in due {
            self.ready_at.insert(room.clone(), now + READY_EVERY);
            self.own.client.watch(&room, now);
            let works = Work::new(Work::COACH).into_iter().collect();
            let most = u8::try_from(self.at_once).unwrap_or(MOST_MAX).min(MOST_MAX);
            let n = self.says(&room, &JobsCommand::Ready { works, most }, now);
            self.readies.extend(n.map(|n| (room, n)));
        }
    }

    fn says(&mut self, room: &RoomId, what: &JobsCommand, now: Instant) -> Option<u64> {
        match to_raw_value(what) {
            Ok(raw) => Some(self.own.client.raw_command(room, raw, now)),
            Err(error) => {
                warn!(%error, "a command that is no JSON");
                None
            }
        }
    }

    /// Begins anew with what rooms say.
    fn greeted(&mut self, resumed: bool, now: Instant) {
        self.ready_at.values_mut().for_each(|at| *at = now);
        if !resumed {
            let steps = self.leases.new_session();
            self.steps(steps, now);
        }
    }

    fn listed(&mut self, room: &RoomId, own: &RawValue, now: Instant) {
        let Some(JobsPrivate { mut leases, .. }) = read(own) else { return };
        leases.retain(|lease| lease.work.as_str() == Work::COACH);
        let steps = self.leases.list(room, &leases, now);
        self.steps(steps, now);
    }

    fn stands(&mut self, state: &RawValue) {
        if let Some(JobsView { lease_ms, .. }) = read(state) {
            self.keep = Duration::from_millis(lease_ms / 3).clamp(KEEP.0, KEEP.1);
        }
    }

    /// What came, once the client has taken it.
    fn heard(&mut self, text: &str, heard: &Heard, now: Instant) {
        match heard {
            Heard::Welcome { resumed } => self.greeted(*resumed, now),
            Heard::Keyframe { room, .. } if self.is_jobs(room) => {
                if let Ok(ClientOut::Keyframe { state, .. }) = serde_json::from_str(text) {
                    self.stands(&state);
                }
            }
            Heard::Private { room } if self.is_jobs(room) => {
                if let Ok(ClientOut::Private { room, private, .. }) = serde_json::from_str(text) {
                    self.listed(&room, &private, now);
                }
            }
            Heard::Acked { n, .. } => self.leases.taken(*n),
            Heard::Refused(refusal) => {
                if self.readies.get(&refusal.room) == Some(&refusal.n) {
                    self.complain(&refusal.message, now);
                }
                let step = self.leases.refused(refusal, now);
                self.steps(step.into_iter().collect(), now);
            }
            Heard::Notice(NoticeCode::HistoryLost) => {
                let steps = self.leases.history_lost();
                self.steps(steps, now);
            }
            _ => {}
        }
    }

    fn complain(&mut self, why: &str, now: Instant) {
        if now >= self.complains_at {
            self.complains_at = now + COMPLAIN_EVERY;
            warn!(why, "the coach is not taken on where jobs wait");
        }
    }
}

impl Visitor for Coach {
    const IS_IMPATIENT: bool = true;

    fn own(&self) -> &Own {
        &self.own
    }

    fn own_mut(&mut self) -> &mut Own {
        &mut self.own
    }

    fn hear(&mut self, text: &str, now: Instant) -> Heard {
        let heard = self.own.client.receive(text, now);
        self.heard(text, &heard, now);
        heard
    }

    fn act(&mut self, now: Instant) {
        self.listen(now);
        self.be_ready(now);
        while let Some((name, command)) = self.leases.next(now, self.keep) {
            if let Some(n) = self.says(&name.0, &command, now) {
                self.leases.said(&name, n, command);
            }
        }
        let ready_at = self.ready_at.values().min().copied();
        let idle = ready_at.unwrap_or(now + READY_EVERY);
        self.own.rests_until = if self.leases.is_empty() { idle } else { now + TICK };
    }
}

/// How an answer is closed that has ended so.
fn close(how: Result<Ended, Failed>, after: Duration) -> Close {
    histogram!("coach_seconds").record(after.as_secs_f64());
    match how {
        Ok(Ended::Whole) => {
            count("whole");
            Close::Done
        }
        Ok(Ended::Cut) => {
            count("cut");
            Close::Done
        }
        Err(failed @ Failed::Filtered) => {
            count(failed.word());
            Close::Reject(failed.to_string())
        }
        Err(failed) => {
            count(failed.word());
            warn!(error = %failed, "a question is not answered, and is tried again");
            let after = failed.retry_after().unwrap_or_default().clamp(AGAIN, AGAIN_MAX);
            // The asker reads it when nobody has done it in the end: neither where the model is nor what its server says.
            Close::Nack(format!("the coach has no answer: {}", failed.word()), after)
        }
    }
}

fn count(outcome: &'static str) {
    counter!("coach_answers_total", "outcome" => outcome).increment(1);
}

fn read<T: DeserializeOwned>(part: &RawValue) -> Option<T> {
    serde_json::from_str(part.get()).inspect_err(|error| debug!(%error, "not of a room of jobs")).ok()
}

/// Answers for ever, over as many connections as it takes. Dropped, it is gone at once, and what it has begun is another's.
pub async fn coach(model: Model, config: CoachConfig, clock: Clock, dialer: Dialer, tokens: impl Tokens) {
    let mut complained: Option<Instant> = None;
    loop {
        let on = |_: &_, what: Happening<'_>, now: Instant| {
            let Happening::Unreachable(error) = what else { return };
            counter!("coach_unreachable_total").increment(1);
            if complained.is_none_or(|last| now >= last + COMPLAIN_EVERY) {
                complained = Some(now);
                warn!(%error, "the coach finds no way to the house");
            }
        };
        let coach = Coach::new(model.clone(), config, clock);
        match play(NAME, coach, &dialer, &tokens, CancellationToken::new(), on).await {
            Ok(ended) => warn!(code = ended.turned_away, told = ended.told, "the coach is turned away"),
            Err(error) => warn!(%error, "the coach has no token"),
        }
        sleep(COME_AGAIN).await;
    }
}
