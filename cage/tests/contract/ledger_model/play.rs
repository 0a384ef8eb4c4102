//! One sequence: rooms with owners that change, some of whose requests are late, come twice, or come from those who own nothing any more.

use std::collections::BTreeMap;

use cage::{DbError, Tx, ledger};
use money::{Ask, Body as _, Share, Stake};
use protocol::id::{ErrandId, Position, RoomId, UserId};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng as _, SeedableRng as _},
};

use super::model::{Faults, Model};
use crate::{ledger::play as currency, setup::NOW};

const STEPS: u64 = 60;
const ROOMS: usize = 2;
const PLAYERS: usize = 3;

/// What is done is decided by its number alone.
pub(super) struct Case {
    number: u64,
    rooms: Vec<RoomId>,
    users: Vec<UserId>,
}

impl Case {
    pub(super) fn new(number: u64) -> Self {
        let rooms = (0..ROOMS).map(|at| RoomId::new(&format!("t{number}.{at}")).unwrap());
        let users = (0..PLAYERS).map(|at| format!("u-{number}.{at}")).chain([format!("bot-{number}")]);
        let users = users.map(|name| UserId::new(&name).unwrap());
        Self { number, rooms: rooms.collect(), users: users.collect() }
    }
}

/// A room's journal, as far as it matters here.
#[derive(Default)]
struct Journal {
    epoch: u64,
    seq: u64,
    /// All that was ever decided, by whomever, and whether it was sent.
    asked: Vec<(ErrandId, Ask)>,
    late: Vec<(ErrandId, Ask)>,
}

struct Chance(ChaCha8Rng);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        (self.0.next_u64() % end as u64) as usize
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { all.get(self.below(all.len())) }
    }
}

/// Plays a case through; what the ledger did differently from the model.
pub(super) fn play(tx: &mut dyn Tx, case: &Case, faults: Faults) -> Result<Option<String>, DbError> {
    let mut chance = Chance(ChaCha8Rng::seed_from_u64(case.number));
    let mut model = Model::new(faults);
    let mut journals: BTreeMap<RoomId, Journal> = BTreeMap::new();
    for room in &case.rooms {
        journals.insert(room.clone(), Journal { epoch: 1, ..Journal::default() });
    }
    let before = house(tx)?;
    let mut told = Vec::new();
    for _ in 0..STEPS {
        let room = chance.of(&case.rooms).unwrap().clone();
        let journal = journals.get_mut(&room).unwrap();
        let Some((id, ask)) = step(&mut chance, journal, &case.users) else { continue };
        let Some(expected) = model.hear(&room, id, &ask) else { continue };
        told.push(format!("{room} {id}: {ask:?} -> {expected:?}"));
        let answer = ledger::answer(tx, NOW, &room, id, &ask.write());
        if answer.as_ref() != Ok(&expected) {
            return Ok(Some(format!("{answer:?} after {told:#?}")));
        }
        let after = house(tx)?;
        let found: Vec<i64> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
        if found != [model.variance, model.rake, model.bots] {
            return Ok(Some(format!("variance, rake, bots {found:?} after {told:#?}, {model:#?}")));
        }
        for user in case.users.iter().filter(|user| !user.is_bot()) {
            let balance =
                ledger::balances(tx, 0, user)?.into_iter().find(|of| of.currency.code == currency());
            let available = balance.unwrap().available as i64;
            if available != *model.purse(user) {
                return Ok(Some(format!("{user} has {available} after {told:#?}, {model:#?}")));
            }
        }
        let end = Position::new(1 << 40, 0);
        let held = ledger::account_of_table(tx, &room, end, &[])?.of(currency());
        if held != model.tables.get(&room).copied().unwrap_or_default() {
            return Ok(Some(format!("{room} holds {held} after {told:#?}, {model:#?}")));
        }
        if faults == Faults::default() && held != model.ought_to_be(&room) {
            let ought = model.ought_to_be(&room);
            return Ok(Some(format!(
                "{room} holds {held}, ought to hold {ought} after {told:#?}, {model:#?}"
            )));
        }
    }
    Ok(None)
}

