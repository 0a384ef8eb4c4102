//! What a guest says and hears of rooms that only so many may watch, for whoever judges it.

use std::collections::BTreeSet;

use protocol::{
    ClientIn, ClientOut, ErrorCode,
    id::{Position, RoomId, UserId},
    time::UnixMs,
};

use super::pipe::Head;
use crate::judge::Shadow;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Watching {
    /// What comes of these was sent before it was heard that nobody watches them any more.
    leaving: BTreeSet<RoomId>,
}

impl Watching {
    /// Its connection is gone.
    pub(super) fn disconnected(&mut self) {
        self.leaving.clear();
    }

    /// It says something.
    pub(super) fn says(&mut self, text: &str, viewer: &UserId, shadow: &mut Shadow, now_ms: UnixMs) {
        match ClientIn::read(text) {
            Ok(ClientIn::Hello { resume, .. }) => {
                resume.into_iter().for_each(|(room, _)| shadow.wants_to_watch(&room, viewer));
            }
            Ok(ClientIn::Watch { room } | ClientIn::Do { room, .. }) => shadow.wants_to_watch(&room, viewer),
            Ok(ClientIn::Unwatch { room }) => {
                shadow.watches_no_more(&room, viewer, now_ms);
                self.leaving.insert(room);
            }
            _ => {}
        }
    }

    /// A message has come, and the journals have been read as far. `late_ms`: so late words of relays may come to owners.
    pub(super) fn hears(
        &mut self,
        text: &str,
        viewer: &UserId,
        shadow: &mut Shadow,
        (now_ms, late_ms): (UnixMs, u64),
    ) {
        if let Ok(Head { t: "frame" | "keyframe" | "rail", room, epoch, seq }) = serde_json::from_str(text) {
            if !self.leaving.contains(&room) {
                shadow.watches(&room, viewer, Position(epoch, seq), now_ms);
            }
            return;
        }
        match serde_json::from_str(text) {
            Ok(ClientOut::Unwatched { room }) => drop(self.leaving.remove(&room)),
            Ok(ClientOut::Error { code: ErrorCode::RailFull, room: Some(room), .. }) => {
                shadow.has_no_place(&room, viewer, now_ms, late_ms);
            }
            _ => {}
        }
    }
}
