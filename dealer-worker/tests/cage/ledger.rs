//! The cage, as a model: it does each errand once and for ever, and of what was decided in a lost branch nothing.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use protocol::id::{Epoch, Position};
use rooms::room::errands::{ErrandId, Outcome};
use serde::{Deserialize, Serialize};

use crate::Faults;

/// Who plays.
pub(crate) type Player = u8;

pub(crate) const PLAYERS: [Player; 2] = [0, 1];

/// What a room asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Request {
    /// A chip for a player.
    BuyIn { player: Player },
    /// A player is paid.
    CashOut { player: Player, chips: i64 },
    /// Chips of a player who was paid in a lost branch.
    Absorb { player: Player, chips: i64 },
    /// A buy-in is given up, whatever became of it.
    Void { of: ErrandId },
    /// This epoch goes on after that position.
    Cut { epoch: Epoch, follows: Position },
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    request: Request,
    verdict: Verdict,
    /// Of a posted one: it was put right since.
    is_undone: bool,
    /// Of a buy-in: its chips were paid out in a lost branch.
    is_paid: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Verdict {
    Posted,
    Refused,
    Void,
    /// With those who were paid in the lost branch.
    Cut(BTreeSet<Player>),
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cage {
    pub(crate) balances: [i64; 2],
    /// What it holds for the table.
    pub(crate) table: i64,
    /// What losses by the broker have cost.
    pub(crate) variance: i64,
    known: BTreeMap<ErrandId, Known>,
    cuts: Vec<(Epoch, Position)>,
}

impl Cage {
    /// Each player has one chip.
    pub(crate) fn new() -> Self {
        Self { balances: [1, 1], table: 0, variance: 0, known: BTreeMap::new(), cuts: Vec::new() }
    }

    /// How it has answered an errand, if it has heard of it.
    pub(crate) fn outcome(&self, id: ErrandId) -> Option<Outcome> {
        let known = self.known.get(&id)?;
        Some(match &known.verdict {
            Verdict::Cut(paid) => Outcome::Done(Bytes::from(postcard::to_stdvec(paid).unwrap())),
            Verdict::Posted if !known.is_undone => Outcome::Done(Bytes::new()),
            // A buy-in that was undone is none; whoever was paid was paid.
            Verdict::Posted if !matches!(known.request, Request::BuyIn { .. }) => Outcome::Done(Bytes::new()),
            // So is what is given up twice, or what there was nothing to give up of.
            Verdict::Void if matches!(known.request, Request::Void { .. }) => Outcome::Done(Bytes::new()),
            Verdict::Posted | Verdict::Refused | Verdict::Void => Outcome::Refused(Bytes::new()),
        })
    }

    /// A request arrives.
    pub(crate) fn hear(&mut self, id: ErrandId, request: &Request, faults: Faults) {
        if self.known.contains_key(&id) && !faults.does_twice {
            return;
        }
        let is_cut_off = |(epoch, follows): &(Epoch, Position)| id.at.epoch() < *epoch && id.at > *follows;
        let may_pass = matches!(request, Request::Cut { .. })
            || (faults.gives_up_across_cuts && matches!(request, Request::Void { .. }));
        let verdict = match request {
            _ if !may_pass && self.cuts.iter().any(is_cut_off) => Verdict::Void,
            Request::BuyIn { player } if self.balances[usize::from(*player)] < 1 => Verdict::Refused,
            Request::BuyIn { player } => {
                self.balances[usize::from(*player)] -= 1;
                self.table += 1;
                Verdict::Posted
            }
            Request::CashOut { player, chips } => {
                self.table -= chips;
                self.balances[usize::from(*player)] += chips;
                Verdict::Posted
            }
            Request::Absorb { player: _, chips } => {
                self.table -= chips;
                self.variance += chips;
                Verdict::Posted
            }
            Request::Void { of } => {
                self.void(*of, faults);
                Verdict::Posted
            }
            Request::Cut { epoch, follows } => Verdict::Cut(self.cut(*epoch, *follows, faults)),
        };
        self.known.insert(id, Known { request: request.clone(), verdict, is_undone: false, is_paid: false });
    }

    fn void(&mut self, of: ErrandId, faults: Faults) {
        match self.known.get_mut(&of) {
            None if faults.leaves_no_tombstone => {}
            None => {
                let request = Request::BuyIn { player: 0 };
                self.known
                    .insert(of, Known { request, verdict: Verdict::Void, is_undone: false, is_paid: false });
            }
            Some(known) if known.verdict == Verdict::Posted && !known.is_undone => {
                let Request::BuyIn { player } = known.request else { return };
                known.is_undone = true;
                self.table -= 1;
                if known.is_paid && !faults.pays_twice {
                    self.variance += 1;
                } else {
                    self.balances[usize::from(player)] += 1;
                }
            }
            Some(_) => {}
        }
    }

    /// What was decided after that position in an epoch before this one is no part of the history: it is put right.
    fn cut(&mut self, epoch: Epoch, follows: Position, faults: Faults) -> BTreeSet<Player> {
        if !faults.forgets_cuts {
            self.cuts.push((epoch, follows));
        }
        let Self { balances, table, variance, known, .. } = self;
        let mut orphans: Vec<&mut Known> = known
            .iter_mut()
            .filter(|(id, known)| {
                let is_orphan = id.at.epoch() < epoch && id.at > follows;
                is_orphan && known.verdict == Verdict::Posted && !known.is_undone
            })
            .map(|(_, known)| known)
            .collect();
        let mut paid = BTreeSet::new();
        for player in PLAYERS {
            let pays =
                |known: &Known| matches!(known.request, Request::CashOut { player: of, .. } if of == player);
            let last = orphans.iter().rposition(|known| pays(known));
            paid.extend(last.map(|_| player));
            for (at, orphan) in orphans.iter_mut().enumerate() {
                match orphan.request {
                    // What was bought since he was paid last is given back; what was bought before was paid to him.
                    Request::BuyIn { player: of } if of == player => {
                        *table -= 1;
                        if last.is_none_or(|last| at > last) {
                            balances[usize::from(player)] += 1;
                        } else {
                            *variance += 1;
                        }
                    }
                    Request::CashOut { player: of, chips } | Request::Absorb { player: of, chips }
                        if of == player =>
                    {
                        *table += chips;
                        *variance -= chips;
                    }
                    _ => continue,
                }
                orphan.is_undone = true;
            }
        }
        // What these have bought before is what they were paid.
        for known in known.values_mut() {
            known.is_paid |= matches!(known.request, Request::BuyIn { player } if paid.contains(&player));
        }
        paid
    }
}
