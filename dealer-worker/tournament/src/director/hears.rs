//! What tables say, what was said to them and the journal has lost, and rooms that were opened or are gone.

use protocol::{
    id::{ErrandId, RoomId, UserId},
    tournament::Phase,
};
use rooms::room::letters::{Letter, LetterId, Reference};
use tracing::{error, warn};

use super::{
    draft::Draft,
    state::{At, Event, Stage},
    view::is_at,
};
use crate::{
    clock,
    letters::{self, Arrival, ToTable, ToTournament},
};

/// Whoever was turned away is sent somewhere after so long, milliseconds: not at once, or he and the letter that turns him away would go to and fro as fast as letters do.
const TURNED_MS: u64 = 500;

/// A table has written. After a loss older news may come once more, so what comes is compared with what is known.
pub(super) fn told(draft: &mut Draft, from: &RoomId, letter: LetterId, body: &[u8]) {
    let Some(table) = draft.room.table_of(from).filter(|table| draft.room.tables.contains_key(table)) else {
        return;
    };
    let Some(what) = letters::read::<ToTournament>(body) else {
        error!(%from, "a letter that this release cannot read");
        return;
    };
    let is_there = |draft: &Draft, entry: u32| {
        draft.room.entrants.get(&entry).is_some_and(|entrant| is_at(&entrant.at, table))
    };
    match what {
        ToTournament::Seated { entry, seat: _ } => {
            if draft.room.entrants.get(&entry).is_some_and(|entrant| entrant.at == At::Sent(table)) {
                draft.emit(Event::Seated { entry, table });
            }
        }
        ToTournament::NoSeat { entry } => {
            if draft.room.entrants.get(&entry).is_some_and(|entrant| entrant.at == At::Sent(table)) {
                let re = Some(Reference { from: from.clone(), letter });
                draft.emit(Event::Turned { entry, re });
                // Only after a loss a table has other players than is known here. It may have a seat when its hand is over.
                let until_ms = Some(draft.moment.now + TURNED_MS);
                draft.emit(Event::Waits { until_ms });
            }
        }
        ToTournament::Released { players, all } => {
            let players = players.into_iter().filter(|player| is_there(draft, player.entry));
            let players = players.map(|player| {
                let known = |table: &u32| draft.room.tables.contains_key(table);
                let to = draft.room.table_of(&player.to).filter(known);
                (player.entry, player.stack, player.bank_ms, player.sits_out, to)
            });
            let players = players.collect();
            draft.emit(Event::Released { table, letter, players, all });
        }
        ToTournament::Busted { hand, players, .. } => {
            let players: Vec<_> = players.into_iter().filter(|(entry, _)| is_there(draft, *entry)).collect();
            if players.is_empty() {
                return;
            }
            if let Some(hold) = &draft.room.hold
                && hold.busted.iter().any(|(_, at, _)| *at == table)
            {
                // It has not heard of the step, and has played on: those of its hand before were out before.
                let groups = draft.room.ranked(&hold.busted);
                draft.emit(Event::Out { groups });
            }
            draft.emit(Event::Busted { table, hand, players: players.clone() });
            if draft.room.hold.is_none() {
                let busted: Vec<_> = players.iter().map(|(entry, began)| (*entry, table, *began)).collect();
                let groups = draft.room.ranked(&busted);
                draft.emit(Event::Out { groups });
            }
        }
        ToTournament::Held { round } => draft.emit(Event::Held { table, round }),
        ToTournament::Counted { stacks } => {
            let stacks: Vec<_> = stacks.into_iter().filter(|(entry, _)| is_there(draft, *entry)).collect();
            let known = |entry: u32| draft.room.entrants.get(&entry).map(|entrant| entrant.stack);
            if stacks.iter().any(|(entry, stack)| known(*entry) != Some(*stack)) {
                draft.emit(Event::Counted { stacks });
            }
        }
        ToTournament::Penalty { entry, hands } => {
            if is_there(draft, entry) {
                draft.emit(Event::Penalized { entry, hands, is_new: false });
            }
        }
        ToTournament::Expelled { entry, stack } => {
            if is_there(draft, entry) {
                draft.emit(Event::Expelled { entry, chips: stack });
            }
        }
        ToTournament::Adjusted { chips } => draft.emit(Event::Adjusted { table, chips }),
        ToTournament::Closed => {
            if draft.room.tables[&table].stage != Stage::Closed {
                draft.emit(Event::Gone { table });
            }
        }
    }
}

/// A room that was asked for is there. Other errands than for tables need no answer.
pub(super) fn opened(draft: &mut Draft, errand: ErrandId) {
    let asked = draft.room.tables.iter().find(|(_, table)| table.stage == Stage::Opening(errand));
    if let Some(table) = asked.map(|(table, _)| *table) {
        draft.emit(Event::Opened { table });
        // The last table waits until all are there, and where tables play in step a new one does so too.
        let step = draft.room.hold.as_ref().map(|hold| hold.round);
        let step = step.or_else(|| (draft.room.last_table == Some(table)).then_some(0));
        if let Some((round, clock)) = step.zip(draft.room.clock) {
            draft.write(table, &ToTable::Hold { round, clock }, None);
        }
    }
}

/// A table has ended. If it had players, which cannot be unless its journal is gone, they go on elsewhere with the chips that are known.
pub(super) fn gone(draft: &mut Draft, room: &RoomId) {
    let Some(table) = draft.room.table_of(room) else { return };
    if draft.room.tables.get(&table).is_none_or(|known| known.stage == Stage::Closed) {
        return;
    }
    let there = draft.room.entrants.iter().filter(|(_, entrant)| is_at(&entrant.at, table));
    let there: Vec<u32> = there.map(|(entry, _)| *entry).collect();
    if !there.is_empty() {
        error!(%room, players = there.len(), "a table is gone with its players; they go on with the chips that are known");
    }
    for entry in there {
        draft.emit(Event::Turned { entry, re: None });
    }
    draft.emit(Event::Gone { table });
}

