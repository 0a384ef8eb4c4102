//! Currencies: settings say which there are.

use std::str::FromStr;

use money::{AMOUNT_END, Currency};

use super::account::amount_in;
use crate::tx::{DbError, Row, Tx};

/// Digits behind the point at most.
pub const DIGITS_MAX: u8 = 4;

/// A currency of this house. Amounts are in its smallest unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// Its code.
    pub code: Currency,
    /// How many digits of an amount stand behind the point.
    pub digits: u8,
    /// Play money: it is given away.
    pub play: bool,
    /// What every player begins with.
    pub opening: u64,
    /// What a player may have again once a day.
    pub refill: u64,
}

impl Definition {
    /// Of a house that says nothing of chips: `PLAY:0:10000:2000`.
    ///
    /// # Panics
    /// Never: it is one.
    pub fn play_money() -> Self {
        let code = Currency::new("PLAY").expect("it is a code");
        Self { code, digits: 0, play: true, opening: 10_000, refill: 2_000 }
    }
}

/// As settings write it: `EUR:2` with two digits behind the point; `PLAY:0:10000:2000` of play money, with what players begin with and what
/// they may have again once a day.
impl FromStr for Definition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "a currency is like EUR:2, and play money like PLAY:0:10000:2000".to_owned();
        let amount = |text: &str| text.parse().ok().filter(|amount| *amount < AMOUNT_END).ok_or_else(form);
        let mut parts = text.split(':');
        let code = Currency::new(parts.next().unwrap_or_default()).map_err(|error| error.to_string())?;
        let digits = parts.next().and_then(|text| text.parse().ok()).filter(|digits| *digits <= DIGITS_MAX);
        let digits = digits.ok_or_else(form)?;
        let [opening, refill, none] = [parts.next(), parts.next(), parts.next()];
        match (opening, refill, none) {
            (None, None, None) => Ok(Self { code, digits, play: false, opening: 0, refill: 0 }),
            (Some(opening), Some(refill), None) => {
                Ok(Self { code, digits, play: true, opening: amount(opening)?, refill: amount(refill)? })
            }
            _ => Err(form()),
        }
    }
}

/// Defines currencies, or says anew what players get of them. None: what is defined stays, and a house that has no currency yet gets [its
/// first](Definition::play_money).
///
/// # Errors
/// [`DbError::Refused`] when one has other digits than before, is play money and was not or the other way, gives real money away, or
/// has amounts that are too large.
pub fn define(tx: &mut dyn Tx, definitions: &[Definition]) -> Result<(), DbError> {
    if definitions.is_empty() && all(tx)?.is_empty() {
        return define(tx, &[Definition::play_money()]);
    }
    for definition in definitions {
        let Definition { code, digits, play, opening, refill } = *definition;
        if opening >= AMOUNT_END || refill >= AMOUNT_END {
            return Err(DbError::Refused("an amount is too large".into()));
        }
        let defined = tx.run(
            "INSERT INTO currency (code, digits, play, opening, refill) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (code) DO UPDATE SET opening = excluded.opening, refill = excluded.refill RETURNING digits, play",
            &[code.as_str().into(), u32::from(digits).into(), play.into(), opening.into(), refill.into()],
        )?;
        let is_same = |row: &Row| Ok(row.int(0)? == i64::from(digits) && row.int(1)? == i64::from(play));
        if !defined.first().map_or(Ok(false), is_same)? {
            return Err(DbError::Refused(format!(
                "{code} was defined with other digits, or of another kind"
            )));
        }
    }
    Ok(())
}

fn read(row: &Row) -> Result<Definition, DbError> {
    Ok(Definition {
        code: code_in(row, 0)?,
        digits: u8::try_from(row.int(1)?).map_err(|_| DbError::Broken("digits are few".into()))?,
        play: row.int(2)? == 1,
        opening: amount_in(row, 3)?,
        refill: amount_in(row, 4)?,
    })
}

pub(super) fn code_in(row: &Row, column: usize) -> Result<Currency, DbError> {
    Currency::new(row.text(column)?).map_err(|_| DbError::Broken("a currency's code is none".into()))
}

/// All currencies, by their codes.
///
/// # Errors
/// Of the database.
pub fn all(tx: &mut dyn Tx) -> Result<Vec<Definition>, DbError> {
    let rows = tx.run("SELECT code, digits, play, opening, refill FROM currency ORDER BY code", &[])?;
    rows.iter().map(read).collect()
}

/// The currency of this code.
///
/// # Errors
/// Of the database.
pub fn find(tx: &mut dyn Tx, code: Currency) -> Result<Option<Definition>, DbError> {
    let rows = tx.run(
        "SELECT code, digits, play, opening, refill FROM currency WHERE code = $1",
        &[code.as_str().into()],
    )?;
    rows.first().map(read).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_reads_as_settings_write_it() {
        let play: Definition = "PLAY:0:10000:2000".parse().unwrap();
        assert_eq!((play.digits, play.play, play.opening, play.refill), (0, true, 10_000, 2_000));
        let euro: Definition = "EUR:2".parse().unwrap();
        assert_eq!((euro.digits, euro.play, euro.opening, euro.refill), (2, false, 0, 0));
        for bad in [
            "",
            "EUR",
            "EUR:5",
            "EUR:2:1",
            "eur:2",
            "EUR:2:1:2:3",
            "EUR:-1",
            "P:0:1:1",
            "PLAY:0:x:1",
            "PLAY:0:9007199254740992:1",
        ] {
            assert!(bad.parse::<Definition>().is_err(), "{bad:?}");
        }
    }
}
