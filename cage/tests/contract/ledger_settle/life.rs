//! A table's life by chance, until nothing is left of it: players come, add chips, win, lose and leave, while what the table asks is answered late,
//! and its last hands may never be written down.

use std::collections::{BTreeMap, VecDeque};

use cage::{DbError, Tx, ledger};
use hands::{HandRecord, testing};
use money::{Ask, Body as _, Share, Stake};
use protocol::id::{ErrandId, Position, RoomId, UserId};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng as _, SeedableRng as _},
};

use crate::{
    ledger::{OPENING, play as currency},
    setup::NOW,
};

const STEPS: u64 = 80;
const STACK_MAX: u64 = 150;

/// What is expected wrongly.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Faults {
    pub(super) an_older_hand: bool,
    pub(super) a_lost_hand: bool,
    pub(super) twice: bool,
    pub(super) what_was_brought: bool,
    pub(super) forgets_what_came: bool,
    pub(super) forgets_who_left: bool,
    pub(super) who_was_paid: bool,
}

/// Somebody from the first chips that he brings until he is paid, as far as the ledger knows.
#[derive(Debug, Clone, Default)]
struct Stint {
    brought: i64,
    brought_since_last_hand: i64,
    /// What he won in each hand.
    won: Vec<(u64, i64)>,
    has_left: bool,
    is_paid: bool,
}

/// Where somebody is, as the table has it.
#[derive(Debug, Clone, Default, PartialEq)]
enum Place {
    #[default]
    Away,
    Reserved,
    Seated {
        stack: u64,
        waits_for_more: bool,
    },
}

pub(super) struct Life {
    chance: ChaCha8Rng,
    room: RoomId,
    seq: u64,
    users: Vec<UserId>,
    places: Vec<Place>,
    /// All stints of each, the last one last.
    stints: Vec<Vec<Stint>>,
    /// Decided and not asked yet, in order.
    open: VecDeque<(ErrandId, Ask)>,
    /// Answered by the ledger, and not heard by the table.
    answers: VecDeque<(usize, u64, bool)>,
    hands: Vec<(Position, HandRecord, BTreeMap<UserId, i64>, u64)>,
    raked: Vec<(u64, u64)>,
    raked_posted: i64,
}

impl Life {
    pub(super) fn new(number: u64) -> Self {
        let names = (0..3).map(|at| format!("u-l{number}.{at}")).chain([format!("bot-l{number}")]);
        let users: Vec<UserId> = names.map(|name| UserId::new(&name).unwrap()).collect();
        Self {
            chance: ChaCha8Rng::seed_from_u64(number),
            room: RoomId::new(&format!("life-{number}")).unwrap(),
            seq: 1,
            places: vec![Place::Away; users.len()],
            stints: vec![Vec::new(); users.len()],
            users,
            open: VecDeque::new(),
            answers: VecDeque::new(),
            hands: Vec::new(),
            raked: Vec::new(),
            raked_posted: 0,
        }
    }

    fn below(&mut self, end: u64) -> u64 {
        self.chance.next_u64() % end
    }

    fn ask(&mut self, n: u16, ask: Ask) {
        self.open.push_back((ErrandId { at: Position::new(1, self.seq), n }, ask));
    }

    fn stake(&self, who: usize, amount: u64) -> Stake {
        Stake { user: self.users[who].clone(), currency: currency(), amount, nonce: self.seq }
    }

    fn share(&self, who: usize, amount: u64) -> Share {
        Share { user: self.users[who].clone(), currency: currency(), amount }
    }

    /// Lives, ends, and is settled; what is wrong with that.
    pub(super) fn end(mut self, tx: &mut dyn Tx, faults: Faults) -> Result<Option<String>, DbError> {
        let variance = variance(tx)?;
        let bots = bots(tx)?;
        for _ in 0..STEPS {
            self.step(tx)?;
        }
        let lost = self.below(3).min(self.hands.len() as u64);
        let recorded = self.hands.len() - lost as usize;
        for (at, record, won, rake) in &self.hands[..recorded] {
            write(tx, &self.room, *at, record, won, *rake)?;
        }
        let last = self.hands[..recorded].last().map_or(0, |(_, record, ..)| record.number);
        let anew = Ask::Cut { follows: Position::default() }.write();
        for epoch in [9, 9, 12] {
            let id = ErrandId { at: Position::new(epoch, 1), n: 0 };
            ledger::answer(tx, NOW, &self.room, id, &anew)?;
        }
        let mut bots_due = 0;
        for (who, user) in self.users.iter().enumerate() {
            let due = self.due(who, last, faults);
            let moved = self.stints[who].iter().map(|stint| stint.brought).sum::<i64>();
            if user.is_bot() {
                bots_due += due - moved;
                continue;
            }
            let mut balances = ledger::balances(tx, NOW, user)?.into_iter();
            let balance = balances.find(|balance| balance.currency.code == currency()).unwrap();
            let (has, should) = (i64::try_from(balance.available).unwrap(), OPENING as i64 - moved + due);
            if has != should || !balance.in_play.is_empty() {
                return Ok(Some(format!(
                    "{user} has {has} and should have {should}: {:?}",
                    self.stints[who]
                )));
            }
        }
        if self::bots(tx)? - bots != bots_due {
            return Ok(Some(format!("bots have won {}, and not {bots_due}", self::bots(tx)? - bots)));
        }
        let held = ledger::account_of_table(tx, &self.room, Position::new(1 << 40, 0), &[])?.of(currency());
        if held != 0 {
            return Ok(Some(format!("{held} are left")));
        }
        let more = self::variance(tx)? - variance;
        let is_known = lost == 0 && last > 0;
        Ok((is_known && more != 0).then(|| format!("every hand is known, and {more} went to the variance")))
    }

