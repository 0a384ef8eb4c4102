//! The maps of the directory as a worker reads and writes them: a few at a time, each in a task of its own, so that nothing else
//! waits for the store.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use broker::{
    channel::{EARLIER_OWNERS, EARLIER_SPECS},
    directory::{self, Partition},
    node::Owner,
    store::{Store, Unavailable},
};
use bytes::Bytes;
use metrics::counter;
use protocol::id::{Epoch, RoomId};
use tokio::{
    task::JoinSet,
    time::{Duration, timeout},
};
use tracing::{debug, error, warn};

use crate::room::journal::has_ended;

/// The store has so long for one map or field; what it does not do then is tried with the next reading.
const PATIENCE: Duration = Duration::from_secs(2);

/// So many maps are being read at once.
const READS_MAX: usize = 16;

/// A part of the directory that is read as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The two maps of the releases before.
    Earlier,
    /// The two maps of a partition.
    Of(Partition),
}

impl Part {
    fn maps(self) -> (String, String) {
        match self {
            Self::Earlier => (EARLIER_SPECS.into(), EARLIER_OWNERS.into()),
            Self::Of(partition) => (partition.specs(), partition.owners()),
        }
    }
}

/// What stands in a part of the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Rooms that there are.
    pub rooms: BTreeSet<RoomId>,
    /// Who owns them, and perhaps who owned others that have been.
    pub owners: BTreeMap<RoomId, Owner>,
}

/// What a worker has the store do, besides reading.
#[derive(Debug)]
pub enum Job {
    /// Write these owners.
    Correct(Part, Vec<(RoomId, Owner)>),
    /// Copy these rooms from the earlier maps to their partitions, and perhaps take them away there.
    CarryOver {
        /// Which rooms.
        rooms: BTreeSet<RoomId>,
        /// Nobody reads the earlier maps any more.
        takes_away: bool,
    },
    /// Copy these rooms from their partitions to the earlier maps.
    CarryBack(Vec<RoomId>),
    /// Look whether these rooms are anywhere, in a map or with a journal; those that are nowhere are owned by nobody. With the last epoch
    /// that is known of them, if one is.
    LookFor(Part, Vec<(RoomId, Option<Epoch>)>),
}

impl Job {
    /// Into or after which part it writes or looks.
    fn part(&self) -> Part {
        match self {
            Self::Correct(part, _) | Self::LookFor(part, _) => *part,
            Self::CarryOver { .. } | Self::CarryBack(_) => Part::Earlier,
        }
    }
}

/// What came of something that was asked of the store.
#[derive(Debug)]
pub enum Answer {
    /// This stands there.
    Listed(Part, Listing),
    /// Rooms of these partitions were carried over.
    Moved(BTreeSet<Partition>),
    /// These rooms are nowhere, or were when it was asked: of what is known since then it says nothing.
    Nowhere(Vec<(RoomId, Option<Epoch>)>),
    /// Nothing that matters here.
    Done,
}

/// Reads and writes under way.
pub struct Maps {
    store: Arc<dyn Store>,
    /// To be read, and whether owners are of interest even if there are no rooms.
    wanted: BTreeMap<Part, bool>,
    /// Being read.
    read: BTreeSet<Part>,
    /// Being written into, or looked after; by how many tasks.
    busy: BTreeMap<Part, usize>,
    tasks: JoinSet<(What, Answer)>,
}

/// What a task was about.
enum What {
    Reading(Part),
    Work(Part),
}

impl Maps {
    /// Nothing is asked yet.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            wanted: BTreeMap::new(),
            read: BTreeSet::new(),
            busy: BTreeMap::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Has a part read as soon as it is its turn. Owners where there are no rooms are read only if that is `thorough`.
    pub fn want(&mut self, part: Part, thorough: bool) {
        *self.wanted.entry(part).or_default() |= thorough;
        self.begin();
    }

    /// Has the store do something.
    pub fn give(&mut self, job: Job) {
        let part = job.part();
        *self.busy.entry(part).or_default() += 1;
        let store = self.store.clone();
        self.tasks.spawn(async move { (What::Work(part), work(&*store, job).await) });
    }

