//! What a table's tournament says, and what it had said before that the journal has lost.

use protocol::id::RoomId;
use rand_chacha::rand_core::Rng;
use rooms::{
    planted::{Fault, is_planted},
    room::letters::{Letter, LetterId},
};
use table::seating::{self, Newcomer};
use tracing::{error, warn};

use super::{between, chair, draft::Draft, state::Event};
use crate::letters::{self, Arrival, ToTable, ToTournament};

/// The tournament has written.
pub(super) fn told(draft: &mut Draft, letter: LetterId, body: &[u8], rng: &mut dyn Rng) {
    let Some(what) = letters::read::<ToTable>(body) else {
        error!(of = %draft.part.of, "a letter that this release cannot read");
        return;
    };
    match what {
        ToTable::Seat(arrival) => seat(draft, letter, &arrival, rng),
        ToTable::Give { to, all } => draft.emit(Event::Giving { letter, to, all }),
        ToTable::Hold { round, clock } => {
            draft.emit(Event::Clock { clock });
            let may_deal = is_planted(Fault::SkipsHold);
            draft.emit(Event::Holding { hold: Some((letter, round, may_deal)) });
        }
        ToTable::DealOne { round, clock } => {
            draft.emit(Event::Clock { clock });
            draft.emit(Event::Holding { hold: Some((letter, round, true)) });
        }
        ToTable::Go { clock } => {
            draft.emit(Event::Clock { clock });
            draft.emit(Event::Holding { hold: None });
        }
        ToTable::Clock { clock } => draft.emit(Event::Clock { clock }),
        ToTable::Close => draft.emit(Event::Closing { letter }),
        ToTable::Penalty { entry, hands } => penalize(draft, entry, hands),
        ToTable::Expel { entry } => draft.emit(Event::Expelling { letter, entry }),
    }
}

/// Somebody sits out so many hands. Whoever sits here no more has it with him.
fn penalize(draft: &mut Draft, entry: u32, hands: u32) {
    let Some(seat) = draft.part.seat_of(entry) else { return };
    if hands > 0 {
        draft.emit(Event::Penalty { entry, hands });
        between::sit_out(draft, seat);
    } else if draft.part.penalty_of(entry).is_some() {
        between::end_penalty(draft, entry);
    }
}

fn seat(draft: &mut Draft, letter: LetterId, arrival: &Arrival, rng: &mut dyn Rng) {
    let Arrival { entry, user, name, stack, bank_ms, sits_out, drawn } = arrival;
    // After a loss the same word may come once more.
    if let Some(seat) = draft.part.seat_of(*entry) {
        draft.write(&ToTournament::Seated { entry: *entry, seat }, []);
        return;
    }
    let table = draft.table.table();
    let is_closing = draft.part.closes.is_some() || draft.part.give.as_ref().is_some_and(|give| give.all);
    let chosen = if *drawn { chair::drawn(table, rng) } else { chair::worst(table, rng) };
    let chosen = chosen.filter(|_| !is_closing && table.seat_of(user).is_none());
    let Some(seat) = chosen else {
        draft.write(&ToTournament::NoSeat { entry: *entry }, [letter]);
        return;
    };
    seating::seat(&mut draft.table, Newcomer { seat, user, name, stack: *stack, waits: false });
    let full_ms = draft.table.table().config().bank_ms;
    if *bank_ms < full_ms {
        draft.table.emit(table::Event::BankLeft { seat, bank_ms: *bank_ms });
    }
    if *sits_out {
        let (status, at_ms) = (protocol::table::SeatStatus::SittingOut, draft.moment.now);
        draft.table.emit(table::Event::Status { seat, status, waits: false, at_ms });
    }
    draft.emit(Event::Took { seat, entry: *entry, user: user.clone(), by: letter });
    draft.write(&ToTournament::Seated { entry: *entry, seat }, []);
}

/// After a takeover the tournament has said what it has heard. Mostly nothing was lost, and hands may go on.
///
/// What was lost the tournament knows of: whoever is said to have gone goes, since he sits elsewhere by now or has his place. He may have other chips here
/// than he went with, if the lost hands went another way; the tournament is told the difference.
pub(super) fn recalled(draft: &mut Draft, letters: &[(RoomId, Letter)]) {
    for (_, letter) in letters {
        match letters::read::<ToTournament>(letter.body.as_bytes()) {
            Some(ToTournament::Released { players, .. }) => {
                players.iter().for_each(|player| haunts(draft, player.entry, player.stack));
            }
            Some(ToTournament::Busted { players, .. }) => {
                players.iter().for_each(|(entry, _)| haunts(draft, *entry, 0));
            }
            Some(ToTournament::Expelled { entry, stack }) => haunts(draft, entry, stack),
            Some(ToTournament::Closed) => draft.emit(Event::Closing { letter: letter.id }),
            _ => {}
        }
    }
    if draft.part.waits_until.is_some() {
        draft.emit(Event::Waits { until_ms: None });
    }
}

fn haunts(draft: &mut Draft, entry: u32, stack: u64) {
    if let Some(seat) = draft.part.seat_of(entry) {
        warn!(of = %draft.part.of, entry, "a player had gone from the table, and its journal has lost it");
        draft.emit(Event::Haunts { seat, stack });
    }
}
