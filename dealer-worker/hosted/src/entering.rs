//! Knocking, and taking a seat.

use protocol::{RefusalCode as Code, hosted::Access, id::UserId, time::UnixMs};
use rooms::{
    planted::{Fault, is_planted},
    room::Refusal,
};
use table::{
    commands::Asker,
    seating::{self, shown_name},
    waiting,
};

use crate::{
    Event,
    door::{KNOCKING_MAX, LET_IN_MAX},
    draft::Draft,
};

/// Whoever knocks is heard for so long.
pub(crate) const KNOCK_MS: UnixMs = 10 * 60_000;

/// A seat is kept for so long.
pub(crate) const KEPT_MS: UnixMs = 120_000;

/// Somebody wants to be let in.
///
/// # Errors
/// A [`Refusal`].
pub(crate) fn knock(draft: &mut Draft<'_>, asker: Asker<'_>, code: Option<&str>) -> Result<(), Refusal> {
    let Asker { user, name, rights: _ } = asker;
    stands_open(draft, user)?;
    if may_sit(draft, user) {
        return Err(Refusal::new(Code::Unchanged, "you may sit down"));
    }
    match (draft.door.access, code) {
        (Access::Code, Some(said)) => {
            if !draft.door.code.as_ref().is_some_and(|code| code.is(said)) {
                return Err(Refusal::new(Code::WrongCode, "the table is opened by another code"));
            }
            let_in(draft, user);
            Ok(())
        }
        (Access::Code, None) => Err(Refusal::new(Code::NotLetIn, "say the code that the host has given you")),
        _ => {
            if draft.door.knocking.iter().any(|knocks| knocks.user == *user) {
                return Err(Refusal::new(Code::Unchanged, "the host has heard you already"));
            }
            if draft.door.knocking.len() >= KNOCKING_MAX {
                let why = "too many others wait for the host's answer";
                return Err(Refusal::for_now(Code::Busy, why, 10_000));
            }
            let name = shown_name(draft.table.table(), user, name);
            let until_ms = draft.now() + KNOCK_MS;
            draft.emit(Event::Knocked { user: user.clone(), name, until_ms });
            Ok(())
        }
    }
}

/// The seat on which somebody sits down who may.
///
/// # Errors
/// A [`Refusal`].
pub(crate) fn seat(draft: &Draft<'_>, user: &UserId, wanted: Option<u8>) -> Result<u8, Refusal> {
    if !is_planted(Fault::SeatsAnybody) {
        may_wait(draft, user)?;
    }
    let own = draft.door.kept_for(user);
    seating::free_seat(draft.table.table(), user, wanted.or(own), |seat| is_others(draft, seat, user))
}

/// Somebody who may sit down wants to wait for a seat.
///
/// # Errors
/// A [`Refusal`].
pub(crate) fn wait(draft: &mut Draft<'_>, asker: Asker<'_>) -> Result<(), Refusal> {
    may_wait(draft, asker.user)?;
    let kept = draft.door.kept.clone();
    let is_others = |seat| kept.iter().any(|kept| kept.seat == seat && kept.user != *asker.user);
    waiting::join(&mut draft.table, asker.user, asker.name, is_others)
}

/// Whether a user may wait for a seat.
///
/// # Errors
/// A [`Refusal`]: he may not even sit down.
pub(crate) fn may_wait(draft: &Draft<'_>, user: &UserId) -> Result<(), Refusal> {
    stands_open(draft, user)?;
    if may_sit(draft, user) {
        return Ok(());
    }
    Err(Refusal::new(Code::NotLetIn, "knock first: the host decides who sits here"))
}

fn is_others(draft: &Draft<'_>, seat: u8, user: &UserId) -> bool {
    draft.door.kept.iter().any(|kept| kept.seat == seat && kept.user != *user)
}

/// Whether a user may sit down, as far as the host is concerned.
pub(crate) fn may_sit(draft: &Draft<'_>, user: &UserId) -> bool {
    let door = &draft.door;
    let is_let_in = door.let_in.contains(user) || draft.ai.has(user);
    !door.access.is_guarded() || door.host == *user || is_let_in
}

/// Whether there is a door at which this user is heard.
///
/// # Errors
/// A [`Refusal`]: there is not.
fn stands_open(draft: &Draft<'_>, user: &UserId) -> Result<(), Refusal> {
    if draft.door.is_closing {
        return Err(Refusal::new(Code::NotAllowed, "this table closes"));
    }
    if draft.door.banned.contains(user) {
        return Err(Refusal::new(Code::NotAllowed, "the host does not want you at this table"));
    }
    if draft.must_go(user) {
        return Err(Refusal::new(Code::NotAllowed, "your seat at this table ends with the hand"));
    }
    if user.is_bot() && !draft.ai.has(user) && !is_planted(Fault::SeatsAnybody) {
        return Err(Refusal::new(Code::NotAllowed, "AI players sit here when the host has invited them"));
    }
    Ok(())
}

/// Somebody may sit down from now on.
pub(crate) fn let_in(draft: &mut Draft<'_>, user: &UserId) {
    let (door, table) = (&draft.door, draft.table.table());
    let is_full = door.let_in.len() >= LET_IN_MAX && !door.let_in.contains(user);
    let instead_of = door.let_in.iter().find(|known| is_full && table.seat_of(known).is_none()).cloned();
    draft.emit(Event::LetIn { user: user.clone(), instead_of });
}

/// Keeps a free seat for somebody, if there is one.
pub(crate) fn keep_seat(draft: &mut Draft<'_>, user: &UserId) {
    if draft.door.kept_for(user).is_some() {
        return;
    }
    let is_kept = |seat| draft.door.kept.iter().any(|kept| kept.seat == seat);
    if let Ok(seat) = seating::free_seat(draft.table.table(), user, None, is_kept) {
        let until_ms = draft.now() + KEPT_MS;
        draft.emit(Event::Kept { seat, user: user.clone(), until_ms });
        // Nobody waits for a second seat.
        waiting::forget(&mut draft.table, user);
    }
}
