//! The directory of rooms: which there are, and who owns them.
//!
//! Rooms are spread over 1,024 [`Partition`]s by their names. Each partition has two maps in the store, and is what workers
//! share among themselves: opening or closing a room changes the maps of its partition and moves no other room.
//!
//! The releases before have two maps for all rooms ([`EARLIER_SPECS`], [`EARLIER_OWNERS`]). What stands there counts as well, and what
//! only they can read is written there too as long as one of their nodes may live ([`Readers`]).

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::id::RoomId;

use crate::{
    channel::{EARLIER_OWNERS, EARLIER_SPECS},
    members::{Member, Membership},
    node::Owner,
    store::{Store, Unavailable},
};

/// How many partitions there are. For ever: a room that is looked for in another partition is not found.
pub const PARTITIONS: u16 = 1_024;

/// Since this release nodes know of partitions; see [`SPEAKS`](crate::node::SPEAKS).
const KNOWN_SINCE: u16 = 3;

/// A share of all rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(u16);

impl Partition {
    /// The partition of a room: FNV-1a over the bytes of its name, 64 bits, modulo [`PARTITIONS`].
    pub fn of(room: &RoomId) -> Self {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0100_0000_01b3;
        let hash =
            room.as_str().bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
        Self(u16::try_from(hash % u64::from(PARTITIONS)).expect("it is below the number of partitions"))
    }

    /// All of them, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..PARTITIONS).map(Self)
    }

    /// Its number, below [`PARTITIONS`].
    pub fn number(self) -> u16 {
        self.0
    }

    /// The map of its rooms: [`RoomId`] to [`RoomSpec`](crate::node::RoomSpec) as JSON.
    pub fn specs(self) -> String {
        format!("ch:{{rooms-{:04}}}:specs", self.0)
    }

    /// The map of its rooms' owners: [`RoomId`] to [`Owner`] as JSON. A hint for placement, never for safety.
    pub fn owners(self) -> String {
        format!("ch:{{rooms-{:04}}}:owners", self.0)
    }
}

/// Who reads the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Nodes of this release alone, which read all maps.
    OfThisRelease,
    /// Perhaps also nodes that know only the two maps of the releases before.
    OfAnyRelease,
}

impl Readers {
    /// Those that live.
    pub fn among(membership: &Membership) -> Self {
        if membership.all_speak >= KNOWN_SINCE { Self::OfThisRelease } else { Self::OfAnyRelease }
    }
}

/// Whether every living worker assigns partitions. Those of the releases before assign rooms.
pub fn is_assigned_by_partition(membership: &Membership) -> bool {
    membership.workers_speak >= KNOWN_SINCE
}

/// Whether this node knows of partitions.
pub fn is_known_to(member: &Member) -> bool {
    member.speaks >= KNOWN_SINCE
}

/// What a room is, as JSON; `None` if there is no such room. Looks into the earlier map first: a room that is carried over between the
/// two looks is found.
///
/// # Errors
/// [`Unavailable`].
pub async fn spec(store: &dyn Store, room: &RoomId) -> Result<Option<Bytes>, Unavailable> {
    match store.map_get(EARLIER_SPECS, room.as_str()).await? {
        Some(spec) => Ok(Some(spec)),
        None => store.map_get(&Partition::of(room).specs(), room.as_str()).await,
    }
}

/// What all rooms are, as JSON.
///
/// # Errors
/// [`Unavailable`].
pub async fn specs(store: &dyn Store) -> Result<BTreeMap<RoomId, Bytes>, Unavailable> {
    let mut rooms = BTreeMap::new();
    for map in Partition::all().map(Partition::specs).chain([EARLIER_SPECS.to_owned()]) {
        let found = store.map_all(&map).await?.into_iter();
        rooms.extend(found.filter_map(|(room, spec)| Some((RoomId::new(&room).ok()?, spec))));
    }
    Ok(rooms)
}

/// Writes a room down, unless there is one of that name. Answers whether it is new; others are told by the caller. A room stands in
/// the earlier maps first: whoever is cut off in between leaves one that is found all the same.
///
/// # Errors
/// [`Unavailable`]: it may have been opened or not. May be tried again.
pub async fn open(
    store: &dyn Store,
    room: &RoomId,
    spec: Bytes,
    readers: Readers,
) -> Result<bool, Unavailable> {
    let (specs, name) = (Partition::of(room).specs(), room.as_str());
    match readers {
        Readers::OfThisRelease => {
            let is_earlier = store.map_get(EARLIER_SPECS, name).await?.is_some();
            Ok(!is_earlier && store.map_set_new(&specs, name, spec).await?)
        }
        Readers::OfAnyRelease => {
            if store.map_get(&specs, name).await?.is_some() {
                return Ok(false);
            }
            let is_new = store.map_set_new(EARLIER_SPECS, name, spec.clone()).await?;
            // Whoever was first says what the room is.
            let first = if is_new { None } else { store.map_get(EARLIER_SPECS, name).await? };
            store.map_set_new(&specs, name, first.unwrap_or(spec)).await?;
            Ok(is_new)
        }
    }
}

