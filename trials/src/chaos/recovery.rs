//! How long it takes from a fault until actions are accepted again, at every table that it concerned.
//!
//! A table that was taken from its dealer worker has recovered with the first action that is accepted in a later epoch; any
//! other with the first that was *sent* after the fault, since an answer that was on its way already proves nothing.
//! Players' thinking is part of the time.

use std::collections::BTreeMap;

use broker::clock::Clock;
use parking_lot::Mutex;
use protocol::id::{Epoch, Position, RoomId};
use tokio::{
    sync::Notify,
    time::{Duration, Instant},
};

use super::fault::Kind;

/// See the module.
#[derive(Debug)]
pub struct Recoveries {
    clock: Clock,
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    pending: BTreeMap<u64, Pending>,
    done: BTreeMap<Kind, Times>,
}

/// Milliseconds until tables had recovered.
#[derive(Debug, Clone, Default)]
pub struct Times {
    /// Since the fault.
    pub since_fault: Vec<u64>,
    /// Since the first of the tables was claimed by somebody else, which is when the loss of their owner was noticed; only of
    /// tables that had to move.
    pub since_noticed: Vec<u64>,
}

/// A fault from which tables are recovering.
#[derive(Debug)]
struct Pending {
    kind: Kind,
    began: Instant,
    /// The tables, and the epoch in which each stood.
    tables: BTreeMap<RoomId, Epoch>,
    /// Of those that are there: since the fault, the epoch, and the time as epochs count it.
    recovered: Vec<(Duration, Epoch, Epoch)>,
}

/// One fault's recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u64);

impl Recoveries {
    /// Nothing has happened.
    pub fn new(clock: Clock) -> Self {
        Self { clock, inner: Mutex::default(), changed: Notify::new() }
    }

    /// A fault happens now to these tables, each of which stands in an epoch.
    pub fn begin(&self, kind: Kind, tables: BTreeMap<RoomId, Epoch>) -> Ticket {
        let mut inner = self.inner.lock();
        let id = inner.next;
        inner.next += 1;
        inner.pending.insert(id, Pending { kind, began: Instant::now(), tables, recovered: Vec::new() });
        Ticket(id)
    }

    /// An action was accepted: in which frame, and when it was sent.
    pub fn acted(&self, room: &RoomId, at: Position, sent: Instant) {
        let mut inner = self.inner.lock();
        if inner.pending.is_empty() {
            return;
        }
        let (now, now_ms) = (Instant::now(), self.clock.now_ms());
        for pending in inner.pending.values_mut() {
            let Some(before) = pending.tables.get(room) else { continue };
            let counts =
                if pending.kind.moves_tables() { at.epoch() > *before } else { sent > pending.began };
            if counts {
                pending.tables.remove(room);
                let as_epoch = Epoch(0).claimed_at(now_ms);
                pending.recovered.push((now - pending.began, at.epoch(), as_epoch));
            }
        }
        drop(inner);
        self.changed.notify_waiters();
    }

    /// Waits until all tables have recovered from a fault, at most `within`; answers those that have not.
    pub async fn wait(&self, ticket: Ticket, within: Duration) -> Vec<RoomId> {
        let give_up = Instant::now() + within;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut inner = self.inner.lock();
                let Some(pending) = inner.pending.get(&ticket.0) else { return Vec::new() };
                if pending.tables.is_empty() || Instant::now() >= give_up {
                    let pending = inner.pending.remove(&ticket.0).expect("looked up above");
                    inner.done.entry(pending.kind).or_default().take(&pending);
                    return pending.tables.into_keys().collect();
                }
            }
            let _ = tokio::time::timeout_at(give_up, changed).await;
        }
    }

    /// All times so far.
    pub fn times(&self) -> BTreeMap<Kind, Times> {
        self.inner.lock().done.clone()
    }
}

impl Times {
    fn take(&mut self, pending: &Pending) {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.since_fault.extend(pending.recovered.iter().map(|(time, ..)| ms(*time)));
        if pending.kind.moves_tables()
            && let Some(noticed) = pending.recovered.iter().map(|(_, epoch, _)| *epoch).min()
        {
            let since = pending.recovered.iter().map(|(.., then)| then.0.saturating_sub(noticed.0));
            self.since_noticed.extend(since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> RoomId {
        RoomId::new(name).unwrap()
    }

    fn tables(names: &[&str]) -> BTreeMap<RoomId, Epoch> {
        names.iter().map(|name| (table(name), Epoch(5))).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_before_a_fault_proves_nothing() {
        let recoveries = Recoveries::new(Clock::system());
        let before = Instant::now();
        tokio::time::advance(Duration::from_millis(1)).await;
        let ticket = recoveries.begin(Kind::RelayKilled, tables(&["t1", "t2"]));
        recoveries.acted(&table("t1"), Position::new(5, 1), before);
        tokio::time::advance(Duration::from_millis(70)).await;
        recoveries.acted(&table("t2"), Position::new(5, 1), Instant::now());
        assert_eq!(recoveries.wait(ticket, Duration::from_secs(1)).await, [table("t1")]);
        assert_eq!(recoveries.times()[&Kind::RelayKilled].since_fault, [70]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_table_that_must_move_has_recovered_in_a_later_epoch() {
        let recoveries = Recoveries::new(Clock::system());
        let before = Instant::now();
        let ticket = recoveries.begin(Kind::WorkerKilled, tables(&["t1"]));
        recoveries.acted(&table("t1"), Position::new(5, 9), Instant::now());
        tokio::time::advance(Duration::from_millis(90)).await;
        recoveries.acted(&table("t1"), Position::new(6, 10), before);
        assert!(recoveries.wait(ticket, Duration::from_secs(1)).await.is_empty());
        assert_eq!(recoveries.times()[&Kind::WorkerKilled].since_fault, [90]);
    }
}
