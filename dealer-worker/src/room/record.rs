//! What the next owner of a room reads: sealed records, never the JSON that clients get (`docs/decisions/0001`).
//!
//! A keyframe's record is the whole [`Journaled`] state, a delta's record the events and what else changed with them.
//! [`Journaled::apply`] is the only way in which that state changes, live and on restoring.

use serde::{Deserialize, Serialize};
use shared::{
    entry::{Cause, Entry},
    id::{Position, SessionId, UserId},
    seal::{Sealer, Unsealable},
};

use super::{Room, answers::Applied, presence::Sessions};

/// The state of a room and what the runtime must remember with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Journaled<R> {
    /// The room itself.
    pub room: R,
    /// Which commands were applied, and where.
    pub applied: Applied,
    /// Which sessions play.
    pub sessions: Sessions,
}

/// A delta's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delta<E> {
    /// The facts.
    pub events: Vec<E>,
    /// This session plays for this member from now on.
    pub plays: Option<(UserId, SessionId)>,
}

/// A record that is no record of this room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// See [`Unsealable`].
    #[error(transparent)]
    Sealed(#[from] Unsealable),
    /// It opens, but is of another version of the room.
    #[error("a record that this version does not understand: {0}")]
    Foreign(#[from] postcard::Error),
}

impl<R: Room> Journaled<R> {
    /// A new room.
    pub fn new(room: R) -> Self {
        Self { room, applied: Applied::default(), sessions: Sessions::default() }
    }

    /// Does what a committed delta says.
    pub fn apply(&mut self, delta: &Delta<R::Event>, cause: Option<&Cause>, at: Position) {
        for event in &delta.events {
            self.room.apply(event);
        }
        self.settle(delta.plays.as_ref(), cause, at);
    }

    /// The same for an owner who has the room's state after the events already.
    pub fn adopt(
        &mut self,
        after: R,
        plays: Option<&(UserId, SessionId)>,
        cause: Option<&Cause>,
        at: Position,
    ) {
        self.room = after;
        self.settle(plays, cause, at);
    }

    fn settle(&mut self, plays: Option<&(UserId, SessionId)>, cause: Option<&Cause>, at: Position) {
        if let Some(cause) = cause {
            self.applied.remember(cause, at);
        }
        if let Some((user, session)) = plays {
            self.sessions.play(user, *session);
        }
        let room = &self.room;
        self.sessions.retain(|user| room.is_member(user));
    }
}

/// Seals a record for an entry.
///
/// # Panics
/// Never: records have known lengths.
pub fn seal(sealer: &Sealer, entry: &mut Entry, record: &impl Serialize) {
    let plain = postcard::to_stdvec(record).expect("records have known lengths");
    entry.secret = sealer.seal(&entry.room, entry.at, &plain);
}

/// Opens an entry's record.
///
/// # Errors
/// [`BadRecord`]: the wrong key, or another version.
pub fn open<T: for<'de> Deserialize<'de>>(sealer: &Sealer, entry: &Entry) -> Result<T, BadRecord> {
    let plain = sealer.open(&entry.room, entry.at, &entry.secret)?;
    Ok(postcard::from_bytes(&plain)?)
}
