//! A player who plays sensibly: good hands before the flop, by seat and by what others have done; after it by how often the
//! hand wins, against what it costs. Not well, but as people do who know the game.

use holdem::Card;
use protocol::table::{Card as WireCard, SeatView, TableView, TurnView};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::{
    equity::{Opponents, equity, known},
    starting_hand::better_share,
    style::{Choice, call_or_check, check_or_fold, pot, pot_part, price, raise_by},
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

/// What a player sees of the table when it is his turn.
struct Spot<'a> {
    turn: &'a TurnView,
    view: &'a TableView,
    me: &'a SeatView,
    hole: &'a [WireCard],
    board: &'a [WireCard],
    /// Others who are in the hand.
    opponents: usize,
}

/// Chooses a legal action.
pub(crate) fn choose(
    temper: Temper,
    turn: &TurnView,
    view: &TableView,
    hole: &[WireCard],
    rng: &mut impl Rng,
) -> Choice {
    let board = view.hand.as_ref().and_then(|hand| hand.boards.first()).map_or(&[][..], Vec::as_slice);
    let me = view.seats.get(usize::from(turn.seat)).and_then(Option::as_ref);
    let in_it = view.seats.iter().flatten().filter(|seat| seat.in_hand && !seat.folded).count();
    match me {
        Some(me) if hole.len() >= 2 => {
            let spot = Spot { turn, view, me, hole, board, opponents: in_it.saturating_sub(1).max(1) };
            if board.is_empty() { spot.before_the_flop(temper, rng) } else { spot.on_the_board(temper, rng) }
        }
        // One does not know one's own cards (yet): nothing is risked.
        _ => check_or_fold(turn),
    }
}

