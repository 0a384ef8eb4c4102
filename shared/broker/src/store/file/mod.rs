//! In one process and in a folder: what the newcomer's house keeps when it closes, or is killed.
//!
//! All that is kept is in memory too, and read there. Whatever is written goes to the end of one file and is acknowledged when it stands on
//! the disk (`fdatasync`); what is wished meanwhile is written together ([`keeper`]). A file that has grown long is replaced by one that
//! tells only what there is ([`log`]), and so is the file that a store finds when it is opened. [`frame`] is its form, [`disk`] what is asked of
//! the operating system.
//!
//! Whatever happens to the process or to the machine, at any moment, the next one that opens the folder finds all that was acknowledged, and of
//! what was not either all or nothing of each group. It cannot tell a last group that the machine lost from one that the disk has
//! forgotten or damaged later; damage before the last group is noticed, and refused.

pub mod disk;
mod frame;
mod keeper;
mod log;
#[cfg(test)]
mod tests;

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::RwLock;
use protocol::id::{Position, RoomId};
use tokio::sync::{mpsc, oneshot};

use self::{
    disk::{Disk, Folder},
    keeper::{Keeper, Request, Shared, Wish},
    log::Log,
};
pub use self::{frame::Unreadable, log::OpenError};
use super::{AppendError, Store, Stored, Unavailable};
use crate::clock::Clock;

/// A file is not replaced before it has grown by so much, bytes, nor before it has doubled.
const GROWTH_MIN: u64 = 8 << 20;

/// So many wishes wait at most; whoever has another waits for a place.
const WISHES_MAX: usize = 1_024;

/// A handle to a store in a folder. When the last one is dropped, what was wished is written, and the folder is free.
#[derive(Clone)]
pub struct FileStore {
    shared: Arc<Shared>,
    writer: Arc<Writer>,
}

/// The thread that writes.
struct Writer {
    wishes: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.wishes = None;
        if let Some(thread) = self.thread.take() {
            // Only a fault of ours ends it otherwise, and has been told on its way.
            let _ = thread.join();
        }
    }
}

impl FileStore {
    /// Opens the store in a folder, which is made where there is none.
    ///
    /// # Errors
    /// [`OpenError::InUse`] while somebody else has it open. [`OpenError::Unreadable`] when what was acknowledged is not all there: nothing
    /// in the folder is changed then.
    pub fn open(folder: &Path, clock: Clock) -> Result<Self, OpenError> {
        let folder = Folder::open(folder).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => OpenError::InUse,
            _ => error.into(),
        })?;
        Self::on(Box::new(folder), clock)
    }

    /// Opens the store on a disk.
    ///
    /// # Errors
    /// As [`Self::open`].
    ///
    /// # Panics
    /// If no thread can be started.
    pub fn on(disk: Box<dyn Disk>, clock: Clock) -> Result<Self, OpenError> {
        let (log, shelf) = Log::open(disk, clock.now_ms(), GROWTH_MIN)?;
        let shared = Arc::new(Shared {
            shelf: RwLock::new(shelf),
            is_unsettled: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            clock,
        });
        let (wishes, wished) = mpsc::channel(WISHES_MAX);
        let keeper = Keeper::new(log, shared.clone());
        let thread = thread::Builder::new().name("store".into()).spawn(move || keeper.run(wished));
        let thread = Some(thread.expect("a thread can be started"));
        Ok(Self { shared, writer: Arc::new(Writer { wishes: Some(wishes), thread }) })
    }

    async fn wish(&self, wish: Wish) -> Result<bool, AppendError> {
        let gone = || Unavailable("the store has stopped".into());
        let (answer, answered) = oneshot::channel();
        let wishes = self.writer.wishes.as_ref().expect("it is taken when the last handle is dropped");
        wishes.send(Request { wish, answer }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// The same for maps, whose callers know no refusal.
    async fn wish_of_map(&self, wish: Wish) -> Result<bool, Unavailable> {
        self.wish(wish).await.map_err(|error| match error {
            AppendError::Unavailable(unavailable) => unavailable,
            error => Unavailable(error.to_string()),
        })
    }

    fn look<T>(&self, look: impl FnOnce(&Shared) -> T) -> Result<T, Unavailable> {
        if self.shared.is_unsettled.load(Ordering::SeqCst) {
            return Err(Unavailable("what stands on the disk is not known".into()));
        }
        Ok(look(&self.shared))
    }

    fn write(
        &self,
        room: &RoomId,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
        may_begin: bool,
    ) -> BoxFuture<'_, Result<(), AppendError>> {
        let room = room.clone();
        let wish = Wish::Append { room, at, entry, keep_from, may_begin };
        Box::pin(async move { self.wish(wish).await.map(drop) })
    }
}

