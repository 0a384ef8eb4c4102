//! Whether the ledger is right: each account's balance is what its transfers make, and all of a currency together are nothing.

use std::collections::BTreeMap;

use money::Currency;

use super::{account::House, currency::code_in};
use crate::tx::{DbError, Tx};

/// Accounts that are looked at in one statement.
const PAGE: u32 = 500;

/// Wrong accounts that are told at most.
const TOLD_MAX: usize = 100;

/// What the audit has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// What stands where.
    pub totals: BTreeMap<Currency, Totals>,
    /// How many transfers there are.
    pub transfers: u64,
    /// How many accounts.
    pub accounts: u64,
    /// Those whose balance is not what their transfers make: their names as `CURRENCY/KIND/NAME`; a hundred at most.
    pub wrong: Vec<String>,
    /// Transfers that do not stand in two accounts.
    pub lame: u64,
    /// Requests that came under a name which another has: a mistake of a program, or an epoch that was given twice.
    pub conflicts: u64,
}

/// What stands where of a currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// In players' accounts.
    pub players: i64,
    /// At tables.
    pub tables: i64,
    /// In each of the house's.
    pub house: BTreeMap<House, i64>,
}

impl Totals {
    /// All together: 0, or chips came from nowhere.
    pub fn sum(&self) -> i64 {
        self.house
            .values()
            .fold(self.players.saturating_add(self.tables), |sum, part| sum.saturating_add(*part))
    }

    /// What losses by the broker have cost.
    pub fn variance(&self) -> i64 {
        self.house.get(&House::Variance).copied().unwrap_or_default()
    }
}

impl Audit {
    /// Whether no chip was made or lost.
    pub fn is_right(&self) -> bool {
        self.wrong.is_empty() && self.lame == 0 && self.totals.values().all(|totals| totals.sum() == 0)
    }
}

/// Goes through all accounts, and adds up anew what has moved them.
///
/// # Errors
/// Of the database.
pub fn audit(tx: &mut dyn Tx) -> Result<Audit, DbError> {
    let mut audit = Audit { totals: totals(tx)?, ..Audit::default() };
    let counted = tx.run(
        "SELECT (SELECT COUNT(*) FROM transfer), (SELECT COUNT(*) FROM conflict), (SELECT COUNT(*) FROM transfer t WHERE \
         (SELECT COUNT(*) FROM entry e WHERE e.request = t.request AND e.leg = t.leg) <> 2)",
        &[],
    )?;
    if let Some(row) = counted.first() {
        (audit.transfers, audit.conflicts, audit.lame) = (row.count(0)?, row.count(1)?, row.count(2)?);
    }
    let mut after = i64::MIN;
    loop {
        // Right: as many entries as it says, each one of a transfer, the balance after the last one, and what the transfers make.
        let rows = tx.run(
            "SELECT a.id, a.currency, a.kind, a.name, CASE WHEN a.entries = (SELECT COUNT(*) FROM entry e WHERE e.account = a.id) \
             AND a.balance = COALESCE((SELECT e.balance FROM entry e WHERE e.account = a.id AND e.number = a.entries), 0) \
             AND a.balance = (SELECT CAST(COALESCE(SUM(CASE a.id WHEN t.payee THEN t.amount WHEN t.payer THEN -t.amount END), 0) AS BIGINT) \
             FROM entry e JOIN transfer t ON t.request = e.request AND t.leg = e.leg WHERE e.account = a.id) THEN 1 ELSE 0 END \
             FROM account a WHERE a.id > $1 ORDER BY a.id LIMIT $2",
            &[after.into(), PAGE.into()],
        )?;
        for row in &rows {
            after = row.int(0)?;
            audit.accounts += 1;
            if row.int(4)? != 1 && audit.wrong.len() < TOLD_MAX {
                audit.wrong.push(format!("{}/{}/{}", row.text(1)?, row.text(2)?, row.text(3)?));
            }
        }
        if rows.len() < PAGE as usize {
            return Ok(audit);
        }
    }
}

/// What stands where, at one moment.
///
/// # Errors
/// Of the database.
pub fn totals(tx: &mut dyn Tx) -> Result<BTreeMap<Currency, Totals>, DbError> {
    let rows = tx.run(
        "SELECT currency, kind, CASE WHEN kind = 'house' THEN name ELSE '' END, CAST(SUM(balance) AS BIGINT) FROM account \
         GROUP BY 1, 2, 3",
        &[],
    )?;
    let mut all: BTreeMap<Currency, Totals> = BTreeMap::new();
    for row in &rows {
        let totals = all.entry(code_in(row, 0)?).or_default();
        let part = match row.text(1)? {
            "player" => &mut totals.players,
            "table" => &mut totals.tables,
            _ => {
                let house = House::of(row.text(2)?);
                let house = house.ok_or_else(|| DbError::Broken("the house has no such account".into()))?;
                totals.house.entry(house).or_default()
            }
        };
        *part = part
            .checked_add(row.int(3)?)
            .ok_or_else(|| DbError::Broken("balances add up to too much".into()))?;
    }
    Ok(all)
}
