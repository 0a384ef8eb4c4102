//! The 1,326 hands of two cards, and the 169 classes that suits do not tell apart before the flop.

use std::sync::LazyLock;

use holdem::Card;

/// Hands of two cards.
pub const COMBOS: usize = 1_326;

/// Classes of them: 13 pairs, 78 suited, 78 offsuit.
pub const CLASSES: usize = 169;

/// Two cards, the lower number first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Combo {
    /// The cards.
    pub cards: [Card; 2],
    /// The same as a set: bit `n` is card `n`.
    pub mask: u64,
    /// Which [class] it is of.
    pub class: u8,
}

/// All of them, in the order of [`index`].
pub static ALL: LazyLock<Vec<Combo>> = LazyLock::new(|| {
    let cards: Vec<Card> = Card::all().collect();
    let pairs =
        cards.iter().enumerate().flat_map(|(at, high)| cards[..at].iter().map(move |low| [*low, *high]));
    pairs.map(|cards| Combo { cards, mask: mask(cards), class: class(cards) as u8 }).collect()
});

/// The number of a hand, whichever card is named first.
pub fn index([one, other]: [Card; 2]) -> usize {
    let (low, high) = (one.get().min(other.get()), one.get().max(other.get()));
    usize::from(high) * (usize::from(high).saturating_sub(1)) / 2 + usize::from(low)
}

/// Cards as a set.
pub fn mask(cards: impl IntoIterator<Item = Card>) -> u64 {
    cards.into_iter().fold(0, |mask, card| mask | 1 << card.get())
}

/// The class of a hand: row and column of the grid that players know, `13 * row + column`, aces first; suited hands lie above
/// the diagonal.
pub fn class([one, other]: [Card; 2]) -> usize {
    const ACE: u8 = 12;
    let (high, low) = (one.rank().max(other.rank()), one.rank().min(other.rank()));
    let (high, low) = (usize::from(ACE - high), usize::from(ACE - low));
    if one.suit() == other.suit() { 13 * high + low } else { 13 * low + high }
}

/// How many hands a class has.
pub fn combos_of(class: usize) -> u32 {
    match (class / 13).cmp(&(class % 13)) {
        std::cmp::Ordering::Equal => 6,
        std::cmp::Ordering::Less => 4,
        std::cmp::Ordering::Greater => 12,
    }
}

/// As players write it: `AA`, `AKs`, `72o`.
pub fn class_name(class: usize) -> String {
    const RANKS: &[u8; 13] = b"AKQJT98765432";
    let (row, column) = (class / 13, class % 13);
    let suited = match row.cmp(&column) {
        std::cmp::Ordering::Equal => "",
        std::cmp::Ordering::Less => "s",
        std::cmp::Ordering::Greater => "o",
    };
    let rank = |at: usize| char::from(RANKS[at]);
    format!("{}{}{suited}", rank(row.min(column)), rank(row.max(column)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hand_has_one_number_and_one_class() {
        assert_eq!(ALL.len(), COMBOS);
        let mut counts = [0; CLASSES];
        for (at, combo) in ALL.iter().enumerate() {
            let [one, other] = combo.cards;
            assert_eq!((index([one, other]), index([other, one])), (at, at));
            counts[usize::from(combo.class)] += 1;
        }
        assert!((0..CLASSES).all(|class| counts[class] == combos_of(class)));
        let name = |cards: [&str; 2]| class_name(class(cards.map(|card| card.parse().unwrap())));
        assert_eq!([name(["As", "Ah"]), name(["Ks", "As"]), name(["2c", "7d"])], ["AA", "AKs", "72o"]);
    }
}
