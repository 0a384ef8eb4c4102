//! What players did in a hand, counted: the definitions of all statistics.
//!
//! | what | when it counts |
//! | --- | --- |
//! | VPIP | put chips in before the flop by choice: called, bet or raised. A blind that is posted is no choice |
//! | PFR | bet or raised before the flop |
//! | 3-bet, could | was to act before the flop after exactly one raise, by somebody else |
//! | 3-bet | raised then |
//! | flop | was in the hand when the flop came |
//! | AF | bets and raises after the flop, divided by calls after the flop |
//! | WTSD | of the flops: was in the hand when it came to a showdown, of two players or more |
//! | W$SD | of the showdowns: won chips there |
//! | bb/100 | big blinds won in a hundred hands |
//! | rake | his part of what the house took, by what he had put into the pots of the hand ("weighted contributed"): chips, the largest remainders made whole |

use holdem::{
    Chips, Deck, Event, Hand, HandSetup, SeatIndex,
    event::{Did, Street},
};

/// What a player did in a hand, or in many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Hands.
    pub hands: u64,
    /// See the module, as for all below.
    pub vpip: u64,
    /// Raised before the flop.
    pub pfr: u64,
    /// Raised again.
    pub three_bet: u64,
    /// Could have.
    pub three_bet_could: u64,
    /// Saw the flop.
    pub flops: u64,
    /// Went to showdown, having seen the flop or been all in before it.
    pub showdowns: u64,
    /// Won there.
    pub showdowns_won: u64,
    /// Bets and raises after the flop.
    pub bets: u64,
    /// Calls after the flop.
    pub calls: u64,
    /// His part of the rake, chips.
    pub rake: u64,
    /// Chips won; below 0: lost.
    pub net: i64,
    /// The same in thousandths of a big blind.
    pub millibb: i64,
}

/// What each player who was dealt in did.
///
/// # Panics
/// If the events are not of a hand that is set up so.
pub fn tally(setup: &HandSetup, events: &[Event]) -> Vec<(SeatIndex, Tally)> {
    let mut hand = Hand::new(setup, Deck::unknown()).expect("a hand that was played");
    let mut players: Vec<(SeatIndex, Tally)> =
        setup.seats.iter().map(|dealt| (dealt.seat, Tally { hands: 1, ..Tally::default() })).collect();
    let mut folded: Vec<SeatIndex> = Vec::new();
    let mut street = Street::Preflop;
    let mut raiser = None;
    let mut raises = 0;
    for event in events {
        match *event {
            Event::StreetDealt { street: now, board: 0, .. } => {
                if now == Street::Flop {
                    let seeing = players.iter_mut().filter(|(seat, _)| !folded.contains(seat));
                    seeing.for_each(|(_, tally)| tally.flops = 1);
                }
                street = now;
            }
            Event::Acted { seat, did, .. } => {
                let Some((_, tally)) = players.iter_mut().find(|(of, _)| *of == seat) else { continue };
                if did == Did::Fold {
                    folded.push(seat);
                }
                let is_raise = matches!(did, Did::BetTo(_) | Did::RaiseTo(_));
                let is_call = matches!(did, Did::Call(_));
                if street == Street::Preflop {
                    if raises == 1 && raiser != Some(seat) {
                        tally.three_bet_could = 1;
                        tally.three_bet |= u64::from(is_raise);
                    }
                    tally.vpip |= u64::from(is_raise || is_call);
                    tally.pfr |= u64::from(is_raise);
                    if is_raise {
                        (raises, raiser) = (raises + 1, Some(seat));
                    }
                } else {
                    tally.bets += u64::from(is_raise);
                    tally.calls += u64::from(is_call);
                }
            }
            _ => {}
        }
        hand.apply(event);
    }
    let is_showdown = folded.len() + 1 < players.len();
    for (seat, tally) in &mut players {
        if is_showdown && !folded.contains(seat) {
            tally.showdowns = 1;
            let won = |event: &Event| matches!(event, Event::PotAwarded { seat: to, amount, .. } if to == seat && *amount > Chips::ZERO);
            tally.showdowns_won = u64::from(events.iter().any(won));
        }
        let (before, after) = (
            setup.seats.iter().find(|dealt| dealt.seat == *seat).map_or(0, |dealt| dealt.stack.0),
            hand.player(*seat).map_or(0, |player| player.stack().0),
        );
        tally.net = signed(after) - signed(before);
        tally.millibb = tally.net.saturating_mul(1_000) / signed(setup.rules.big_blind.0).max(1);
    }
    let put_in: Vec<u64> = players.iter().map(|(seat, tally)| put_in(*seat, tally.net, events)).collect();
    let parts = divide(hand.rake().0, &put_in);
    players.iter_mut().zip(parts).for_each(|((_, tally), part)| tally.rake = part);
    players
}

