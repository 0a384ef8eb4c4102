//! What clients get: the public and private parts of an entry are the very bytes of their messages.

use broker::entry::{Cause, Entry, Kind, Private, Rail};
use bytes::Bytes;
use protocol::{
    ClientOut,
    id::{Epoch, NodeId, Position, RoomId, UserId},
};
use serde_json::value::RawValue;
use smallvec::SmallVec;

/// A delta without its record. `sparse`: one without events tells nothing but to those who have a part of it.
pub fn delta(
    room: &RoomId,
    at: Position,
    cause: Option<Cause>,
    events: Box<RawValue>,
    privates: Vec<(UserId, Box<RawValue>)>,
    sparse: bool,
) -> Entry {
    let is_empty = sparse && events.get() == "[]";
    let public = ClientOut::Frame { room: room.clone(), epoch: at.epoch(), seq: at.seq(), events };
    let public = if is_empty { Bytes::new() } else { json(&public) };
    let privates = self::privates(room, at, privates);
    Entry {
        kind: Kind::Delta,
        room: room.clone(),
        at,
        cause,
        follows: None,
        at_ms: None,
        delay: None,
        places: None,
        rail: None,
        privates,
        public,
        secret: Bytes::new(),
    }
}

/// A keyframe without its record. `follows`: the epoch of the frame before it; `sparse`: as the room's kind says.
pub fn keyframe(
    room: &RoomId,
    at: Position,
    kind: &'static str,
    follows: Epoch,
    state: Box<RawValue>,
    privates: Vec<(UserId, Box<RawValue>)>,
    sparse: bool,
) -> Entry {
    let public = ClientOut::Keyframe {
        room: room.clone(),
        epoch: at.epoch(),
        seq: at.seq(),
        kind: kind.into(),
        sparse,
        state,
    };
    let privates = self::privates(room, at, privates);
    let public = json(&public);
    Entry {
        kind: Kind::Keyframe,
        room: room.clone(),
        at,
        cause: None,
        follows: Some(follows),
        at_ms: None,
        delay: None,
        places: None,
        rail: None,
        privates,
        public,
        secret: Bytes::new(),
    }
}

/// What the rail gets with the frame there; `except`: those who have a part in the room. `at_once`: [`Rail::at_once`].
pub fn rail(room: &RoomId, at: Position, rail: Box<RawValue>, except: Vec<UserId>, at_once: bool) -> Rail {
    let message = ClientOut::Rail { room: room.clone(), epoch: at.epoch(), seq: at.seq(), rail };
    Rail { except, bytes: json(&message), at_once }
}

/// The last entry of a room that has ended. Nothing follows it, and nobody is told more than that.
pub fn end(room: &RoomId, at: Position) -> Entry {
    Entry {
        kind: Kind::End,
        room: room.clone(),
        at,
        cause: None,
        follows: None,
        at_ms: None,
        delay: None,
        places: None,
        rail: None,
        privates: SmallVec::new(),
        public: Bytes::new(),
        secret: Bytes::new(),
    }
}

/// A claim. Its secret is the claimer's name, so that two contenders' claims differ and each finds out whose it was.
pub fn claim(room: &RoomId, at: Position, me: &NodeId) -> Entry {
    Entry {
        kind: Kind::Claim,
        room: room.clone(),
        at,
        cause: None,
        follows: None,
        at_ms: None,
        delay: None,
        places: None,
        rail: None,
        privates: SmallVec::new(),
        public: Bytes::new(),
        secret: Bytes::copy_from_slice(me.as_str().as_bytes()),
    }
}

/// The JSON text of a message.
///
/// # Panics
/// Never: messages to clients have string keys and no failing parts.
pub fn json(message: &ClientOut) -> Bytes {
    serde_json::to_vec(message).expect("messages to clients are JSON").into()
}

fn privates(room: &RoomId, at: Position, privates: Vec<(UserId, Box<RawValue>)>) -> SmallVec<[Private; 2]> {
    let part = |(user, private)| {
        let message = ClientOut::Private { room: room.clone(), epoch: at.epoch(), seq: at.seq(), private };
        Private { user, bytes: json(&message) }
    };
    privates.into_iter().map(part).collect()
}
