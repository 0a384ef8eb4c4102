//! Chips from the cage: for a seat, and more of them later.
//!
//! ```text
//!          sit                posted
//!  free ---------> reserved ---------> seated <-----> (hands) ----leave----> free, and the player is paid
//!    ^                | refused, waited too long, or left again
//!    +----freed-------+ (given up: the cage undoes it, whatever became of it)
//! ```

use money::{Ask, RETRY_MS, Stake, WAIT_MS, Why};
use protocol::{
    RefusalCode as Code,
    id::{ErrandId, UserId},
    table::{Declined, DeclinedCode, SeatStatus, TableEvent},
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use rooms::room::Refusal;
use table::{
    seating::{self, Newcomer},
    waiting,
};

use crate::{
    draft::Draft,
    state::{Asked, Chips, Event, Reservation},
};

/// A player wants a seat.
pub(crate) struct Wish<'a> {
    pub(crate) user: &'a UserId,
    pub(crate) name: &'a str,
    pub(crate) seat: Option<u8>,
    pub(crate) buy_in: u64,
    pub(crate) waits: bool,
}

/// When chips are waited for no longer.
pub(crate) fn deadline(chips: &Chips) -> Option<UnixMs> {
    chips.asked_at().min().map(|asked_at| asked_at + WAIT_MS)
}

/// Reserves a seat and asks for its chips.
///
/// # Errors
/// A [`Refusal`].
pub(crate) fn reserve(draft: &mut Draft, wish: &Wish<'_>, rng: &mut dyn Rng) -> Result<(), Refusal> {
    let Wish { user, name, seat, buy_in: amount, waits } = *wish;
    if draft.chips.reservation_of(user).is_some() {
        return Err(Refusal::new(Code::AlreadySeated, "a seat at this table waits for your chips"));
    }
    let chips = &draft.chips;
    let is_reserved = |seat| chips.reservation(seat).is_some();
    let seat = seating::free_seat(draft.table.table(), user, seat, is_reserved)?;
    seating::check_buy_in(&draft.table, user, amount)?;
    the_cage_answers(draft)?;
    // Who is called keeps the call until the chips are there: if they do not come, he may bring fewer. Nobody waits for a second seat.
    if waiting::called_to(draft.table.table(), user) != Some(seat) {
        waiting::forget(&mut draft.table, user);
    }
    let shown = seating::shown_name(draft.table.table(), user, name);
    let (n, at_ms) = (draft.next_errand(), draft.now());
    draft.ask(&Ask::BuyIn(stake(draft, user, amount, rng)));
    draft.table.tell(TableEvent::Reserved { seat, user: user.clone(), name: shown.clone() });
    let (user, name) = (user.clone(), name.to_owned());
    draft.emit(Event::Reserved { seat, user, name, shown, amount, waits, at_ms, n });
    Ok(())
}

/// Somebody wants to wait for a seat. His chips are asked for when he sits down.
///
/// # Errors
/// A [`Refusal`].
pub(crate) fn wait(draft: &mut Draft, user: &UserId, name: &str) -> Result<(), Refusal> {
    if draft.chips.reservation_of(user).is_some() {
        return Err(Refusal::new(Code::AlreadySeated, "a seat at this table waits for your chips"));
    }
    let chips = &draft.chips;
    waiting::join(&mut draft.table, user, name, |seat| chips.reservation(seat).is_some())
}

/// Asks for more chips for the player of a seat.
///
/// # Errors
/// A [`Refusal`].
pub(crate) fn top_up(
    draft: &mut Draft,
    user: &UserId,
    amount: u64,
    rng: &mut dyn Rng,
) -> Result<(), Refusal> {
    let seat = seating::seat_of(draft.table.table(), user)?;
    seating::check_top_up(draft.table.table(), seat, amount)?;
    let stint = draft.chips.stint(seat);
    if stint.is_some_and(|stint| stint.is_forfeit) {
        return Err(lost());
    }
    if stint.is_some_and(|stint| stint.top_up.is_some()) {
        let why = "the chips that you asked for before are on their way";
        return Err(Refusal::for_now(Code::Busy, why, RETRY_MS));
    }
    the_cage_answers(draft)?;
    let (n, at_ms) = (draft.next_errand(), draft.now());
    draft.ask(&Ask::TopUp(stake(draft, user, amount, rng)));
    draft.emit(Event::TopUpAsked { seat, amount, at_ms, n });
    Ok(())
}

/// What a player is told whose chips at this table were paid to him already.
pub(crate) fn lost() -> Refusal {
    Refusal::new(
        Code::NotAllowed,
        "the house has lost a part of this game, and you were paid what you had: your seat ends with the hand",
    )
}

fn stake(draft: &Draft, user: &UserId, amount: u64, rng: &mut dyn Rng) -> Stake {
    Stake { user: user.clone(), currency: draft.chips.currency, amount, nonce: rng.next_u64() }
}

fn the_cage_answers(draft: &Draft) -> Result<(), Refusal> {
    if money::is_away(draft.chips.asked_at(), draft.now()) {
        return Err(Refusal::for_now(Code::Unavailable, money::AWAY, RETRY_MS));
    }
    Ok(())
}

