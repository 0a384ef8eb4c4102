//! Where a queue sends those who wait: from what it tells each of them, and from who appears on its tables' lists.

use std::collections::{BTreeMap, BTreeSet};

use broker::{
    entry::{Entry, Kind},
    seal::Sealer,
};
use protocol::{
    id::{RoomId, UserId},
    queue::QueuePrivate,
    table::{TableEvent, WaitingList},
};
use queue::{QueueTable, at_table};
use rooms::room::record::{DeltaOf, open};

use super::{Promise, Shadow};

/// See the module.
#[derive(Default)]
pub(super) struct Attendant {
    queue: Option<RoomId>,
    /// Who was told that he waits.
    waiting: BTreeSet<UserId>,
    sealer: Option<Sealer>,
    /// Who was sent to which table, and has not appeared there since.
    sent: BTreeMap<RoomId, Vec<Sent>>,
    /// Who was ever sent to which table, and how many were by then: of whom it has heard it keeps on its list, though the queue has sent him to
    /// another since.
    ever: BTreeMap<(RoomId, UserId), u64>,
    /// Who was sent on though he does not wait, and to which tables he was on the way then: one of them has to have closed.
    sent_on: Vec<(String, Vec<RoomId>)>,
    /// Tables that are no more.
    ended: BTreeSet<RoomId>,
    /// How many were sent to each table, and of how many it has heard.
    letters: BTreeMap<RoomId, (u64, u64)>,
    /// Who waits, is called or sits at each table.
    at_tables: BTreeMap<RoomId, At>,
    /// How many have appeared where they were sent.
    served: u64,
}

/// Somebody who was sent to a table.
struct Sent {
    user: UserId,
    /// He was there already, or on his way there.
    was_there: bool,
    /// How many were sent there, with him.
    number: u64,
}

/// Who is at a table.
#[derive(Default)]
struct At {
    listed: BTreeSet<UserId>,
    seats: BTreeMap<u8, UserId>,
}

/// A part of one user's.
#[derive(serde::Deserialize)]
struct OwnPart {
    private: QueuePrivate,
}

/// An entry's public part.
#[derive(serde::Deserialize)]
struct Text {
    #[serde(default)]
    events: Vec<TableEvent>,
}

impl Attendant {
    pub(super) fn of(queue: RoomId, sealer: Sealer) -> Self {
        Self { queue: Some(queue), sealer: Some(sealer), ..Self::default() }
    }

    fn is_queue(&self, room: &RoomId) -> bool {
        self.queue.as_ref() == Some(room)
    }

    pub(super) fn has_table(&self, room: &RoomId) -> bool {
        let queue = self.queue.as_ref().map(RoomId::as_str);
        queue.and_then(|queue| room.as_str().strip_prefix(queue)).is_some_and(|rest| rest.starts_with('.'))
    }

    /// Takes an entry of the queue, or of one of its tables.
    pub(super) fn take(&mut self, room: &RoomId, entry: &Entry, broken: &mut Vec<(Promise, String)>) {
        if entry.kind == Kind::End {
            self.ended.insert(room.clone());
            // Of whom it has not heard the queue has taken back.
            let (_, heard) = self.letters.get(room).copied().unwrap_or_default();
            self.sent.entry(room.clone()).or_default().retain(|sent| sent.number <= heard);
        }
        if entry.kind != Kind::Delta {
            return;
        }
        let mut accuse =
            |what: String| broken.push((Promise::Served, format!("{room} {}: {what}", entry.at)));
        if self.is_queue(room) {
            for part in &entry.privates {
                let Ok(OwnPart { private }) = serde_json::from_slice(&part.bytes) else { continue };
                let has_asked = entry.cause.as_ref().is_some_and(|cause| cause.user == part.user);
                self.told(&part.user, has_asked, private, &mut accuse);
            }
        } else if let Ok(Text { events }) = serde_json::from_slice(&entry.public) {
            let more = self.heard_in(entry);
            let (_, heard) = self.letters.entry(room.clone()).or_default();
            *heard += more;
            events.iter().for_each(|event| self.see(room, entry, event, &mut accuse));
        }
    }

