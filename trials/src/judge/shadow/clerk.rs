//! What becomes of jobs: from what their rooms have decided, whoever asked for it, and what they tell of it. Nothing here is taken from the rooms' own state.

use std::collections::BTreeMap;

use broker::{
    entry::{Entry, Kind},
    seal::Sealer,
};
use jobs::{Jobs, list::Event};
use protocol::{
    id::{Position, RoomId, UserId},
    jobs::{JobStage, JobsPrivate},
};
use rooms::room::record::{DeltaOf, open};

use super::{Promise, Shadow};

/// See the module.
#[derive(Default)]
pub(super) struct Clerk {
    sealer: Option<Sealer>,
    jobs: BTreeMap<(RoomId, Position), Seen>,
    /// The last entry of each room.
    last: BTreeMap<RoomId, Position>,
    /// Something was trimmed before it was read: nothing is known for sure from then on.
    is_torn: bool,
    /// How many were answered, and how many of them by another than who had them first.
    answered: (u64, u64),
}

/// A job.
struct Seen {
    user: UserId,
    /// Who has it, and what he has told of it.
    taken: Option<(UserId, String)>,
    attempts: u32,
    /// What it was answered.
    answer: Option<String>,
    has_failed: bool,
}

/// A part of one user's.
#[derive(serde::Deserialize)]
struct OwnPart {
    private: JobsPrivate,
}

impl Clerk {
    pub(super) fn of(sealer: Sealer) -> Self {
        Self { sealer: Some(sealer), ..Self::default() }
    }

    /// Takes an entry of a room of jobs.
    pub(super) fn take(&mut self, room: &RoomId, entry: &Entry, broken: &mut Vec<(Promise, String)>) {
        if entry.at.seq().0 > 0 {
            let before = self.last.insert(room.clone(), entry.at).map_or(0, |last| last.seq().0);
            self.is_torn |= entry.at.seq().0 != before + 1;
        }
        if entry.kind != Kind::Delta || self.is_torn {
            return;
        }
        let mut accuse =
            |what: String| broken.push((Promise::Answered, format!("{room} {}: {what}", entry.at)));
        let now = entry.at_ms.unwrap_or_default();
        let opened = self.sealer.as_ref().map(|sealer| open::<DeltaOf<'_, Jobs>>(sealer, entry, now));
        let Some(Ok(DeltaOf(delta))) = opened else { return };
        let by = entry.cause.as_ref().map(|cause| &cause.user);
        delta.events.iter().for_each(|event| self.see(room, entry.at, by, event, &mut accuse));
        for part in &entry.privates {
            let Ok(OwnPart { private }) = serde_json::from_slice(&part.bytes) else {
                accuse("a part that cannot be read".into());
                continue;
            };
            self.told(room, &part.user, &private, &mut accuse);
        }
    }

    fn see(
        &mut self,
        room: &RoomId,
        at: Position,
        by: Option<&UserId>,
        event: &Event,
        accuse: &mut impl FnMut(String),
    ) {
        let seen = |jobs: &'_ mut BTreeMap<(RoomId, Position), Seen>, job: &Position| -> Option<Seen> {
            jobs.remove(&(room.clone(), *job))
        };
        match event {
            Event::Put { user, .. } => {
                if by != Some(user) {
                    accuse(format!("a job of {user}, and {by:?} has asked for it"));
                }
                let job =
                    Seen { user: user.clone(), taken: None, attempts: 0, answer: None, has_failed: false };
                self.jobs.insert((room.clone(), at), job);
            }
            Event::Dropped { job } => {
                let Some(was) = seen(&mut self.jobs, job) else { return };
                if was.answer.is_none() && !was.has_failed && by != Some(&was.user) {
                    accuse(format!("{job} is dropped, which has no answer, and {by:?} has asked for it"));
                }
            }
            Event::Taken { job, agent, .. } => {
                let Some(mut was) = seen(&mut self.jobs, job) else {
                    return accuse(format!("{job} is taken, which nobody has put"));
                };
                if was.taken.is_some() || was.answer.is_some() || was.has_failed {
                    accuse(format!("{job} is taken by {agent}, and was not there to be taken"));
                }
                was.attempts += 1;
                was.taken = Some((agent.clone(), String::new()));
                self.jobs.insert((room.clone(), *job), was);
            }
            Event::Told { job, text, .. } | Event::Done { job, text, .. } => {
                let Some(mut was) = seen(&mut self.jobs, job) else {
                    return accuse(format!("{job} is spoken of, which nobody has put"));
                };
                match &mut was.taken {
                    Some((agent, told)) if by == Some(agent) => told.push_str(text),
                    other => accuse(format!("{by:?} speaks of {job}, which {other:?} has")),
                }
                if matches!(event, Event::Done { .. }) {
                    if was.answer.is_some() || was.has_failed {
                        accuse(format!("{job} is answered, and had come to its end"));
                    } else {
                        self.answered.0 += 1;
                        self.answered.1 += u64::from(was.attempts > 1);
                    }
                    was.answer = was.taken.take().map(|(_, told)| told);
                }
                self.jobs.insert((room.clone(), *job), was);
            }
            Event::Returned { job, .. } | Event::Failed { job, .. } | Event::Requeued { job, .. } => {
                let Some(was) = self.jobs.get_mut(&(room.clone(), *job)) else { return };
                if was.answer.is_some() {
                    accuse(format!("{job} has its answer, and is not done with"));
                }
                was.taken = None;
                was.has_failed = matches!(event, Event::Failed { .. });
            }
            Event::Due { .. } | Event::Ready { .. } | Event::Gone { .. } | Event::Back { .. } => {}
        }
    }