/// Takes a room that has ended out of all maps. Its spec goes last: as long as it stands there, whoever finds the room may
/// learn from its journal that it has ended, and do this again.
///
/// # Errors
/// [`Unavailable`]: to be tried again.
pub async fn remove(store: &dyn Store, room: &RoomId) -> Result<(), Unavailable> {
    let (partition, name) = (Partition::of(room), room.as_str());
    store.map_remove(EARLIER_OWNERS, name).await?;
    store.map_remove(&partition.owners(), name).await?;
    store.map_remove(EARLIER_SPECS, name).await?;
    store.map_remove(&partition.specs(), name).await
}

/// Who is written down as a room's owner, in whichever map says the later word; `None` if nobody ever was.
///
/// # Errors
/// [`Unavailable`].
pub async fn owner(store: &dyn Store, room: &RoomId) -> Result<Option<Owner>, Unavailable> {
    let mut latest: Option<Owner> = None;
    for map in [&Partition::of(room).owners(), EARLIER_OWNERS] {
        let written = store.map_get(map, room.as_str()).await?;
        let written = written.and_then(|written| Owner::read(&written));
        latest = match (latest, written) {
            (Some(one), Some(other)) if one.is_before(&other) => Some(other),
            (one, other) => one.or(other),
        };
    }
    Ok(latest)
}

/// Writes down who owns a room.
///
/// # Errors
/// [`Unavailable`]: what is written is a hint, and is corrected by whoever knows better.
pub async fn tell_owner(
    store: &dyn Store,
    room: &RoomId,
    owner: &Owner,
    readers: Readers,
) -> Result<(), Unavailable> {
    let (owners, name) = (Partition::of(room).owners(), room.as_str());
    let told = store.map_set(&owners, name, owner.to_bytes());
    match readers {
        Readers::OfThisRelease => told.await,
        Readers::OfAnyRelease => {
            let earlier = store.map_set(EARLIER_OWNERS, name, owner.to_bytes());
            let (told, earlier) = tokio::join!(told, earlier);
            told.and(earlier)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{store::memory::MemoryStore, wire::Wire};
    use protocol::id::NodeId;

    fn room(name: &str) -> RoomId {
        RoomId::new(name).unwrap()
    }

    fn store() -> MemoryStore {
        MemoryStore::new(Wire::perfect(), &NodeId::new("n").unwrap())
    }

    /// Every node of every release must look for a room in the same place.
    #[test]
    fn a_room_is_in_the_same_partition_for_ever() {
        let places = [("t1", 534), ("t2", 99), ("t300", 16), ("m1.t12", 54), ("t-7kq", 175)];
        let found = places.map(|(name, _)| (name, Partition::of(&room(name)).number()));
        assert_eq!(found, places);
        let partition = Partition::of(&room("t1"));
        assert_eq!(partition.specs(), "ch:{rooms-0534}:specs");
        assert_eq!(partition.owners(), "ch:{rooms-0534}:owners");
    }

    #[test]
    fn rooms_of_a_large_house_are_spread_evenly() {
        let mut counts = vec![0_u32; usize::from(PARTITIONS)];
        for number in 1..=102_400 {
            counts[usize::from(Partition::of(&room(&format!("t{number}"))).number())] += 1;
        }
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(*least >= 50 && *most <= 150, "between {least} and {most} of 100");
    }

    #[tokio::test]
    async fn a_room_is_found_wherever_it_stands_and_is_nowhere_when_it_is_removed() {
        let store = store();
        let (new, old) = (room("t1"), room("t2"));
        assert!(open(&store, &new, "new".into(), Readers::OfThisRelease).await.unwrap());
        assert_eq!(store.map_get(EARLIER_SPECS, "t1").await.unwrap(), None);
        store.map_set(EARLIER_SPECS, "t2", "old".into()).await.unwrap();
        for readers in [Readers::OfThisRelease, Readers::OfAnyRelease] {
            assert!(!open(&store, &new, "else".into(), readers).await.unwrap());
            assert!(!open(&store, &old, "else".into(), readers).await.unwrap());
        }
        assert_eq!(spec(&store, &new).await.unwrap().unwrap(), "new");
        assert_eq!(spec(&store, &old).await.unwrap().unwrap(), "old");
        for room in [&new, &old] {
            let owner = Owner { node: None, epoch: protocol::id::Epoch(7) };
            tell_owner(&store, room, &owner, Readers::OfAnyRelease).await.unwrap();
            remove(&store, room).await.unwrap();
            assert_eq!(spec(&store, room).await.unwrap(), None);
            let partition = Partition::of(room);
            for map in [&partition.specs(), &partition.owners(), EARLIER_SPECS, EARLIER_OWNERS] {
                assert_eq!(store.map_get(map, room.as_str()).await.unwrap(), None, "{map}");
            }
        }
    }

    #[tokio::test]
    async fn a_room_is_opened_for_older_nodes_too_and_is_the_same_for_all() {
        let store = store();
        assert!(open(&store, &room("t1"), "one".into(), Readers::OfAnyRelease).await.unwrap());
        assert_eq!(store.map_get(EARLIER_SPECS, "t1").await.unwrap().unwrap(), "one");
        store.map_set(EARLIER_SPECS, "t2", "theirs".into()).await.unwrap();
        assert!(!open(&store, &room("t2"), "ours".into(), Readers::OfAnyRelease).await.unwrap());
        let specs = Partition::of(&room("t2")).specs();
        assert_eq!(store.map_get(&specs, "t2").await.unwrap().unwrap(), "theirs");
    }
}
