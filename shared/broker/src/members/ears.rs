//! What a node hears, and by it who lives.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use metrics::{counter, gauge, histogram};
use parking_lot::Mutex;
use protocol::id::NodeId;
use tokio::{
    sync::watch,
    time::{Duration, Instant},
};
use tracing::{debug, info, warn};

use super::{Heard, Heartbeat, Member, Membership, Observed};
use crate::{
    bus::Receiver,
    node::{NodeNews, Role, SPEAKS, decode, encode},
};

/// A node forgets another so many terms ([`Heartbeat::dead_after_ms`]) after it died; until then late beats do not revive it.
const REMEMBERED_TERMS: u32 = 30;

/// How many nodes are kept in mind at most; beats of more are ignored and counted.
const NODES_MAX: usize = 4_096;

/// What is heard, and by it who lives.
pub(super) struct Ears {
    pub(super) me: NodeId,
    role: Role,
    pub(super) pace: Heartbeat,
    spares: bool,
    known: Mutex<Known>,
    pub(super) membership: watch::Sender<Arc<Membership>>,
    pub(super) observed: watch::Sender<Observed>,
    tell: Box<dyn Fn(Heard) + Send + Sync>,
}

#[derive(Default)]
struct Known {
    nodes: BTreeMap<NodeId, Record>,
    draining: bool,
    /// Where the edge reaches the relay that is one process with this node.
    door: Option<SocketAddr>,
    beat: u64,
    /// How often something may have been lost that others told this node's rooms.
    missed: u64,
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
    missed: u64,
    heard: Instant,
    state: State,
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum State {
    Living,
    Dead,
    Gone,
}

impl Ears {
    pub(super) fn new(
        me: NodeId,
        role: Role,
        pace: Heartbeat,
        spares: bool,
        tell: impl Fn(Heard) + Send + Sync + 'static,
    ) -> Self {
        Self {
            me,
            role,
            pace,
            spares,
            known: Mutex::default(),
            membership: watch::Sender::new(Arc::default()),
            observed: watch::Sender::new(Observed::nothing_yet()),
            tell: Box::new(tell),
        }
    }

    pub(super) fn set_draining(&self, draining: bool) {
        self.known.lock().draining = draining;
    }

    /// Whether that is news.
    pub(super) fn set_door(&self, door: SocketAddr) -> bool {
        self.known.lock().door.replace(door) != Some(door)
    }

    pub(super) fn note_missed(&self) {
        self.known.lock().missed += 1;
    }

    pub(super) fn next_beat(&self, sent_ms: u64) -> Bytes {
        let mut known = self.known.lock();
        known.beat += 1;
        known.sent = Some((known.beat, Instant::now()));
        encode(&NodeNews::Beat {
            node: self.me.clone(),
            role: self.role,
            beat: known.beat,
            sent_ms,
            draining: known.draining,
            speaks: SPEAKS,
            missed: known.missed,
            spares: self.spares,
            door: known.door,
        })
    }

    pub(super) fn observe(&self, change: impl FnOnce(&mut Observed)) {
        self.observed.send_if_modified(|observed| {
            let before = observed.clone();
            change(observed);
            if before.is_ready() != observed.is_ready() {
                let (hears_itself, trouble) = (observed.hears_itself, observed.store_trouble.as_deref());
                match trouble {
                    None => info!(hears_itself, "readiness changed"),
                    Some(store) => warn!(hears_itself, store, "readiness changed"),
                }
            }
            before != *observed
        });
    }

    fn hear_beat(&self, node: NodeId, member: Member, beat: u64, missed: u64) {
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
        // It was taken for dead and lives: what this node's rooms concluded from it, of who is there, has to be told to them anew.
        known.missed += u64::from(known.nodes.get(&node).is_some_and(|record| record.state == State::Dead));
        let record = known.nodes.entry(node.clone());
        let record = record.or_insert(Record { member, beat: 0, missed, heard: now, state: State::Dead });
        let changed = record.state != State::Living || record.member != member;
        let has_missed = missed > record.missed;
        *record = Record { member, beat, missed, heard: now, state: State::Living };
        if changed || is_me {
            self.publish(&known, now);
        }
        drop(known);
        if has_missed {
            (self.tell)(Heard::MissedBy(node));
        }
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
    pub(super) fn judge(&self) {
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
        let nodes: BTreeMap<_, _> = living.map(|(node, record)| (node.clone(), record.member)).collect();
        let settled = known.listening_since.is_some_and(|since| now - since >= listened);
        let least = |speak: &dyn Fn(&&Member) -> bool| {
            let least = nodes.values().filter(speak).map(|member| member.speaks).min();
            if settled { least.unwrap_or(SPEAKS).min(SPEAKS) } else { 1 }
        };
        let workers_speak = least(&|member| member.role == Role::Worker);
        let all_speak = least(&|_| true);
        let next = Membership { nodes, cut_off: known.cut_off, settled, workers_speak, all_speak };
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
            Ok(NodeNews::Beat { node, role, beat, draining, speaks, missed, spares, door, sent_ms: _ }) => {
                self.hear_beat(node, Member { role, draining, speaks, spares, door }, beat, missed);
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
