//! What a table does when no hand is on: whoever has lost the last chip goes, players are given to other tables, steps are reported, hands begin.

use protocol::{
    table::{SeatStatus, TableEvent},
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use rooms::{
    planted::{Fault, is_planted},
    room::letters::LetterId,
};
use table::Table;

use super::{
    chair,
    draft::Draft,
    level_at,
    state::{Event, Give, Part},
};
use crate::{
    clock,
    letters::{Leaver, ToTournament},
    seating, settings,
};

/// When the next hand may begin; `None`: not yet.
pub(super) fn hand_at(table: &Table, part: &Part) -> Option<UnixMs> {
    if !part.may_deal() {
        return None;
    }
    let due = table::clock::hand_due(table)?.max(part.waits_until.unwrap_or(0));
    clock::hands_from(&part.clock, &part.config.levels, due)
}

/// A new owner has waited long enough to hear what was said before.
pub(super) fn waited(draft: &mut Draft) {
    if draft.part.waits_until.is_some_and(|until| until <= draft.moment.now) {
        draft.emit(Event::Waits { until_ms: None });
    }
}

/// Begins a hand if one is due, with the blinds of the level that is on.
pub(super) fn deal(draft: &mut Draft, rng: &mut dyn Rng) {
    let now = draft.moment.now;
    if hand_at(draft.table.table(), &draft.part).is_none_or(|at| at > now) {
        return;
    }
    let at = if is_planted(Fault::LevelsByOwnStart) { draft.part.clock.base_ms } else { now };
    let (level, blinds) = level_at(&draft.part, at);
    let table = draft.table.table();
    let config = settings::table(&draft.part.config, blinds);
    if *table.config() != config {
        draft.table.emit(table::Event::Configured { config: Box::new(config) });
    }
    let stacks = draft.table.table().public().seats.iter().zip(0_u8..);
    let stacks = stacks.filter_map(|(seat, at)| Some((at, seat.as_ref()?.stack))).collect();
    table::clock::deal(&mut draft.table, rng);
    draft.emit(Event::Began { stacks, level });
    let (table, part) = (draft.table.table(), &draft.part);
    let is_dealt_in = |entry: u32| part.seat_of(entry).is_some_and(|seat| table.in_running_hand(seat));
    let out = part.penalties.iter().map(|(entry, _)| *entry).filter(|entry| is_dealt_in(*entry));
    for entry in out.collect::<Vec<_>>() {
        draft.emit(Event::SitsOut { entry });
    }
    // With blinds that take all chips a hand may be over at once.
    settle(draft, rng);
}

/// What is to be done as soon as no hand is on.
pub(super) fn settle(draft: &mut Draft, rng: &mut dyn Rng) {
    if draft.table.table().is_playing() || draft.part.is_closed {
        return;
    }
    lay_ghosts(draft);
    bust(draft);
    expel(draft);
    serve_penalties(draft);
    give(draft, rng);
    hold(draft);
    if let Some(letter) = draft.part.closes {
        say_closed(draft, letter);
        return;
    }
    count(draft);
}

/// Whoever had gone before the journal lost it goes once more. He is elsewhere, so nobody is told but of the chips.
fn lay_ghosts(draft: &mut Draft) {
    let ghosts: Vec<(u8, u64)> =
        draft.part.seated().filter_map(|(seat, player)| Some((seat, player.gone_with?))).collect();
    for (seat, went_with) in ghosts {
        let Some((_, stack)) = draft.lets_go(seat) else { continue };
        let chips = i64::try_from(went_with).unwrap_or(i64::MAX) - i64::try_from(stack).unwrap_or(i64::MAX);
        if chips != 0 {
            draft.write(&ToTournament::Adjusted { chips }, []);
        }
    }
}

/// Whoever has no chips is out: all of one hand are told together.
fn bust(draft: &mut Draft) {
    let table = draft.table.table();
    let broke = |seat: u8| table.seated(seat).is_some_and(|player| player.stack == 0);
    let broke: Vec<u8> = draft.part.seated().map(|(seat, _)| seat).filter(|seat| broke(*seat)).collect();
    if broke.is_empty() {
        return;
    }
    let hand = table.hand();
    let (mut players, mut by) = (Vec::new(), Vec::new());
    for seat in broke {
        let player = draft.part.players[usize::from(seat)].clone().expect("somebody sits there");
        let began = draft.part.began_with.iter().find(|(at, _)| *at == seat).map_or(0, |(_, stack)| *stack);
        players.push((player.entry, began));
        by.push(player.by);
        draft.lets_go(seat);
        draft.table.tell(TableEvent::Busted { seat, user: player.user });
    }
    let round = draft.part.hold.map(|hold| hold.round);
    draft.write(&ToTournament::Busted { hand, at_ms: draft.moment.now, round, players }, by);
}

/// Whom a director has taken out goes with all chips, which nobody gets. Whoever is not here any more was taken out, or will be, elsewhere.
fn expel(draft: &mut Draft) {
    for (entry, letter) in draft.part.expelled.clone() {
        if let Some(seat) = draft.part.seat_of(entry) {
            let by = draft.part.players[usize::from(seat)].as_ref().map(|player| player.by);
            if let Some((_, stack)) = draft.lets_go(seat) {
                draft.write(&ToTournament::Expelled { entry, stack }, by.into_iter().chain([letter]));
            }
        }
        draft.emit(Event::Expelled { entry });
    }
}

/// Who has sat out all hands of a penalty plays again.
fn serve_penalties(draft: &mut Draft) {
    let served = draft.part.penalties.iter().filter(|(_, hands)| *hands == 0).map(|(entry, _)| *entry);
    for entry in served.collect::<Vec<_>>() {
        end_penalty(draft, entry);
    }
}

/// A penalty is over.
pub(super) fn end_penalty(draft: &mut Draft, entry: u32) {
    draft.emit(Event::Penalty { entry, hands: 0 });
    draft.write(&ToTournament::Penalty { entry, hands: 0 }, []);
    if let Some(seat) = draft.part.seat_of(entry) {
        set_status(draft, seat, SeatStatus::Playing);
    }
}

/// A penalty begins.
pub(super) fn sit_out(draft: &mut Draft, seat: u8) {
    set_status(draft, seat, SeatStatus::SittingOut);
}

fn set_status(draft: &mut Draft, seat: u8, status: SeatStatus) {
    let at_ms = draft.moment.now;
    if draft.table.table().seated(seat).is_some_and(|player| player.status != status) {
        draft.table.emit(table::Event::Status { seat, status, waits: false, at_ms });
    }
}

/// Players go to other tables.
fn give(draft: &mut Draft, rng: &mut dyn Rng) {
    let Some(Give { letter, to, all }) = draft.part.give.clone() else { return };
    let seats: Vec<u8> = draft.part.seated().map(|(seat, _)| seat).collect();
    // Tables are levelled by whoever will be big blind next; of a broken one it is drawn who goes where.
    let mut order = chair::in_blind_order(draft.table.table(), &seats);
    if all {
        seating::shuffle(&mut order, rng);
    }
    let going = if all { order.len() } else { to.len().min(order.len()) };
    let (mut players, mut uses_up) = (Vec::new(), vec![letter]);
    for (at, seat) in order.into_iter().take(going).enumerate() {
        let sitting = draft.table.table().seated(seat).expect("somebody sits there");
        let (bank_ms, sits_out) = (sitting.bank_ms, sitting.status == SeatStatus::SittingOut);
        let player = draft.part.players[usize::from(seat)].clone().expect("somebody sits there");
        // The tournament knows of whoever has come since, and says where he goes.
        let to = to.get(at).unwrap_or(&draft.part.of).clone();
        let Some((user, stack)) = draft.lets_go(seat) else { continue };
        if let Some(hands) = draft.part.penalty_of(player.entry) {
            draft.emit(Event::Penalty { entry: player.entry, hands: 0 });
            draft.write(&ToTournament::Penalty { entry: player.entry, hands }, []);
        }
        uses_up.push(player.by);
        draft.table.tell(TableEvent::Moved { seat, user, to: to.clone() });
        players.push(Leaver { entry: player.entry, stack, bank_ms, sits_out, to });
    }
    draft.emit(Event::Gave);
    if !is_planted(Fault::ForgetsReleased) {
        draft.write(&ToTournament::Released { players, all }, uses_up);
    }
}

/// The step is done when its hand is over, or when none can be dealt.
fn hold(draft: &mut Draft) {
    let Some(hold) = draft.part.hold.filter(|hold| !hold.is_told) else { return };
    if hold.may_deal && table::clock::hand_due(draft.table.table()).is_some() {
        return;
    }
    draft.write(&ToTournament::Held { round: hold.round }, [hold.letter]);
    draft.emit(Event::Held);
}

fn say_closed(draft: &mut Draft, letter: LetterId) {
    draft.write(&ToTournament::Closed, [letter]);
    close(draft);
}

/// Nobody plays here any more.
pub(super) fn close(draft: &mut Draft) {
    if draft.part.is_closed {
        return;
    }
    let at_ms = draft.moment.now;
    let seats: Vec<u8> = draft.part.seated().map(|(seat, _)| seat).collect();
    if !draft.table.table().is_playing() {
        for seat in seats {
            draft.table.emit(table::Event::Left { seat, at_ms });
        }
    }
    draft.emit(Event::Closed);
}

/// Now and then the tournament learns who has how many chips.
fn count(draft: &mut Draft) {
    let now = draft.moment.now;
    let table = draft.table.table();
    let has_played = table.hand() > 0 && !draft.part.began_with.is_empty();
    if !has_played || now < draft.part.counted_ms.saturating_add(draft.part.count_ms) {
        return;
    }
    let stacks: Vec<(u32, u64)> = draft
        .part
        .seated()
        .filter_map(|(seat, player)| Some((player.entry, table.seated(seat)?.stack)))
        .collect();
    if !stacks.is_empty() {
        draft.write(&ToTournament::Counted { stacks }, []);
        draft.emit(Event::Counted { at_ms: now });
    }
}
