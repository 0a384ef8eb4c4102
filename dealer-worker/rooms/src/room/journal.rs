//! Committing to a room's journal, and finding out what became of a commit whose answer was lost.

use std::{collections::VecDeque, future::Future, sync::Arc};

use broker::{
    entry::{Entry, Kind},
    store::{AppendError, Store, Stored, Unavailable},
};
use bytes::Bytes;
use metrics::{counter, histogram};
use protocol::{
    id::{Epoch, Position, RoomId, Seq},
    time::UnixMs,
};
use tokio::time::{Duration, Instant, sleep, timeout};
use tracing::{debug, warn};

/// An answer that takes longer is taken for lost.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Nobody waits longer for what a refusal wants of the store: a look at who owns a room, a few words.
pub(super) const LOOK_TIMEOUT: Duration = Duration::from_secs(1);

/// Pauses between attempts while the store is out of reach: the first, and the longest.
pub(super) const RETRY_FIRST: Duration = Duration::from_millis(20);
pub(super) const RETRY_MAX: Duration = Duration::from_millis(1_000);

/// Where entries are kept for a time, they are kept so much longer: who shows them late may be late.
const KEPT_LONGER_MS: u64 = 60_000;

/// Somebody else owns the room, since this epoch: this owner's is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another worker owns the room since epoch {}", .0.0)]
pub struct Fenced(pub Epoch);

/// Why an entry is not in the journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWritten {
    /// Nor will it be.
    #[error(transparent)]
    Fenced(#[from] Fenced),
    /// Nor will it be: the journal that it was to follow is not there any more, or its end is not.
    #[error("the store has lost the journal")]
    Gone,
    /// Nor will it be, unless it is tried again: every attempt was answered by a no.
    #[error("the store refuses to write: {0}")]
    Refused(String),
}

/// The journal of a room that this worker owns.
pub struct Journal {
    store: Arc<dyn Store>,
    room: RoomId,
    /// The last entry written.
    last: Position,
    /// The epoch of the last frame, which after a claim is an earlier one.
    last_frame_epoch: Epoch,
    /// The last keyframe: the next one keeps the entries from here on, or from an earlier one if they are to be kept for a time.
    keyframe: Option<Position>,
    /// Where entries are to be kept for a time: so long at least, milliseconds.
    keep_ms: u64,
    /// Then: the keyframes from which the journal can be read, and since when, the oldest first. Of those that stood there before this owner
    /// came none is known, and nothing is dropped until one of its own is old enough.
    keyframes: VecDeque<(Position, UnixMs)>,
    deltas_since_keyframe: u32,
    /// The store's generation in which the last entry was written.
    generation: u64,
    /// The store was found not to hold what it had acknowledged.
    is_gone: bool,
}

impl Journal {
    /// A journal whose last entry is this worker's claim of `epoch`, and whose last frame stands at `last_frame`.
    pub fn claimed(
        store: Arc<dyn Store>,
        room: RoomId,
        epoch: Epoch,
        last_frame: Position,
        keyframe: Option<Position>,
        generation: u64,
    ) -> Self {
        let last = Position(epoch, last_frame.seq());
        let last_frame_epoch = last_frame.epoch();
        Self {
            store,
            room,
            last,
            last_frame_epoch,
            keyframe,
            keep_ms: 0,
            keyframes: VecDeque::new(),
            deltas_since_keyframe: 0,
            generation,
            is_gone: false,
        }
    }

    /// Entries are kept for so long at least, and a while longer: the rail is shown them so late. 0: they need not be.
    pub fn keeps_for(&mut self, keep_ms: u64) {
        self.keep_ms = if keep_ms == 0 { 0 } else { keep_ms + KEPT_LONGER_MS };
    }

    /// From where on entries are kept with a keyframe of this moment.
    fn keep_from(&self, now_ms: UnixMs) -> Option<Position> {
        if self.keep_ms == 0 {
            return self.keyframe;
        }
        let is_old = |(_, since): &&(Position, UnixMs)| since.saturating_add(self.keep_ms) <= now_ms;
        self.keyframes.iter().take_while(is_old).last().map(|(at, _)| *at)
    }

    /// The epoch in which this worker owns the room.
    pub fn epoch(&self) -> Epoch {
        self.last.epoch()
    }

    /// The last frame's position.
    pub fn last(&self) -> Position {
        self.last
    }

    /// The epoch in which the last frame was written.
    pub fn last_frame_epoch(&self) -> Epoch {
        self.last_frame_epoch
    }

    /// Where the next frame goes.
    pub fn next(&self) -> Position {
        Position(self.last.epoch(), self.last.seq().next())
    }

