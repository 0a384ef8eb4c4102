//! A guest who does work: it takes jobs in all rooms where some wait, tells a piece of an answer after the other, and ends it. One that *stalls* says mostly
//! nothing; one that *doubles* goes on with what is another's by then, and answers what it has answered.

use std::collections::{BTreeMap, BTreeSet};

use player::{
    Heard,
    visitor::{Own, Visitor},
};
use protocol::{
    ClientOut,
    id::{Position, RoomId},
    jobs::{JobsCommand, JobsPrivate},
};
use rand::{RngExt, seq::IndexedRandom};
use serde_json::value::to_raw_value;
use tokio::time::{Duration, Instant};

use super::patron::coach;

/// The longest pause between two commands, milliseconds.
const PAUSE_MAX_MS: u64 = 400;

/// So many leases are remembered.
const REMEMBERED_MAX: usize = 64;

/// What the names of such guests begin with: their tokens say that they may.
pub(crate) const WORKMAN: &str = "workman-";

/// How it does its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Diligence {
    /// As it should.
    Works,
    /// It says mostly nothing.
    Stalls,
    /// It goes on with what it has no more.
    Doubles,
}

impl Diligence {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Works, Self::Stalls, Self::Doubles];
}

/// See the module.
pub(crate) struct Workman {
    own: Own,
    diligence: Diligence,
    rooms: Vec<RoomId>,
    /// What each room has told it last.
    told: BTreeMap<RoomId, JobsPrivate>,
    /// Rooms that know that it does work.
    ready: BTreeSet<RoomId>,
    /// What it had once.
    had: Vec<(RoomId, Position, u32)>,
}

impl Workman {
    pub(crate) fn new(diligence: Diligence, seed: u64, token: String, now: Instant) -> Self {
        let own = Own::new(seed, token, now);
        let (rooms, had) = (protocol::jobs::rooms().collect(), Vec::new());
        Self { own, diligence, rooms, told: BTreeMap::new(), ready: BTreeSet::new(), had }
    }

    fn asks(&mut self, room: &RoomId, what: &JobsCommand, now: Instant) {
        let raw = to_raw_value(what).expect("JSON");
        self.own.client.raw_command(room, raw, now);
    }

    /// What it has, as it knows.
    fn has(&self) -> Vec<(RoomId, Position, u32)> {
        let leases =
            self.told.iter().flat_map(|(room, told)| told.leases.iter().map(move |lease| (room, lease)));
        leases.map(|(room, lease)| (room.clone(), lease.job, lease.attempt)).collect()
    }

    fn works(&mut self, now: Instant) {
        let all = match self.diligence {
            Diligence::Doubles => &self.had,
            Diligence::Works | Diligence::Stalls => &self.has(),
        };
        let Some((room, job, attempt)) = all.choose(&mut self.own.rng).cloned() else { return };
        let text = format!("word {} ", self.own.rng.random_range(0..100));
        let (stalls, dice) = (self.diligence == Diligence::Stalls, self.own.rng.random_range(0..20));
        let what = match dice {
            2.. if stalls => return,
            0..11 => JobsCommand::Tell { job, attempt, text },
            11..17 => JobsCommand::Done { job, attempt, text },
            17 | 18 => JobsCommand::Nack { job, attempt, why: "not now".into(), retry_ms: Some(500) },
            _ => JobsCommand::Reject { job, attempt, why: "no".into() },
        };
        self.asks(&room, &what, now);
    }
}

impl Visitor for Workman {
    fn own(&self) -> &Own {
        &self.own
    }

    fn own_mut(&mut self) -> &mut Own {
        &mut self.own
    }

    fn hear(&mut self, text: &str, now: Instant) -> Heard {
        if let Ok(ClientOut::Private { room, private, .. }) = serde_json::from_str(text)
            && self.rooms.contains(&room)
        {
            let told: JobsPrivate = serde_json::from_str(private.get()).unwrap_or_default();
            self.told.insert(room, told);
            for lease in self.has() {
                if !self.had.contains(&lease) {
                    self.had.push(lease);
                }
            }
            let excess = self.had.len().saturating_sub(REMEMBERED_MAX);
            self.had.drain(..excess);
        }
        self.own.client.receive(text, now)
    }

    fn act(&mut self, now: Instant) {
        let pause = Duration::from_millis(self.own.rng.random_range(0..=PAUSE_MAX_MS));
        self.own.rests_until = now + pause;
        if let Some(room) = self.rooms.iter().find(|room| self.own.client.position(room).is_none()).cloned() {
            return self.own.client.watch(&room, now);
        }
        if self.own.stopping {
            if let Some(room) = self.ready.pop_first() {
                self.asks(&room, &JobsCommand::Ready { works: vec![], most: 0 }, now);
            }
            return;
        }
        // Whoever was gone for long is none of theirs any more, and is not told.
        let dice = self.own.rng.random_range(0..60);
        let unready = self.rooms.iter().find(|room| !self.ready.contains(*room)).cloned();
        if let Some(room) = unready {
            let most = self.own.rng.random_range(1..=3);
            self.asks(&room, &JobsCommand::Ready { works: vec![coach()], most }, now);
            self.ready.insert(room);
        } else if dice == 0 {
            self.own.vanish = Some(Duration::from_millis(self.own.rng.random_range(0..20_000)));
        } else if dice == 1 {
            self.ready.clear();
        } else {
            self.works(now);
        }
    }

    fn is_done(&self) -> bool {
        self.ready.is_empty()
    }
}
