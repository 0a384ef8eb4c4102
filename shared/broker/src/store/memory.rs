//! In one process: the newcomer's house and the simulator run on it.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    sync::Arc,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use protocol::id::{NodeId, Position, RoomId};
use tokio::{
    sync::mpsc,
    time::{Duration, Instant},
};

use super::{AppendError, Store, Stored, Unavailable};
use crate::wire::{Broken, Link, Wire, fault::Operation};

/// How many writes a store on a wire with faults can lose again.
const UNDO_WRITES_MAX: usize = 16_384;

/// A node's handle to a store in memory. Cloning it gives another handle of the same node.
#[derive(Clone)]
pub struct MemoryStore {
    wire: Arc<Wire>,
    link: Arc<Link>,
    shelf: Arc<Mutex<Shelf>>,
}

/// What is stored.
#[derive(Default)]
struct Shelf {
    journals: BTreeMap<RoomId, Journal>,
    maps: BTreeMap<String, BTreeMap<String, Bytes>>,
    /// How to take back the last writes, newest last; kept only where they may be lost.
    undo: Option<VecDeque<Undo>>,
    losses: u64,
    /// Says no to all that would write, in these words.
    refuses: Option<&'static str>,
    /// Is told every entry that is written.
    witness: Option<mpsc::UnboundedSender<(RoomId, Stored)>>,
}

#[derive(Default)]
struct Journal {
    entries: BTreeMap<Position, Bytes>,
    /// The last position ever written, as Redis keeps it even when the entry is trimmed.
    last: Position,
    /// Then it vanishes.
    expires: Option<Instant>,
}

enum Undo {
    Append { room: RoomId, at: Position, began: bool, last: Position, trimmed: BTreeMap<Position, Bytes> },
    Map { map: String, field: String, was: Option<Bytes> },
}

impl MemoryStore {
    /// An empty store on `wire`, and the handle of `node` to it.
    pub fn new(wire: Arc<Wire>, node: &NodeId) -> Self {
        let undo = wire.faults().map(|_| VecDeque::new());
        let link = wire.link(node);
        Self { wire, link, shelf: Arc::new(Mutex::new(Shelf { undo, ..Shelf::default() })) }
    }

    /// The handle of another node to the same store.
    pub fn handle(&self, node: &NodeId) -> Self {
        Self { link: self.wire.link(node), ..self.clone() }
    }

    /// The node's link, to cut or kill it.
    pub fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// Takes back the last `writes` writes of all nodes (as many as were kept), as a failover to a replica that lags
    /// by so many does, and changes the generation. Answers how many were taken back. Works on a wire with faults.
    pub fn lose_suffix(&self, writes: usize) -> usize {
        let mut shelf = self.shelf.lock();
        shelf.losses += 1;
        let mut lost = 0;
        while lost < writes {
            let Some(undo) = shelf.undo.as_mut().and_then(VecDeque::pop_back) else { break };
            shelf.take_back(undo);
            lost += 1;
        }
        lost
    }

    /// Forgets a journal whole and says nothing, as a server that evicts does, or somebody with `DEL`. Answers whether there was one.
    pub fn forget(&self, room: &RoomId) -> bool {
        let mut shelf = self.shelf.lock();
        if let Some(undo) = &mut shelf.undo {
            undo.retain(|undo| !matches!(undo, Undo::Append { room: of, .. } if of == room));
        }
        shelf.journals.remove(room).is_some()
    }

    /// Refuses all writes in these words, or takes them again.
    pub fn refuse_writes(&self, why: Option<&'static str>) {
        self.shelf.lock().refuses = why;
    }

    /// Tells every entry that is written from now on, at the moment it is and whatever becomes of it later: for a judge who
    /// must miss nothing. There is one witness; a new one replaces it.
    pub fn witness(&self) -> mpsc::UnboundedReceiver<(RoomId, Stored)> {
        let (tells, told) = mpsc::unbounded_channel();
        self.shelf.lock().witness = Some(tells);
        told
    }

