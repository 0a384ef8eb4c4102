//! What follows in a tournament from what is known: it starts, tables are opened, players sent to them, tables levelled and broken, steps played,
//! places given; and it ends. Everything is looked at again after each input, so nothing depends on the order in which letters come.

use broker::node::RoomSpec;
use protocol::{
    id::RoomId,
    time::UnixMs,
    tournament::{Clock, Level, Phase, Starts},
};
use rand_chacha::rand_core::Rng;
use rooms::{
    open::opening,
    planted::{Fault, is_planted},
    room::Room as _,
};

use super::{
    buying,
    draft::Draft,
    state::{At, Event, Stage, Tournament, how_many},
};
use crate::{
    at_table::{self, TournamentTable},
    balance::{self, Plan, Rules},
    clock,
    director::state::{Kept, Settings},
    letters::{Arrival, ToTable},
    payout, places, seating,
};

/// So many tables are being opened at once.
const OPENING_MAX: usize = 8;

/// Tables of a small tournament tell the chips that often at most; with each table it takes longer, so that the tournament hears about as much.
const COUNT_MS: u64 = 2_000;

/// When something is due.
pub(super) fn deadline(room: &Tournament) -> Option<UnixMs> {
    if room.is_over {
        return None;
    }
    if room.waits_until.is_some() {
        return room.waits_until;
    }
    match room.phase {
        Phase::Registering => match room.config().starts {
            Starts::AtMs(at) => Some(at),
            Starts::WhenFull => None,
        },
        Phase::Running => late_end(room),
        Phase::Ended | Phase::Cancelled => {
            over_at(room).filter(|_| all_closed(room) && buying::is_settled(room))
        }
    }
}

/// A new owner has waited long enough to hear what was said before. One of a new tournament begins to wait: it may be an old one, of which the broker has
/// lost everything.
pub(super) fn waited(draft: &mut Draft, wait_ms: u64) {
    let now = draft.moment.now;
    match draft.room.waits_until {
        Some(0) if is_planted(Fault::DecidesUnasked) => draft.emit(Event::Waits { until_ms: None }),
        Some(0) => draft.emit(Event::Waits { until_ms: Some(now + wait_ms) }),
        Some(until) if until <= now => draft.emit(Event::Waits { until_ms: None }),
        _ => {}
    }
}

fn over_at(room: &Tournament) -> Option<UnixMs> {
    room.ended_ms.map(|ended_ms| ended_ms.saturating_add(room.config().linger_ms))
}

fn all_closed(room: &Tournament) -> bool {
    room.tables.values().all(|table| matches!(table.stage, Stage::Closed | Stage::Wanted))
}

/// When registration ends.
fn late_end(room: &Tournament) -> Option<UnixMs> {
    if room.is_closed {
        return None;
    }
    let clock = room.clock.filter(|clock| clock.stopped_ms.is_none())?;
    Some(room.late_until().map_or(0, |until| clock::reaches(&clock, until)))
}

/// See the module.
pub(super) fn go_on(draft: &mut Draft, rng: &mut dyn Rng) {
    if draft.room.phase == Phase::Registering {
        start_or_cancel(draft, rng);
    }
    if draft.room.phase == Phase::Running {
        close_registration(draft);
        open_tables(draft);
        expel(draft);
        seat(draft);
        rank(draft);
        finish(draft);
    }
    if draft.room.phase == Phase::Running {
        level(draft);
        let was_in_step = draft.room.hold.is_some();
        step(draft);
        if was_in_step && draft.room.hold.is_none() {
            // Where one is left at each table, none of them has anything more to say.
            level(draft);
        }
        close_tables(draft);
    }
    buying::settle(draft);
    if matches!(draft.room.phase, Phase::Ended | Phase::Cancelled) {
        open_next(draft);
        close_all(draft);
        let is_due = over_at(&draft.room).is_some_and(|at| at <= draft.moment.now);
        if is_due && buying::is_settled(&draft.room) && all_closed(&draft.room) && !draft.room.is_over {
            draft.emit(Event::Over);
        }
    }
}

