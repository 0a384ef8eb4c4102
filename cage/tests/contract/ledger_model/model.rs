//! The ledger, as a model: maps and a few rules.

use std::collections::{BTreeMap, BTreeSet};

use cage::ledger::Answer;
use money::{Ask, Body as _, Paid, Why};
use protocol::id::{Epoch, ErrandId, Position, RoomId, Seq, UserId};

use crate::ledger::OPENING;

/// What is left out, to be found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
    pub(crate) keeps_lost_cuts: bool,
    pub(crate) is_paid_in_any_branch: bool,
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
    /// By which request.
    undone: Option<ErrandId>,
    /// By the cuts there.
    paid: BTreeSet<Position>,
}

impl Known {
    fn new(ask: Option<Ask>, verdict: Verdict) -> Self {
        Self { ask, verdict, undone: None, paid: BTreeSet::new() }
    }

    fn is_posted(&self) -> bool {
        self.verdict == Verdict::Posted && self.undone.is_none()
    }
}

type Name = (RoomId, ErrandId);

#[derive(Debug, Clone)]
struct Cut {
    room: RoomId,
    at: Position,
    follows: Position,
    /// All that it has moved, but for what it has taken back by that.
    done: Done,
}

/// What was put right, or given up.
#[derive(Debug, Clone, Default)]
struct Done {
    players: BTreeMap<UserId, i64>,
    variance: i64,
    rake: i64,
}

impl Done {
    fn add(&mut self, other: &Self, sign: i64) {
        self.variance += other.variance * sign;
        self.rake += other.rake * sign;
        for (user, amount) in &other.players {
            *self.players.entry(user.clone()).or_default() += amount * sign;
        }
    }
}

/// The cuts that count for what was decided at `end`, of those in any order.
fn that_hold<'a>(cuts: impl Iterator<Item = &'a Cut>, end: Position) -> Vec<&'a Cut> {
    let mut cuts: Vec<&Cut> = cuts.filter(|cut| cut.at <= end).collect();
    cuts.sort_by_key(|cut| std::cmp::Reverse(cut.at));
    let mut hold: Vec<&Cut> = Vec::new();
    for cut in cuts {
        let is_left = |later: &&Cut| later.at.epoch() > cut.at.epoch() && later.follows < cut.at;
        if !hold.iter().any(is_left) {
            hold.push(cut);
        }
    }
    hold
}

fn is_off(cuts: &[&Cut], at: Position) -> bool {
    cuts.iter().any(|cut| at.epoch() < cut.at.epoch() && at > cut.follows)
}

const END: Position = Position(Epoch(u64::MAX), Seq(u64::MAX));

