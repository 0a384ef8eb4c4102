//! A guest who wants something done: it puts jobs, reads what comes of them, and thinks better of some. One that is *rude* puts more than it may, speaks of
//! jobs that are none of its own, and answers as if it were an agent.

use player::{
    Heard,
    visitor::{Own, Visitor},
};
use protocol::{
    ClientOut,
    id::{Position, RoomId},
    jobs::{JobStage, JobsCommand, JobsPrivate, Work},
};
use rand::{RngExt, seq::IteratorRandom};
use serde_json::value::to_raw_value;
use tokio::time::{Duration, Instant};

/// The longest pause between two commands, milliseconds.
const PAUSE_MAX_MS: u64 = 900;

/// See the module.
pub(crate) struct Patron {
    own: Own,
    room: RoomId,
    rude: bool,
    /// What it was told last.
    told: JobsPrivate,
}

impl Patron {
    /// One whose jobs wait in this room.
    pub(crate) fn new(room: RoomId, rude: bool, seed: u64, token: String, now: Instant) -> Self {
        Self { own: Own::new(seed, token, now), room, rude, told: JobsPrivate::default() }
    }

    fn asks(&mut self, what: &JobsCommand, now: Instant) {
        let raw = to_raw_value(what).expect("JSON");
        self.own.client.raw_command(&self.room.clone(), raw, now);
    }

    /// One of its own that is so.
    fn own_job(&mut self, is: impl Fn(JobStage) -> bool) -> Option<Position> {
        let jobs = self.told.jobs.iter().filter(|own| is(own.stage));
        jobs.map(|own| own.job).choose(&mut self.own.rng)
    }

    fn puts(&mut self, now: Instant) {
        let text = format!("question {}", self.own.rng.random_range(0..1_000));
        self.asks(&JobsCommand::Put { work: coach(), text }, now);
    }

    /// What is none of its business.
    fn meddles(&mut self, now: Instant) {
        let rng = &mut self.own.rng;
        // Mostly there is such a job, and it is somebody's.
        let job = Position::new(rng.random_range(1..=4), rng.random_range(1..=80));
        let attempt = rng.random_range(1..=3);
        let text = "I know better".to_owned();
        let what = match rng.random_range(0..8) {
            0 => JobsCommand::Drop { job },
            1 => JobsCommand::Ready { works: vec![coach()], most: 16 },
            2 => JobsCommand::Ready { works: vec![], most: 0 },
            3 | 4 => JobsCommand::Done { job, attempt, text },
            5 => JobsCommand::Tell { job, attempt, text },
            6 => JobsCommand::Reject { job, attempt, why: text },
            _ => JobsCommand::Requeue { job },
        };
        self.asks(&what, now);
    }
}

/// The work of all these jobs.
pub(crate) fn coach() -> Work {
    Work::new(Work::COACH).expect("a word")
}

impl Visitor for Patron {
    fn own(&self) -> &Own {
        &self.own
    }

    fn own_mut(&mut self) -> &mut Own {
        &mut self.own
    }

    fn hear(&mut self, text: &str, now: Instant) -> Heard {
        if let Ok(ClientOut::Private { room, private, .. }) = serde_json::from_str(text)
            && room == self.room
        {
            self.told = serde_json::from_str(private.get()).unwrap_or_default();
        }
        self.own.client.receive(text, now)
    }

    fn act(&mut self, now: Instant) {
        let pause = Duration::from_millis(self.own.rng.random_range(0..=PAUSE_MAX_MS));
        self.own.rests_until = now + pause;
        if self.own.client.position(&self.room).is_none() {
            return self.own.client.watch(&self.room.clone(), now);
        }
        if self.own.stopping {
            let job = self.own_job(|_| true);
            return job.into_iter().for_each(|job| self.asks(&JobsCommand::Drop { job }, now));
        }
        let is_over = |stage| matches!(stage, JobStage::Done | JobStage::Failed);
        match self.own.rng.random_range(0..20) {
            0 => self.own.vanish = Some(6 * pause),
            1 => {
                let job = self.own_job(|stage| !is_over(stage));
                job.into_iter().for_each(|job| self.asks(&JobsCommand::Drop { job }, now));
            }
            2..5 => {
                let job = self.own_job(is_over);
                job.into_iter().for_each(|job| self.asks(&JobsCommand::Drop { job }, now));
            }
            5..10 if self.rude => self.meddles(now),
            10 | 11 if self.rude => (0..3).for_each(|_| self.puts(now)),
            5..15 => self.puts(now),
            _ => {}
        }
    }

    fn is_done(&self) -> bool {
        self.told.jobs.is_empty()
    }
}
