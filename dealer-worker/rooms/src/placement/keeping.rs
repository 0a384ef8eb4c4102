//! What a worker reads of the directory, and what it does with that.
//!
//! Each partition has one *keeper*, the worker that it is assigned to: it reads the partition's maps again and again, spread
//! over time, so that all maps together are read once a round however many workers there are. Others read a partition only as long
//! as they know something of it that its keeper may lack: they run one of its rooms, or believe one to be in nobody's hands.
//! So whoever knows better than a map sees it and corrects it.
//!
//! The maps of the releases before are read too. As long as a node lives that knows only these they are kept right; after that
//! what still stands there is carried over and taken away.

use std::collections::{BTreeMap, BTreeSet};

use broker::{
    directory::{PARTITIONS, Partition, Readers},
    members::Membership,
    node::Owner,
    shares::{self, Shares, assign},
};
use protocol::id::{Epoch, NodeId, RoomId};
use tokio::time::{Duration, Instant};

use super::{
    Placement,
    beliefs::Belief,
    maps::{Answer, Job, Listing, Part},
    policy::{correction, unwritten},
};

/// A round of reading is made in so many steps.
pub(super) const STEPS: u32 = 16;

/// The earlier maps are emptied when for so many terms (the time after which a silent node is dead) no node was heard that needs
/// them: one that was only away is not to find them empty.
const QUIET_TERMS: u32 = 10;

/// Of rooms that are missing in the maps so many are looked for at once; the others with the next reading.
const LOOK_FOR_MAX: usize = 64;

/// What the keeper of partitions keeps in mind.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    /// Who keeps which partition: the workers of this release, even if others share the rooms with them.
    shares: Shares,
    keepers: Vec<NodeId>,
    /// Since when only nodes of this release are heard.
    alone_since: Option<Instant>,
    /// The rooms of the partitions that this worker keeps, as last read.
    listed: BTreeMap<Partition, BTreeSet<RoomId>>,
    /// And what the earlier maps say.
    earlier: Listing,
    /// How far the round is.
    step: u32,
}

impl Keeping {
    pub(super) fn shares(&self) -> &Shares {
        &self.shares
    }

    pub(super) fn kept_by<'a>(&'a self, node: &'a NodeId) -> impl Iterator<Item = Partition> + 'a {
        Partition::all().filter(move |partition| self.shares.of(*partition) == Some(node))
    }

    /// Whether a room was read of last.
    #[cfg(test)]
    pub(super) fn lists(&self, room: &RoomId) -> bool {
        self.earlier.rooms.contains(room)
            || self.earlier.owners.contains_key(room)
            || self.listed.get(&Partition::of(room)).is_some_and(|listed| listed.contains(room))
    }

    pub(super) fn forget(&mut self, room: &RoomId) {
        self.earlier.rooms.remove(room);
        self.earlier.owners.remove(room);
        if let Some(listed) = self.listed.get_mut(&Partition::of(room)) {
            listed.remove(room);
        }
    }
}

impl Placement {
    fn keeps(&self, partition: Partition) -> bool {
        self.keeping.shares.of(partition) == Some(&self.context.config.node)
    }

    /// See the module.
    fn concerns_me(&self, partition: Partition) -> bool {
        let membership = &self.whose.membership;
        self.keeps(partition)
            || self
                .beliefs
                .of_partition(partition)
                .any(|(room, belief)| self.tenancy.has(room) || !belief.is_in_hands(membership))
    }

    /// Shares the partitions among their keepers, if these have changed; answers whether. What is this worker's by that is read
    /// at once.
    pub(super) fn share_keeping(&mut self, membership: &Membership) -> bool {
        let is_alone = membership.settled && Readers::among(membership) == Readers::OfThisRelease;
        if self.keeping.alone_since.is_some() && !is_alone {
            // Somebody older has come, and looks for rooms where they may not be.
            self.maps.want(Part::Earlier, true);
        }
        self.keeping.alone_since = is_alone.then(|| self.keeping.alone_since.unwrap_or_else(Instant::now));
        let me = &self.context.config.node;
        let keepers = shares::keepers(membership).filter(|node| !self.draining || *node != me);
        let keepers: Vec<NodeId> = keepers.cloned().collect();
        if keepers == self.keeping.keepers {
            return false;
        }
        self.maps.want(Part::Earlier, true);
        let before = std::mem::replace(&mut self.keeping.shares, assign(&keepers));
        self.keeping.keepers = keepers;
        for partition in Partition::all() {
            let is_kept = self.keeps(partition);
            if !is_kept {
                self.keeping.listed.remove(&partition);
            } else if before.of(partition) != Some(&self.context.config.node) {
                self.maps.want(Part::Of(partition), true);
            }
        }
        true
    }

    /// A part of the round.
    pub(super) fn go_round(&mut self) {
        if self.keeping.step == 0 {
            self.maps.want(Part::Earlier, true);
            let dead_after = Duration::from_millis(self.context.config.heartbeat.dead_after_ms());
            let now = Instant::now();
            self.said_owned.retain(|_, said| now.duration_since(*said) < dead_after);
        }
        let step = self.keeping.step;
        self.read(|partition| u32::from(partition.number()) * STEPS / u32::from(PARTITIONS) == step);
        self.keeping.step = (step + 1) % STEPS;
    }

    /// News were missed: what concerns this worker is read at once.
    pub(super) fn read_all(&mut self) {
        self.maps.want(Part::Earlier, true);
        self.read(|_| true);
    }

    fn read(&mut self, which: impl Fn(Partition) -> bool) {
        for partition in Partition::all().filter(|partition| which(*partition)) {
            if self.concerns_me(partition) {
                let thorough = self.beliefs.of_partition(partition).next().is_some();
                self.maps.want(Part::Of(partition), thorough);
            }
        }
    }

