//! Taking a room over: claim first, which fences every earlier owner; then read, since what is read is final then.

use std::{collections::VecDeque, sync::Arc};

use broker::{
    clock::Clock,
    directory,
    entry::{self, Entry, Malformed},
    node::RoomSpec,
    seal::{Form, Sealer},
    store::{Store, Stored},
};
use bytes::Bytes;
use protocol::{
    id::{Epoch, NodeId, Position, RoomId, Seq},
    rail::RailConfig,
    time::UnixMs,
};
use tracing::warn;

use super::{
    answers::Memory,
    any::{AnyRoom, Kind},
    frame,
    journal::{Journal, NotWritten, Onto, ended, last, until_answered, write_claim},
    record,
    record::{BadRecord, Journaled},
    refusals::Noted,
};
use crate::context::Context;

/// How many entries are read at once.
const READ_ENTRIES: usize = 512;

/// Where it is read for its oldest keyframe: claims may stand before that.
const OLDEST_ENTRIES: usize = 8;

/// And where it is read back to the newest keyframe: a few more than stand between two.
const READ_BACK_ENTRIES: usize = 128;

/// Why a room could not be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Somebody else has claimed it, in this epoch or a later one. Not an error: that is how contenders find out.
    #[error("another worker has claimed it")]
    Lost(Epoch),
    /// It has ended, in this epoch.
    #[error("it has ended")]
    Over(Epoch),
    /// It is neither in its journal nor in the map of rooms.
    #[error("there is no such room")]
    Unknown,
    /// This worker does not run rooms of its kind.
    #[error("it is of a kind that this worker does not run: {0}")]
    Kind(String),
    /// The map of rooms holds something else under its name.
    #[error("its entry in the map of rooms is not understood: {0}")]
    Spec(String),
    /// An entry of its journal is none.
    #[error("its journal at {0}: {1}")]
    Entry(Position, Malformed),
    /// An entry of its journal belongs somewhere else.
    #[error("its journal at {0}: an entry of another place")]
    Misplaced(Position),
    /// A record of its journal cannot be read.
    #[error("its journal at {0}: {1}")]
    Record(Position, BadRecord),
}

/// A room that was taken over; nothing is committed but the claim.
pub(super) struct Taken {
    /// Its state.
    pub state: Journaled<AnyRoom>,
    /// Its journal, to be gone on with by a keyframe.
    pub journal: Journal,
    /// What earlier owners have refused to whoever asked again.
    pub noted: Noted,
    /// Frames that were acknowledged and are no longer in the journal; at least 1 if the journal is not there at all.
    pub frames_lost: u64,
    /// It has no frames yet.
    pub is_new: bool,
    /// The form in which its journal was written last; `None` if it holds no frames.
    pub form: Option<Form>,
    /// Entries of its journal tell when they were decided.
    pub is_timed: bool,
    /// How those watch it who have no part in it.
    pub rail: RailConfig,
    /// Where they are shown it late: the room as they see it now, or saw it a while ago, if that is known.
    pub shown: Option<AnyRoom>,
}

/// What takes rooms over.
pub struct Claimer<'a> {
    /// Where journals are.
    pub store: &'a Arc<dyn Store>,
    /// Opens records.
    pub sealer: &'a Sealer,
    /// This worker.
    pub me: &'a NodeId,
    /// The time of the claim.
    pub clock: Clock,
    /// How much rooms remember of what they have answered.
    pub memory: Memory,
}

impl<'a> Claimer<'a> {
    /// The claimer of a worker.
    pub fn of(context: &'a Context) -> Self {
        let Context { ports, config, sealer, .. } = context;
        let me = &config.node;
        Self { store: &ports.store, sealer, me, clock: ports.clock, memory: config.bounds.memory }
    }
}

