//! The ledger, as a model: maps and a few rules.

use std::collections::{BTreeMap, BTreeSet};

use cage::ledger::Answer;
use money::{Ask, Body as _, Paid, Why};
use protocol::id::{Epoch, ErrandId, Position, RoomId, UserId};

use crate::ledger::OPENING;

/// What is left out, to be found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) does_twice: bool,
    pub(crate) knows_no_bodies: bool,
    pub(crate) forgets_cuts: bool,
    pub(crate) puts_nothing_right: bool,
    pub(crate) pays_twice: bool,
    pub(crate) leaves_no_tombstone: bool,
    pub(crate) gives_up_across_cuts: bool,
    pub(crate) gives_back_across_cash_outs: bool,
    pub(crate) nets_nothing: bool,
    pub(crate) return_pays: bool,
    pub(crate) nothing_pays: bool,
    pub(crate) cuts_every_room: bool,
    pub(crate) keeps_rake: bool,
    pub(crate) cuts_its_own: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Posted,
    Refused,
    Void,
    Cut(BTreeSet<UserId>),
}

#[derive(Debug, Clone)]
struct Known {
    /// None of what was given up before it came.
    ask: Option<Ask>,
    verdict: Verdict,
    is_undone: bool,
    is_paid: bool,
}

type Name = (RoomId, ErrandId);

#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) players: BTreeMap<UserId, i64>,
    pub(crate) tables: BTreeMap<RoomId, i64>,
    pub(crate) variance: i64,
    pub(crate) rake: i64,
    pub(crate) bots: i64,
    known: BTreeMap<Name, Known>,
    cuts: Vec<(RoomId, Epoch, Position)>,
    faults: Faults,
}

/// Who, how much, and whether it comes to the table.
fn moved(ask: &Ask) -> Option<(&UserId, i64)> {
    let amount = |amount: u64| i64::try_from(amount).unwrap();
    match ask {
        Ask::BuyIn(stake) | Ask::TopUp(stake) => Some((&stake.user, amount(stake.amount))),
        Ask::CashOut(share) | Ask::Return(share) | Ask::Absorb(share) => {
            Some((&share.user, -amount(share.amount)))
        }
        Ask::Rake { .. } | Ask::Void { .. } | Ask::Cut { .. } => None,
    }
}

impl Model {
    pub(crate) fn new(faults: Faults) -> Self {
        Self {
            players: BTreeMap::new(),
            tables: BTreeMap::new(),
            variance: 0,
            rake: 0,
            bots: 0,
            known: BTreeMap::new(),
            cuts: Vec::new(),
            faults,
        }
    }

    pub(crate) fn purse(&mut self, user: &UserId) -> &mut i64 {
        match user.is_bot() {
            true => &mut self.bots,
            false => self.players.entry(user.clone()).or_insert(i64::try_from(OPENING).unwrap()),
        }
    }

    fn table(&mut self, room: &RoomId) -> &mut i64 {
        self.tables.entry(room.clone()).or_default()
    }

    /// The answer; nothing when the table has not what it is to pay.
    pub(crate) fn hear(&mut self, room: &RoomId, id: ErrandId, ask: &Ask) -> Option<Answer> {
        let mut after = self.clone();
        let answer = after.heard(room, id, ask);
        if *after.table(room) < 0 {
            return None;
        }
        *self = after;
        Some(answer)
    }

    fn heard(&mut self, room: &RoomId, id: ErrandId, ask: &Ask) -> Answer {
        if matches!(ask, Ask::Void { of } if *of == id) {
            return Answer::Refused(Why::Bad);
        }
        let name = (room.clone(), id);
        match self.known.get(&name) {
            Some(_) if self.faults.does_twice => {}
            Some(Known { ask: Some(known), .. }) if known != ask && !self.faults.knows_no_bodies => {
                return Answer::Refused(Why::Conflict);
            }
            Some(known) => return answer(known),
            None => {}
        }
        let is_cut_off = |(of, epoch, follows): &(RoomId, Epoch, Position)| {
            (of == room || self.faults.cuts_every_room) && id.at.epoch() < *epoch && id.at > *follows
        };
        let is_cut_off = self.cuts.iter().any(is_cut_off);
        let verdict = match ask {
            Ask::Cut { follows } => Verdict::Cut(self.cut(room, id.at.epoch(), *follows)),
            Ask::Void { .. } if is_cut_off && !self.faults.gives_up_across_cuts => Verdict::Void,
            Ask::Void { of } => match self.void(room, *of) {
                true => Verdict::Posted,
                false => return Answer::Refused(Why::Bad),
            },
            _ if is_cut_off => Verdict::Void,
            Ask::BuyIn(stake) | Ask::TopUp(stake) => {
                let amount = i64::try_from(stake.amount).unwrap();
                if !stake.user.is_bot() && *self.purse(&stake.user) < amount {
                    Verdict::Refused
                } else {
                    *self.purse(&stake.user) -= amount;
                    *self.table(room) += amount;
                    Verdict::Posted
                }
            }
            Ask::CashOut(share) | Ask::Return(share) => {
                let amount = i64::try_from(share.amount).unwrap();
                *self.table(room) -= amount;
                *self.purse(&share.user) += amount;
                Verdict::Posted
            }
            Ask::Absorb(share) => {
                let amount = i64::try_from(share.amount).unwrap();
                *self.table(room) -= amount;
                self.variance += amount;
                Verdict::Posted
            }
            Ask::Rake { amount, .. } => {
                *self.table(room) -= i64::try_from(*amount).unwrap();
                self.rake += i64::try_from(*amount).unwrap();
                Verdict::Posted
            }
        };
        let known = Known { ask: Some(ask.clone()), verdict, is_undone: false, is_paid: false };
        let answer = answer(&known);
        self.known.insert(name, known);
        answer
    }

