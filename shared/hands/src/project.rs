//! What everybody sees of a hand's events: at its table while it is played, and in a [replay](crate::replay).

use holdem::{
    Chips, Did, Hand, HoleCards, PostKind, RaiseKind, SeatIndex, ShowReason, Street, evaluate::strength,
    made::made,
};
use protocol::{
    table::{
        ActKind, Acted, BlindKind, Card, HandClass, MadeHand, PotView, RaiseLimits, StreetName, TableEvent,
        TableView, TurnView,
    },
    time::UnixMs,
};

/// What is seen of an event in the light of the hand before it. The hand and the view are those before the event.
pub fn before(
    hand: &Hand,
    view: &TableView,
    event: &holdem::Event,
    timeout: bool,
    seen: &mut Vec<TableEvent>,
) {
    use holdem::Event as E;
    match *event {
        E::Posted { seat, kind, amount, due: _ } => {
            let blind = match kind {
                PostKind::Ante | PostKind::TableAnte => BlindKind::Ante,
                PostKind::SmallBlind => BlindKind::Small,
                PostKind::BigBlind => BlindKind::Big,
                PostKind::Straddle => BlindKind::Straddle,
                PostKind::OwedBlind => BlindKind::Live,
                PostKind::DeadBlind => BlindKind::Dead,
            };
            seen.push(TableEvent::Posted { seat: seat.get(), blind, amount: amount.0 });
        }
        // All are dealt in one go: the first tells it for all.
        E::HoleDealt { cards, .. } => {
            if hand.seats().all(|(_, player)| player.hole_cards().is_empty()) {
                seen.push(TableEvent::Dealt { cards: small(cards.len()) });
            }
        }
        E::Acted { seat, did, all_in } => {
            let bet = hand.player(seat).map_or(Chips::ZERO, |player| player.bet());
            let (kind, to) = match did {
                Did::Fold => (ActKind::Fold, bet),
                Did::Check => (ActKind::Check, bet),
                Did::Call(amount) => (ActKind::Call, bet + amount),
                Did::BetTo(to) => (ActKind::Bet, to),
                Did::RaiseTo(to) => (ActKind::Raise, to),
            };
            let amount = (to - bet).0;
            seen.push(TableEvent::Acted(Acted { seat: seat.get(), kind, amount, to: to.0, all_in, timeout }));
        }
        E::UncalledReturned { seat, amount } => {
            let bet = hand.player(seat).map_or(Chips::ZERO, |player| player.bet());
            let (from_bet, from_pot) = (amount.min(bet), amount.saturating_sub(bet));
            if !from_bet.is_zero() {
                seen.push(TableEvent::Returned { seat: seat.get(), amount: from_bet.0 });
            }
            // An ante that nobody could match lies in the pot already.
            if !from_pot.is_zero() {
                seen.push(TableEvent::Won { seat: seat.get(), pot: 0, amount: from_pot.0, run: 0 });
            }
        }
        E::StreetDealt { board, street, cards } => {
            pots_as_they_are(hand, view, seen);
            let street = match street {
                Street::Preflop => StreetName::Preflop,
                Street::Flop => StreetName::Flop,
                Street::Turn => StreetName::Turn,
                Street::River => StreetName::River,
            };
            let cards = cards.iter().flatten().map(card).collect();
            seen.push(TableEvent::Street { street, cards, run: board });
        }
        E::RakeTaken { pot, amount } => {
            pots_as_they_are(hand, view, seen);
            seen.push(TableEvent::Raked { pot, amount: amount.0 });
        }
        E::PotAwarded { pot, seat, amount, board } => {
            pots_as_they_are(hand, view, seen);
            seen.push(TableEvent::Won { seat: seat.get(), pot, amount: amount.0, run: board });
        }
        E::Shown { seat, ref cards, why } => {
            if why != ShowReason::Voluntary {
                pots_as_they_are(hand, view, seen);
            }
            let rank = rank(hand, cards);
            debug_assert!(why == ShowReason::Voluntary || !hand.ended());
            let hands = made_hands(hand, seat, cards).collect();
            let cards = cards.iter().flatten().map(card).collect();
            seen.push(TableEvent::Shown { seat: seat.get(), cards, rank, hands });
        }
        // Before that: who mucks gives up a pot, but may be named in it.
        E::Mucked { seat } => {
            pots_as_they_are(hand, view, seen);
            seen.push(TableEvent::Mucked { seat: seat.get() });
        }
        // What is stored for the first release does not say that it was asked.
        E::RunsVoted { seat, boards } if view.hand.as_ref().is_some_and(|hand| hand.runs.is_some()) => {
            seen.push(TableEvent::RunsVoted { seat: seat.get(), boards });
        }
        E::RunsAgreed { boards } => seen.push(TableEvent::RunsAgreed { boards }),
        // Seen by its effects, by nobody, or (the offer, the end) told by the table, which knows until when, and when the next hand is.
        E::BetsCollected
        | E::RunsOffered { .. }
        | E::RunsVoted { .. }
        | E::ShowdownChosen { .. }
        | E::HandEnded => {}
    }
}