    /// What somebody gets in the end, and got before.
    fn due(&self, who: usize, last: u64, faults: Faults) -> i64 {
        let until = if faults.an_older_hand { last.saturating_sub(1) } else { last };
        let until = if faults.a_lost_hand { u64::MAX } else { until };
        let mut due = 0;
        for stint in &self.stints[who] {
            let won =
                |until| stint.won.iter().filter(|(hand, _)| *hand <= until).map(|(_, won)| won).sum::<i64>();
            let all = stint.brought + won(u64::MAX);
            due += match stint {
                // Paid stays paid, whatever is known.
                Stint { is_paid: true, .. } if faults.who_was_paid => 2 * all,
                Stint { is_paid: true, .. } => all,
                Stint { has_left: true, .. } if faults.forgets_who_left => 0,
                stint if faults.what_was_brought => stint.brought,
                stint => {
                    let came = if faults.forgets_what_came { stint.brought_since_last_hand } else { 0 };
                    let due = stint.brought + won(until) - came;
                    if faults.twice { 2 * due } else { due }
                }
            };
        }
        due
    }

    fn step(&mut self, tx: &mut dyn Tx) -> Result<(), DbError> {
        self.seq += 1;
        let who = self.below(self.users.len() as u64) as usize;
        match self.below(12) {
            0..=3 => self.deliver(tx)?,
            4..=6 => self.hear(),
            7 | 8 => self.play(),
            9 => match self.places[who] {
                Place::Away if self.is_settled(who) => {
                    let amount = 40 + self.below(60);
                    let ask = Ask::BuyIn(self.stake(who, amount));
                    self.ask(0, ask);
                    self.places[who] = Place::Reserved;
                }
                Place::Seated { stack, waits_for_more: false } if stack < STACK_MAX => {
                    let amount = 1 + self.below(STACK_MAX - stack);
                    let ask = Ask::TopUp(self.stake(who, amount));
                    self.ask(0, ask);
                    self.places[who] = Place::Seated { stack, waits_for_more: true };
                }
                _ => {}
            },
            10 => self.leave(who, 0),
            _ => {}
        }
        Ok(())
    }

    /// Nobody comes again before he was paid: what a table asks is answered in order, and this test follows stints one by one.
    fn is_settled(&self, who: usize) -> bool {
        self.stints[who].last().is_none_or(|stint| stint.is_paid)
    }

    fn leave(&mut self, who: usize, n: u16) {
        let Place::Seated { stack, waits_for_more: false } = self.places[who] else { return };
        let ask = Ask::CashOut(self.share(who, stack));
        self.ask(n, ask);
        self.stints[who].last_mut().unwrap().has_left = true;
        self.places[who] = Place::Away;
    }

    /// The ledger answers what was asked first.
    fn deliver(&mut self, tx: &mut dyn Tx) -> Result<(), DbError> {
        let Some((id, ask)) = self.open.pop_front() else { return Ok(()) };
        let answer = ledger::answer(tx, NOW, &self.room, id, &ask.write())?;
        let is_done = matches!(answer, ledger::Answer::Done(_));
        let who = |user: &UserId| self.users.iter().position(|other| other == user).unwrap();
        match ask {
            Ask::BuyIn(Stake { user, amount, .. }) => {
                let who = who(&user);
                if is_done {
                    self.stints[who].push(Stint::default());
                    self.came(who, amount as i64);
                }
                self.answers.push_back((who, amount, is_done));
            }
            Ask::TopUp(Stake { user, amount, .. }) => {
                let who = who(&user);
                if is_done {
                    self.came(who, amount as i64);
                }
                self.answers.push_back((who, amount, is_done));
            }
            Ask::CashOut(Share { user, .. }) => {
                let who = who(&user);
                self.stints[who].last_mut().unwrap().is_paid = true;
            }
            Ask::Return(Share { user, amount, .. }) => {
                let who = who(&user);
                self.came(who, -(amount as i64));
            }
            Ask::Rake { amount, .. } => self.raked_posted += amount as i64,
            _ => {}
        }
        Ok(())
    }

    fn came(&mut self, who: usize, amount: i64) {
        let stint = self.stints[who].last_mut().unwrap();
        stint.brought += amount;
        stint.brought_since_last_hand += amount;
    }

