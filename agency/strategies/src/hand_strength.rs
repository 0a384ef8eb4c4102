//! How good a hand looks, roughly: enough for bots to play like people of a few kinds, not to play well.

use holdem::Card;

/// 2 is 0, an ace is 12.
fn rank(card: Card) -> usize {
    usize::from(card.rank())
}

fn suit(card: Card) -> usize {
    usize::from(card.suit())
}

/// 0.0 (hopeless) to 1.0 (as good as won), by the own cards and the board alone.
pub(crate) fn strength(hole: &[Card], board: &[Card]) -> f64 {
    if hole.len() < 2 {
        0.3
    } else if board.is_empty() {
        before_the_flop(hole)
    } else {
        on_the_board(hole, board)
    }
}

/// The idea of Chen's formula: high cards, pairs, and whether the cards work together.
fn before_the_flop(hole: &[Card]) -> f64 {
    let mut ranks: Vec<usize> = hole.iter().map(|card| rank(*card)).collect();
    ranks.sort_unstable_by(|a, b| b.cmp(a));
    let pair = ranks.windows(2).filter(|two| two[0] == two[1]).map(|two| two[0]).next();
    if let Some(pair) = pair {
        return 0.5 + 0.5 * pair as f64 / 12.0;
    }
    let high = 0.3 * ranks[0] as f64 / 12.0 + 0.2 * ranks[1] as f64 / 12.0;
    let suited =
        if (0..4).any(|s| hole.iter().filter(|card| suit(**card) == s).count() >= 2) { 0.08 } else { 0.0 };
    let close = if ranks[0] - ranks[1] <= 2 { 0.07 } else { 0.0 };
    high + suited + close
}

fn on_the_board(hole: &[Card], board: &[Card]) -> f64 {
    let mut of_rank = [0_u8; 13];
    let mut of_suit = [0_u8; 4];
    let mut mine = [false; 13];
    for card in hole {
        mine[rank(*card)] = true;
    }
    for card in hole.iter().chain(board) {
        of_rank[rank(*card)] += 1;
        of_suit[suit(*card)] += 1;
    }
    let most = |n: u8| (0..13).rev().find(|r| of_rank[*r] >= n && mine[*r]);
    let pairs = of_rank.iter().filter(|n| **n >= 2).count();
    let run = longest_run(&of_rank);
    let flush = of_suit.iter().copied().max().unwrap_or(0);
    let still_to_come = board.len() < 5;
    let made = if most(4).is_some() || (most(3).is_some() && pairs >= 2) {
        0.98
    } else if flush >= 5 {
        0.93
    } else if run >= 5 {
        0.88
    } else if most(3).is_some() {
        0.84
    } else if most(2).is_some() && pairs >= 2 {
        0.75
    } else if let Some(pair) = most(2) {
        let over = board.iter().filter(|card| rank(**card) > pair).count();
        0.62 - 0.08 * over as f64
    } else {
        0.12 + 0.12 * hole.iter().map(|card| rank(*card)).max().unwrap_or(0) as f64 / 12.0
    };
    let draw = if still_to_come && (flush == 4 || run == 4) { 0.15 } else { 0.0 };
    (made + draw).min(1.0)
}

/// The longest run of neighbouring ranks, the ace also below the two.
fn longest_run(of_rank: &[u8; 13]) -> usize {
    let ranks = std::iter::once(of_rank[12]).chain(of_rank.iter().copied());
    let mut longest = 0;
    let mut run = 0;
    for count in ranks {
        run = if count > 0 { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cards(text: &str) -> Vec<Card> {
        text.split_whitespace().map(|card| card.parse().unwrap()).collect()
    }

    fn of(hole: &str, board: &str) -> f64 {
        strength(&cards(hole), &cards(board))
    }

    #[test]
    fn better_hands_look_better() {
        let board = "Ks 9d 4c";
        let order = ["7h 2d", "Ah Qd", "4h 3d", "9h 8h", "Kh Qd", "Kh 9h", "4h 4d"];
        for two in order.windows(2) {
            assert!(of(two[0], board) < of(two[1], board), "{two:?}");
        }
        assert!(of("7h 2d", "") < of("Ah Kh", ""));
        assert!(of("Ah Kh", "") < of("Ah Ad", ""));
        assert!(of("5h Ah", "2s 3d 4c") > 0.85, "the wheel is a straight");
    }
}
