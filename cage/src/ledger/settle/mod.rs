//! A table of which nothing is left: no journal, and nobody who remembers it. Everybody who had chips there is paid what the last recorded hand
//! left him, with what the ledger knows of since; the hand that was played then is void, as after a server crash in any card room.
//!
//! It happens when a room says that it goes on from nothing ([`money::Ask::Cut`] behind `0-0`), which every table does first: one that is new has
//! nothing to be settled. It is a cut like any other, so it is done once, and what still comes of the time before is void for ever.
//!
//! | of whom | what he is owed |
//! | --- | --- |
//! | who sat there after the last recorded hand | his stack then, what he has brought since, less what went back |
//! | whose top-up had been posted, and had not come on the table by then | that, too: it shows in what he brought and won before |
//! | who has brought chips and was not seen by then (a seat that was reserved) | what he has brought |
//! | who had left by then, and was not paid yet | what he has brought and won |
//! | whose chips are the house's, since a lost branch has paid him | nothing: the variance gets it |
//!
//! Rake of recorded hands is the house's, posted or not; that of later ones goes back. What is left of the table's account then is 0 if every
//! hand was recorded whose chips were paid out; else the difference stands in `house/variance`.

mod owed;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use hands::Name;
use money::Currency;
use protocol::{
    id::{Epoch, ErrandId, Position, RoomId, Seq, UserId},
    time::UnixMs,
};

use super::{
    account::{Account, House},
    answer::{Answer, Desk, hold_known},
    currency::{self, code_in},
    cut, in_play, request,
    table_account::account_of_table,
};
use crate::{
    people::audit::{self, Entry},
    tx::{DbError, Tx, Value},
};
use owed::{LastHand, last_hand, owed, stints};

/// Who is told of in the audit at most, of each table.
const TOLD_MAX: usize = 16;

/// What a table was settled with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settlement {
    /// The hand behind which everybody was paid; none if none was recorded.
    pub hand: Option<Name>,
    /// Who got how much.
    pub paid: Vec<(UserId, Currency, u64)>,
    /// What the house took into its variance; below 0: what it has added. Only what is not 0.
    pub variance: Vec<(Currency, i64)>,
}

impl Settlement {
    /// Whether nothing had to be done.
    pub fn is_empty(&self) -> bool {
        self.paid.is_empty() && self.variance.is_empty()
    }
}

/// For the audit.
impl fmt::Display for Settlement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hand {
            Some(hand) => write!(f, "behind hand {hand}")?,
            None => f.write_str("behind no hand")?,
        }
        write!(f, ": {} paid", self.paid.len())?;
        for (user, currency, amount) in self.paid.iter().take(TOLD_MAX) {
            write!(f, ", {user} {amount} {currency}")?;
        }
        for (currency, amount) in &self.variance {
            write!(f, "; {amount} {currency} to the variance")?;
        }
        Ok(())
    }
}

/// Pays everybody of a table that is known by nobody any more, for good: at this position, which is later than any of the table, as if it had
/// begun anew there. Whoever says so has seen to it that there is no such table. `None`: the ledger has never heard of it.
///
/// # Errors
/// Of the database.
///
/// # Panics
/// Never: a cut is answered.
pub fn settle(tx: &mut dyn Tx, now: UnixMs, room: &RoomId) -> Result<Option<Settlement>, DbError> {
    if !hold_known(tx, room)? {
        return Ok(None);
    }
    let last = tx.run(
        "SELECT CAST(COALESCE(MAX(epoch), 0) AS BIGINT) FROM request WHERE room = $1",
        &[room.as_str().into()],
    )?;
    let last = last.first().map_or(Ok(0), |row| row.count(0))?;
    // As a worker would claim it now: one that does so later comes later.
    let id = ErrandId { at: Position(Epoch(last).claimed_at(now), Seq(0)), n: 0 };
    let asked = money::Ask::Cut { follows: Position::default() };
    match super::answer(tx, now, room, id, &money::Body::write(&asked))? {
        Answer::Done(_) => of_cut(tx, room, id).map(Some),
        Answer::Refused(_) => Err(DbError::Broken("a cut is never refused".into())),
    }
}

/// Whether a claim of this epoch, which goes on from nothing, has anything to settle.
///
/// # Errors
/// Of the database.
pub fn is_due(tx: &mut dyn Tx, room: &RoomId, epoch: u64) -> Result<bool, DbError> {
    let Some(since) = since(tx, room, epoch)? else { return Ok(false) };
    let rows = tx.run(
        "SELECT name FROM request r WHERE room = $1 AND epoch >= $2 AND epoch < $3 AND outcome = 'posted' AND kind <> 'cut' \
         AND NOT EXISTS (SELECT 1 FROM cut c WHERE c.room = r.room AND c.epoch = $3 AND c.follows_epoch = 0 AND c.follows_seq = 0) LIMIT 1",
        &[room.as_str().into(), since.into(), epoch.into()],
    )?;
    Ok(!rows.is_empty())
}

