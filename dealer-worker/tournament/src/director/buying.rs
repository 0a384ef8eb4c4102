//! Entries that cost somebody's chips: they come from the cage before anybody takes part, go back to whoever does not after all, and what
//! lies here goes to the winners.
//!
//! ```text
//!          register               posted
//!  nobody ----------> is paying ---------> registered ----(plays)----> placed, and the prize is paid
//!    ^                    | refused, waited too long, or taken back         |
//!    +------ declined ----+                    called off, or taken back ---+---> all goes back
//! ```
//!
//! What is asked are errands of the tournament's room: facts of its journal, done once, whatever process dies. What the prizes come to is what the
//! entries have brought, so the account of a tournament that is over is empty.

use money::{
    Ask, Body as _, Currency, Paid, RETRY_MS, SERVICE, Share, Stake, WAIT_MS, Why, holdings::Holdings,
};
use protocol::{
    RefusalCode as Code,
    id::{ErrandId, UserId},
    table::DeclinedCode,
    time::UnixMs,
    tournament::Phase,
};
use rand_chacha::rand_core::Rng;
use rooms::{
    planted::{Fault, is_planted},
    room::{
        Refusal,
        errands::{self, Errand, Errands, Outcome},
    },
};
use tracing::error;

use super::{
    commands,
    draft::Draft,
    stakes::{Paying, StakeEvent, Stakes},
    state::{Event, Tournament},
};

/// So many are paid in one frame.
const PAID_AT_ONCE: usize = 64;

/// When something is due.
pub(super) fn deadline(room: &Tournament) -> Option<UnixMs> {
    let stakes = room.stakes.as_ref()?;
    let is_due = stakes.is_new() || room.waits_until.is_none() && is_to_pay(room, stakes);
    let waited = stakes.paying.iter().map(|paying| paying.at_ms + WAIT_MS).min();
    is_due.then_some(0).into_iter().chain(waited).min()
}

/// Whether somebody is to be paid.
fn is_to_pay(room: &Tournament, stakes: &Stakes) -> bool {
    !stakes.due.is_empty() || room.phase == Phase::Cancelled && stakes.held.len() > 0
}

/// Nobody is to be paid any more, and nobody waits for chips.
pub(super) fn is_settled(room: &Tournament) -> bool {
    room.stakes.as_ref().is_none_or(|stakes| stakes.is_settled() && !is_to_pay(room, stakes))
}

/// Tells the cage, as the first thing that an owner decides, from where the tournament goes on.
pub(super) fn taken_over(draft: &mut Draft) {
    if let Some(stakes) = &draft.room.stakes {
        let cut = Ask::Cut { follows: stakes.last };
        ask(draft, &cut);
        draft.emit(Event::Stake(StakeEvent::TakenOver));
    }
}

/// Asks the cage; the errand's number.
fn ask(draft: &mut Draft, ask: &Ask) -> u16 {
    let (wants_answer, goes_first) = (ask.wants_answer(), ask.goes_first());
    draft.ask(errands::Ask { of: SERVICE.into(), body: ask.write(), wants_answer, goes_first })
}

/// Asks for what an entry costs.
///
/// # Errors
/// A [`Refusal`]: the cage does not answer.
pub(super) fn pay(
    draft: &mut Draft,
    stakes: &Stakes,
    (user, name): (&UserId, &str),
    rng: &mut dyn Rng,
) -> Result<(), Refusal> {
    let now = draft.moment.now;
    if money::is_away(stakes.paying.iter().map(|paying| paying.at_ms), now) {
        return Err(Refusal::for_now(Code::Unavailable, money::AWAY, RETRY_MS));
    }
    let (currency, amount) = (stakes.price.currency, stakes.cost());
    let stake = Stake { user: user.clone(), currency, amount, nonce: rng.next_u64() };
    let n = ask(draft, &Ask::BuyIn(stake));
    let (user, name) = (user.clone(), name.to_owned());
    draft.emit(Event::Stake(StakeEvent::Asked { user, name, at_ms: now, n }));
    Ok(())
}

/// What somebody was asked for is asked no more: whatever became of it, it goes back.
pub(super) fn take_back(draft: &mut Draft, user: &UserId) -> bool {
    let paying = draft.room.stakes.as_ref().and_then(|stakes| stakes.paying(user)).map(|paying| paying.of);
    if let Some(of) = paying {
        give_up(draft, of, user);
    }
    paying.is_some()
}

fn give_up(draft: &mut Draft, of: ErrandId, user: &UserId) {
    draft.gives_up.push(of);
    ask(draft, &Ask::Void { of });
    draft.emit(Event::Stake(StakeEvent::Over { user: user.clone() }));
}

fn decline(draft: &mut Draft, user: UserId, code: DeclinedCode) {
    draft.emit(Event::Stake(StakeEvent::Declined { user, code }));
}

/// Chips have not come for too long.
pub(super) fn time_over(draft: &mut Draft) {
    let now = draft.moment.now;
    let Some(stakes) = &draft.room.stakes else { return };
    let late = stakes.paying.iter().filter(|paying| paying.at_ms + WAIT_MS <= now);
    for Paying { user, of, .. } in late.cloned().collect::<Vec<_>>() {
        give_up(draft, of, &user);
        decline(draft, user, DeclinedCode::CageAway);
    }
}

