//! What a worker believes of who owns the rooms. Later epochs replace earlier ones, and at the same epoch having been let go
//! of replaces being owned; so news may come in any order and more than once.

use std::collections::BTreeMap;

use shared::{
    id::{Epoch, NodeId, RoomId},
    node::Owner,
};
use tokio::time::Instant;

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
        let is_later = (self.epoch, node.is_none()) > (written.epoch, written.node.is_none());
        is_later.then_some(Owner { node, epoch: self.epoch })
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
#[derive(Debug, Default)]
pub struct Beliefs {
    rooms: BTreeMap<RoomId, Belief>,
}

impl Beliefs {
    /// All rooms, in the order of their names.
    pub fn rooms(&self) -> impl Iterator<Item = &RoomId> {
        self.rooms.keys()
    }

    /// What is believed of a room.
    pub fn of(&self, room: &RoomId) -> Option<&Belief> {
        self.rooms.get(room)
    }

    /// There is such a room. Answers whether that is new.
    pub fn open(&mut self, room: RoomId) -> bool {
        let is_new = !self.rooms.contains_key(&room);
        if is_new {
            self.rooms.insert(room, Belief { epoch: Epoch(0), ownership: Ownership::Nobody });
        }
        is_new
    }

    /// What news say, or what became of a claim of one's own. Answers whether it changes what is believed.
    pub fn learn(&mut self, room: &RoomId, epoch: Epoch, ownership: Ownership) -> bool {
        let Some(belief) = self.rooms.get_mut(room) else { return false };
        let told = Belief { epoch, ownership };
        let is_news = told.rank() > belief.rank();
        if is_news {
            *belief = told;
        }
        is_news
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
                beliefs.open(room.clone());
                for (epoch, ownership) in order {
                    beliefs.learn(&room, *epoch, ownership.clone());
                }
                let expected = Belief { epoch: Epoch(2), ownership: Ownership::Node(node("w2")) };
                assert_eq!(beliefs.of(&room), Some(&expected));
            }
        }
    }
}
