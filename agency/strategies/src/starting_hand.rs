//! What a hand is worth before the flop, among all hands.

use std::sync::LazyLock;

use holdem::{Card, Variant, card::HOLE_MAX};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Hands of more than two cards are too many to go through: so many stand for all.
const SAMPLE: usize = 2_000;

/// Worths of hands of `i` cards, best first; empty where no game deals so many.
static WORTHS: LazyLock<[Vec<f64>; HOLE_MAX + 1]> = LazyLock::new(|| {
    std::array::from_fn(|cards| match cards {
        2 => sorted(pairs(&Card::all().collect::<Vec<_>>()).map(|two| worth(&two)).collect()),
        4.. => sorted(sample(cards)),
        _ => Vec::new(),
    })
});

/// The share of all hands that are better: 0.0 for the best, near 1.0 for the worst.
pub(crate) fn better_share(hole: &[Card]) -> f64 {
    let worths = WORTHS.get(hole.len()).map_or(&[][..], Vec::as_slice);
    let mine = worth(hole);
    worths.partition_point(|other| *other > mine) as f64 / worths.len().max(1) as f64
}

/// By Chen's formula; of more than two cards the average of all pairs that they make.
pub(crate) fn worth(hole: &[Card]) -> f64 {
    let (sum, count) = pairs(hole).fold((0.0, 0), |(sum, count), two| (sum + chen(two), count + 1));
    sum / f64::from(count.max(1))
}

/// A pair comes before what Chen gives as many points.
const PAIR: f64 = 0.2;

/// Bill Chen's formula for two cards, without its rounding. Higher cards decide between equals.
fn chen([one, other]: [Card; 2]) -> f64 {
    let (high, low) = (one.rank().max(other.rank()), one.rank().min(other.rank()));
    let points = |rank: u8| match rank {
        12 => 10.0,
        11 => 8.0,
        10 => 7.0,
        9 => 6.0,
        _ => (f64::from(rank) + 2.0) / 2.0,
    };
    let between = f64::from(high) / 100.0 + f64::from(low) / 1_000.0;
    if high == low {
        return (2.0 * points(high)).max(5.0) + between + PAIR;
    }
    let suited = if one.suit() == other.suit() { 2.0 } else { 0.0 };
    let (apart, straights) = match high - low - 1 {
        0 => (0.0, 1.0),
        1 => (1.0, 1.0),
        2 => (2.0, 0.0),
        3 => (4.0, 0.0),
        _ => (5.0, 0.0),
    };
    // Below a queen both ends of a straight are free.
    let straights = if high < 10 { straights } else { 0.0 };
    points(high) + suited - apart + straights + between
}

fn pairs(cards: &[Card]) -> impl Iterator<Item = [Card; 2]> {
    cards.iter().enumerate().flat_map(|(at, one)| cards[at + 1..].iter().map(|other| [*one, *other]))
}

fn sample(cards: usize) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut hand = || {
        let mut deck: Vec<Card> = Variant::Omaha.deck().collect();
        let hand = (0..cards).map(|_| deck.swap_remove(rng.random_range(0..deck.len())));
        worth(&hand.collect::<Vec<_>>())
    };
    (0..SAMPLE).map(|_| hand()).collect()
}

fn sorted(mut worths: Vec<f64>) -> Vec<f64> {
    worths.sort_unstable_by(|a, b| b.total_cmp(a));
    worths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(hole: &str) -> f64 {
        better_share(&hole.split_whitespace().map(|card| card.parse().unwrap()).collect::<Vec<Card>>())
    }

    #[test]
    fn hands_stand_where_players_put_them() {
        let order = [
            "As Ah", "Ks Kh", "Qs Qh", "As Ks", "As Kh", "9s 9h", "Kh Qd", "5s 5h", "As 2h", "6s 4h", "7s 2h",
        ];
        for two in order.windows(2) {
            assert!(share(two[0]) < share(two[1]), "{two:?}");
        }
        assert!(share("As Ah") == 0.0 && share("Qs Qh") < 0.015 && share("As Ks") < 0.025);
        assert!(share("6s 4h") > 0.6 && share("7s 2h") > 0.9);
        assert!(share("As Ah Ks Kh") < 0.01 && share("7s 2h 8d 3c") > 0.8);
    }
}