    /// How many deltas have followed the last keyframe.
    pub fn deltas_since_keyframe(&self) -> u32 {
        self.deltas_since_keyframe
    }

    /// Whether the store may have lost entries since the last one was written.
    pub fn is_in_doubt(&self) -> bool {
        self.is_gone || self.store.generation() != self.generation
    }

    /// A delta, to be written at [`Journal::next`].
    pub fn delta(&self, entry: Bytes) -> Attempt {
        self.attempt(self.next(), entry, Onto::Journal { keep_from: None })
    }

    /// A keyframe, to be written at [`Journal::next`]; drops what is older than the one before it, or than what is to be [kept for a
    /// time](Journal::keeps_for).
    pub fn keyframe(&self, entry: Bytes, now_ms: UnixMs) -> Attempt {
        self.attempt(self.next(), entry, Onto::Journal { keep_from: self.keep_from(now_ms) })
    }

    /// A keyframe, to be written at [`Journal::next`]; drops all that is older.
    pub fn first_keyframe(&self, entry: Bytes) -> Attempt {
        self.attempt(self.next(), entry, Onto::Journal { keep_from: Some(self.next()) })
    }

    /// A claim of the room in a later epoch, after entries may have been lost. The next entry must be a keyframe.
    pub fn claim_anew(&self, now_ms: UnixMs, claim: impl FnOnce(Position) -> Bytes) -> Attempt {
        let at = Position(self.epoch().claimed_at(now_ms), Seq(0));
        self.attempt(at, claim(at), Onto::Whatever)
    }

    fn attempt(&self, at: Position, entry: Bytes, onto: Onto) -> Attempt {
        Attempt::new(self.store.clone(), self.room.clone(), at, entry, onto)
    }

    /// The delta stands at `at`.
    pub fn wrote_delta(&mut self, at: Position) {
        self.wrote(at);
        self.deltas_since_keyframe += 1;
    }

    /// The keyframe stands at `at`.
    pub fn wrote_keyframe(&mut self, at: Position, now_ms: UnixMs) {
        if self.keep_ms > 0 {
            if let Some(kept_from) = self.keep_from(now_ms) {
                self.keyframes.retain(|(at, _)| *at >= kept_from);
            }
            self.keyframes.push_back((at, now_ms));
        }
        self.wrote(at);
        self.keyframe = Some(at);
        self.deltas_since_keyframe = 0;
    }

    fn wrote(&mut self, at: Position) {
        self.last = at;
        self.last_frame_epoch = at.epoch();
    }

    /// The claim stands at `at`, and so many entries were found lost before. A journal with a hole is not worth keeping: the next
    /// keyframe replaces it. Without one it is what relays find out by whether what they have is still part of the history.
    pub fn claimed_anew(&mut self, at: Position, survey: &Survey, lost: u64) {
        self.last = Position(at.epoch(), self.last.seq());
        if lost > 0 {
            self.keyframe = Some(at);
        }
        self.generation = survey.generation;
        self.is_gone = false;
    }

    /// The store was found not to hold what it had acknowledged: the room must be claimed anew.
    pub fn is_lost(&mut self) {
        counter!("cardhouse_journals_lost_total").increment(1);
        self.is_gone = true;
    }

    /// Looks whether somebody else has claimed the room.
    ///
    /// # Errors
    /// [`Fenced`], if so.
    pub async fn check(&self) -> Result<(), Fenced> {
        fenced_by(self.epoch(), last(&*self.store, &self.room).await.as_ref())
    }

    /// Asks once whether somebody else has claimed the room, when it is awaited: `false` if the store does not say.
    ///
    /// # Errors
    /// [`Fenced`], if so.
    pub fn is_ours(&self) -> impl Future<Output = Result<bool, Fenced>> + Send + 'static {
        let (store, room, epoch) = (self.store.clone(), self.room.clone(), self.epoch());
        async move {
            match timeout(LOOK_TIMEOUT, store.last(&room)).await {
                Ok(Ok(last)) => fenced_by(epoch, last.as_ref()).map(|()| true),
                Ok(Err(Unavailable(_))) | Err(_) => Ok(false),
            }
        }
    }

    /// The question what the store still holds.
    pub fn survey(&self) -> Survey {
        let from = self.keyframe.map_or(0, |keyframe| keyframe.seq().0);
        Survey {
            store: self.store.clone(),
            room: self.room.clone(),
            epoch: self.epoch(),
            from,
            written: self.last.seq().0 + 1 - from,
            generation: self.store.generation(),
        }
    }
}

fn fenced_by(epoch: Epoch, last: Option<&Stored>) -> Result<(), Fenced> {
    match last {
        Some(stored) if stored.at.epoch() > epoch => Err(Fenced(stored.at.epoch())),
        _ => Ok(()),
    }
}

