//! Judging what a guest is told as one of the rail: each part once and in order, right behind its frame, whatever becomes of connections.

use std::collections::BTreeMap;

use protocol::{
    ClientOut,
    id::{Position, RoomId, Seq, UserId},
};

use super::pipe::Head;
use crate::judge::{Promise, Shadow};

/// What one guest has got in each room.
#[derive(Debug, Default)]
pub(super) struct Railbird {
    rooms: BTreeMap<RoomId, Got>,
    /// How many parts for the rail.
    pub(super) parts: u64,
}

#[derive(Debug, Default)]
struct Got {
    /// The last frame or keyframe,
    frame: Option<Position>,
    /// and the frame of the last part for the rail.
    part: Option<Position>,
    /// Of which hand that told, at a table.
    hand: Option<u64>,
    /// It has just asked to watch, or come back: the last part may come once more.
    may_repeat: bool,
}

/// Only what is read of a part of a table.
#[derive(serde::Deserialize)]
struct Of {
    rail: Hand,
}

#[derive(serde::Deserialize)]
struct Hand {
    hand: u64,
}

impl Railbird {
    /// A new connection.
    pub(super) fn connected(&mut self) {
        self.rooms.values_mut().for_each(|got| got.may_repeat = true);
    }

    /// It asks to watch.
    pub(super) fn watches(&mut self, room: &RoomId) {
        self.rooms.entry(room.clone()).or_default().may_repeat = true;
    }

    /// The last frame of which it was told something.
    pub(super) fn told(&self, room: &RoomId) -> Option<Position> {
        self.rooms.get(room)?.part
    }

    /// A message has come, and the journals have been read as far.
    pub(super) fn hears(&mut self, text: &str, user: &UserId, shadow: &mut Shadow) {
        if let Ok(ClientOut::Behind { room, .. }) = serde_json::from_str(text) {
            // Who has just become one of the rail is told what was told last.
            return self.watches(&room);
        }
        let Ok(Head { t, room, epoch, seq }) = serde_json::from_str(text) else { return };
        let at = Position(epoch, seq);
        let got = self.rooms.entry(room.clone()).or_default();
        match t {
            "frame" => {
                // One that does not follow comes behind something that was missed.
                let before = got.frame.filter(|before| *before == Position(epoch, Seq(seq.0 - 1)));
                let due = before.and_then(|before| shadow.railed_by(&room, user, before));
                if due.is_some() && due != got.part {
                    let what = format!(
                        "{room} {at}: {user} has got {:?} as one of the rail, and not {due:?}",
                        got.part
                    );
                    shadow.accuse(Promise::Rail, what);
                }
                got.frame = Some(at);
            }
            "keyframe" => {
                // It begins anew before what it had.
                if got.frame.is_some_and(|frame| at <= frame) {
                    (got.part, got.hand) = (None, None);
                }
                got.frame = Some(at);
            }
            "rail" => {
                self.parts += 1;
                shadow.saw_rail(&room, user, at, text);
                let may_repeat = std::mem::take(&mut got.may_repeat);
                let hand = serde_json::from_str(text).ok().map(|Of { rail: Hand { hand } }| hand);
                // What is told at once is told by a relay that has not heard of more, and stands beside the frames that say where one goes on.
                let may_go_back = may_repeat && shadow.is_told_at_once(&room, at);
                let is_next = got.part.is_none_or(|last| {
                    at > last && hand >= got.hand || at == last && may_repeat || may_go_back
                });
                got.hand = hand;
                if !is_next && shadow.losses() == 0 {
                    let what = format!("{room} {at}: {user} got it as one of the rail after {:?}", got.part);
                    shadow.accuse(Promise::Rail, what);
                }
                got.part = Some(at);
            }
            _ => {}
        }
    }
}
