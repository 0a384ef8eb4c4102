//! Three to six players of a sit & go with short stacks: the first who plays puts all in, one may call, and all of it counts in prizes.
//!
//! What is left out: nobody calls behind a caller; hands of those who have folded do not change what others may hold; a split pot counts as
//! half won and half lost. The solution is what was played on average while everybody learnt what would have been better: no proof says
//! that it is an equilibrium with more than two players, so it is measured what each could still gain.

use super::{
    SHORT,
    heads_up::{Met, PAIRS, share},
    icm,
    regret::Regret,
};
use crate::{
    combo::{CLASSES, combos_of},
    spot::{Did, Spot},
};

/// So often everybody learns.
const ROUNDS: usize = 60;

/// The most players.
pub const PLAYERS_MAX: usize = 6;

/// What is played for.
#[derive(Debug, Clone, PartialEq)]
pub struct Ring {
    /// Chips before the blinds, in the order in which they act before the flop: the last two have the blinds.
    pub stacks: Vec<f64>,
    /// What each has put in.
    pub posted: Vec<f64>,
    /// What lies there besides.
    pub antes: f64,
    /// What the places pay.
    pub prizes: Vec<f64>,
}

/// What everybody plays.
#[derive(Debug, Clone)]
pub struct Solved {
    /// Of each player but the last, of each class: how often he puts all in where nobody has.
    pub push: Vec<Vec<f64>>,
    /// Of each two, the earlier first: how often the later calls. At [`Solved::pair`].
    pub call: Vec<Vec<f64>>,
    players: usize,
}

/// What the ends of a hand are worth, to each player.
struct Worth {
    /// All fold to the last.
    walk: Vec<f64>,
    /// This one puts all in, and nobody calls.
    steal: Vec<Vec<f64>>,
    /// This one calls that one, who wins, or loses.
    won: Vec<Vec<f64>>,
    lost: Vec<Vec<f64>>,
}

impl Solved {
    /// Where a pair of players stands.
    fn pair(&self, pusher: usize, caller: usize) -> usize {
        pusher * self.players + caller
    }

    /// How often the caller calls with each class.
    pub fn calls(&self, pusher: usize, caller: usize) -> &[f64] {
        &self.call[self.pair(pusher, caller)]
    }
}

impl Ring {
    /// Chips after one player has won those of another, or the blinds; all others lose what they have posted.
    fn after(&self, winner: usize, loser: Option<usize>) -> Vec<f64> {
        let stake = loser.map(|loser| self.stacks[winner].min(self.stacks[loser]));
        let paid = |at: usize| match stake {
            Some(stake) if at == winner || Some(at) == loser => stake,
            _ => self.posted[at],
        };
        let players = self.stacks.len();
        let pot = self.antes + (0..players).map(paid).sum::<f64>();
        let left = |at: usize| self.stacks[at] - paid(at) + if at == winner { pot } else { 0.0 };
        (0..players).map(left).collect()
    }

    fn worth(&self) -> Worth {
        let players = self.stacks.len();
        let worth = |stacks: Vec<f64>| icm::values(&stacks, &self.prizes);
        let pairs = || (0..players * players).map(|at| (at / players, at % players));
        let of = |winner: usize, loser: usize| {
            if winner == loser { Vec::new() } else { worth(self.after(winner, Some(loser))) }
        };
        Worth {
            walk: worth(self.after(players - 1, None)),
            steal: (0..players).map(|pusher| worth(self.after(pusher, None))).collect(),
            won: pairs().map(|(pusher, caller)| of(pusher, caller)).collect(),
            lost: pairs().map(|(pusher, caller)| of(caller, pusher)).collect(),
        }
    }

    /// Ranges that everybody has learnt.
    pub fn solve(&self) -> Solved {
        self.solve_in(ROUNDS)
    }

    /// The same in so many rounds.
    pub fn solve_in(&self, rounds: usize) -> Solved {
        let players = self.stacks.len();
        let worth = self.worth();
        let mut push = vec![Regret::new(CLASSES); players - 1];
        let mut call = vec![Regret::new(CLASSES); players * players];
        let now = |push: &[Regret], call: &[Regret]| Solved {
            push: push.iter().map(Regret::now).collect(),
            call: call.iter().map(Regret::now).collect(),
            players,
        };
        for round in 1..=rounds {
            let (pushes, calls) = self.gains(&worth, &now(&push, &call));
            push.iter_mut().zip(&pushes).for_each(|(regret, gains)| regret.learn(gains, round));
            call.iter_mut().zip(&calls).filter(|(_, gains)| !gains.is_empty()).for_each(|(regret, gains)| {
                regret.learn(gains, round);
            });
        }
        Solved {
            push: push.iter().map(Regret::average).collect(),
            call: call.iter().map(Regret::average).collect(),
            players,
        }
    }