/// The seat that a user has reserved, if he has, is not wanted any more.
pub(crate) fn leave(draft: &mut Draft, user: &UserId) {
    let reserved = draft.chips.reservation_of(user).map(|reserved| (reserved.asked.of, reserved.seat));
    if let Some((of, seat)) = reserved {
        draft.give_up(of);
        free(draft, seat);
    }
}

/// Chips have not come for too long.
pub(crate) fn time_over(draft: &mut Draft) {
    waiting::have_come(&mut draft.table, draft.chips.reserved.iter().map(|reserved| &reserved.user));
    let is_over = |asked: &Asked, now: UnixMs| asked.at_ms + WAIT_MS <= now;
    let now = draft.now();
    let mut reserved = draft.chips.reserved.clone();
    reserved.retain(|reserved| is_over(&reserved.asked, now));
    for Reservation { user, amount, .. } in reserved {
        leave(draft, &user);
        draft.decline(user, Declined { amount, code: DeclinedCode::CageAway });
    }
    let top_ups: Vec<_> = draft.chips.top_ups().filter(|(_, _, asked)| is_over(asked, now)).collect();
    for (seat, amount, asked) in top_ups {
        draft.give_up(asked.of);
        draft.emit(Event::TopUpOver { seat });
        decline_top_up(draft, seat, Declined { amount, code: DeclinedCode::CageAway });
    }
}

/// The cage has answered a buy-in.
pub(crate) fn bought(draft: &mut Draft, of: ErrandId, answer: Result<(), Why>) {
    let reserved = draft.chips.reserved.iter().find(|reserved| reserved.asked.of == of).cloned();
    // What is given up is answered to nobody.
    let Some(reserved) = reserved else { return };
    let Reservation { seat, user, name, shown: _, amount, waits, away, asked: _, is_paid } = reserved;
    match answer {
        // The player has been paid these very chips in a lost branch.
        Ok(()) if is_paid => {
            draft.give(Ask::Absorb, user, amount);
            free(draft, seat);
        }
        Ok(()) => {
            draft.emit(Event::Released { seat });
            draft.emit(Event::Began { seat, since: of });
            let newcomer = Newcomer { seat, user: &user, name: &name, stack: amount, waits };
            seating::seat(&mut draft.table, newcomer);
            if away {
                draft.table.emit(table::Event::Away { seat, away, at_ms: draft.now() });
            }
        }
        Err(why) => {
            draft.decline(user, Declined { amount, code: why.told() });
            free(draft, seat);
        }
    }
}

/// The cage has answered a top-up.
pub(crate) fn topped_up(draft: &mut Draft, of: ErrandId, answer: Result<(), Why>) {
    let asked = draft.chips.top_ups().find(|(_, _, asked)| asked.of == of);
    let Some((seat, amount, _)) = asked else { return };
    draft.emit(Event::TopUpOver { seat });
    match answer {
        Ok(()) => {
            let fits = seating::fitting(draft.table.table(), seat, amount);
            if fits > 0 {
                seating::bring(&mut draft.table, seat, fits);
            }
            let user = draft.table.table().seated(seat).map(|player| player.user.clone());
            if let Some(user) = user {
                draft.give_back(seat, user, amount - fits);
            }
        }
        Err(why) => decline_top_up(draft, seat, Declined { amount, code: why.told() }),
    }
}

/// These users were paid in a lost branch: what they had brought to this table before that epoch is the house's.
pub(crate) fn paid(draft: &mut Draft, cut: ErrandId, users: &[UserId]) {
    let is_of_before = |of: ErrandId| of.at.epoch() < cut.at.epoch();
    for user in users {
        let reserved = draft.chips.reservation_of(user).filter(|reserved| is_of_before(reserved.asked.of));
        if let Some(seat) = reserved.map(|reserved| reserved.seat) {
            draft.emit(Event::Forfeited { seat });
        }
        let Some(seat) = draft.table.table().seat_of(user) else { continue };
        let stint = draft.chips.stint(seat).filter(|stint| is_of_before(stint.since));
        let Some(top_up) = stint.map(|stint| stint.top_up) else { continue };
        draft.emit(Event::Forfeited { seat });
        if let Some((_, asked)) = top_up {
            draft.give_up(asked.of);
            draft.emit(Event::TopUpOver { seat });
        }
        let at_ms = draft.now();
        if draft.table.table().in_running_hand(seat) {
            let status = SeatStatus::Leaving;
            draft.table.emit(table::Event::Status { seat, status, waits: false, at_ms });
        } else {
            draft.table.emit(table::Event::Left { seat, at_ms });
        }
    }
}

fn free(draft: &mut Draft, seat: u8) {
    draft.emit(Event::Released { seat });
    draft.table.tell(TableEvent::Freed { seat });
}

fn decline_top_up(draft: &mut Draft, seat: u8, declined: Declined) {
    if let Some(user) = draft.table.table().seated(seat).map(|player| player.user.clone()) {
        draft.decline(user, declined);
    }
}
