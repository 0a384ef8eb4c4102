//! Which worker owns which room. Every worker computes the same even [`assignment`] of partitions from who lives, claims the rooms
//! that are its own by that and have no owner, and hands over what it owns and is another's. What it holds of the others' rooms
//! are [`beliefs`]: they say when to try; the journal's fence decides.
//!
//! In reading order:
//!
//! - [`assignment`]: for whom each partition is. [`beliefs`]: who owns which room. [`policy`]: what follows for a room.
//! - [`tenancy`]: the rooms that this worker has. [`maps`]: the directory in the store, read and written.
//! - `keeping`: what this worker does with what it reads there. `parts`: who has a part in its rooms, for reception.
//! - [`Placement`], here: the loop that hears, reads, looks and acts.

pub mod assignment;
pub mod beliefs;
mod keeping;
pub mod maps;
mod parts;
pub mod policy;
pub mod tenancy;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use broker::{
    directory,
    members::{Heard, Members, Membership},
    node::{NodeNews, Role},
};
use protocol::id::{Epoch, NodeId, RoomId};
use tokio::{
    sync::{mpsc, watch},
    time::{Duration, Instant, MissedTickBehavior, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use self::{
    assignment::Assignment,
    beliefs::{Beliefs, Ownership},
    keeping::{Keeping, STEPS},
    maps::Maps,
    policy::{Moment, Other, Own, Step},
    tenancy::{Left, Tenancy},
};
use crate::{
    context::Context,
    room::{chance::Chance, mailbox::Order},
};

/// See the module.
pub struct Placement {
    context: Arc<Context>,
    members: Members,
    membership: watch::Receiver<Arc<Membership>>,
    news: mpsc::Receiver<Heard>,
    beliefs: Beliefs,
    /// What was last computed from who lives.
    whose: Whose,
    tenancy: Tenancy,
    maps: Maps,
    keeping: Keeping,
    /// When another worker last said that it owns a room.
    said_owned: BTreeMap<RoomId, Instant>,
    /// Rooms for which something may be to do.
    look_at: BTreeSet<RoomId>,
    /// When to look at rooms again for which something is waited for.
    wake_at: BTreeMap<Instant, BTreeSet<RoomId>>,
    generation: u64,
    draining: bool,
}

/// For whom the rooms are, and of what that was computed.
struct Whose {
    assignment: Assignment,
    membership: Arc<Membership>,
    /// Workers that share the rooms.
    staying: Vec<NodeId>,
    /// Something else than who lives has changed.
    is_stale: bool,
}

impl Placement {
    /// Without rooms.
    pub fn new(context: Arc<Context>, members: Members, news: mpsc::Receiver<Heard>, chance: Chance) -> Self {
        let whose = Whose {
            assignment: Assignment::ByRoom(BTreeMap::new()),
            membership: Arc::default(),
            staying: Vec::new(),
            is_stale: true,
        };
        Self {
            generation: context.ports.store.generation(),
            maps: Maps::new(context.ports.store.clone()),
            tenancy: Tenancy::new(context.clone(), chance),
            membership: members.watch(),
            context,
            members,
            news,
            beliefs: Beliefs::default(),
            whose,
            keeping: Keeping::default(),
            said_owned: BTreeMap::new(),
            look_at: BTreeSet::new(),
            wake_at: BTreeMap::new(),
            draining: false,
        }
    }

    /// Runs rooms until it is told to stop, and then until they are handed over or the time for that is up.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let config = &self.context.config;
        let mut rounds =
            interval((Duration::from_millis(config.bounds.reread_ms) / STEPS).max(Duration::from_millis(1)));
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut probe = interval(Duration::from_millis(config.heartbeat.beat_ms()));
        probe.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let drain = Duration::from_millis(config.bounds.drain_ms);
        let sealer = self.context.sealer.clone();
        let far = Instant::now() + Duration::from_secs(u64::from(u32::MAX));
        let mut stop_at = far;
        loop {
            if self.draining && (self.tenancy.is_empty() || Instant::now() >= stop_at) {
                break;
            }
            let wake = self.wake_at.first_key_value().map_or(far, |(at, _)| *at).min(stop_at);
            tokio::select! { biased;
                () = shutdown.cancelled(), if !self.draining => {
                    info!(rooms = self.tenancy.len(), "stops: hands its rooms over");
                    self.draining = true;
                    self.whose.is_stale = true;
                    self.members.set_draining(true);
                    stop_at = Instant::now() + drain;
                }
                Some((room, left)) = self.tenancy.next_left() => self.left(room, left),
                Some(heard) = self.news.recv() => self.hear_all(heard),
                Ok(()) = self.membership.changed() => {}
                Some(answer) = self.maps.next() => self.answered(answer),
                _ = rounds.tick() => self.go_round(),
                _ = probe.tick() => self.probe(),
                // Another key seals: what is sealed with the one before is written anew, so that it can be dropped.
                () = sealer.stale() => self.tenancy.order_all(&Order::Rewrite),
                () = sleep_until(wake) => self.wake(),
            }
            self.reassign();
            self.look();
        }
        if !self.tenancy.is_empty() {
            warn!(rooms = self.tenancy.len(), "stops although some rooms were not handed over");
        }
        if let Err(error) = self.members.leave().await {
            debug!(%error, "could not say goodbye");
        }
    }

    /// The store may have lost entries: all rooms are asserted anew.
    fn probe(&mut self) {
        let generation = self.context.ports.store.generation();
        if generation != self.generation {
            warn!(rooms = self.tenancy.len(), "the store's generation has changed: asserts its rooms");
            self.generation = generation;
            self.tenancy.order_all(&Order::Reassert);
        }
    }

    fn hear_all(&mut self, first: Heard) {
        let mut missed = self.hear(first);
        // What came with it is looked at in one go.
        while let Ok(heard) = self.news.try_recv() {
            missed |= self.hear(heard);
        }
        if missed {
            self.read_all();
        }
    }

    /// Answers whether news were missed.
    fn hear(&mut self, heard: Heard) -> bool {
        let news = match heard {
            Heard::News(news) => news,
            Heard::Missed => return true,
            // Relays answer that.
            Heard::MissedBy(_) => return false,
        };
        let now = Instant::now();
        match news {
            NodeNews::Owns { node, room, epoch } => {
                self.open_in(&room, epoch);
                if node != self.context.config.node && self.beliefs.of(&room).is_some() {
                    self.said_owned.insert(room.clone(), now);
                }
                self.learn_of_others(&room, epoch, Ownership::Node(node));
            }
            NodeNews::Offer { from: _, to, room, epoch } => {
                self.open_in(&room, epoch);
                let until = now + Duration::from_millis(self.context.config.bounds.offer_ms);
                self.learn_of_others(&room, epoch, Ownership::Offered { to, until });
            }
            NodeNews::Opened { room } => {
                self.open(&room);
                self.told_of_new(&room);
            }
            NodeNews::Closed { room, epoch } => self.forget(&room, epoch),
            NodeNews::Gone { node } => {
                let owner = Ownership::Node(node);
                let beliefs = &self.beliefs;
                self.said_owned
                    .retain(|room, _| beliefs.of(room).is_none_or(|belief| belief.ownership != owner));
            }
            NodeNews::WhereIs { asker, n, user } => self.tell_parts(&asker, n, &user),
            // Seen by the membership.
            NodeNews::Beat { .. } => {}
        }
        false
    }

    fn open(&mut self, room: &RoomId) {
        if self.beliefs.open(room, Instant::now()) {
            self.opened(room);
        }
    }

    fn open_in(&mut self, room: &RoomId, epoch: Epoch) {
        if self.beliefs.open_in(room, epoch, Instant::now()) {
            self.opened(room);
        }
    }

    fn opened(&mut self, room: &RoomId) {
        // Where rooms are assigned one by one, one more may move others.
        self.whose.is_stale |= matches!(self.whose.assignment, Assignment::ByRoom(_));
        self.look_at.insert(room.clone());
    }

    /// News and the map may tell a room of this worker that it is not its own any more.
    fn learn_of_others(&mut self, room: &RoomId, epoch: Epoch, ownership: Ownership) {
        if self.beliefs.learn(room, epoch, ownership) {
            self.tenancy.order(room, Order::Superseded(epoch));
        }
        if self.beliefs.of(room).is_some() {
            self.look_at.insert(room.clone());
        }
    }

    /// A room has ended, in this epoch or in the one that is believed, whichever is later: it is nowhere from now on.
    fn forget(&mut self, room: &RoomId, epoch: Epoch) {
        if self.beliefs.forget(room, epoch, Instant::now()) {
            debug!(%room, "there is no such room any more");
            self.whose.is_stale |= matches!(self.whose.assignment, Assignment::ByRoom(_));
        }
        self.tenancy.forget(room);
        self.tenancy.order(room, Order::Superseded(epoch));
        self.keeping.forget(room);
        self.said_owned.remove(room);
        self.look_at.remove(room);
        self.wake_at.retain(|_, rooms| {
            rooms.remove(room);
            !rooms.is_empty()
        });
    }

    fn wake(&mut self) {
        let now = Instant::now();
        while let Some(first) = self.wake_at.first_entry() {
            if *first.key() > now {
                break;
            }
            self.look_at.extend(first.remove());
        }
    }

    /// Computes the assignment anew if it depends on something that has changed.
    fn reassign(&mut self) {
        let membership = self.membership.borrow_and_update().clone();
        if !self.whose.is_stale && Arc::ptr_eq(&membership, &self.whose.membership) {
            return;
        }
        let before = std::mem::replace(&mut self.whose.membership, membership.clone());
        for gone in before.living(Role::Relay).filter(|relay| !membership.is_living(relay)) {
            info!(relay = %gone, "the relay is gone: its members are away");
            self.tenancy.order_all(&Order::RelayGone(gone.clone()));
        }
        let reads_less =
            membership.workers_speak < before.workers_speak || membership.all_speak < before.all_speak;
        // Who lives is known now, or a node of an earlier release has come.
        if membership.settled && (reads_less || !before.settled) {
            self.tenancy.order_all(&Order::Rewrite);
        }
        let has_died = before.living(Role::Worker).any(|worker| !membership.is_living(worker));
        let me = &self.context.config.node;
        let staying = membership.staying(Role::Worker).filter(|node| !self.draining || *node != me);
        let staying: Vec<NodeId> = staying.cloned().collect();
        let keeps_anew = self.share_keeping(&membership);
        let is_changed = staying != self.whose.staying;
        if directory::is_assigned_by_partition(&membership) {
            if is_changed || keeps_anew || matches!(self.whose.assignment, Assignment::ByRoom(_)) {
                // Whoever stays keeps partitions, and their rooms are its own.
                self.whose.assignment = Assignment::ByPartition(self.keeping.shares().clone());
                self.look_at_own();
            } else if has_died {
                self.look_at_own();
            }
        } else if is_changed
            || self.whose.is_stale
            || has_died
            || !matches!(self.whose.assignment, Assignment::ByRoom(_))
        {
            self.whose.assignment = Assignment::of_each(self.beliefs.rooms(), &staying);
            self.look_at.extend(self.beliefs.rooms().cloned());
        }
        self.whose.staying = staying;
        self.whose.is_stale = false;
    }

    /// Rooms that are this worker's, or ought to be.
    fn look_at_own(&mut self) {
        self.look_at.extend(self.tenancy.rooms().cloned());
        for partition in self.keeping.kept_by(&self.context.config.node) {
            self.look_at.extend(self.beliefs.of_partition(partition).map(|(room, _)| room.clone()));
        }
    }

    /// Does what is to be done for the rooms that are to be looked at.
    fn look(&mut self) {
        let heartbeat = self.context.config.heartbeat;
        let dead_after = Duration::from_millis(heartbeat.dead_after_ms());
        let tenure = dead_after + Duration::from_millis(2 * heartbeat.beat_ms());
        let (context, membership) = (self.context.clone(), self.whose.membership.clone());
        let (me, draining, now) = (&context.config.node, self.draining, Instant::now());
        let moment = Moment { me, draining, membership: &membership, now, dead_after };
        for room in std::mem::take(&mut self.look_at) {
            let Some(belief) = self.beliefs.of(&room) else { continue };
            let assigned = self.whose.assignment.of(&room);
            let step = match self.tenancy.stay(&room) {
                Some((is_going, stays_until)) => {
                    policy::about_own(&Own { assigned, is_going, stays_until }, &moment)
                }
                None => {
                    let said_owned = self.said_owned.get(&room).copied();
                    let retry_at = self.tenancy.retry_at(&room);
                    policy::about_other(&Other { assigned, belief, said_owned, retry_at }, &moment)
                }
            };
            match step {
                Step::Rest => {}
                Step::WaitForSight => {
                    self.look_at.insert(room);
                }
                Step::WaitUntil(at) => {
                    self.wake_at.entry(at).or_default().insert(room);
                }
                Step::Claim => {
                    let epoch = belief.epoch;
                    self.tenancy.claim(room, epoch, now + tenure);
                }
                Step::LetGo(to) if self.tenancy.may_let_go() => self.tenancy.let_go(&room, to),
                // Looked at again when another one is done.
                Step::LetGo(_) => {
                    self.look_at.insert(room);
                }
            }
        }
    }

    fn left(&mut self, room: RoomId, left: Left) {
        let config = &self.context.config;
        let in_ms = |ms| Instant::now() + Duration::from_millis(ms);
        match left {
            Left::LetGo(epoch, to) => {
                let until = in_ms(config.bounds.offer_ms);
                let ownership = to.map_or(Ownership::Nobody, |to| Ownership::Offered { to, until });
                self.beliefs.learn(&room, epoch, ownership);
            }
            Left::ToSomebody(epoch) => {
                let until = in_ms(config.heartbeat.dead_after_ms());
                self.beliefs.learn(&room, epoch, Ownership::Somebody { until });
            }
            Left::Over(epoch) => return self.forget(&room, epoch),
            Left::Nowhere => return self.forget(&room, Epoch(0)),
            Left::Failed => {}
        }
        self.look_at.insert(room);
    }
}
