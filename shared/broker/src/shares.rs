//! Who shares the partitions of the [directory], and how: every node computes the same, of who lives alone. So a worker knows
//! which rooms are its own, and a relay where a room's owner is, or will be in a moment, without asking anybody.

use protocol::id::NodeId;

use crate::{
    directory::{self, PARTITIONS, Partition},
    members::Membership,
    node::Role,
};

/// For whom every partition is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shares {
    workers: Vec<NodeId>,
    /// By partition, an index into `workers`. Empty if there are none.
    of: Vec<usize>,
}

impl Shares {
    /// Whose a partition is; nobody's if there is no worker.
    pub fn of(&self, partition: Partition) -> Option<&NodeId> {
        self.of.get(usize::from(partition.number())).map(|at| &self.workers[*at])
    }
}

/// So many bits of a wish name a worker; far more than nodes that are kept in mind.
const WORKER_BITS: u32 = 16;

/// And so many the partition and the worker.
const NAME_BITS: u32 = WORKER_BITS + PARTITIONS.ilog2();

/// Shares the partitions among workers: rendezvous hashing, where no worker takes more than the even share, rounded up. Depends
/// on the set of workers alone. When one comes or goes, few partitions change between the others.
///
/// # Panics
/// If there are 65,536 workers or more.
pub fn assign(workers: &[NodeId]) -> Shares {
    if workers.is_empty() {
        return Shares::default();
    }
    let mut workers = workers.to_vec();
    workers.sort_unstable();
    // A wish is one number, so that a hundred workers' are sorted in a few milliseconds: how much the worker is meant for the partition in
    // the upper bits, both their names below.
    let mut wishes: Vec<u64> = Vec::with_capacity(usize::from(PARTITIONS) * workers.len());
    for (at, worker) in (0_u16..).zip(&workers) {
        let worker = fnv(worker.as_str().bytes());
        wishes.extend(Partition::all().map(|partition| {
            let number = u64::from(partition.number());
            let weight = mix(worker ^ mix(number + 1));
            (weight >> NAME_BITS << NAME_BITS) | (number << WORKER_BITS) | u64::from(at)
        }));
    }
    let count = wishes.len() / usize::from(PARTITIONS);
    assert!(count == workers.len(), "there are more workers than a wish can name");
    let share = usize::from(PARTITIONS).div_ceil(count);
    // The heaviest wishes first: who has a strong claim keeps it however the others fall.
    wishes.sort_unstable_by(|a, b| b.cmp(a));
    let mut taken = vec![0; count];
    let mut of = vec![usize::MAX; usize::from(PARTITIONS)];
    for wish in wishes {
        let at = (wish & ((1 << WORKER_BITS) - 1)) as usize;
        let of = &mut of[(wish >> WORKER_BITS) as usize % usize::from(PARTITIONS)];
        if *of == usize::MAX && taken[at] < share {
            taken[at] += 1;
            *of = at;
        }
    }
    Shares { workers, of }
}

/// The workers that share the partitions: those that stay and know of partitions. Nobody before it is known who lives.
pub fn keepers(membership: &Membership) -> impl Iterator<Item = &NodeId> {
    let keeps = |(_, member): &(_, &crate::members::Member)| {
        membership.settled
            && member.role == Role::Worker
            && !member.draining
            && directory::is_known_to(member)
    };
    membership.nodes.iter().filter(keeps).map(|(node, _)| node)
}

/// FNV-1a, then a finalizer so that similar names differ in all bits.
pub fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    mix(fnv(bytes))
}

fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    bytes.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

fn mix(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn workers(names: impl IntoIterator<Item = u32>) -> Vec<NodeId> {
        names.into_iter().map(|name| NodeId::new(&format!("worker-{name:x}")).unwrap()).collect()
    }

    fn load(shares: &Shares, worker: &NodeId) -> usize {
        Partition::all().filter(|partition| shares.of(*partition) == Some(worker)).count()
    }

    /// Partitions that change hands although their worker is there before and after.
    fn moved(before: &Shares, after: &Shares, staying: &[NodeId]) -> usize {
        let moves = |partition: &Partition| {
            let (was, is) = (before.of(*partition).unwrap(), after.of(*partition).unwrap());
            was != is && staying.contains(was) && staying.contains(is)
        };
        Partition::all().filter(moves).count()
    }

    #[test]
    fn without_workers_nothing_is_assigned() {
        assert!(Partition::all().all(|partition| assign(&[]).of(partition).is_none()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn every_partition_is_assigned_and_no_worker_has_more_than_its_share(
            names in proptest::collection::btree_set(any::<u32>(), 1..40),
        ) {
            let workers = workers(names);
            let shares = assign(&workers);
            let share = usize::from(PARTITIONS).div_ceil(workers.len());
            let loads: Vec<usize> = workers.iter().map(|worker| load(&shares, worker)).collect();
            prop_assert_eq!(loads.iter().sum::<usize>(), usize::from(PARTITIONS));
            prop_assert!(loads.iter().all(|load| *load <= share), "{:?} of {}", loads, share);
        }

        #[test]
        fn every_worker_computes_the_same(names in proptest::collection::btree_set(any::<u32>(), 1..20)) {
            let forwards = workers(names.iter().copied());
            let backwards = workers(names.iter().rev().copied());
            let (one, other) = (assign(&forwards), assign(&backwards));
            prop_assert!(Partition::all().all(|partition| one.of(partition) == other.of(partition)));
        }

        #[test]
        fn when_a_worker_goes_or_comes_few_partitions_move_between_the_others(
            names in proptest::collection::btree_set(any::<u32>(), 2..30),
            gone in any::<prop::sample::Index>(),
        ) {
            let all = workers(names);
            let mut others = all.clone();
            others.remove(gone.index(all.len()));
            // That of the worker that goes must move; of the others few do, since the shares have grown.
            let moved = moved(&assign(&all), &assign(&others), &others);
            prop_assert!(moved <= usize::from(PARTITIONS) / 8, "{} moved among {} workers", moved, all.len());
        }
    }
}
