//! Which five cards a hand is made of, in the order in which they decide.

use std::cmp::Reverse;

use smallvec::SmallVec;

use crate::card::{BOARD_MAX, Board, Card, HOLE_MAX, HoleCards};
use crate::evaluate::{HandClass, Strength, best};
use crate::variant::Variant;

/// How many cards count.
const FIVE: usize = 5;

/// A player's best five cards on a complete board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeHand {
    /// How strong they are.
    pub strength: Strength,
    /// The cards in the order in which they decide: what makes the class first, then the kickers; a straight from its top, with the ace
    /// last where it is low.
    pub cards: [Card; FIVE],
}

impl MadeHand {
    /// The ranks that decide between hands of this class, such as `7AKT` for a pair of sevens: one of each pair, three or four, then the
    /// kickers; of a straight its top alone.
    pub fn ranks(&self) -> String {
        let all = self.cards.iter().map(|card| card.to_string().remove(0));
        match self.strength.class() {
            HandClass::Straight | HandClass::StraightFlush => all.take(1).collect(),
            _ => {
                let mut ranks: Vec<char> = all.collect();
                ranks.dedup();
                ranks.into_iter().collect()
            }
        }
    }
}

/// The best hand, found by trying all combinations; `None` if a card is unknown or the board not complete.
pub fn made(variant: Variant, hole: &HoleCards, board: &Board) -> Option<MadeHand> {
    if board.len() != BOARD_MAX || hole.len() != variant.hole_cards() {
        return None;
    }
    let hole: SmallVec<[Card; HOLE_MAX]> = hole.known()?.collect();
    let board: SmallVec<[Card; BOARD_MAX]> = board.known()?.collect();
    let (strength, five) = match variant {
        Variant::Holdem | Variant::ShortDeck => {
            let all: SmallVec<[Card; 7]> = hole.iter().chain(&board).copied().collect();
            strongest(variant, combinations(&all, FIVE))?
        }
        Variant::Omaha | Variant::Omaha5 | Variant::Omaha6 => {
            let threes = combinations(&board, FIVE - 2);
            let fives = combinations(&hole, 2)
                .into_iter()
                .flat_map(|two| threes.iter().map(move |three| two.iter().chain(three).copied().collect()));
            strongest(variant, fives.collect())?
        }
    };
    Some(MadeHand { strength, cards: in_order(strength.class(), five)? })
}

/// The cards that a hand is made of.
type Cards = SmallVec<[Card; FIVE]>;

/// The first of the strongest.
fn strongest(variant: Variant, fives: Vec<Cards>) -> Option<(Strength, Cards)> {
    let mut found: Option<(Strength, Cards)> = None;
    for five in fives {
        let strength = best(variant, five.iter().copied());
        if found.as_ref().is_none_or(|(most, _)| strength > *most) {
            found = Some((strength, five));
        }
    }
    found
}

/// All choices of `count` cards.
fn combinations(cards: &[Card], count: usize) -> Vec<Cards> {
    if count == 0 {
        return vec![Cards::new()];
    }
    let mut all = Vec::new();
    for (at, &first) in cards.iter().enumerate() {
        for mut rest in combinations(&cards[at + 1..], count - 1) {
            rest.insert(0, first);
            all.push(rest);
        }
    }
    all
}

/// More of a rank first, then higher ranks; the ace behind the others of a straight that it begins.
fn in_order(class: HandClass, mut cards: Cards) -> Option<[Card; FIVE]> {
    let count = |rank| cards.iter().filter(|card| card.rank() == rank).count();
    let counts: SmallVec<[(Card, usize); FIVE]> =
        cards.iter().map(|&card| (card, count(card.rank()))).collect();
    let many = |card: &Card| counts.iter().find(|(known, _)| known == card).map_or(0, |(_, many)| *many);
    cards.sort_by_key(|card| Reverse((many(card), card.rank(), card.suit())));
    let is_straight = matches!(class, HandClass::Straight | HandClass::StraightFlush);
    // A, 5, 4, 3, 2; in short deck A, 9, 8, 7, 6.
    if is_straight && cards[0].rank() != cards[1].rank() + 1 {
        cards.rotate_left(1);
    }
    cards.into_inner().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::strength;

    fn cards(text: &str) -> Vec<Card> {
        text.split(' ').map(|card| card.parse().unwrap()).collect()
    }

    fn told(variant: Variant, hole: &str, board: &str) -> String {
        let (hole, board) = (cards(hole).into_iter().collect(), cards(board).into_iter().collect());
        let made = made(variant, &hole, &board).unwrap();
        assert_eq!(Some(made.strength), strength(variant, &hole, &board));
        let five: Vec<String> = made.cards.iter().map(ToString::to_string).collect();
        format!("{}, {}: {}", made.strength.class(), made.ranks(), five.join(" "))
    }

    #[test]
    fn the_five_cards_stand_in_the_order_in_which_they_decide() {
        use Variant::{Holdem, Omaha, ShortDeck};
        let holdem = |hole, board| told(Holdem, hole, board);
        assert_eq!(holdem("7c As", "7d Kh Tc 3s 2d"), "one pair, 7AKT: 7d 7c As Kh Tc");
        assert_eq!(holdem("7c Qs", "7d Qh Tc Ts 2d"), "two pair, QT7: Qs Qh Ts Tc 7c");
        assert_eq!(holdem("5c Ah", "4d 3h 2c Ks Kd"), "straight, 5: 5c 4d 3h 2c Ah");
        assert_eq!(holdem("Kc Kh", "Kd Qh Qc Js 2d"), "full house, KQ: Kh Kd Kc Qh Qc");
        assert_eq!(holdem("Ac 9c", "Kc 5c 2c Ad Ah"), "flush, AK952: Ac Kc 9c 5c 2c");
        assert_eq!(told(ShortDeck, "9c Ah", "8d 7h 6c Ks Kd"), "straight, 9: 9c 8d 7h 6c Ah");
        // Exactly two of one's own: no flush with one club.
        assert_eq!(told(Omaha, "Ac Kh Qd Js", "Tc 9c 5c 2c 2d"), "one pair, 2AKT: 2d 2c Ac Kh Tc");
    }

    #[test]
    fn there_is_none_before_the_board_is_complete() {
        let hole = cards("As Kd").into_iter().collect();
        assert_eq!(made(Variant::Holdem, &hole, &cards("2c 3c 4c 5c").into_iter().collect()), None);
    }
}