    /// What has come of the next thing that was asked; `None` if nothing is asked. Nothing is lost if it is not waited for.
    pub async fn next(&mut self) -> Option<Answer> {
        let answer = match self.tasks.join_next().await? {
            Ok((What::Reading(part), answer)) => {
                self.read.remove(&part);
                answer
            }
            Ok((What::Work(part), answer)) => {
                if let Some(busy) = self.busy.get_mut(&part) {
                    *busy -= 1;
                    if *busy == 0 {
                        self.busy.remove(&part);
                    }
                }
                answer
            }
            Err(failed) => {
                error!(error = %failed, "a task that reads or writes the directory has failed");
                (self.read, self.busy) = Default::default();
                Answer::Done
            }
        };
        self.begin();
        Some(answer)
    }

    /// A part is not read while it is still being written into for what was read last.
    fn begin(&mut self) {
        while self.read.len() < READS_MAX {
            let is_free = |part: &Part| !self.read.contains(part) && !self.busy.contains_key(part);
            let Some(part) = self.wanted.keys().copied().find(is_free) else { return };
            let thorough = self.wanted.remove(&part).unwrap_or_default();
            self.read.insert(part);
            let store = self.store.clone();
            self.tasks.spawn(async move {
                let answer = match list(&*store, part, thorough).await {
                    Ok(listing) => Answer::Listed(part, listing),
                    Err(error) => {
                        debug!(?part, %error, "cannot read a part of the directory");
                        Answer::Done
                    }
                };
                (What::Reading(part), answer)
            });
        }
    }
}

/// The store's answer, if it comes in time.
async fn in_time<T>(asked: impl Future<Output = Result<T, Unavailable>>) -> Result<T, Unavailable> {
    timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(Unavailable("no answer in time".into())))
}

/// Reads a part. Of the rooms their names are enough.
///
/// # Errors
/// [`Unavailable`].
pub async fn list(store: &dyn Store, part: Part, thorough: bool) -> Result<Listing, Unavailable> {
    let (specs, owners) = part.maps();
    let mut listing = Listing::default();
    for name in in_time(store.map_fields(&specs)).await? {
        listing.rooms.extend(named(&name, &specs));
    }
    if listing.rooms.is_empty() && !thorough {
        return Ok(listing);
    }
    for (name, owner) in in_time(store.map_all(&owners)).await? {
        listing.owners.extend(named(&name, &owners).zip(Owner::read(&owner)));
    }
    Ok(listing)
}

fn named(name: &str, map: &str) -> Option<RoomId> {
    let room = RoomId::new(name).ok();
    if room.is_none() {
        warn!(name, map, "the directory holds a bad name");
    }
    room
}

async fn work(store: &dyn Store, job: Job) -> Answer {
    match job {
        Job::Correct(part, owners) => {
            let (_, map) = part.maps();
            let writes =
                owners.iter().map(|(room, owner)| store.map_set(&map, room.as_str(), owner.to_bytes()));
            while_it_goes(writes).await
        }
        Job::CarryOver { rooms, takes_away } => {
            while_it_goes(rooms.iter().map(|room| carry_over(store, room, takes_away))).await;
            Answer::Moved(rooms.iter().map(Partition::of).collect())
        }
        Job::CarryBack(rooms) => while_it_goes(rooms.iter().map(|room| carry_back(store, room))).await,
        Job::LookFor(_, rooms) => {
            let mut nowhere = Vec::new();
            for (room, epoch) in rooms {
                if in_time(is_nowhere(store, &room)).await == Ok(true) {
                    nowhere.push((room, epoch));
                }
            }
            Answer::Nowhere(nowhere)
        }
    }
}

/// One after the other until one fails: what is left is found again with the next reading.
async fn while_it_goes(
    writes: impl Iterator<Item = impl Future<Output = Result<(), Unavailable>>>,
) -> Answer {
    for write in writes {
        if let Err(error) = in_time(write).await {
            debug!(%error, "cannot write all into the directory yet");
            break;
        }
    }
    Answer::Done
}

