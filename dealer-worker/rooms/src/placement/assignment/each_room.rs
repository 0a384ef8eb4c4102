//! How the releases before partitions assign rooms. It stays as it is as long as one of their workers may live beside ours: both
//! must come to the same. The tests' worker of such a release (`tests/support/release_2.rs`) has a copy of its own, and is to have one: it
//! says what that release does, whatever becomes of the code here.

use std::collections::BTreeMap;

use broker::shares::hash;
use protocol::id::{NodeId, RoomId};

/// Assigns each room to a worker: rendezvous hashing, where no worker takes more than the even share, rounded up. Depends
/// on the two sets alone: one room more or less moves others.
pub(super) fn assign<'a>(
    rooms: impl Iterator<Item = &'a RoomId>,
    workers: &[NodeId],
) -> BTreeMap<RoomId, NodeId> {
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
    hash(room.as_str().bytes().chain([0]).chain(worker.as_str().bytes()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What a worker of the release before computes, at commit c9737dc.
    const OF_13_ROOMS: &str =
        "t1:w0 t10:w0 t11:w0 t12:w2 t13:w2 t2:w2 t3:w0 t4:w1 t5:w0 t6:w1 t7:w2 t8:w1 t9:w2";

    #[test]
    fn rooms_are_assigned_as_by_the_release_before() {
        let rooms: BTreeSet<RoomId> = (1..=13).map(|n| RoomId::new(&format!("t{n}")).unwrap()).collect();
        let workers: Vec<NodeId> = (0..3).map(|n| NodeId::new(&format!("w{n}")).unwrap()).collect();
        let assigned = assign(rooms.iter(), &workers);
        let told: Vec<String> = assigned.iter().map(|(room, worker)| format!("{room}:{worker}")).collect();
        assert_eq!(told.join(" "), OF_13_ROOMS);
        assert!(assign(rooms.iter(), &[]).is_empty());
    }
}
