//! What time does at a table: turns run out, streets and hands follow each other, absent players lose their seats.
//!
//! A turn has the table's turn time, then the player's time bank. A disconnected player has the table's extra time
//! instead of the bank, so that a lost connection does not eat it up; whoever loses the connection while the bank runs gets the
//! extra time after it. There is extra time once a hand at most, and only as much as is left of the player's share, which grows
//! slowly; without it the disconnected have the time bank like everybody. Then the clock plays: a check if it is free, else a
//! fold. After so many such turns in a row the player sits out, and who sits out (or is disconnected) for long enough loses the
//! seat, unless everybody is dealt in, present or not.

use protocol::{id::UserId, table::SeatStatus, time::UnixMs};
use rand_chacha::rand_core::Rng;

use super::{
    Event, Table,
    dealing::{act, extend, play_for_absent, run_out, start},
    draft::Draft,
    event::Extension,
    runs,
    state::index,
    waiting,
};

/// When something is due next.
pub(super) fn deadline(table: &Table) -> Option<UnixMs> {
    waits_until(table).into_iter().chain(hand_due(table)).min()
}

/// When something is due next beside a new hand: for rooms built around a table that say themselves when hands begin.
pub fn waits_until(table: &Table) -> Option<UnixMs> {
    let turn = table.turn.map(|turn| turn.deadline_ms);
    let street = table.run_out.as_ref().map(|run_out| run_out.at_ms);
    let seats = table.players().filter_map(|(seat, _)| seat_lost_at(table, seat));
    let runs = runs::deadline(table);
    let waiting = waiting::deadline(table).into_iter().chain(table.rail.due_ms());
    turn.into_iter().chain(runs).chain(street).chain(seats).chain(waiting).min()
}

/// When the next hand may begin, if there are players for it and none is on.
pub fn hand_due(table: &Table) -> Option<UnixMs> {
    table.can_start().then(|| table.view.next_ms.unwrap_or(0))
}

/// When the player of a seat loses it; not in the middle of a hand.
fn seat_lost_at(table: &Table, seat: u8) -> Option<UnixMs> {
    let place = table.place(seat);
    let since = place.out_since.into_iter().chain(place.away_since).min()?;
    let has_chips = table.seated(seat).is_some_and(|player| player.stack > 0);
    let keeps_it = table.in_running_hand(seat) || (table.deals_in_absent() && has_chips);
    (!keeps_it).then(|| since.saturating_add(table.config().sit_out_ms))
}

/// The extra time that the player of a seat has in this hand, should he be disconnected.
fn protection_ms(table: &Table, seat: u8) -> u64 {
    let (config, place) = (table.config(), table.place(seat));
    if place.protected_in == table.hands {
        return 0;
    }
    config.away_bank_ms.saturating_sub(place.away_used_ms).min(config.away_ms)
}

/// Does what is due. Something is, when this is called.
pub(super) fn decide(draft: &mut Draft, rng: &mut dyn Rng) {
    pass(draft);
    if hand_due(&draft.table).is_some_and(|at| at <= draft.now) {
        deal(draft, rng);
    }
}

/// Begins the next hand, if there are players for it and none is on.
pub fn deal(draft: &mut Draft, rng: &mut dyn Rng) {
    if !draft.has_ended_a_hand() && draft.table.can_start() {
        start(draft, rng);
    }
}

/// Does what is due, but begins no hand.
pub fn pass(draft: &mut Draft) {
    let now = draft.now;
    let is_due = |at: Option<UnixMs>| at.is_some_and(|at| at <= now);
    if is_due(draft.table.turn.map(|turn| turn.deadline_ms)) {
        turn_over(draft);
    }
    if is_due(runs::deadline(&draft.table)) {
        runs::time_over(draft);
    }
    if is_due(draft.table.run_out.as_ref().map(|run_out| run_out.at_ms)) {
        run_out(draft);
    }
    let seats: Vec<u8> = draft.table.players().map(|(seat, _)| seat).collect();
    for seat in seats {
        if is_due(seat_lost_at(&draft.table, seat)) {
            draft.emit(Event::Left { seat, at_ms: now });
        }
    }
    waiting::time_over(draft);
}

fn turn_over(draft: &mut Draft) {
    let now = draft.now;
    let Some((turn, seat)) = draft.table.turn.zip(draft.table.turn_view().map(|turn| turn.seat)) else {
        return;
    };
    let Some(player) = draft.table.seated(seat) else { return };
    let (away, bank_ms, extra_ms) = (player.away, player.bank_ms, protection_ms(&draft.table, seat));
    if away && extra_ms > 0 {
        let used_ms = draft.table.place(seat).away_used_ms + extra_ms;
        draft.emit(Event::AwayBank { seat, used_ms });
        extend(draft, now + extra_ms, Extension::Protection);
        return;
    }
    if !turn.on_bank && !turn.protected && bank_ms > 0 {
        extend(draft, now + bank_ms, Extension::Bank);
        return;
    }
    let hand = draft.table.running().expect("a turn is part of a hand");
    let action = hand.timeout_action().expect("a turn is somebody's");
    // Decided before the action, so that one who goes on sleeping is not dealt into a hand that begins with it.
    let misses = draft.table.place(seat).missed.saturating_add(1);
    let status = player_status(draft, seat);
    act(draft, index(seat), action, true).expect("what the clock does is legal");
    let still = draft.table.seated(seat).is_some() && player_status(draft, seat) == status;
    if still && misses >= draft.table.config().away_turns.max(1) && status != Some(SeatStatus::SittingOut) {
        let status = SeatStatus::SittingOut;
        draft.emit(Event::Status { seat, status, waits: false, at_ms: now });
        play_for_absent(draft);
    }
}

fn player_status(draft: &Draft, seat: u8) -> Option<SeatStatus> {
    draft.table.seated(seat).map(|player| player.status)
}

/// A member's connection is gone, or is back.
pub(super) fn away(draft: &mut Draft, user: &UserId, away: bool) {
    let Some(seat) = draft.table.seat_of(user) else { return waiting::away(draft, user, away) };
    if draft.table.seated(seat).is_some_and(|player| player.away != away) {
        draft.emit(Event::Away { seat, away, at_ms: draft.now });
    }
}

/// The table has a new owner: whoever is to act gets a little time, and what was lost is told.
pub(super) fn taken_over(draft: &mut Draft, grace_ms: u64, frames_lost: u64) {
    if frames_lost > 0 {
        draft.emit(Event::HistoryLost { frames: frames_lost });
    }
    let until = draft.now + grace_ms;
    if draft.table.turn.is_some_and(|turn| turn.deadline_ms < until) {
        extend(draft, until, Extension::Takeover);
    }
    runs::taken_over(draft, until);
    waiting::taken_over(draft, until);
}
