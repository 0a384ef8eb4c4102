//! What a room of jobs is asked, and what follows: who takes what, and until when.

use std::{collections::BTreeSet, sync::Arc};

use broker::{lobby::Line, node::RoomSpec};
use protocol::{
    RefusalCode as Code,
    id::{Position, RoomId, UserId},
    jobs::{
        ANSWER_BYTES_MAX, JobsAnswer, JobsCommand, JobsQuestion, JobsView, KIND, MOST_MAX, TEXT_BYTES_MAX,
        WHY_BYTES_MAX, Work,
    },
    rights::{Rights, Roles},
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use rooms::{
    planted::{Fault, is_planted},
    room::{
        BadSpec, Decision, Input, Moment, Refusal, Room, counted, json,
        record::{self, BadRecord},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tracing::warn;

use crate::list::{Event, Job, List, Stage};

/// So many jobs wait or are done in one room.
pub const OPEN_MAX: usize = 128;

/// And so many of one user.
pub const OPEN_OF_USER_MAX: usize = 2;

/// So many answers of one user are kept. Of more the oldest is forgotten.
pub const KEPT_OF_USER_MAX: usize = 4;

/// So many jobs that have an answer or have failed are kept in one room. Of more the oldest is forgotten.
pub const KEPT_MAX: usize = 96;

/// So many do work in one room.
pub const AGENTS_MAX: usize = 64;

/// Whoever does work and is gone for so long does none any more.
pub const AWAY_MS: UnixMs = 60_000;

/// The first pause of an agent that asks for none of its own.
pub const RETRY_MS_FIRST: UnixMs = 1_000;

/// The longest pause that an agent may ask for.
pub const RETRY_MS_MAX: UnixMs = 600_000;

/// What such a room is set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Who takes a job has it for so long, and again from whatever he tells of it, milliseconds.
    pub lease_ms: u64,
    /// A job that so many have taken and nobody has done has failed.
    pub attempts_max: u32,
    /// A job that nobody has taken for so long has failed, milliseconds.
    pub wait_ms: u64,
    /// An answer is kept for so long, milliseconds.
    pub kept_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { lease_ms: 15_000, attempts_max: 5, wait_ms: 600_000, kept_ms: 3_600_000 }
    }
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jobs {
    settings: Settings,
    list: List,
}

impl Room for Jobs {
    type Event = Event;

    const KIND: u8 = 14;
    const SINCE: u16 = 4;
    const NAME: &'static str = KIND;
    const SCHEMA: u16 = 1;
    /// Nothing is played here.
    const SHOWN_LATE: bool = false;
    const SPARSE: bool = true;

    fn read(schema: u16, record: &mut &[u8]) -> Result<Self, BadRecord> {
        record::is_of::<Self>(schema)?;
        record::take(record)
    }

    fn read_events(schema: u16, record: &mut &[u8]) -> Result<Vec<Event>, BadRecord> {
        record::is_of::<Self>(schema)?;
        record::take(record)
    }

    fn open(spec: &RoomSpec) -> Result<Self, BadSpec> {
        Ok(Self { settings: spec.read()?, list: List::default() })
    }

    fn decide(&self, input: Input<'_>, moment: Moment, _: &mut dyn Rng) -> Result<Decision<Self>, Refusal> {
        let mut draft = Draft { room: self.clone(), moment, events: Vec::new(), tells: Vec::new() };
        match input {
            Input::Command { user, name: _, rights, body } => draft.command(user, rights, body)?,
            Input::Away { user, away } => draft.away(user, away),
            Input::Clock => draft.clock(),
            Input::TakenOver { .. }
            | Input::Outcome { .. }
            | Input::Told { .. }
            | Input::Recalled { .. }
            | Input::Gone { .. }
            | Input::Diverged { .. } => {}
        }
        draft.go_on();
        Ok(draft.decision(self))
    }

    fn apply(&mut self, event: &Event, at: Position) {
        self.list.change(event, at);
    }

    fn deadline(&self) -> Option<UnixMs> {
        let of_jobs = self.list.jobs.values().map(|job| self.due(job));
        let of_agents = self.list.agents.values().filter_map(|agent| agent.away_since);
        of_jobs.chain(of_agents.map(|since| since + AWAY_MS)).min()
    }

    fn view(&self) -> Box<RawValue> {
        json(&self.stands())
    }

    fn privates(&self) -> Vec<(UserId, Box<RawValue>)> {
        self.list.users().map(|user| (user.clone(), json(&self.list.private(user)))).collect()
    }

    fn answer(&self, _: &UserId, question: &[u8]) -> Result<Box<RawValue>, Refusal> {
        let refuse = |why: &dyn std::fmt::Display| {
            Refusal::new(Code::BadQuestion, format!("not a question to a room of jobs: {why}"))
        };
        let text = str::from_utf8(question).map_err(|error| refuse(&error))?;
        match JobsQuestion::read(text).map_err(|error| refuse(&error))? {
            JobsQuestion::Line => Ok(json(&JobsAnswer::Line(self.stands()))),
        }
    }

    fn is_member(&self, user: &UserId) -> bool {
        self.list.knows(user)
    }

    fn members(&self) -> Vec<UserId> {
        self.list.users().cloned().collect()
    }

    fn line(&self, _: &RoomId, _: UnixMs) -> Option<Line> {
        None
    }
}

impl Jobs {
    fn stands(&self) -> JobsView {
        let Settings { lease_ms, attempts_max, .. } = self.settings;
        JobsView { works: self.list.works(), lease_ms, attempts_max, failed: self.list.failed() }
    }

    /// When something becomes of a job by itself.
    fn due(&self, job: &Job) -> UnixMs {
        let Settings { wait_ms, kept_ms, .. } = self.settings;
        match &job.stage {
            Stage::Waits { since_ms, from_ms } => from_ms.unwrap_or(since_ms + wait_ms),
            Stage::Taken { until_ms, .. } => *until_ms,
            Stage::Done { at_ms } | Stage::Failed { at_ms, .. } => at_ms + kept_ms,
        }
    }
}

/// A decision in the making.
struct Draft {
    room: Jobs,
    moment: Moment,
    events: Vec<Event>,
    /// Who is told something.
    tells: Vec<UserId>,
}

impl Draft {
    fn emit(&mut self, event: Event) {
        self.tells.extend(self.room.list.change(&event, self.moment.at));
        self.events.push(event);
    }

    fn command(&mut self, user: &UserId, rights: Rights, body: &[u8]) -> Result<(), Refusal> {
        let refuse = |why: &dyn std::fmt::Display| {
            Refusal::new(Code::BadCommand, format!("not a command of a room of jobs: {why}"))
        };
        let text = str::from_utf8(body).map_err(|error| refuse(&error))?;
        let (at_ms, user) = (self.moment.now, user.clone());
        match JobsCommand::read(text).map_err(|error| refuse(&error))? {
            JobsCommand::Put { work, text } => self.put(user, work, text),
            JobsCommand::Drop { job } => {
                let is_his = self.room.list.jobs.get(&job).is_some_and(|job| job.user == user);
                is_his.then(|| self.emit(Event::Dropped { job })).ok_or_else(no_such_job)
            }
            JobsCommand::Ready { works, most } => self.ready(user, rights, works, most),
            JobsCommand::Tell { job, attempt, text } => {
                self.leased(&user, job, attempt, &text)?;
                self.emit(Event::Told { job, text, until_ms: at_ms + self.room.settings.lease_ms });
                Ok(())
            }
            JobsCommand::Done { job, attempt, text } => {
                self.leased(&user, job, attempt, &text)?;
                self.emit(Event::Done { job, text, at_ms });
                self.forget(&job);
                Ok(())
            }
            JobsCommand::Nack { job, attempt, why, retry_ms } => {
                self.leased(&user, job, attempt, "")?;
                let why = reason(&why)?;
                // All tries must not be used up while what an agent needs is away for a moment.
                let growing = || RETRY_MS_FIRST << (self.tries(&job) - 1).min(16);
                let pause = retry_ms.unwrap_or_else(growing).min(RETRY_MS_MAX);
                self.back(job, why, (pause > 0).then_some(at_ms + pause));
                Ok(())
            }
            JobsCommand::Reject { job, attempt, why } => {
                self.leased(&user, job, attempt, "")?;
                self.emit(Event::Failed { job, why: reason(&why)?, at_ms });
                self.forget(&job);
                Ok(())
            }
            JobsCommand::Requeue { job } => {
                if !(rights.roles.has(Roles::FLOOR) || rights.roles.has(Roles::ADMIN)) {
                    return Err(Refusal::new(Code::NotAllowed, "you are not of those who run this house"));
                }
                match self.room.list.jobs.get(&job).map(|job| &job.stage) {
                    Some(Stage::Failed { .. }) => {
                        self.has_room()?;
                        self.emit(Event::Requeued { job, at_ms });
                        Ok(())
                    }
                    Some(_) => Err(Refusal::new(Code::Unchanged, "that job has not failed")),
                    None => Err(no_such_job()),
                }
            }
        }
    }

    fn put(&mut self, user: UserId, work: Work, text: String) -> Result<(), Refusal> {
        if text.trim().is_empty() || text.len() > TEXT_BYTES_MAX {
            let why = format!("what is to be done is said in 1 to {TEXT_BYTES_MAX} bytes");
            return Err(Refusal::new(Code::BadText, why));
        }
        if self.room.list.of(&user).filter(|(_, job)| job.is_open()).count() >= OPEN_OF_USER_MAX {
            let why = format!("{OPEN_OF_USER_MAX} jobs of yours wait already");
            return Err(Refusal::new(Code::TooMany, why));
        }
        self.has_room()?;
        self.emit(Event::Put { user, work, text, at_ms: self.moment.now });
        Ok(())
    }

    fn has_room(&self) -> Result<(), Refusal> {
        let open = self.room.list.jobs.values().filter(|job| job.is_open()).count();
        if open < OPEN_MAX {
            return Ok(());
        }
        Err(Refusal::new(Code::TooMany, format!("{OPEN_MAX} jobs wait here already")))
    }

    fn ready(&mut self, user: UserId, rights: Rights, works: Vec<Work>, most: u8) -> Result<(), Refusal> {
        let agents = &self.room.list.agents;
        let ends = works.is_empty() || most == 0;
        if ends && !agents.contains_key(&user) {
            return Err(Refusal::new(Code::Unchanged, "you do no work here"));
        }
        if !ends && !rights.roles.has(Roles::AGENT) {
            let why = "you are no agent of this house: whoever runs it makes you one";
            return Err(Refusal::new(Code::NotAllowed, why));
        }
        if most > MOST_MAX {
            return Err(Refusal::new(Code::BadAmount, format!("{MOST_MAX} jobs at once at most")));
        }
        if !ends && !agents.contains_key(&user) && agents.len() >= AGENTS_MAX {
            return Err(Refusal::new(Code::TooMany, format!("{AGENTS_MAX} do work here already")));
        }
        self.emit(Event::Ready { user: user.clone(), works: works.into_iter().collect(), most });
        if ends {
            // Whoever goes in order has used up no try: agents may be restarted as often as one likes.
            for job in self.leases(&user) {
                self.emit(Event::Returned { job, at_ms: self.moment.now, from_ms: None, untried: true });
            }
        }
        Ok(())
    }

    /// Whether he has this job, and may say so much more of it.
    fn leased(&self, user: &UserId, job: Position, attempt: u32, more: &str) -> Result<(), Refusal> {
        let known = self.room.list.jobs.get(&job);
        let is_his = known.filter(|job| job.agent() == Some(user) && job.attempt == attempt);
        let anybodys = known.filter(|job| is_planted(Fault::AnswersAnew) && job.attempt >= attempt);
        let Some(leased) = is_his.or(anybodys) else {
            return Err(Refusal::new(Code::LeaseLost, "that job is not yours, or not any more"));
        };
        if leased.answer.len() + more.len() > ANSWER_BYTES_MAX {
            return Err(Refusal::new(
                Code::BadText,
                format!("an answer has {ANSWER_BYTES_MAX} bytes at most"),
            ));
        }
        Ok(())
    }

    fn away(&mut self, user: &UserId, away: bool) {
        let agent = self.room.list.agents.get(user);
        if agent.is_none_or(|agent| agent.away_since.is_some() == away) {
            return;
        }
        if away {
            self.emit(Event::Gone { user: user.clone(), at_ms: self.moment.now });
            for job in self.leases(user) {
                self.back(job, "whoever did it is gone".into(), None);
            }
        } else {
            self.emit(Event::Back { user: user.clone() });
        }
    }

    fn clock(&mut self) {
        let now = self.moment.now;
        let is_gone = |since: Option<UnixMs>| since.is_some_and(|since| since + AWAY_MS <= now);
        let agents = self.room.list.agents.iter();
        let gone: Vec<UserId> =
            agents.filter(|(_, agent)| is_gone(agent.away_since)).map(|(user, _)| user.clone()).collect();
        for user in gone {
            self.emit(Event::Ready { user, works: BTreeSet::new(), most: 0 });
        }
        let jobs = self.room.list.jobs.iter();
        let due: Vec<(Position, Stage)> = jobs
            .filter(|(_, job)| self.room.due(job) <= now)
            .map(|(name, job)| (*name, job.stage.clone()))
            .collect();
        for (job, stage) in due {
            match stage {
                Stage::Waits { from_ms: Some(_), .. } => self.emit(Event::Due { job, at_ms: now }),
                Stage::Waits { from_ms: None, .. } => {
                    self.emit(Event::Failed { job, why: "nobody does such work".into(), at_ms: now });
                    self.forget(&job);
                }
                Stage::Taken { .. } => self.back(job, "nothing was heard of it for too long".into(), None),
                Stage::Done { .. } | Stage::Failed { .. } => self.emit(Event::Dropped { job }),
            }
        }
    }

    /// Whoever does a job does not do it any more.
    fn back(&mut self, job: Position, why: String, from_ms: Option<UnixMs>) {
        let at_ms = self.moment.now;
        if self.tries(&job) < self.room.settings.attempts_max {
            return self.emit(Event::Returned { job, at_ms, from_ms, untried: false });
        }
        warn!(%job, why, "a job has failed: nobody has done it who has taken it");
        self.emit(Event::Failed { job, why, at_ms });
        self.forget(&job);
    }

    fn tries(&self, job: &Position) -> u32 {
        self.room.list.jobs.get(job).map_or(0, |job| job.tries)
    }

    fn leases(&self, agent: &UserId) -> Vec<Position> {
        self.room.list.leases(agent).map(|(job, _)| job).collect()
    }

    /// A job has ended: of its user's, and of all, only so many that have ended are kept.
    fn forget(&mut self, job: &Position) {
        let list = &self.room.list;
        let Some(user) = list.jobs.get(job).map(|job| &job.user) else { return };
        let ended = |(_, job): &(Position, &Job)| !job.is_open();
        let of_user: Vec<Position> = list.of(user).filter(ended).map(|(name, _)| name).collect();
        let all = list.jobs.iter().filter(|(_, job)| !job.is_open()).map(|(name, _)| *name);
        let all: Vec<Position> = all.collect();
        let of_user = of_user.iter().take(of_user.len().saturating_sub(KEPT_OF_USER_MAX));
        let of_all = all.iter().take(all.len().saturating_sub(KEPT_MAX));
        let forgotten: BTreeSet<Position> = of_user.chain(of_all).copied().collect();
        forgotten.into_iter().for_each(|job| self.emit(Event::Dropped { job }));
    }

    /// Gives whatever waits to whoever has room for it, the oldest first.
    fn go_on(&mut self) {
        let waits = |job: &Job| matches!(job.stage, Stage::Waits { from_ms: None, .. });
        let jobs = self.room.list.jobs.iter().filter(|(_, job)| waits(job));
        let waiting: Vec<(Position, Arc<Job>)> = jobs.map(|(name, job)| (*name, job.clone())).collect();
        for (name, job) in waiting {
            if let Some(agent) = self.room.list.idle(&job) {
                let until_ms = self.moment.now + self.room.settings.lease_ms;
                self.emit(Event::Taken { job: name, agent, until_ms });
            }
        }
    }

    fn decision(self, before: &Jobs) -> Decision<Jobs> {
        let Self { room, moment: _, events, tells } = self;
        if events.is_empty() {
            return Decision::nothing(before.clone());
        }
        let tells: BTreeSet<UserId> = tells.into_iter().collect();
        let privates = tells.into_iter().map(|user| {
            let told = json(&room.list.private(&user));
            (user, told)
        });
        let privates = privates.collect();
        let (mut put, mut taken, mut done, mut failed) = (0, 0, 0, 0);
        for event in &events {
            match event {
                Event::Put { .. } => put += 1,
                Event::Taken { .. } => taken += 1,
                Event::Done { .. } => done += 1,
                Event::Failed { .. } => failed += 1,
                _ => {}
            }
        }
        let mut counts = counted("cardhouse_jobs_put_total", put);
        counts.extend(counted("cardhouse_jobs_taken_total", taken));
        counts.extend(counted("cardhouse_jobs_done_total", done));
        counts.extend(counted("cardhouse_jobs_failed_total", failed));
        Decision { events, privates, counts, lobby: true, ..Decision::nothing(room) }
    }
}

fn no_such_job() -> Refusal {
    Refusal::new(Code::NoSuchJob, "you have no such job here")
}

fn reason(why: &str) -> Result<String, Refusal> {
    if why.trim().is_empty() || why.len() > WHY_BYTES_MAX {
        return Err(Refusal::new(Code::BadText, format!("a reason has 1 to {WHY_BYTES_MAX} bytes")));
    }
    Ok(why.to_owned())
}
