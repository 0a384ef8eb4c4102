//! How often a class of hands wins against another, when all five cards of the board are to come: counted out, over every board.

use std::sync::LazyLock;

use crate::combo::{ALL, CLASSES};

/// Boards of five cards beside two hands.
pub const BOARDS: u64 = 1_712_304;

/// For each two classes how often the first wins, over all pairs of their hands and all boards: `agency count-all-ins` makes it.
static WINS: &[u8; CLASSES * CLASSES * 4] = include_bytes!("all_in.bin");

/// See [`pairs`] and [`equity`].
static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

struct Table {
    pairs: Vec<f64>,
    equities: Vec<f64>,
}

impl Table {
    fn new() -> Self {
        let mut pairs = vec![0.0; CLASSES * CLASSES];
        for one in ALL.iter() {
            for other in ALL.iter().filter(|other| one.mask & other.mask == 0) {
                pairs[usize::from(one.class) * CLASSES + usize::from(other.class)] += 1.0;
            }
        }
        let wins = |one: usize, other: usize| -> f64 {
            let at = 4 * (one * CLASSES + other);
            let bytes = [WINS[at], WINS[at + 1], WINS[at + 2], WINS[at + 3]];
            f64::from(u32::from_le_bytes(bytes))
        };
        let equity = |at: usize| {
            let (one, other) = (at / CLASSES, at % CLASSES);
            // Who splits wins half: all that neither has won is split.
            0.5 + 0.5 * (wins(one, other) - wins(other, one)) / (pairs[at] * BOARDS as f64)
        };
        let equities = (0..CLASSES * CLASSES).map(equity).collect();
        Self { pairs, equities }
    }
}

/// How many pairs of hands of two classes share no card.
pub fn pairs() -> &'static [f64] {
    &TABLE.pairs
}

/// The share of the pot that the first class wins against the second; at `first * 169 + second`.
pub fn equities() -> &'static [f64] {
    &TABLE.equities
}

/// The share of the pot that a hand of the first class wins against one of the second.
pub fn equity(one: usize, other: usize) -> f64 {
    TABLE.equities[one * CLASSES + other]
}
