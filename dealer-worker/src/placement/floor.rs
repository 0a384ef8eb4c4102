//! The worker's rooms: claiming them, handing them over, and picking up after those that end.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use metrics::counter;
use rand_chacha::{ChaCha20Rng, rand_core::Rng};
use shared::{
    channel::{OWNERS, ROOMS},
    id::{Epoch, NodeId, RoomId},
    members::{Heard, Members, Membership},
    node::{NodeNews, Owner, Role},
};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::{self, JoinError, JoinSet},
    time::{Duration, Instant, MissedTickBehavior, interval, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::{
    assignment::assign,
    beliefs::{Belief, Beliefs, Ownership},
};
use crate::{
    context::Context,
    room::{
        mailbox::{Mailbox, Order},
        runtime::{Ended, Start},
        takeover::NotTaken,
    },
};

/// The maps are read in so much time, or with the next reading.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// See the module.
pub struct Floor {
    context: Arc<Context>,
    members: Members,
    membership: watch::Receiver<Arc<Membership>>,
    news: mpsc::Receiver<Heard>,
    rng: ChaCha20Rng,
    beliefs: Beliefs,
    /// For whom the rooms are, as of `assigned_for`.
    assigned: BTreeMap<RoomId, NodeId>,
    assigned_for: Vec<NodeId>,
    rooms_changed: bool,
    running: BTreeMap<RoomId, Occupied>,
    tasks: JoinSet<Ended>,
    /// Which room a task runs. Only ever asked by id, never walked.
    rooms_of_tasks: HashMap<task::Id, RoomId>,
    claims: Arc<Semaphore>,
    hand_overs: usize,
    retries: BTreeMap<RoomId, Retry>,
    /// When another worker last said that it owns a room. It lived then, whatever is thought of it: two that take each other
    /// for dead would take the room from each other as fast as they can.
    said_owned: BTreeMap<RoomId, Instant>,
    /// Rooms for which something may be to do.
    look_at: BTreeSet<RoomId>,
    /// When to look at rooms again for which something is waited for.
    wake_at: BTreeMap<Instant, BTreeSet<RoomId>>,
    relays: BTreeSet<NodeId>,
    generation: u64,
    draining: bool,
}

/// A room that this worker owns or is about to.
struct Occupied {
    mailbox: Arc<Mailbox>,
    /// It was told to go, to this worker.
    going: Option<Option<NodeId>>,
    /// Before this it is not handed over for the sake of balance.
    stays_until: Instant,
}

/// A room that could not be taken over.
struct Retry {
    at: Instant,
    pause: Duration,
}

impl Floor {
    /// A floor without rooms.
    pub fn new(
        context: Arc<Context>,
        members: Members,
        news: mpsc::Receiver<Heard>,
        rng: ChaCha20Rng,
    ) -> Self {
        Self {
            claims: Arc::new(Semaphore::new(context.config.claims_max.max(1))),
            generation: context.ports.store.generation(),
            membership: members.watch(),
            context,
            members,
            news,
            rng,
            beliefs: Beliefs::default(),
            assigned: BTreeMap::new(),
            assigned_for: Vec::new(),
            rooms_changed: true,
            running: BTreeMap::new(),
            tasks: JoinSet::new(),
            rooms_of_tasks: HashMap::new(),
            hand_overs: 0,
            retries: BTreeMap::new(),
            said_owned: BTreeMap::new(),
            look_at: BTreeSet::new(),
            wake_at: BTreeMap::new(),
            relays: BTreeSet::new(),
            draining: false,
        }
    }

    /// Runs rooms until it is told to stop, and then until they are handed over or the time for that is up.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let config = &self.context.config;
        let mut reread = interval(Duration::from_millis(config.reread_ms.max(1)));
        reread.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut probe = interval(Duration::from_millis(config.heartbeat.beat_ms()));
        probe.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let drain = Duration::from_millis(config.drain_ms);
        let far = Instant::now() + Duration::from_secs(u64::from(u32::MAX));
        let mut stop_at = far;
        loop {
            if self.draining && (self.running.is_empty() || Instant::now() >= stop_at) {
                break;
            }
            let wake = self.wake_at.first_key_value().map_or(far, |(at, _)| *at).min(stop_at);
            tokio::select! { biased;
                () = shutdown.cancelled(), if !self.draining => {
                    info!(rooms = self.running.len(), "stops: hands its rooms over");
                    self.draining = true;
                    self.members.set_draining(true);
                    stop_at = Instant::now() + drain;
                }
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                Some(heard) = self.news.recv() => self.hear_all(heard).await,
                Ok(()) = self.membership.changed() => {}
                _ = reread.tick() => self.read_maps().await,
                _ = probe.tick() => self.probe(),
                () = sleep_until(wake) => self.wake(),
            }
            self.reassign();
            self.look();
        }
        if !self.running.is_empty() {
            warn!(rooms = self.running.len(), "stops although some rooms were not handed over");
        }
        if let Err(error) = self.members.leave().await {
            debug!(%error, "could not say goodbye");
        }
    }

    /// The store may have lost entries: all rooms are asserted anew.
    fn probe(&mut self) {
        let generation = self.context.ports.store.generation();
        if generation != self.generation {
            warn!(rooms = self.running.len(), "the store's generation has changed: asserts its rooms");
            self.generation = generation;
            self.running.values().for_each(|room| room.mailbox.order(Order::Reassert));
        }
    }

    async fn hear_all(&mut self, first: Heard) {
        let mut missed = self.hear(first);
        // What came with it is looked at in one go.
        while let Ok(heard) = self.news.try_recv() {
            missed |= self.hear(heard);
        }
        if missed {
            self.read_maps().await;
        }
    }

    /// Answers whether news were missed.
    fn hear(&mut self, heard: Heard) -> bool {
        let news = match heard {
            Heard::News(news) => news,
            Heard::Missed => return true,
        };
        match news {
            NodeNews::Owns { node, room, epoch } => {
                self.open(&room);
                if node != self.context.config.node {
                    self.said_owned.insert(room.clone(), Instant::now());
                }
                self.learn_of_others(&room, epoch, Ownership::Node(node));
                self.look_at.insert(room);
            }
            NodeNews::Offer { from: _, to, room, epoch } => {
                self.open(&room);
                let until = self.in_ms(self.context.config.offer_ms);
                self.learn_of_others(&room, epoch, Ownership::Offered { to, until });
                self.look_at.insert(room);
            }
            NodeNews::Opened { room } => self.open(&room),
            NodeNews::Gone { node } => {
                let owner = Ownership::Node(node);
                let beliefs = &self.beliefs;
                self.said_owned
                    .retain(|room, _| beliefs.of(room).is_none_or(|belief| belief.ownership != owner));
            }
            // Seen by the membership.
            NodeNews::Beat { .. } => {}
        }
        false
    }

    /// News and the map may tell a room of this worker that it is not its own any more.
    fn learn_of_others(&mut self, room: &RoomId, epoch: Epoch, ownership: Ownership) {
        if self.beliefs.learn(room, epoch, ownership)
            && let Some(occupied) = self.running.get(room)
        {
            occupied.mailbox.order(Order::Superseded(epoch));
        }
    }

    fn open(&mut self, room: &RoomId) {
        if self.beliefs.open(room.clone()) {
            self.rooms_changed = true;
        }
    }

    async fn read_maps(&mut self) {
        let store = self.context.ports.store.clone();
        let maps = async {
            Ok::<_, shared::store::Unavailable>((store.map_all(ROOMS).await?, store.map_all(OWNERS).await?))
        };
        let (rooms, owners) = match timeout(READ_TIMEOUT, maps).await {
            Ok(Ok(maps)) => maps,
            Ok(Err(error)) => return debug!(%error, "cannot read the maps of rooms and owners"),
            Err(_) => return debug!("cannot read the maps of rooms and owners in time"),
        };
        for (name, _) in rooms {
            match RoomId::new(&name) {
                Ok(room) => self.open(&room),
                Err(_) => warn!(name, "the map of rooms holds a bad name"),
            }
        }
        let mut owners: BTreeMap<String, Owner> = owners
            .into_iter()
            .filter_map(|(name, owner)| Some((name, serde_json::from_slice(&owner).ok()?)))
            .collect();
        let mut wrong = Vec::new();
        for room in self.beliefs.rooms().cloned().collect::<Vec<_>>() {
            // Not written: nobody has ever owned it, or the store has lost it.
            let written = owners.remove(room.as_str()).unwrap_or(Owner { node: None, epoch: Epoch(0) });
            wrong.extend(self.correction(&room, &written).map(|right| (room.clone(), right)));
            let Belief { epoch, ownership } = written.into();
            self.learn_of_others(&room, epoch, ownership);
            self.look_at.insert(room);
        }
        for (room, owner) in wrong {
            let value = serde_json::to_vec(&owner).expect("an owner is JSON").into();
            if !matches!(timeout(READ_TIMEOUT, store.map_set(OWNERS, room.as_str(), value)).await, Ok(Ok(())))
            {
                // What is still wrong is found again with the next reading.
                break;
            }
        }
    }

    /// What the map of owners should say instead, if this worker knows better. A successor that dies before it writes itself down
    /// leaves the map naming its predecessor, and a broker that loses writes leaves an earlier word; as long as whom it names lives and
    /// is silent, whoever has not heard the news would wait for that one. Every worker corrects the map, not only the one
    /// that it is about, since that one may have begun anew and know nothing.
    fn correction(&self, room: &RoomId, written: &Owner) -> Option<Owner> {
        let belief = self.beliefs.of(room)?;
        if let Some(later) = belief.instead_of(written) {
            return Some(later);
        }
        let me = &self.context.config.node;
        let names_me = written.node.as_ref() == Some(me);
        let occupied = self.running.contains_key(room);
        let is_mine = occupied && belief.ownership == Ownership::Node(me.clone());
        let node = match names_me {
            true if !occupied => None,
            // A later epoch in the map is a successor's word, not a mistake.
            false if is_mine && written.epoch == belief.epoch => Some(me.clone()),
            _ => return None,
        };
        Some(Owner { node, epoch: written.epoch })
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
        let relays: BTreeSet<NodeId> = membership.living(Role::Relay).cloned().collect();
        if relays != self.relays {
            for gone in self.relays.difference(&relays) {
                info!(relay = %gone, "the relay is gone: its members are away");
                let order = Order::RelayGone(gone.clone());
                self.running.values().for_each(|room| room.mailbox.order(order.clone()));
            }
            self.relays = relays;
        }
        let me = &self.context.config.node;
        let staying = membership.staying(Role::Worker).filter(|node| !self.draining || *node != me);
        let staying: Vec<NodeId> = staying.cloned().collect();
        if self.rooms_changed || staying != self.assigned_for {
            self.assigned = assign(self.beliefs.rooms(), &staying);
            self.assigned_for = staying;
            self.rooms_changed = false;
            self.look_at.extend(self.beliefs.rooms().cloned());
        }
    }

    /// Does what is to be done for the rooms that are to be looked at.
    fn look(&mut self) {
        let membership = self.membership.borrow().clone();
        // Who hears nobody, or has not listened for long, knows nothing of the others: the rooms stay as they are. But what is
        // offered has been let go of, and its players wait.
        let is_blind = (!membership.settled || membership.cut_off) && !self.draining;
        for room in std::mem::take(&mut self.look_at) {
            if is_blind && !self.is_offered_to_me(&room) {
                self.look_at.insert(room);
            } else if self.running.contains_key(&room) {
                self.consider_going(room);
            } else if !self.draining && self.should_claim(&membership, &room) {
                self.claim(room);
            }
        }
    }

    fn is_offered_to_me(&self, room: &RoomId) -> bool {
        let is_to_me = |to: &NodeId| *to == self.context.config.node;
        let belief = self.beliefs.of(room).filter(|_| !self.running.contains_key(room));
        belief
            .is_some_and(|belief| matches!(&belief.ownership, Ownership::Offered { to, .. } if is_to_me(to)))
    }

    fn consider_going(&mut self, room: RoomId) {
        let to = self.assigned.get(&room);
        let stays = to.is_some_and(|to| *to == self.context.config.node);
        // Assigned to nobody: there is no other worker. That matters only when this one stops.
        if stays || (to.is_none() && !self.draining) {
            return;
        }
        let Some(occupied) = self.running.get_mut(&room) else { return };
        if occupied.going.is_some() {
            return;
        }
        if !self.draining && Instant::now() < occupied.stays_until {
            self.wake_at.entry(occupied.stays_until).or_default().insert(room);
            return;
        }
        if self.hand_overs >= self.context.config.hand_overs_max.max(1) {
            // Looked at again when another one is done.
            self.look_at.insert(room);
            return;
        }
        occupied.going = Some(to.cloned());
        occupied.mailbox.order(Order::LetGo { to: to.cloned() });
        self.hand_overs += 1;
    }

    /// How long a room stays at least. Two workers may disagree on who lives, and so on whose a room is, until a death
    /// is noticed by both; without a tenure they would hand it to and fro meanwhile.
    fn tenure(&self) -> Duration {
        let heartbeat = self.context.config.heartbeat;
        Duration::from_millis(heartbeat.dead_after_ms() + 2 * heartbeat.beat_ms())
    }

    fn should_claim(&mut self, membership: &Membership, room: &RoomId) -> bool {
        let Some(belief) = self.beliefs.of(room) else { return false };
        let me = &self.context.config.node;
        let is_mine = self.assigned.get(room) == Some(me);
        let now = Instant::now();
        let mut wait_until = None;
        let is_free = match &belief.ownership {
            Ownership::Nobody => is_mine,
            // Assigned to another or not: what is offered is taken, and handed on if need be.
            Ownership::Offered { to, .. } if to == me => true,
            Ownership::Offered { to, until } => {
                let waits = membership.is_living(to) && now < *until;
                wait_until = waits.then_some(*until);
                is_mine && !waits
            }
            Ownership::Node(node) if node == me => is_mine,
            Ownership::Node(node) => {
                let is_dead = is_mine && !membership.is_living(node);
                let dead_after = Duration::from_millis(self.context.config.heartbeat.dead_after_ms());
                let lives_until = self.said_owned.get(room).map(|said| *said + dead_after);
                wait_until = lives_until.filter(|until| is_dead && now < *until);
                is_dead && wait_until.is_none()
            }
            Ownership::Somebody { until } => {
                wait_until = (now < *until).then_some(*until);
                is_mine && now >= *until
            }
        };
        if is_free && let Some(retry) = self.retries.get(room).filter(|retry| now < retry.at) {
            wait_until = Some(retry.at);
        }
        match wait_until {
            Some(until) => {
                self.wake_at.entry(until).or_default().insert(room.clone());
                false
            }
            None => is_free,
        }
    }

    fn claim(&mut self, room: RoomId) {
        let believed = self.beliefs.of(&room).map_or(Epoch(0), |belief| belief.epoch);
        let mailbox = Arc::new(Mailbox::default());
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let start = (self.context.clone(), room.clone(), mailbox.clone(), seed);
        let claims = self.claims.clone();
        let task = self.tasks.spawn(async move {
            let permit = claims.acquire_owned().await.expect("the semaphore is never closed");
            let (context, room, mailbox, seed) = start;
            let kinds = context.kinds.clone();
            kinds.run(Start { context, room, believed, mailbox, seed, permit }).await
        });
        self.rooms_of_tasks.insert(task.id(), room.clone());
        let stays_until = Instant::now() + self.tenure();
        self.running.insert(room, Occupied { mailbox, going: None, stays_until });
    }

    fn ended(&mut self, ended: Result<(task::Id, Ended), JoinError>) {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, Ok(ended)),
            Err(error) => (error.id(), Err(error)),
        };
        let Some(room) = self.rooms_of_tasks.remove(&id) else { return };
        let occupied = self.running.remove(&room);
        if occupied.as_ref().is_some_and(|occupied| occupied.going.is_some()) {
            self.hand_overs -= 1;
        }
        let soon = self.in_ms(self.context.config.heartbeat.dead_after_ms());
        match ended {
            Ok(Ended::LetGo(epoch)) => {
                let to = occupied.and_then(|occupied| occupied.going).flatten();
                let until = self.in_ms(self.context.config.offer_ms);
                let ownership = to.map_or(Ownership::Nobody, |to| Ownership::Offered { to, until });
                self.retries.remove(&room);
                self.beliefs.learn(&room, epoch, ownership);
            }
            Ok(Ended::Fenced(epoch)) => {
                self.beliefs.learn(&room, epoch, Ownership::Somebody { until: soon });
            }
            Ok(Ended::NotTaken(NotTaken::Lost(epoch))) => {
                debug!(%room, epoch = epoch.0, "another worker was faster");
                counter!("cardhouse_claims_lost_total").increment(1);
                self.beliefs.learn(&room, epoch, Ownership::Somebody { until: soon });
            }
            Ok(Ended::NotTaken(why)) => {
                error!(%room, %why, "cannot take the room over");
                self.try_later(&room);
            }
            Err(error) => {
                error!(%room, %error, "the room's task has failed");
                counter!("cardhouse_rooms_failed_total").increment(1);
                self.context.board.remove(&room);
                self.try_later(&room);
            }
        }
        self.look_at.insert(room);
    }

    fn try_later(&mut self, room: &RoomId) {
        counter!("cardhouse_claims_failed_total").increment(1);
        let config = &self.context.config;
        let first = Duration::from_millis(config.claim_retry_ms);
        let most = Duration::from_millis(config.claim_retry_max_ms);
        let pause = self.retries.get(room).map_or(first, |retry| (retry.pause * 2).min(most));
        self.retries.insert(room.clone(), Retry { at: Instant::now() + pause, pause });
    }

    fn in_ms(&self, ms: u64) -> Instant {
        Instant::now() + Duration::from_millis(ms)
    }
}
