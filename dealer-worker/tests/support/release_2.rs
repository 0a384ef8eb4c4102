//! What a worker of the release before does about rooms, after its code at commit c9737dc: a frozen copy of how it assigns rooms, and
//! of how it reads entries and the maps, claims and hands over, without tables. It knows no partitions. Nothing of it is to be shared with the code
//! that it stands beside in the tests: it is not to change when that does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use broker::{
    bus::Receiver,
    channel::Channel,
    node::{NodeNews, Owner, Role, decode, encode},
    ports::Ports,
};
use bytes::Bytes;
use parking_lot::Mutex;
use protocol::id::{Epoch, NodeId, Position, RoomId, Seq};
use rooms::room::frame;
use tokio::time::{Duration, Instant, sleep};

const SPECS: &str = "ch:{rooms}:specs";
const OWNERS: &str = "ch:{rooms}:owners";
const DEAD_AFTER: Duration = Duration::from_millis(400);
const LOOK_EVERY: Duration = Duration::from_millis(50);
const READ_EVERY: u32 = 20;

/// Its even assignment of rooms to workers, which `placement/assignment/each_room.rs` has to come to as well.
pub fn assign<'a>(rooms: impl Iterator<Item = &'a RoomId>, workers: &[NodeId]) -> BTreeMap<RoomId, NodeId> {
    let mut wishes: Vec<(u64, &RoomId, usize)> = Vec::new();
    let mut count = 0;
    for room in rooms {
        count += 1;
        wishes.extend(workers.iter().enumerate().map(|(at, worker)| (weight(room, worker), room, at)));
    }
    if workers.is_empty() {
        return BTreeMap::new();
    }
    let share = usize::div_ceil(count, workers.len());
    wishes.sort_unstable_by(|a, b| b.cmp(a));
    let mut taken = vec![0; workers.len()];
    let mut assigned = BTreeMap::new();
    for (_, room, at) in wishes {
        if taken[at] < share && !assigned.contains_key(room) {
            taken[at] += 1;
            assigned.insert(room.clone(), workers[at].clone());
        }
    }
    assigned
}

fn weight(room: &RoomId, worker: &NodeId) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let names = room.as_str().bytes().chain([0]).chain(worker.as_str().bytes());
    let hash = names.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// What it knows.
#[derive(Default)]
pub struct State {
    /// Rooms whose specs it did not find in the map, although they were its own and had no journal.
    pub missed: u32,
    workers: BTreeMap<NodeId, Instant>,
    rooms: BTreeMap<RoomId, Owner>,
    offered: BTreeSet<RoomId>,
    has_missed: bool,
}

impl State {
    fn learn(&mut self, room: RoomId, told: Owner) {
        let known = self.rooms.entry(room).or_insert(Owner { node: None, epoch: Epoch(0) });
        if (told.epoch, told.node.is_none()) > (known.epoch, known.node.is_none()) {
            *known = told;
        }
    }
}

struct Ears {
    me: NodeId,
    state: Arc<Mutex<State>>,
}

impl Receiver for Ears {
    fn deliver(&self, _channel: &str, payload: Bytes) {
        let mut state = self.state.lock();
        match decode(&payload) {
            Ok(NodeNews::Beat { node, role: Role::Worker, draining: false, .. }) => {
                state.workers.insert(node, Instant::now());
            }
            Ok(NodeNews::Beat { node, draining: true, .. } | NodeNews::Gone { node }) => {
                state.workers.remove(&node);
            }
            Ok(NodeNews::Owns { node, room, epoch }) => {
                state.learn(room, Owner { node: Some(node), epoch });
            }
            Ok(NodeNews::Offer { to, room, epoch, .. }) => {
                if to == self.me {
                    state.offered.insert(room.clone());
                }
                state.learn(room, Owner { node: None, epoch });
            }
            Ok(NodeNews::Opened { room }) => state.learn(room, Owner { node: None, epoch: Epoch(0) }),
            // What a later release says it does not read.
            Ok(NodeNews::Beat { .. } | NodeNews::Closed { .. } | NodeNews::WhereIs { .. }) | Err(_) => {}
        }
    }

    fn missed(&self) {
        self.state.lock().has_missed = true;
    }
}