fn start_or_cancel(draft: &mut Draft, rng: &mut dyn Rng) {
    let room = &draft.room;
    let (entered, now) = (room.entered(), draft.moment.now);
    match room.config().starts {
        Starts::WhenFull if entered >= room.config().entries_max => start(draft, rng),
        Starts::AtMs(at) if at <= now && entered >= room.config().entries_min => start(draft, rng),
        Starts::AtMs(at) if at <= now => draft.emit(Event::Cancelled { at_ms: now }),
        Starts::WhenFull | Starts::AtMs(_) => {}
    }
}

fn start(draft: &mut Draft, rng: &mut dyn Rng) {
    let entries: Vec<u32> = draft.room.entrants.keys().copied().collect();
    let (seats, deal_in_ms) = (draft.room.config().seats, draft.room.config().deal_in_ms);
    let tables = u32::try_from(seating::tables_for(entries.len(), seats)).unwrap_or(u32::MAX);
    let drawn = seating::first(entries.len(), seats, rng);
    let table = |at: usize| u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1);
    let seating = entries.into_iter().zip(drawn.into_iter().map(table)).collect();
    let clock = clock::from(draft.moment.now.saturating_add(deal_in_ms));
    draft.emit(Event::Started { clock, tables, seating });
    open_next(draft);
}

/// The next of its kind takes entries.
fn open_next(draft: &mut Draft) {
    let room = &draft.room;
    if !room.settings.repeats || room.next.is_some() {
        return;
    }
    let Kept { template, number, repeats, every_ms, tournament, .. } = room.settings.clone();
    let (number, price) = (number + 1, room.stakes.as_ref().map(|stakes| stakes.price));
    let Ok(id) = RoomId::new(&format!("{template}-{number}")) else { return };
    let mut settings = Settings { id, template, number, repeats, every_ms, price, tournament };
    if let Starts::AtMs(at) = settings.tournament.starts {
        if settings.every_ms == 0 {
            return;
        }
        let passed = draft.moment.now.saturating_sub(at) / settings.every_ms;
        settings.tournament.starts = Starts::AtMs(at.saturating_add((passed + 1) * settings.every_ms));
    }
    let id = settings.id.clone();
    draft.ask(opening(&id, &RoomSpec::new(Tournament::NAME, &settings)));
    draft.emit(Event::Next { room: id });
}

/// Late registration ends with its level; without it, with the start.
fn close_registration(draft: &mut Draft) {
    if !draft.room.is_closed && late_end(&draft.room).is_some_and(|at| at <= draft.moment.now) {
        draft.emit(Event::Closed);
        place(draft);
    }
}

fn open_tables(draft: &mut Draft) {
    let stages = || draft.room.tables.iter();
    let opening_now = stages().filter(|(_, table)| matches!(table.stage, Stage::Opening(_))).count();
    let wanted = stages().filter(|(_, table)| table.stage == Stage::Wanted).map(|(table, _)| *table);
    let wanted: Vec<u32> = wanted.take(OPENING_MAX.saturating_sub(opening_now)).collect();
    for table in wanted {
        let room = &draft.room;
        let settings = at_table::Settings {
            of: room.settings.id.clone(),
            number: table,
            tournament: room.config().clone(),
            clock: room.clock.expect("a tournament that runs has a clock"),
            count_ms: COUNT_MS * (1 + u64::from(room.entered()) / 20),
        };
        let ask = opening(&room.room_of(table), &RoomSpec::new(TournamentTable::NAME, &settings));
        let n = draft.ask(ask);
        draft.emit(Event::Asked { table, n });
    }
}

/// Whom a director has taken out and who is at no table goes nowhere any more. Who is at one goes when its hand is over.
fn expel(draft: &mut Draft) {
    let room = &draft.room;
    let going = room.directed.iter().filter(|(_, directed)| directed.is_expelled);
    let going = going.filter_map(|(entry, _)| {
        let entrant = room.entrants.get(entry)?;
        matches!(entrant.at, At::Waiting { .. }).then_some((*entry, entrant.stack))
    });
    for (entry, chips) in going.collect::<Vec<_>>() {
        draft.emit(Event::Expelled { entry, chips });
    }
}