    /// What playing brings more than not playing: of each player who may push, and of each two, of each class, weighted by how often it is
    /// dealt.
    fn gains(&self, worth: &Worth, solved: &Solved) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let players = self.stacks.len();
        let mut calls = vec![Vec::new(); players * players];
        let mut pushes = vec![Vec::new(); players - 1];
        // What it is worth to each that nobody has played so far, from the last who may push back to the first.
        let mut unopened = worth.walk.clone();
        for pusher in (0..players - 1).rev() {
            let push = &solved.push[pusher];
            // What it is worth to each, and to the pusher with each class, once he has pushed: from the last who may call back.
            let mut open = worth.steal[pusher].clone();
            let mut mine = vec![worth.steal[pusher][pusher]; CLASSES];
            for caller in (pusher + 1..players).rev() {
                let pair = solved.pair(pusher, caller);
                let (call, won, lost) = (&solved.call[pair], &worth.won[pair], &worth.lost[pair]);
                let met: Vec<Met> = (0..CLASSES).map(|class| Met::of(class, push)).collect();
                calls[pair] = met
                    .iter()
                    .map(|Met { ways, wins, .. }| {
                        (wins * lost[caller] + (ways - wins) * won[caller] - ways * open[caller]) / PAIRS
                    })
                    .collect();
                for (class, mine) in mine.iter_mut().enumerate() {
                    let Met { all, ways, wins } = Met::of(class, call);
                    *mine = (wins * won[pusher] + (ways - wins) * lost[pusher] + (all - ways) * *mine) / all;
                }
                let ways: f64 = met.iter().map(|met| met.ways).sum();
                if ways > 0.0 {
                    let often = |of: fn(&Met) -> f64| {
                        met.iter().zip(call).map(|(met, call)| call * of(met)).sum::<f64>() / ways
                    };
                    let (called, beaten) = (often(|met| met.ways), often(|met| met.wins));
                    open = mixed([(beaten, lost), (called - beaten, won), (1.0 - called, &open)]);
                }
            }
            let dealt = |class: usize| f64::from(combos_of(class)) / 1_326.0;
            let gain = |(class, mine): (usize, &f64)| dealt(class) * (mine - unopened[pusher]);
            pushes[pusher] = mine.iter().enumerate().map(gain).collect();
            let pushed = share(push);
            unopened = mixed([(pushed, &open), (1.0 - pushed, &unopened)]);
        }
        (pushes, calls)
    }

    /// What the player who could gain most by playing otherwise, all else being as it is, would gain where it is his turn: a part of all
    /// prizes.
    pub fn gain(&self, solved: &Solved) -> f64 {
        let (pushes, calls) = self.gains(&self.worth(), solved);
        let missed = |gains: &[f64], played: &[f64]| -> f64 {
            gains.iter().zip(played).map(|(gain, played)| gain.max(0.0) - gain * played).sum()
        };
        let of_pushes = pushes.iter().zip(&solved.push).map(|(gains, played)| missed(gains, played));
        let of_calls = calls.iter().zip(&solved.call).map(|(gains, played)| missed(gains, played));
        of_pushes.chain(of_calls).fold(0.0, f64::max) / self.prizes.iter().sum::<f64>().max(f64::MIN_POSITIVE)
    }
}

/// What each wins on average, of what each wins so often.
fn mixed<const N: usize>(parts: [(f64, &Vec<f64>); N]) -> Vec<f64> {
    let players = parts[0].1.len();
    (0..players).map(|at| parts.iter().map(|(often, worth)| often * worth[at]).sum()).collect()
}

/// How often a hand is played, and whether to play it is to push; `None` where the game is another one.
pub(super) fn often(spot: &Spot, class: usize) -> Option<(f64, bool)> {
    let big_blind = spot.big_blind() as f64;
    let players = spot.players.len();
    let me = spot.mine();
    let longest = spot.opponents().map(|other| other.stack + other.bet).max()?;
    let short = (me.stack + me.bet).min(longest) as f64 / big_blind;
    if players > PLAYERS_MAX || spot.prizes.is_empty() || short > SHORT {
        return None;
    }
    let order = spot.in_order();
    let at = order.iter().position(|player| player.seat == spot.me)?;
    // The first who plays has all in, and nobody has called.
    let mut played = spot.deeds.iter().filter(|deed| deed.did != Did::Fold);
    let pusher = match (played.next(), played.next()) {
        (None, _) => None,
        (Some(deed), None) if deed.did == Did::Raise => {
            let pusher = order.iter().position(|player| player.seat == deed.seat)?;
            let shorter = order[pusher].stack == 0 || order[pusher].bet >= me.stack + me.bet;
            Some(pusher).filter(|_| shorter)
        }
        _ => return None,
    };
    let posted = |place: usize| {
        let due = match players - place {
            1 => spot.rules.big_blind.0,
            2 => spot.rules.small_blind.0,
            _ => 0,
        };
        due.min(order[place].stack + order[place].bet) as f64
    };
    let posted: Vec<f64> = (0..players).map(posted).collect();
    let bets: u64 = order.iter().map(|player| player.bet).sum();
    let ring = Ring {
        stacks: order.iter().map(|player| (player.stack + player.bet) as f64).collect(),
        posted,
        antes: spot.pot.saturating_sub(bets) as f64,
        prizes: spot.prizes.iter().map(|prize| *prize as f64).collect(),
    };
    match pusher {
        None if at < players - 1 && spot.deeds.len() == at => Some((ring.solve().push[at][class], true)),
        Some(pusher) if pusher < at => Some((ring.solve().calls(pusher, at)[class], false)),
        _ => None,
    }
}
