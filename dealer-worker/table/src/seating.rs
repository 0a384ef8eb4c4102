//! Taking a seat and bringing chips to it, in steps: a table takes them all at once, a room built around a table waits in between until the
//! chips are there.

use protocol::{RefusalCode as Code, id::UserId, table::BlindsOwed};
use rooms::room::Refusal;

use super::{Event, Table, chips, draft::Draft, names};

pub use super::{
    chips::{check_buy_in, check_top_up},
    commands::seat_of,
};

/// Somebody who sits down.
#[derive(Debug, Clone, Copy)]
pub struct Newcomer<'a> {
    /// Where: a free seat.
    pub seat: u8,
    /// Who has no seat yet.
    pub user: &'a UserId,
    /// What the token says that others see.
    pub name: &'a str,
    /// Chips that he brings.
    pub stack: u64,
    /// Whether he would rather wait for the big blind than post.
    pub waits: bool,
}

/// The seat that a user gets who has none: the one that is asked for, that to which he is [called](super::waiting), or the first that is free.
///
/// # Errors
/// A [`Refusal`]: there is none, or somebody sits there, or it is reserved.
pub fn free_seat(
    table: &Table,
    user: &UserId,
    wanted: Option<u8>,
    is_reserved: impl Fn(u8) -> bool,
) -> Result<u8, Refusal> {
    if table.seat_of(user).is_some() {
        return Err(Refusal::new(Code::AlreadySeated, "you have a seat at this table already"));
    }
    let waiting = &table.waiting;
    let free =
        |seat: &u8| table.seated(*seat).is_none() && !is_reserved(*seat) && !waiting.is_others(*seat, user);
    let seats = table.config().seats;
    match wanted.or(waiting.seat_of(user).filter(&free)) {
        Some(seat) if seat >= seats => Err(Refusal::new(Code::NoSeat, "there is no such seat")),
        Some(seat) if !free(&seat) => Err(Refusal::new(Code::SeatTaken, "the seat is taken")),
        Some(seat) => Ok(seat),
        None => (0..seats).find(free).ok_or_else(|| Refusal::new(Code::NoSeat, "no seat is free")),
    }
}

/// He sits down with his chips.
pub fn seat(draft: &mut Draft, newcomer: Newcomer<'_>) {
    let Newcomer { seat, user, name, stack, waits } = newcomer;
    let table = &draft.table;
    let waits = waits && table.config().blinds_owed == BlindsOwed::PostOrWait;
    let debts = table.leavers.owed_by(user, draft.now);
    let name = names::shown(table, user, name);
    draft.emit(Event::Seated { seat, user: user.clone(), name, stack, waits, debts });
}

/// The name under which everybody sees a user who sits down.
pub fn shown_name(table: &Table, user: &UserId, name: &str) -> String {
    names::shown(table, user, name)
}

/// The player of a seat brings more: now, or when the hand that he is in has ended.
pub fn bring(draft: &mut Draft, seat: u8, amount: u64) {
    draft.emit(if draft.table.in_running_hand(seat) {
        Event::TopUpPromised { seat, amount }
    } else {
        Event::ToppedUp { seat, amount }
    });
}

/// Of chips that are there for the player of a seat, so many may come on the table if they come at once.
pub fn fitting(table: &Table, seat: u8, amount: u64) -> u64 {
    if table.in_running_hand(seat) {
        return amount;
    }
    table.seated(seat).map_or(0, |player| chips::fitting(table.config(), player.stack, amount))
}
