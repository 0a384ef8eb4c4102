//! Looking after a room's connection to the world: subscribed while it is watched, if there is such a room, and its journal read
//! when the window may lack something.
//!
//! A room says what its next step is; one future per room takes step after step until there is nothing to do. So a room
//! never subscribes and unsubscribes at the same time, and never reads its journal twice at once.

use std::sync::Arc;

use broker::{
    bus::Subscription,
    directory,
    entry::Entry,
    store::{Store, Stored},
};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use protocol::{ClientOut, ErrorCode, id::Position, time::UnixMs};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::{
    delivery::Cursor,
    hub::Hub,
    metrics,
    peer::frame,
    room::{Pending, Room, State},
    window::{Offered, Source},
    works::Works,
};

/// Entries read in one go.
const READ_ENTRIES: usize = 512;

/// A room's connection to bus and journal.
pub(crate) struct Link {
    subscribed: bool,
    /// The journal may have what the window lacks.
    pub(crate) stale: bool,
    /// Frames from beyond a hole; as long as there are some, the journal is read.
    pub(crate) pending: Pending,
    /// How many reads were begun.
    pub(crate) reads_begun: u32,
    existence: Existence,
    /// When the journal was last read for a client that says it knows more, and when it is to be read for another.
    doubt_read_ms: UnixMs,
    doubt_due_ms: Option<UnixMs>,
    /// A future looks after the room, or is about to.
    tending: bool,
    /// Failures in a row, and when to try again.
    failures: u32,
    retry_ms: UnixMs,
    /// When something was last heard of the room, or its journal read.
    pub(crate) heard_ms: UnixMs,
}

/// What is known of whether there is such a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existence {
    /// Nothing: nobody may ask more of the broker than this.
    Unknown,
    /// Nodes have told of it.
    Told,
    /// It is in the map of rooms.
    Certain,
}

impl Link {
    pub(crate) fn new(told: bool, now_ms: UnixMs) -> Self {
        Self {
            subscribed: false,
            stale: true,
            pending: Pending::new(),
            reads_begun: 0,
            existence: if told { Existence::Told } else { Existence::Unknown },
            doubt_read_ms: 0,
            doubt_due_ms: None,
            tending: false,
            failures: 0,
            retry_ms: 0,
            heard_ms: now_ms,
        }
    }

    /// A client says that it knows more than the window: the journal tells. However many say so, it is read for them only so
    /// often.
    pub(crate) fn doubt(&mut self, now_ms: UnixMs, pause_ms: u64) {
        let due_ms = now_ms.max(self.doubt_read_ms + pause_ms);
        self.doubt_due_ms.get_or_insert(due_ms);
        self.settle_doubt(now_ms);
    }

    /// Has the journal read for a doubt whose time has come; whether one is left.
    pub(crate) fn settle_doubt(&mut self, now_ms: UnixMs) -> bool {
        if self.doubt_due_ms.is_some_and(|due_ms| due_ms <= now_ms) {
            (self.stale, self.doubt_read_ms, self.doubt_due_ms) = (true, now_ms, None);
        }
        self.doubt_due_ms.is_some()
    }

    /// The room's frames come here.
    pub(crate) fn is_subscribed(&self) -> bool {
        self.subscribed
    }

    /// The last step failed.
    pub(crate) fn is_troubled(&self) -> bool {
        self.failures > 0
    }

    fn step(&self, works: &Works, watched: bool, empty_since_ms: UnixMs, begun: bool, behind: bool) -> Step {
        let now_ms = works.now_ms();
        if now_ms < self.retry_ms {
            return Step::Rest;
        }
        if !watched {
            let lingered = now_ms >= empty_since_ms + works.config.linger_ms;
            return match self.subscribed {
                _ if !lingered => Step::Rest,
                true => Step::Unsubscribe,
                false => Step::Remove,
            };
        }
        if !self.subscribed {
            if self.existence == Existence::Unknown { Step::Exists } else { Step::Subscribe }
        } else if self.stale || !self.pending.is_empty() {
            Step::Read
        } else if !begun && self.existence != Existence::Certain {
            Step::Exists
        } else if behind {
            Step::ReadBehind
        } else {
            Step::Rest
        }
    }

    fn succeeded(&mut self) {
        self.failures = 0;
    }

    fn failed(&mut self, works: &Works) {
        self.failures += 1;
        let doubled = works.config.retry_first_ms.saturating_mul(1 << self.failures.min(16));
        self.retry_ms = works.now_ms() + doubled.min(works.config.retry_max_ms);
    }
}

