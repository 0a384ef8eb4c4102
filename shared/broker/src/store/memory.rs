//! In one process: the newcomer's house and the simulator run on it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use protocol::id::{NodeId, Position, RoomId};
use tokio::sync::mpsc;

use super::{
    AppendError, Store, Stored, Unavailable,
    shelf::{Appended, Shelf},
};
use crate::{
    clock::Clock,
    wire::{Broken, Link, Wire, fault::Operation},
};

/// How many writes a store on a wire with faults can lose again.
const UNDO_WRITES_MAX: usize = 16_384;

/// A node's handle to a store in memory. Cloning it gives another handle of the same node.
#[derive(Clone)]
pub struct MemoryStore {
    wire: Arc<Wire>,
    link: Arc<Link>,
    kept: Arc<Mutex<Kept>>,
}

/// What is stored, and what a simulation does with it.
struct Kept {
    shelf: Shelf,
    /// Journals vanish by it.
    clock: Clock,
    /// How to take back the last writes, newest last; kept only where they may be lost.
    undo: Option<VecDeque<Undo>>,
    losses: u64,
    /// Says no to all that would write, in these words.
    refuses: Option<&'static str>,
    /// Is told every entry that is written.
    witness: Option<mpsc::UnboundedSender<(RoomId, Stored)>>,
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
        let kept = Kept {
            shelf: Shelf::default(),
            clock: Clock::starting_at(0),
            undo,
            losses: 0,
            refuses: None,
            witness: None,
        };
        Self { wire, link, kept: Arc::new(Mutex::new(kept)) }
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
        let mut kept = self.kept.lock();
        kept.losses += 1;
        let mut lost = 0;
        while lost < writes {
            let Some(undo) = kept.undo.as_mut().and_then(VecDeque::pop_back) else { break };
            kept.take_back(undo);
            lost += 1;
        }
        lost
    }

    /// Forgets a journal whole and says nothing, as a server that evicts does, or somebody with `DEL`. Answers whether there was one.
    pub fn forget(&self, room: &RoomId) -> bool {
        let mut kept = self.kept.lock();
        if let Some(undo) = &mut kept.undo {
            undo.retain(|undo| !matches!(undo, Undo::Append { room: of, .. } if of == room));
        }
        kept.shelf.journals.remove(room).is_some()
    }

    /// Refuses all writes in these words, or takes them again.
    pub fn refuse_writes(&self, why: Option<&'static str>) {
        self.kept.lock().refuses = why;
    }

    /// Tells every entry that is written from now on, at the moment it is and whatever becomes of it later: for a judge who
    /// must miss nothing. There is one witness; a new one replaces it.
    pub fn witness(&self) -> mpsc::UnboundedReceiver<(RoomId, Stored)> {
        let (tells, told) = mpsc::unbounded_channel();
        self.kept.lock().witness = Some(tells);
        told
    }

    async fn run<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&mut Kept) -> T,
    ) -> Result<T, Unavailable> {
        let arrived = self.link.reach(operation).await?;
        let done = arrived.is_applied().then(|| work(&mut self.kept.lock()));
        self.link.answer(arrived).await?;
        done.ok_or_else(|| Unavailable("not applied".into()))
    }
}

impl From<Broken> for Unavailable {
    fn from(Broken(why): Broken) -> Self {
        Self(why.into())
    }
}

impl Kept {
    fn append(
        &mut self,
        room: &RoomId,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
        may_begin: bool,
    ) -> Result<(), AppendError> {
        self.is_writable().map_err(|why| AppendError::Refused(why.into()))?;
        let now_ms = self.clock.now_ms();
        if self.shelf.is_over(room, now_ms) {
            self.shelf.journals.remove(room);
        }
        self.shelf.may_append(room, at, may_begin, now_ms)?;
        if let Some(witness) = &self.witness {
            // A witness that has gone is told nothing.
            let _ = witness.send((room.clone(), Stored { at, bytes: entry.clone() }));
        }
        let Appended { began, last, trimmed } = self.shelf.append(room, at, entry, keep_from);
        self.remember(|| Undo::Append { room: room.clone(), at, began, last, trimmed });
        Ok(())
    }