/// Whoever waits goes to a table: the one that was meant, or the emptiest with a seat.
fn seat(draft: &mut Draft) {
    if !is_anybody_ready(&draft.room) {
        return;
    }
    let seats = u32::from(draft.room.config().seats);
    let waiting =
        draft.room.tally.waiting().iter().filter_map(|entry| match &draft.room.entrants[entry].at {
            At::Waiting { to, re } => Some((*entry, *to, re.clone())),
            _ => None,
        });
    let waiting: Vec<_> = waiting.collect();
    if waiting.is_empty() {
        return;
    }
    let mut sizes = draft.room.sizes();
    for (entry, to, re) in waiting {
        let stage = |table: &u32| draft.room.tables.get(table).map(|table| table.stage);
        if to.is_some_and(|to| stage(&to).is_some_and(is_coming)) {
            continue;
        }
        let meant = to.filter(|to| sizes.iter().any(|size| size.table == *to && !size.breaking));
        let meant = meant
            .filter(|to| sizes.iter().any(|size| size.table == *to && size.players + size.expected < seats));
        let Some(table) = meant.or_else(|| balance::table_for(&sizes, seats)) else {
            want_another(draft);
            continue;
        };
        sizes.iter_mut().filter(|size| size.table == table).for_each(|size| size.expected += 1);
        send(draft, entry, table, re.clone());
        // At the first seat alone, or two tables would turn him away to each other for ever.
        if is_planted(Fault::SeatsTwice)
            && re.is_none()
            && let Some(other) =
                sizes.iter().find(|size| size.table != table && size.players + size.expected < seats)
        {
            let other = other.table;
            send(draft, entry, other, re);
        }
    }
}

/// Whether somebody waits for something else than that his table is opened.
fn is_anybody_ready(room: &Tournament) -> bool {
    let coming = room.tables.iter().filter(|(_, table)| is_coming(table.stage));
    let patient: u32 = coming.map(|(table, _)| room.tally.at(*table).meant).sum();
    room.tally.waiting().len() > usize::try_from(patient).unwrap_or(usize::MAX)
}

fn is_coming(stage: Stage) -> bool {
    matches!(stage, Stage::Wanted | Stage::Opening(_))
}

fn send(draft: &mut Draft, entry: u32, table: u32, re: Option<rooms::room::letters::Reference>) {
    let entrant = &draft.room.entrants[&entry];
    let arrival = Arrival {
        entry,
        user: entrant.user.clone(),
        name: entrant.name.clone(),
        stack: entrant.stack,
        bank_ms: entrant.bank_ms,
        sits_out: entrant.sits_out,
        drawn: !entrant.is_moved,
    };
    draft.write(table, &ToTable::Seat(arrival), re);
    draft.emit(Event::Sent { entry, table });
    // A penalty goes with him.
    let hands = draft.room.directed.get(&entry).map_or(0, |directed| directed.penalty);
    if hands > 0 {
        draft.write(table, &ToTable::Penalty { entry, hands }, None);
    }
}

/// Nobody has a seat for somebody: one table more.
fn want_another(draft: &mut Draft) {
    if !draft.room.tables.values().any(|table| is_coming(table.stage)) {
        let table = draft.room.last_known_table() + 1;
        draft.emit(Event::Wanted { table, is_last: false });
        open_tables(draft);
    }
}

/// Where tables play in step, who went out in one is ranked when all have done it.
fn rank(draft: &mut Draft) {
    let Some(hold) = &draft.room.hold else { return };
    if !hold.busted.is_empty() && all_held(&draft.room, hold.round) {
        let groups = draft.room.ranked(&hold.busted);
        draft.emit(Event::Out { groups });
        place(draft);
    }
}

fn all_held(room: &Tournament, round: u32) -> bool {
    room.open_tables().all(|table| room.tables[&table].held >= Some(round))
}

