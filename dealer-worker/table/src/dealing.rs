//! The course of hands: starting one, going on after an action, pacing what is dealt without betting, and the end.

use holdem::{Action, Deck, Hand, Refusal as Illegal, SeatIndex, Seed, ShowReason};
use protocol::table::SeatStatus;
use rand_chacha::rand_core::Rng;

use super::{Event, chips, draft::Draft, event::Extension, runs};

/// Starts the next hand, if there are players for it.
pub(super) fn start(draft: &mut Draft, rng: &mut dyn Rng) {
    let Some(next) = draft.table.next_hand() else { return };
    for seat in next.waiting.iter() {
        wait(draft, seat.get());
    }
    for dealt in &next.setup.seats {
        let seat = dealt.seat.get();
        if draft.table.seated(seat).is_some_and(|player| player.status == SeatStatus::Waiting) {
            draft.emit(Event::Status { seat, status: SeatStatus::Playing, waits: false, at_ms: draft.now });
        }
        refill_banks(draft, seat);
    }
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    let seed = Seed(seed);
    let deck = Deck::shuffled(next.setup.rules.variant, &seed);
    let mut events = Vec::new();
    let started = Hand::start(&next.setup, deck, |event| events.push(event));
    started.expect("a table's seats make a valid hand");
    draft.emit(Event::HandStarted { setup: Box::new(next.setup), rotation: next.rotation, seed });
    play(draft, events, false);
}

/// Who is there and not dealt in yet waits; who is not there sits out as before.
fn wait(draft: &mut Draft, seat: u8) {
    if draft.table.seated(seat).is_some_and(|player| player.status == SeatStatus::Playing) {
        let waits = draft.table.place(seat).waits;
        draft.emit(Event::Status { seat, status: SeatStatus::Waiting, waits, at_ms: draft.now });
    }
}

fn refill_banks(draft: &mut Draft, seat: u8) {
    let config = draft.table.config();
    let bank_ms = draft.table.seated(seat).map_or(0, |player| player.bank_ms);
    let filled_ms = (bank_ms + config.bank_refill_ms).min(config.bank_ms);
    let used_ms = draft.table.place(seat).away_used_ms;
    let unused_ms = used_ms.saturating_sub(config.away_refill_ms);
    if filled_ms > bank_ms {
        draft.emit(Event::BankLeft { seat, bank_ms: filled_ms });
    }
    if unused_ms < used_ms {
        draft.emit(Event::AwayBank { seat, used_ms: unused_ms });
    }
}

/// The player to act does something; then the hand goes on to the next decision or its end.
///
/// # Errors
/// If the rules do not allow it: nothing has been decided.
pub(super) fn act(draft: &mut Draft, seat: SeatIndex, action: Action, timeout: bool) -> Result<(), Illegal> {
    let mut hand = draft.table.running().expect("who acts is in a hand").clone();
    let mut events = Vec::new();
    hand.act(seat, action, |event| events.push(event))?;
    settle_banks(draft, seat.get());
    play(draft, events, timeout);
    Ok(())
}

/// What is left of the time that was drawn on: of the time bank, or of the extra time for the disconnected.
fn settle_banks(draft: &mut Draft, seat: u8) {
    let Some(turn) = draft.table.turn else { return };
    let used_ms = draft.table.place(seat).away_used_ms;
    let spared_ms = if turn.protected { turn.deadline_ms.saturating_sub(draft.now) } else { 0 };
    // A change of owner may have given a turn more time than that.
    let spared_ms = spared_ms.min(draft.table.config().away_ms).min(used_ms);
    if spared_ms > 0 {
        draft.emit(Event::AwayBank { seat, used_ms: used_ms - spared_ms });
    }
    if !turn.on_bank {
        return;
    }
    let had_ms = draft.table.seated(seat).map_or(0, |player| player.bank_ms);
    // After the extra time of a disconnected player nothing of the bank is left.
    let left_ms = if turn.protected { 0 } else { turn.deadline_ms.saturating_sub(draft.now).min(had_ms) };
    if left_ms != had_ms {
        draft.emit(Event::BankLeft { seat, bank_ms: left_ms });
    }
}

/// A player says on how many boards the rest shall be dealt; then the hand goes on, once that is decided.
///
/// # Errors
/// If nobody asks that seat, or does not offer so many: nothing has been decided.
pub(super) fn vote_runs(draft: &mut Draft, seat: SeatIndex, boards: u8) -> Result<(), Illegal> {
    let mut hand = draft.table.running().expect("runs are of a hand").clone();
    let mut events = Vec::new();
    hand.vote_runs(seat, boards, |event| events.push(event))?;
    play(draft, events, false);
    Ok(())
}