/// The cage has answered.
pub(super) fn answered(draft: &mut Draft, errand: &Errand, outcome: &Outcome) {
    let answer = match outcome {
        Outcome::Done(_) => Ok(()),
        Outcome::Refused(why) => Err(Why::read(why).unwrap_or(Why::Bad)),
    };
    match (Ask::read(&errand.ask.body), outcome) {
        (Ok(Ask::BuyIn(_)), _) => bought(draft, errand.id, answer),
        (Ok(Ask::Cut { .. }), Outcome::Done(whom)) => {
            let Paid(users) = Paid::read(whom).unwrap_or_default();
            paid_before(draft, errand.id, &users);
            draft.emit(Event::Stake(StakeEvent::Cut));
        }
        (ask, outcome) => error!(?ask, ?outcome, "the cage has answered what it was not asked"),
    }
}

fn bought(draft: &mut Draft, of: ErrandId, answer: Result<(), Why>) {
    let Some(stakes) = &draft.room.stakes else { return };
    // What is given up is answered to nobody.
    let Some(paying) = stakes.paying.iter().find(|paying| paying.of == of).cloned() else { return };
    let (currency, amount) = (stakes.price.currency, stakes.cost());
    let Paying { user, name, is_paid, .. } = paying;
    draft.emit(Event::Stake(StakeEvent::Over { user: user.clone() }));
    if let Err(why) = answer {
        return decline(draft, user, why.told());
    }
    // Of whom a table knows that he had been sent there may be here again, after a loss.
    let takes_part = draft.room.by_user.contains_key(&user) && !draft.room.is_closed;
    let enters = commands::may_register(&draft.room, &user).is_ok();
    if is_paid || !(takes_part || enters) {
        goes_back(draft, Share { user: user.clone(), currency, amount }, is_paid);
        return decline(draft, user, DeclinedCode::Other);
    }
    draft.emit(Event::Stake(StakeEvent::Brought { user: user.clone(), of }));
    if enters {
        commands::enter(draft, &user, &name);
    }
}

/// These users got prizes in a lost branch. What they brought before that epoch is the house's.
fn paid_before(draft: &mut Draft, cut: ErrandId, users: &[UserId]) {
    let is_of_before = |of: ErrandId| of.at.epoch() < cut.at.epoch();
    for user in users {
        let Some(stakes) = &draft.room.stakes else { return };
        let held = stakes.held.get(user).map(|held| held.of);
        let of = held.or_else(|| stakes.paying(user).map(|paying| paying.of));
        if of.is_some_and(is_of_before) {
            draft.emit(Event::Stake(StakeEvent::Forfeited { user: user.clone() }));
        }
    }
}

/// Somebody does not take part after all: what he has brought goes back.
pub(super) fn give_back(draft: &mut Draft, user: &UserId) {
    let Some(stakes) = &draft.room.stakes else { return };
    let Some(held) = stakes.held.get(user) else { return };
    let share = Share { user: user.clone(), currency: stakes.price.currency, amount: stakes.cost() };
    let is_forfeit = held.is_forfeit;
    goes_back(draft, share, is_forfeit);
    draft.emit(Event::Stake(StakeEvent::Returned { user: user.clone() }));
}

/// What somebody has brought goes back to him, or to the house if a lost branch has paid him.
fn goes_back(draft: &mut Draft, share: Share, is_forfeit: bool) {
    if !is_planted(Fault::KeepsStakes) {
        ask(draft, &if is_forfeit { Ask::Absorb(share) } else { Ask::Return(share) });
    }
}

/// The house takes what is its own, once it is certain who takes part; whoever has a place is paid; and who has paid for what was called off gets it back.
pub(super) fn settle(draft: &mut Draft) {
    let Some(stakes) = &draft.room.stakes else { return };
    let (price, entries) = (stakes.price, stakes.entries);
    if draft.room.phase == Phase::Cancelled {
        let back: Vec<UserId> = stakes.held.keys().take(PAID_AT_ONCE).cloned().collect();
        back.iter().for_each(|user| give_back(draft, user));
        return;
    }
    if draft.room.is_closed && !stakes.has_fees {
        let chips = price.fee * u64::from(entries);
        if chips > 0 {
            // It has no hands of its own, so this is of its first.
            ask(draft, &Ask::Rake { currency: price.currency, amount: chips, hand: 1 });
        }
        draft.emit(Event::Stake(StakeEvent::FeesTaken { chips }));
    }
    give_prizes(draft, price.currency);
}

fn give_prizes(draft: &mut Draft, currency: Currency) {
    let Some(stakes) = &draft.room.stakes else { return };
    let due = stakes.due.iter().filter_map(|entry| {
        let entrant = draft.room.entrants.get(entry)?;
        let is_forfeit = stakes.held.get(&entrant.user).is_some_and(|held| held.is_forfeit);
        Some((*entry, entrant.user.clone(), entrant.prize, is_forfeit))
    });
    let due: Vec<_> = due.take(PAID_AT_ONCE).collect();
    if due.is_empty() {
        return;
    }
    let (mut entries, mut chips) = (Vec::new(), 0);
    for (entry, user, prize, is_forfeit) in due {
        let is_the_houses = is_forfeit && prize > 0;
        let amount = prize + u64::from(is_planted(Fault::PaysPrizesOneTooMany));
        // Of nothing, too: the cage is to know that he plays no more.
        let share = Share { user: user.clone(), currency, amount };
        ask(draft, &if is_the_houses { Ask::Absorb(share) } else { Ask::CashOut(share) });
        chips += prize;
        entries.push((entry, user));
    }
    draft.emit(Event::Stake(StakeEvent::Given { entries, chips }));
}

/// What the ledger is held against: all that lies here, and what was asked of the cage and is not settled.
pub(super) fn holdings(stakes: &Stakes, errands: &Errands) -> Holdings {
    let asked = errands.of(SERVICE).map(|errand| (errand.id, &*errand.ask.body));
    Holdings::of(stakes.price.currency, stakes.chips, asked)
}
