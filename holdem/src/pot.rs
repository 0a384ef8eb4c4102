//! Main pot and side pots, computed from what each player has put in (TDA 21).

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::chips::Chips;
use crate::seat::{SEATS_MAX, SeatIndex, SeatSet};

/// One pot and who may win it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pot {
    /// The chips in it.
    pub amount: Chips,
    /// Who may win it.
    pub eligible: SeatSet,
}

/// The pots of a hand, the main pot first, each later one with fewer eligible players.
pub type Pots = SmallVec<[Pot; SEATS_MAX]>;

/// What one player has put into the pots.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contribution {
    pub(crate) seat: SeatIndex,
    /// Bets, blinds and his own ante: what another must match to win it.
    pub(crate) matched: Chips,
    /// Table antes and missed blinds: lies in the main pot, whoever wins it.
    pub(crate) dead: Chips,
    /// Whether he may still win.
    pub(crate) live: bool,
}

/// Divides contributions into pots. A level ends where a live player's contribution ends; whoever put in less has no
/// claim beyond his level. What a folded player put in stays, also beyond the last level.
pub(crate) fn divide(contributions: &[Contribution]) -> Pots {
    let mut pots = Pots::new();
    let mut floor = Chips::ZERO;
    loop {
        let above = contributions.iter().filter(|c| c.live && (c.matched > floor || pots.is_empty()));
        let Some(level) = above.clone().map(|c| c.matched).min() else { break };
        let eligible = above.map(|c| c.seat).collect();
        let layer = contributions.iter().map(|c| c.matched.min(level) - c.matched.min(floor)).sum();
        pots.push(Pot { amount: layer, eligible });
        floor = level;
    }
    let dead: Chips = contributions.iter().map(|c| c.dead).sum();
    let beyond: Chips = contributions.iter().map(|c| c.matched.saturating_sub(floor)).sum();
    if let Some(main) = pots.first_mut() {
        main.amount += dead;
    }
    if let Some(last) = pots.last_mut() {
        last.amount += beyond;
    }
    pots
}