/// All have answered since the takeover: with what had been said to tables before the journal lost it, if anything was. They have acted on it.
pub(super) fn recalled(draft: &mut Draft, letters: &[(RoomId, Letter)]) {
    if draft.room.waits_until.is_some() {
        draft.emit(Event::Waits { until_ms: None });
    }
    begun_before(draft, letters);
    for (to, letter) in letters {
        let Some(table) = draft.room.table_of(to).filter(|table| draft.room.tables.contains_key(table))
        else {
            continue;
        };
        warn!(table, "had written to a table, and the journal has lost it");
        match letters::read::<ToTable>(letter.body.as_bytes()) {
            Some(ToTable::Seat(arrival)) => seated_before(draft, table, arrival),
            Some(ToTable::Give { to, all }) => {
                let to = to.iter().filter_map(|room| draft.room.table_of(room)).collect();
                draft.emit(Event::Giving { table, to, all });
            }
            // Round 0 is that of the last table, which alone waits for the others.
            Some(ToTable::Hold { round, clock } | ToTable::DealOne { round, clock }) if round > 0 => {
                draft.emit(Event::Holding { round: Some(round), clock });
            }
            Some(ToTable::Go { clock }) => draft.emit(Event::Holding { round: None, clock }),
            Some(ToTable::Clock { clock }) => draft.emit(Event::ClockSet { clock }),
            Some(ToTable::Close) => draft.emit(Event::Closing { table }),
            Some(ToTable::Penalty { entry, hands }) => {
                draft.emit(Event::Penalized { entry, hands, is_new: true });
            }
            Some(ToTable::Expel { entry }) => draft.emit(Event::Expels { entry }),
            Some(ToTable::Hold { .. } | ToTable::DealOne { .. }) | None => {}
        }
    }
}

/// Whoever was written to is there, and if that is news, it had begun, with whoever was sent there.
fn begun_before(draft: &mut Draft, letters: &[(RoomId, Letter)]) {
    let read = letters.iter().filter_map(|(to, letter)| {
        Some((draft.room.table_of(to)?, letters::read::<ToTable>(letter.body.as_bytes())?))
    });
    let said: Vec<(u32, ToTable)> = read.collect();
    let Some(last) = said.iter().map(|(table, _)| *table).max() else { return };
    let mut others = Vec::new();
    for (_, what) in &said {
        if let ToTable::Seat(arrival) = what {
            others.extend(registered_before(draft, arrival));
        }
    }
    // Some of them have their own numbers by now.
    others.retain(|(user, _)| !draft.room.by_user.contains_key(user));
    for (user, name) in others {
        draft.emit(Event::Registered { entry: draft.room.entries + 1, user, name });
    }
    if draft.room.phase == Phase::Registering {
        let clock = clock::from(draft.moment.now.saturating_add(draft.room.config().deal_in_ms));
        // All wait; those who were sent somewhere do not.
        draft.emit(Event::Started { clock, tables: last, seating: Vec::new() });
    }
    for table in 1..=last {
        if !draft.room.tables.contains_key(&table) {
            // Only the last table is held before there are steps.
            let is_held = |what: &ToTable| matches!(what, ToTable::Hold { round: 0, .. });
            let is_last = said.iter().any(|(at, what)| *at == table && is_held(what));
            draft.emit(Event::Wanted { table, is_last });
        }
    }
}

/// He takes part by this number. Whoever has registered since under the number gets another one.
fn registered_before(draft: &mut Draft, arrival: &Arrival) -> Option<(UserId, String)> {
    let Arrival { entry, user, name, .. } = arrival.clone();
    let is_free = |draft: &Draft, entry: u32| {
        draft.room.entrants.get(&entry).is_none_or(|entrant| matches!(entrant.at, At::Waiting { .. }))
    };
    let known = draft.room.by_user.get(&user).copied();
    if known == Some(entry) || !is_free(draft, entry) || known.is_some_and(|known| !is_free(draft, known)) {
        return None;
    }
    if let Some(known) = known {
        draft.emit(Event::Unregistered { entry: known });
    }
    let other = draft.room.entrants.get(&entry).map(|other| (other.user.clone(), other.name.clone()));
    if other.is_some() {
        draft.emit(Event::Unregistered { entry });
    }
    draft.emit(Event::Registered { entry, user, name });
    other
}

fn seated_before(draft: &mut Draft, table: u32, arrival: Arrival) {
    let Arrival { entry, user, name: _, stack, bank_ms, sits_out, drawn: _ } = arrival;
    if draft.room.entrants.get(&entry).is_none_or(|entrant| entrant.user != user) {
        error!(entry, "a tournament had seated somebody of whom it knows nothing");
        return;
    }
    // He came from where he is known to sit; what that table said is used up.
    let came_from = match draft.room.entrants[&entry].at {
        At::Seated(from) => Some(from),
        _ => None,
    };
    if let Some(from) = came_from.filter(|from| *from != table) {
        let (letter, all) = (LetterId { at: draft.moment.at, index: 0 }, false);
        let players = vec![(entry, stack, bank_ms, sits_out, Some(table))];
        draft.emit(Event::Released { table: from, letter, players, all });
    }
    draft.emit(Event::Sent { entry, table });
}
