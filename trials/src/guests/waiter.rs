//! A guest of tables that are full: it waits for a seat, is called, plays for a while and goes again. One that is *rude* asks to wait twice
//! and while it sits, takes seats to which others are called, gives up calls that are not its own, and asks again and again. One that is *absent*
//! keeps seats empty: it waits, and whenever it is called it lets the call run out, gives it up, or sits down and leaves at once; and waits again.

use std::{collections::BTreeSet, sync::Arc};

use player::{
    Heard,
    visitor::{Own, Visitor},
};
use protocol::{
    ClientOut, RefusalCode,
    id::{RoomId, UserId},
    table::{SeatStatus, TableCommand, TableView, WaitingList},
};
use rand::{RngExt, seq::IndexedRandom};
use tokio::time::{Duration, Instant};

use super::seats::{self, Lists};

/// The longest pause between two commands, milliseconds.
const PAUSE_MAX_MS: u64 = 900;

/// How a waiter behaves: see the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manners {
    /// As one should.
    Polite,
    /// Asks for what is not its own.
    Rude,
    /// Keeps seats empty.
    Absent,
}

impl Manners {
    /// One after the other.
    pub(crate) const ALL: [Self; 3] = [Self::Polite, Self::Rude, Self::Absent];
}

/// See the module.
pub(crate) struct Waiter {
    own: Own,
    tables: Arc<[RoomId]>,
    manners: Manners,
    /// Who waits at each table, as it is told.
    lists: Lists,
    /// Tables that it has left with more chips than it brings: it could hold seats that are called to it, and never take one.
    left_with_more: BTreeSet<RoomId>,
}

impl Waiter {
    pub(crate) fn new(
        tables: Arc<[RoomId]>,
        manners: Manners,
        seed: u64,
        token: String,
        now: Instant,
    ) -> Self {
        Self {
            own: Own::new(seed, token, now),
            tables,
            manners,
            lists: Lists::default(),
            left_with_more: BTreeSet::new(),
        }
    }

    fn me(&self) -> UserId {
        self.own.client.user().expect("it is online").clone()
    }

    fn is_rude(&self) -> bool {
        self.manners == Manners::Rude
    }

    fn sits(&self, room: &RoomId) -> bool {
        seats::sits(&self.own, room)
    }

    fn is_listed(&self, room: &RoomId) -> bool {
        self.lists.stands(&self.own, room) != (false, false)
    }

    /// At a table where it has a seat.
    fn plays(&mut self, room: &RoomId) -> Option<TableCommand> {
        let view = self.own.client.table(room)?;
        let seat = view.seat_of(&self.me()).and_then(|seat| view.seats[usize::from(seat)].as_ref())?;
        let (is_broke, is_out) = (seat.stack == 0, seat.status == SeatStatus::SittingOut);
        Some(match self.own.rng.random_range(0..12) {
            _ if self.manners == Manners::Absent => TableCommand::Leave,
            0..2 => TableCommand::Leave,
            2 if self.is_rude() => TableCommand::Wait,
            3 if self.is_rude() => TableCommand::StopWaiting,
            _ if is_broke => TableCommand::Leave,
            4..7 if is_out => TableCommand::ComeBack { wait_for_big_blind: false },
            _ => return None,
        })
    }

    /// At a table where it has none.
    fn waits(&mut self, room: &RoomId) -> Option<TableCommand> {
        if self.left_with_more.contains(room) {
            return self.is_listed(room).then_some(TableCommand::StopWaiting);
        }
        let (me, view) = (self.me(), self.own.client.table(room)?);
        let list = self.lists.at(room).cloned().unwrap_or_default();
        let sit = |seat| TableCommand::Sit { seat, buy_in: 200, wait_for_big_blind: false };
        let is_full = is_full(view, &list);
        let others = list.called.iter().find(|call| call.user != me).map(|call| call.seat);
        let is_called = list.called.iter().any(|call| call.user == me);
        if self.manners == Manners::Absent {
            return Some(match self.own.rng.random_range(0..40) {
                0..2 if is_called => TableCommand::StopWaiting,
                2 if is_called => sit(None),
                _ if self.is_listed(room) => return None,
                _ => TableCommand::Wait,
            });
        }
        Some(match (self.own.rng.random_range(0..12), others) {
            (0..4, Some(seat)) if self.is_rude() => sit(Some(seat)),
            (4..6, _) if self.is_rude() => TableCommand::Wait,
            (6, _) if self.is_rude() => TableCommand::StopWaiting,
            (7.., _) if is_called => sit(None),
            (0, _) if is_called => TableCommand::StopWaiting,
            _ if is_called => return None,
            (1, _) if self.is_listed(room) => TableCommand::StopWaiting,
            _ if self.is_listed(room) => return None,
            _ if is_full => TableCommand::Wait,
            _ => sit(None),
        })
    }

    fn something(&mut self, now: Instant) {
        let at = self.tables.iter().find(|room| self.sits(room)).cloned();
        let Some(room) = at.or_else(|| self.tables.choose(&mut self.own.rng).cloned()) else { return };
        if self.own.client.table(&room).is_none() {
            return self.own.client.watch(&room, now);
        }
        let what = match (self.sits(&room), self.own.stopping) {
            (true, true) => Some(TableCommand::Leave),
            (false, true) => None,
            (true, false) => self.plays(&room),
            (false, false) => self.waits(&room),
        };
        if let Some(what) = what {
            let times = if self.is_rude() && self.own.rng.random_bool(0.2) { 4 } else { 1 };
            for _ in 0..times {
                self.own.client.command(&room, &what, now);
            }
        }
    }

    /// Where it still has or waits for a seat.
    fn is_left(&self) -> bool {
        self.tables.iter().any(|room| self.sits(room) || self.is_listed(room))
    }
}

fn is_full(view: &TableView, list: &WaitingList) -> bool {
    let is_free = |(at, seat): (u8, &Option<_>)| {
        Option::is_none(seat) && !list.called.iter().any(|call| call.seat == at)
    };
    !(0..).zip(&view.seats).any(is_free)
}

impl Visitor for Waiter {
    fn own(&self) -> &Own {
        &self.own
    }

    fn own_mut(&mut self) -> &mut Own {
        &mut self.own
    }

    fn hear(&mut self, text: &str, now: Instant) -> Heard {
        if let Ok(ClientOut::Keyframe { room, state, .. }) = serde_json::from_str(text) {
            self.lists.see(room, &state);
        }
        let heard = self.own.client.receive(text, now);
        if let Heard::Refused(refusal) = &heard
            && refusal.code == Some(RefusalCode::LeftWithMore)
        {
            self.left_with_more.insert(refusal.room.clone());
        }
        self.lists.hear(&heard);
        heard
    }

    fn act(&mut self, now: Instant) {
        let pause = Duration::from_millis(self.own.rng.random_range(0..=PAUSE_MAX_MS));
        self.own.rests_until = now + pause;
        let tables = self.tables.clone();
        let turn = tables.iter().find_map(|room| Some((room, seats::turn(&mut self.own, room)?)));
        if let Some((room, act)) = turn {
            self.own.client.command(room, &act, now);
        } else if self.own.stopping
            && let Some(room) = tables.iter().find(|room| self.is_listed(room))
        {
            self.own.client.command(room, &TableCommand::StopWaiting, now);
        } else if !self.own.stopping && self.own.rng.random_bool(0.02) {
            self.own.vanish = Some(8 * pause);
        } else {
            self.something(now);
        }
    }

    fn is_done(&self) -> bool {
        !self.is_left()
    }
}