/// When a room has asked something last that was done; `None` if the ledger has never heard of it.
///
/// # Errors
/// Of the database.
pub fn last_asked_ms(tx: &mut dyn Tx, room: &RoomId) -> Result<Option<UnixMs>, DbError> {
    let rows = tx.run("SELECT MAX(at_ms) FROM request WHERE room = $1", &[room.as_str().into()])?;
    rows.first().map_or(Ok(None), |row| row.maybe_count(0))
}

/// What a cut has paid.
fn of_cut(tx: &mut dyn Tx, room: &RoomId, id: ErrandId) -> Result<Settlement, DbError> {
    let rows = tx.run(
        "SELECT a.kind, a.name, e.change, a.currency FROM entry e JOIN account a ON a.id = e.account WHERE e.request = $1 ORDER BY e.leg",
        &[request::name_of(room, id).into()],
    )?;
    let mut settled = Settlement::default();
    for row in &rows {
        let (name, change, currency) = (row.text(1)?, row.int(2)?, code_in(row, 3)?);
        match row.text(0)? {
            "player" => {
                let user = UserId::new(name).map_err(|_| DbError::Broken("a player has no name".into()))?;
                settled.paid.push((user, currency, change.unsigned_abs()));
            }
            "house" if House::of(name) == Some(House::Variance) => settled.variance.push((currency, change)),
            _ => {}
        }
    }
    if let Some(since) = since(tx, room, id.at.epoch().0)? {
        settled.hand = last_hand(tx, room, since, id.at.epoch().0)?.map(|hand| hand.name);
    }
    Ok(settled)
}

/// See the module. What comes of it moves with the legs of the desk's request, which is recorded.
pub(super) fn at_last_hand(desk: &mut Desk<'_>) -> Result<(), DbError> {
    let epoch = desk.id.at.epoch().0;
    let Some(since) = since(desk.tx, desk.room, epoch)? else { return Ok(()) };
    let stints = stints(desk.tx, desk.room, since, epoch)?;
    let hand = last_hand(desk.tx, desk.room, since, epoch)?;
    // What a successor of this claim has asked is not of the table that is gone.
    let until = Position::new(epoch.saturating_sub(1), u64::MAX >> 1);
    let held = account_of_table(desk.tx, desk.room, until, &[])?;
    let mut currencies: BTreeSet<Currency> = stints.keys().map(|(_, currency)| *currency).collect();
    currencies.extend(held.chips.iter().filter(|(_, chips)| *chips != 0).map(|(currency, _)| *currency));
    let mut settled =
        Settlement { hand: hand.as_ref().map(|hand| hand.name.clone()), ..Settlement::default() };
    let mut leg = 0;
    for code in currencies {
        let hand = hand.as_ref().filter(|hand| hand.currency == Some(code));
        let rake = Rake::of(desk.tx, desk.room, code, (since, epoch), hand)?;
        let mut dues = Dues { rake: rake.to_house - rake.to_table, ..Dues::default() };
        for ((user, _), stint) in stints.iter().filter(|((_, currency), _)| *currency == code) {
            let owed = owed(desk.tx, desk.room, user, stint, hand)?;
            match stint.is_forfeit {
                true => add(&mut dues.variance, owed)?,
                false => add(dues.players.entry(user.clone()).or_default(), owed)?,
            }
        }
        let mut rest = held.of(code);
        for due in [dues.rake, dues.variance].into_iter().chain(dues.players.values().copied()) {
            rest = rest.checked_sub(due).ok_or_else(too_much)?;
        }
        add(&mut dues.variance, rest)?;
        pay(desk, code, &dues, &mut leg)?;
        let paid = dues.players.into_iter().filter(|(_, owed)| *owed > 0);
        settled.paid.extend(paid.map(|(user, owed)| (user, code, owed.unsigned_abs())));
        settled.variance.extend((dues.variance != 0).then_some((code, dues.variance)));
    }
    for row in
        desk.tx.run("SELECT DISTINCT person FROM in_play WHERE room = $1", &[desk.room.as_str().into()])?
    {
        let user = UserId::new(row.text(0)?);
        in_play::follow(
            desk.tx,
            desk.room,
            &user.map_err(|_| DbError::Broken("a person's id is no name".into()))?,
        )?;
    }
    if settled.is_empty() {
        return Ok(());
    }
    let entry = Entry {
        at_ms: desk.new.now,
        actor: "house".into(),
        action: "table_settled".into(),
        subject: Some(desk.room.as_str().into()),
        reason: None,
        detail: settled.to_string(),
        network: None,
    };
    audit::append(desk.tx, &entry).map(drop)
}

