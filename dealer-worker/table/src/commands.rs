//! What players ask of a table.

use std::fmt::Display;

use hands::project;
use holdem::{Action, Chips, RaiseKind};
use protocol::{
    RefusalCode as Code,
    id::UserId,
    rights::{Can, Rights},
    table::{ActKind, BlindsOwed, Card, LegalView, SeatStatus, TableCommand},
    text::Line,
};
use rooms::{
    planted::{Fault, is_planted},
    room::Refusal,
};

use super::{
    Event, Table, chips, dealing,
    draft::Draft,
    json, names, runs,
    seating::{self, Newcomer},
    state::index,
    waiting,
};

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The user.
    pub user: &'a UserId,
    /// The name that others see.
    pub name: &'a str,
    /// What the token says that he may do.
    pub rights: Rights,
}

/// Decides a command, given as the JSON text of its `do`.
///
/// # Errors
/// A [`Refusal`]; nothing is to be committed then.
pub(super) fn decide(draft: &mut Draft, asker: Asker<'_>, body: &[u8]) -> Result<(), Refusal> {
    let command = read(body)?;
    is_allowed(draft, &command, asker)?;
    follow(draft, asker, command)
}

/// Reads a command.
///
/// # Errors
/// A [`Refusal`]: it is none of a table.
pub fn read(body: &[u8]) -> Result<TableCommand, Refusal> {
    let refuse =
        |why: &dyn Display| Refusal::new(Code::BadCommand, format!("not a command of a table: {why}"));
    let text = str::from_utf8(body).map_err(|error| refuse(&error))?;
    TableCommand::read(text).map_err(|error| refuse(&error))
}

/// Does what is asked by somebody who [may](is_allowed).
///
/// # Errors
/// A [`Refusal`]; nothing is to be committed then.
pub fn follow(draft: &mut Draft, asker: Asker<'_>, command: TableCommand) -> Result<(), Refusal> {
    let Asker { user, name, rights } = asker;
    match command {
        TableCommand::Sit { seat, buy_in, wait_for_big_blind } => {
            sit(draft, user, name, seat, buy_in, wait_for_big_blind)
        }
        TableCommand::Leave => leave(draft, user),
        TableCommand::Wait => waiting::join(draft, user, name, |_| false),
        TableCommand::StopWaiting => waiting::stop(draft, user),
        TableCommand::TopUp { amount } => {
            let seat = seat_of(&draft.table, user)?;
            chips::check_top_up(&draft.table, seat, amount)?;
            seating::bring(draft, seat, amount);
            Ok(())
        }
        TableCommand::SitOut => sit_out(draft, user),
        TableCommand::ComeBack { wait_for_big_blind } => come_back(draft, user, wait_for_big_blind),
        TableCommand::Act { hand, turn, kind, to } => act(draft, user, hand, turn, kind, to),
        TableCommand::Runs { hand, boards } => runs::answer(draft, user, hand, boards),
        TableCommand::Show { cards } => show(draft, user, cards.as_deref()),
        TableCommand::Chat { text } => chat(draft, user, name, &text),
    }?;
    if !rights.can.has(Can::PLAY) {
        rest(draft, user);
    }
    Ok(())
}

/// Whether who may only do that may do this.
///
/// # Errors
/// A [`Refusal`] that says what he may not do.
pub fn is_allowed(draft: &Draft, command: &TableCommand, asker: Asker<'_>) -> Result<(), Refusal> {
    let Asker { user, rights, .. } = asker;
    let (needed, what) = match command {
        TableCommand::Sit { .. }
        | TableCommand::Wait
        | TableCommand::TopUp { .. }
        | TableCommand::ComeBack { .. } => (Can::PLAY, "play"),
        TableCommand::Chat { .. } => (Can::CHAT, "talk"),
        TableCommand::Leave
        | TableCommand::StopWaiting
        | TableCommand::SitOut
        | TableCommand::Act { .. }
        | TableCommand::Runs { .. }
        | TableCommand::Show { .. } => return Ok(()),
    };
    if rights.can.has(needed) {
        return Ok(());
    }
    if needed == Can::PLAY && rights.play_from_ms > draft.now {
        let minutes = (rights.play_from_ms - draft.now).div_ceil(60_000);
        let message = format!("your play time is used up; it begins again in {minutes} minutes");
        let legal = LegalView { play_from_ms: Some(rights.play_from_ms), ..legal(&draft.table, user) };
        return Err(Refusal { legal: Some(json(&legal)), ..Refusal::new(Code::PlayTimeUsed, message) });
    }
    Err(Refusal::new(Code::NotAllowed, format!("you may not {what} in this house at the moment")))
}

