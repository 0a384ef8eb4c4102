//! A broker that loses the end of a journal while its owner dies leaves requests that are no part of the history any more. The next owner
//! says from where it goes on; what was decided behind that in earlier epochs is put right then, and what comes of it later is void.
//!
//! Who was paid in a lost branch stays paid: he has left with chips that he may have won. What he brought before is what he was paid, so it does not
//! come back to him, and the chips of a seat that the restored table gives him are the house's. The difference stands in one account,
//! `house/variance`. What somebody brought in a lost branch, and was not paid out, he gets back.
//! A cut may stand in a lost branch itself: see [`lost`](super::lost).
//!
//! Where nothing is left at all everybody is paid what he had: see [`settle`](super::settle).

use std::collections::{BTreeMap, BTreeSet};

use money::{Body as _, Currency, Paid};
use protocol::id::{Epoch, Position, RoomId, UserId};

use super::{
    account::{Account, House, amount_in, is_amount, move_chips},
    answer::{Answer, Desk},
    currency::code_in,
    in_play,
    lost::{self, Branches, Left, has_not_happened},
    request::{self, Kind, Verdict},
    settle,
};
use crate::{
    tape,
    tx::{DbError, Row, Tx},
};

/// Whether what was decided there is no part of the history.
pub(super) fn is_cut_off(tx: &mut dyn Tx, room: &RoomId, at: Position) -> Result<bool, DbError> {
    let cuts = tx.run(
        "SELECT request FROM cut_now WHERE room = $1 AND epoch > $2 AND (follows_epoch, follows_seq) < ($2, $3) LIMIT 1",
        &[room.as_str().into(), at.epoch().0.into(), at.seq().0.into()],
    )?;
    Ok(!cuts.is_empty())
}

/// A request that was posted in a lost branch.
struct Orphan {
    name: String,
    at: Position,
    kind: Kind,
    user: Option<UserId>,
    currency: Currency,
    amount: i64,
}

impl Orphan {
    /// He has left with chips, that is: with more than none.
    fn pays(&self) -> bool {
        self.kind == Kind::CashOut && self.amount > 0
    }
}

/// What is to be moved of one currency, from the table; below 0: to it.
#[derive(Default)]
pub(super) struct Moves {
    players: BTreeMap<UserId, i64>,
    /// To `house/variance`.
    variance: i64,
    /// To `house/rake`.
    rake: i64,
    /// To `house/bots`, for whichever of them.
    bots: i64,
}

impl Moves {
    /// What goes to the account of this kind and name.
    pub(super) fn of_account(&mut self, [kind, name]: [&str; 2]) -> Result<&mut i64, DbError> {
        match (kind, House::of(name)) {
            ("player", _) => {
                let user = UserId::new(name).map_err(|_| DbError::Broken("a player has no name".into()))?;
                Ok(self.players.entry(user).or_default())
            }
            ("house", Some(House::Variance)) => Ok(&mut self.variance),
            ("house", Some(House::Rake)) => Ok(&mut self.rake),
            ("house", Some(House::Bots)) => Ok(&mut self.bots),
            _ => Err(DbError::Broken("a cut moves nothing of that account".into())),
        }
    }
}

