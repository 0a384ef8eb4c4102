//! Which nodes live: every node beats on the channel of nodes and hears everybody, itself too.
//!
//! What comes out is for *when* to try, never for safety: the journal's fence decides who owns a room. Hearing
//! oneself through the real bus is what readiness means. A node that hears nobody, not even itself, is cut off: it calls
//! nobody dead, and once it hears again everybody gets a fresh term.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use metrics::{counter, gauge, histogram};
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    time::{Duration, Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, info, warn};

use crate::{
    bus::{BusError, Receiver, Subscription},
    channel::{Channel, OWNERS},
    id::NodeId,
    node::{NodeNews, Role, decode, encode},
    ports::Ports,
};

/// A node forgets another so many terms ([`Heartbeat::dead_after_ms`]) after it died; until then late beats do not revive it.
const REMEMBERED_TERMS: u32 = 30;

/// How many nodes are kept in mind at most; beats of more are ignored and counted.
const NODES_MAX: usize = 4_096;

/// The pace of beating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    beat_ms: u64,
    dead_after_ms: u64,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { beat_ms: 500, dead_after_ms: 2_000 }
    }
}

impl Heartbeat {
    /// A beat every `beat_ms`, made faster where it must be: at least four fit into `dead_after_ms`, after which a silent
    /// node is dead. `dead_after_ms` is at least 40.
    pub fn new(beat_ms: u64, dead_after_ms: u64) -> Self {
        let dead_after_ms = dead_after_ms.max(40);
        Self { beat_ms: beat_ms.clamp(10, dead_after_ms / 4), dead_after_ms }
    }

    /// Milliseconds between two beats.
    pub fn beat_ms(self) -> u64 {
        self.beat_ms
    }

    /// Milliseconds of silence after which a node is dead.
    pub fn dead_after_ms(self) -> u64 {
        self.dead_after_ms
    }

    fn beat(self) -> Duration {
        Duration::from_millis(self.beat_ms)
    }

    fn dead_after(self) -> Duration {
        Duration::from_millis(self.dead_after_ms)
    }

    /// Silence of *everybody* for so long means that we are cut off. Half the term, so that it is noticed before anybody's
    /// term ends.
    fn deaf_after(self) -> Duration {
        self.dead_after() / 2
    }
}

/// What a node is told of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Any news but beats, this node's own included.
    News(NodeNews),
    /// News may have been missed: look at the maps again.
    Missed,
}

/// A node that lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// What it is.
    pub role: Role,
    /// It is leaving: no more rooms or clients for it.
    pub draining: bool,
}

/// Who lives, as this node sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    /// The living, this node included once it has heard itself.
    pub nodes: BTreeMap<NodeId, Member>,
    /// This node hears nobody: `nodes` is what it last knew.
    pub cut_off: bool,
    /// This node has listened for longer than everybody's beat: whoever is not in `nodes` is not there.
    pub settled: bool,
}

impl Membership {
    /// The living of a role, in the order of their names.
    pub fn living(&self, role: Role) -> impl Iterator<Item = &NodeId> {
        self.nodes.iter().filter(move |(_, member)| member.role == role).map(|(node, _)| node)
    }

    /// The living of a role that are not about to leave.
    pub fn staying(&self, role: Role) -> impl Iterator<Item = &NodeId> {
        let stays = move |member: &Member| member.role == role && !member.draining;
        self.nodes.iter().filter(move |(_, member)| stays(member)).map(|(node, _)| node)
    }

    /// Whether the node lives.
    pub fn is_living(&self, node: &NodeId) -> bool {
        self.nodes.contains_key(node)
    }
}

/// What a node observes of its own connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// It has heard its own beat within the term.
    pub hears_itself: bool,
    /// The store answered the last probe in time.
    pub store_answers: bool,
}

impl Observed {
    /// Both.
    pub fn is_ready(self) -> bool {
        self.hears_itself && self.store_answers
    }
}

/// This node among the others. Dropping it ends its tasks without a word, as a crash would; see [`Members::leave`].
pub struct Members {
    ports: Ports,
    ears: Arc<Ears>,
    beat_now: Arc<Notify>,
    _beating: AbortOnDropHandle<()>,
    _probing: AbortOnDropHandle<()>,
}

/// What is heard, and by it who lives.
struct Ears {
    me: NodeId,
    role: Role,
    pace: Heartbeat,
    known: Mutex<Known>,
    membership: watch::Sender<Arc<Membership>>,
    observed: watch::Sender<Observed>,
    tell: Box<dyn Fn(Heard) + Send + Sync>,
}

#[derive(Default)]
struct Known {
    nodes: BTreeMap<NodeId, Record>,
    draining: bool,
    beat: u64,
    /// When this node sent its last beats and which, until they come back: for the round trip.
    sent: Option<(u64, Instant)>,
    heard_any: Option<Instant>,
    heard_self: Option<Instant>,
    /// When this node first heard itself.
    listening_since: Option<Instant>,
    cut_off: bool,
}

