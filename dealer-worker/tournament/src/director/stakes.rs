//! What an entry costs, where that is somebody's chips: the cage is asked for it, and pays the prizes. `buying` does it.

use std::collections::{BTreeSet, VecDeque};

use money::Currency;
use protocol::{
    id::{ErrandId, Position, UserId},
    table::DeclinedCode,
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

use super::pages::Pages;

/// So many of the last that were not taken are told why.
const DECLINED_KEPT: usize = 64;

/// What an entry costs, in the smallest unit of a currency. What it adds to the prizes stands in the settings (`buy_in`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Of what.
    pub currency: Currency,
    /// For the house, beside what it adds to the prizes.
    #[serde(default)]
    pub fee: u64,
}

/// What is known of the chips of a tournament. They are in exactly one place each: with the cage, or here. Changed by [`Stakes::change`] and by nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stakes {
    pub(crate) price: Price,
    /// What an entry adds to the prizes.
    pub(crate) buy_in: u64,
    /// Who has asked to take part and whose chips are not there yet, in that order.
    pub(super) paying: Vec<Paying>,
    /// Whose entries are paid for, and have got nothing back.
    pub(super) held: Pages<UserId, Held>,
    /// Entries that have their places, and have not got their prizes.
    pub(super) due: BTreeSet<u32>,
    /// Who was not taken, the last one last.
    pub(super) declined: VecDeque<(UserId, DeclinedCode)>,
    /// So many entries have paid for the prizes.
    pub(super) entries: u32,
    /// What lies here.
    pub(super) chips: u64,
    /// The house has what is its own.
    pub(super) has_fees: bool,
    /// Where something was decided last: what stands before it is part of the history.
    pub(super) last: Position,
}

/// Somebody whose chips are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Paying {
    pub(super) user: UserId,
    /// What the token said that others see.
    pub(super) name: String,
    /// The buy-in.
    pub(super) of: ErrandId,
    pub(super) at_ms: UnixMs,
    /// These chips were paid out in a lost branch.
    pub(super) is_paid: bool,
}

/// An entry that is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    /// The buy-in.
    pub(super) of: ErrandId,
    /// The player got his prize in a lost branch: the one that comes is the house's.
    pub(super) is_forfeit: bool,
}

/// One fact, in the words of the journal's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StakeEvent {
    /// The cage is asked for what an entry costs.
    Asked {
        /// Whose.
        user: UserId,
        /// The name that the token says.
        name: String,
        /// When.
        at_ms: UnixMs,
        /// The buy-in's number within the frame.
        n: u16,
    },
    /// It is asked no more. Who takes part is registered in the same frame.
    Over {
        /// Who.
        user: UserId,
    },
    /// Somebody does not take part, for this reason.
    Declined {
        /// Who.
        user: UserId,
        /// Why.
        code: DeclinedCode,
    },
    /// An entry is paid for.
    Brought {
        /// Whose.
        user: UserId,
        /// The buy-in.
        of: ErrandId,
    },
    /// What somebody has brought goes back, or to the house if a lost branch has paid him.
    Returned {
        /// Who.
        user: UserId,
    },
    /// Somebody was paid in a lost branch.
    Forfeited {
        /// Who.
        user: UserId,
    },
    /// Entries have got their prizes, if there are any.
    Given {
        /// Which, and whose.
        entries: Vec<(u32, UserId)>,
        /// What went from here.
        chips: u64,
    },
    /// The house has taken what is its own.
    FeesTaken {
        /// So much.
        chips: u64,
    },
    /// This worker has opened the tournament or taken it over, and has told the cage from where it goes on.
    TakenOver,
    /// The cage has told whom it has paid in a lost branch.
    Cut,
}

impl Stakes {
    /// Nobody has paid.
    pub(super) fn new(price: Price, buy_in: u64) -> Self {
        Self {
            price,
            buy_in,
            paying: Vec::new(),
            held: Pages::default(),
            due: BTreeSet::new(),
            declined: VecDeque::new(),
            entries: 0,
            chips: 0,
            has_fees: false,
            last: Position::default(),
        }
    }

    /// Nothing was decided yet. It may be that the store has lost all that there was: so the first thing that is decided tells the cage that
    /// nothing was.
    pub(super) fn is_new(&self) -> bool {
        self.last == Position::default()
    }

    /// What an entry costs.
    pub(crate) fn cost(&self) -> u64 {
        self.buy_in + self.price.fee
    }

    pub(super) fn paying(&self, user: &UserId) -> Option<&Paying> {
        self.paying.iter().find(|paying| paying.user == *user)
    }

    /// Why somebody was not taken when he asked last.
    pub(super) fn declined(&self, user: &UserId) -> Option<DeclinedCode> {
        self.declined.iter().rev().find(|(declined, _)| declined == user).map(|(_, code)| *code)
    }

    /// Nobody waits for chips, neither here nor there.
    pub(super) fn is_settled(&self) -> bool {
        self.paying.is_empty() && self.due.is_empty()
    }

    /// An entry has its place, and gets what that brings.
    pub(super) fn is_due(&mut self, entry: u32) {
        self.due.insert(entry);
    }

    /// Does what an event of the frame there says.
    pub(super) fn change(&mut self, event: &StakeEvent, at: Position) {
        match event {
            StakeEvent::Asked { user, name, at_ms, n } => {
                let (user, name, of) = (user.clone(), name.clone(), ErrandId { at, n: *n });
                self.declined.retain(|(declined, _)| *declined != user);
                self.paying.push(Paying { user, name, of, at_ms: *at_ms, is_paid: false });
            }
            StakeEvent::Over { user } => self.paying.retain(|paying| paying.user != *user),
            StakeEvent::Declined { user, code } => {
                self.declined.retain(|(declined, _)| declined != user);
                self.declined.push_back((user.clone(), *code));
                if self.declined.len() > DECLINED_KEPT {
                    self.declined.pop_front();
                }
            }
            StakeEvent::Brought { user, of } => {
                self.held.insert(user.clone(), Held { of: *of, is_forfeit: false });
                (self.entries, self.chips) = (self.entries + 1, self.chips + self.cost());
            }
            StakeEvent::Returned { user } => {
                if self.held.remove(user).is_some() {
                    (self.entries, self.chips) = (self.entries - 1, self.chips - self.cost());
                }
            }
            StakeEvent::Forfeited { user } => {
                if let Some(paying) = self.paying.iter_mut().find(|paying| paying.user == *user) {
                    paying.is_paid = true;
                }
                if let Some(held) = self.held.get_mut(user) {
                    held.is_forfeit = true;
                }
            }
            StakeEvent::Given { entries, chips } => {
                for (entry, user) in entries {
                    self.due.remove(entry);
                    self.held.remove(user);
                }
                self.chips -= chips;
            }
            StakeEvent::FeesTaken { chips } => (self.has_fees, self.chips) = (true, self.chips - chips),
            StakeEvent::TakenOver | StakeEvent::Cut => {}
        }
    }
}