/// See [`Journal::survey`].
pub struct Survey {
    store: Arc<dyn Store>,
    room: RoomId,
    epoch: Epoch,
    /// The number of the last keyframe.
    from: u64,
    /// How many entries there should be from there on.
    written: u64,
    generation: u64,
}

impl Survey {
    /// Asks once: how many entries from the last keyframe on the store no longer holds, or who has claimed the room meanwhile, but for our
    /// own later claim.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn ask(&self, ours: Option<Position>) -> Result<Result<u64, Fenced>, Unavailable> {
        // One before the keyframe, so that it is read too, and one entry more, which would be another owner's.
        let before = Position::new(self.epoch.0, self.from.saturating_sub(1));
        let limit = usize::try_from(self.written).unwrap_or(usize::MAX).saturating_add(1);
        let held = answered(self.store.read(&self.room, Some(before), limit)).await?;
        let later = held.iter().filter(|stored| stored.at.epoch() > self.epoch);
        let others = later.clone().rfind(|stored| Some(stored.at) != ours);
        let lost = self.written.saturating_sub((held.len() - later.count()) as u64);
        Ok(fenced_by(self.epoch, others).map(|()| lost))
    }
}

/// What an entry is written onto.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onto {
    /// A journal or none: a claim begins one.
    Whatever,
    /// The journal. Without one the entry is not written, since what stood before it is lost.
    Journal {
        /// Entries before this one are dropped.
        keep_from: Option<Position>,
    },
}

/// An entry on its way into the journal, to exactly one position. An attempt whose answer is lost may have been written, may be
/// written later, or never: the journal is read until it says so.
pub struct Attempt {
    store: Arc<dyn Store>,
    room: RoomId,
    at: Position,
    entry: Bytes,
    onto: Onto,
    started: Instant,
    pause: Duration,
    /// An answer was lost.
    is_unknown: bool,
    trouble: Option<String>,
}

impl Attempt {
    fn new(store: Arc<dyn Store>, room: RoomId, at: Position, entry: Bytes, onto: Onto) -> Self {
        let (started, pause) = (Instant::now(), RETRY_FIRST);
        Self { store, room, at, entry, onto, started, pause, is_unknown: false, trouble: None }
    }

    /// Where the entry is to stand.
    pub fn at(&self) -> Position {
        self.at
    }

    /// When it was tried first.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// What went wrong so far, in the store's words.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// How long to wait before it is tried again. Longer each time.
    pub fn pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(RETRY_MAX);
        pause
    }

    /// Tries once. `None`: it is not known whether the entry is in the journal, and it is to be tried again.
    ///
    /// # Errors
    /// [`NotWritten`].
    pub async fn once(&mut self) -> Option<Result<(), NotWritten>> {
        let (store, at, entry) = (&*self.store, self.at, self.entry.clone());
        let answer = match self.onto {
            Onto::Whatever => answered(store.append(&self.room, at, entry, None)).await,
            Onto::Journal { keep_from } => answered(store.extend(&self.room, at, entry, keep_from)).await,
        };
        let is_fenced = answer == Err(AppendError::Fenced);
        match answer {
            Ok(()) => return self.is_written(),
            Err(AppendError::Gone) => return Some(Err(NotWritten::Gone)),
            Err(AppendError::Refused(why)) => {
                let reason = why.split_whitespace().next().unwrap_or_default().to_owned();
                counter!("cardhouse_appends_refused_total", "reason" => reason).increment(1);
                self.fails(&why);
                if !self.is_unknown {
                    return Some(Err(NotWritten::Refused(why)));
                }
            }
            Err(AppendError::Unavailable(Unavailable(why))) => {
                counter!("cardhouse_appends_unknown_total").increment(1);
                self.is_unknown = true;
                self.fails(&why);
            }
            // An earlier attempt, ours or the adapter's, may be what stands in the way.
            Err(AppendError::Fenced) => {}
        }
        match answered(self.store.last(&self.room)).await {
            Ok(Some(stored)) if stored.at == at && stored.bytes == self.entry => self.is_written(),
            Ok(Some(stored)) if stored.at >= at => Some(Err(Fenced(stored.at.epoch()).into())),
            // The fence stands, and what stood behind it does not.
            Ok(_) if is_fenced && !self.is_unknown => Some(Err(NotWritten::Gone)),
            Ok(_) => None,
            Err(Unavailable(why)) => {
                self.fails(&why);
                None
            }
        }
    }

    fn is_written(&self) -> Option<Result<(), NotWritten>> {
        histogram!("cardhouse_commit_seconds").record(self.started.elapsed().as_secs_f64());
        Some(Ok(()))
    }

    /// Said aloud once.
    fn fails(&mut self, why: &str) {
        let (room, at, is_unknown) = (&self.room, self.at, self.is_unknown);
        match self.trouble {
            None => warn!(%room, %at, why, is_unknown, "an append was not acknowledged: trying again"),
            Some(_) => debug!(%room, %at, why, is_unknown, "an append was not acknowledged"),
        }
        self.trouble = Some(why.to_owned());
    }
}