struct Record {
    member: Member,
    beat: u64,
    heard: Instant,
    state: State,
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum State {
    Living,
    Dead,
    Gone,
}

impl Members {
    /// Begins to beat and to listen. `tell` is called from the bus's task and must not block.
    pub fn start(
        ports: Ports,
        me: NodeId,
        role: Role,
        pace: Heartbeat,
        tell: impl Fn(Heard) + Send + Sync + 'static,
    ) -> Self {
        let ears = Arc::new(Ears {
            me,
            role,
            pace,
            known: Mutex::default(),
            membership: watch::Sender::new(Arc::default()),
            observed: watch::Sender::new(Observed { hears_itself: false, store_answers: false }),
            tell: Box::new(tell),
        });
        let beat_now = Arc::new(Notify::new());
        let subscription = ports.bus.subscriber(ears.clone());
        let beating = beat(ports.clone(), ears.clone(), subscription, beat_now.clone());
        Self {
            _beating: AbortOnDropHandle::new(tokio::spawn(beating)),
            _probing: AbortOnDropHandle::new(tokio::spawn(probe(ports.clone(), ears.clone()))),
            ports,
            ears,
            beat_now,
        }
    }

    /// This node.
    pub fn me(&self) -> &NodeId {
        &self.ears.me
    }

    /// Who lives now.
    pub fn membership(&self) -> Arc<Membership> {
        self.ears.membership.borrow().clone()
    }

    /// Who lives, and every change of it.
    pub fn watch(&self) -> watch::Receiver<Arc<Membership>> {
        self.ears.membership.subscribe()
    }

    /// What this node observes of its own connections, and every change of it.
    pub fn observed(&self) -> watch::Receiver<Observed> {
        self.ears.observed.subscribe()
    }

    /// Publishes news to all nodes.
    ///
    /// # Errors
    /// [`BusError`]; the news may have gone out or not.
    pub async fn announce(&self, news: &NodeNews) -> Result<usize, BusError> {
        self.ports.bus.publish(&Channel::nodes(), encode(news)).await
    }

    /// Tells all, from now on and at once, that this node is leaving (or staying after all).
    pub fn set_draining(&self, draining: bool) {
        self.ears.known.lock().draining = draining;
        self.beat_now.notify_one();
    }

    /// Says goodbye, so that nobody waits for a missed beat, and ends.
    ///
    /// # Errors
    /// [`BusError`]; the others will then miss the beats.
    pub async fn leave(self) -> Result<(), BusError> {
        let Self { ports, ears, _beating: beating, .. } = self;
        // No beat may follow the goodbye.
        drop(beating);
        ports.bus.publish(&Channel::nodes(), encode(&NodeNews::Gone { node: ears.me.clone() })).await?;
        Ok(())
    }
}

async fn beat(ports: Ports, ears: Arc<Ears>, subscription: Box<dyn Subscription>, now: Arc<Notify>) {
    let nodes = Channel::nodes();
    let mut ticks = interval(ears.pace.beat());
    // After a pause (a stopped process) one beat is enough.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut subscribed = false;
    loop {
        tokio::select! { biased;
            () = now.notified() => {}
            _ = ticks.tick() => {}
        }
        // Nothing may hold up the judging of the others, so each step has its time.
        let step = ears.pace.beat();
        if !subscribed {
            subscribed = match timeout(step, subscription.subscribe(&nodes)).await {
                Ok(Ok(())) => true,
                Ok(Err(error)) => {
                    debug!(%error, "cannot listen to the nodes yet");
                    false
                }
                Err(_) => false,
            };
        }
        let beat = ears.next_beat(ports.clock.now_ms());
        match timeout(step, ports.bus.publish(&nodes, beat)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                counter!("cardhouse_beats_failed_total").increment(1);
                debug!(%error, "a beat was not sent");
            }
            Err(_) => counter!("cardhouse_beats_failed_total").increment(1),
        }
        ears.judge();
    }
}

/// Asks the store something small every two beats.
async fn probe(ports: Ports, ears: Arc<Ears>) {
    let mut ticks = interval(ears.pace.beat() * 2);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let asked = timeout(ears.pace.dead_after(), ports.store.map_get(OWNERS, ears.me.as_str())).await;
        ears.observe(|observed| observed.store_answers = matches!(asked, Ok(Ok(_))));
    }
}

impl Ears {
    fn next_beat(&self, sent_ms: u64) -> Bytes {
        let mut known = self.known.lock();
        known.beat += 1;
        known.sent = Some((known.beat, Instant::now()));
        encode(&NodeNews::Beat {
            node: self.me.clone(),
            role: self.role,
            beat: known.beat,
            sent_ms,
            draining: known.draining,
        })
    }

    fn observe(&self, change: impl FnOnce(&mut Observed)) {
        self.observed.send_if_modified(|observed| {
            let before = *observed;
            change(observed);
            if before.is_ready() != observed.is_ready() {
                info!(
                    hears_itself = observed.hears_itself,
                    store_answers = observed.store_answers,
                    "readiness changed"
                );
            }
            before != *observed
        });
    }