/// Whoever may not play any more plays the hand that is on, and is dealt no other. A table that deals in those who are away would play
/// for him at once: there he plays on.
fn rest(draft: &mut Draft, user: &UserId) {
    let Some(seat) = draft.table.seat_of(user).filter(|_| !draft.table.deals_in_absent()) else { return };
    if matches!(status_of(&draft.table, seat), SeatStatus::Playing | SeatStatus::Waiting) {
        let status = SeatStatus::SittingOut;
        draft.emit(Event::Status { seat, status, waits: false, at_ms: draft.now });
    }
}

/// The seat of a user who needs one.
///
/// # Errors
/// A [`Refusal`]: he has none.
pub fn seat_of(table: &Table, user: &UserId) -> Result<u8, Refusal> {
    table.seat_of(user).ok_or_else(|| Refusal::new(Code::NotSeated, "you have no seat at this table"))
}

fn status_of(table: &Table, seat: u8) -> SeatStatus {
    table.seated(seat).map_or(SeatStatus::Leaving, |player| player.status)
}

fn unchanged(what: &str) -> Refusal {
    Refusal::new(Code::Unchanged, format!("you are {what} already"))
}

fn sit(
    draft: &mut Draft,
    user: &UserId,
    name: &str,
    seat: Option<u8>,
    buy_in: u64,
    wait_for_big_blind: bool,
) -> Result<(), Refusal> {
    let seat = seating::free_seat(&draft.table, user, seat, |_| false)?;
    chips::check_buy_in(draft, user, buy_in)?;
    seating::seat(draft, Newcomer { seat, user, name, stack: buy_in, waits: wait_for_big_blind });
    Ok(())
}

fn leave(draft: &mut Draft, user: &UserId) -> Result<(), Refusal> {
    let seat = seat_of(&draft.table, user)?;
    if !draft.table.in_running_hand(seat) {
        draft.emit(Event::Left { seat, at_ms: draft.now });
        return Ok(());
    }
    if status_of(&draft.table, seat) == SeatStatus::Leaving {
        return Err(unchanged("leaving"));
    }
    let status = SeatStatus::Leaving;
    draft.emit(Event::Status { seat, status, waits: false, at_ms: draft.now });
    let to_act = draft.table.running().and_then(|hand| hand.to_act());
    if to_act == Some(index(seat)) {
        dealing::act(draft, index(seat), Action::Fold, false).expect("who is to act may fold");
    }
    runs::decline(draft, seat);
    Ok(())
}

fn sit_out(draft: &mut Draft, user: &UserId) -> Result<(), Refusal> {
    let seat = seat_of(&draft.table, user)?;
    match status_of(&draft.table, seat) {
        SeatStatus::SittingOut => Err(unchanged("sitting out")),
        SeatStatus::Leaving => Err(unchanged("leaving")),
        SeatStatus::Playing | SeatStatus::Waiting => {
            let status = SeatStatus::SittingOut;
            draft.emit(Event::Status { seat, status, waits: false, at_ms: draft.now });
            dealing::play_for_absent(draft);
            Ok(())
        }
    }
}

fn come_back(draft: &mut Draft, user: &UserId, wait_for_big_blind: bool) -> Result<(), Refusal> {
    let seat = seat_of(&draft.table, user)?;
    match status_of(&draft.table, seat) {
        SeatStatus::Playing | SeatStatus::Waiting => return Err(unchanged("back")),
        SeatStatus::SittingOut | SeatStatus::Leaving => {}
    }
    let has_chips = draft.table.seated(seat).is_some_and(|player| player.stack > 0);
    if !has_chips && !draft.table.in_running_hand(seat) {
        return Err(Refusal::new(Code::BadAmount, "you have no chips; bring some first"));
    }
    let waits = wait_for_big_blind && draft.table.config().blinds_owed == BlindsOwed::PostOrWait;
    let status = if waits { SeatStatus::Waiting } else { SeatStatus::Playing };
    draft.emit(Event::Status { seat, status, waits, at_ms: draft.now });
    Ok(())
}

