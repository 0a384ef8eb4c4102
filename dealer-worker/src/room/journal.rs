//! Committing to a room's journal, and finding out what became of a commit whose answer was lost.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use metrics::{counter, histogram};
use shared::{
    clock::UnixMs,
    id::{Epoch, Position, RoomId, Seq},
    store::{AppendError, Store, Stored, Unavailable},
};
use tokio::time::{Duration, Instant, sleep, timeout};
use tracing::warn;

/// An answer that takes longer is taken for lost.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Pauses between attempts while the store is out of reach: the first, and the longest.
const RETRY_FIRST: Duration = Duration::from_millis(20);
const RETRY_MAX: Duration = Duration::from_millis(1_000);

/// Somebody else owns the room, since this epoch: this owner's is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another worker owns the room since epoch {}", .0.0)]
pub struct Fenced(pub Epoch);

/// The journal of a room that this worker owns.
pub struct Journal {
    store: Arc<dyn Store>,
    room: RoomId,
    /// The last entry written.
    last: Position,
    /// The epoch of the last frame, which after a claim is an earlier one.
    last_frame_epoch: Epoch,
    /// The last keyframe: the next one keeps the entries from here on.
    keyframe: Option<Position>,
    deltas_since_keyframe: u32,
    /// The store's generation in which the last entry was written.
    generation: u64,
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
        Self { store, room, last, last_frame_epoch, keyframe, deltas_since_keyframe: 0, generation }
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
        self.store.generation() != self.generation
    }

    /// Appends a delta at [`Journal::next`]; returns when it is durable.
    ///
    /// # Errors
    /// [`Fenced`].
    pub async fn delta(&mut self, entry: Bytes) -> Result<(), Fenced> {
        let at = self.next();
        write(&*self.store, &self.room, at, entry, None).await?;
        self.wrote(at);
        self.deltas_since_keyframe += 1;
        Ok(())
    }

    /// Appends a keyframe at [`Journal::next`] and drops what is older than the one before it.
    ///
    /// # Errors
    /// [`Fenced`].
    pub async fn keyframe(&mut self, entry: Bytes) -> Result<(), Fenced> {
        let at = self.next();
        write(&*self.store, &self.room, at, entry, self.keyframe).await?;
        self.wrote(at);
        self.keyframe = Some(at);
        self.deltas_since_keyframe = 0;
        Ok(())
    }

    fn wrote(&mut self, at: Position) {
        self.last = at;
        self.last_frame_epoch = at.epoch();
    }

    /// Looks whether somebody else has claimed the room.
    ///
    /// # Errors
    /// [`Fenced`], if so.
    pub async fn check(&self) -> Result<(), Fenced> {
        self.fenced_by(last(&*self.store, &self.room).await.as_ref())
    }

    fn fenced_by(&self, last: Option<&Stored>) -> Result<(), Fenced> {
        match last {
            Some(stored) if stored.at.epoch() > self.epoch() => Err(Fenced(stored.at.epoch())),
            _ => Ok(()),
        }
    }

    /// Claims the room anew in a later epoch after the store's generation has changed, and answers how many entries
    /// from the last keyframe on the store no longer held. The next entry must be a keyframe; if some were lost it replaces all
    /// before it.
    ///
    /// # Errors
    /// [`Fenced`], if somebody else has claimed it meanwhile.
    pub async fn claim_anew(
        &mut self,
        now_ms: UnixMs,
        claim: impl FnOnce(Position) -> Bytes,
    ) -> Result<u64, Fenced> {
        let generation = self.store.generation();
        let from = self.keyframe.map_or(0, |keyframe| keyframe.seq().0);
        let written = self.last.seq().0 + 1 - from;
        // One before the keyframe, so that it is read too, and one entry more, which would be another owner's.
        let before = Position::new(self.epoch().0, from.saturating_sub(1));
        let limit = usize::try_from(written).unwrap_or(usize::MAX).saturating_add(1);
        let held = until_answered(|| self.store.read(&self.room, Some(before), limit)).await;
        self.fenced_by(held.last())?;
        let lost = written.saturating_sub(held.len() as u64);
        let at = Position(self.epoch().claimed_at(now_ms), Seq(0));
        write(&*self.store, &self.room, at, claim(at), None).await?;
        self.last = Position(at.epoch(), self.last.seq());
        if lost > 0 {
            // A journal with a hole is not worth keeping. Without one it is what relays find out by whether what they have is
            // still part of the history.
            self.keyframe = Some(at);
        }
        self.generation = generation;
        Ok(lost)
    }
}

/// Appends at exactly `at`, and does not return before it is known what became of it. An attempt whose answer is lost
/// may have been written, may be written later, or never: the journal is read until it says so.
///
/// # Errors
/// [`Fenced`], if the journal went on without this entry.
pub async fn write(
    store: &dyn Store,
    room: &RoomId,
    at: Position,
    entry: Bytes,
    keep_from: Option<Position>,
) -> Result<(), Fenced> {
    let started = Instant::now();
    let mut pause = RETRY_FIRST;
    loop {
        let attempt = answered(store.append(room, at, entry.clone(), keep_from)).await;
        match attempt {
            Ok(()) => break,
            // An earlier attempt, ours or the adapter's, may be what stands in the way.
            Err(AppendError::Fenced) => {}
            Err(AppendError::Unavailable(error)) => {
                counter!("cardhouse_appends_unknown_total").increment(1);
                warn!(%room, %at, %error, "an append without an answer");
            }
        }
        match last(store, room).await {
            Some(stored) if stored.at == at && stored.bytes == entry => break,
            Some(stored) if stored.at >= at => return Err(Fenced(stored.at.epoch())),
            _ => {
                sleep(pause).await;
                pause = (pause * 2).min(RETRY_MAX);
            }
        }
    }
    histogram!("cardhouse_commit_seconds").record(started.elapsed().as_secs_f64());
    Ok(())
}

/// The last entry, however long it takes to learn it.
pub async fn last(store: &dyn Store, room: &RoomId) -> Option<Stored> {
    until_answered(|| store.last(room)).await
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
            Err(Unavailable(why)) => warn!(%why, "the store does not answer"),
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