/// What is seen only after the event.
pub fn after(hand: &Hand, event: &holdem::Event, seen: &mut Vec<TableEvent>) {
    if matches!(event, holdem::Event::BetsCollected) {
        seen.push(TableEvent::Collected { pots: pots(hand) });
    }
}

/// Somebody may have folded on a street without a bet, which collects nothing but may change who can win what.
fn pots_as_they_are(hand: &Hand, view: &TableView, seen: &mut Vec<TableEvent>) {
    let pots = pots(hand);
    let nothing_paid = hand.pot_total().0 == pots.iter().map(|pot| pot.amount).sum::<u64>();
    if nothing_paid && view.hand.as_ref().is_some_and(|hand| hand.pots != pots) {
        seen.push(TableEvent::Collected { pots });
    }
}

fn pots(hand: &Hand) -> Vec<PotView> {
    let seats = |pot: &holdem::Pot| pot.eligible.iter().map(holdem::SeatIndex::get).collect();
    hand.pots().iter().map(|pot| PotView { amount: pot.amount.0, seats: seats(pot) }).collect()
}

/// The turn of the player to act, the hand's so many-th; `None` if it is nobody's.
pub fn turn(hand: &Hand, turn: u64, deadline_ms: UnixMs) -> Option<TurnView> {
    let (seat, legal) = (hand.to_act()?, hand.legal_actions()?);
    Some(TurnView {
        turn,
        seat: seat.get(),
        deadline_ms,
        call: legal.call.map(|call| call.0),
        raise: legal.raise.map(|raise| RaiseLimits {
            min: raise.min_to.0,
            max: raise.max_to.0,
            bet: raise.kind == RaiseKind::Bet,
        }),
    })
}

/// A card as it travels.
///
/// # Panics
/// Never: a card is written rank then suit.
pub fn card(card: holdem::Card) -> Card {
    Card::new(&card.to_string()).expect("a card is written rank then suit")
}

/// What a hand makes, in words; empty before the board is complete.
fn rank(hand: &Hand, cards: &HoleCards) -> String {
    let strength = strength(hand.rules().variant, cards, hand.board());
    strength.map(|strength| strength.class().to_string()).unwrap_or_default()
}

/// What all hands that are face up make on each board that is complete.
pub fn shown_hands(hand: &Hand) -> Vec<MadeHand> {
    let face_up = hand.seats().filter(|(_, player)| player.shown());
    face_up.flat_map(|(seat, player)| made_hands(hand, seat, player.hole_cards())).collect()
}

/// What these cards of a seat make on each board that is complete.
fn made_hands(hand: &Hand, seat: SeatIndex, hole: &HoleCards) -> impl Iterator<Item = MadeHand> {
    (0..).zip(hand.boards()).filter_map(move |(run, board)| {
        let made = made(hand.rules().variant, hole, board)?;
        Some(MadeHand {
            seat: seat.get(),
            run,
            class: class(made.strength.class()),
            ranks: made.ranks(),
            cards: made.cards.into_iter().map(card).collect(),
        })
    })
}

fn class(class: holdem::evaluate::HandClass) -> HandClass {
    use holdem::evaluate::HandClass as C;
    match class {
        C::HighCard => HandClass::HighCard,
        C::OnePair => HandClass::OnePair,
        C::TwoPair => HandClass::TwoPair,
        C::ThreeOfAKind => HandClass::ThreeOfAKind,
        C::Straight => HandClass::Straight,
        C::Flush => HandClass::Flush,
        C::FullHouse => HandClass::FullHouse,
        C::FourOfAKind => HandClass::FourOfAKind,
        C::StraightFlush => HandClass::StraightFlush,
    }
}

fn small(count: usize) -> u8 {
    u8::try_from(count).expect("a player has at most six cards")
}