impl Spot<'_> {
    fn before_the_flop(&self, temper: Temper, rng: &mut impl Rng) -> Choice {
        let big_blind = self.view.config.big_blind as f64;
        let hole: Vec<Card> = self.hole.iter().map(|card| known(*card)).collect();
        // Nobody plays by a table to the last hand of it.
        let rank = better_share(&hole) * rng.random_range(0.9..1.1);
        let likes = temper.opens() * self.seat_factor();
        let highest = self.highest() as f64 / big_blind;
        let stack = (self.me.stack + self.me.bet) as f64 / big_blind;
        let cost = self.call().min(self.me.stack) as f64 / big_blind;
        if stack <= SHORT_BIG_BLINDS {
            let raised = highest > 1.0;
            return match rank < if raised { 0.5 * likes } else { likes } {
                true => self.all_in(),
                false => check_or_fold(self.turn),
            };
        }
        let bold = rng.random_bool(0.5 * temper.bluffs());
        if highest <= 1.0 {
            let limpers = self.others().filter(|seat| seat.bet > 0).count().saturating_sub(2);
            if rank < likes {
                return self.raise_to_blinds(2.5 + limpers as f64);
            }
            // Half the price is paid in the small blind, and company makes it cheap.
            let is_cheap = cost <= 0.5 || limpers > 0;
            return if is_cheap && rank < 1.6 * likes {
                call_or_check(self.turn)
            } else {
                check_or_fold(self.turn)
            };
        }
        if highest <= 5.0 {
            let reraises = if bold { 2.0 * FOR_ALL_CHIPS } else { 1.5 * FOR_ALL_CHIPS };
            if rank < reraises {
                return self.raise_to_blinds(3.0 * highest);
            }
            let has_paid = self.me.bet as f64 / big_blind;
            let calls = likes * if has_paid >= 1.0 { 0.9 } else { 0.6 };
            return if rank < calls { call_or_check(self.turn) } else { check_or_fold(self.turn) };
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
        if rank < calls { call_or_check(self.turn) } else { check_or_fold(self.turn) }
    }

    fn on_the_board(&self, temper: Temper, rng: &mut impl Rng) -> Choice {
        let (call, pot) = (self.call().min(self.me.stack) as f64, pot(self.view) as f64);
        // Whoever bets has something, and more who bets much.
        let choosy = 2 + usize::from(call > 0.4 * pot) + usize::from(call > 0.25 * self.me.stack as f64);
        let opponents = Opponents { count: self.opponents, choosy };
        let equity = equity(self.view.config.variant, self.hole, self.board, opponents, rng);
        let fair = 1.0 / (self.opponents + 1) as f64;
        let part = rng.random_range(0.45..0.8);
        if self.turn.call.is_none() {
            let bets = if equity > fair + 0.2 {
                0.85
            } else if equity > fair + 0.08 {
                0.4
            } else if self.opponents == 1 {
                temper.bluffs()
            } else {
                0.0
            };
            return if rng.random_bool(bets) { self.raise_part(part) } else { call_or_check(self.turn) };
        }
        let risk = call / (self.me.stack as f64).max(1.0);
        if equity > 0.8 || (equity > 0.7 && risk < 0.15 && rng.random_bool(temper.bluffs())) {
            return self.raise_part(part);
        }
        let least = if risk > COMMITTED { 0.55 } else { 0.0 };
        let wants = (price(self.turn, self.view) + 0.05 + 0.15 * risk).max(least);
        if equity > wants { call_or_check(self.turn) } else { check_or_fold(self.turn) }
    }

    /// How many more hands than on average are good enough here: few with many players still to act, many with few.
    fn seat_factor(&self) -> f64 {
        let players = self.view.seats.iter().flatten().filter(|seat| seat.in_hand).count();
        let by_place: f64 = match self.still_to_act() {
            0 => 1.2,
            1 => 1.3,
            2 => 1.6,
            3 => 1.2,
            4 => 0.9,
            _ => 0.7,
        };
        match players {
            ..=2 => 2.2,
            3 => by_place.max(1.2) * 1.2,
            _ => by_place,
        }
    }

    /// Players in the hand who act after this one before the flop, if nobody raises.
    fn still_to_act(&self) -> usize {
        let seats = self.view.seats.len();
        let button = self.view.hand.as_ref().map_or(0, |hand| usize::from(hand.button));
        let in_order = (1..=seats).map(|step| (button + step) % seats);
        let dealt: Vec<usize> =
            in_order.filter(|at| self.view.seats[*at].as_ref().is_some_and(|seat| seat.in_hand)).collect();
        // Both blinds are behind everybody else, and first on later streets.
        let blinds = dealt.len().min(2);
        let mut order: Vec<usize> = dealt[blinds..].iter().chain(&dealt[..blinds]).copied().collect();
        if dealt.len() == 2 {
            // The button is the small blind, and last in `dealt`.
            order.reverse();
        }
        let after = order.iter().skip_while(|at| **at != usize::from(self.turn.seat)).skip(1);
        after.filter(|at| self.view.seats[**at].as_ref().is_some_and(|seat| !seat.folded)).count()
    }

    fn others(&self) -> impl Iterator<Item = &SeatView> {
        self.view.seats.iter().flatten().filter(|seat| seat.in_hand && seat.user != self.me.user)
    }

    fn highest(&self) -> u64 {
        self.view.seats.iter().flatten().map(|seat| seat.bet).max().unwrap_or(0)
    }

    fn call(&self) -> u64 {
        self.turn.call.unwrap_or(0)
    }

    fn raise_to_blinds(&self, blinds: f64) -> Choice {
        self.raise((blinds * self.view.config.big_blind as f64) as u64)
    }

    fn raise_part(&self, part: f64) -> Choice {
        self.raise(pot_part(self.turn, self.view, part))
    }

    fn raise(&self, to: u64) -> Choice {
        let all = self.me.stack + self.me.bet;
        if to as f64 > COMMITTED * all as f64 { self.all_in() } else { raise_by(self.turn, to) }
    }

    fn all_in(&self) -> Choice {
        raise_by(self.turn, u64::MAX)
    }
}

/// How long one thinks about a turn, as a part of what is usual: little about what is free, long about what costs much.
pub(crate) fn pondering(turn: &TurnView, view: &TableView) -> f64 {
    let stack = view.seats.get(usize::from(turn.seat)).and_then(Option::as_ref).map_or(0, |me| me.stack);
    match turn.call {
        None => 0.7,
        Some(call) if call.saturating_mul(4) >= stack => 1.6,
        Some(_) => 1.0,
    }
}