/// Since which epoch the table has been what it was: when it began anew last. `None`: a later claim has found nothing, and has settled all.
pub(super) fn since(tx: &mut dyn Tx, room: &RoomId, epoch: u64) -> Result<Option<u64>, DbError> {
    let rows = tx.run(
        "SELECT CAST(COALESCE(MAX(CASE WHEN epoch < $2 THEN epoch END), 0) AS BIGINT), \
         CAST(COALESCE(MAX(CASE WHEN epoch > $2 THEN 1 END), 0) AS BIGINT) \
         FROM cut_now WHERE room = $1 AND follows_epoch = 0 AND follows_seq = 0",
        &[room.as_str().into(), epoch.into()],
    )?;
    let row = rows.first().ok_or_else(|| DbError::Broken("there is no greatest".into()))?;
    Ok(if row.int(1)? == 1 { None } else { Some(row.count(0)?) })
}

/// What the house has taken of hands.
struct Rake {
    /// Of hands that are recorded, and not posted yet.
    to_house: i64,
    /// Of hands that are not, and posted.
    to_table: i64,
}

impl Rake {
    fn of(
        tx: &mut dyn Tx,
        room: &RoomId,
        code: Currency,
        (since, epoch): (u64, u64),
        hand: Option<&LastHand>,
    ) -> Result<Self, DbError> {
        let [room, code, since, until]: [Value; 4] =
            [room.as_str().into(), code.as_str().into(), since.into(), epoch.into()];
        let number: Value = hand.map_or(0, |hand| hand.number).into();
        let posted = tx.run(
            "SELECT CAST(COALESCE(SUM(CASE WHEN hand > $5 THEN amount END), 0) AS BIGINT), CAST(COALESCE(MAX(hand), 0) AS BIGINT) \
             FROM request r WHERE room = $1 AND currency = $2 AND epoch >= $3 AND epoch < $4 AND kind = 'rake' AND outcome = 'posted' \
             AND NOT EXISTS (SELECT 1 FROM undone_now u WHERE u.request = r.name)",
            &[room.clone(), code.clone(), since.clone(), until, number],
        )?;
        let posted = posted.first().ok_or_else(|| DbError::Broken("there is no sum".into()))?;
        let Some(hand) = hand else { return Ok(Self { to_house: 0, to_table: posted.int(0)? }) };
        let at = hand.name.at;
        // What tables take is posted in the order of hands.
        let open = tx.run(
            "SELECT CAST(COALESCE(SUM(rake), 0) AS BIGINT) FROM hand h WHERE room = $1 AND currency = $2 AND epoch >= $3 AND void = 0 \
             AND number > $4 AND (epoch, seq) <= ($5, $6)",
            &[room, code, since, posted.count(1)?.into(), at.epoch().0.into(), at.seq().0.into()],
        )?;
        let open = open.first().ok_or_else(|| DbError::Broken("there is no sum".into()))?;
        Ok(Self { to_house: open.int(0)?, to_table: posted.int(0)? })
    }
}

/// What goes from the table to whom; below 0: comes from there.
#[derive(Default)]
struct Dues {
    players: BTreeMap<UserId, i64>,
    rake: i64,
    variance: i64,
}

fn pay(desk: &mut Desk<'_>, code: Currency, dues: &Dues, leg: &mut u32) -> Result<(), DbError> {
    let of = currency::find(desk.tx, code)?
        .ok_or_else(|| DbError::Broken("chips are of a currency that is none".into()))?;
    let mut all = Vec::new();
    if dues.variance != 0 {
        all.push((Account::of_house(desk.tx, code, House::Variance, "")?, dues.variance));
    }
    if dues.rake != 0 {
        all.push((Account::of_house(desk.tx, code, House::Rake, desk.room.as_str())?, dues.rake));
    }
    for (user, owed) in dues.players.iter().filter(|(_, owed)| **owed != 0) {
        all.push((Account::purse(desk.tx, desk.new.now, user, &of, desk.room)?, *owed));
    }
    cut::move_from_table(desk, code, all, leg)
}

fn add(to: &mut i64, amount: i64) -> Result<(), DbError> {
    *to = to.checked_add(amount).ok_or_else(too_much)?;
    Ok(())
}

fn too_much() -> DbError {
    DbError::Refused("amounts add up to too much".into())
}
