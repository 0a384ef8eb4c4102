//! What can go wrong, and the order in which it does: all from one seed.

use clap::ValueEnum;
use loadtest::cluster::{args::RedisMode, machines::Machines};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use tokio::time::Duration;

/// What happens to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Kind {
    /// SIGKILL for a relay, which is started again.
    RelayKilled,
    /// SIGKILL for a dealer worker, which is started again.
    WorkerKilled,
    /// SIGKILL for a Redis that holds data, which is started again with its append-only file.
    RedisKilled,
    /// SIGKILL for nginx, which is started again.
    NginxKilled,
    /// SIGKILL for reception, which is started again.
    ReceptionKilled,
    /// SIGKILL for the reception that writes hands down, over those that it has just taken; it is started again. Only where hands are kept.
    RecorderKilled,
    /// SIGKILL for all processes of the database in which hands are written down, which is started again. Only where hands are kept.
    DatabaseKilled,
    /// Reception is killed, its database put back to what it was some seconds ago, and reception started again with the ledger's tape. Only where
    /// a tape is kept.
    DatabaseRestored,
    /// A relay stands still until the others take it for dead, and goes on.
    RelayStopped,
    /// A relay stands still until every table goes on without it: its clients find another one.
    RelayHung,
    /// A dealer worker stands still until the others take it for dead, and goes on as a zombie.
    WorkerStopped,
    /// A Redis that holds data stands still.
    RedisStopped,
    /// SIGTERM for a relay, which is started again.
    RelayRestarted,
    /// SIGTERM for a dealer worker, which is started again.
    WorkerRestarted,
    /// Redis ends all connections that subscribe.
    SubscribersDropped,
    /// Redis ends all connections that do not.
    ConnectionsDropped,
    /// A node's connections to Redis break, and new ones do too.
    LinkCut,
    /// Nothing comes through between a node and Redis, both ways; then all of it does, late.
    LinkHeld,
    /// A node's subscriptions stay connected and silent.
    SubscriberSilent,
    /// Everything between a node and Redis takes longer.
    LinkSlow,
    /// A Redis that holds data answers in fits and starts.
    RedisSlow,
    /// A primary is killed, and its replica takes its place.
    RedisFailedOver,
    /// The same, and the replica lacks what the primary has acknowledged last.
    RedisFailedOverBehind,
    /// All dealer workers are killed, and Redis loses everything: nobody remembers a table, and nothing is left of one. Only where it is asked for.
    RedisFlushed,
    /// A node's machine is cut off from all others and from Redis, without a word to any of them.
    Partitioned,
}

