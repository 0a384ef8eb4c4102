//! What a player has: in his account, and at which tables.

use money::Currency;
use protocol::{
    id::{RoomId, UserId},
    time::UnixMs,
};

use super::{
    account::amount_in,
    currency::{self, Definition},
    grant,
};
use crate::tx::{DbError, Row, Tx};

/// What somebody has of a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// Of which.
    pub currency: Definition,
    /// What he may bring to tables.
    pub available: u64,
    /// It was frozen: he brings none of it to tables.
    pub is_frozen: bool,
    /// What he has brought to which tables and not left with.
    pub in_play: Vec<(RoomId, u64)>,
    /// He has had play money today: from when on he may have it again.
    pub refill_from_ms: Option<UnixMs>,
}

/// What somebody has of each currency of the house. Who has asked for nothing yet has what everybody begins with.
///
/// # Errors
/// Of the database.
pub fn balances(tx: &mut dyn Tx, now: UnixMs, user: &UserId) -> Result<Vec<Balance>, DbError> {
    let currencies = currency::all(tx)?;
    let accounts = tx.run(
        "SELECT currency, balance, frozen FROM account WHERE kind = 'player' AND name = $1",
        &[user.as_str().into()],
    )?;
    let at_tables = tx.run(
        "SELECT currency, room, amount FROM in_play WHERE person = $1 ORDER BY room",
        &[user.as_str().into()],
    )?;
    let of = |currency: Definition| {
        let is_of = |row: &&Row| row.text(0).is_ok_and(|code| code == currency.code.as_str());
        let account = accounts.iter().find(is_of);
        let in_play = at_tables.iter().filter(is_of).map(|row| {
            let room = RoomId::new(row.text(1)?).map_err(|_| DbError::Broken("a room has no name".into()))?;
            Ok((room, amount_in(row, 2)?))
        });
        Ok(Balance {
            currency,
            available: account.map_or(Ok(currency.opening), |row| amount_in(row, 1))?,
            is_frozen: account.map_or(Ok(0), |row| row.int(2))? == 1,
            in_play: in_play.collect::<Result<_, DbError>>()?,
            refill_from_ms: grant::again_ms(tx, now, user, &currency)?,
        })
    };
    currencies.into_iter().map(of).collect()
}

/// What somebody owns that must not become nobody's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Tables to which he has brought chips and not left with any.
    pub rooms: Vec<RoomId>,
    /// What he has in his account, if it is no play money.
    pub currencies: Vec<Currency>,
}

/// See [`Kept`].
///
/// # Errors
/// Of the database.
pub fn kept(tx: &mut dyn Tx, user: &UserId) -> Result<Kept, DbError> {
    let person = [user.as_str().into()];
    let rooms = tx.run("SELECT DISTINCT room FROM in_play WHERE person = $1 ORDER BY room", &person)?;
    let accounts = tx.run(
        "SELECT a.currency FROM account a JOIN currency c ON c.code = a.currency WHERE a.kind = 'player' AND a.name = $1 \
         AND a.balance > 0 AND c.play = 0 ORDER BY a.currency",
        &person,
    )?;
    let room =
        |row: &Row| RoomId::new(row.text(0)?).map_err(|_| DbError::Broken("a room has no name".into()));
    Ok(Kept {
        rooms: rooms.iter().map(room).collect::<Result<_, _>>()?,
        currencies: accounts.iter().map(|row| currency::code_in(row, 0)).collect::<Result<_, _>>()?,
    })
}
