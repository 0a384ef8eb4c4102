//! Who may take which seat at a table with a waiting list: from what its journal shows, told anew and by other means than the table itself has.

use std::collections::BTreeMap;

use broker::{
    entry::{Entry, Kind},
    seal::Form,
};
use protocol::{
    hosted::HostedView,
    id::{Position, RoomId, UserId},
    table::{Call, TableEvent, WaitingList},
    time::UnixMs,
};

use super::{Promise, Shadow, journal::keep};

/// See the module.
#[derive(Default)]
pub(super) struct Usher {
    /// As it was told last; nothing before the first keyframe, and after a loss.
    list: Option<WaitingList>,
    /// Who sits where.
    seats: Vec<Option<UserId>>,
    /// Seats that wait for chips.
    reserved: Vec<u8>,
    /// At a table that a player has opened.
    hosted: Option<HostedView>,
    /// The list after the frames, to compare with clients'.
    seen: BTreeMap<Position, WaitingList>,
    /// The last entry's record has no list: a worker that has just started does not know yet who reads what, and writes as the first release did.
    /// Whoever takes the table over then knows of no list.
    writes_no_list: bool,
    /// How many have sat down to whom the seat was called.
    pub(super) seated: u64,
    /// When somebody has missed a call for the last time.
    absent: BTreeMap<UserId, UnixMs>,
    /// Who has sat down to whom the seat was called, and has been dealt no hand.
    came: Vec<UserId>,
    /// How many calls were missed.
    pub(super) missed: u64,
}

/// Whoever has missed a call waits at the table no sooner.
const ABSENT_MS: UnixMs = 5 * 60_000;

/// What is read of a keyframe.
#[derive(serde::Deserialize)]
struct State {
    seats: Vec<Option<Seat>>,
    #[serde(default)]
    waiting_list: WaitingList,
    #[serde(default)]
    reserved: Vec<Reserved>,
    hosted: Option<HostedView>,
}

#[derive(serde::Deserialize)]
struct Seat {
    user: UserId,
}

#[derive(serde::Deserialize)]
struct Reserved {
    seat: u8,
}

/// An entry's public part.
#[derive(serde::Deserialize)]
struct Text {
    #[serde(default)]
    events: Vec<TableEvent>,
    state: Option<State>,
}

impl Usher {
    /// Takes an entry of a table. `lossy`: the broker may have lost some; `of_queue`: its queue sends players there.
    pub(super) fn take(
        &mut self,
        room: &RoomId,
        entry: &Entry,
        (lossy, of_queue): (bool, bool),
        broken: &mut Vec<(Promise, String)>,
    ) {
        if !matches!(entry.kind, Kind::Keyframe | Kind::Delta) {
            return;
        }
        let Ok(Text { events, state }) = serde_json::from_slice::<Text>(&entry.public) else { return };
        let mut accuse =
            |what: String| broken.push((Promise::Called, format!("{room} {}: {what}", entry.at)));
        if let Some(state) = state {
            let is_forgotten = self.writes_no_list && state.waiting_list.is_empty();
            if self.writes_no_list {
                // Nor does its record say who has missed a call.
                self.absent.clear();
            }
            let is_as_told = self.list.as_ref().is_none_or(|known| *known == state.waiting_list);
            if !is_as_told && !is_forgotten && !lossy {
                accuse("the keyframe's waiting list is not what was told".into());
            }
            self.seats = state.seats.into_iter().map(|seat| seat.map(|seat| seat.user)).collect();
            self.reserved = state.reserved.into_iter().map(|reserved| reserved.seat).collect();
            (self.list, self.hosted) = (Some(state.waiting_list), state.hosted);
        } else {
            let Some(before) = self.list.clone() else { return };
            let mut seated = Vec::new();
            for event in &events {
                self.see(event, &before, &mut seated, entry, &mut accuse);
            }
            let is_sent = of_queue && entry.cause.is_none();
            self.judge(&before, entry, &seated, is_sent, &mut accuse);
            self.judge_absent(&before, entry, &seated, is_sent, &mut accuse);
        }
        self.writes_no_list = entry.secret.first() != Some(&(Form::Versioned as u8));
        if let Some(list) = &self.list {
            keep(&mut self.seen, entry.at, list.clone());
        }
    }