impl Store for FileStore {
    fn append(
        &self,
        room: &RoomId,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
    ) -> BoxFuture<'_, Result<(), AppendError>> {
        self.write(room, at, entry, keep_from, true)
    }

    fn extend(
        &self,
        room: &RoomId,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
    ) -> BoxFuture<'_, Result<(), AppendError>> {
        self.write(room, at, entry, keep_from, false)
    }

    fn probe_writing(&self) -> BoxFuture<'_, Result<(), AppendError>> {
        Box::pin(async move { self.wish(Wish::Probe).await.map(drop) })
    }

    fn probe_reading(&self) -> BoxFuture<'_, Result<(), Unavailable>> {
        Box::pin(async move { self.look(|_| ()) })
    }

    fn read(
        &self,
        room: &RoomId,
        after: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Stored>, Unavailable>> {
        let room = room.clone();
        Box::pin(
            async move { self.look(|kept| kept.shelf.read().read(&room, after, limit, kept.clock.now_ms())) },
        )
    }

    fn read_back(
        &self,
        room: &RoomId,
        before: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Stored>, Unavailable>> {
        let room = room.clone();
        let read =
            move |kept: &Shared| kept.shelf.read().read_back(&room, before, limit, kept.clock.now_ms());
        Box::pin(async move { self.look(read) })
    }

    fn last(&self, room: &RoomId) -> BoxFuture<'_, Result<Option<Stored>, Unavailable>> {
        let room = room.clone();
        Box::pin(async move { self.look(|kept| kept.shelf.read().last(&room, kept.clock.now_ms())) })
    }

    fn expire(&self, room: &RoomId, seconds: u64) -> BoxFuture<'_, Result<(), Unavailable>> {
        let wish = Wish::Expire { room: room.clone(), seconds };
        Box::pin(async move { self.wish_of_map(wish).await.map(drop) })
    }

    fn map_all(&self, map: &str) -> BoxFuture<'_, Result<Vec<(String, Bytes)>, Unavailable>> {
        let map = map.to_owned();
        Box::pin(async move { self.look(|kept| kept.shelf.read().map_all(&map)) })
    }

    fn map_fields(&self, map: &str) -> BoxFuture<'_, Result<Vec<String>, Unavailable>> {
        let map = map.to_owned();
        Box::pin(async move { self.look(|kept| kept.shelf.read().map_fields(&map)) })
    }

    fn map_get(&self, map: &str, field: &str) -> BoxFuture<'_, Result<Option<Bytes>, Unavailable>> {
        let (map, field) = (map.to_owned(), field.to_owned());
        Box::pin(async move { self.look(|kept| kept.shelf.read().map_get(&map, &field)) })
    }

    fn map_set(&self, map: &str, field: &str, value: Bytes) -> BoxFuture<'_, Result<(), Unavailable>> {
        let wish = Wish::Set { map: map.into(), field: field.into(), value, only_new: false };
        Box::pin(async move { self.wish_of_map(wish).await.map(drop) })
    }

    fn map_set_new(&self, map: &str, field: &str, value: Bytes) -> BoxFuture<'_, Result<bool, Unavailable>> {
        let wish = Wish::Set { map: map.into(), field: field.into(), value, only_new: true };
        Box::pin(async move { self.wish_of_map(wish).await })
    }

    fn map_remove(&self, map: &str, field: &str) -> BoxFuture<'_, Result<(), Unavailable>> {
        let wish = Wish::Remove { map: map.into(), field: field.into() };
        Box::pin(async move { self.wish_of_map(wish).await.map(drop) })
    }

    fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::SeqCst)
    }
}
