//! `push-fold`: with few big blinds all chips go in before the flop, or none. Heads-up that game is solved; of a sit & go with up to six
//! players by what chips are worth in prizes.
//!
//! - [`heads_up`]: the exact game; `regret`: how it is solved. [`icm`]: what chips are worth; [`ring`]: more players.

pub mod heads_up;
pub mod icm;
mod regret;
pub mod ring;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use holdem::{Action, Card, Street, Variant};
use rand::{Rng, RngExt};
use smallvec::SmallVec;

use crate::{
    combo::class,
    pot_odds,
    spot::{Did, Seen, Spot},
};
use heads_up::{Game, Ranges};

/// A stack of so many big blinds or fewer is pushed or not played.
pub const SHORT: f64 = 15.0;

/// Games that are kept.
const KEPT: usize = 64;

/// Stacks are rounded to such parts of a big blind, so that games come again.
const PARTS: f64 = 4.0;

/// Games that were solved last. Their ranges follow from the games alone.
static GAMES: Mutex<VecDeque<(Game, Arc<Ranges>)>> = Mutex::new(VecDeque::new());

fn solved(game: Game) -> Arc<Ranges> {
    let games = || GAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let found = games().iter().find(|(of, _)| *of == game).map(|(_, ranges)| Arc::clone(ranges));
    found.unwrap_or_else(|| {
        let ranges = Arc::new(game.solve());
        let mut games = games();
        games.push_back((game, Arc::clone(&ranges)));
        if games.len() > KEPT {
            games.pop_front();
        }
        ranges
    })
}

/// Chooses a legal action: pushes or folds with a short stack, and reckons with a deep one.
pub(crate) fn decide(spot: &Spot, rng: &mut dyn Rng) -> Action {
    by_the_solution(spot, rng).unwrap_or_else(|| pot_odds::decide(spot, rng))
}

/// `None` where the spot is none of the games that are solved.
fn by_the_solution(spot: &Spot, rng: &mut dyn Rng) -> Option<Action> {
    let hole: SmallVec<[Card; 2]> = spot.hole.iter().flatten().collect();
    let is_known = spot.rules.variant == Variant::Holdem && hole.len() == 2;
    if !is_known || spot.street != Street::Preflop {
        return None;
    }
    let class = class([hole[0], hole[1]]);
    let mut plays = |often: f64| rng.random_bool(often.clamp(0.0, 1.0));
    let (often, pushes) =
        if spot.players.len() == 2 { heads_up(spot, class) } else { ring::often(spot, class) }?;
    Some(match (plays(often), pushes) {
        (true, true) => spot.all_in(),
        (true, false) => spot.call_or_check(),
        (false, _) => spot.check_or_fold(),
    })
}

/// How often the hand is played, and whether to play it is to push.
fn heads_up(spot: &Spot, class: usize) -> Option<(f64, bool)> {
    let me = spot.mine();
    let other = spot.opponents().next()?;
    let big_blind = spot.big_blind() as f64;
    let all = |player: &Seen| (player.stack + player.bet) as f64;
    let stack = all(&me).min(all(other)) / big_blind;
    if stack > SHORT {
        return None;
    }
    let game = |small: u64, big: u64| Game {
        stack: ((stack * PARTS).round() / PARTS).max(1.0 / PARTS),
        small_blind: (small as f64 / big_blind).min(stack),
        big_blind: (big as f64 / big_blind).min(stack),
        antes: (spot.pot.saturating_sub(me.bet + other.bet)) as f64 / big_blind,
    };
    let raised = spot.deeds.iter().any(|deed| deed.did == Did::Raise);
    match spot.deeds.len() {
        0 if spot.call() > 0 && me.seat == spot.button => {
            Some((solved(game(me.bet, other.bet)).push[class], true))
        }
        // All that the shorter of us has.
        1 if raised && other.bet as f64 >= (stack * big_blind).min(all(other)) => {
            Some((solved(game(spot.rules.small_blind.0, me.bet)).call[class], false))
        }
        _ => None,
    }
}