    /// The table hears the first answer.
    fn hear(&mut self) {
        let Some((who, amount, is_done)) = self.answers.pop_front() else { return };
        self.places[who] = match self.places[who] {
            Place::Reserved if is_done => Place::Seated { stack: amount, waits_for_more: false },
            Place::Seated { stack, waits_for_more: true } if is_done => {
                // He may have won meanwhile: what does not fit goes back.
                let fits = amount.min(STACK_MAX.saturating_sub(stack));
                if fits < amount {
                    let ask = Ask::Return(self.share(who, amount - fits));
                    self.ask(0, ask);
                }
                Place::Seated { stack: stack + fits, waits_for_more: false }
            }
            Place::Seated { stack, .. } => Place::Seated { stack, waits_for_more: false },
            _ => Place::Away,
        };
    }

    /// A hand in which one wins of all others; one of them may leave with its end.
    fn play(&mut self) {
        let in_it: Vec<(usize, u64)> = (0..self.users.len())
            .filter_map(|who| match self.places[who] {
                Place::Seated { stack, .. } if stack > 0 => Some((who, stack)),
                _ => None,
            })
            .collect();
        if in_it.len() < 2 {
            return;
        }
        let number = self.hands.len() as u64 + 1;
        let winner = in_it[self.below(in_it.len() as u64) as usize].0;
        let (mut pot, mut won) = (0, BTreeMap::new());
        for (who, stack) in in_it.iter().filter(|(who, _)| *who != winner) {
            let loses = self.below(stack + 1);
            pot += loses;
            won.insert(*who, -(loses as i64));
        }
        let rake = if pot > 10 { 1 + self.below(2) } else { 0 };
        won.insert(winner, (pot - rake) as i64);
        for (who, won) in &won {
            if let Place::Seated { stack, .. } = &mut self.places[*who] {
                *stack = stack.checked_add_signed(*won).unwrap();
            }
            let stint = self.stints[*who].last_mut().unwrap();
            stint.won.push((number, *won));
        }
        // Of those who wait for chips that the ledger has paid: that these came since.
        for (who, place) in self.places.iter().enumerate() {
            let is_heard = !self.answers.iter().any(|(of, ..)| *of == who);
            if matches!(place, Place::Seated { .. }) && is_heard {
                self.stints[who].last_mut().unwrap().brought_since_last_hand = 0;
            }
        }
        let mut n = 0;
        if rake > 0 {
            self.ask(n, Ask::Rake { currency: currency(), amount: rake, hand: number });
            self.raked.push((number, rake));
            n += 1;
        }
        if self.below(5) == 0 {
            self.leave(in_it[0].0, n);
        }
        let stacks = self.places.iter().zip(&self.users).filter_map(|(place, user)| match place {
            Place::Seated { stack, .. } => Some((user.clone(), *stack)),
            _ => None,
        });
        let stacks = stacks.collect();
        let record = HandRecord { stacks, currency: Some("PLAY".into()), ..testing::hand(number, [0; 32]) };
        let won = won.into_iter().map(|(who, won)| (self.users[who].clone(), won)).collect();
        self.hands.push((Position::new(1, self.seq), record, won, rake));
    }
}

fn house(tx: &mut dyn Tx, account: &str) -> Result<i64, DbError> {
    let rows = tx.run("SELECT name, balance FROM account WHERE currency = 'PLAY' AND kind = 'house'", &[])?;
    let of = rows.iter().filter(|row| row.text(0).is_ok_and(|name| name.starts_with(account)));
    of.map(|row| row.int(1)).sum()
}

fn variance(tx: &mut dyn Tx) -> Result<i64, DbError> {
    house(tx, "variance")
}

fn bots(tx: &mut dyn Tx) -> Result<i64, DbError> {
    house(tx, "bots")
}

/// Writes a hand down with these winnings: its own events are of another one.
pub(super) fn write(
    tx: &mut dyn Tx,
    room: &RoomId,
    at: Position,
    record: &HandRecord,
    won: &BTreeMap<UserId, i64>,
    rake: u64,
) -> Result<(), DbError> {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&record.number.to_be_bytes());
    tx.run(
        "INSERT INTO hand (room, epoch, seq, number, table_name, game, currency, started_ms, ended_ms, pot, rake, prev, hash, record) \
         VALUES ($1, $2, $3, $4, 'Reno', 'nlhe 1/2', 'PLAY', 1, $5, 0, $6, $7, $8, $9)",
        &[
            room.as_str().into(),
            at.epoch().0.into(),
            at.seq().0.into(),
            record.number.into(),
            record.ended_ms.into(),
            rake.into(),
            [0; 32].as_slice().into(),
            hash.as_slice().into(),
            record.write().as_slice().into(),
        ],
    )?;
    for (user, net) in won {
        tx.run(
            "INSERT INTO hand_player (person, ended_ms, room, epoch, seq, game, pot, net, millibb, vpip, pfr, three_bet, three_bet_could, \
             flops, showdowns, showdowns_won, bets, calls) VALUES ($1, $2, $3, $4, $5, 'nlhe 1/2', 0, $6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
            &[
                user.as_str().into(),
                record.ended_ms.into(),
                room.as_str().into(),
                at.epoch().0.into(),
                at.seq().0.into(),
                (*net).into(),
            ],
        )?;
    }
    Ok(())
}
