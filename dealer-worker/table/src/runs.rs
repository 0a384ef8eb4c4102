//! Running it twice: when no betting is left, the players say on how many boards the rest of the hand shall be dealt. The least that
//! anybody says is dealt, so whoever wants one board has decided it, and so has the clock for those who do not answer.

use holdem::SeatIndex;
use protocol::{
    RefusalCode as Code,
    id::UserId,
    table::{RunsView, SeatStatus},
    time::UnixMs,
};
use rooms::room::Refusal;

use super::{Event, Table, commands, dealing, draft::Draft, state::index};

/// Players have so long for the answer, milliseconds, if the table gives so long for a turn.
const ANSWER_MS: u64 = 10_000;

/// The question, while it is open.
fn asked(table: &Table) -> Option<&RunsView> {
    table.running()?;
    table.view.hand.as_ref()?.runs.as_ref()
}

/// When the clock answers.
pub(super) fn deadline(table: &Table) -> Option<UnixMs> {
    asked(table).map(|runs| runs.deadline_ms)
}

/// Asks, unless that was done before. For those who are not there the answer is one board.
pub(super) fn ask(draft: &mut Draft) {
    if asked(&draft.table).is_some() {
        return;
    }
    let deadline_ms = draft.now + draft.table.config().turn_ms.min(ANSWER_MS);
    draft.emit(Event::Runs { deadline_ms });
    let is_absent = |seat: &SeatIndex| {
        let player = draft.table.seated(seat.get());
        player.is_none_or(|player| player.away || player.status != SeatStatus::Playing)
    };
    let absent = draft.table.running().and_then(|hand| hand.run_voters().find(is_absent));
    if let Some(seat) = absent {
        dealing::vote_runs(draft, seat, 1).expect("who is asked may want one board");
    }
}

/// Somebody who may be asked is not there any more.
pub(super) fn decline(draft: &mut Draft, seat: u8) {
    if asked(&draft.table).is_some_and(|runs| runs.seats.contains(&seat)) {
        dealing::vote_runs(draft, index(seat), 1).expect("who is asked may want one board");
    }
}

/// The time is over.
pub(super) fn time_over(draft: &mut Draft) {
    if let Some(seat) = asked(&draft.table).and_then(|runs| runs.seats.first().copied()) {
        decline(draft, seat);
    }
}

/// The table has a new owner: there is at least so long for the answer. An owner of before may not have known that there is a question.
pub(super) fn taken_over(draft: &mut Draft, until: UnixMs) {
    let is_offered = draft.table.running().is_some_and(|hand| hand.runs_offered().is_some());
    match deadline(&draft.table) {
        Some(deadline_ms) if deadline_ms < until => draft.emit(Event::Runs { deadline_ms: until }),
        None if is_offered => ask(draft),
        _ => {}
    }
}

/// A player answers.
///
/// # Errors
/// A [`Refusal`]; nothing has been decided.
pub(super) fn answer(draft: &mut Draft, user: &UserId, hand: u64, boards: u8) -> Result<(), Refusal> {
    let table = &draft.table;
    let seat = commands::seat_of(table, user)?;
    let Some(runs) = asked(table).filter(|_| table.hands == hand) else {
        return Err(Refusal::new(Code::Late, "nobody is asked how many boards to deal"));
    };
    if !runs.seats.contains(&seat) {
        let has_answered =
            table.in_running_hand(seat) && table.seated(seat).is_some_and(|player| !player.folded);
        let (code, why) = match has_answered {
            true => (Code::Unchanged, "you have said already on how many boards"),
            false => (Code::NotYourTurn, "only who is still in the hand has a say"),
        };
        return Err(Refusal::new(code, why));
    }
    if !(1..=runs.max).contains(&boards) {
        return Err(Refusal::new(Code::Illegal, format!("the rest is dealt on 1 to {} boards", runs.max)));
    }
    dealing::vote_runs(draft, index(seat), boards).expect("that was offered");
    Ok(())
}