    fn hear_beat(&self, node: NodeId, member: Member, beat: u64) {
        let now = Instant::now();
        let mut known = self.known.lock();
        let is_me = node == self.me;
        // A beat that is late or repeated says nothing about now; and from a goodbye nobody comes back.
        let is_news = |record: &Record| beat > record.beat && record.state != State::Gone;
        match known.nodes.get(&node) {
            Some(record) if !is_news(record) => return,
            None if known.nodes.len() >= NODES_MAX => {
                counter!("cardhouse_nodes_ignored_total").increment(1);
                return;
            }
            _ => {}
        }
        if is_me {
            if let Some((_, sent)) = known.sent.filter(|(sent_beat, _)| *sent_beat == beat) {
                histogram!("cardhouse_bus_round_trip_seconds").record((now - sent).as_secs_f64());
            }
            known.heard_self = Some(now);
            known.listening_since.get_or_insert(now);
        }
        known.hear_again(now);
        let record = known.nodes.entry(node);
        let record = record.or_insert(Record { member, beat: 0, heard: now, state: State::Dead });
        let changed = record.state != State::Living || record.member != member;
        *record = Record { member, beat, heard: now, state: State::Living };
        if changed || is_me {
            self.publish(&known, now);
        }
        drop(known);
        if is_me {
            self.observe(|observed| observed.hears_itself = true);
        }
    }

    fn hear_goodbye(&self, node: &NodeId) {
        let mut known = self.known.lock();
        let now = Instant::now();
        known.hear_again(now);
        if let Some(record) = known.nodes.get_mut(node) {
            record.state = State::Gone;
            record.heard = now;
            self.publish(&known, now);
        }
    }

    /// Looks who has been silent for too long; ourselves first.
    fn judge(&self) {
        let now = Instant::now();
        let mut known = self.known.lock();
        let silent = |since: Option<Instant>, term: Duration| since.is_none_or(|at| now - at > term);
        let hears_itself = !silent(known.heard_self, self.pace.dead_after());
        if silent(known.heard_any, self.pace.deaf_after()) {
            if !known.cut_off && known.heard_any.is_some() {
                warn!("no beat is heard, not even our own: cut off");
                counter!("cardhouse_cut_off_total").increment(1);
            }
            known.cut_off = true;
        } else {
            for (node, record) in &mut known.nodes {
                if record.state == State::Living && now - record.heard > self.pace.dead_after() {
                    warn!(%node, "no beat for too long: dead");
                    counter!("cardhouse_nodes_dead_total").increment(1);
                    record.state = State::Dead;
                }
            }
        }
        let forget = self.pace.dead_after() * REMEMBERED_TERMS;
        known.nodes.retain(|_, record| record.state == State::Living || now - record.heard <= forget);
        self.publish(&known, now);
        drop(known);
        self.observe(|observed| observed.hears_itself = hears_itself);
    }

    fn publish(&self, known: &Known, now: Instant) {
        // A whole beat and half of one more for its way.
        let listened = self.pace.beat() * 3 / 2;
        let living = known.nodes.iter().filter(|(_, record)| record.state == State::Living);
        let next = Membership {
            nodes: living.map(|(node, record)| (node.clone(), record.member)).collect(),
            cut_off: known.cut_off,
            settled: known.listening_since.is_some_and(|since| now - since >= listened),
        };
        self.membership.send_if_modified(|membership| {
            let changed = **membership != next;
            if changed {
                for (role, name) in [(Role::Relay, "relay"), (Role::Worker, "worker")] {
                    gauge!("cardhouse_members", "role" => name).set(next.living(role).count() as f64);
                }
                *membership = Arc::new(next);
            }
            changed
        });
    }
}

impl Known {
    /// Something is heard. After a time of hearing nothing that is nobody's fault but ours.
    fn hear_again(&mut self, now: Instant) {
        self.heard_any = Some(now);
        if std::mem::take(&mut self.cut_off) {
            for record in self.nodes.values_mut().filter(|record| record.state == State::Living) {
                record.heard = now;
            }
        }
    }
}

impl Receiver for Ears {
    fn deliver(&self, _channel: &str, payload: Bytes) {
        match decode(&payload) {
            Ok(NodeNews::Beat { node, role, beat, draining, sent_ms: _ }) => {
                self.hear_beat(node, Member { role, draining }, beat);
            }
            Ok(news) => {
                if let NodeNews::Gone { node } = &news {
                    self.hear_goodbye(node);
                }
                (self.tell)(Heard::News(news));
            }
            // Nodes of another version, during an upgrade.
            Err(error) => {
                counter!("cardhouse_node_news_malformed_total").increment(1);
                debug!(%error, "news that we do not understand");
            }
        }
    }

    fn missed(&self) {
        (self.tell)(Heard::Missed);
    }
}
