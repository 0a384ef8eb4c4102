//! What a worker believes of who owns the rooms. Later epochs replace earlier ones, and at the same epoch having been let go
//! of replaces being owned; so news may come in any order and more than once. A room that has ended is forgotten.

use std::collections::{BTreeMap, VecDeque};

use broker::{
    directory::{PARTITIONS, Partition},
    members::Membership,
    node::Owner,
};
use protocol::id::{Epoch, NodeId, RoomId};
use tokio::time::{Duration, Instant};

/// A room that was forgotten is not taken up again before this, whoever tells of it: what comes late was read or said before.
const LATE: Duration = Duration::from_secs(10);

/// So long its last epoch is kept in mind, for the case that there is such a room after all: an epoch is never given twice.
const KEPT: Duration = Duration::from_secs(3_600);

/// And of so many rooms at most.
const KEPT_MAX: usize = 16_384;

/// What is believed of one room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Belief {
    /// The last epoch that is known of.
    pub epoch: Epoch,
    /// Who owns it.
    pub ownership: Ownership,
}

impl Belief {
    /// Of two that contradict each other, the greater one is later.
    fn rank(&self) -> (Epoch, u8) {
        let rank = match self.ownership {
            Ownership::Somebody { .. } => 0,
            Ownership::Node(_) => 1,
            Ownership::Nobody => 2,
            Ownership::Offered { .. } => 3,
        };
        (self.epoch, rank)
    }

    /// What the map of owners should say instead of `written`; `None` if this is not known to be later.
    pub fn instead_of(&self, written: &Owner) -> Option<Owner> {
        let node = match &self.ownership {
            Ownership::Node(node) => Some(node.clone()),
            Ownership::Nobody | Ownership::Offered { .. } => None,
            Ownership::Somebody { .. } => return None,
        };
        let owner = Owner { node, epoch: self.epoch };
        written.is_before(&owner).then_some(owner)
    }

    /// Whether somebody who lives owns it.
    pub fn is_in_hands(&self, membership: &Membership) -> bool {
        matches!(&self.ownership, Ownership::Node(node) if membership.is_living(node))
    }
}

impl From<Owner> for Belief {
    fn from(Owner { node, epoch }: Owner) -> Self {
        Self { epoch, ownership: node.map_or(Ownership::Nobody, Ownership::Node) }
    }
}

/// Who owns a room, or soon will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// Nobody.
    Nobody,
    /// This worker, as long as it lives.
    Node(NodeId),
    /// It was let go of for another worker.
    Offered {
        /// Who should claim it.
        to: NodeId,
        /// Until then it is waited for.
        until: Instant,
    },
    /// Somebody has claimed it, and will say so.
    Somebody {
        /// Until then it is waited for.
        until: Instant,
    },
}

/// What is believed of all rooms.
#[derive(Debug)]
pub struct Beliefs {
    /// By partition.
    rooms: Vec<BTreeMap<RoomId, Belief>>,
    forgotten: Forgotten,
}

impl Default for Beliefs {
    fn default() -> Self {
        Self { rooms: vec![BTreeMap::new(); usize::from(PARTITIONS)], forgotten: Forgotten::default() }
    }
}

impl Beliefs {
    /// All rooms.
    pub fn rooms(&self) -> impl Iterator<Item = &RoomId> {
        self.rooms.iter().flat_map(BTreeMap::keys)
    }

    /// The rooms of a partition, in the order of their names, and what is believed of them.
    pub fn of_partition(&self, partition: Partition) -> impl Iterator<Item = (&RoomId, &Belief)> {
        self.rooms[usize::from(partition.number())].iter()
    }

    /// What is believed of a room.
    pub fn of(&self, room: &RoomId) -> Option<&Belief> {
        self.rooms[usize::from(Partition::of(room).number())].get(room)
    }

    /// There is such a room, say a map or news without an epoch. Answers whether that is new.
    pub fn open(&mut self, room: &RoomId, now: Instant) -> bool {
        if self.of(room).is_some() || self.forgotten.is_late(room, now) {
            return false;
        }
        let epoch = self.forgotten.take(room).unwrap_or_default();
        let belief = Belief { epoch, ownership: Ownership::Nobody };
        self.of_its_partition(room).insert(room.clone(), belief);
        true
    }

    /// There was such a room in this epoch, say news: later ones than those of a room that was forgotten are of another of
    /// the same name. Answers whether that is new.
    pub fn open_in(&mut self, room: &RoomId, epoch: Epoch, now: Instant) -> bool {
        if self.forgotten.last_epoch(room).is_some_and(|last| epoch > last) {
            self.forgotten.take(room);
        }
        self.open(room, now)
    }

    /// What news say, or what became of a claim of one's own. Answers whether it changes what is believed. Of a room that is not
    /// known, nothing is learned.
    pub fn learn(&mut self, room: &RoomId, epoch: Epoch, ownership: Ownership) -> bool {
        let Some(belief) = self.of_its_partition(room).get_mut(room) else { return false };
        let told = Belief { epoch, ownership };
        let is_news = told.rank() > belief.rank();
        if is_news {
            *belief = told;
        }
        is_news
    }

    /// The room has ended in this epoch or in the one that is believed, whichever is later. Answers whether it was believed in.
    pub fn forget(&mut self, room: &RoomId, epoch: Epoch, now: Instant) -> bool {
        let believed = self.of_its_partition(room).remove(room);
        let last = believed.as_ref().map_or(epoch, |belief| belief.epoch.max(epoch));
        self.forgotten.add(room.clone(), last, now);
        believed.is_some()
    }