/// Whoever is out gets his place, once it is known how many took part.
fn place(draft: &mut Draft) {
    if !draft.room.is_closed {
        return;
    }
    let room = &draft.room;
    let new: Vec<&Vec<u32>> = room.out.from(room.placed).map(|(_, group)| group).collect();
    // All others that are out had their places before.
    let others = room.tally.out - new.iter().map(|group| how_many(group)).sum::<u32>();
    let among = room.entered() - others;
    let mut placed = Vec::new();
    for (group, place) in new.iter().zip(places::places(among, &new)) {
        let sharers = u32::try_from(group.len()).unwrap_or(u32::MAX);
        let mut prizes = payout::shared(&room.prizes, place, sharers);
        if is_planted(Fault::PaysSharersWhole) {
            prizes = vec![payout::prize(&room.prizes, place); group.len()];
        }
        placed.extend(group.iter().zip(prizes).map(|(entry, prize)| (*entry, place, prize)));
    }
    if placed.is_empty() {
        return;
    }
    for (entry, place, prize) in placed {
        draft.emit(Event::Placed { entry, place, prize });
    }
    draft.emit(Event::AllPlaced);
}

/// One is left: he has won.
fn finish(draft: &mut Draft) {
    if draft.room.left() > 1 {
        place(draft);
        return;
    }
    if let Some(hold) = &draft.room.hold
        && !hold.busted.is_empty()
    {
        let groups = draft.room.ranked(&hold.busted);
        draft.emit(Event::Out { groups });
    }
    if !draft.room.is_closed {
        draft.emit(Event::Closed);
    }
    if let Some((_, winner)) = draft.room.tally.playing().first().copied() {
        draft.emit(Event::Out { groups: vec![vec![winner]] });
    }
    place(draft);
    draft.emit(Event::Ended { at_ms: draft.moment.now });
}

/// Tables are broken and levelled.
fn level(draft: &mut Draft) {
    if is_planted(Fault::LevelsNothing) {
        return;
    }
    let room = &draft.room;
    let is_opening = room.tables.values().any(|table| is_coming(table.stage));
    let seats = u32::from(room.config().seats);
    if let Some(last) = room.last_table {
        if room.tables[&last].stage == Stage::Open {
            gather(draft, last);
        }
        return;
    }
    if is_opening {
        return;
    }
    let tables = room.open_tables().count();
    let fits_one = room.left() <= seats && tables > 1 && room.is_closed;
    if fits_one && room.config().final_redraw {
        // Steps that are on are done first.
        if room.hold.is_none() {
            let table = room.last_known_table() + 1;
            draft.emit(Event::Wanted { table, is_last: true });
            open_tables(draft);
        }
        return;
    }
    // Who goes out in a step is ranked before anybody is moved because of it.
    if room.hold.as_ref().is_some_and(|hold| !all_held(room, hold.round)) {
        return;
    }
    let (reserve, apart) = (u32::from(!room.is_closed), if room.hold.is_some() { 2 } else { 1 });
    let plans = balance::plan(&room.sizes(), Rules { seats, reserve, apart });
    for Plan { from, to, breaks } in plans {
        give(draft, from, to, breaks);
    }
}

fn give(draft: &mut Draft, from: u32, to: Vec<u32>, all: bool) {
    let rooms = to.iter().map(|table| draft.room.room_of(*table)).collect();
    draft.write(from, &ToTable::Give { to: rooms, all }, None);
    draft.emit(Event::Giving { table: from, to, all });
}

/// All go to the last table; when they are there it deals.
fn gather(draft: &mut Draft, last: u32) {
    let sizes = draft.room.sizes();
    let others = sizes.iter().filter(|size| size.table != last && !size.breaking && size.giving == 0);
    let others: Vec<(u32, u32)> =
        others.filter(|size| size.expected == 0).map(|size| (size.table, size.players)).collect();
    for (table, players) in others {
        let to = vec![last; usize::try_from(players).unwrap_or(0)];
        give(draft, table, to, true);
    }
    let are_there = !draft.room.is_moving() && draft.room.open_tables().all(|table| table == last);
    let waits = draft.room.tables[&last].held == Some(0);
    if are_there && waits && draft.room.sizes().iter().all(|size| size.table == last || size.players == 0) {
        let clock = draft.room.clock.expect("a tournament that runs has a clock");
        draft.write(last, &ToTable::Go { clock }, None);
        // Once.
        draft.emit(Event::Held { table: last, round: 1 });
    }
}