    fn is_writable(&self) -> Result<(), &'static str> {
        self.refuses.map_or(Ok(()), Err)
    }

    fn set(&mut self, map: &str, field: &str, value: Option<Bytes>) -> Result<(), Unavailable> {
        self.is_writable().map_err(|why| Unavailable(why.into()))?;
        let was = self.shelf.set(map, field, value);
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
                self.shelf.journals.remove(&room);
            }
            Undo::Append { room, at, last, trimmed, began: false } => {
                let journal = self.shelf.journals.entry(room).or_default();
                journal.entries.remove(&at);
                journal.entries.extend(trimmed);
                journal.last = last;
            }
            Undo::Map { map, field, was } => {
                self.shelf.set(&map, &field, was);
            }
        }
    }
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
            self.run(Operation::Append, |kept| kept.append(&room, at, entry, keep_from, true)).await?
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
            self.run(Operation::Append, |kept| kept.append(&room, at, entry, keep_from, false)).await?
        })
    }

    fn probe_writing(&self) -> BoxFuture<'_, Result<(), AppendError>> {
        Box::pin(async move {
            let may = self.run(Operation::Map, |kept| kept.is_writable()).await?;
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
        let read = move |kept: &mut Kept| kept.shelf.read(&room, after, limit, kept.clock.now_ms());
        Box::pin(self.run(Operation::Read, read))
    }

    fn read_back(
        &self,
        room: &RoomId,
        before: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Stored>, Unavailable>> {
        let room = room.clone();
        let read = move |kept: &mut Kept| kept.shelf.read_back(&room, before, limit, kept.clock.now_ms());
        Box::pin(self.run(Operation::Read, read))
    }

    fn last(&self, room: &RoomId) -> BoxFuture<'_, Result<Option<Stored>, Unavailable>> {
        let room = room.clone();
        Box::pin(self.run(Operation::Read, move |kept| kept.shelf.last(&room, kept.clock.now_ms())))
    }

    fn expire(&self, room: &RoomId, seconds: u64) -> BoxFuture<'_, Result<(), Unavailable>> {
        let room = room.clone();
        Box::pin(async move {
            let set = move |kept: &mut Kept| {
                kept.is_writable().map_err(|why| Unavailable(why.into()))?;
                if let Some(at_ms) = kept.shelf.expiry(&room, seconds, kept.clock.now_ms()) {
                    kept.shelf.expire(&room, at_ms);
                }
                Ok(())
            };
            self.run(Operation::Map, set).await?
        })
    }

    fn map_all(&self, map: &str) -> BoxFuture<'_, Result<Vec<(String, Bytes)>, Unavailable>> {
        let map = map.to_owned();
        Box::pin(self.run(Operation::Map, move |kept| kept.shelf.map_all(&map)))
    }

    fn map_fields(&self, map: &str) -> BoxFuture<'_, Result<Vec<String>, Unavailable>> {
        let map = map.to_owned();
        Box::pin(self.run(Operation::Map, move |kept| kept.shelf.map_fields(&map)))
    }

    fn map_get(&self, map: &str, field: &str) -> BoxFuture<'_, Result<Option<Bytes>, Unavailable>> {
        let (map, field) = (map.to_owned(), field.to_owned());
        Box::pin(self.run(Operation::Map, move |kept| kept.shelf.map_get(&map, &field)))
    }

    fn map_set(&self, map: &str, field: &str, value: Bytes) -> BoxFuture<'_, Result<(), Unavailable>> {
        let (map, field) = (map.to_owned(), field.to_owned());
        Box::pin(
            async move { self.run(Operation::Map, move |kept| kept.set(&map, &field, Some(value))).await? },
        )
    }

    fn map_set_new(&self, map: &str, field: &str, value: Bytes) -> BoxFuture<'_, Result<bool, Unavailable>> {
        let (map, field) = (map.to_owned(), field.to_owned());
        Box::pin(async move {
            self.run(Operation::Map, move |kept| {
                let is_new = kept.shelf.map_get(&map, &field).is_none();
                if is_new {
                    kept.set(&map, &field, Some(value))?;
                }
                Ok(is_new)
            })
            .await?
        })
    }

    fn map_remove(&self, map: &str, field: &str) -> BoxFuture<'_, Result<(), Unavailable>> {
        let (map, field) = (map.to_owned(), field.to_owned());
        Box::pin(async move { self.run(Operation::Map, move |kept| kept.set(&map, &field, None)).await? })
    }

    fn generation(&self) -> u64 {
        self.link.reconnects() + self.kept.lock().losses
    }
}