#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) players: BTreeMap<UserId, i64>,
    pub(crate) tables: BTreeMap<RoomId, i64>,
    pub(crate) variance: i64,
    pub(crate) rake: i64,
    pub(crate) bots: i64,
    known: BTreeMap<Name, Known>,
    cuts: Vec<Cut>,
    /// What was given up, and is not taken back.
    voids: BTreeMap<Name, (ErrandId, Done)>,
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
            voids: BTreeMap::new(),
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
        let is_cut_off = self.is_cut_off(room, id.at);
        let verdict = match ask {
            Ask::Cut { follows } if is_cut_off => {
                let cut = Cut { room: room.clone(), at: id.at, follows: *follows, done: Done::default() };
                self.cuts.push(cut);
                Verdict::Cut(BTreeSet::new())
            }
            Ask::Cut { follows } => Verdict::Cut(self.cut(room, id.at, *follows)),
            Ask::Void { .. } if is_cut_off && !self.faults.gives_up_across_cuts => Verdict::Void,
            Ask::Void { of } => match self.void(room, id, *of) {
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
        let known = Known::new(Some(ask.clone()), verdict);
        let answer = answer(&known);
        self.known.insert(name, known);
        answer
    }

    fn is_cut_off(&self, room: &RoomId, at: Position) -> bool {
        let faults = self.faults;
        let mut cuts = self.cuts.clone();
        cuts.retain(|cut| (cut.room == *room || faults.cuts_every_room) && !faults.forgets_cuts);
        if faults.cuts_its_own {
            return cuts.iter().any(|cut| at.epoch() < cut.at.epoch());
        }
        is_off(&that_hold(cuts.iter(), END), at)
    }

    /// What ought to be at a table: whatever has happened there, as far as it was not given up.
    pub(crate) fn ought_to_be(&self, room: &RoomId) -> i64 {
        let hold = that_hold(self.cuts.iter().filter(|cut| cut.room == *room), END);
        let given_up: BTreeSet<ErrandId> =
            self.voids.iter().filter(|(name, _)| name.0 == *room).map(|(_, (of, _))| *of).collect();
        let counts = |name: &Name, known: &Known| {
            name.0 == *room
                && known.verdict == Verdict::Posted
                && !is_off(&hold, name.1.at)
                && !given_up.contains(&name.1)
        };
        let brings = |ask: &Ask| match ask {
            Ask::Rake { amount, .. } => -i64::try_from(*amount).unwrap(),
            ask => moved(ask).map_or(0, |(_, amount)| amount),
        };
        let all = self.known.iter().filter(|(name, known)| counts(name, known));
        all.filter_map(|(_, known)| known.ask.as_ref()).map(brings).sum()
    }

    /// Whether it is something that can be given up.
    fn void(&mut self, room: &RoomId, by: ErrandId, of: ErrandId) -> bool {
        let faults = self.faults;
        let Some(known) = self.known.get_mut(&(room.clone(), of)) else {
            if !faults.leaves_no_tombstone {
                self.known.insert((room.clone(), of), Known::new(None, Verdict::Void));
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
        if known.is_posted() {
            known.undone = Some(by);
            let mut done = Done::default();
            match !known.paid.is_empty() && !faults.pays_twice {
                true => done.variance += amount,
                false => drop(done.players.insert(user, amount)),
            }
            self.put_right(room, &done);
            self.voids.insert((room.clone(), by), (of, done));
        }
        true
    }

    /// Does it: what is not there any more the house bears. What was moved.
    fn put_right(&mut self, room: &RoomId, done: &Done) -> Done {
        let mut moved = Done { variance: done.variance, rake: done.rake, ..Done::default() };
        for (user, amount) in &done.players {
            let purse = self.purse(user);
            let to_him = if user.is_bot() { *amount } else { (*amount).max(-*purse) };
            *purse += to_him;
            moved.players.insert(user.clone(), to_him);
            moved.variance += amount - to_him;
        }
        self.variance += moved.variance;
        self.rake += moved.rake;
        *self.table(room) -= moved.variance + moved.rake + moved.players.values().sum::<i64>();
        moved
    }

    fn cut(&mut self, room: &RoomId, at: Position, follows: Position) -> BTreeSet<UserId> {
        let faults = self.faults;
        let of_room = |cut: &&Cut| cut.room == *room;
        let held: BTreeSet<Position> =
            that_hold(self.cuts.iter().filter(of_room), END).iter().map(|cut| cut.at).collect();
        self.cuts.push(Cut { room: room.clone(), at, follows, done: Done::default() });
        let cuts: Vec<Cut> = self.cuts.iter().filter(of_room).cloned().collect();
        let hold = that_hold(cuts.iter(), END);
        let holds = |at: Position| hold.iter().any(|cut| cut.at == at);
        // Cuts that this one leaves, and what was given up behind them, of what is here.
        let is_lost = |cut: &&Cut| held.contains(&cut.at) && !holds(cut.at);
        let is_wrong = |cut: &&Cut| {
            let by = |by: &ErrandId| *by == ErrandId { at: cut.at, n: 0 };
            let mut his = self
                .known
                .iter()
                .filter(|(name, known)| name.0 == *room && known.undone.as_ref().is_some_and(by));
            his.any(|(name, _)| !is_off(&hold, name.1.at))
        };
        let back_to: Vec<&Cut> = cuts.iter().filter(|cut| is_lost(cut) || is_wrong(cut)).collect();
        let until = back_to.iter().map(|cut| cut.at.epoch()).max().unwrap_or_default().max(at.epoch());
        let since = cuts.iter().filter(is_lost).filter(|cut| cut.follows < follows).map(|cut| cut.at).min();
        let is_given_up = |(by, of): (&Name, &ErrandId)| {
            let place = by.1.at;
            by.0 == *room
                && place.epoch() < at.epoch()
                && place > follows
                && since.is_some_and(|since| place > since)
                && of.at <= follows
                && !is_off(&hold, of.at)
        };
        let given_up: Vec<Name> = self
            .voids
            .iter()
            .filter(|(by, (of, _))| is_given_up((by, of)))
            .map(|(by, _)| by.clone())
            .collect();
        let (mut all, mut back) = (Done::default(), Done::default());
        if !faults.keeps_lost_cuts {
            for cut in &back_to {
                back.add(&cut.done, 1);
                for (_, known) in self.known.iter_mut().filter(|(name, _)| name.0 == *room) {
                    known.undone = known.undone.filter(|by| *by != ErrandId { at: cut.at, n: 0 });
                    known.paid.remove(&cut.at);
                }
                self.cuts
                    .iter_mut()
                    .filter(|of| of.at == cut.at && of.room == *room)
                    .for_each(|cut| cut.done = Done::default());
            }
            for by in &given_up {
                let (of, done) = self.voids.remove(by).unwrap();
                back.add(&done, 1);
                self.known.get_mut(&(room.clone(), of)).unwrap().undone = None;
            }
        }
        all.add(&back, -1);
        let mut orphans: Vec<(ErrandId, Ask)> = Vec::new();
        for (name, known) in self.known.iter_mut().filter(|(name, _)| name.0 == *room) {
            if is_off(&hold, name.1.at) && known.is_posted() {
                let by = ErrandId { at, n: 0 };
                // What was given up, and taken back, moves nothing.
                if !matches!(known.ask, Some(Ask::Void { .. })) {
                    known.undone = Some(by);
                    orphans.extend(known.ask.clone().map(|ask| (name.1, ask)));
                }
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
            let his: Vec<&(ErrandId, Ask)> =
                orphans.iter().filter(|(_, ask)| moved(ask).is_some_and(|(of, _)| *of == user)).collect();
            let paid_at: Vec<Position> =
                his.iter().filter(|(_, ask)| pays(ask)).map(|(id, _)| id.at).collect();
            if !paid_at.is_empty() {
                paid.insert(user.clone());
            }
            let mut back = 0;
            for (id, ask) in his {
                let (_, amount) = moved(ask).unwrap();
                // By somebody for whom it had happened.
                let is_of_that = |paid: Position| {
                    faults.is_paid_in_any_branch || !is_off(&that_hold(cuts.iter(), paid), id.at)
                };
                let is_paid = paid_at.iter().any(|paid| *paid > id.at && is_of_that(*paid));
                let is_since = !is_paid || (faults.gives_back_across_cash_outs && amount > 0);
                match ask {
                    Ask::Return(_) if faults.nets_nothing => all.variance += amount,
                    Ask::BuyIn(_) | Ask::TopUp(_) | Ask::Return(_) if is_since => back += amount,
                    _ => all.variance += amount,
                }
            }
            *all.players.entry(user).or_default() += back.max(0);
            all.variance += back.min(0);
        }
        for (_, ask) in &orphans {
            if let (Ask::Rake { amount, .. }, false) = (ask, faults.keeps_rake) {
                all.rake -= i64::try_from(*amount).unwrap();
            }
        }
        let mut done = self.put_right(room, &all);
        done.add(&back, 1);
        self.cuts
            .iter_mut()
            .filter(|cut| cut.at == at && cut.room == *room)
            .for_each(|cut| cut.done = done.clone());
        for (_, known) in
            self.known.iter_mut().filter(|(name, _)| name.0 == *room && name.1.at.epoch() < until)
        {
            let is_his = |ask: &Ask| moved(ask).is_some_and(|(user, _)| paid.contains(user));
            if known.undone.is_none() && known.ask.as_ref().is_some_and(is_his) {
                known.paid.insert(at);
            }
        }
        paid
    }
}

fn answer(known: &Known) -> Answer {
    let is_buy = matches!(known.ask, Some(Ask::BuyIn(_) | Ask::TopUp(_)));
    let is_void = matches!(known.ask, Some(Ask::Void { .. }));
    match &known.verdict {
        Verdict::Cut(paid) => Answer::Done(Paid(paid.iter().cloned().collect()).write()),
        Verdict::Posted if known.undone.is_some() && is_buy => Answer::Refused(Why::Void),
        Verdict::Posted => Answer::Done(Vec::new()),
        Verdict::Void if is_void => Answer::Done(Vec::new()),
        Verdict::Void => Answer::Refused(Why::Void),
        Verdict::Refused => Answer::Refused(Why::Insufficient),
    }
}