/// See the module.
pub(super) fn cut(desk: &mut Desk<'_>, follows: Position) -> Result<Answer, DbError> {
    let is_lost = is_cut_off(desk.tx, desk.room, desk.id.at)?;
    desk.record(Verdict::Posted)?;
    if is_lost || follows == Position::default() {
        // Nobody is to be told whom the house has paid: a later one has gone on from somewhere else, or nothing is left of the table, or was ever there.
        let answer = Paid::default().write();
        write_down(desk, follows, &answer)?;
        lost::follow(desk.tx, desk.room)?;
        if !is_lost {
            settle::at_last_hand(desk)?;
        }
        return Ok(Answer::Done(answer));
    }
    let mut all = BTreeMap::new();
    let left = lost::leave(desk, follows, &mut all)?;
    let orphans = orphans(desk, follows, &left)?;
    put_right(&orphans, &left.branches, &mut all)?;
    let paid: BTreeSet<_> =
        orphans.iter().filter(|orphan| orphan.pays()).filter_map(|orphan| orphan.user.clone()).collect();
    let answer = Paid(paid.iter().cloned().collect()).write();
    write_down(desk, follows, &answer)?;
    let name = desk.new.name;
    for orphan in &orphans {
        request::undo(desk.tx, &orphan.name, name)?;
    }
    let mut leg = 0;
    for (currency, moves) in all {
        post(desk, currency, &moves, &mut leg)?;
    }
    for user in &paid {
        let paid = desk.tx.run(
            "INSERT INTO paid_before (request, by_request) SELECT name, $1 FROM request r WHERE room = $2 AND person = $3 AND epoch < $4 \
             AND kind IN ('buy_in', 'top_up') AND outcome = 'posted' \
             AND NOT EXISTS (SELECT 1 FROM undone_now u WHERE u.request = r.name) ON CONFLICT DO NOTHING RETURNING request",
            &[name.into(), desk.room.as_str().into(), user.as_str().into(), left.until.0.into()],
        )?;
        if let Some(entry) = tape::entry(desk.tx, name) {
            let names = paid.iter().map(|row| row.text(0).map(str::to_owned));
            entry.paid_before.extend(names.collect::<Result<Vec<_>, _>>()?);
        }
    }
    let mut concerned = left.users;
    concerned.extend(orphans.into_iter().filter_map(|orphan| orphan.user));
    for user in &concerned {
        in_play::follow(desk.tx, desk.room, user)?;
    }
    Ok(Answer::Done(answer))
}

fn write_down(desk: &mut Desk<'_>, follows: Position, answer: &[u8]) -> Result<(), DbError> {
    insert(desk.tx, desk.new.name, (desk.room, desk.id.at.epoch()), follows, answer)?;
    if let Some(entry) = tape::entry(desk.tx, desk.new.name) {
        entry.cut = Some(tape::Cut { follows, answer: hands::hex::digits(answer) });
    }
    Ok(())
}

/// A cut of a request that is recorded.
pub(super) fn insert(
    tx: &mut dyn Tx,
    name: &str,
    (room, epoch): (&RoomId, Epoch),
    follows: Position,
    answer: &[u8],
) -> Result<(), DbError> {
    tx.run(
        "INSERT INTO cut (request, room, epoch, follows_epoch, follows_seq, answer) VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            name.into(),
            room.as_str().into(),
            epoch.0.into(),
            follows.epoch().0.into(),
            follows.seq().0.into(),
            answer.into(),
        ],
    )
    .map(drop)
}

/// In the order in which they were decided; none of those that were settled.
fn orphans(desk: &mut Desk<'_>, follows: Position, left: &Left) -> Result<Vec<Orphan>, DbError> {
    let epoch = desk.id.at.epoch().0;
    let Some(since) = settle::since(desk.tx, desk.room, epoch)? else { return Ok(Vec::new()) };
    let rows = desk.tx.run(
        concat!(
            "SELECT name, kind, person, currency, amount, epoch, seq FROM request r WHERE room = $1 AND epoch >= $5 \
             AND (epoch, seq) > ($6, $7) AND outcome = 'posted' AND kind NOT IN ('void', 'cut') \
             AND NOT EXISTS (SELECT 1 FROM undone_now u WHERE u.request = r.name) \
             AND (epoch < $2 AND (epoch, seq) > ($3, $4) OR ",
            has_not_happened!(),
            ") ORDER BY epoch, seq, n"
        ),
        &[
            desk.room.as_str().into(),
            epoch.into(),
            follows.epoch().0.into(),
            follows.seq().0.into(),
            since.into(),
            left.since.epoch().0.into(),
            left.since.seq().0.into(),
        ],
    )?;
    let read = |row: &Row| {
        let user = row.maybe_text(2)?.map(|id| UserId::new(&id)).transpose();
        Ok(Orphan {
            name: row.text(0)?.into(),
            at: Position::new(row.count(5)?, row.count(6)?),
            kind: Kind::read(row.text(1)?)?,
            user: user.map_err(|_| DbError::Broken("a person's id is no name".into()))?,
            currency: code_in(row, 3)?,
            amount: i64::try_from(amount_in(row, 4)?).map_err(|_| too_much())?,
        })
    };
    rows.iter().map(read).collect()
}