impl Kind {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::value_variants().iter().copied()
    }

    /// The name in reports.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether it can happen with this form of Redis.
    pub fn is_possible(self, redis: RedisMode) -> bool {
        match self {
            Self::RedisFailedOver | Self::RedisFailedOverBehind => redis != RedisMode::Single,
            // Clients learn the servers' addresses from sentinels and clusters, and go past any link.
            kind if kind.bends_links() => redis == RedisMode::Single,
            Self::Partitioned => Machines::are_possible(),
            // With sentinels that is a failover.
            Self::RedisKilled => redis != RedisMode::Sentinel,
            _ => true,
        }
    }

    /// Whether it happens where nothing else is asked for.
    pub fn is_usual(self) -> bool {
        !matches!(self, Self::RedisFlushed | Self::DatabaseRestored) && !self.is_of_books()
    }

    /// Whether it happens to what writes hands down.
    pub fn is_of_books(self) -> bool {
        matches!(self, Self::RecorderKilled | Self::DatabaseKilled)
    }

    /// Whether it happens to the way between a node and Redis.
    pub fn bends_links(self) -> bool {
        matches!(self, Self::LinkCut | Self::LinkHeld | Self::SubscriberSilent | Self::LinkSlow)
    }

    /// Whether it takes tables from a dealer worker: they go on in a later epoch.
    pub fn moves_tables(self) -> bool {
        matches!(self, Self::WorkerKilled | Self::WorkerStopped | Self::WorkerRestarted | Self::RedisFlushed)
    }

    /// Whether the next fault may strike before the tables have recovered.
    fn may_overlap(self) -> bool {
        !matches!(self, Self::RelayHung | Self::RedisFlushed | Self::DatabaseRestored)
    }

    /// How long it lasts, milliseconds: from, to.
    fn lasts_ms(self) -> (u64, u64) {
        match self {
            // Longer than it takes to be taken for dead (2 s).
            Self::RelayStopped | Self::WorkerStopped => (2_500, 6_000),
            // Both sides of the time after which commands are given up (2 s).
            Self::RedisStopped => (300, 4_000),
            Self::RedisSlow => (1_000, 5_000),
            // How long hands pile up, and how long the database is away.
            Self::RecorderKilled | Self::DatabaseKilled => (0, 5_000),
            // How far the database goes back.
            Self::DatabaseRestored => (1_000, 6_000),
            // How long the replica has been getting nothing.
            Self::RedisFailedOverBehind => (200, 1_000),
            Self::Partitioned => (500, 6_000),
            Self::LinkCut | Self::LinkHeld | Self::SubscriberSilent => (500, 6_000),
            Self::LinkSlow => (1_000, 5_000),
            // How long what was killed stays away.
            Self::RelayKilled
            | Self::WorkerKilled
            | Self::NginxKilled
            | Self::ReceptionKilled
            | Self::RedisFlushed => (0, 3_000),
            _ => (0, 0),
        }
    }
}

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub kind: Kind,
    /// To which of those that it can happen to, modulo how many there are.
    pub whom: usize,
    /// For how long, where that is to be chosen.
    pub lasts: Duration,
    /// The next fault does not wait until the tables have recovered from this one.
    pub overlaps: bool,
    /// Time until the next fault, from its recovery or, if it overlaps, from its beginning.
    pub calm: Duration,
}

/// All faults of a seed, in order, without end: every kind once, in an order by chance, then again.
pub struct Schedule {
    rng: ChaCha8Rng,
    kinds: Vec<Kind>,
    round: Vec<Kind>,
    overlaps: bool,
    calm_ms_max: u64,
}

/// The chance that the next fault does not wait.
const OVERLAP: f64 = 0.2;

/// An overlapping fault comes after at most so long, milliseconds.
const OVERLAP_MS_MAX: u64 = 1_000;

impl Schedule {
    /// Faults of these kinds.
    pub fn new(seed: u64, kinds: Vec<Kind>, overlaps: bool, calm_ms_max: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), kinds, round: Vec::new(), overlaps, calm_ms_max }
    }
}

impl Iterator for Schedule {
    type Item = Fault;

    fn next(&mut self) -> Option<Fault> {
        if self.round.is_empty() {
            self.round.clone_from(&self.kinds);
            self.round.shuffle(&mut self.rng);
        }
        let kind = self.round.pop()?;
        let (from, to) = kind.lasts_ms();
        let lasts = Duration::from_millis(self.rng.random_range(from..=to));
        let overlaps = self.rng.random_bool(OVERLAP) && self.overlaps && kind.may_overlap();
        let calm_ms = if overlaps { OVERLAP_MS_MAX } else { self.calm_ms_max };
        let calm = Duration::from_millis(self.rng.random_range(0..=calm_ms));
        Some(Fault { kind, whom: self.rng.random_range(0..usize::from(u16::MAX)), lasts, overlaps, calm })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_all_and_every_kind_has_its_turn() {
        let kinds: Vec<Kind> = Kind::all().collect();
        let faults =
            |seed| Schedule::new(seed, kinds.clone(), true, 3_000).take(kinds.len()).collect::<Vec<_>>();
        assert_eq!(faults(7), faults(7));
        assert_ne!(faults(7), faults(8));
        let mut seen: Vec<Kind> = faults(7).iter().map(|fault| fault.kind).collect();
        seen.sort_unstable();
        assert_eq!(seen, kinds);
    }

    #[test]
    fn without_kinds_nothing_goes_wrong() {
        assert_eq!(Schedule::new(1, Vec::new(), true, 0).next(), None);
    }
}
