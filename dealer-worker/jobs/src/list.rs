//! What waits, who does it, and the facts that change it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use protocol::{
    id::{Position, UserId},
    jobs::{FailedJob, JobStage, JobsPrivate, Lease, OwnJob, Work, WorkView},
    time::UnixMs,
};
use rooms::planted::{Fault, is_planted};
use serde::{Deserialize, Serialize};

/// So many users are remembered who have no job and do none, for how often they were told something; of more, whoever was told the longest ago is forgotten.
const IDLE_MAX: usize = 1_024;

/// See the module. Changed by [`List::change`] and by nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// By the frame that took it in, so the oldest is first. Each decision is made on a copy, and copies share what they do not change.
    pub(crate) jobs: BTreeMap<Position, Arc<Job>>,
    pub(crate) agents: BTreeMap<UserId, Agent>,
    told: BTreeMap<UserId, Told>,
}

/// Something that is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub(crate) user: UserId,
    pub(crate) work: Work,
    text: String,
    /// How often it was taken: the number of the lease.
    pub(crate) attempt: u32,
    /// How often of late: since it was put, or tried anew.
    pub(crate) tries: u32,
    /// Who took it last: another is asked first.
    last: Option<UserId>,
    /// What he has told of it.
    pub(crate) answer: String,
    pub(crate) stage: Stage,
}

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// For somebody who does it.
    Waits {
        /// Since when.
        since_ms: UnixMs,
        /// Nobody is to take it before.
        from_ms: Option<UnixMs>,
    },
    /// Somebody does it.
    Taken {
        /// Who.
        agent: UserId,
        /// His lease ends then.
        until_ms: UnixMs,
    },
    /// It has its answer.
    Done {
        /// Since when.
        at_ms: UnixMs,
    },
    /// It has none.
    Failed {
        /// Why.
        why: String,
        /// Since when.
        at_ms: UnixMs,
    },
}

/// Somebody who does work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    pub(crate) works: BTreeSet<Work>,
    pub(crate) most: u8,
    pub(crate) away_since: Option<UnixMs>,
}

/// What somebody was told last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    k: u64,
    at: Position,
}

/// One fact, in the words of the journal's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Somebody wants something done. The job's name is the frame's position.
    Put {
        /// Who.
        user: UserId,
        /// What.
        work: Work,
        /// As he says it.
        text: String,
        /// When.
        at_ms: UnixMs,
    },
    /// It is on nobody's list any more.
    Dropped {
        /// Which.
        job: Position,
    },
    /// Somebody does such work; none: nothing any more.
    Ready {
        /// Who.
        user: UserId,
        /// What.
        works: BTreeSet<Work>,
        /// So much at once.
        most: u8,
    },
    /// Somebody who does work is gone.
    Gone {
        /// Who.
        user: UserId,
        /// Since when.
        at_ms: UnixMs,
    },
    /// He is back.
    Back {
        /// Who.
        user: UserId,
    },
    /// Somebody has taken it.
    Taken {
        /// Which.
        job: Position,
        /// Who.
        agent: UserId,
        /// His lease ends then.
        until_ms: UnixMs,
    },
    /// He has told something of it.
    Told {
        /// Which.
        job: Position,
        /// What comes behind what he has told of it.
        text: String,
        /// His lease ends then.
        until_ms: UnixMs,
    },
    /// He has done it.
    Done {
        /// Which.
        job: Position,
        /// What comes behind what he has told of it.
        text: String,
        /// When.
        at_ms: UnixMs,
    },
    /// Nobody does it any more: it waits again, and what was told of it does not hold.
    Returned {
        /// Which.
        job: Position,
        /// When.
        at_ms: UnixMs,
        /// Nobody is to take it before.
        from_ms: Option<UnixMs>,
        /// Whoever had it has said that he goes: that was no try.
        untried: bool,
    },
    /// The pause is over.
    Due {
        /// Which.
        job: Position,
        /// When.
        at_ms: UnixMs,
    },
    /// It has no answer.
    Failed {
        /// Which.
        job: Position,
        /// Why.
        why: String,
        /// When.
        at_ms: UnixMs,
    },
    /// It is tried anew.
    Requeued {
        /// Which.
        job: Position,
        /// When.
        at_ms: UnixMs,
    },
}

impl Job {
    /// It is neither done nor has it failed.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Waits { .. } | Stage::Taken { .. })
    }

    /// Whoever has taken it.
    pub(crate) fn agent(&self) -> Option<&UserId> {
        match &self.stage {
            Stage::Taken { agent, .. } => Some(agent),
            _ => None,
        }
    }
}

