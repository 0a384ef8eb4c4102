//! The same even assignment of partitions to workers, wherever it is computed.

mod each_room;

use std::collections::BTreeMap;

use broker::{directory::Partition, shares::Shares};
use protocol::id::{NodeId, RoomId};

/// For whom every room is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assignment {
    /// Workers that share the partitions.
    ByPartition(Shares),
    /// Workers that share the rooms, of the releases before this one and of this one together.
    ByRoom(BTreeMap<RoomId, NodeId>),
}

impl Assignment {
    /// Of each of these rooms by itself, as the releases before do. It depends on the set of rooms: every worker must know the same.
    pub fn of_each<'a>(rooms: impl Iterator<Item = &'a RoomId>, workers: &[NodeId]) -> Self {
        Self::ByRoom(each_room::assign(rooms, workers))
    }

    /// Whose a room is; nobody's if there is no worker.
    pub fn of(&self, room: &RoomId) -> Option<&NodeId> {
        match self {
            Self::ByPartition(shares) => shares.of(Partition::of(room)),
            Self::ByRoom(rooms) => rooms.get(room),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use broker::shares::assign;

    use super::*;

    #[test]
    fn a_room_is_whose_its_partition_is() {
        let workers: Vec<NodeId> = (1..=5).map(|n| NodeId::new(&format!("worker-{n}")).unwrap()).collect();
        let shares = assign(&workers);
        let assignment = Assignment::ByPartition(shares.clone());
        let rooms: BTreeSet<RoomId> = (1..=100).map(|n| RoomId::new(&format!("t{n}")).unwrap()).collect();
        assert!(rooms.iter().all(|room| assignment.of(room) == shares.of(Partition::of(room))));
        // Where rooms are assigned one by one, another set of rooms is another assignment.
        let each = Assignment::of_each(rooms.iter(), &workers);
        assert!(rooms.iter().all(|room| each.of(room).is_some()));
    }
}