impl Claimer<'_> {
    /// Takes a room over that was last owned in the epoch `believed` or an earlier one. If the journal knows a later
    /// epoch, somebody was faster, and nothing is claimed. `spec` is what the map of rooms says of it.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub(super) async fn take(
        &self,
        room: &RoomId,
        kind: &Kind,
        believed: Epoch,
        spec: Option<RoomSpec>,
    ) -> Result<Taken, NotTaken> {
        let generation = self.store.generation();
        let mut believed = believed;
        let (claim, had_owner, is_missing) = loop {
            let last = last(&**self.store, room).await;
            if let Some(epoch) = last.as_ref().and_then(ended) {
                return Err(NotTaken::Over(epoch));
            }
            let before = last.map_or(Epoch(0), |stored| stored.at.epoch());
            if before > believed {
                return Err(NotTaken::Lost(before));
            }
            let has_journal = before > Epoch(0);
            // A room that does not exist gets no journal.
            if !has_journal && spec.is_none() {
                return Err(NotTaken::Unknown);
            }
            // Above what is believed as well: the broker may have lost the claim of an epoch that others know of.
            let claim = Position(before.max(believed).claimed_at(self.clock.now_ms()), Seq(0));
            let entry = frame::claim(room, claim, self.me).encode().stored;
            let onto = if has_journal { Onto::Journal { keep_from: None } } else { Onto::Whatever };
            match write_claim(self.store, room, claim, entry, onto).await {
                Ok(()) => {
                    let is_missing = !has_journal && believed > Epoch(0);
                    break (claim, has_journal || is_missing, is_missing);
                }
                // Lost while it was looked at: what is known of it is that it was there.
                Err(NotWritten::Gone) if has_journal => believed = before,
                Err(_) => return Err(NotTaken::Lost(claim.epoch())),
            }
        };
        if is_missing {
            warn!(%room, "the store has lost the whole journal: the room begins anew");
        }
        let (restored, noted) =
            tokio::join!(self.restore(room, kind), Noted::read(self.store.clone(), room, had_owner));
        let restored = restored?;
        // What the map of rooms says holds. A map that has lost the room does not make it live for everybody, nor open to as many as come.
        let kept = || restored.as_ref().map_or_else(RailConfig::default, |restored| restored.rail);
        let rail = spec.as_ref().map_or_else(kept, |spec| spec.rail.bounded());
        let is_new = restored.is_none() && !is_missing;
        let is_timed = restored.as_ref().is_some_and(|restored| restored.is_timed);
        let form = restored.as_ref().and_then(|restored| restored.form);
        let (state, last, keyframe, frames_lost) = match restored {
            Some(Restored { state: Some(state), last, keyframe, frames_lost, .. }) => {
                // A journal with a hole is not worth keeping: nobody can follow it beyond the hole.
                let keep_from = if frames_lost == 0 { keyframe } else { claim };
                (state, last, Some(keep_from), frames_lost)
            }
            restored => {
                let spec = spec.ok_or(NotTaken::Unknown)?;
                let state =
                    Journaled::new((kind.open)(&spec).map_err(|bad| NotTaken::Spec(bad.to_string()))?);
                match restored {
                    Some(stump) => (state, Position::default(), Some(claim), stump.frames_lost),
                    // Nobody knows how many they were; where there was an owner there was a keyframe.
                    None => (state, Position::default(), None, u64::from(is_missing)),
                }
            }
        };
        let (store, epoch) = (self.store.clone(), claim.epoch());
        let mut journal = Journal::claimed(store, room.clone(), epoch, last, keyframe, generation);
        let late_ms = if kind.shown_late { rail.delay_ms } else { 0 };
        journal.keeps_for(late_ms.into());
        let shown = if late_ms > 0 { self.shown(room, kind).await } else { None };
        Ok(Taken { state, journal, noted, frames_lost, is_new, form, is_timed, rail, shown })
    }

    /// The room with the oldest keyframe of its journal, which is kept until one after it is older than the rail's delay; nothing if that is not due.
    async fn shown(&self, room: &RoomId, kind: &Kind) -> Option<AnyRoom> {
        let oldest = until_answered(|| self.store.read(room, None, OLDEST_ENTRIES)).await;
        let entries = oldest.into_iter().filter_map(|stored| Entry::decode(stored.bytes).ok());
        let keyframe = entries.into_iter().find(|entry| entry.kind == entry::Kind::Keyframe)?;
        let now = self.clock.now_ms();
        let state = self.open(&keyframe, now, kind.read).ok().filter(|_| keyframe.due_ms() <= now)?;
        Some(state.room)
    }

    /// What the map of rooms says of a room; `None` if nothing.
    ///
    /// # Errors
    /// [`NotTaken::Spec`].
    pub async fn spec(&self, room: &RoomId) -> Result<Option<RoomSpec>, NotTaken> {
        let bytes = until_answered(|| directory::spec(&**self.store, room)).await;
        let read = |bytes: Bytes| serde_json::from_slice(&bytes);
        bytes.map(read).transpose().map_err(|error| NotTaken::Spec(error.to_string()))
    }

    /// Of which kind a room is by its journal, where the map of rooms does not know it any more; `None` if it has no journal.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub async fn kind_of_journal(&self, room: &RoomId) -> Result<Option<u8>, NotTaken> {
        let mut after = None;
        loop {
            let batch: Vec<Stored> = until_answered(|| self.store.read(room, after, READ_ENTRIES)).await;
            for stored in &batch {
                let entry =
                    Entry::decode(stored.bytes.clone()).map_err(|bad| NotTaken::Entry(stored.at, bad))?;
                match entry.kind {
                    entry::Kind::Claim => {}
                    entry::Kind::End => return Err(NotTaken::Over(entry.at.epoch())),
                    entry::Kind::Delta | entry::Kind::Keyframe => {
                        let opened = self.sealer.open(room, entry.at, &entry.secret).map_err(BadRecord::from);
                        let kind = opened.and_then(|(form, record)| record::kind(form, &record));
                        return kind.map(Some).map_err(|bad| NotTaken::Record(entry.at, bad));
                    }
                }
            }
            match batch.last() {
                Some(last) => after = Some(last.at),
                None => return Ok(None),
            }
        }
    }

    /// The state that the journal adds up to; `None` if it holds no frames. It is read from its end back to the newest keyframe, however
    /// much is kept before that.
    async fn restore(&self, room: &RoomId, kind: &Kind) -> Result<Option<Restored>, NotTaken> {
        let mut entries: VecDeque<Entry> = VecDeque::new();
        let mut before = None;
        'back: loop {
            let batch: Vec<Stored> =
                until_answered(|| self.store.read_back(room, before, READ_BACK_ENTRIES)).await;
            let Some(first) = batch.last() else { break };
            before = Some(first.at);
            for stored in batch {
                let entry = Entry::decode(stored.bytes).map_err(|bad| NotTaken::Entry(stored.at, bad))?;
                if entry.at != stored.at || entry.room != *room {
                    return Err(NotTaken::Misplaced(stored.at));
                }
                match entry.kind {
                    entry::Kind::Claim => continue,
                    // Somebody has claimed it who did not know that yet.
                    entry::Kind::End => return Err(NotTaken::Over(entry.at.epoch())),
                    entry::Kind::Delta | entry::Kind::Keyframe => {}
                }
                let is_keyframe = entry.kind == entry::Kind::Keyframe;
                entries.push_front(entry);
                if is_keyframe {
                    break 'back;
                }
            }
        }
        self.replay(room, kind, entries.make_contiguous())
    }
}

