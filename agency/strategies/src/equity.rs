//! How often a hand wins: the rest is dealt many times over.

use holdem::{Board, Card, HoleCards, Variant, evaluate::strength};
use rand::{Rng, RngExt};

use crate::starting_hand;

/// How many times. The error of a share of a half is then about 4 of 100.
const DEALS: usize = 150;

/// Cards of a complete board.
const BOARD_CARDS: usize = 5;

/// Whom one plays against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opponents {
    /// How many are in the hand.
    pub(crate) count: usize,
    /// From so many hands each would have chosen the best: 1 plays anything, more for those who have bet.
    pub(crate) choosy: usize,
}

/// The share of the pot that a hand wins on average against such opponents, 0.0 to 1.0.
pub(crate) fn equity(
    variant: Variant,
    hole: &[Card],
    board: &[Card],
    opponents: Opponents,
    rng: &mut dyn Rng,
) -> f64 {
    if hole.len() != variant.hole_cards() {
        return 1.0 / (opponents.count + 1) as f64;
    }
    let unseen: Vec<Card> =
        variant.deck().filter(|card| !hole.contains(card) && !board.contains(card)).collect();
    // With many opponents, or many cards each, nobody can choose among so many.
    let left = unseen.len() - BOARD_CARDS.saturating_sub(board.len());
    let choosy = opponents.choosy.min(left / (hole.len() * opponents.count).max(1)).max(1);
    let opponents = Opponents { choosy, ..opponents };
    let won: f64 = (0..DEALS).map(|_| deal(variant, hole, board, unseen.clone(), opponents, rng)).sum();
    won / DEALS as f64
}

/// The share of the pot after one deal of what is not seen.
fn deal(
    variant: Variant,
    hole: &[Card],
    board: &[Card],
    mut unseen: Vec<Card>,
    opponents: Opponents,
    rng: &mut dyn Rng,
) -> f64 {
    let mut draw = |count: usize| -> Vec<Card> {
        (0..count).map(|_| unseen.swap_remove(rng.random_range(0..unseen.len()))).collect()
    };
    let board: Vec<Card> =
        board.iter().copied().chain(draw(BOARD_CARDS.saturating_sub(board.len()))).collect();
    let complete = known_board(&board);
    let of = |hole: &[Card]| strength(variant, &known_hole(hole), &complete);
    let (mine, mut sharing) = (of(hole), 1.0);
    for _ in 0..opponents.count {
        let theirs = chosen(opponents.choosy, hole.len(), &mut draw);
        match of(&theirs).cmp(&mine) {
            std::cmp::Ordering::Greater => return 0.0,
            std::cmp::Ordering::Equal => sharing += 1.0,
            std::cmp::Ordering::Less => {}
        }
    }
    1.0 / sharing
}

/// The best of so many hands to begin with, as far as the cards go round.
fn chosen(of: usize, cards: usize, draw: &mut impl FnMut(usize) -> Vec<Card>) -> Vec<Card> {
    let hands = (0..of).map(|_| draw(cards));
    let best = hands.max_by(|a, b| starting_hand::worth(a).total_cmp(&starting_hand::worth(b)));
    best.expect("everybody has a hand")
}

fn known_hole(cards: &[Card]) -> HoleCards {
    let mut hole = HoleCards::NONE;
    cards.iter().for_each(|card| hole.push(Some(*card)));
    hole
}

fn known_board(cards: &[Card]) -> Board {
    let mut board = Board::default();
    cards.iter().for_each(|card| board.push(Some(*card)));
    board
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn of(hole: &str, board: &str, count: usize) -> f64 {
        let cards =
            |text: &str| -> Vec<Card> { text.split_whitespace().map(|card| card.parse().unwrap()).collect() };
        let opponents = Opponents { count, choosy: 1 };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        equity(Variant::Holdem, &cards(hole), &cards(board), opponents, &mut rng)
    }

    #[test]
    fn the_deck_suffices_for_as_many_opponents_as_a_table_has() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for variant in [Variant::Holdem, Variant::ShortDeck, Variant::Omaha, Variant::Omaha5, Variant::Omaha6]
        {
            let hole: Vec<Card> = variant.deck().step_by(3).take(variant.hole_cards()).collect();
            let opponents = Opponents { count: variant.players_max() - 1, choosy: 4 };
            assert!((0.0..=1.0).contains(&equity(variant, &hole, &[], opponents, &mut rng)), "{variant:?}");
        }
    }

    #[test]
    fn a_hand_wins_as_often_as_is_known_of_it() {
        let close = |share: f64, known: f64| assert!((share - known).abs() < 0.1, "{share} for {known}");
        close(of("As Ah", "", 1), 0.85);
        close(of("7d 2c", "", 1), 0.35);
        close(of("As Ah", "", 5), 0.49);
        assert!((of("As Ks", "Qs Js Ts 2d 3c", 3) - 1.0).abs() < f64::EPSILON);
        assert!((of("2d 3c", "As Ks Qs Js Ts", 1) - 0.5).abs() < f64::EPSILON, "the board plays");
    }
}