/// What is to be done for a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Subscribe,
    Read,
    /// The journal, for the rail.
    ReadBehind,
    Exists,
    Unsubscribe,
    /// From the hub.
    Remove,
    /// Nothing, for now.
    Rest,
}

impl State {
    fn step(&self, works: &Works) -> Step {
        let reads_behind = self.reads_behind(works).is_some();
        let (watched, begun) = (!self.watchers.is_empty(), self.window.end().is_some());
        self.link.step(works, watched, self.empty_since_ms, begun, reads_behind)
    }

    /// After which entry the journal is to be read for the rail, if it is.
    fn reads_behind(&self, works: &Works) -> Option<Position> {
        self.rail.reads_after(works.now_ms(), works.config.rail_bytes_max)
    }
}

impl Room {
    /// Has the room looked after, if there is something to do.
    pub(crate) fn tend(self: &Arc<Self>, state: &mut State, works: &Works) {
        if !state.link.tending && !state.closed && state.step(works) != Step::Rest {
            state.link.tending = true;
            // Only a relay that is being dropped has no such task.
            let _ = works.queues.tending.send(self.clone());
        }
    }

    /// The next step; with [`Step::Rest`] the future is done, and another may begin.
    fn begin_step(&self, works: &Works) -> (Step, Option<Position>) {
        let mut state = self.state.lock();
        let step = state.step(works);
        match step {
            Step::Rest => state.link.tending = false,
            Step::Read => {
                state.link.stale = false;
                state.link.reads_begun = state.link.reads_begun.wrapping_add(1);
            }
            _ => {}
        }
        let after = if step == Step::ReadBehind { state.reads_behind(works) } else { state.window.end() };
        (step, after.filter(|after| *after != Position::default()))
    }

    fn finish(self: &Arc<Self>, works: &Works, result: Result<(), String>, then: impl FnOnce(&mut State)) {
        let mut state = self.state.lock();
        match result {
            Ok(()) => {
                state.link.succeeded();
                then(&mut state);
            }
            Err(error) => {
                tracing::debug!(room = %self.id, error, "the room is out of reach");
                if !state.link.is_troubled() && state.window.end().is_none() {
                    let unavailable = self.unavailable();
                    for (_, watcher) in &state.watchers {
                        watcher.peer.answer(&unavailable, works.now_ms());
                    }
                }
                state.link.failed(works);
                works.attend(self);
            }
        }
    }

    /// Takes in what a read has brought; `pending` frames were there when it began.
    fn finish_read(
        self: &Arc<Self>,
        works: &Works,
        pending: usize,
        read: u32,
        entries: Result<Vec<Entry>, String>,
    ) {
        works.metrics.journal_reads.increment(1);
        let (entries, result) = match entries {
            Ok(entries) => (entries, Ok(())),
            Err(error) => {
                works.metrics.journal_failures.increment(1);
                (Vec::new(), Err(error))
            }
        };
        let failed = result.is_err();
        self.finish(works, result, |_| {});
        let mut guard = self.state.lock();
        let state = &mut *guard;
        if failed {
            state.link.stale = true;
            return;
        }
        state.link.heard_ms = works.now_ms();
        for entry in &entries {
            self.apply(state, entry, Source::Journal, works);
        }
        for (index, entry) in std::mem::take(&mut state.link.pending).into_iter().enumerate() {
            let hole = self.apply(state, &entry, Source::Bus, works) == Offered::Hole;
            // A frame is published after it stands in the journal. So a hole before a frame that was here when the read
            // began is there for good, until the owner says otherwise; what came during the read wants another one.
            if hole && index >= pending {
                state.link.pending.push_back(entry);
            }
        }
        if state.window.end().is_some() {
            let mut lost = 0;
            for (_, watcher) in &mut state.watchers {
                lost += u64::from(watcher.settle(&state.window, read));
            }
            works.metrics.resume_claims.increment(lost);
        }
        self.serve(state, works);
    }

    /// Takes in a page of what the journal has for the rail. Whether there is more at once.
    fn finish_read_behind(self: &Arc<Self>, works: &Works, page: Result<Vec<Stored>, String>) {
        works.metrics.journal_reads.increment(1);
        let (page, result) = match page {
            Ok(page) => (page, Ok(())),
            Err(error) => {
                works.metrics.journal_failures.increment(1);
                (Vec::new(), Err(error))
            }
        };
        let failed = result.is_err();
        self.finish(works, result, |_| {});
        if failed {
            return;
        }
        let is_all = page.len() < READ_ENTRIES;
        let entries: Vec<Entry> = page.into_iter().filter_map(|stored| decode(self, stored, works)).collect();
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let Some(behind) = state.rail.behind() else { return };
        let bounds = (works.config.rail_bytes_max, works.config.retry_first_ms);
        let released = behind.read(&entries, is_all, works.now_ms(), bounds, works.config.window_frames);
        works.attend(self);
        self.released(state, released, works);
    }

