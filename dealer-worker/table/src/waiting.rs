//! The waiting list of a table: who waits for a seat, in which order they are called, and which seat is whose while it is.
//!
//! ```text
//!         wait                   a seat comes free            sit
//!  away ------> waiting (nth) --------------------> called ---------> seated
//!    ^             |                                   |
//!    +-------------+---- stop_waiting, gone for long --+---- 30 s are over: the next is called
//! ```
//!
//! Whoever is called and does not come may not wait again [for a while](super::missed).
//!
//! A seat that comes free is called out by the very decision that frees it, so nobody gets in between. Rooms built around a table say which
//! seats they keep for others, and who may not wait.

use protocol::{
    RefusalCode as Code,
    id::UserId,
    table::{self as wire, Call, WaitingList},
    time::UnixMs,
};
use rooms::{
    planted::{Fault, is_planted},
    room::Refusal,
};
use serde::{Deserialize, Serialize};

use super::{Event, Table, draft::Draft, missed::Missed, names, seating};

/// So many may wait at one table.
pub const WAITING_MAX: usize = 32;

/// A seat is kept for who is called to it for so long.
pub const CALL_MS: UnixMs = 30_000;

/// Whoever waits and is gone for so long waits no more.
pub const AWAY_MS: UnixMs = 60_000;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    line: Vec<Waiter>,
    called: Vec<Called>,
    missed: Missed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiter {
    user: UserId,
    name: String,
    away_since: Option<UnixMs>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Called {
    seat: u8,
    user: UserId,
    name: String,
    until_ms: UnixMs,
}

impl Waiting {
    /// A list as it was stored before it was remembered who misses calls.
    pub(super) fn of(line: Vec<Waiter>, called: Vec<Called>) -> Self {
        Self { line, called, missed: Missed::default() }
    }

    pub(super) fn join(&mut self, user: UserId, name: String) {
        self.line.push(Waiter { user, name, away_since: None });
    }

    pub(super) fn away(&mut self, user: &UserId, since: Option<UnixMs>) {
        self.line
            .iter_mut()
            .filter(|waiter| waiter.user == *user)
            .for_each(|waiter| waiter.away_since = since);
    }

    pub(super) fn call(&mut self, seat: u8, user: &UserId, until_ms: UnixMs) {
        if let Some(called) = self.called.iter_mut().find(|called| called.user == *user) {
            called.until_ms = until_ms;
        } else if let Some(at) = self.line.iter().position(|waiter| waiter.user == *user) {
            let Waiter { user, name, .. } = self.line.remove(at);
            self.called.push(Called { seat, user, name, until_ms });
        }
    }

    pub(super) fn forget(&mut self, user: &UserId) {
        self.line.retain(|waiter| waiter.user != *user);
        self.called.retain(|called| called.user != *user);
    }

    /// A user has taken a seat.
    pub(super) fn sits(&mut self, user: &UserId) {
        if self.seat_of(user).is_some() {
            self.missed.came(user.clone());
        }
        self.forget(user);
    }

    /// These have been dealt a hand.
    pub(super) fn have_come(&mut self, is_dealt_in: impl Fn(&UserId) -> bool) {
        self.missed.settled(is_dealt_in);
    }

    pub(super) fn miss(&mut self, user: &UserId, at_ms: UnixMs, until_ms: UnixMs) {
        self.forget(user);
        if !is_planted(Fault::ForgivesMissedCalls) {
            self.missed.miss(user.clone(), at_ms, until_ms);
        }
    }

    /// The seat to which a user is called.
    pub(super) fn seat_of(&self, user: &UserId) -> Option<u8> {
        self.called.iter().find(|called| called.user == *user).map(|called| called.seat)
    }

    /// Whether a seat is kept for somebody else than this user.
    pub(super) fn is_others(&self, seat: u8, user: &UserId) -> bool {
        let is_others = |called: &Called| called.seat == seat && called.user != *user;
        !is_planted(Fault::SeatsOverCalls) && self.called.iter().any(is_others)
    }

    /// How many seats are kept.
    pub(super) fn kept(&self) -> usize {
        self.called.len()
    }

    /// How many wait.
    pub(super) fn in_line(&self) -> usize {
        self.line.len()
    }

    /// All who are called.
    pub(super) fn called(&self) -> impl Iterator<Item = &UserId> {
        self.called.iter().map(|called| &called.user)
    }

    /// All who wait or are called.
    pub(super) fn users(&self) -> impl Iterator<Item = &UserId> {
        let called = self.called.iter().map(|called| &called.user);
        called.chain(self.line.iter().map(|waiter| &waiter.user))
    }

    fn has(&self, user: &UserId) -> bool {
        self.users().any(|known| known == user)
    }

    fn is_called_out(&self, seat: u8) -> bool {
        self.called.iter().any(|called| called.seat == seat)
    }

    /// Who is called next: the first who is there.
    fn next(&self) -> Option<&Waiter> {
        let mut here = self.line.iter().filter(|waiter| waiter.away_since.is_none());
        if is_planted(Fault::CallsTheLast) { here.next_back() } else { here.next() }
    }

    /// What everybody sees.
    pub(super) fn view(&self) -> WaitingList {
        let waiting = self.line.iter().map(|waiter| wire::Waiting {
            user: waiter.user.clone(),
            name: waiter.name.clone(),
            away: waiter.away_since.is_some(),
        });
        let called = self.called.iter().map(|called| Call {
            seat: called.seat,
            user: called.user.clone(),
            name: called.name.clone(),
            until_ms: called.until_ms,
        });
        WaitingList { waiting: waiting.collect(), called: called.collect() }
    }
}

/// When something of this is due.
pub fn deadline(table: &Table) -> Option<UnixMs> {
    let Waiting { line, called, missed: _ } = &table.waiting;
    let away = line.iter().filter_map(|waiter| waiter.away_since).map(|since| since + AWAY_MS);
    away.chain(called.iter().map(|called| called.until_ms)).min()
}

/// Everybody who waits or is called.
pub fn users(table: &Table) -> Vec<UserId> {
    table.waiting.users().cloned().collect()
}

/// The seat to which a user is called.
pub fn called_to(table: &Table, user: &UserId) -> Option<u8> {
    table.waiting.seat_of(user)
}

/// The chips of these are on their way to the seats to which they were called. Where the time of a call is over meanwhile, that is not
/// their fault.
pub fn have_come<'a>(draft: &mut Draft, users: impl Iterator<Item = &'a UserId>) {
    let now = draft.now;
    let is_over = |table: &Table, user: &UserId| {
        table.waiting.called.iter().any(|called| called.user == *user && called.until_ms <= now)
    };
    users.for_each(|user| {
        if is_over(&draft.table, user) {
            forget(draft, user);
        }
    });
}