    fn of_its_partition(&mut self, room: &RoomId) -> &mut BTreeMap<RoomId, Belief> {
        &mut self.rooms[usize::from(Partition::of(room).number())]
    }
}

/// Rooms that are not any more: for a while, and so many.
#[derive(Debug, Default)]
struct Forgotten {
    rooms: BTreeMap<RoomId, (Epoch, Instant)>,
    /// In the order in which they were forgotten. One that was taken up again stands here still.
    order: VecDeque<(Instant, RoomId)>,
}

impl Forgotten {
    fn add(&mut self, room: RoomId, epoch: Epoch, now: Instant) {
        let before = self.rooms.get(&room).map_or(epoch, |(before, _)| epoch.max(*before));
        self.order.push_back((now, room.clone()));
        self.rooms.insert(room, (before, now));
        while let Some((at, _)) = self.order.front()
            && (self.order.len() > KEPT_MAX || now.duration_since(*at) > KEPT)
        {
            let Some((at, room)) = self.order.pop_front() else { break };
            if self.rooms.get(&room).is_some_and(|(_, last)| *last == at) {
                self.rooms.remove(&room);
            }
        }
    }

    fn is_late(&self, room: &RoomId, now: Instant) -> bool {
        self.rooms.get(room).is_some_and(|(_, at)| now.duration_since(*at) < LATE)
    }

    fn last_epoch(&self, room: &RoomId) -> Option<Epoch> {
        self.rooms.get(room).map(|(epoch, _)| *epoch)
    }

    fn take(&mut self, room: &RoomId) -> Option<Epoch> {
        self.rooms.remove(room).map(|(epoch, _)| epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_in_any_order_lead_to_the_same_belief() {
        let room = RoomId::new("t1").unwrap();
        let node = |name| NodeId::new(name).unwrap();
        let until = Instant::now();
        let news = [
            (Epoch(1), Ownership::Node(node("w1"))),
            (Epoch(1), Ownership::Nobody),
            (Epoch(1), Ownership::Offered { to: node("w2"), until }),
            (Epoch(2), Ownership::Somebody { until }),
            (Epoch(2), Ownership::Node(node("w2"))),
        ];
        for turn in 0..news.len() {
            for backwards in [false, true] {
                let mut order: Vec<_> = news.iter().cycle().skip(turn).take(news.len()).collect();
                if backwards {
                    order.reverse();
                }
                let mut beliefs = Beliefs::default();
                beliefs.open(&room, until);
                for (epoch, ownership) in order {
                    beliefs.learn(&room, *epoch, ownership.clone());
                }
                let expected = Belief { epoch: Epoch(2), ownership: Ownership::Node(node("w2")) };
                assert_eq!(beliefs.of(&room), Some(&expected));
            }
        }
    }

    /// Which comes first, its end or what was said and read of it before, is chance.
    #[test]
    fn what_comes_late_does_not_bring_a_room_back() {
        let (room, now) = (RoomId::new("t1").unwrap(), Instant::now());
        let owner = || Ownership::Node(NodeId::new("w1").unwrap());
        let mut beliefs = Beliefs::default();
        beliefs.open(&room, now);
        beliefs.learn(&room, Epoch(4), owner());
        assert!(beliefs.forget(&room, Epoch(5), now));
        let soon = now + LATE / 2;
        assert!(!beliefs.open(&room, soon));
        assert!(!beliefs.open_in(&room, Epoch(5), soon));
        assert!(!beliefs.learn(&room, Epoch(5), owner()));
        assert_eq!((beliefs.of(&room), beliefs.rooms().count()), (None, 0));
        // Told of once more by somebody who knows nothing better.
        assert!(!beliefs.forget(&room, Epoch(3), soon));
        assert_eq!(beliefs.forgotten.last_epoch(&room), Some(Epoch(5)));
    }

    #[test]
    fn another_room_of_the_same_name_is_known_by_its_epoch_or_after_a_while() {
        let (room, now) = (RoomId::new("t1").unwrap(), Instant::now());
        let mut beliefs = Beliefs::default();
        beliefs.forget(&room, Epoch(5), now);
        assert!(beliefs.open_in(&room, Epoch(6), now));
        beliefs.forget(&room, Epoch(6), now);
        assert!(beliefs.open(&room, now + LATE));
        let belief = Belief { epoch: Epoch(6), ownership: Ownership::Nobody };
        assert_eq!(beliefs.of(&room), Some(&belief), "no epoch is given twice");
    }

    #[test]
    fn what_is_forgotten_is_bounded_in_number_and_time() {
        let now = Instant::now();
        let mut beliefs = Beliefs::default();
        for number in 0..KEPT_MAX + 10 {
            beliefs.forget(&RoomId::new(&format!("t{number}")).unwrap(), Epoch(1), now);
        }
        assert_eq!((beliefs.forgotten.rooms.len(), beliefs.forgotten.order.len()), (KEPT_MAX, KEPT_MAX));
        beliefs.forget(&RoomId::new("m1").unwrap(), Epoch(1), now + KEPT + LATE);
        assert_eq!((beliefs.forgotten.rooms.len(), beliefs.forgotten.order.len()), (1, 1));
    }
}