    /// Whether it is something that can be given up.
    fn void(&mut self, room: &RoomId, of: ErrandId) -> bool {
        let faults = self.faults;
        let Some(known) = self.known.get_mut(&(room.clone(), of)) else {
            if !faults.leaves_no_tombstone {
                let unseen = Known { ask: None, verdict: Verdict::Void, is_undone: false, is_paid: false };
                self.known.insert((room.clone(), of), unseen);
            }
            return true;
        };
        let (user, amount) = match &known.ask {
            None => return true,
            Some(Ask::BuyIn(stake) | Ask::TopUp(stake)) => {
                (stake.user.clone(), i64::try_from(stake.amount).unwrap())
            }
            Some(_) => return false,
        };
        if known.verdict == Verdict::Posted && !known.is_undone {
            known.is_undone = true;
            let is_paid = known.is_paid && !faults.pays_twice;
            *self.table(room) -= amount;
            *(if is_paid { &mut self.variance } else { self.purse(&user) }) += amount;
        }
        true
    }

    fn cut(&mut self, room: &RoomId, epoch: Epoch, follows: Position) -> BTreeSet<UserId> {
        let faults = self.faults;
        if !faults.forgets_cuts {
            let follows = if faults.cuts_its_own { Position::new(0, 0) } else { follows };
            self.cuts.push((room.clone(), epoch, follows));
        }
        let of_room = |name: &Name| name.0 == *room;
        let mut orphans: Vec<(ErrandId, Ask)> = Vec::new();
        for (name, known) in self.known.iter_mut().filter(|(name, _)| of_room(name)) {
            let is_orphan = name.1.at.epoch() < epoch && name.1.at > follows;
            if is_orphan && known.verdict == Verdict::Posted && !known.is_undone {
                known.is_undone = true;
                orphans.extend(known.ask.clone().map(|ask| (name.1, ask)));
            }
        }
        if faults.puts_nothing_right {
            orphans.clear();
        }
        let users: BTreeSet<UserId> =
            orphans.iter().filter_map(|(_, ask)| moved(ask)).map(|(user, _)| user.clone()).collect();
        let mut paid = BTreeSet::new();
        for user in users {
            let pays = |ask: &Ask| match ask {
                Ask::CashOut(share) => share.amount > 0 || faults.nothing_pays,
                Ask::Return(_) => faults.return_pays,
                _ => false,
            };
            let his: Vec<&Ask> = orphans
                .iter()
                .map(|(_, ask)| ask)
                .filter(|ask| moved(ask).is_some_and(|(of, _)| *of == user))
                .collect();
            let last = his.iter().rposition(|ask| pays(ask));
            paid.extend(last.map(|_| user.clone()));
            let mut back = 0;
            for (at, ask) in his.into_iter().enumerate() {
                let (_, amount) = moved(ask).unwrap();
                *self.table(room) -= amount;
                let is_since =
                    last.is_none_or(|last| at > last) || (faults.gives_back_across_cash_outs && amount > 0);
                match ask {
                    Ask::Return(_) if faults.nets_nothing => self.variance += amount,
                    Ask::BuyIn(_) | Ask::TopUp(_) | Ask::Return(_) if is_since => back += amount,
                    _ => self.variance += amount,
                }
            }
            *self.purse(&user) += back.max(0);
            self.variance += back.min(0);
        }
        for (_, ask) in &orphans {
            if let (Ask::Rake { amount, .. }, false) = (ask, faults.keeps_rake) {
                *self.table(room) += i64::try_from(*amount).unwrap();
                self.rake -= i64::try_from(*amount).unwrap();
            }
        }
        for (name, known) in self.known.iter_mut().filter(|(name, _)| of_room(name)) {
            let is_his = |ask: &Ask| moved(ask).is_some_and(|(user, _)| paid.contains(user));
            known.is_paid |= name.1.at.epoch() < epoch && known.ask.as_ref().is_some_and(is_his);
        }
        paid
    }
}

fn answer(known: &Known) -> Answer {
    let is_buy = matches!(known.ask, Some(Ask::BuyIn(_) | Ask::TopUp(_)));
    let is_void = matches!(known.ask, Some(Ask::Void { .. }));
    match &known.verdict {
        Verdict::Cut(paid) => Answer::Done(Paid(paid.iter().cloned().collect()).write()),
        Verdict::Posted if known.is_undone && is_buy => Answer::Refused(Why::Void),
        Verdict::Posted => Answer::Done(Vec::new()),
        Verdict::Void if is_void => Answer::Done(Vec::new()),
        Verdict::Void => Answer::Refused(Why::Void),
        Verdict::Refused => Answer::Refused(Why::Insufficient),
    }
}
