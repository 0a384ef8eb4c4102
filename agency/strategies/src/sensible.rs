//! A player who plays sensibly: good hands before the flop, by seat and by what others have done; after it by how often the
//! hand wins, against what it costs. Not well, but as people do who know the game.

use holdem::{Action, Card};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{
    equity::{Opponents, equity},
    spot::{Seen, Spot},
    starting_hand::better_share,
};

/// How many hands one likes, and how bold one is with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Temper {
    /// Few hands, and mostly for their worth.
    Tight,
    /// What books recommend.
    Solid,
    /// Many hands, and now and then with nothing.
    Loose,
}

impl Temper {
    /// The share of hands that one opens with at a full table of six, on average over the seats.
    fn opens(self) -> f64 {
        match self {
            Self::Tight => 0.17,
            Self::Solid => 0.23,
            Self::Loose => 0.32,
        }
    }

    /// How often one bets with nothing where one player could fold.
    fn bluffs(self) -> f64 {
        match self {
            Self::Tight => 0.1,
            Self::Solid => 0.2,
            Self::Loose => 0.3,
        }
    }
}

/// With the best hands one is glad to have all chips in before the flop: queens, ace-king suited, jacks.
const FOR_ALL_CHIPS: f64 = 0.022;

/// A stack of so many big blinds or fewer is raised all-in or not at all.
const SHORT_BIG_BLINDS: f64 = 12.0;

/// A raise that takes so much of what one has may as well take all.
const COMMITTED: f64 = 0.4;

/// A decision, and what is counted for it.
struct Sensible<'a> {
    spot: &'a Spot,
    me: Seen,
    hole: SmallVec<[Card; 6]>,
    board: SmallVec<[Card; 5]>,
    /// Others who are in the hand.
    opponents: usize,
}

/// Chooses a legal action.
pub(crate) fn decide(temper: Temper, spot: &Spot, rng: &mut dyn Rng) -> Action {
    let (hole, board): (SmallVec<[Card; 6]>, SmallVec<[Card; 5]>) =
        (spot.hole.iter().flatten().collect(), spot.board.iter().flatten().collect());
    if hole.len() < 2 {
        // One does not know one's own cards (yet): nothing is risked.
        return spot.check_or_fold();
    }
    let opponents = spot.opponents().count().max(1);
    let turn = Sensible { spot, me: spot.mine(), hole, board, opponents };
    if turn.board.is_empty() { turn.before_the_flop(temper, rng) } else { turn.on_the_board(temper, rng) }
}

impl Sensible<'_> {
    fn before_the_flop(&self, temper: Temper, rng: &mut dyn Rng) -> Action {
        let big_blind = self.spot.big_blind() as f64;
        // Nobody plays by a table to the last hand of it.
        let rank = better_share(&self.hole) * rng.random_range(0.9..1.1);
        let likes = temper.opens() * self.seat_factor();
        let highest = self.spot.highest() as f64 / big_blind;
        let stack = (self.me.stack + self.me.bet) as f64 / big_blind;
        let cost = self.spot.call().min(self.me.stack) as f64 / big_blind;
        if stack <= SHORT_BIG_BLINDS {
            let raised = highest > 1.0;
            return match rank < if raised { 0.5 * likes } else { likes } {
                true => self.all_in(),
                false => self.spot.check_or_fold(),
            };
        }
        let bold = rng.random_bool(0.5 * temper.bluffs());
        if highest <= 1.0 {
            let limpers = self.others().filter(|player| player.bet > 0).count().saturating_sub(2);
            if rank < likes {
                return self.raise_to_blinds(2.5 + limpers as f64);
            }
            // Half the price is paid in the small blind, and company makes it cheap.
            let is_cheap = cost <= 0.5 || limpers > 0;
            return if is_cheap && rank < 1.6 * likes {
                self.spot.call_or_check()
            } else {
                self.spot.check_or_fold()
            };
        }
        if highest <= 5.0 {
            let reraises = if bold { 2.0 * FOR_ALL_CHIPS } else { 1.5 * FOR_ALL_CHIPS };
            if rank < reraises {
                return self.raise_to_blinds(3.0 * highest);
            }
            let has_paid = self.me.bet as f64 / big_blind;
            let calls = likes * if has_paid >= 1.0 { 0.9 } else { 0.6 };
            return if rank < calls { self.spot.call_or_check() } else { self.spot.check_or_fold() };
        }
        if rank < FOR_ALL_CHIPS {
            return if highest <= 15.0 { self.raise_to_blinds(2.3 * highest) } else { self.all_in() };
        }
        // The more it costs, the better the hands of those who ask for it.
        let calls = match cost {
            ..=8.0 => 0.4 * likes,
            ..=20.0 => 2.0 * FOR_ALL_CHIPS,
            _ => FOR_ALL_CHIPS,
        };
        if rank < calls { self.spot.call_or_check() } else { self.spot.check_or_fold() }
    }

    fn on_the_board(&self, temper: Temper, rng: &mut dyn Rng) -> Action {
        let (call, pot) = (self.spot.call().min(self.me.stack) as f64, self.spot.pot as f64);
        // Whoever bets has something, and more who bets much.
        let choosy = 2 + usize::from(call > 0.4 * pot) + usize::from(call > 0.25 * self.me.stack as f64);
        let opponents = Opponents { count: self.opponents, choosy };
        let equity = equity(self.spot.rules.variant, &self.hole, &self.board, opponents, rng);
        let fair = 1.0 / (self.opponents + 1) as f64;
        let part = rng.random_range(0.45..0.8);
        if self.spot.legal.call.is_none() {
            let bets = if equity > fair + 0.2 {
                0.85
            } else if equity > fair + 0.08 {
                0.4
            } else if self.opponents == 1 {
                temper.bluffs()
            } else {
                0.0
            };
            return if rng.random_bool(bets) { self.raise_part(part) } else { self.spot.call_or_check() };
        }
        let risk = call / (self.me.stack as f64).max(1.0);
        if equity > 0.8 || (equity > 0.7 && risk < 0.15 && rng.random_bool(temper.bluffs())) {
            return self.raise_part(part);
        }
        let least = if risk > COMMITTED { 0.55 } else { 0.0 };
        let wants = (self.spot.price() + 0.05 + 0.15 * risk).max(least);
        if equity > wants { self.spot.call_or_check() } else { self.spot.check_or_fold() }
    }

    /// How many more hands than on average are good enough here: few with many players still to act, many with few.
    fn seat_factor(&self) -> f64 {
        let by_place: f64 = match self.spot.still_to_act() {
            0 => 1.2,
            1 => 1.3,
            2 => 1.6,
            3 => 1.2,
            4 => 0.9,
            _ => 0.7,
        };
        match self.spot.players.len() {
            ..=2 => 2.2,
            3 => by_place.max(1.2) * 1.2,
            _ => by_place,
        }
    }

    fn others(&self) -> impl Iterator<Item = &Seen> {
        self.spot.players.iter().filter(|player| player.seat != self.spot.me)
    }

    fn raise_to_blinds(&self, blinds: f64) -> Action {
        self.raise((blinds * self.spot.big_blind() as f64) as u64)
    }

    fn raise_part(&self, part: f64) -> Action {
        self.raise(self.spot.pot_part(part))
    }

    fn raise(&self, to: u64) -> Action {
        let all = self.me.stack + self.me.bet;
        if to as f64 > COMMITTED * all as f64 { self.all_in() } else { self.spot.raise_to(to) }
    }

    fn all_in(&self) -> Action {
        self.spot.all_in()
    }
}
