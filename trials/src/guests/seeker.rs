//! A guest who looks for a seat and waits in a queue: it is sent to a table, sits down when it is called, plays for a while and goes. One that is *rude*
//! asks to wait again and again and gives up places that it has not, and takes seats to which others are called. One that is *absent* has tables
//! opened and does not come.

use std::collections::BTreeSet;

use player::{
    Heard,
    visitor::{Own, Visitor},
};
use protocol::{
    ClientOut, ErrorCode, RefusalCode,
    id::{RoomId, UserId},
    queue::{QueueCommand, QueuePrivate},
    table::{SeatStatus, TableCommand},
};
use rand::{RngExt, seq::IteratorRandom};
use serde_json::value::to_raw_value;
use tokio::time::{Duration, Instant};

use super::{
    seats::{self, Lists},
    waiter::Manners,
};

/// The longest pause between two commands, milliseconds.
const PAUSE_MAX_MS: u64 = 900;

/// See the module.
pub(crate) struct Seeker {
    own: Own,
    queue: RoomId,
    manners: Manners,
    /// What the queue has told it last.
    told: QueuePrivate,
    /// Tables to which it was sent and that are not gone.
    tables: BTreeSet<RoomId>,
    lists: Lists,
}

impl Seeker {
    pub(crate) fn new(queue: RoomId, manners: Manners, seed: u64, token: String, now: Instant) -> Self {
        Self {
            own: Own::new(seed, token, now),
            queue,
            manners,
            told: QueuePrivate::default(),
            tables: BTreeSet::new(),
            lists: Lists::default(),
        }
    }

    fn me(&self) -> UserId {
        self.own.client.user().expect("it is online").clone()
    }

    fn asks(&mut self, what: QueueCommand, now: Instant) {
        let raw = to_raw_value(&what).expect("JSON");
        self.own.client.raw_command(&self.queue, raw, now);
    }

    fn sits(&self, room: &RoomId) -> bool {
        seats::sits(&self.own, room)
    }

    /// Whether it is called to a seat there, and whether it waits for one.
    fn stands(&self, room: &RoomId) -> (bool, bool) {
        self.lists.stands(&self.own, room)
    }

    /// Whether it has a seat or waits for one at a table to which it was sent.
    fn is_somewhere(&self) -> bool {
        self.tables.iter().any(|room| self.sits(room) || self.stands(room) != (false, false))
    }

    /// At a table to which it was sent.
    fn visits(&mut self, room: &RoomId) -> Option<TableCommand> {
        let sit = |seat| TableCommand::Sit { seat, buy_in: 200, wait_for_big_blind: false };
        let (is_called, waits) = self.stands(room);
        if self.own.stopping {
            return match self.sits(room) {
                true => Some(TableCommand::Leave),
                false => (is_called || waits).then_some(TableCommand::StopWaiting),
            };
        }
        let dice = self.own.rng.random_range(0..14);
        if self.sits(room) {
            let me = self.me();
            let view = self.own.client.table(room)?;
            let seat = view.seat_of(&me).and_then(|seat| view.seats[usize::from(seat)].as_ref())?;
            let is_out = seat.status == SeatStatus::SittingOut;
            return match dice {
                0 => Some(TableCommand::Leave),
                _ if seat.stack == 0 || self.manners == Manners::Absent => Some(TableCommand::Leave),
                1..6 if is_out => Some(TableCommand::ComeBack { wait_for_big_blind: false }),
                _ => None,
            };
        }
        let others = self.lists.at(room).into_iter().flat_map(|list| &list.called);
        let others = others.map(|call| call.seat).choose(&mut self.own.rng);
        match (self.manners, dice) {
            (Manners::Absent, 0) if is_called => Some(TableCommand::StopWaiting),
            (Manners::Absent, 1) if is_called => Some(sit(None)),
            (Manners::Absent, _) => None,
            (Manners::Rude, 0..4) => Some(sit(others)),
            (Manners::Rude, 4) => Some(TableCommand::Wait),
            (_, 5) if is_called => Some(TableCommand::StopWaiting),
            _ if is_called => Some(sit(None)),
            _ => None,
        }
    }

    fn something(&mut self, now: Instant) {
        if self.own.client.position(&self.queue).is_none() {
            return self.own.client.watch(&self.queue.clone(), now);
        }
        let unseen = self.tables.iter().find(|room| self.own.client.table(room).is_none()).cloned();
        if let Some(room) = unseen {
            return self.own.client.watch(&room, now);
        }
        for room in self.tables.clone() {
            if let Some(what) = self.visits(&room) {
                self.own.client.command(&room, &what, now);
                return;
            }
        }
        let waits = self.told.place.is_some();
        if self.own.stopping {
            if waits {
                self.asks(QueueCommand::Leave, now);
            }
            return;
        }
        let is_somewhere = self.is_somewhere();
        match self.own.rng.random_range(0..20) {
            0 if waits => self.asks(QueueCommand::Leave, now),
            0..4 if self.is_rude() => (0..3).for_each(|_| self.asks(QueueCommand::Join, now)),
            4 if self.is_rude() => self.asks(QueueCommand::Leave, now),
            5.. if !waits && !is_somewhere => self.asks(QueueCommand::Join, now),
            _ => {}
        }
    }

    fn is_rude(&self) -> bool {
        self.manners == Manners::Rude
    }
}

impl Visitor for Seeker {
    fn own(&self) -> &Own {
        &self.own
    }

    fn own_mut(&mut self) -> &mut Own {
        &mut self.own
    }

    fn hear(&mut self, text: &str, now: Instant) -> Heard {
        match serde_json::from_str(text) {
            Ok(ClientOut::Private { room, private, .. }) if room == self.queue => {
                self.told = serde_json::from_str(private.get()).unwrap_or_default();
                self.tables.extend(self.told.room.clone());
            }
            Ok(ClientOut::Keyframe { room, state, .. }) => {
                self.lists.see(room, &state);
            }
            _ => {}
        }
        let heard = self.own.client.receive(text, now);
        self.lists.hear(&heard);
        let gone = match &heard {
            Heard::Unwatched(room) => Some(room.clone()),
            Heard::Error { code: ErrorCode::NoSuchRoom, room } => room.clone(),
            Heard::Refused(refusal) if refusal.code == Some(RefusalCode::NoSuchRoom) => {
                Some(refusal.room.clone())
            }
            _ => None,
        };
        if let Some(room) = gone {
            self.tables.remove(&room);
            self.lists.forget(&room);
        }
        heard
    }

    fn act(&mut self, now: Instant) {
        let pause = Duration::from_millis(self.own.rng.random_range(0..=PAUSE_MAX_MS));
        self.own.rests_until = now + pause;
        let turn =
            self.tables.iter().find_map(|room| Some((room.clone(), seats::turn(&mut self.own, room)?)));
        if let Some((room, act)) = turn {
            self.own.client.command(&room, &act, now);
        } else if !self.own.stopping && self.own.rng.random_bool(0.01) {
            self.own.vanish = Some(6 * pause);
        } else {
            self.something(now);
        }
    }

    fn is_done(&self) -> bool {
        self.told.place.is_none() && !self.is_somewhere()
    }
}
