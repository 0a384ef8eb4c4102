//! What the ledger has for a table as of a position in its journal, to be compared with what the table says that it holds: exact while people play,
//! since everything is named by where it was decided.

use money::Currency;
use protocol::id::{ErrandId, Position, RoomId};

use super::{answer::hold_known, currency::code_in, request};
use crate::tx::{DbError, Tx};

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableAccount {
    /// What the account held, of each currency that the table has had to do with.
    pub chips: Vec<(Currency, i64)>,
    /// Which of the errands that were asked about were posted, and not undone until then.
    pub posted: Vec<ErrandId>,
}

impl TableAccount {
    /// What it held of a currency.
    pub fn of(&self, currency: Currency) -> i64 {
        self.chips.iter().find(|(code, _)| *code == currency).map_or(0, |(_, chips)| *chips)
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
            "SELECT 1 FROM request r WHERE r.name = $1 AND r.outcome = 'posted' AND NOT EXISTS (SELECT 1 FROM undone u \
             JOIN request b ON b.name = u.by_request WHERE u.request = r.name AND (b.epoch, b.seq) <= ($2, $3))",
            &[request::name_of(room, *id).into(), epoch.into(), seq.into()],
        )?;
        if !posted.is_empty() {
            account.posted.push(*id);
        }
    }
    Ok(account)
}
