//! What a counter or a table has told its rail, and who had a part in it then, as its journal tells it.

use std::collections::BTreeSet;

use broker::entry::{Entry, Kind};
use bytes::Bytes;
use protocol::{
    id::{Position, RoomId, UserId},
    time::UnixMs,
};

use super::{
    Promise, Shadow,
    journal::{Frame, Journal},
};

/// Who has a part in a counter.
#[derive(Default)]
pub(super) struct Seats(BTreeSet<UserId>);

/// What the rail was told with a frame, if anything.
#[derive(Default)]
pub(super) struct Railed {
    pub(super) text: Option<Bytes>,
    /// Who had a part before it or after it. Of a table: who is excepted, and all who sit there.
    pub(super) seated: BTreeSet<UserId>,
    /// It stands with a keyframe, which needs nothing before it.
    whole: bool,
    /// It is told at once where the rail is late.
    at_once: bool,
}

impl Railed {
    /// Of a table.
    pub(super) fn of(entry: &Entry) -> Self {
        let whole = entry.kind == Kind::Keyframe;
        let Some(rail) = &entry.rail else { return Self { whole, ..Self::default() } };
        let seated = rail.except.iter().cloned().collect();
        Self { text: Some(rail.bytes.clone()), seated, whole, at_once: rail.at_once }
    }
}

/// Only what is needed of a frame's text.
#[derive(serde::Deserialize)]
struct Text {
    #[serde(default)]
    events: Vec<Happened>,
}

#[derive(serde::Deserialize)]
struct Happened {
    e: String,
}

/// Only what is needed of a refusal.
#[derive(serde::Deserialize)]
struct Refused {
    legal: Option<Legal>,
}

#[derive(serde::Deserialize)]
struct Legal {
    hand: u64,
    turn: Option<serde::de::IgnoredAny>,
}

impl Seats {
    pub(super) fn take(&mut self, entry: &Entry) -> Railed {
        let mut seated = self.0.clone();
        if entry.kind == Kind::Keyframe {
            self.0 = entry.privates.iter().map(|part| part.user.clone()).collect();
        }
        let events =
            serde_json::from_slice::<Text>(&entry.public).map_or_else(|_| Vec::new(), |text| text.events);
        for (Happened { e }, cause) in events.iter().zip(&entry.cause) {
            match e.as_str() {
                "added" => drop(self.0.insert(cause.user.clone())),
                "left" => drop(self.0.remove(&cause.user)),
                _ => {}
            }
        }
        seated.extend(self.0.iter().cloned());
        let text = entry.rail.as_ref().map(|rail| rail.bytes.clone());
        Railed { text, seated, whole: entry.kind == Kind::Keyframe, at_once: false }
    }
}

/// How many seats of a table were taken, as its frames tell it: each time that changed, and when the rail may know.
#[derive(Default)]
pub(super) struct TakenSeats(Vec<(UnixMs, u32)>);

impl TakenSeats {
    pub(super) fn take(&mut self, due_ms: UnixMs, taken: u32) {
        if self.0.last().is_none_or(|(_, last)| *last != taken) {
            self.0.push((due_ms, taken));
        }
    }

    /// Whether so many were taken in no frame that the rail has seen.
    fn is_early(&self, taken: u32, now_ms: UnixMs) -> bool {
        !self.0.iter().any(|(due_ms, seats)| *seats == taken && *due_ms <= now_ms)
    }
}

impl Journal {
    /// Whether a frame is shown late to somebody: he has no part in the room with it, nor with a later one.
    pub(super) fn is_late_for(&self, user: &UserId, at: Position) -> bool {
        let is_late = self.frames.get(&at).is_some_and(|frame| frame.due_ms > 0);
        is_late && !self.frames.range(at..).any(|(_, frame)| frame.live.contains(user))
    }
}

impl Shadow {
    /// Judges when somebody gets something of a frame: not before it is due, unless he has a part in the room with it or with a later one. Whether
    /// it is one that others have got before.
    /// `as_rail`: it is what the frame tells the rail, which may be told at once.
    pub fn saw_in_time(
        &mut self,
        room: &RoomId,
        user: &UserId,
        (at, as_rail): (Position, bool),
        now_ms: UnixMs,
    ) -> bool {
        let Some(journal) = self.rooms.get(room) else { return false };
        let frame = journal.frames.get(&at).filter(|frame| !(as_rail && frame.railed.at_once));
        let Some(due_ms) = frame.map(|frame| frame.due_ms) else { return false };
        // Who had a part in what was lost is not known.
        if now_ms < due_ms && self.losses == 0 && journal.is_late_for(user, at) {
            let early = due_ms - now_ms;
            let what =
                format!("{room} {at}: {user}, who has no part in it, got it {early} ms before it is due");
            self.accuse(Promise::Rail, what);
        }
        due_ms > 0 && now_ms >= due_ms
    }

