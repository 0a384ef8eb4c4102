//! Counts out how often each class of hands wins against each other, over every board: what `strategies::all_in` holds.

use holdem::{
    Card, Variant,
    evaluate::{Strength, best},
};
use strategies::combo::{ALL, CLASSES};

/// For each two classes how often the first wins, row by row: all pairs of hands that share no card, all boards.
///
/// Boards that differ by their suits alone are gone through once and counted as often as there are of them: 134,459 of 2,598,960.
pub fn wins() -> Vec<u32> {
    let mut wins = vec![0_u64; CLASSES * CLASSES];
    let cards: Vec<Card> = Card::all().collect();
    let orders = orders_of_suits();
    for_each_board(|board| {
        if let Some(weight) = weight(board, &orders) {
            count(board.map(|at| cards[usize::from(at)]), weight, &mut wins);
        }
    });
    wins.into_iter().map(|wins| u32::try_from(wins).expect("at most 144 pairs on 1,712,304 boards")).collect()
}

fn for_each_board(mut each: impl FnMut([u8; 5])) {
    for a in 0..48 {
        for b in a + 1..49 {
            for c in b + 1..50 {
                for d in c + 1..51 {
                    (d + 1..52).for_each(|e| each([a, b, c, d, e]));
                }
            }
        }
    }
}

/// The 24 ways to name four suits.
fn orders_of_suits() -> Vec<[u8; 4]> {
    let all = (0..256_u16).map(|n| [n & 3, n >> 2 & 3, n >> 4 & 3, n >> 6 & 3].map(|suit| suit as u8));
    all.filter(|order| (0..4).all(|suit| order.contains(&suit))).collect()
}

/// How many boards are the same but for the names of suits, if this is the first of them.
fn weight(board: [u8; 5], orders: &[[u8; 4]]) -> Option<u64> {
    let mut same = 0;
    for order in orders {
        let mut renamed = board.map(|card| card & !3 | order[usize::from(card & 3)]);
        renamed.sort_unstable();
        match renamed.cmp(&board) {
            std::cmp::Ordering::Less => return None,
            std::cmp::Ordering::Equal => same += 1,
            std::cmp::Ordering::Greater => {}
        }
    }
    Some(orders.len() as u64 / same)
}

/// Counts one board: hands from the worst on, each against all that are worse.
fn count(board: [Card; 5], weight: u64, wins: &mut [u64]) {
    let on_board = board.iter().fold(0_u64, |mask, card| mask | 1 << card.get());
    let possible = ALL.iter().enumerate().filter(|(_, combo)| combo.mask & on_board == 0);
    let mut hands: Vec<(Strength, u16)> = possible
        .map(|(at, combo)| (best(Variant::Holdem, board.iter().chain(&combo.cards).copied()), at as u16))
        .collect();
    hands.sort_unstable();
    let mut worse = [0_u32; CLASSES];
    // Of each card, the hands with it that are worse.
    let mut with: Vec<Vec<u8>> = (0..52).map(|_| Vec::with_capacity(51)).collect();
    let mut at = 0;
    while at < hands.len() {
        let equal = hands[at..].iter().take_while(|hand| hand.0 == hands[at].0).count();
        for (_, hand) in &hands[at..at + equal] {
            let combo = &ALL[usize::from(*hand)];
            let row = &mut wins[usize::from(combo.class) * CLASSES..][..CLASSES];
            row.iter_mut().zip(&worse).for_each(|(wins, worse)| *wins += weight * u64::from(*worse));
            // Those that share a card with it were counted, and are taken away again.
            for card in combo.cards {
                for class in &with[usize::from(card.get())] {
                    row[usize::from(*class)] -= weight;
                }
            }
        }
        for (_, hand) in &hands[at..at + equal] {
            let combo = &ALL[usize::from(*hand)];
            worse[usize::from(combo.class)] += 1;
            combo.cards.iter().for_each(|card| with[usize::from(card.get())].push(combo.class));
        }
        at += equal;
    }
}
