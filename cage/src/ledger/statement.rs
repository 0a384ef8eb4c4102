//! What has moved a player's account, the latest first, with the balance after each line.

use money::Currency;
use protocol::{
    id::{RoomId, UserId},
    time::UnixMs,
};

use crate::tx::{DbError, Row, Tx};

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the account, from 1 without gaps.
    pub number: u64,
    /// When.
    pub at_ms: UnixMs,
    /// What, in a word: `buy_in`, `top_up`, `void` (what was brought came back), `cash_out`, `return`, `cut` (put right after a loss), `grant`,
    /// `refill`, `adjust`.
    pub kind: String,
    /// At which table.
    pub room: Option<RoomId>,
    /// How much came; below 0: went.
    pub change: i64,
    /// What was there then.
    pub balance: i64,
}

/// Lines of a player's account with numbers below `before`, the latest first, at most `most`.
///
/// # Errors
/// Of the database.
pub fn statement(
    tx: &mut dyn Tx,
    user: &UserId,
    currency: Currency,
    before: Option<u64>,
    most: u32,
) -> Result<Vec<Line>, DbError> {
    let rows = tx.run(
        "SELECT e.number, r.at_ms, r.kind, r.room, e.change, e.balance FROM account a JOIN entry e ON e.account = a.id \
         JOIN request r ON r.name = e.request WHERE a.currency = $1 AND a.kind = 'player' AND a.name = $2 AND e.number < $3 \
         ORDER BY e.number DESC LIMIT $4",
        &[currency.as_str().into(), user.as_str().into(), before.unwrap_or(u64::MAX).into(), most.into()],
    )?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Line, DbError> {
    let room = row.maybe_text(3)?.map(|room| RoomId::new(&room)).transpose();
    Ok(Line {
        number: row.count(0)?,
        at_ms: row.count(1)?,
        kind: row.text(2)?.into(),
        room: room.map_err(|_| DbError::Broken("a room has no name".into()))?,
        change: row.int(4)?,
        balance: row.int(5)?,
    })
}