/// In this order: wherever it breaks off, the room stands somewhere, and is carried over again; and whoever finds it in its partition
/// finds there who owned it.
async fn carry_over(store: &dyn Store, room: &RoomId, takes_away: bool) -> Result<(), Unavailable> {
    let (partition, name) = (Partition::of(room), room.as_str());
    let (specs, owners) = (partition.specs(), partition.owners());
    let read = |written: Option<Bytes>| written.and_then(|written| Owner::read(&written));
    let spec = store.map_get(EARLIER_SPECS, name).await?;
    // What is written of the owner of a room that has ended is not worth keeping.
    let is_there = spec.is_some() || store.map_get(&specs, name).await?.is_some();
    if is_there && let Some(earlier) = read(store.map_get(EARLIER_OWNERS, name).await?) {
        let here = read(store.map_get(&owners, name).await?);
        if here.is_none_or(|here| here.is_before(&earlier)) {
            store.map_set(&owners, name, earlier.to_bytes()).await?;
        }
    }
    if let Some(spec) = spec
        && store.map_set_new(&specs, name, spec).await?
    {
        counter!("cardhouse_rooms_carried_over_total").increment(1);
    }
    if !takes_away {
        return Ok(());
    }
    store.map_remove(EARLIER_OWNERS, name).await?;
    store.map_remove(EARLIER_SPECS, name).await
}

async fn carry_back(store: &dyn Store, room: &RoomId) -> Result<(), Unavailable> {
    let (partition, name) = (Partition::of(room), room.as_str());
    let Some(spec) = store.map_get(&partition.specs(), name).await? else { return Ok(()) };
    if let Some(owner) = store.map_get(&partition.owners(), name).await? {
        store.map_set_new(EARLIER_OWNERS, name, owner).await?;
    }
    // The spec last: with it the room is there for the nodes that read it here.
    store.map_set_new(EARLIER_SPECS, name, spec).await.map(drop)
}

/// What is nowhere is taken out of the maps of owners, in case that it stands there.
async fn is_nowhere(store: &dyn Store, room: &RoomId) -> Result<bool, Unavailable> {
    if directory::spec(store, room).await?.is_some() {
        return Ok(false);
    }
    if has_ended(store, room).await? == Some(false) {
        return Ok(false);
    }
    store.map_remove(&Partition::of(room).owners(), room.as_str()).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use broker::{
        store::memory::MemoryStore,
        wire::{LinkState, Wire},
    };
    use protocol::id::NodeId;

    use super::*;

    /// However much is to be read, the store is not flooded, and what is asked twice is read once.
    #[tokio::test(start_paused = true)]
    async fn a_few_maps_are_read_at_once_and_each_in_its_turn() {
        let store = MemoryStore::new(Wire::perfect(), &NodeId::new("w1").unwrap());
        let mut maps = Maps::new(Arc::new(store.clone()));
        store.link().set(LinkState::Held);
        for _ in 0..2 {
            Partition::all().for_each(|partition| maps.want(Part::Of(partition), true));
        }
        assert_eq!(maps.tasks.len(), READS_MAX);
        store.link().heal();
        let mut read = Vec::new();
        while let Some(answer) = maps.next().await {
            assert!(maps.tasks.len() <= READS_MAX);
            if let Answer::Listed(part, _) = answer {
                read.push(part);
            }
        }
        let distinct: BTreeSet<Part> = read.iter().copied().collect();
        assert_eq!(distinct.len(), 1_024);
        // Those that were being read when they were asked for again are read again: what was asked for may be newer.
        assert!(read.len() <= 1_024 + READS_MAX, "{}", read.len());
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_store_does_not_answer_is_given_up_after_a_while() {
        let store = MemoryStore::new(Wire::perfect(), &NodeId::new("w1").unwrap());
        let mut maps = Maps::new(Arc::new(store.clone()));
        store.link().set(LinkState::Held);
        maps.want(Part::Earlier, true);
        assert!(matches!(maps.next().await, Some(Answer::Done)));
        assert!(maps.next().await.is_none());
    }
}