    /// Somebody has opened a room. Older nodes must find it too.
    pub(super) fn told_of_new(&mut self, room: &RoomId) {
        let partition = Partition::of(room);
        if self.keeping.alone_since.is_none() && self.keeps(partition) {
            self.maps.want(Part::Of(partition), true);
        }
    }

    pub(super) fn answered(&mut self, answer: Answer) {
        match answer {
            Answer::Listed(Part::Of(partition), listing) => self.listed(partition, listing),
            Answer::Listed(Part::Earlier, listing) => self.listed_earlier(listing),
            Answer::Moved(partitions) => {
                for partition in partitions {
                    self.maps.want(Part::Of(partition), true);
                }
            }
            Answer::Nowhere(rooms) => {
                for (room, epoch) in &rooms {
                    let believed = self.beliefs.of(room).map(|belief| belief.epoch);
                    if believed.is_some() && believed == *epoch && !self.tenancy.has(room) {
                        self.forget(room, Epoch(0));
                    }
                }
            }
            Answer::Done => {}
        }
    }

    fn listed(&mut self, partition: Partition, listing: Listing) {
        let Listing { rooms, owners } = listing;
        // As long as there are older nodes, their word of who owns a room stands in the earlier maps alone.
        if self.keeping.alone_since.is_some() {
            rooms.iter().for_each(|room| self.open(room));
        }
        let part = Part::Of(partition);
        let believed: Vec<RoomId> =
            self.beliefs.of_partition(partition).map(|(room, _)| room.clone()).collect();
        let is_missing = |room: &&RoomId| {
            !rooms.contains(*room) && !self.keeping.earlier.rooms.contains(*room) && !self.tenancy.has(room)
        };
        let strays = owners.keys().filter(|room| self.beliefs.of(room).is_none());
        let missing = believed.iter().chain(strays).filter(is_missing).take(LOOK_FOR_MAX);
        let with_epoch = |room: &RoomId| (room.clone(), self.beliefs.of(room).map(|belief| belief.epoch));
        let missing: Vec<(RoomId, Option<Epoch>)> = missing.map(with_epoch).collect();
        let known = believed.iter().filter(|room| rooms.contains(*room) || self.tenancy.has(room));
        let known: Vec<RoomId> = known.cloned().collect();
        self.compare(part, &known, &owners, true);
        // An older worker that has just gone wrote its last word there.
        let earlier = std::mem::take(&mut self.keeping.earlier.owners);
        let named: Vec<RoomId> = known.into_iter().filter(|room| earlier.contains_key(room)).collect();
        self.compare(Part::Earlier, &named, &earlier, false);
        self.keeping.earlier.owners = earlier;
        if !missing.is_empty() {
            self.maps.give(Job::LookFor(part, missing));
        }
        if self.keeps(partition) {
            self.keeping.listed.insert(partition, rooms);
        }
    }

    fn listed_earlier(&mut self, listing: Listing) {
        let Listing { rooms, owners } = listing;
        let is_needed = self.whose.membership.settled && self.keeping.alone_since.is_none();
        // Else the word of who owns a room may stand in its partition alone: it is carried over there first.
        if is_needed {
            rooms.iter().for_each(|room| self.open(room));
        }
        let quiet = Duration::from_millis(self.context.config.heartbeat.dead_after_ms()) * QUIET_TERMS;
        let takes_away = self.keeping.alone_since.is_some_and(|since| since.elapsed() >= quiet);
        let mine = |room: &&RoomId| self.keeps(Partition::of(room));
        let is_lacking = |room: &&RoomId| {
            let listed = self.keeping.listed.get(&Partition::of(room));
            listed.is_some_and(|listed| !listed.contains(*room))
        };
        let over: BTreeSet<RoomId> = match takes_away {
            true => rooms.iter().chain(owners.keys()).filter(mine).cloned().collect(),
            false => rooms.iter().filter(mine).filter(is_lacking).cloned().collect(),
        };
        if !over.is_empty() {
            self.maps.give(Job::CarryOver { rooms: over, takes_away });
        }
        if is_needed {
            let listed = self.keeping.listed.values().flatten();
            let back: Vec<RoomId> = listed.filter(|room| !rooms.contains(*room)).cloned().collect();
            if !back.is_empty() {
                self.maps.give(Job::CarryBack(back));
            }
        }
        let known = self.beliefs.rooms().filter(|room| match is_needed {
            true => rooms.contains(*room) || self.tenancy.has(room),
            false => owners.contains_key(*room),
        });
        let known: Vec<RoomId> = known.cloned().collect();
        self.compare(Part::Earlier, &known, &owners, is_needed);
        self.keeping.earlier = Listing { rooms, owners };
    }

    /// Learns what is written of rooms, and corrects it where this worker knows better.
    fn compare(&mut self, part: Part, rooms: &[RoomId], owners: &BTreeMap<RoomId, Owner>, corrects: bool) {
        let me = self.context.config.node.clone();
        let mut wrong = Vec::new();
        for room in rooms {
            let written = owners.get(room).cloned().unwrap_or_else(unwritten);
            let Some(belief) = self.beliefs.of(room) else { continue };
            if corrects && let Some(right) = correction(&me, belief, &written, self.tenancy.has(room)) {
                wrong.push((room.clone(), right));
            }
            let belief = Belief::from(written);
            self.learn_of_others(room, belief.epoch, belief.ownership);
        }
        if !wrong.is_empty() {
            self.maps.give(Job::Correct(part, wrong));
        }
    }
}