    /// Judges what the lobby says of a table that is shown late: who looks there is of its rail. Where seats are kept for somebody the number of those
    /// that are taken stands in no frame.
    pub fn listed_in_time(&mut self, room: &RoomId, taken: u32, now_ms: UnixMs) {
        let Some(journal) = self.rooms.get(room) else { return };
        // What was lost was said.
        let is_plain = journal.is_table() && journal.keeper.is_none() && !journal.of_queue;
        let is_judged = journal.late && is_plain && !journal.lossy && self.losses == 0;
        if is_judged && journal.taken.is_early(taken, now_ms) {
            self.accuse(
                Promise::Rail,
                format!("{room}: the lobby says that {taken} sit there before the rail sees it"),
            );
        }
    }

    /// Judges what somebody is told who is refused something: whoever has had no part in a room that is shown late learns nothing of its hand.
    pub fn told_by_refusal(&mut self, room: &RoomId, user: &UserId, text: &str) {
        let Ok(Refused { legal: Some(Legal { hand, turn }) }) = serde_json::from_str(text) else { return };
        let Some(journal) = self.rooms.get(room).filter(|journal| journal.late) else { return };
        let was_live = journal.frames.values().any(|frame| frame.live.contains(user));
        if (hand > 0 || turn.is_some()) && !was_live && self.losses == 0 {
            let what = format!("{room}: {user}, who has no part in it, was told of hand {hand} by a refusal");
            self.accuse(Promise::Rail, what);
        }
    }

    /// Judges that everybody is told of a hand that is kept: not before its end is due.
    pub fn told_hand_in_time(&mut self, room: &RoomId, at: Position, now_ms: UnixMs) {
        let frame = self.rooms.get(room).and_then(|journal| journal.frames.get(&at));
        if let Some(due_ms) = frame.map(|frame| frame.due_ms).filter(|due_ms| now_ms < *due_ms) {
            let early = due_ms - now_ms;
            self.accuse(
                Promise::Rail,
                format!("{room} {at}: everybody is told of the hand {early} ms before it is due"),
            );
        }
    }

    /// Judges what somebody has got as one of the rail, once the journal has been read as far.
    pub fn saw_rail(&mut self, room: &RoomId, user: &UserId, at: Position, text: &str) {
        let frame = self.rooms.get(room).and_then(|journal| journal.frames.get(&at));
        let Some(Railed { text: ours, seated, .. }) = frame.map(|frame| &frame.railed) else { return };
        let what = if seated.contains(user) {
            format!("{room} {at}: {user}, who has a part in it, got what is for the rail: {text}")
        } else if ours.as_deref() != Some(text.as_bytes()) {
            format!("{room} {at}: {user} was told as one of the rail what nobody has said: {text}")
        } else {
            return;
        };
        // Who has a part in what was lost is not known.
        if self.losses == 0 {
            self.accuse(Promise::Rail, what);
        }
    }

    /// With which frame whoever has everything up to `at` should have been told as one of the rail last, since the keyframe before it;
    /// `None` if with none, or if that is not known.
    pub fn railed_by(&self, room: &RoomId, user: &UserId, at: Position) -> Option<Position> {
        let frames = &self.rooms.get(room).filter(|_| self.losses == 0)?.frames;
        frames.get(&at)?;
        for (at, frame) in frames.range(..=at).rev() {
            let Railed { text, seated, whole, at_once } = &frame.railed;
            if text.is_some() && !at_once && !seated.contains(user) {
                return Some(*at);
            }
            if *whole {
                return None;
            }
        }
        None
    }

    /// Whether a frame tells the rail something at once, where that sees all else late.
    pub fn is_told_at_once(&self, room: &RoomId, at: Position) -> bool {
        let frame = self.rooms.get(room).and_then(|journal| journal.frames.get(&at));
        frame.is_some_and(|frame| frame.railed.at_once)
    }

    /// With which frame whoever watches a room late, and has no part in it, should have been told something at once last; `None` if with none, or if that is not known. What a
    /// keyframe has was told before.
    pub fn told_at_once(&self, room: &RoomId, user: &UserId) -> Option<Position> {
        let journal = self.rooms.get(room).filter(|_| self.losses == 0)?;
        if journal.ended.is_some() {
            return None;
        }
        let told = |frame: &Frame| frame.railed.text.is_some() && frame.railed.at_once && !frame.railed.whole;
        let (at, frame) = journal.frames.iter().rev().find(|(_, frame)| told(frame))?;
        (!frame.railed.seated.contains(user) && journal.is_late_for(user, *at)).then_some(*at)
    }
}
