//! Before the flop: which hands are played, by seat and by what others have done. Where much is at stake it is reckoned instead.

use holdem::{Action, Card, Street};

use crate::{
    spot::{Did, Spot},
    starting_hand::better_share,
};

/// What costs more than this part of what one has is reckoned.
const MUCH: f64 = 0.3;

/// An action by the book, or `None` where it is to be reckoned.
pub(super) fn decide(spot: &Spot, hole: [Card; 2]) -> Option<Action> {
    let me = spot.mine();
    let big_blind = spot.big_blind() as f64;
    let share = better_share(&hole);
    let (call, stack) = (spot.call() as f64, (me.stack + me.bet) as f64);
    let raises =
        spot.deeds.iter().filter(|deed| deed.street == Street::Preflop && deed.did == Did::Raise).count();
    let highest = spot.highest() as f64;
    // Who came late has not seen who raised.
    let raises = if highest > big_blind { raises.max(1) } else { raises };
    if call > MUCH * stack || stack < 12.0 * big_blind {
        return None;
    }
    let behind = spot.still_to_act();
    let heads_up = spot.players.len() == 2;
    let limpers = spot.opponents().filter(|other| other.bet as f64 >= big_blind).count().saturating_sub(1);
    let to = |blinds: f64| Some(spot.raise_to((blinds * big_blind) as u64));
    match raises {
        0 => {
            let opens = match behind {
                0 => 0.25,
                1 if heads_up => 0.9,
                1 => 0.8,
                2 => 0.75,
                3 => 0.5,
                4 => 0.32,
                _ => 0.22,
            };
            let opens = if limpers > 0 { 0.5 * opens } else { opens };
            if share < opens {
                return to(2.2 + 1.3 * limpers as f64);
            }
            let is_cheap = call <= 0.5 * big_blind;
            if is_cheap && share < 0.6 { Some(spot.call_or_check()) } else { Some(spot.check_or_fold()) }
        }
        1 => {
            let wide = if heads_up {
                2.0
            } else if spot.players.len() == 3 {
                1.4
            } else {
                1.0
            };
            if share < 0.05 * wide {
                return Some(spot.raise_to((3.3 * highest) as u64));
            }
            let blind = if me.bet as f64 >= big_blind { 1.4 } else { 1.0 };
            let price = (0.17 * wide * blind * (3.0 * big_blind / highest).min(1.3)).min(0.75);
            Some(if share < price { spot.call_or_check() } else { spot.check_or_fold() })
        }
        _ => {
            if share < 0.02 {
                return Some(spot.raise_to((2.3 * highest) as u64));
            }
            let wide = if heads_up { 1.6 } else { 1.0 };
            Some(if share < 0.07 * wide { spot.call_or_check() } else { spot.check_or_fold() })
        }
    }
}
