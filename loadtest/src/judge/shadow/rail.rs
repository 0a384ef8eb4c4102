//! What a counter has told its rail, and who had a part in it then, as its journal tells it.

use std::collections::BTreeSet;

use broker::entry::{Entry, Kind};
use bytes::Bytes;
use protocol::id::{Position, RoomId, UserId};

use super::{Promise, Shadow};

/// Who has a part in a counter.
#[derive(Default)]
pub(super) struct Seats(BTreeSet<UserId>);

/// What the rail was told with a frame, if anything.
#[derive(Default)]
pub(super) struct Railed {
    text: Option<Bytes>,
    /// Who had a part before it or after it.
    seated: BTreeSet<UserId>,
    /// It stands with a keyframe, which needs nothing before it.
    whole: bool,
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
        Railed { text, seated, whole: entry.kind == Kind::Keyframe }
    }
}

impl Shadow {
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
            let Railed { text, seated, whole } = &frame.railed;
            if text.is_some() && !seated.contains(user) {
                return Some(*at);
            }
            if *whole {
                return None;
            }
        }
        None
    }
}
