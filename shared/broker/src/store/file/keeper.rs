//! Whoever writes: takes what is wished in groups, has each stand on the disk, and answers then.

use std::{
    collections::{HashSet, VecDeque},
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use metrics::{counter, gauge, histogram};
use parking_lot::RwLock;
use protocol::id::{Position, RoomId};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tracing::{info, warn};

use super::{
    frame::Change,
    log::{Log, NotWritten},
};
use crate::{
    clock::Clock,
    store::{AppendError, Unavailable, shelf::Shelf},
};

/// A group is not made larger than so many bytes, unless by a single wish.
const GROUP_BYTES_MAX: usize = 4 << 20;

/// What somebody wants written.
#[derive(Debug)]
pub(super) enum Wish {
    Append { room: RoomId, at: Position, entry: Bytes, keep_from: Option<Position>, may_begin: bool },
    Expire { room: RoomId, seconds: u64 },
    Set { map: String, field: String, value: Bytes, only_new: bool },
    Remove { map: String, field: String },
    Probe,
}

/// A wish, and who waits for its answer: whether anything was changed.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) wish: Wish,
    pub(super) answer: oneshot::Sender<Result<bool, AppendError>>,
}

/// What readers and the keeper share.
pub(super) struct Shared {
    /// What stands on the disk.
    pub(super) shelf: RwLock<Shelf>,
    /// Nobody knows what stands on the disk.
    pub(super) is_unsettled: AtomicBool,
    pub(super) generation: AtomicU64,
    pub(super) clock: Clock,
}

pub(super) struct Keeper {
    log: Log,
    shared: Arc<Shared>,
}

impl Keeper {
    pub(super) fn new(log: Log, shared: Arc<Shared>) -> Self {
        Self { log, shared }
    }

    /// Does what is wished until nobody can wish any more.
    pub(super) fn run(mut self, mut wishes: mpsc::Receiver<Request>) {
        let mut waiting = VecDeque::new();
        loop {
            if waiting.is_empty() {
                let Some(request) = wishes.blocking_recv() else { return };
                waiting.push_back(request);
            }
            // What has come while the last group was written makes the next.
            while let Ok(request) = wishes.try_recv() {
                waiting.push_back(request);
            }
            self.turn(&mut waiting);
        }
    }

    /// Does a group of what waits: at most one wish about each journal and field, so that each is decided by what stands.
    pub(super) fn turn(&mut self, waiting: &mut VecDeque<Request>) {
        if !self.log.is_settled() && !self.settle() {
            let why = || Unavailable("what stands on the disk is not known".into());
            waiting.drain(..).for_each(|request| request.tell(Err(why().into())));
            return;
        }
        let mut about = HashSet::new();
        let mut changes = Vec::new();
        let mut written = Vec::new();
        let mut later = VecDeque::new();
        let mut bytes = 0;
        for request in waiting.drain(..) {
            if bytes >= GROUP_BYTES_MAX || !about.insert(request.wish.about()) {
                later.push_back(request);
                continue;
            }
            match self.decide(&request.wish) {
                Err(error) => request.tell(Err(error)),
                Ok(None) => request.tell(Ok(false)),
                Ok(Some(more)) => {
                    bytes += more.iter().map(Change::about_bytes).sum::<usize>();
                    changes.extend(more);
                    written.push(request);
                }
            }
        }
        *waiting = later;
        if !written.is_empty() {
            self.write(changes, written);
        }
    }

    fn write(&mut self, changes: Vec<Change>, written: Vec<Request>) {
        let began = Instant::now();
        let done = self.log.commit(&changes);
        histogram!("cardhouse_store_commit_seconds").record(began.elapsed());
        counter!("cardhouse_store_writes_total").increment(written.len() as u64);
        let answer = match done {
            Ok(()) => {
                let mut shelf = self.shared.shelf.write();
                changes.into_iter().for_each(|change| shelf.apply(change));
                Ok(true)
            }
            Err(NotWritten::Refused(error)) => Err(AppendError::Refused(refusal(&error))),
            Err(NotWritten::Unknown(error)) => {
                warn!(%error, "nobody knows what stands on the disk; nothing is done before all is written anew");
                self.shared.is_unsettled.store(true, Ordering::SeqCst);
                Err(Unavailable(error.to_string()).into())
            }
        };
        written.into_iter().for_each(|request| request.tell(answer.clone()));
        self.log.tidy(&self.shared.shelf.read(), self.shared.clock.now_ms());
        self.shared.is_unsettled.store(!self.log.is_settled(), Ordering::SeqCst);
        gauge!("cardhouse_store_file_bytes").set(self.log.len() as f64);
    }

    /// Writes what is known to stand to another file. Whether it could be done.
    fn settle(&mut self) -> bool {
        match self.log.begin(&self.shared.shelf.read(), self.shared.clock.now_ms()) {
            Ok(()) => {
                info!("what stands on the disk is known again");
                self.shared.generation.fetch_add(1, Ordering::SeqCst);
                self.shared.is_unsettled.store(false, Ordering::SeqCst);
                true
            }
            Err(error) => {
                warn!(%error, "the journals cannot be written anew");
                false
            }
        }
    }

    /// What is to be written for a wish; nothing, where it is so already.
    fn decide(&self, wish: &Wish) -> Result<Option<Vec<Change>>, AppendError> {
        let shelf = self.shared.shelf.read();
        let now_ms = self.shared.clock.now_ms();
        let changes = match wish {
            Wish::Append { room, at, entry, keep_from, may_begin } => {
                shelf.may_append(room, *at, *may_begin, now_ms)?;
                let (room, at, entry, keep_from) = (room.clone(), *at, entry.clone(), *keep_from);
                let over = shelf.is_over(&room, now_ms).then(|| Change::Vanish { room: room.clone() });
                over.into_iter().chain([Change::Append { room, at, entry, keep_from }]).collect()
            }
            Wish::Expire { room, seconds } => match shelf.expiry(room, *seconds, now_ms) {
                Some(at_ms) => vec![Change::Expire { room: room.clone(), at_ms }],
                None => return Ok(None),
            },
            Wish::Set { map, field, value, only_new } if !only_new || shelf.map_get(map, field).is_none() => {
                vec![Change::Set { map: map.clone(), field: field.clone(), value: value.clone() }]
            }
            Wish::Remove { map, field } if shelf.map_get(map, field).is_some() => {
                vec![Change::Remove { map: map.clone(), field: field.clone() }]
            }
            Wish::Probe => Vec::new(),
            Wish::Set { .. } | Wish::Remove { .. } => return Ok(None),
        };
        Ok(Some(changes))
    }
}

/// A disk's no, which begins with a word of its own as Redis's do.
fn refusal(error: &io::Error) -> String {
    let word = if error.kind() == io::ErrorKind::StorageFull { "DISKFULL" } else { "DISK" };
    format!("{word} {error}")
}

impl Request {
    fn tell(self, answer: Result<bool, AppendError>) {
        // Whoever has stopped waiting finds out by reading.
        let _ = self.answer.send(answer);
    }
}

/// What a wish is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum About {
    Journal(RoomId),
    Field(String, String),
    Nothing,
}

impl Wish {
    fn about(&self) -> About {
        match self {
            Self::Append { room, .. } | Self::Expire { room, .. } => About::Journal(room.clone()),
            Self::Set { map, field, .. } | Self::Remove { map, field } => {
                About::Field(map.clone(), field.clone())
            }
            Self::Probe => About::Nothing,
        }
    }
}
