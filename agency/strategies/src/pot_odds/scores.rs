//! How good each hand is on a board: how often it wins against any hand, when the rest of the board is dealt.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use holdem::{
    Card, Variant,
    evaluate::{Strength, best},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use smallvec::SmallVec;

use crate::combo::{ALL, COMBOS, mask};

/// The rest of the board is dealt so often, the same for all hands.
const RUNOUTS: usize = 30;

/// Boards that are kept: enough for a few hands that are played at once.
const KEPT: usize = 64;

/// Of each hand, by its number: the share of other hands that it beats, 0.0 to 1.0. Of hands that the board makes impossible: less than 0.
pub(super) type Scores = Vec<f32>;

/// Boards that were asked for last. Their scores follow from the boards alone, so keeping them saves time and tells nothing.
static BOARDS: Mutex<VecDeque<(u64, Arc<Scores>)>> = Mutex::new(VecDeque::new());

/// The scores on this board of three to five cards.
pub(super) fn on(board: &[Card]) -> Arc<Scores> {
    let key = mask(board.iter().copied());
    let boards = || BOARDS.lock().unwrap_or_else(PoisonError::into_inner);
    let found = boards().iter().find(|(of, _)| *of == key).map(|(_, scores)| Arc::clone(scores));
    found.unwrap_or_else(|| {
        let scores = Arc::new(scores(board));
        let mut boards = boards();
        boards.push_back((key, Arc::clone(&scores)));
        if boards.len() > KEPT {
            boards.pop_front();
        }
        scores
    })
}

fn scores(board: &[Card]) -> Scores {
    let on_board = mask(board.iter().copied());
    let missing = 5_usize.saturating_sub(board.len());
    let mut unseen: Vec<Card> = Card::all().filter(|card| on_board & 1 << card.get() == 0).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(on_board);
    let (mut sum, mut count) = (vec![0.0_f32; COMBOS], vec![0_u16; COMBOS]);
    let mut hands: Vec<(Strength, u16)> = Vec::with_capacity(COMBOS);
    for _ in 0..if missing == 0 { 1 } else { RUNOUTS } {
        for at in 0..missing {
            let from = rng.random_range(at..unseen.len());
            unseen.swap(at, from);
        }
        let whole: SmallVec<[Card; 5]> = board.iter().chain(&unseen[..missing]).copied().collect();
        rank(&whole, &mut hands);
        let total = hands.len() as f32;
        let mut at = 0;
        while at < hands.len() {
            let equal = hands[at..].iter().take_while(|hand| hand.0 == hands[at].0).count();
            // Half of those that are as good: who splits has won half.
            let share = (at as f32 + 0.5 * equal as f32) / total;
            for (_, combo) in &hands[at..at + equal] {
                sum[usize::from(*combo)] += share;
                count[usize::from(*combo)] += 1;
            }
            at += equal;
        }
    }
    let mean = |(sum, count): (&f32, &u16)| if *count == 0 { None } else { Some(sum / f32::from(*count)) };
    let all: Vec<Option<f32>> = sum.iter().zip(&count).map(mean).collect();
    // Sampled boards may block a hand each time: it is an average one then.
    let possible = |(score, combo): (Option<f32>, &crate::combo::Combo)| {
        if combo.mask & on_board == 0 { score.unwrap_or(0.5) } else { -1.0 }
    };
    all.into_iter().zip(ALL.iter()).map(possible).collect()
}

/// All hands that are possible with the board, worst first.
fn rank(board: &[Card], hands: &mut Vec<(Strength, u16)>) {
    let on_board = mask(board.iter().copied());
    hands.clear();
    let possible = ALL.iter().enumerate().filter(|(_, combo)| combo.mask & on_board == 0);
    hands
        .extend(possible.map(|(at, combo)| {
            (best(Variant::Holdem, board.iter().chain(&combo.cards).copied()), at as u16)
        }));
    hands.sort_unstable();
}