    async fn run<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&mut Shelf) -> T,
    ) -> Result<T, Unavailable> {
        let arrived = self.link.reach(operation).await?;
        let done = arrived.is_applied().then(|| work(&mut self.shelf.lock()));
        self.link.answer(arrived).await?;
        done.ok_or_else(|| Unavailable("not applied".into()))
    }
}

impl From<Broken> for Unavailable {
    fn from(Broken(why): Broken) -> Self {
        Self(why.into())
    }
}

impl Shelf {
    fn append(
        &mut self,
        room: &RoomId,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
        may_begin: bool,
    ) -> Result<(), AppendError> {
        self.is_writable().map_err(|why| AppendError::Refused(why.into()))?;
        self.sweep(room);
        // Looked up first: a name is cloned only for a new room.
        let began = !self.journals.contains_key(room);
        if began && !may_begin {
            return Err(AppendError::Gone);
        }
        if began {
            self.journals.insert(room.clone(), Journal::default());
        }
        let journal = self.journals.get_mut(room).expect("it was inserted above");
        if at <= journal.last {
            return Err(AppendError::Fenced);
        }
        if let Some(witness) = &self.witness {
            // A witness that has gone is told nothing.
            let _ = witness.send((room.clone(), Stored { at, bytes: entry.clone() }));
        }
        let last = std::mem::replace(&mut journal.last, at);
        journal.entries.insert(at, entry);
        let mut trimmed = BTreeMap::new();
        if let Some(keep_from) = keep_from {
            let kept = journal.entries.split_off(&keep_from);
            trimmed = std::mem::replace(&mut journal.entries, kept);
        }
        self.remember(|| Undo::Append { room: room.clone(), at, began, last, trimmed });
        Ok(())
    }

    /// A journal whose time is over is not there.
    fn sweep(&mut self, room: &RoomId) {
        let expires = self.journals.get(room).and_then(|journal| journal.expires);
        if expires.is_some_and(|expires| expires <= Instant::now()) {
            self.journals.remove(room);
        }
    }

    fn is_writable(&self) -> Result<(), &'static str> {
        self.refuses.map_or(Ok(()), Err)
    }

    fn set(&mut self, map: &str, field: &str, value: Option<Bytes>) -> Result<(), Unavailable> {
        self.is_writable().map_err(|why| Unavailable(why.into()))?;
        if !self.maps.contains_key(map) {
            self.maps.insert(map.into(), BTreeMap::new());
        }
        let fields = self.maps.get_mut(map).expect("it was inserted above");
        let was = match value {
            Some(value) => fields.insert(field.into(), value),
            None => fields.remove(field),
        };
        self.remember(|| Undo::Map { map: map.into(), field: field.into(), was });
        Ok(())
    }

    fn remember(&mut self, undo: impl FnOnce() -> Undo) {
        if let Some(kept) = &mut self.undo {
            if kept.len() >= UNDO_WRITES_MAX {
                kept.pop_front();
            }
            kept.push_back(undo());
        }
    }

    fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::Append { room, began: true, .. } => {
                self.journals.remove(&room);
            }
            Undo::Append { room, at, last, trimmed, began: false } => {
                let journal = self.journals.entry(room).or_default();
                journal.entries.remove(&at);
                journal.entries.extend(trimmed);
                journal.last = last;
            }
            Undo::Map { map, field, was } => {
                let fields = self.maps.entry(map).or_default();
                match was {
                    Some(value) => fields.insert(field, value),
                    None => fields.remove(&field),
                };
            }
        }
    }
}

fn stored((at, bytes): (&Position, &Bytes)) -> Stored {
    Stored { at: *at, bytes: bytes.clone() }
}