struct Restored {
    /// `None`: the store has lost every keyframe, and what is left of the journal stands on nothing. The room begins anew.
    state: Option<Journaled<AnyRoom>>,
    /// The last frame that it consists of.
    last: Position,
    keyframe: Position,
    frames_lost: u64,
    /// See [`Taken::form`].
    form: Option<Form>,
    /// See [`Taken::is_timed`].
    is_timed: bool,
    /// What its rail is by the last of its entries.
    rail: RailConfig,
}

impl Claimer<'_> {
    /// Opens an entry's record and reads it.
    fn open<T>(&self, entry: &Entry, now: UnixMs, read: record::Read<T>) -> Result<T, NotTaken> {
        record::open_by(read, self.sealer, entry, now).map_err(|bad| NotTaken::Record(entry.at, bad))
    }

    /// Applies deltas to the keyframe that stands first, as far as they go without a hole.
    fn replay(&self, room: &RoomId, kind: &Kind, entries: &[Entry]) -> Result<Option<Restored>, NotTaken> {
        let now = self.clock.now_ms();
        let (Some((first, deltas)), Some(newest)) = (entries.split_first(), entries.last()) else {
            return Ok(None);
        };
        let form = Form::of(&newest.secret);
        let is_timed = entries.iter().any(|entry| entry.at_ms.is_some());
        let delay_ms = newest.delay.as_ref().map_or(0, |delay| delay.ms);
        let viewers_max = newest.places.as_ref().map_or(0, |places| places.max);
        let rail = RailConfig { viewers_max, ..RailConfig::late(delay_ms) };
        if first.kind != entry::Kind::Keyframe {
            let frames_lost = entries.last().map_or(0, |entry| entry.at.seq().0);
            warn!(%room, frames_lost, "the journal has lost its keyframes: the room begins anew");
            return Ok(Some(Restored {
                state: None,
                last: Position::default(),
                keyframe: first.at,
                frames_lost,
                form,
                is_timed,
                rail,
            }));
        }
        let mut state = self.open(first, now, kind.read)?;
        let mut last = first.at;
        let mut frames_lost = 0;
        for entry in deltas {
            if entry.at.seq() != last.seq().next() {
                let end = deltas.last().map_or(last, |entry| entry.at);
                frames_lost = end.seq().0.saturating_sub(last.seq().0);
                warn!(%room, after = %last, until = %end, "the journal has a hole");
                break;
            }
            let delta = self.open(entry, now, kind.read_delta)?;
            state.apply_any(&delta, entry.cause.as_ref(), entry.at, &self.memory);
            last = entry.at;
        }
        let (state, keyframe) = (Some(state), first.at);
        Ok(Some(Restored { state, last, keyframe, frames_lost, form, is_timed, rail }))
    }
}
