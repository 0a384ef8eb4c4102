//! Play money that is given away: what a player begins with, and what he may have again once a day.

use money::Currency;
use protocol::{id::UserId, time::UnixMs};

use super::{
    account::{Account, House, amount_in, move_chips},
    currency::{self, Definition},
    request::{self, Kind, New, Verdict},
};
use crate::tx::{DbError, Tx};

/// A day, by UTC.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What became of a wish for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refill {
    /// He has got so much.
    Given(u64),
    /// He has enough, in his account and at tables.
    Enough,
    /// He has had it today.
    Had,
    /// Nothing is given away of this.
    Never,
}

/// What players begin with, into an account that is new.
pub(super) fn opening(
    tx: &mut dyn Tx,
    now: UnixMs,
    user: &UserId,
    of: &Definition,
    account: &Account,
    about: &str,
) -> Result<(), DbError> {
    let name = format!("grant:{user}:{}", of.code);
    let promo = Account::of_house(tx, of.code, House::Promo, about)?;
    give(tx, now, &name, Kind::Grant, user, [&promo, account], of.opening)
}

/// Gives a player as much as makes the refill of this currency with what he has, once a day.
///
/// # Errors
/// Of the database.
pub fn refill(tx: &mut dyn Tx, now: UnixMs, user: &UserId, code: Currency) -> Result<Refill, DbError> {
    let Some(of) = currency::find(tx, code)?.filter(|of| of.play && of.refill > 0 && !user.is_bot()) else {
        return Ok(Refill::Never);
    };
    // Holds it: of two wishes at once one is the second.
    let account = Account::of_player(tx, now, user, &of, user.as_str())?;
    let name = name_of_refill(user, code, now);
    if request::known(tx, &name)?.is_some() {
        return Ok(Refill::Had);
    }
    let at_tables = tx.run(
        "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM in_play WHERE person = $1 AND currency = $2",
        &[user.as_str().into(), code.as_str().into()],
    )?;
    let at_tables = at_tables.first().map_or(Ok(0), |row| amount_in(row, 0))?;
    let has = u64::try_from(account.balance).unwrap_or_default().saturating_add(at_tables);
    let Some(amount) = of.refill.checked_sub(has).filter(|amount| *amount > 0) else {
        return Ok(Refill::Enough);
    };
    let promo = Account::of_house(tx, code, House::Promo, user.as_str())?;
    give(tx, now, &name, Kind::Refill, user, [&promo, &account], amount)?;
    Ok(Refill::Given(amount))
}

/// From when on a player may have play money again, who has had it today.
pub(super) fn again_ms(
    tx: &mut dyn Tx,
    now: UnixMs,
    user: &UserId,
    of: &Definition,
) -> Result<Option<UnixMs>, DbError> {
    let had = of.refill > 0 && request::known(tx, &name_of_refill(user, of.code, now))?.is_some();
    Ok(had.then_some((now / DAY_MS + 1) * DAY_MS))
}

fn name_of_refill(user: &UserId, code: Currency, now: UnixMs) -> String {
    format!("refill:{user}:{code}:{}", now / DAY_MS)
}

fn give(
    tx: &mut dyn Tx,
    now: UnixMs,
    name: &str,
    kind: Kind,
    user: &UserId,
    [promo, account]: [&Account; 2],
    amount: u64,
) -> Result<(), DbError> {
    let new = New {
        name,
        fingerprint: Some(request::fingerprint_of(&[name.as_bytes(), &amount.to_be_bytes()])),
        kind,
        person: Some(user),
        chips: Some((account.currency, amount)),
        place: None,
        hand: None,
        by_hand: None,
        now,
    };
    request::record(tx, &new, Verdict::Posted)?;
    move_chips(tx, name, 0, [promo, account], amount)
}