impl List {
    /// The jobs of a user, the oldest first.
    pub(crate) fn of<'a>(&'a self, user: &'a UserId) -> impl Iterator<Item = (Position, &'a Job)> {
        self.jobs.iter().filter(move |(_, job)| job.user == *user).map(|(name, job)| (*name, &**job))
    }

    /// What somebody does, the oldest first.
    pub(crate) fn leases<'a>(&'a self, agent: &'a UserId) -> impl Iterator<Item = (Position, &'a Job)> {
        let is_his = move |job: &Job| job.agent() == Some(agent);
        self.jobs.iter().filter(move |(_, job)| is_his(job)).map(|(name, job)| (*name, &**job))
    }

    /// Who has room for this job: the one who does least, and nobody who has had it last if there is another.
    pub(crate) fn idle(&self, job: &Job) -> Option<UserId> {
        let is_able = |agent: &Agent| agent.away_since.is_none() && agent.works.contains(&job.work);
        let able = self.agents.iter().filter(|(_, agent)| is_able(agent));
        let able = able.map(|(user, agent)| (self.leases(user).count(), user, agent));
        let free = able.filter(|(does, _, agent)| *does < usize::from(agent.most));
        let best = free.min_by_key(|(does, user, _)| (job.last.as_ref() == Some(*user), *does, *user));
        best.map(|(_, user, _)| user.clone())
    }

    /// Everybody who is told something.
    pub(crate) fn users(&self) -> impl Iterator<Item = &UserId> {
        self.told.keys()
    }

    /// Whether this user is.
    pub(crate) fn knows(&self, user: &UserId) -> bool {
        self.told.contains_key(user)
    }

    /// What a user is told.
    pub(crate) fn private(&self, user: &UserId) -> JobsPrivate {
        let k = self.told.get(user).map_or(0, |told| told.k);
        let jobs = self.of(user).map(|(name, job)| job.told(name)).collect();
        let lease = |(name, job): (Position, &Job)| {
            let Stage::Taken { until_ms, .. } = job.stage else { return None };
            let Job { user, work, text, attempt, .. } = job.clone();
            Some(Lease { job: name, attempt, work, text, user, until_ms })
        };
        JobsPrivate { k, jobs, leases: self.leases(user).filter_map(lease).collect() }
    }

    /// How it stands with each kind of work.
    pub(crate) fn works(&self) -> Vec<WorkView> {
        let mut works: BTreeMap<&Work, WorkView> = BTreeMap::new();
        let empty =
            |work: &Work| WorkView { work: work.clone(), agents: 0, waiting: 0, taken: 0, oldest_ms: None };
        for agent in self.agents.values().filter(|agent| agent.away_since.is_none()) {
            agent.works.iter().for_each(|work| works.entry(work).or_insert_with(|| empty(work)).agents += 1);
        }
        for job in self.jobs.values() {
            let view = || empty(&job.work);
            match &job.stage {
                Stage::Waits { since_ms, .. } => {
                    let view = works.entry(&job.work).or_insert_with(view);
                    view.waiting += 1;
                    view.oldest_ms = Some(view.oldest_ms.map_or(*since_ms, |oldest| oldest.min(*since_ms)));
                }
                Stage::Taken { .. } => works.entry(&job.work).or_insert_with(view).taken += 1,
                Stage::Done { .. } | Stage::Failed { .. } => {}
            }
        }
        works.into_values().collect()
    }

    /// What has failed, the oldest first.
    pub(crate) fn failed(&self) -> Vec<FailedJob> {
        let failed = self.jobs.iter().filter_map(|(name, job)| match &job.stage {
            Stage::Failed { at_ms, .. } => {
                Some(FailedJob { job: *name, work: job.work.clone(), attempts: job.attempt, at_ms: *at_ms })
            }
            _ => None,
        });
        failed.collect()
    }

    /// Does what an event of the frame there says. Answers who is told something.
    pub(crate) fn change(&mut self, event: &Event, at: Position) -> Vec<UserId> {
        let told = match event {
            Event::Put { user, work, text, at_ms } => {
                let stage = Stage::Waits { since_ms: *at_ms, from_ms: None };
                let (user, work, text) = (user.clone(), work.clone(), text.clone());
                let job = Job {
                    user: user.clone(),
                    work,
                    text,
                    attempt: 0,
                    tries: 0,
                    last: None,
                    answer: String::new(),
                    stage,
                };
                self.jobs.insert(at, Arc::new(job));
                vec![user]
            }
            Event::Dropped { job } => self.jobs.remove(job).map(|job| job.concerned()).unwrap_or_default(),
            Event::Ready { user, works, most } => {
                if works.is_empty() || *most == 0 {
                    self.agents.remove(user);
                } else {
                    let agent = Agent { works: works.clone(), most: *most, away_since: None };
                    self.agents.insert(user.clone(), agent);
                }
                vec![user.clone()]
            }
            Event::Gone { user, at_ms } => {
                self.agents.get_mut(user).into_iter().for_each(|agent| agent.away_since = Some(*at_ms));
                Vec::new()
            }
            Event::Back { user } => {
                self.agents.get_mut(user).into_iter().for_each(|agent| agent.away_since = None);
                Vec::new()
            }
            Event::Taken { job, agent, until_ms } => self.on(job, |job| {
                job.attempt += 1;
                job.tries += 1;
                job.last = Some(agent.clone());
                job.answer.clear();
                job.stage = Stage::Taken { agent: agent.clone(), until_ms: *until_ms };
                job.concerned()
            }),
            Event::Told { job, text, until_ms } => self.on(job, |job| {
                job.answer.push_str(text);
                if let Stage::Taken { until_ms: until, .. } = &mut job.stage {
                    *until = *until_ms;
                }
                // Whoever has told it knows.
                if text.is_empty() { Vec::new() } else { vec![job.user.clone()] }
            }),
            Event::Done { job, text, at_ms } => self.on(job, |job| {
                let concerned = job.concerned();
                if is_planted(Fault::AnswersAnew) && !matches!(job.stage, Stage::Taken { .. }) {
                    job.answer.clear();
                }
                job.answer.push_str(text);
                job.stage = Stage::Done { at_ms: *at_ms };
                concerned
            }),
            Event::Returned { job, at_ms, from_ms, untried } => self.on(job, |job| {
                let concerned = job.concerned();
                job.tries -= u32::from(*untried);
                job.answer.clear();
                job.stage = Stage::Waits { since_ms: *at_ms, from_ms: *from_ms };
                concerned
            }),
            Event::Due { job, at_ms } => self.on(job, |job| {
                job.stage = Stage::Waits { since_ms: *at_ms, from_ms: None };
                Vec::new()
            }),
            Event::Failed { job, why, at_ms } => self.on(job, |job| {
                let concerned = job.concerned();
                job.answer.clear();
                job.stage = Stage::Failed { why: why.clone(), at_ms: *at_ms };
                concerned
            }),
            Event::Requeued { job, at_ms } => self.on(job, |job| {
                job.tries = 0;
                job.stage = Stage::Waits { since_ms: *at_ms, from_ms: None };
                job.concerned()
            }),
        };
        for user in &told {
            let told = self.told.entry(user.clone()).or_default();
            // Whatever a frame decides of somebody, he is told once.
            *told = Told { k: told.k + u64::from(told.at != at), at };
        }
        self.forget_idle();
        told
    }

    /// Changes a job. Whoever it is about is told.
    fn on(&mut self, job: &Position, change: impl FnOnce(&mut Job) -> Vec<UserId>) -> Vec<UserId> {
        self.jobs.get_mut(job).map(|job| change(Arc::make_mut(job))).unwrap_or_default()
    }

    fn forget_idle(&mut self) {
        if self.told.len() <= IDLE_MAX + self.jobs.len() + self.agents.len() {
            return;
        }
        let busy: BTreeSet<&UserId> =
            self.jobs.values().map(|job| &job.user).chain(self.agents.keys()).collect();
        let idle = self.told.iter().filter(|(user, _)| !busy.contains(user));
        let oldest = idle.min_by_key(|(_, told)| told.at).map(|(user, _)| user.clone());
        if let Some(user) = oldest {
            self.told.remove(&user);
        }
    }
}

impl Job {
    /// Who wanted it, and who does it.
    fn concerned(&self) -> Vec<UserId> {
        std::iter::once(&self.user).chain(self.agent()).cloned().collect()
    }

    fn told(&self, name: Position) -> OwnJob {
        let Self { user: _, work, text, attempt, tries: _, last: _, answer, stage } = self.clone();
        let (stage, why) = match stage {
            Stage::Waits { .. } => (JobStage::Waiting, None),
            Stage::Taken { .. } => (JobStage::Taken, None),
            Stage::Done { .. } => (JobStage::Done, None),
            Stage::Failed { why, .. } => (JobStage::Failed, Some(why)),
        };
        OwnJob { job: name, work, text, stage, attempt, answer, why }
    }
}
