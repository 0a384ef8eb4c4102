//! What the ledger has for a table as of a position in its journal, held against what the table says that it holds: exact while people play,
//! since everything is named by where it was decided.

use money::{
    Currency,
    holdings::{Does, Holdings, Open},
};
use protocol::id::{ErrandId, Position, RoomId};

use super::{account::amount_in, answer::hold_known, currency::code_in, request, settle};
use crate::tx::{DbError, Tx};

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableAccount {
    /// What the account held, of each currency that the table has had to do with.
    pub chips: Vec<(Currency, i64)>,
    /// Which of the errands that were asked about were posted, and not undone until then; with how many chips.
    pub posted: Vec<(ErrandId, u64)>,
}

impl TableAccount {
    /// What it held of a currency.
    pub fn of(&self, currency: Currency) -> i64 {
        self.chips.iter().find(|(code, _)| *code == currency).map_or(0, |(_, chips)| *chips)
    }

    fn posted(&self, id: ErrandId) -> Option<i64> {
        let posted = self.posted.iter().find(|(posted, _)| *posted == id);
        posted.map(|(_, chips)| i64::try_from(*chips).unwrap_or(i64::MAX))
    }
}

/// The account of a table as of a position: what was decided later is left out. Of `open` (what the table has asked and not heard the answer
/// of, and what it has given up by an errand among these) it tells what is posted.
///
/// # Errors
/// Of the database.
pub fn account_of_table(
    tx: &mut dyn Tx,
    room: &RoomId,
    at: Position,
    open: &[ErrandId],
) -> Result<TableAccount, DbError> {
    // Nothing of this table is posted between the two questions.
    if !hold_known(tx, room)? {
        return Ok(TableAccount::default());
    }
    let [epoch, seq] = [at.epoch().0, at.seq().0];
    let rows = tx.run(
        "SELECT a.currency, a.balance - (SELECT CAST(COALESCE(SUM(e.change), 0) AS BIGINT) FROM request r JOIN entry e \
         ON e.request = r.name WHERE r.room = $1 AND (r.epoch, r.seq) > ($2, $3) AND e.account = a.id) \
         FROM account a WHERE a.kind = 'table' AND a.name = $1 ORDER BY a.currency",
        &[room.as_str().into(), epoch.into(), seq.into()],
    )?;
    let mut account = TableAccount::default();
    for row in &rows {
        account.chips.push((code_in(row, 0)?, row.int(1)?));
    }
    for id in open {
        let posted = tx.run(
            "SELECT COALESCE(r.amount, 0) FROM request r WHERE r.name = $1 AND r.outcome = 'posted' AND NOT EXISTS (SELECT 1 FROM undone u \
             JOIN request b ON b.name = u.by_request WHERE u.request = r.name AND (b.epoch, b.seq) <= ($2, $3) AND NOT EXISTS \
             (SELECT 1 FROM taken_back t JOIN request c ON c.name = t.by_request WHERE t.request = b.name AND (c.epoch, c.seq) <= ($2, $3)))",
            &[request::name_of(room, *id).into(), epoch.into(), seq.into()],
        )?;
        if let Some(row) = posted.first() {
            account.posted.push((*id, amount_in(row, 0)?));
        }
    }
    Ok(account)
}

/// A table beside its account, of one currency, at a position of its journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Of which.
    pub currency: Currency,
    /// Up to which frame.
    pub at: Position,
    /// What lies at the table.
    pub chips: u64,
    /// What the ledger holds for it beyond that since it is under way: chips that were paid for and do not lie there yet, or that have gone from there
    /// and are not booked yet.
    pub under_way: i64,
    /// What the ledger holds for it.
    pub ledger: i64,
}

impl Compared {
    /// What the ledger has more than the table: 0, or chips were made (below 0) or lost.
    pub fn difference(&self) -> i64 {
        let chips = i64::try_from(self.chips).unwrap_or(i64::MAX);
        self.ledger.saturating_sub(chips).saturating_sub(self.under_way)
    }
}

/// Holds a table's account against what the table has said, in one transaction: of the table's currency first, then of any other that stands in
/// its name. `None` while a cut of the table is not done: the ledger has what is no part of the history any more, or has not yet what is.
///
/// # Errors
/// Of the database.
pub fn compare(
    tx: &mut dyn Tx,
    room: &RoomId,
    at: Position,
    holdings: &Holdings,
) -> Result<Option<Vec<Compared>>, DbError> {
    let asked = holdings.open.iter().map(|Open { id, does }| match does {
        Does::GivesUp(of) => *of,
        _ => *id,
    });
    let asked: Vec<ErrandId> = asked.collect();
    // It was settled, and its chips lie there for nothing, whatever it has asked since.
    let is_settled = settle::since(tx, room, at.epoch().0)?.is_none();
    let account = account_of_table(tx, room, if is_settled { end() } else { at }, &asked)?;
    let mut under_way = 0_i64;
    for Open { id, does } in holdings.open.iter().filter(|_| !is_settled) {
        let chips = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
        under_way += match does {
            // Paid for, and not there yet; or given up, and not back yet.
            Does::Brings(amount) => account.posted(*id).map_or(0, |_| chips(*amount)),
            Does::GivesUp(of) => account.posted(*of).unwrap_or(0),
            // Gone from there, and not booked yet.
            Does::Takes(amount) => account.posted(*id).map_or(chips(*amount), |_| 0),
            Does::Cuts(_) if account.posted(*id).is_none() => return Ok(None),
            Does::Cuts(_) => 0,
        };
    }
    let (currency, chips) = (holdings.currency, holdings.chips);
    let mut compared = vec![Compared { currency, at, chips, under_way, ledger: account.of(currency) }];
    let others = account.chips.iter().filter(|(code, held)| *code != currency && *held != 0);
    compared.extend(others.map(|(code, held)| Compared {
        currency: *code,
        at,
        chips: 0,
        under_way: 0,
        ledger: *held,
    }));
    Ok(Some(compared))
}

/// Behind all that was ever decided.
fn end() -> Position {
    Position::new(u64::MAX >> 1, u64::MAX >> 1)
}

/// All rooms that have ever asked something.
///
/// # Errors
/// Of the database.
pub fn rooms(tx: &mut dyn Tx) -> Result<Vec<RoomId>, DbError> {
    let rows = tx.run("SELECT room FROM ledger_room ORDER BY room", &[])?;
    let room = |row: &crate::tx::Row| {
        RoomId::new(row.text(0)?).map_err(|_| DbError::Broken("a room has no name".into()))
    };
    rows.iter().map(room).collect()
}

/// What the ledger holds for a room of which there is nothing any more: of each currency, if it is not 0.
///
/// # Errors
/// Of the database.
pub fn left_behind(tx: &mut dyn Tx, room: &RoomId) -> Result<Vec<Compared>, DbError> {
    let end = end();
    let account = account_of_table(tx, room, end, &[])?;
    let held = account.chips.into_iter().filter(|(_, held)| *held != 0);
    Ok(held
        .map(|(currency, ledger)| Compared { currency, at: end, chips: 0, under_way: 0, ledger })
        .collect())
}