    fn told(&self, room: &RoomId, user: &UserId, told: &JobsPrivate, accuse: &mut impl FnMut(String)) {
        let of = |job: Position| self.jobs.get(&(room.clone(), job));
        for own in &told.jobs {
            let Some(seen) = of(own.job).filter(|seen| seen.user == *user) else {
                accuse(format!("{user} is told of {}, which is not his", own.job));
                continue;
            };
            let answer = match own.stage {
                JobStage::Done => seen.answer.clone(),
                JobStage::Taken => seen.taken.clone().map(|(_, told)| told),
                JobStage::Waiting => (seen.taken.is_none() && seen.answer.is_none()).then(String::new),
                JobStage::Failed => seen.has_failed.then(String::new),
            };
            if answer.as_deref() != Some(&own.answer) {
                accuse(format!("{user} is told {own:?}, and it is {answer:?}"));
            }
        }
        for lease in &told.leases {
            let has_it =
                of(lease.job).and_then(|seen| seen.taken.as_ref()).is_some_and(|(agent, _)| agent == user);
            if !has_it {
                accuse(format!("{user} is told that he has {}", lease.job));
            }
        }
        let has = self.jobs.iter().filter(|((of, _), seen)| {
            of == room && seen.taken.as_ref().is_some_and(|(agent, _)| agent == user)
        });
        if has.count() != told.leases.len() {
            accuse(format!("{user} is not told of all that he has"));
        }
    }
}

impl Shadow {
    /// Everything is quiet, and everybody has dropped what was his: nothing is left.
    pub fn judge_jobs(&mut self) {
        let left = self.clerk.jobs.iter().filter(|_| !self.clerk.is_torn);
        let left: Vec<_> =
            left.map(|((room, job), seen)| format!("{room}: {job} of {} is left", seen.user)).collect();
        left.into_iter().for_each(|what| self.accuse(Promise::Answered, what));
    }

    /// How many jobs were answered, and how many of them by another than who had taken them first.
    pub fn jobs_done(&self) -> (u64, u64) {
        self.clerk.answered
    }
}