    /// Of how many a table has heard in this entry: what its record says.
    fn heard_in(&self, entry: &Entry) -> u64 {
        let now = entry.at_ms.unwrap_or_default();
        let delta = self.sealer.as_ref().map(|sealer| open::<DeltaOf<'_, QueueTable>>(sealer, entry, now));
        let Some(Ok(DeltaOf(delta))) = delta else { return 0 };
        delta.events.iter().filter(|event| matches!(event, at_table::Event::Heard)).count() as u64
    }

    fn told(&mut self, user: &UserId, has_asked: bool, what: QueuePrivate, accuse: &mut impl FnMut(String)) {
        if what.place.is_some() {
            // A table to which he was on the way has closed.
            if !has_asked {
                self.sent.values_mut().for_each(|users| users.retain(|sent| sent.user != *user));
            }
            self.waiting.insert(user.clone());
            return;
        }
        let has_waited = self.waiting.remove(user) || has_asked;
        let Some(table) = what.room else { return };
        // The table to which he was on the way has closed, and there is a seat at another one.
        let is_redirected = !has_waited && self.takes_back(user, &table);
        if !has_waited && !is_redirected {
            let what = format!("{user} is sent to {table}, and does not wait");
            // Or he was on the way to several, since he has waited again each time; the first that closes gives him a place in line, and so does
            // each further one.
            match self.on_the_way_to(user, &table) {
                tables if tables.is_empty() => accuse(what),
                tables => self.sent_on.push((what, tables)),
            }
        }
        // Whoever waits again before he has come may be sent to the same table once more, which has him on its list by then.
        let on_the_way = self.sent.get(&table).is_some_and(|all| all.iter().any(|sent| sent.user == *user));
        let was_there = on_the_way || self.at_tables.get(&table).is_some_and(|at| at.has(user));
        let (number, _) = self.letters.entry(table.clone()).or_default();
        *number += 1;
        let sent = Sent { user: user.clone(), was_there, number: *number };
        self.ever.insert((table.clone(), user.clone()), *number);
        self.sent.entry(table).or_default().push(sent);
    }

    /// He does not come to any table but this one. Whether he was on the way to another.
    fn takes_back(&mut self, user: &UserId, but: &RoomId) -> bool {
        let others = self.sent.iter_mut().filter(|(table, _)| *table != but);
        let mut is_on_the_way = false;
        for (_, users) in others {
            let before = users.len();
            users.retain(|sent| sent.user != *user);
            is_on_the_way |= users.len() < before;
        }
        is_on_the_way
    }

    /// To which tables but this one he was ever sent that have not heard of it.
    fn on_the_way_to(&self, user: &UserId, but: &RoomId) -> Vec<RoomId> {
        let to = self.ever.iter().filter(|((table, sent), number)| {
            let (_, heard) = self.letters.get(table).copied().unwrap_or_default();
            sent == user && table != but && **number > heard
        });
        to.map(|((table, _), _)| table.clone()).collect()
    }

    fn see(&mut self, room: &RoomId, entry: &Entry, event: &TableEvent, accuse: &mut impl FnMut(String)) {
        let at = self.at_tables.entry(room.clone()).or_default();
        match event {
            TableEvent::Seated { seat, user, .. } => {
                at.seats.insert(*seat, user.clone());
                self.arrives(room, user);
            }
            TableEvent::Left { seat, .. } => _ = at.seats.remove(seat),
            TableEvent::WaitingList { waiting_list } => {
                let WaitingList { waiting, called } = &**waiting_list;
                let all = waiting.iter().map(|waiting| &waiting.user);
                let now: BTreeSet<UserId> =
                    all.chain(called.iter().map(|call| &call.user)).cloned().collect();
                let before = std::mem::replace(&mut at.listed, now.clone());
                for user in now.difference(&before) {
                    let by_himself = entry.cause.as_ref().is_some_and(|cause| cause.user == *user);
                    let was_sent =
                        self.arrives(room, user) || self.ever.contains_key(&(room.clone(), user.clone()));
                    if !was_sent && !by_himself {
                        accuse(format!("{user} is called, and neither was sent there nor waits"));
                    }
                }
            }
            _ => {}
        }
    }

    /// Somebody is where he was sent. Whether he was.
    fn arrives(&mut self, room: &RoomId, user: &UserId) -> bool {
        let sent = self.sent.entry(room.clone()).or_default();
        let Some(at) = sent.iter().position(|sent| sent.user == *user) else { return false };
        sent.remove(at);
        self.served += 1;
        true
    }

    /// Who was sent to a table and was never seen there, though all is quiet.
    fn lost(&self) -> impl Iterator<Item = (&RoomId, &UserId)> {
        let sent = self.sent.iter().flat_map(|(table, users)| users.iter().map(move |sent| (table, sent)));
        sent.filter(|(_, sent)| !sent.was_there).map(|(table, sent)| (table, &sent.user))
    }
}

impl At {
    fn has(&self, user: &UserId) -> bool {
        self.listed.contains(user) || self.seats.values().any(|seated| seated == user)
    }
}

impl Shadow {
    /// Everything is quiet: whoever was sent to a table has been there, and whoever was sent on had a reason.
    pub fn judge_queue(&mut self) {
        let lost = self.attendant.lost();
        let lost: Vec<_> =
            lost.map(|(table, user)| format!("{user} was sent to {table}, which never heard")).collect();
        let Attendant { sent_on, ended, .. } = &self.attendant;
        let astray = sent_on.iter().filter(|(_, tables)| !tables.iter().any(|table| ended.contains(table)));
        let astray: Vec<_> = astray.map(|(what, _)| what.clone()).collect();
        lost.into_iter().chain(astray).for_each(|what| self.accuse(Promise::Served, what));
    }

    /// How many have come where a queue had sent them.
    pub fn served(&self) -> u64 {
        self.attendant.served
    }
}