/// Somebody wants to wait at a table on which all seats are taken, or [kept](call) by the room around it.
///
/// # Errors
/// A [`Refusal`].
pub fn join(
    draft: &mut Draft,
    user: &UserId,
    name: &str,
    is_kept: impl Fn(u8) -> bool,
) -> Result<(), Refusal> {
    let table = &draft.table;
    if table.waiting.has(user) {
        return Err(Refusal::new(Code::Unchanged, "you are on the waiting list already"));
    }
    match seating::free_seat(table, user, None, is_kept) {
        Ok(_) => return Err(Refusal::new(Code::Illegal, "a seat is free: sit down")),
        Err(refusal) if refusal.code == Code::AlreadySeated => return Err(refusal),
        Err(_) => {}
    }
    if let Some(until_ms) = table.waiting.missed.until(user, draft.now) {
        let why = "you have not come when you were called: you may wait here again after a while";
        return Err(Refusal::for_now(Code::CallMissed, why, until_ms - draft.now));
    }
    if table.waiting.in_line() >= WAITING_MAX {
        return Err(Refusal::new(Code::TooMany, format!("{WAITING_MAX} wait for a seat here already")));
    }
    let name = names::shown(table, user, name);
    draft.emit(Event::Waits { user: user.clone(), name });
    Ok(())
}