/// What puts them right.
fn put_right(
    orphans: &[Orphan],
    branches: &Branches,
    all: &mut BTreeMap<Currency, Moves>,
) -> Result<(), DbError> {
    // What comes back to whom, before what he has got already.
    let mut backs: BTreeMap<(Currency, &UserId), i64> = BTreeMap::new();
    for (at, orphan) in orphans.iter().enumerate() {
        let moves = all.entry(orphan.currency).or_default();
        let is_same = |later: &Orphan| (&later.user, later.currency) == (&orphan.user, orphan.currency);
        let pays = |later: &Orphan| later.pays() && branches.is_before(orphan.at, later.at);
        let is_paid_later = orphans[at..].iter().any(|later| is_same(later) && pays(later));
        match (orphan.kind, &orphan.user) {
            (Kind::Rake, _) => add(&mut moves.rake, -orphan.amount)?,
            (Kind::CashOut | Kind::Absorb, _) => add(&mut moves.variance, -orphan.amount)?,
            // What he brought up to when he was paid last was paid to him, and what went back to him he has.
            (Kind::BuyIn | Kind::TopUp, _) if is_paid_later => add(&mut moves.variance, orphan.amount)?,
            (Kind::Return, _) if is_paid_later => add(&mut moves.variance, -orphan.amount)?,
            (kind, Some(user)) if kind.is_buy() || kind == Kind::Return => {
                let back = if kind == Kind::Return { -orphan.amount } else { orphan.amount };
                add(backs.entry((orphan.currency, user)).or_default(), back)?;
            }
            _ => return Err(DbError::Broken("a request moves no chips, and did".into())),
        }
    }
    for ((currency, user), back) in backs {
        let moves = all.entry(currency).or_default();
        match back < 0 {
            // He has got more back than he brought there: it was brought before, and is on the table again.
            true => add(&mut moves.variance, back)?,
            false => add(moves.players.entry(user.clone()).or_default(), back)?,
        }
    }
    Ok(())
}

fn post(desk: &mut Desk<'_>, code: Currency, moves: &Moves, leg: &mut u32) -> Result<(), DbError> {
    let (of, _) = desk.table_with(code, 0)?;
    let (mut all, mut variance) = (Vec::new(), moves.variance);
    for (user, amount) in moves.players.iter().filter(|(_, amount)| **amount != 0) {
        let purse = Account::purse(desk.tx, desk.new.now, user, &of, desk.room)?;
        // What is to be taken from him and is not there any more the house bears.
        let short = purse.short_of(amount.saturating_neg());
        add(&mut variance, -short)?;
        if *amount + short != 0 {
            all.push((purse, *amount + short));
        }
    }
    let of_the_house = [(House::Variance, variance), (House::Rake, moves.rake), (House::Bots, moves.bots)];
    for (house, amount) in of_the_house.into_iter().filter(|(_, amount)| *amount != 0) {
        all.push((Account::of_house(desk.tx, code, house, desk.room.as_str())?, amount));
    }
    move_from_table(desk, code, all, leg)
}

/// So much from the table to each account; below 0: to the table, which is done first. So it never holds less than nothing in between.
pub(super) fn move_from_table(
    desk: &mut Desk<'_>,
    code: Currency,
    mut all: Vec<(Account, i64)>,
    leg: &mut u32,
) -> Result<(), DbError> {
    let (_, table) = desk.table_with(code, 0)?;
    all.sort_by_key(|(_, from_table)| *from_table > 0);
    for (account, from_table) in &all {
        let amount = from_table.unsigned_abs();
        if !is_amount(amount) {
            return Err(too_much());
        }
        let ends = if *from_table > 0 { [&table, account] } else { [account, &table] };
        move_chips(desk.tx, desk.new.name, *leg, ends, amount)?;
        *leg += 1;
    }
    Ok(())
}

pub(super) fn add(to: &mut i64, amount: i64) -> Result<(), DbError> {
    *to = to.checked_add(amount).ok_or_else(too_much)?;
    Ok(())
}

pub(super) fn too_much() -> DbError {
    DbError::Refused("amounts add up to too much".into())
}
