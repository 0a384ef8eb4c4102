//! The same even assignment of rooms to workers, wherever it is computed.

use std::collections::BTreeMap;

use shared::id::{NodeId, RoomId};

/// Assigns each room to a worker: rendezvous hashing, where no worker takes more than the even share, rounded up. Depends
/// on the two sets alone. When a worker comes or goes, few rooms change between the others.
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
    // The heaviest wishes first: who has a strong claim keeps it however the others fall.
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

/// How much a worker is meant for a room: FNV-1a over both names, then a finalizer so that similar names differ in all bits.
fn weight(room: &RoomId, worker: &NodeId) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let names = room.as_str().bytes().chain([0]).chain(worker.as_str().bytes());
    let hash = names.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn rooms(count: usize) -> BTreeSet<RoomId> {
        (1..=count).map(|n| RoomId::new(&format!("t{n}")).unwrap()).collect()
    }

    fn workers(names: &[&str]) -> Vec<NodeId> {
        names.iter().map(|name| NodeId::new(name).unwrap()).collect()
    }

    fn load(assigned: &BTreeMap<RoomId, NodeId>, worker: &NodeId) -> usize {
        assigned.values().filter(|assigned| *assigned == worker).count()
    }

    #[test]
    fn every_room_is_assigned_and_no_worker_has_more_than_its_share() {
        for (count, names) in [(1, 1), (7, 2), (300, 3), (1_000, 7)] {
            let names: Vec<String> = (0..names).map(|n| format!("w{n}")).collect();
            let workers = workers(&names.iter().map(String::as_str).collect::<Vec<_>>());
            let assigned = assign(rooms(count).iter(), &workers);
            assert_eq!(assigned.len(), count);
            let share = count.div_ceil(workers.len());
            assert!(workers.iter().all(|worker| load(&assigned, worker) <= share));
        }
    }

    #[test]
    fn without_workers_nothing_is_assigned() {
        assert!(assign(rooms(3).iter(), &[]).is_empty());
    }

    #[test]
    fn when_a_worker_dies_few_rooms_move_between_the_others() {
        let all = workers(&["w1", "w2", "w3", "w4"]);
        let before = assign(rooms(1_000).iter(), &all);
        let after = assign(rooms(1_000).iter(), &all[..3]);
        let moved =
            before.iter().filter(|(room, worker)| **worker != all[3] && after[*room] != **worker).count();
        // 250 must move, since their owner is gone; of the other 750 a few do because the shares have grown.
        assert!(moved < 100, "{moved} rooms moved without need");
    }
}
