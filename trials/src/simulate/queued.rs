//! Judging what a guest is told of those who wait for a seat: what it adds up to is what the journal says, so whoever is called knows it.

use std::collections::BTreeMap;

use protocol::{
    ClientOut,
    id::{Position, RoomId, UserId},
    table::WaitingList,
};

use crate::judge::Shadow;

/// What one guest knows of each table.
#[derive(Debug, Default)]
pub(super) struct Queued(BTreeMap<RoomId, WaitingList>);

/// Only what is read of a keyframe.
#[derive(serde::Deserialize)]
struct State {
    #[serde(default)]
    waiting_list: WaitingList,
}

/// Only what is read of an event.
#[derive(serde::Deserialize)]
struct Happened {
    waiting_list: Option<WaitingList>,
}

impl Queued {
    /// A message has come, and the journals have been read as far.
    pub(super) fn hears(&mut self, text: &str, user: &UserId, shadow: &mut Shadow) {
        let (room, at) = match serde_json::from_str(text) {
            Ok(ClientOut::Keyframe { room, epoch, seq, state, .. }) => {
                let Ok(State { waiting_list }) = serde_json::from_str(state.get()) else { return };
                self.0.insert(room.clone(), waiting_list);
                (room, Position(epoch, seq))
            }
            Ok(ClientOut::Frame { room, epoch, seq, events, .. }) => {
                let events: Vec<Happened> = serde_json::from_str(events.get()).unwrap_or_default();
                if let Some(list) = events.into_iter().rev().find_map(|event| event.waiting_list) {
                    self.0.insert(room.clone(), list);
                }
                (room, Position(epoch, seq))
            }
            _ => return,
        };
        if let Some(list) = self.0.get(&room) {
            shadow.saw_waiting_list(&room, user, at, list);
        }
    }
}