    fn see(
        &mut self,
        event: &TableEvent,
        before: &WaitingList,
        seated: &mut Vec<UserId>,
        entry: &Entry,
        accuse: &mut impl FnMut(String),
    ) {
        match event {
            TableEvent::Seated { seat, user, .. } => {
                let called = before.called.iter().find(|call| call.seat == *seat);
                match called {
                    Some(call) if call.user != *user => {
                        accuse(format!("seat {seat} is called to {}, and {user} sits down there", call.user));
                    }
                    Some(_) => {
                        self.seated += 1;
                        self.came.push(user.clone());
                    }
                    None => {}
                }
                self.put(*seat, Some(user.clone()));
                self.reserved.retain(|reserved| reserved != seat);
                seated.push(user.clone());
            }
            TableEvent::Reserved { seat, user, .. } => {
                if before.called.iter().any(|call| call.seat == *seat && call.user != *user) {
                    accuse(format!("seat {seat} is called to another, and waits for chips of {user}"));
                }
                self.reserved.push(*seat);
                // Whoever waits for chips has been given a seat.
                seated.push(user.clone());
            }
            TableEvent::Freed { seat } => self.reserved.retain(|reserved| reserved != seat),
            TableEvent::HandStarted { seats, .. } => {
                let dealt_in: Vec<_> = seats.iter().filter_map(|seat| self.user_at(*seat).cloned()).collect();
                self.came.retain(|user| !dealt_in.contains(user));
            }
            TableEvent::Left { seat, .. } => {
                let user = self.user_at(*seat).cloned();
                if let Some(user) = user.filter(|user| self.came.contains(user)) {
                    self.misses(user, entry);
                }
                self.put(*seat, None);
            }
            TableEvent::Hosted { hosted } => self.hosted = Some((**hosted).clone()),
            TableEvent::WaitingList { waiting_list } => self.list = Some((**waiting_list).clone()),
            _ => {}
        }
    }

    fn put(&mut self, seat: u8, user: Option<UserId>) {
        if let Some(place) = self.seats.get_mut(usize::from(seat)) {
            *place = user;
        }
    }

    /// Judges what has become of the list. `is_sent`: whoever is new on it may have been sent there.
    fn judge(
        &self,
        before: &WaitingList,
        entry: &Entry,
        seated: &[UserId],
        is_sent: bool,
        accuse: &mut impl FnMut(String),
    ) {
        let Some(WaitingList { waiting, called }) = &self.list else { return };
        let waits = |user: &UserId| waiting.iter().any(|waiting| waiting.user == *user);
        let is_called = |user: &UserId| called.iter().any(|call| call.user == *user);
        for call in called.iter().filter(|call| !before.called.iter().any(|known| known.user == call.user)) {
            let at = before.waiting.iter().position(|waiting| waiting.user == call.user);
            let Some(at) = at else {
                if !is_sent {
                    accuse(format!("{} is called, and has not waited", call.user));
                }
                continue;
            };
            let ahead = before.waiting[..at].iter().map(|ahead| &ahead.user);
            let here = |user: &&UserId| waiting.iter().any(|waiting| waiting.user == **user && !waiting.away);
            if let Some(passed) = ahead.into_iter().find(here) {
                accuse(format!("{} is called before {passed}, who came before", call.user));
            }
        }
        for call in &before.called {
            let lasts = is_called(&call.user) || seated.contains(&call.user);
            if !lasts && !self.may_end(call, entry) {
                accuse(format!("the call of {} has ended too soon", call.user));
            }
        }
        let stay = before.waiting.iter().map(|waiting| &waiting.user).filter(|user| waits(user));
        let stay: Vec<&UserId> = stay.collect();
        let now: Vec<&UserId> = waiting.iter().map(|waiting| &waiting.user).collect();
        if !now.starts_with(&stay) {
            accuse(format!("the order of the waiting list has changed: {stay:?}, now {now:?}"));
        }
        let all = now.iter().copied().chain(called.iter().map(|call| &call.user));
        let mut all: Vec<&UserId> = all.collect();
        all.sort_unstable();
        if all.windows(2).any(|two| two[0] == two[1]) {
            accuse(format!("somebody waits twice: {all:?}"));
        }
        if let Some(user) = self.seats.iter().flatten().find(|user| all.contains(user)) {
            accuse(format!("{user} sits at the table, and waits for a seat"));
        }
        if let Some(call) = called.iter().find(|call| self.user_at(call.seat).is_some()) {
            accuse(format!("{} is called to seat {}, where somebody sits", call.user, call.seat));
        }
        let kept = self.hosted.iter().flat_map(|hosted| &hosted.kept).map(|kept| kept.seat);
        let kept: Vec<u8> =
            kept.chain(self.reserved.iter().copied()).chain(called.iter().map(|call| call.seat)).collect();
        let is_free = |seat: &u8| self.user_at(*seat).is_none() && !kept.contains(seat);
        let free = (0..).take(self.seats.len()).find(is_free);
        if let Some((seat, waiting)) = free.zip(waiting.iter().find(|waiting| !waiting.away)) {
            accuse(format!("seat {seat} is free, and {}, who waits, is not told", waiting.user));
        }
    }