/// Appends a claim, and does not return before it is known what became of it.
///
/// # Errors
/// [`NotWritten::Fenced`] or [`NotWritten::Gone`]; a store that refuses is asked again.
pub async fn write_claim(
    store: &Arc<dyn Store>,
    room: &RoomId,
    at: Position,
    entry: Bytes,
    onto: Onto,
) -> Result<(), NotWritten> {
    let mut attempt = Attempt::new(store.clone(), room.clone(), at, entry, onto);
    loop {
        match attempt.once().await {
            Some(Err(NotWritten::Refused(_))) | None => sleep(attempt.pause()).await,
            Some(ended) => return ended,
        }
    }
}

/// The last entry, however long it takes to learn it.
pub async fn last(store: &dyn Store, room: &RoomId) -> Option<Stored> {
    until_answered(|| store.last(room)).await
}

/// In which epoch a room has ended, if this entry, the last of its journal, is its end. What cannot be read is none: whoever reads the
/// journal finds out about that.
pub fn ended(last: &Stored) -> Option<Epoch> {
    let last = Entry::decode(last.bytes.clone()).ok()?;
    (last.kind == Kind::End).then_some(last.at.epoch())
}

/// Entries read in one go, where it is looked for an end.
const READ_ENTRIES: usize = 512;

/// Whether a room has ended, by its journal; `None` where there is no journal. A claim that came late stands behind the end.
///
/// # Errors
/// [`Unavailable`].
pub async fn has_ended(store: &dyn Store, room: &RoomId) -> Result<Option<bool>, Unavailable> {
    let Some(last) = store.last(room).await? else { return Ok(None) };
    let is_claim = Entry::decode(last.bytes.clone()).is_ok_and(|last| last.kind == Kind::Claim);
    if !is_claim {
        return Ok(Some(ended(&last).is_some()));
    }
    let mut after = None;
    loop {
        let batch = store.read(room, after, READ_ENTRIES).await?;
        if batch.iter().any(|stored| ended(stored).is_some()) {
            return Ok(Some(true));
        }
        match batch.last() {
            Some(last) => after = Some(last.at),
            None => return Ok(Some(false)),
        }
    }
}

/// Repeats a question until the store answers.
pub async fn until_answered<T, A>(mut ask: impl FnMut() -> A) -> T
where
    A: Future<Output = Result<T, Unavailable>>,
{
    let mut pause = RETRY_FIRST;
    loop {
        match answered(ask()).await {
            Ok(answer) => return answer,
            // Said aloud once, whoever else asks.
            Err(Unavailable(why)) if pause == RETRY_FIRST => warn!(%why, "the store does not answer"),
            Err(Unavailable(why)) => debug!(%why, "the store does not answer"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(RETRY_MAX);
    }
}

async fn answered<T, E: From<Unavailable>>(asked: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    match timeout(ANSWER_TIMEOUT, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(Unavailable("no answer in time".into()).into()),
    }
}

#[cfg(test)]
mod tests {
    use broker::{store::memory::MemoryStore, wire::Wire};
    use protocol::id::NodeId;

    use super::*;
    use crate::room::frame;

    /// Found by the simulator, seed 1910000266: a claim whose answer was lost came to the store behind the end, and whoever had written to the
    /// room waited for it for ever.
    #[tokio::test]
    async fn a_room_has_ended_though_somebody_has_claimed_it_since() {
        let (me, room) = (NodeId::new("w1").unwrap(), RoomId::new("t1").unwrap());
        let store = MemoryStore::new(Wire::perfect(), &me);
        assert_eq!(has_ended(&store, &room).await, Ok(None));
        let claim = |epoch| frame::claim(&room, Position::new(epoch, 0), &me).encode().stored;
        store.append(&room, Position::new(1, 0), claim(1), None).await.unwrap();
        assert_eq!(has_ended(&store, &room).await, Ok(Some(false)));
        let at = Position::new(1, 1);
        store.append(&room, at, frame::end(&room, at).encode().stored, None).await.unwrap();
        assert_eq!(has_ended(&store, &room).await, Ok(Some(true)));
        store.append(&room, Position::new(2, 0), claim(2), None).await.unwrap();
        assert_eq!(has_ended(&store, &room).await, Ok(Some(true)));
    }
}