/// Works until it is stopped and has handed all over.
pub async fn work(ports: Ports, me: NodeId, state: Arc<Mutex<State>>, stopping: Arc<AtomicBool>) {
    let ears = Arc::new(Ears { me: me.clone(), state: state.clone() });
    let subscription = ports.bus.subscriber(ears);
    subscription.subscribe(&Channel::nodes()).await.unwrap();
    sleep(DEAD_AFTER).await;
    for turn in 0.. {
        if turn % READ_EVERY == 0 || std::mem::take(&mut state.lock().has_missed) {
            read(&ports, &state).await;
        }
        let stops = stopping.load(Ordering::Relaxed);
        let (steps, is_done) = steps(&state.lock(), &me, stops);
        if stops && is_done {
            return;
        }
        for (room, step) in steps {
            match step {
                Step::Claim(believed) => claim(&ports, &state, &me, room, believed).await,
                Step::LetGo(to, epoch) => {
                    let nobody = Owner { node: None, epoch };
                    ports.store.map_set(OWNERS, room.as_str(), nobody.to_bytes()).await.unwrap();
                    state.lock().learn(room.clone(), nobody);
                    if let Some(to) = to {
                        let offer = NodeNews::Offer { from: me.clone(), to, room, epoch };
                        ports.bus.publish(&Channel::nodes(), encode(&offer)).await.unwrap();
                    }
                }
            }
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn read(ports: &Ports, state: &Mutex<State>) {
    let rooms = ports.store.map_all(SPECS).await.unwrap();
    let owners = ports.store.map_all(OWNERS).await.unwrap();
    let mut state = state.lock();
    for (name, _) in rooms {
        state.learn(RoomId::new(&name).unwrap(), Owner { node: None, epoch: Epoch(0) });
    }
    for (name, owner) in owners {
        let room = RoomId::new(&name).unwrap();
        if state.rooms.contains_key(&room) {
            state.learn(room, serde_json::from_slice(&owner).unwrap());
        }
    }
}

enum Step {
    Claim(Epoch),
    LetGo(Option<NodeId>, Epoch),
}

/// What it does next, and whether it has nothing left.
fn steps(state: &State, me: &NodeId, stops: bool) -> (Vec<(RoomId, Step)>, bool) {
    let lives = |node: &NodeId| state.workers.get(node).is_some_and(|heard| heard.elapsed() < DEAD_AFTER);
    let staying = state.workers.keys().filter(|node| lives(node) && !(stops && *node == me));
    let staying: Vec<NodeId> = staying.cloned().collect();
    let assigned = assign(state.rooms.keys(), &staying);
    let mut steps = Vec::new();
    let mut is_done = true;
    for (room, owner) in &state.rooms {
        let to = assigned.get(room);
        let is_mine = to == Some(me);
        match &owner.node {
            Some(node) if node == me => {
                is_done = false;
                if !is_mine && (to.is_some() || stops) {
                    steps.push((room.clone(), Step::LetGo(to.cloned(), owner.epoch)));
                }
            }
            Some(node) if is_mine && !lives(node) => steps.push((room.clone(), Step::Claim(owner.epoch))),
            None if is_mine || (!stops && state.offered.contains(room)) => {
                steps.push((room.clone(), Step::Claim(owner.epoch)));
            }
            _ => {}
        }
    }
    (steps, is_done)
}

async fn claim(ports: &Ports, state: &Mutex<State>, me: &NodeId, room: RoomId, believed: Epoch) {
    state.lock().offered.remove(&room);
    let before = ports.store.last(&room).await.unwrap().map_or(Epoch(0), |stored| stored.at.epoch());
    if before > believed {
        // Another was faster, and will say so.
        return;
    }
    if before == Epoch(0) && ports.store.map_get(SPECS, room.as_str()).await.unwrap().is_none() {
        state.lock().missed += 1;
        return;
    }
    let epoch = before.max(believed).claimed_at(ports.clock.now_ms());
    let entry = frame::claim(&room, Position(epoch, Seq(0)), me).encode().stored;
    if ports.store.append(&room, Position(epoch, Seq(0)), entry, None).await.is_err() {
        return;
    }
    let owner = Owner { node: Some(me.clone()), epoch };
    ports.store.map_set(OWNERS, room.as_str(), owner.to_bytes()).await.unwrap();
    state.lock().learn(room.clone(), owner);
    let owns = NodeNews::Owns { node: me.clone(), room, epoch };
    ports.bus.publish(&Channel::nodes(), encode(&owns)).await.unwrap();
}

/// Whether it reads an entry; as a worker it must read the record too, unless a later keyframe follows.
pub fn reads(entry: &[u8], is_record_needed: bool) -> bool {
    let mut left = entry;
    entry_of(&mut left).is_some_and(|(is_claim, secret)| {
        left.is_empty() && (is_claim || !is_record_needed || matches!(secret.first(), Some(1 | 2)))
    })
}

fn entry_of<'a>(left: &mut &'a [u8]) -> Option<(bool, &'a [u8])> {
    let version = take(left, 1)?;
    let kind = take(left, 1)?[0];
    if version != [1] || kind > 2 {
        return None;
    }
    take(left, 16)?;
    name(left)?;
    if flag(left)? {
        name(left)?;
        take(left, 16)?;
    }
    if flag(left)? {
        take(left, 8)?;
    }
    for _ in 0..u16::from_le_bytes(take(left, 2)?.try_into().unwrap()) {
        name(left)?;
        part(left)?;
    }
    part(left)?;
    let secret = if left.is_empty() { &[][..] } else { part(left)? };
    Some((kind == 0, secret))
}

fn take<'a>(left: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = left.split_at_checked(count)?;
    *left = rest;
    Some(taken)
}

fn flag(left: &mut &[u8]) -> Option<bool> {
    let flag = take(left, 1)?[0];
    (flag < 2).then_some(flag == 1)
}

fn name<'a>(left: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take(left, 1)?[0];
    take(left, length.into())
}

fn part<'a>(left: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_le_bytes(take(left, 4)?.try_into().unwrap());
    take(left, length.try_into().unwrap())
}
