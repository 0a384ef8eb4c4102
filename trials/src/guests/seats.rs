//! What guests who look for seats know of tables, and do there alike.

use std::collections::BTreeMap;

use player::{Heard, visitor::Own};
use protocol::{
    id::RoomId,
    table::{ActKind, TableCommand, TableEvent, WaitingList},
};
use rand::RngExt;
use serde_json::value::RawValue;

/// Who waits at each table, as a guest is told.
#[derive(Default)]
pub(super) struct Lists(BTreeMap<RoomId, WaitingList>);

/// Only what is read of a keyframe.
#[derive(serde::Deserialize)]
struct State {
    #[serde(default)]
    waiting_list: WaitingList,
}

impl Lists {
    /// Takes a keyframe's state.
    pub(super) fn see(&mut self, room: RoomId, state: &RawValue) {
        if let Ok(State { waiting_list }) = serde_json::from_str(state.get()) {
            self.0.insert(room, waiting_list);
        }
    }

    /// Takes a frame; passes over everything else.
    pub(super) fn hear(&mut self, heard: &Heard) {
        let Heard::Frame { room, events, .. } = heard else { return };
        for event in events {
            if let TableEvent::WaitingList { waiting_list } = event {
                self.0.insert(room.clone(), (**waiting_list).clone());
            }
        }
    }

    pub(super) fn forget(&mut self, room: &RoomId) {
        self.0.remove(room);
    }

    pub(super) fn at(&self, room: &RoomId) -> Option<&WaitingList> {
        self.0.get(room)
    }

    /// Whether the guest is called to a seat there, and whether it waits for one.
    pub(super) fn stands(&self, own: &Own, room: &RoomId) -> (bool, bool) {
        let (Some(list), Some(me)) = (self.at(room), own.client.user()) else {
            return (false, false);
        };
        let called = list.called.iter().any(|call| call.user == *me);
        (called, list.waiting.iter().any(|waiting| waiting.user == *me))
    }
}

/// Whether the guest has a seat at a table that it sees.
pub(super) fn sits(own: &Own, room: &RoomId) -> bool {
    let me = own.client.user();
    own.client.table(room).zip(me).is_some_and(|(view, me)| view.seat_of(me).is_some())
}

/// What the guest does at a table where it is its turn: it checks, calls or folds.
pub(super) fn turn(own: &mut Own, room: &RoomId) -> Option<TableCommand> {
    let view = own.client.table(room)?;
    let hand = view.hand.as_ref()?;
    let mine = view.seat_of(own.client.user()?);
    let turn = hand.turn.as_ref().filter(|turn| Some(turn.seat) == mine)?;
    let (hand, turn, call) = (hand.hand, turn.turn, turn.call);
    let kind = match call {
        Some(_) if own.rng.random_bool(0.5) => ActKind::Fold,
        Some(_) => ActKind::Call,
        None => ActKind::Check,
    };
    Some(TableCommand::Act { hand, turn, kind, to: None })
}