impl Store for MemoryStore {
    fn append(
        &self,
        room: &RoomId,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
    ) -> BoxFuture<'_, Result<(), AppendError>> {
        let room = room.clone();
        Box::pin(async move {
            self.run(Operation::Append, |shelf| shelf.append(&room, at, entry, keep_from, true)).await?
        })
    }

    fn extend(
        &self,
        room: &RoomId,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
    ) -> BoxFuture<'_, Result<(), AppendError>> {
        let room = room.clone();
        Box::pin(async move {
            self.run(Operation::Append, |shelf| shelf.append(&room, at, entry, keep_from, false)).await?
        })
    }

    fn probe_writing(&self) -> BoxFuture<'_, Result<(), AppendError>> {
        Box::pin(async move {
            let may = self.run(Operation::Map, |shelf| shelf.is_writable()).await?;
            may.map_err(|why| AppendError::Refused(why.into()))
        })
    }

    fn probe_reading(&self) -> BoxFuture<'_, Result<(), Unavailable>> {
        Box::pin(self.run(Operation::Map, |_| ()))
    }

    fn read(
        &self,
        room: &RoomId,
        after: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Stored>, Unavailable>> {
        let room = room.clone();
        Box::pin(self.run(Operation::Read, move |shelf| {
            shelf.sweep(&room);
            let Some(journal) = shelf.journals.get(&room) else { return Vec::new() };
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            journal.entries.range((from, Bound::Unbounded)).take(limit).map(stored).collect()
        }))
    }

    fn last(&self, room: &RoomId) -> BoxFuture<'_, Result<Option<Stored>, Unavailable>> {
        let room = room.clone();
        Box::pin(self.run(Operation::Read, move |shelf| {
            shelf.sweep(&room);
            shelf.journals.get(&room)?.entries.last_key_value().map(stored)
        }))
    }

    fn expire(&self, room: &RoomId, seconds: u64) -> BoxFuture<'_, Result<(), Unavailable>> {
        let room = room.clone();
        Box::pin(async move {
            let set = move |shelf: &mut Shelf| {
                shelf.is_writable().map_err(|why| Unavailable(why.into()))?;
                if let Some(journal) = shelf.journals.get_mut(&room) {
                    journal.expires = Some(Instant::now() + Duration::from_secs(seconds));
                }
                Ok(())
            };
            self.run(Operation::Map, set).await?
        })
    }

    fn map_all(&self, map: &str) -> BoxFuture<'_, Result<Vec<(String, Bytes)>, Unavailable>> {
        let map = map.to_owned();
        Box::pin(self.run(Operation::Map, move |shelf| {
            let fields = shelf.maps.get(&map).into_iter().flatten();
            fields.map(|(field, value)| (field.clone(), value.clone())).collect()
        }))
    }

    fn map_fields(&self, map: &str) -> BoxFuture<'_, Result<Vec<String>, Unavailable>> {
        let map = map.to_owned();
        Box::pin(self.run(Operation::Map, move |shelf| {
            shelf.maps.get(&map).into_iter().flatten().map(|(field, _)| field.clone()).collect()
        }))
    }

    fn map_get(&self, map: &str, field: &str) -> BoxFuture<'_, Result<Option<Bytes>, Unavailable>> {
        let (map, field) = (map.to_owned(), field.to_owned());
        Box::pin(self.run(Operation::Map, move |shelf| shelf.maps.get(&map)?.get(&field).cloned()))
    }

    fn map_set(&self, map: &str, field: &str, value: Bytes) -> BoxFuture<'_, Result<(), Unavailable>> {
        let (map, field) = (map.to_owned(), field.to_owned());
        Box::pin(
            async move { self.run(Operation::Map, move |shelf| shelf.set(&map, &field, Some(value))).await? },
        )
    }

    fn map_set_new(&self, map: &str, field: &str, value: Bytes) -> BoxFuture<'_, Result<bool, Unavailable>> {
        let (map, field) = (map.to_owned(), field.to_owned());
        Box::pin(async move {
            self.run(Operation::Map, move |shelf| {
                let is_new = !shelf.maps.get(&map).is_some_and(|fields| fields.contains_key(&field));
                if is_new {
                    shelf.set(&map, &field, Some(value))?;
                }
                Ok(is_new)
            })
            .await?
        })
    }

    fn map_remove(&self, map: &str, field: &str) -> BoxFuture<'_, Result<(), Unavailable>> {
        let (map, field) = (map.to_owned(), field.to_owned());
        Box::pin(async move { self.run(Operation::Map, move |shelf| shelf.set(&map, &field, None)).await? })
    }

    fn generation(&self) -> u64 {
        self.link.reconnects() + self.shelf.lock().losses
    }
}