    /// The map of rooms, asked at `asked_ms`, has no such room: tells everybody, and forgets them.
    fn finish_absent(self: &Arc<Self>, works: &Works, asked_ms: UnixMs) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        state.link.succeeded();
        // It may have been opened since.
        if !state.link.subscribed && works.catalogue.told_since(&self.id, asked_ms) {
            state.link.existence = Existence::Told;
            return;
        }
        state.link.existence = Existence::Unknown;
        let error = frame(&ClientOut::Error {
            code: ErrorCode::NoSuchRoom,
            message: "there is no such room".into(),
            room: Some(self.id.clone()),
        });
        for (_, watcher) in &state.watchers {
            // Whoever asks something new is told by the refusal. But one who goes on from a frame, or asks again what another room may have
            // done, must learn that there is none.
            let asks_new = watcher.asks.as_ref().is_some_and(|asks| asks.has_new());
            let is_told = asks_new && watcher.cursor == Cursor::Nothing;
            if !(watcher.muted || is_told) {
                metrics::error(ErrorCode::NoSuchRoom);
                watcher.peer.answer(&error, works.now_ms());
            }
        }
        self.dismiss(state, works);
    }
}

/// Looks after rooms, a bounded number at a time, so that a broker that is back is not run over.
pub(crate) async fn tend_rooms(
    mut rooms: UnboundedReceiver<Arc<Room>>,
    hub: &Hub,
    works: &Works,
    store: &dyn Store,
    subscription: &dyn Subscription,
) {
    let mut tended = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            Some(()) = tended.next() => {}
            room = rooms.recv(), if tended.len() < works.config.journal_reads_max => match room {
                Some(room) => tended.push(tend(room, hub, works, store, subscription)),
                None => return,
            },
        }
    }
}

/// Takes steps for a room until there is nothing to do.
pub(crate) async fn tend(
    room: Arc<Room>,
    hub: &Hub,
    works: &Works,
    store: &dyn Store,
    subscription: &dyn Subscription,
) {
    loop {
        let (step, after) = room.begin_step(works);
        match step {
            Step::Rest => return,
            Step::Subscribe => {
                let result = works.answer(subscription.subscribe(&room.frames)).await;
                room.finish(works, result, |state| {
                    state.link.subscribed = true;
                    room.begin_listening(state, works);
                    // What was published before is in the journal, what comes after is delivered.
                    state.link.stale = true;
                });
            }
            Step::Read => {
                let (pending, read) = {
                    let state = room.state.lock();
                    (state.link.pending.len(), state.link.reads_begun)
                };
                let entries = read_journal(&room, after, store, works).await;
                room.finish_read(works, pending, read, entries);
            }
            Step::ReadBehind => {
                let page = works.answer(store.read(&room.id, after, READ_ENTRIES)).await;
                room.finish_read_behind(works, page);
            }
            Step::Exists => {
                let asked_ms = works.now_ms();
                match works.answer(directory::spec(store, &room.id)).await {
                    Ok(Some(_)) => {
                        room.finish(works, Ok(()), |state| state.link.existence = Existence::Certain);
                    }
                    Ok(None) => room.finish_absent(works, asked_ms),
                    Err(error) => room.finish(works, Err(error), |_| {}),
                }
            }
            Step::Unsubscribe => {
                let result = works.answer(subscription.unsubscribe(&room.frames)).await;
                room.finish(works, result, |state| {
                    state.link.subscribed = false;
                });
            }
            Step::Remove => {
                if hub.remove(&room, works) {
                    return;
                }
            }
        }
    }
}

/// The entries after `after`, page by page.
async fn read_journal(
    room: &Room,
    mut after: Option<Position>,
    store: &dyn Store,
    works: &Works,
) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    loop {
        let page = works.answer(store.read(&room.id, after, READ_ENTRIES)).await?;
        let full = page.len() == READ_ENTRIES;
        after = page.last().map(|stored| stored.at);
        entries.extend(page.into_iter().filter_map(|stored| decode(room, stored, works)));
        if !full {
            return Ok(entries);
        }
    }
}

fn decode(room: &Room, stored: Stored, works: &Works) -> Option<Entry> {
    let entry =
        Entry::decode(stored.bytes).ok().filter(|entry| entry.at == stored.at && entry.room == room.id);
    if entry.is_none() {
        works.metrics.malformed.increment(1);
        tracing::error!(room = %room.id, at = %stored.at, "the journal holds something that is not an entry");
    }
    entry
}