/// Whether tables are to play in step.
fn is_near_the_money(room: &Tournament) -> bool {
    let (left, paid, margin) = (room.left(), room.paid(), room.config().hand_for_hand.margin);
    let is_bubble = left > paid && left <= paid.saturating_add(margin);
    let is_played = room.phase == Phase::Running && room.is_closed && room.last_table.is_none();
    is_played && room.hold.is_none() && is_bubble && room.open_tables().count() > 1
}

/// Playing in step begins, goes on, and ends.
fn step(draft: &mut Draft) {
    let now = draft.moment.now;
    let Some(known) = draft.room.clock else { return };
    if is_near_the_money(&draft.room) {
        let in_play =
            matches!(clock::read(&known, &draft.room.config().levels, now).level, Level::Play { .. });
        if in_play && !known.paused {
            let clock = clock::stopped(&known, now, false);
            begin_step(draft, 1, clock, |round, clock| ToTable::Hold { round, clock });
        }
        return;
    }
    let Some(round) = draft.room.hold.as_ref().map(|hold| hold.round) else { return };
    if !all_held(&draft.room, round) || draft.room.is_moving() {
        return;
    }
    let is_over = draft.room.left() <= draft.room.paid() || draft.room.open_tables().count() < 2;
    if is_over {
        let clock = if known.paused { known } else { clock::going(&known, now) };
        let tables: Vec<u32> = draft.room.open_tables().collect();
        for table in tables {
            draft.write(table, &ToTable::Go { clock }, None);
        }
        draft.emit(Event::Holding { round: None, clock });
    } else {
        let hand_ms = i64::try_from(draft.room.config().hand_for_hand.hand_ms).unwrap_or(0);
        let clock = clock::with_time(&known, -hand_ms);
        begin_step(draft, round + 1, clock, |round, clock| ToTable::DealOne { round, clock });
    }
}

fn begin_step(draft: &mut Draft, round: u32, clock: Clock, word: impl Fn(u32, Clock) -> ToTable) {
    let tables: Vec<u32> = draft.room.open_tables().collect();
    for table in tables {
        draft.write(table, &word(round, clock), None);
    }
    draft.emit(Event::Holding { round: Some(round), clock });
}

/// A table that was emptied is told that nobody plays there any more.
fn close_tables(draft: &mut Draft) {
    let sizes = draft.room.sizes();
    let empty = sizes.iter().filter(|size| size.breaking && size.players + size.expected + size.giving == 0);
    let empty: Vec<u32> = empty.map(|size| size.table).collect();
    for table in empty {
        close(draft, table);
    }
}

fn close_all(draft: &mut Draft) {
    if is_planted(Fault::LeavesTables) {
        return;
    }
    let open =
        draft.room.tables.iter().filter(|(_, table)| matches!(table.stage, Stage::Open | Stage::Breaking));
    let open: Vec<u32> = open.map(|(table, _)| *table).collect();
    for table in open {
        close(draft, table);
    }
}

fn close(draft: &mut Draft, table: u32) {
    draft.write(table, &ToTable::Close, None);
    draft.emit(Event::Closing { table });
}

/// Every table that is there learns the clock.
pub(super) fn tell_clock(draft: &mut Draft) {
    let clock = draft.room.clock.expect("it was set");
    let tables = draft.room.tables.iter();
    let there = tables.filter(|(_, table)| matches!(table.stage, Stage::Open | Stage::Breaking));
    let there: Vec<u32> = there.map(|(table, _)| *table).collect();
    for table in there {
        draft.write(table, &ToTable::Clock { clock }, None);
    }
}