    /// Whoever does not come when he is called does not wait again for a while.
    fn judge_absent(
        &mut self,
        before: &WaitingList,
        entry: &Entry,
        seated: &[UserId],
        is_sent: bool,
        accuse: &mut impl FnMut(String),
    ) {
        let Some(WaitingList { waiting, called }) = self.list.clone() else { return };
        let is_new = |user: &UserId| !before.waiting.iter().any(|known| known.user == *user);
        for user in waiting.iter().map(|waiting| &waiting.user).filter(|user| is_new(user) && !is_sent) {
            let since =
                self.absent.get(user).zip(entry.at_ms).map(|(missed, now)| now.saturating_sub(*missed));
            if let Some(since) = since.filter(|since| *since < ABSENT_MS) {
                accuse(format!("{user} has missed a call, and waits again {since} ms later"));
            }
        }
        for call in &before.called {
            let has_come = seated.contains(&call.user) || self.reserved.contains(&call.seat);
            let lasts = has_come || called.iter().any(|known| known.user == call.user);
            // What a host does ends calls, too.
            let by_himself =
                entry.cause.as_ref().map_or(self.is_over(call, entry), |cause| cause.user == call.user);
            if !lasts && by_himself {
                self.misses(call.user.clone(), entry);
            }
        }
    }

    fn is_over(&self, call: &Call, entry: &Entry) -> bool {
        entry.at_ms.is_some_and(|at_ms| at_ms >= call.until_ms)
    }

    fn misses(&mut self, user: UserId, entry: &Entry) {
        self.came.retain(|came| *came != user);
        self.missed += 1;
        self.absent.extend(entry.at_ms.map(|at_ms| (user, at_ms)));
    }

    fn user_at(&self, seat: u8) -> Option<&UserId> {
        self.seats.get(usize::from(seat))?.as_ref()
    }

    /// Whether a call may be over though nobody has sat down: its time is, or whoever was called has said so, or the host.
    fn may_end(&self, call: &Call, entry: &Entry) -> bool {
        let is_over = entry.at_ms.is_none_or(|at_ms| at_ms >= call.until_ms);
        let has_said = entry.cause.as_ref().is_some_and(|cause| cause.user == call.user);
        is_over || has_said || self.hosted.is_some()
    }

    /// The broker has lost what came after that.
    pub(super) fn forget(&mut self) {
        *self = Self { seated: self.seated, missed: self.missed, ..Self::default() };
    }
}

impl Shadow {
    /// Judges a client's waiting list: whoever is called was told.
    pub fn saw_waiting_list(&mut self, room: &RoomId, user: &UserId, at: Position, list: &WaitingList) {
        let Some(ours) = self.rooms.get(room).and_then(|journal| journal.usher.seen.get(&at)) else { return };
        if ours != list && self.losses == 0 {
            let what = format!("{room} {at}: {user} sees another waiting list than the journal");
            self.accuse(Promise::Called, what);
        }
    }

    /// How many calls were missed.
    pub fn calls_missed(&self) -> u64 {
        self.rooms.values().map(|journal| journal.usher.missed).sum()
    }

    /// How many have sat down to whom the seat was called.
    pub fn called_and_seated(&self) -> u64 {
        self.rooms.values().map(|journal| journal.usher.seated).sum()
    }
}