/// Somebody is put on the list who has not asked for it here: he waited elsewhere, where he was sent to this table. Nothing follows if he sits or
/// waits here already.
pub fn bring(draft: &mut Draft, user: &UserId, name: &str) {
    let table = &draft.table;
    if table.seat_of(user).is_none() && !table.waiting.has(user) {
        let name = names::shown(table, user, name);
        draft.emit(Event::Waits { user: user.clone(), name });
    }
}

/// How many are called, and how many wait.
pub fn count(table: &Table) -> (usize, usize) {
    (table.waiting.kept(), table.waiting.in_line())
}

/// Somebody wants to wait no more, or not to take the seat to which he is called.
///
/// # Errors
/// A [`Refusal`]: he does not wait.
pub fn stop(draft: &mut Draft, user: &UserId) -> Result<(), Refusal> {
    if !draft.table.waiting.has(user) {
        return Err(Refusal::new(Code::Unchanged, "you are not on the waiting list"));
    }
    if draft.table.waiting.seat_of(user).is_some() {
        miss(draft, user);
    } else {
        forget(draft, user);
    }
    Ok(())
}

/// Somebody has missed a call.
fn miss(draft: &mut Draft, user: &UserId) {
    let (at_ms, until_ms) = (draft.now, draft.table.waiting.missed.pause_of(user, draft.now));
    draft.emit(Event::CallMissed { user: user.clone(), at_ms, until_ms });
}

/// Somebody has left. If he was called and has played no hand, that is as if he had not come: the seat was empty for nothing.
pub(super) fn left(draft: &mut Draft, user: &UserId) {
    if draft.table.waiting.missed.has_not_played(user) {
        miss(draft, user);
    }
}

/// Takes somebody off the list, if he is on it.
pub fn forget(draft: &mut Draft, user: &UserId) {
    if draft.table.waiting.has(user) {
        draft.emit(Event::WaitsNoMore { user: user.clone() });
    }
}

/// The connection of somebody who waits is gone, or is back.
pub(super) fn away(draft: &mut Draft, user: &UserId, away: bool) {
    let waiter = draft.table.waiting.line.iter().find(|waiter| waiter.user == *user);
    if waiter.is_some_and(|waiter| waiter.away_since.is_some() != away) {
        let since_ms = away.then_some(draft.now);
        draft.emit(Event::WaiterAway { user: user.clone(), since_ms });
    }
}

/// Whoever was called and has not come, or was gone for too long, is on the list no more.
pub fn time_over(draft: &mut Draft) {
    let now = draft.now;
    let Waiting { line, called, missed: _ } = &draft.table.waiting;
    let is_gone = |waiter: &&Waiter| waiter.away_since.is_some_and(|since| since + AWAY_MS <= now);
    let gone: Vec<UserId> = line.iter().filter(is_gone).map(|waiter| waiter.user.clone()).collect();
    let is_silent = |called: &&Called| called.until_ms <= now;
    let silent: Vec<UserId> = called.iter().filter(is_silent).map(|called| called.user.clone()).collect();
    silent.iter().for_each(|user| miss(draft, user));
    gone.iter().for_each(|user| forget(draft, user));
}

/// The table has a new owner: whoever is called has a little time at least.
pub(super) fn taken_over(draft: &mut Draft, until_ms: UnixMs) {
    let short: Vec<(u8, UserId)> = {
        let called = draft.table.waiting.called.iter().filter(|called| called.until_ms < until_ms);
        called.map(|called| (called.seat, called.user.clone())).collect()
    };
    short.into_iter().for_each(|(seat, user)| draft.emit(Event::Called { seat, user, until_ms }));
}

/// Calls those who are next to the seats that are free and that nobody else keeps. Said at the end of every decision.
pub fn call(draft: &mut Draft, is_kept: impl Fn(u8) -> bool) {
    for seat in 0..draft.table.config().seats {
        let table = &draft.table;
        let is_free = table.seated(seat).is_none() && !table.waiting.is_called_out(seat) && !is_kept(seat);
        let Some(next) = table.waiting.next().filter(|_| is_free) else { continue };
        let (user, until_ms) = (next.user.clone(), draft.now + CALL_MS);
        draft.emit(Event::Called { seat, user, until_ms });
    }
}
