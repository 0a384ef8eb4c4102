//! What each action brings on average: others' hands are drawn from their ranges, the board is dealt to its end, and whoever has a
//! hand that is worth the price stays in.

use holdem::{
    Action, Card, Variant,
    evaluate::{Strength, best},
};
use rand::{Rng, RngExt};
use smallvec::SmallVec;

use super::{
    ranges::{self, Draw, rises},
    scores::{self, Scores},
};
use crate::{
    combo::ALL,
    spot::{Seen, Spot},
};

/// How often the rest is dealt. The error of a share of a half is then 2 of 100.
const DEALS: usize = 500;

/// Sizes of bets that are weighed, parts of the pot after calling.
const SIZES: [f64; 5] = [0.5, 0.8, 1.2, 2.0, f64::INFINITY];

/// A raise that takes so much of what one has may as well take all.
const COMMITTED: f64 = 0.6;

/// One way in which the hand can go on.
struct Deal {
    /// Of each opponent: how good the hand looks now.
    scores: SmallVec<[f32; 9]>,
    /// And chance for whether it is played, 0 to 1.
    whims: SmallVec<[f32; 9]>,
    /// At showdown.
    strengths: SmallVec<[Strength; 9]>,
    mine: Strength,
}

pub(super) fn decide(spot: &Spot, hole: [Card; 2], rng: &mut dyn Rng) -> Action {
    let others: SmallVec<[Seen; 9]> = spot.opponents().copied().collect();
    let deals = deals(spot, hole, &others, rng);
    let me = spot.mine();
    let call = spot.call();
    let stay = if call == 0 {
        value_of_staying(spot, &others, &deals, 0)
    } else {
        value_of_staying(spot, &others, &deals, call) - 0.02 * call as f64
    };
    let mut best = if call == 0 || stay > 0.0 { (stay, spot.call_or_check()) } else { (0.0, Action::Fold) };
    let Some(range) = spot.legal.raise else { return best.1 };
    let mut tried = 0;
    for size in SIZES {
        let wanted = if size.is_finite() { spot.pot_part(size) } else { u64::MAX };
        let to = wanted.clamp(range.min_to.0, range.max_to.0);
        let to = if (to - me.bet) as f64 > COMMITTED * me.stack as f64 { range.max_to.0 } else { to };
        if to == tried {
            continue;
        }
        tried = to;
        let value = value_of_raise(spot, &others, &deals, to);
        if value > best.0 {
            best = (value, spot.raise_to(to));
        }
    }
    best.1
}

fn deals(spot: &Spot, hole: [Card; 2], others: &[Seen], rng: &mut dyn Rng) -> Vec<Deal> {
    let board: SmallVec<[Card; 5]> = spot.board.iter().flatten().collect();
    let known = ranges::known(spot);
    let ranges: Vec<_> = others.iter().map(|other| ranges::of(other.seat, spot, known)).collect();
    let draws: Vec<Draw> = ranges.iter().map(Draw::of).collect();
    let scores = (!board.is_empty()).then(|| scores::on(&board));
    (0..DEALS).map(|_| deal(&board, hole, known, &draws, scores.as_deref(), rng)).collect()
}

fn deal(
    board: &[Card],
    hole: [Card; 2],
    known: u64,
    draws: &[Draw],
    scores: Option<&Scores>,
    rng: &mut dyn Rng,
) -> Deal {
    let mut taken = known;
    let mut hands: SmallVec<[usize; 9]> = SmallVec::new();
    for draw in draws {
        let hand = draw.hand(taken, || rng.random());
        taken |= ALL[hand].mask;
        hands.push(hand);
    }
    let mut whole: SmallVec<[Card; 5]> = board.iter().copied().collect();
    while whole.len() < 5 {
        let card = Card::new(rng.random_range(0..Card::COUNT)).expect("a card of the deck");
        if taken & 1 << card.get() == 0 {
            taken |= 1 << card.get();
            whole.push(card);
        }
    }
    let strength = |cards: [Card; 2]| best(Variant::Holdem, whole.iter().chain(&cards).copied());
    let score = |hand: usize| match scores {
        Some(scores) => scores[hand],
        // Before the flop: as far from the worst as the hand is, within what hands win there.
        None => 0.72 - 0.42 * ranges::SHARES[hand],
    };
    Deal {
        scores: hands.iter().map(|hand| score(*hand)).collect(),
        whims: hands.iter().map(|_| rng.random()).collect(),
        strengths: hands.iter().map(|hand| strength(ALL[*hand].cards)).collect(),
        mine: strength(hole),
    }
}

/// What is won on average by putting in so much and seeing the rest for free, against what folding brings.
fn value_of_staying(spot: &Spot, others: &[Seen], deals: &[Deal], call: u64) -> f64 {
    let won = |deal: &Deal| {
        let part = share(deal, (0..others.len()).collect::<SmallVec<[usize; 9]>>().as_slice());
        part * (spot.pot + call) as f64 - call as f64
    };
    deals.iter().map(won).sum::<f64>() / deals.len() as f64
}

fn value_of_raise(spot: &Spot, others: &[Seen], deals: &[Deal], to: u64) -> f64 {
    let me = spot.mine();
    let won = |deal: &Deal| {
        let mut in_it: SmallVec<[usize; 9]> = SmallVec::new();
        let mut matched = 0_u64;
        for (at, other) in others.iter().enumerate() {
            let owed = to.saturating_sub(other.bet).min(other.stack);
            if stays(deal.scores[at], deal.whims[at], owed, other, spot, to - me.bet) {
                in_it.push(at);
                matched += owed;
            }
        }
        if in_it.is_empty() {
            return spot.pot as f64;
        }
        // What nobody has matched goes back.
        let most = in_it.iter().map(|at| others[*at].bet + others[*at].stack).max().unwrap_or(0);
        let mine = to.min(most.max(me.bet)) - me.bet;
        share(deal, &in_it) * (spot.pot + matched + mine) as f64 - mine as f64
    };
    deals.iter().map(won).sum::<f64>() / deals.len() as f64
}

/// Whether somebody stays in who has such a hand and must pay so much.
fn stays(score: f32, whim: f32, owed: u64, other: &Seen, spot: &Spot, raise: u64) -> bool {
    if other.stack == 0 || owed == 0 {
        return true;
    }
    let price = owed as f32 / (spot.pot + raise + owed) as f32;
    let risk = owed as f32 / other.stack as f32;
    let least = if risk > 0.4 { 0.66 } else { 0.0 };
    let wants = (price + 0.15 + 0.15 * risk).max(least);
    whim < rises(score, wants, 0.04)
}

/// My share of what is played for, against those who are in it.
fn share(deal: &Deal, in_it: &[usize]) -> f64 {
    let best = in_it.iter().map(|at| deal.strengths[*at]).max();
    match best {
        Some(best) if best > deal.mine => 0.0,
        Some(best) if best == deal.mine => {
            1.0 / (1 + in_it.iter().filter(|at| deal.strengths[**at] == best).count()) as f64
        }
        _ => 1.0,
    }
}