fn act(
    draft: &mut Draft,
    user: &UserId,
    hand: u64,
    turn: u64,
    kind: ActKind,
    to: Option<u64>,
) -> Result<(), Refusal> {
    let table = &draft.table;
    let seat = seat_of(table, user)?;
    let current = table.turn_view();
    let Some(current) = current.filter(|current| table.hands == hand && current.turn == turn) else {
        return Err(with_legal(table, user, Code::Late, "that turn is over"));
    };
    if current.seat != seat {
        return Err(with_legal(table, user, Code::NotYourTurn, "it is another player's turn"));
    }
    let raise = |kind: RaiseKind| {
        let is_bet = current.raise.is_none_or(|limits| limits.bet);
        match to {
            Some(to) if is_bet == (kind == RaiseKind::Bet) => Ok(Action::RaiseTo(Chips(to))),
            Some(_) if is_bet => {
                Err(with_legal(table, user, Code::Illegal, "nobody has bet yet: bet, not raise"))
            }
            Some(_) => Err(with_legal(table, user, Code::Illegal, "there is a bet: raise, not bet")),
            None => Err(with_legal(table, user, Code::Illegal, "a bet or raise says to which total")),
        }
    };
    let action = match kind {
        ActKind::Fold => Action::Fold,
        ActKind::Check => Action::Check,
        ActKind::Call => Action::Call,
        ActKind::Bet => raise(RaiseKind::Bet)?,
        ActKind::Raise => raise(RaiseKind::Raise)?,
    };
    dealing::act(draft, index(seat), action, false)
        .map_err(|illegal| with_legal(&draft.table, user, Code::Illegal, illegal.code.sentence()))
}

fn with_legal(table: &Table, user: &UserId, code: Code, message: &str) -> Refusal {
    Refusal { legal: Some(json(&legal(table, user))), ..Refusal::new(code, message) }
}

/// What is said of the hand to somebody who is refused something. Nothing to who has no seat: the table may be shown to him late.
pub(super) fn legal(table: &Table, user: &UserId) -> LegalView {
    let is_seated = table.seat_of(user).is_some() || is_planted(Fault::TellsTurnToAnybody);
    let hand = if is_seated { table.hands } else { 0 };
    let turn = table.turn_view().filter(|_| is_seated).cloned();
    LegalView { hand, turn, buy_in: None, play_from_ms: None }
}

/// Shows all cards, or those that are named beside those that lie face up already.
fn show(draft: &mut Draft, user: &UserId, named: Option<&[Card]>) -> Result<(), Refusal> {
    let table = &draft.table;
    let seat = seat_of(table, user)?;
    if table.running().is_some() {
        return Err(Refusal::new(Code::InHand, "cards are shown after the hand"));
    }
    let dealt_in = table.seated(seat).filter(|player| player.in_hand);
    let Some((hand, player)) = table.hand.as_deref().zip(dealt_in) else {
        return Err(Refusal::new(Code::Illegal, "you were not dealt into the last hand"));
    };
    let seen = Refusal::new(Code::Unchanged, "your cards were seen already");
    let held = table.hole_cards(seat);
    let named = named.unwrap_or(&held);
    if named.iter().any(|card| !held.contains(card)) {
        return Err(Refusal::new(Code::Illegal, "you do not hold that card"));
    }
    if named.iter().all(|card| player.shown.contains(card)) {
        return Err(seen);
    }
    let wanted = |card| [named, &player.shown].iter().any(|cards| cards.contains(&project::card(card)));
    let mut shown = None;
    match (hand.clone().show_some(index(seat), wanted, |event| shown = Some(event)), shown) {
        (Ok(()), Some(event)) => {
            draft.emit(Event::Hand { event, timeout: false });
            Ok(())
        }
        _ => Err(seen),
    }
}

fn chat(draft: &mut Draft, user: &UserId, name: &str, text: &str) -> Result<(), Refusal> {
    let text = Line::new(text)
        .map_err(|unfit| Refusal::new(Code::BadText, format!("this cannot be said here: {unfit}")))?;
    let name = names::shown(&draft.table, user, name);
    draft.emit(Event::Chat { user: user.clone(), name, text: text.into_string() });
    Ok(())
}