/// What somebody had put into the pots: what he won of them, less what he won in all.
fn put_in(seat: SeatIndex, net: i64, events: &[Event]) -> u64 {
    let won = events.iter().map(|event| match event {
        Event::PotAwarded { seat: to, amount, .. } if *to == seat => amount.0,
        _ => 0,
    });
    u64::try_from(signed(won.sum()) - net).unwrap_or(0)
}

/// Divides a whole by these weights. What is left over goes to the largest remainders, of equal ones to the first.
fn divide(whole: u64, weights: &[u64]) -> Vec<u64> {
    let all: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    if all == 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: &u64| u128::from(whole) * u128::from(*weight);
    let narrow = |part: u128| u64::try_from(part).unwrap_or(u64::MAX);
    let mut parts: Vec<u64> = weights.iter().map(|weight| narrow(exact(weight) / all)).collect();
    let left = whole.saturating_sub(parts.iter().sum());
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|at| std::cmp::Reverse(exact(&weights[*at]) % all));
    by_remainder.iter().take(usize::try_from(left).unwrap_or(0)).for_each(|at| parts[*at] += 1);
    parts
}

fn signed(chips: u64) -> i64 {
    i64::try_from(chips).unwrap_or(i64::MAX)
}

impl Tally {
    /// Adds what was done in other hands.
    pub fn add(&mut self, other: &Self) {
        self.hands += other.hands;
        self.vpip += other.vpip;
        self.pfr += other.pfr;
        self.three_bet += other.three_bet;
        self.three_bet_could += other.three_bet_could;
        self.flops += other.flops;
        self.showdowns += other.showdowns;
        self.showdowns_won += other.showdowns_won;
        self.bets += other.bets;
        self.calls += other.calls;
        self.rake += other.rake;
        self.net += other.net;
        self.millibb += other.millibb;
    }

    /// What it comes to.
    pub fn rates(&self) -> Rates {
        let of = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        Rates {
            vpip: of(self.vpip, self.hands),
            pfr: of(self.pfr, self.hands),
            three_bet: of(self.three_bet, self.three_bet_could),
            af: of(self.bets, self.calls),
            wtsd: of(self.showdowns, self.flops),
            wsd: of(self.showdowns_won, self.showdowns),
            bb_100: (self.hands > 0).then(|| self.millibb as f64 / 10.0 / self.hands as f64),
        }
    }
}

/// A tally as shares, 0 to 1, but for `af` and `bb_100`. None where nothing was done of which it would be a share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Of the hands.
    pub vpip: Option<f64>,
    /// Of the hands.
    pub pfr: Option<f64>,
    /// Of the times at which he could have.
    pub three_bet: Option<f64>,
    /// Bets and raises for each call.
    pub af: Option<f64>,
    /// Of the flops.
    pub wtsd: Option<f64>,
    /// Of the showdowns.
    pub wsd: Option<f64>,
    /// Big blinds won in a hundred hands.
    pub bb_100: Option<f64>,
}
