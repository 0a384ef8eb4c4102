//! Accounts, and what moves between them.

use std::fmt;

use money::{AMOUNT_END, Currency};
use protocol::{
    id::{RoomId, UserId},
    time::UnixMs,
};

use super::{currency::Definition, grant};
use crate::{
    sql::postgres::TELLERS,
    tape, teller,
    tx::{DbError, Row, Tx},
};

/// What many requests move stands in so many accounts, so that they do not wait for each other.
const PARTS: usize = 16;

// Each part is moved by the jobs of one teller alone: a group holds all rows that its jobs have moved until it is committed, so two tellers
// that share parts wait for each other, and in a circle.
const _: () = assert!(PARTS.is_multiple_of(TELLERS));

/// The house's accounts. They may be below 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum House {
    /// What the house has taken in and paid out by hand.
    Bank,
    /// What it has taken of hands.
    Rake,
    /// What losses by the broker have cost; 0 unless there was one.
    Variance,
    /// What its bots have won; below 0: lost.
    Bots,
    /// What it has given away; below 0 by that.
    Promo,
}

impl House {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Bank, Self::Rake, Self::Variance, Self::Bots, Self::Promo];

    /// As it is stored and told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bank => "bank",
            Self::Rake => "rake",
            Self::Variance => "variance",
            Self::Bots => "bots",
            Self::Promo => "promo",
        }
    }

    /// Whose account of this name is, which may be a part.
    pub(super) fn of(name: &str) -> Option<Self> {
        let whole = name.split('.').next().unwrap_or_default();
        Self::ALL.into_iter().find(|house| house.as_str() == whole)
    }

    fn has_parts(self) -> bool {
        matches!(self, Self::Rake | Self::Bots | Self::Promo)
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    id: i64,
    kind: Kind,
    name: String,
    pub(super) currency: Currency,
    pub(super) balance: i64,
    pub(super) is_frozen: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Player,
    Table,
    House,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Player => "player",
            Self::Table => "table",
            Self::House => "house",
        })
    }
}

/// An amount, which is never below 0.
pub(super) fn amount_in(row: &Row, column: usize) -> Result<u64, DbError> {
    row.count(column)
}

/// Whether an amount is one: not nothing, and not too large.
pub(super) fn is_amount(amount: u64) -> bool {
    (1..AMOUNT_END).contains(&amount)
}

impl Account {
    /// Whether it has so much to give. The house's have no bottom.
    pub(super) fn has(&self, amount: u64) -> bool {
        self.kind == Kind::House || u64::try_from(self.balance).is_ok_and(|balance| balance >= amount)
    }

    /// How much of that it has not to give; 0 if that is below 0.
    pub(super) fn short_of(&self, amount: i64) -> i64 {
        match self.kind {
            Kind::House => 0,
            _ if self.is_frozen => amount.max(0),
            _ => amount.max(0).saturating_sub(self.balance).max(0),
        }
    }

    /// Whether it can hold so much more.
    pub(super) fn holds(&self, amount: u64) -> bool {
        let more = i64::try_from(amount).ok().and_then(|amount| self.balance.checked_add(amount));
        more.is_some_and(|after| u64::try_from(after).unwrap_or_default() < AMOUNT_END)
    }

    fn find(tx: &mut dyn Tx, currency: Currency, kind: Kind, name: &str) -> Result<Option<Self>, DbError> {
        let rows = tx.run(
            "SELECT id, balance, frozen FROM account WHERE currency = $1 AND kind = $2 AND name = $3 FOR UPDATE",
            &[currency.as_str().into(), kind.to_string().into(), name.into()],
        )?;
        let read = |row: &Row| {
            Ok(Self {
                id: row.int(0)?,
                kind,
                name: name.to_owned(),
                currency,
                balance: row.int(1)?,
                is_frozen: row.int(2)? == 1,
            })
        };
        rows.first().map(read).transpose()
    }

