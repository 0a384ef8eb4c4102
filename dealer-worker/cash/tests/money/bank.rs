//! The cage, as a model: it does each errand once and for ever, and of what was decided in a lost branch nothing. The real one is tested
//! against its own.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use money::{Ask, Body as _, Paid, Share, Stake, Why};
use protocol::id::{Epoch, ErrandId, Position, UserId};
use rooms::room::errands::Outcome;

/// What a fault leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    /// The cage does again what it is asked again.
    DoesTwice,
    /// It forgets from where a successor goes on.
    ForgetsCuts,
    /// What is given up before it has arrived is done when it does.
    LeavesNoTombstone,
    /// It does not say whom it has paid in a lost branch.
    NamesNobody,
}

#[derive(Debug, Clone)]
struct Known {
    /// Nothing, where it was given up before it arrived.
    ask: Option<Ask>,
    answer: Result<Vec<u8>, Why>,
    /// It was put right since.
    is_undone: bool,
    /// Of chips that were bought: they were paid out in a lost branch.
    is_paid: bool,
}

impl Known {
    /// Chips that were bought.
    fn bought(&self) -> Option<&Stake> {
        match &self.ask {
            Some(Ask::BuyIn(stake) | Ask::TopUp(stake)) => Some(stake),
            _ => None,
        }
    }

    fn user(&self) -> Option<&UserId> {
        match self.ask.as_ref()? {
            Ask::BuyIn(stake) | Ask::TopUp(stake) => Some(&stake.user),
            Ask::CashOut(share) | Ask::Return(share) | Ask::Absorb(share) => Some(&share.user),
            Ask::Void { .. } | Ask::Rake { .. } | Ask::Cut { .. } => None,
        }
    }
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bank {
    pub(crate) players: BTreeMap<UserId, i64>,
    pub(crate) table: i64,
    pub(crate) rake: i64,
    pub(crate) variance: i64,
    known: BTreeMap<ErrandId, Known>,
    cuts: Vec<(Epoch, Position)>,
    pub(crate) planted: Option<Planted>,
}

impl Bank {
    fn has(&self, fault: Planted) -> bool {
        self.planted == Some(fault)
    }

    fn player(&mut self, user: &UserId) -> &mut i64 {
        self.players.entry(user.clone()).or_default()
    }

    /// An errand arrives.
    pub(crate) fn hear(&mut self, id: ErrandId, body: &[u8]) -> Outcome {
        let ask = Ask::read(body).unwrap();
        if !self.known.contains_key(&id) || self.has(Planted::DoesTwice) {
            let is_cut_off =
                |(epoch, follows): &(Epoch, Position)| id.at.epoch() < *epoch && id.at > *follows;
            let is_void = !matches!(ask, Ask::Cut { .. }) && self.cuts.iter().any(is_cut_off);
            let answer = if is_void { Err(Why::Void) } else { self.does(id, &ask) };
            self.known.insert(id, Known { ask: Some(ask), answer, is_undone: false, is_paid: false });
        }
        let known = &self.known[&id];
        match &known.answer {
            Ok(_) if known.is_undone && known.bought().is_some() => {
                Outcome::Refused(Why::Void.write().into())
            }
            Ok(answer) => Outcome::Done(answer.clone().into()),
            Err(_) if matches!(known.ask, Some(Ask::Void { .. })) => Outcome::Done(Bytes::new()),
            Err(why) => Outcome::Refused(why.write().into()),
        }
    }

    fn does(&mut self, id: ErrandId, ask: &Ask) -> Result<Vec<u8>, Why> {
        match ask {
            Ask::BuyIn(Stake { user, amount, .. }) | Ask::TopUp(Stake { user, amount, .. }) => {
                let amount = i64::try_from(*amount).unwrap();
                if *self.player(user) < amount {
                    return Err(Why::Insufficient);
                }
                *self.player(user) -= amount;
                self.table += amount;
            }
            Ask::CashOut(Share { user, amount, .. }) | Ask::Return(Share { user, amount, .. }) => {
                let amount = i64::try_from(*amount).unwrap();
                *self.player(user) += amount;
                self.table -= amount;
            }
            Ask::Absorb(Share { amount, .. }) => {
                self.variance += i64::try_from(*amount).unwrap();
                self.table -= i64::try_from(*amount).unwrap();
            }
            Ask::Rake { amount, .. } => {
                self.rake += i64::try_from(*amount).unwrap();
                self.table -= i64::try_from(*amount).unwrap();
            }
            Ask::Void { of } => self.void(*of),
            Ask::Cut { follows } => return Ok(Paid(self.cut(id.at.epoch(), *follows)).write()),
        }
        Ok(Vec::new())
    }

