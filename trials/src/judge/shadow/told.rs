//! Judging what clients are told: frames, acknowledgements, refusals, parts of their own and views, by what the journal holds.

use broker::entry::Entry;
use bytes::Bytes;
use protocol::{
    RefusalCode,
    id::{Position, RoomId, SessionId, UserId},
    table::{TablePrivate, TableView},
    talk::TalkView,
};

use super::{Promise, Shadow, journal::FRAMES_KEPT};

/// Only what the shadow needs of a private part's text.
#[derive(serde::Deserialize)]
struct OwnPart {
    private: TablePrivate,
}

impl Shadow {
    /// Judges a frame that was published: what anybody may see stands in the journal first.
    pub fn published(&mut self, frame: Bytes) {
        let Ok(entry) = Entry::decode(frame) else {
            return self.accuse(Promise::Durable, "something was published that is no frame".into());
        };
        let Some(journal) = self.rooms.get(&entry.room) else { return };
        let stands = journal.frames.contains_key(&entry.at);
        let is_forgotten = journal.frames.first_key_value().is_some_and(|(first, _)| entry.at < *first);
        if !stands && !is_forgotten && self.losses == 0 {
            let (room, at) = (&entry.room, entry.at);
            let what = format!("{room} {at}: was published, but is not in the journal");
            self.accuse(Promise::Durable, what);
        }
    }

    /// Judges an acknowledgement, once the journal has been read as far.
    pub fn acknowledged(&mut self, room: &RoomId, user: &UserId, session: SessionId, n: u64, at: Position) {
        let Some(journal) = self.rooms.get(room) else { return };
        let cause = journal.frames.get(&at).and_then(|frame| frame.cause.as_ref());
        let matches =
            cause.is_some_and(|(by, within, counter)| by == user && *within == session && *counter == n);
        if !matches && self.losses == 0 {
            self.accuse(
                Promise::Durable,
                format!("{room} {at}: {user} was told that {n} is there, it holds {cause:?}"),
            );
        }
    }

    /// Judges a refusal, once the journal has been read as far: the command was not applied (unless the room says that it has forgotten
    /// whether it was), and never will be.
    pub fn refused(
        &mut self,
        room: &RoomId,
        user: &UserId,
        session: SessionId,
        n: u64,
        code: Option<RefusalCode>,
    ) {
        let Some(journal) = self.rooms.get_mut(room) else { return };
        let cause = (user.clone(), session, n);
        if let Some(at) = journal.applied.get(&cause).filter(|_| code != Some(RefusalCode::Forgotten)) {
            let what = format!("{room} {at}: {user} was told {code:?} for {n}, which was applied");
            return self.accuse(Promise::Once, what);
        }
        journal.refused.insert(cause);
    }

    /// Somebody asks once more what was refused. Refusals are in no journal: another owner may decide it anew.
    pub fn asks_again(&mut self, room: &RoomId, user: &UserId, session: SessionId, n: u64) {
        if let Some(journal) = self.rooms.get_mut(room) {
            journal.refused.remove(&(user.clone(), session, n));
        }
    }

    /// Judges a private part, once the journal has been read as far.
    pub fn saw_private(&mut self, room: &RoomId, user: &UserId, at: Position, text: &str) {
        let Some(frame) = self.rooms.get(room).and_then(|journal| journal.frames.get(&at)) else { return };
        if !frame.privates.iter().any(|(whose, bytes)| whose == user && **bytes == *text.as_bytes()) {
            self.accuse(
                Promise::Privacy,
                format!("{room} {at}: {user} got a part that is not theirs: {text}"),
            );
        }
    }

    /// The same of a part that was read.
    pub fn saw_own_part(&mut self, room: &RoomId, user: &UserId, at: Position, part: &TablePrivate) {
        let Some(frame) = self.rooms.get(room).and_then(|journal| journal.frames.get(&at)) else { return };
        let is_theirs = frame.privates.iter().any(|(whose, bytes)| {
            let read = serde_json::from_slice::<OwnPart>(bytes);
            whose == user && read.is_ok_and(|own| own.private == *part)
        });
        if !is_theirs {
            self.accuse(
                Promise::Privacy,
                format!("{room} {at}: {user} got a part that is not theirs: {part:?}"),
            );
        }
    }

    /// Whether a journal holds a frame.
    pub fn holds(&self, room: &RoomId, at: Position) -> bool {
        self.rooms.get(room).is_some_and(|journal| journal.frames.contains_key(&at))
    }

    /// Whether a journal may have held a frame that is not remembered, or was trimmed before it could be read.
    pub fn may_have_held(&self, room: &RoomId, at: Position) -> bool {
        let Some(journal) = self.rooms.get(room) else { return false };
        let first = journal.frames.first_key_value().map(|first| *first.0);
        let is_old = journal.frames.len() >= FRAMES_KEPT && first.is_some_and(|first| at < first);
        is_old || journal.unread.iter().any(|(before, after)| *before < at && at < *after)
    }

    /// Judges a client's view.
    pub fn saw_view(&mut self, room: &RoomId, user: &UserId, at: Position, view: &TableView) {
        let Some(ours) = self.rooms.get(room).and_then(|journal| journal.views.get(&at)) else { return };
        if ours != view {
            self.accuse(Promise::Equal, format!("{room} {at}: {user} sees another table than the journal"));
        }
    }

    /// Judges how many parts of its own a client has got in a postbox, when nothing is on its way any more.
    pub fn got_parts(&mut self, room: &RoomId, user: &UserId, got: Option<u64>) {
        let told = self.rooms.get(room).and_then(|journal| journal.parts.as_ref()?.told(user));
        if told != got && self.losses == 0 {
            self.accuse(Promise::Equal, format!("{room}: {user} has got {got:?} parts of {told:?}"));
        }
    }

    /// Judges what a client has heard in a room in which people talk.
    pub fn saw_talk(&mut self, room: &RoomId, user: &UserId, at: Position, view: &TalkView) {
        let spoken = self.rooms.get(room).and_then(|journal| journal.talk.as_ref());
        if spoken.and_then(|spoken| spoken.at(at)).is_some_and(|ours| ours != view) {
            self.accuse(Promise::Equal, format!("{room} {at}: {user} hears something else than the journal"));
        }
    }
}