    /// The account, and whether it is new.
    fn open(tx: &mut dyn Tx, currency: Currency, kind: Kind, name: &str) -> Result<(Self, bool), DbError> {
        if let Some(account) = Self::find(tx, currency, kind, name)? {
            return Ok((account, false));
        }
        let made = tx.run(
            "INSERT INTO account (currency, kind, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id",
            &[currency.as_str().into(), kind.to_string().into(), name.into()],
        )?;
        let account = Self::find(tx, currency, kind, name)?;
        Ok((account.ok_or_else(|| DbError::Broken("an account is gone".into()))?, !made.is_empty()))
    }

    /// A player's. Who has none gets one, and what players begin with. `about` is what the job is about: a room, or the player.
    pub(super) fn of_player(
        tx: &mut dyn Tx,
        now: UnixMs,
        user: &UserId,
        of: &Definition,
        about: &str,
    ) -> Result<Self, DbError> {
        let (account, is_new) = Self::open(tx, of.code, Kind::Player, user.as_str())?;
        if !is_new || of.opening == 0 {
            return Ok(account);
        }
        grant::opening(tx, now, user, of, &account, about)?;
        Ok(Self::open(tx, of.code, Kind::Player, user.as_str())?.0)
    }

    /// Where a user's chips come from and go to at a table: the house's own bots have none of their own.
    pub(super) fn purse(
        tx: &mut dyn Tx,
        now: UnixMs,
        user: &UserId,
        of: &Definition,
        room: &RoomId,
    ) -> Result<Self, DbError> {
        match user.is_bot() {
            true => Self::of_house(tx, of.code, House::Bots, room.as_str()),
            false => Self::of_player(tx, now, user, of, room.as_str()),
        }
    }

    /// A table's.
    pub(super) fn of_table(tx: &mut dyn Tx, currency: Currency, room: &RoomId) -> Result<Self, DbError> {
        Self::open(tx, currency, Kind::Table, room.as_str()).map(|(account, _)| account)
    }

    /// The account that a tape names so.
    pub(super) fn of_tape(tx: &mut dyn Tx, currency: Currency, named: &str) -> Result<Self, DbError> {
        let (kind, name) = named.split_once('/').unwrap_or_default();
        let kind = [Kind::Player, Kind::Table, Kind::House].into_iter().find(|of| of.to_string() == kind);
        let kind = kind.ok_or_else(|| DbError::Broken("there is no such kind of account".into()))?;
        Self::open(tx, currency, kind, name).map(|(account, _)| account)
    }

    /// One of the house's; of those that are in parts, the part of what the job is about. Which part it is matters to nobody but those who wait.
    pub(super) fn of_house(
        tx: &mut dyn Tx,
        currency: Currency,
        house: House,
        about: &str,
    ) -> Result<Self, DbError> {
        let name = match house.has_parts() {
            true => format!("{}.{}", house.as_str(), teller::share(about, PARTS)),
            false => house.as_str().to_owned(),
        };
        Self::open(tx, currency, Kind::House, &name).map(|(account, _)| account)
    }
}

/// As the tape names it.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// Moves chips for a request that is posted, as its leg of that number.
pub(super) fn move_chips(
    tx: &mut dyn Tx,
    request: &str,
    leg: u32,
    [from, to]: [&Account; 2],
    amount: u64,
) -> Result<(), DbError> {
    tx.run(
        "INSERT INTO transfer (request, leg, currency, payer, payee, amount) VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            request.into(),
            leg.into(),
            from.currency.as_str().into(),
            from.id.into(),
            to.id.into(),
            amount.into(),
        ],
    )?;
    if let Some(entry) = tape::entry(tx, request) {
        let currency = from.currency;
        entry.legs.push(tape::Leg { from: from.to_string(), to: to.to_string(), currency, amount });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_houses_accounts_is_moved_by_one_teller_alone() {
        for number in 0..1_000 {
            let about = format!("t{number}");
            assert_eq!(teller::share(&about, PARTS) % TELLERS, teller::share(&about, TELLERS));
        }
    }
}