    fn void(&mut self, of: ErrandId) {
        let Some(known) = self.known.get_mut(&of) else {
            if !self.has(Planted::LeavesNoTombstone) {
                self.known.insert(
                    of,
                    Known { ask: None, answer: Err(Why::Void), is_undone: false, is_paid: false },
                );
            }
            return;
        };
        let Some(stake) = known.bought().cloned() else { return };
        if known.answer.is_err() || std::mem::replace(&mut known.is_undone, true) {
            return;
        }
        let (amount, is_paid) = (i64::try_from(stake.amount).unwrap(), known.is_paid);
        self.table -= amount;
        *if is_paid { &mut self.variance } else { self.player(&stake.user) } += amount;
    }

    /// What was decided behind that position in an epoch before this one is no part of the history: it is put right.
    fn cut(&mut self, epoch: Epoch, follows: Position) -> Vec<UserId> {
        if !self.has(Planted::ForgetsCuts) {
            self.cuts.push((epoch, follows));
        }
        let Self { players, table, rake, variance, known, .. } = self;
        let is_orphan = |id: &ErrandId| id.at.epoch() < epoch && id.at > follows;
        let mut orphans: Vec<&mut Known> = known
            .iter_mut()
            .filter(|(id, known)| is_orphan(id) && known.answer.is_ok() && !known.is_undone)
            .map(|(_, known)| known)
            .collect();
        let mut paid = BTreeSet::new();
        let users: BTreeSet<UserId> = orphans.iter().filter_map(|known| known.user().cloned()).collect();
        for user in users {
            let balance = players.entry(user.clone()).or_default();
            let is_his = |known: &Known| known.user() == Some(&user);
            let last = orphans.iter().rposition(|known| {
                is_his(known) && matches!(&known.ask, Some(Ask::CashOut(share)) if share.amount > 0)
            });
            paid.extend(last.map(|_| user.clone()));
            let mut given_back = 0;
            for (at, orphan) in orphans.iter_mut().enumerate().filter(|(_, orphan)| is_his(orphan)) {
                let is_after = last.is_none_or(|last| at > last);
                match orphan.ask.as_ref().expect("a tombstone is not done") {
                    Ask::BuyIn(stake) | Ask::TopUp(stake) => {
                        let amount = i64::try_from(stake.amount).unwrap();
                        *table -= amount;
                        if is_after {
                            *balance += amount;
                            given_back += amount;
                        } else {
                            *variance += amount;
                        }
                    }
                    Ask::Return(share) => {
                        let amount = i64::try_from(share.amount).unwrap();
                        *table += amount;
                        let netted = if is_after { amount.min(given_back) } else { 0 };
                        given_back -= netted;
                        *balance -= netted;
                        *variance -= amount - netted;
                    }
                    Ask::CashOut(share) | Ask::Absorb(share) => {
                        *table += i64::try_from(share.amount).unwrap();
                        *variance -= i64::try_from(share.amount).unwrap();
                    }
                    _ => continue,
                }
                orphan.is_undone = true;
            }
        }
        for orphan in &mut orphans {
            if let (Some(Ask::Rake { amount, .. }), false) = (&orphan.ask, orphan.is_undone) {
                *table += i64::try_from(*amount).unwrap();
                *rake -= i64::try_from(*amount).unwrap();
                orphan.is_undone = true;
            }
        }
        for (id, known) in known.iter_mut() {
            let is_his = known.bought().is_some_and(|stake| paid.contains(&stake.user));
            known.is_paid |= is_his && id.at.epoch() < epoch;
        }
        if self.planted == Some(Planted::NamesNobody) { Vec::new() } else { paid.into_iter().collect() }
    }

    pub(crate) fn sum(&self) -> i64 {
        self.players.values().sum::<i64>() + self.table + self.rake + self.variance
    }
}
