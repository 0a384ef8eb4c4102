//! Where a room's players are best off: at the pit that owns it, since nothing of what they do goes through the broker there.
//!
//! Whose a room is every node computes alike from who lives ([`broker::shares`]), and pits say where the edge reaches them. So nobody is asked, and
//! whoever is wrong for a moment has led somebody to a relay like any.

use std::{collections::BTreeMap, net::SocketAddr};

use broker::{
    directory::{Partition, is_assigned_by_partition},
    members::Membership,
    shares::{Shares, assign, keepers},
};
use protocol::id::{NodeId, RoomId};

/// Where each room is at home, if that is at a pit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Homes {
    shares: Shares,
    doors: BTreeMap<NodeId, SocketAddr>,
}

/// A pit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Home {
    /// Its worker.
    pub(crate) pit: NodeId,
    /// Where the edge reaches it.
    pub(crate) door: SocketAddr,
}

/// What homes follow from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Owners {
    /// All who share the rooms.
    workers: Vec<NodeId>,
    /// Those of them that are pits and are reached.
    doors: BTreeMap<NodeId, SocketAddr>,
}

impl Owners {
    /// Those that live; `None` where that is not known now.
    pub(crate) fn among(membership: &Membership) -> Option<Self> {
        if !membership.settled || membership.cut_off {
            return None;
        }
        let workers: Vec<NodeId> = keepers(membership).cloned().collect();
        let doors =
            workers.iter().filter_map(|worker| Some((worker.clone(), membership.nodes[worker].door?)));
        let doors: BTreeMap<_, _> = doors.collect();
        // Where rooms are assigned one by one nobody here knows whose they are.
        let is_known = is_assigned_by_partition(membership) && !doors.is_empty();
        Some(if is_known { Self { workers, doors } } else { Self::default() })
    }

    /// A thousand partitions are shared out anew: to be done when owners change.
    pub(crate) fn homes(&self) -> Homes {
        Homes { shares: assign(&self.workers), doors: self.doors.clone() }
    }
}

impl Homes {
    /// The pit at which players of a room are best off.
    pub(crate) fn of(&self, room: &RoomId) -> Option<Home> {
        let pit = self.shares.of(Partition::of(room))?;
        Some(Home { pit: pit.clone(), door: *self.doors.get(pit)? })
    }
}

#[cfg(test)]
mod tests {
    use broker::{
        members::Member,
        node::{Role, SPEAKS},
    };

    use super::*;

    fn pit(door: &str) -> Member {
        let (role, draining, spares) = (Role::Worker, false, true);
        Member { role, draining, speaks: SPEAKS, spares, door: Some(door.parse().unwrap()) }
    }

    fn house(members: &[(&str, Member)]) -> Membership {
        let nodes = members.iter().map(|(name, member)| (NodeId::new(name).unwrap(), *member)).collect();
        Membership { nodes, settled: true, workers_speak: SPEAKS, all_speak: SPEAKS, ..Membership::default() }
    }

    /// How many of a hundred tables are at home at each pit, and how many nowhere.
    fn counts(membership: &Membership) -> BTreeMap<Option<String>, usize> {
        let homes = Owners::among(membership).unwrap().homes();
        let mut counts = BTreeMap::new();
        for n in 1..=100 {
            let home = homes.of(&RoomId::new(&format!("t{n}")).unwrap());
            *counts.entry(home.map(|home| home.pit.as_str().to_owned())).or_default() += 1;
        }
        counts
    }

    #[test]
    fn a_room_is_at_home_at_the_pit_that_owns_it_and_nowhere_if_that_is_no_pit() {
        let worker = Member { spares: false, door: None, ..pit("10.0.0.1:8081") };
        let (one, two) = (pit("10.0.0.1:8081"), pit("10.0.0.2:8081"));
        let found = counts(&house(&[("p1", one), ("p2", two), ("w1", worker)]));
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.values().all(|count| *count > 15), "{found:?}");
        assert_eq!(counts(&house(&[("w1", worker)])), BTreeMap::from([(None, 100)]));
    }

    #[test]
    fn a_pit_that_leaves_or_does_not_know_where_it_is_reached_is_nobodys_home() {
        let (one, leaving) = (pit("10.0.0.1:8081"), Member { draining: true, ..pit("10.0.0.2:8081") });
        let found = counts(&house(&[("p1", one), ("p2", leaving)]));
        assert_eq!(found, BTreeMap::from([(Some("p1".into()), 100)]));
        let unreached = Member { draining: false, door: None, ..leaving };
        let found = counts(&house(&[("p1", one), ("p2", unreached)]));
        assert!(found[&None] > 15 && found[&Some("p1".into())] > 15, "{found:?}");
    }

    #[test]
    fn who_is_cut_off_or_has_just_begun_to_listen_knows_of_no_change() {
        let house = house(&[("p1", pit("10.0.0.1:8081"))]);
        assert!(Owners::among(&Membership { cut_off: true, ..house.clone() }).is_none());
        assert!(Owners::among(&Membership { settled: false, ..house.clone() }).is_none());
        assert!(Owners::among(&house).is_some());
        let earlier = Membership { workers_speak: 2, ..house };
        assert_eq!(counts(&earlier), BTreeMap::from([(None, 100)]), "rooms are assigned one by one");
    }
}