/// Shows what the rules have decided, up to the next street if no betting is left and the table paces that.
fn play(draft: &mut Draft, mut events: Vec<holdem::Event>, timeout: bool) {
    let runout_ms = draft.table.config().runout_ms;
    let later = if runout_ms == 0 { Vec::new() } else { events.split_off(shown_at_once(&events)) };
    for event in events {
        let timeout = timeout && matches!(event, holdem::Event::Acted { .. });
        draft.emit(Event::Hand { event, timeout });
    }
    if later.is_empty() {
        go_on(draft);
    } else {
        draft.emit(Event::RunOut { events: later, at_ms: draft.now + runout_ms });
    }
}

/// How many events are shown at once: up to the first street that is dealt after the hands were tabled (TDA 16), as they are before
/// anybody is asked for boards.
fn shown_at_once(events: &[holdem::Event]) -> usize {
    let tabled = |event: &holdem::Event| {
        matches!(event, holdem::Event::Shown { why: ShowReason::AllIn, .. } | holdem::Event::RunsVoted { .. })
    };
    let street = |event: &holdem::Event| matches!(event, holdem::Event::StreetDealt { .. });
    let Some(first) = events.iter().position(tabled) else { return events.len() };
    events[first..].iter().position(street).map_or(events.len(), |street| first + street)
}

/// The next part of a hand without betting: one street, and after the last one the rest.
pub(super) fn run_out(draft: &mut Draft) {
    let run_out = draft.table.run_out.clone().expect("only a run-out goes on");
    let street = |event: &holdem::Event| matches!(event, holdem::Event::StreetDealt { .. });
    let mut events = run_out.events.into_iter().peekable();
    // The river is left to be looked at before the chips move.
    let is_street = events.peek().is_some_and(street);
    while let Some(event) = events.next_if(|event| !is_street || street(event)) {
        draft.emit(Event::Hand { event, timeout: false });
        if is_street {
            break;
        }
    }
    if events.peek().is_some() {
        let at_ms = draft.now + draft.table.config().runout_ms;
        draft.emit(Event::Paced { at_ms });
    } else {
        go_on(draft);
    }
}

/// Gives the turn to whoever is next, or ends the hand.
fn go_on(draft: &mut Draft) {
    let hand = draft.table.running().expect("a hand that goes on");
    if hand.ended() {
        end(draft);
        return;
    }
    if hand.runs_offered().is_some() {
        runs::ask(draft);
        return;
    }
    let seat = hand.to_act().expect("a hand that has not ended waits for somebody");
    let leaving = draft.table.seated(seat.get()).is_some_and(|player| player.status == SeatStatus::Leaving);
    if leaving {
        act(draft, seat, Action::Fold, false).expect("folding is always legal for who is to act");
    } else if is_absent(draft, seat) {
        let action = hand.timeout_action().expect("somebody is to act");
        act(draft, seat, action, true).expect("what the clock does is legal");
    } else {
        let deadline_ms = draft.now + draft.table.config().turn_ms;
        draft.emit(Event::Turn { deadline_ms });
    }
}

/// Whether the clock plays at once for a seat: who sits out where everybody is dealt in.
fn is_absent(draft: &Draft, seat: SeatIndex) -> bool {
    let player = draft.table.seated(seat.get());
    draft.table.deals_in_absent() && player.is_some_and(|player| player.status == SeatStatus::SittingOut)
}

/// Somebody sits out from now on: if it is his turn, and he stays in the game, the clock plays for him.
pub(super) fn play_for_absent(draft: &mut Draft) {
    let Some(hand) = draft.table.running().filter(|_| draft.table.turn.is_some()) else { return };
    let Some((seat, action)) = hand.to_act().zip(hand.timeout_action()) else { return };
    if is_absent(draft, seat) {
        act(draft, seat, action, true).expect("what the clock does is legal");
    }
}

/// The hand is paid: who wanted to leaves, promised chips come, who has none sits out.
fn end(draft: &mut Draft) {
    let at_ms = draft.now;
    draft.emit(Event::HandEnded { at_ms, next_ms: at_ms + draft.table.config().pause_ms });
    let seats: Vec<u8> = draft.table.players().map(|(seat, _)| seat).collect();
    for seat in seats {
        let Some(player) = draft.table.seated(seat) else { continue };
        if player.status == SeatStatus::Leaving {
            draft.emit(Event::Left { seat, at_ms });
            continue;
        }
        chips::settle_top_up(draft, seat);
        let Some(player) = draft.table.seated(seat) else { continue };
        if player.stack == 0 && player.status != SeatStatus::SittingOut {
            draft.emit(Event::Status { seat, status: SeatStatus::SittingOut, waits: false, at_ms });
        }
    }
}

/// A turn lasts longer.
pub(super) fn extend(draft: &mut Draft, deadline_ms: u64, by: Extension) {
    draft.emit(Event::Extended { deadline_ms, by });
}