/// Variance, rake and bots.
fn house(tx: &mut dyn Tx) -> Result<[i64; 3], DbError> {
    let rows = tx.run("SELECT name, balance FROM account WHERE currency = 'PLAY' AND kind = 'house'", &[])?;
    let mut sums = [0; 3];
    for row in &rows {
        for (sum, of) in sums.iter_mut().zip(["variance", "rake", "bots"]) {
            if row.text(0)?.starts_with(of) {
                *sum += row.int(1)?;
            }
        }
    }
    Ok(sums)
}

/// What arrives next.
fn step(chance: &mut Chance, journal: &mut Journal, users: &[UserId]) -> Option<(ErrandId, Ask)> {
    match chance.below(20) {
        // Again, or another one of that name.
        0 | 1 => chance.of(&journal.asked).cloned(),
        2 => {
            let (id, _) = chance.of(&journal.asked)?.clone();
            Some((id, ask(chance, journal, users)))
        }
        // Late, in any order.
        3 | 4 => {
            let at = chance.below(journal.late.len().max(1));
            (!journal.late.is_empty()).then(|| journal.late.remove(at))
        }
        // Somebody else owns the room, and goes on from what is left of its journal.
        5 | 6 => {
            let follows = chance.of(&journal.asked).map_or(Position::new(1, 0), |(id, _)| id.at);
            journal.epoch += 1 + chance.below(2) as u64;
            journal.seq = follows.seq().0 + 1;
            let id = ErrandId { at: Position::new(journal.epoch, journal.seq), n: 0 };
            asks(chance, journal, id, Ask::Cut { follows })
        }
        // Somebody who owned it goes on, and does not know it yet.
        7 => {
            let (id, _) = chance.of(&journal.asked)?.clone();
            let at = Position::new(id.at.epoch().0, id.at.seq().0 + chance.below(4) as u64);
            let id = ErrandId { at, n: 1 };
            if journal.asked.iter().any(|(known, _)| *known == id) {
                return None;
            }
            let ask = ask(chance, journal, users);
            asks(chance, journal, id, ask)
        }
        _ => {
            journal.seq += 1;
            let id = ErrandId { at: Position::new(journal.epoch, journal.seq), n: 0 };
            let ask = ask(chance, journal, users);
            asks(chance, journal, id, ask)
        }
    }
}

fn asks(chance: &mut Chance, journal: &mut Journal, id: ErrandId, ask: Ask) -> Option<(ErrandId, Ask)> {
    if chance.below(6) == 0 {
        journal.asked.push((id, ask.clone()));
        journal.late.push((id, ask));
        return None;
    }
    journal.asked.push((id, ask.clone()));
    Some((id, ask))
}

fn ask(chance: &mut Chance, journal: &Journal, users: &[UserId]) -> Ask {
    let user = chance.of(users).unwrap().clone();
    let amount = [1, 7, 40, 100, 400][chance.below(5)];
    let stake = Stake { user: user.clone(), currency: currency(), amount, nonce: chance.below(100) as u64 };
    let share = Share { user, currency: currency(), amount };
    match chance.below(14) {
        0..=3 => Ask::BuyIn(stake),
        4 | 5 => Ask::TopUp(stake),
        6 | 7 => Ask::CashOut(share),
        8 => Ask::CashOut(Share { amount: 0, ..share }),
        9 => Ask::Return(share),
        10 => Ask::Absorb(share),
        11 => Ask::Rake { currency: currency(), amount: amount.min(7), hand: 1 },
        _ => {
            let next = ErrandId { at: Position::new(journal.epoch, journal.seq + 2), n: 0 };
            Ask::Void { of: chance.of(&journal.asked).map_or(next, |(id, _)| *id) }
        }
    }
}
