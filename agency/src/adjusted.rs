//! What a hand brings on average, where all chips are in before the river: the cards that are still to come are chance alone.

use holdem::{Board, Card, Hand, Pots, SEATS_MAX, SeatIndex, Variant, card::BOARD_MAX, evaluate::best};
use rand::{Rng, RngExt};
use smallvec::SmallVec;

/// Boards that stand for all 1.7 million where none of their cards lies. The error that is left is a hundredth of the pot, and on average none.
const BOARDS: usize = 1_000;

/// What each seat won or lost, chips. `board_then` is how many cards lay when the last decision was made, if all chips of those in it
/// were in then.
///
/// The cards of those who have folded are known to be out: so the mean is that of the hands as dealt, without bias.
pub fn winnings(hand: &Hand, board_then: Option<usize>, rng: &mut dyn Rng) -> [f64; SEATS_MAX] {
    let mut nets = [0.0; SEATS_MAX];
    match board_then.filter(|cards| *cards < BOARD_MAX) {
        None => hand.seats().for_each(|(seat, player)| nets[seat.index()] = player.net() as f64),
        Some(cards) => {
            let won = equities(hand, cards, rng);
            for (seat, player) in hand.seats() {
                nets[seat.index()] = won[seat.index()] - player.contributed().0 as f64;
            }
        }
    }
    nets
}

/// What each seat wins of the pots on average, with so many cards of the board.
fn equities(hand: &Hand, cards: usize, rng: &mut dyn Rng) -> [f64; SEATS_MAX] {
    let board: SmallVec<[Card; BOARD_MAX]> = hand.board().iter().flatten().take(cards).collect();
    let holes = hand.seats().flat_map(|(_, player)| player.hole_cards().iter().flatten());
    let known: SmallVec<[Card; 32]> = holes.chain(board.iter().copied()).collect();
    let mut unseen: Vec<Card> = hand.rules().variant.deck().filter(|card| !known.contains(card)).collect();
    let (pots, mut won, mut boards) = (hand.pots(), [0.0; SEATS_MAX], 0.0);
    let mut deal = |rest: &[Card]| {
        let board: Board = board.iter().chain(rest).copied().collect();
        share(hand, &pots, &board, &mut won);
        boards += 1.0;
    };
    match BOARD_MAX - cards {
        1 => unseen.iter().for_each(|river| deal(&[*river])),
        2 => {
            for (at, turn) in unseen.iter().enumerate() {
                unseen[at + 1..].iter().for_each(|river| deal(&[*turn, *river]));
            }
        }
        missing => {
            for _ in 0..BOARDS {
                for at in 0..missing {
                    let from = rng.random_range(at..unseen.len());
                    unseen.swap(at, from);
                }
                deal(&unseen[..missing]);
            }
        }
    }
    won.map(|won| won / boards)
}

/// Gives each pot to its winners on this board.
fn share(hand: &Hand, pots: &Pots, board: &Board, won: &mut [f64; SEATS_MAX]) {
    let strength = |seat: SeatIndex| {
        let hole = hand.player(seat).map(|player| player.hole_cards())?;
        match hand.rules().variant {
            Variant::Holdem => Some(best(Variant::Holdem, hole.iter().chain(board.iter()).flatten())),
            other => holdem::evaluate::strength(other, hole, board),
        }
    };
    let mut strengths = [None; SEATS_MAX];
    hand.live().iter().for_each(|seat| strengths[seat.index()] = strength(seat));
    for pot in pots {
        let top = pot.eligible.iter().map(|seat| strengths[seat.index()]).max().flatten();
        let winners = pot.eligible.iter().filter(|seat| strengths[seat.index()] == top);
        let part = pot.amount.0 as f64 / winners.clone().count().max(1) as f64;
        winners.for_each(|seat| won[seat.index()] += part);
    }
}
