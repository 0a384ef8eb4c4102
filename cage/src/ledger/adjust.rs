//! What staff move by hand, between `house/bank` and a player: with a reason, once for each name, and above a limit by two people.

use money::{AMOUNT_END, Currency, Why};
use protocol::{
    id::{RoomId, UserId},
    time::UnixMs,
};

use super::{
    account::{Account, House, move_chips},
    currency::{self, code_in},
    request::{self, ByHand, Kind, New, Verdict},
};
use crate::tx::{DbError, Row, Tx};

/// A reason says something.
const REASON_MIN: usize = 8;

/// What somebody of the staff wants moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// Chosen by who asks: what has one name is moved once. As a room's name may be.
    pub name: String,
    /// Whose account.
    pub user: UserId,
    /// Of what.
    pub currency: Currency,
    /// How much he gets; below 0: how much is taken.
    pub change: i64,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub staff: UserId,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjusted {
    /// It is moved.
    Done,
    /// It is above the limit: somebody else of the staff is to confirm it.
    Proposed,
    /// It was proposed, and declined or withdrawn.
    Dropped,
    /// It is not moved, nor will it be under this name.
    Refused(Why),
}

/// Moves chips by hand. What is above `alone_max` is written down for somebody else to confirm. The same adjustment under the same name is the
/// same one.
///
/// # Errors
/// Of the database.
pub fn adjust(
    tx: &mut dyn Tx,
    now: UnixMs,
    wanted: &Adjustment,
    alone_max: u64,
) -> Result<Adjusted, DbError> {
    let has_reason = wanted.reason.trim().chars().count() >= REASON_MIN;
    let is_amount = wanted.change != 0 && wanted.change.unsigned_abs() < AMOUNT_END;
    if RoomId::new(&wanted.name).is_err() || !has_reason || !is_amount || wanted.user.is_bot() {
        return Ok(Adjusted::Refused(Why::Bad));
    }
    let Some(of) = currency::find(tx, wanted.currency)? else {
        return Ok(Adjusted::Refused(Why::NoCurrency));
    };
    // Holds it: of two at once one is the second.
    let account = Account::of_player(tx, now, &wanted.user, &of, wanted.user.as_str())?;
    let name = name_of(&wanted.name);
    if let Some(known) = request::known(tx, &name)? {
        if known.is(&fingerprint(wanted)) {
            return Ok(match known.verdict {
                Verdict::Refused(why) => Adjusted::Refused(why),
                _ => Adjusted::Done,
            });
        }
        request::conflict(tx, &name, &fingerprint(wanted), now)?;
        return Ok(Adjusted::Refused(Why::Conflict));
    }
    match proposal(tx, &wanted.name)? {
        Some(proposal) if proposal.wanted != *wanted => Ok(Adjusted::Refused(Why::Conflict)),
        Some(proposal) if proposal.is_open => Ok(Adjusted::Proposed),
        Some(_) => Ok(Adjusted::Dropped),
        None if wanted.change.unsigned_abs() > alone_max => propose(tx, now, wanted),
        None => post(tx, now, wanted, None, &account),
    }
}

fn name_of(name: &str) -> String {
    format!("adjust:{name}")
}

fn fingerprint(wanted: &Adjustment) -> request::Fingerprint {
    let Adjustment { name, user, currency, change, reason, staff } = wanted;
    let (user, staff, change) = (user.as_str().as_bytes(), staff.as_str().as_bytes(), change.to_be_bytes());
    request::fingerprint_of(&[
        name.as_bytes(),
        user,
        currency.as_str().as_bytes(),
        &change,
        reason.as_bytes(),
        staff,
    ])
}

fn post(
    tx: &mut dyn Tx,
    now: UnixMs,
    wanted: &Adjustment,
    second: Option<&UserId>,
    account: &Account,
) -> Result<Adjusted, DbError> {
    let amount = wanted.change.unsigned_abs();
    let verdict = match wanted.change > 0 {
        true if !account.holds(amount) => Verdict::Refused(Why::Bad),
        false if !account.has(amount) => Verdict::Refused(Why::Insufficient),
        _ => Verdict::Posted,
    };
    let name = name_of(&wanted.name);
    let new = New {
        name: &name,
        fingerprint: Some(fingerprint(wanted)),
        kind: Kind::Adjust,
        person: Some(&wanted.user),
        chips: Some((wanted.currency, amount)),
        place: None,
        hand: None,
        by_hand: Some(ByHand { staff: &wanted.staff, second, reason: &wanted.reason }),
        now,
    };
    request::record(tx, &new, verdict)?;
    if let Verdict::Refused(why) = verdict {
        return Ok(Adjusted::Refused(why));
    }
    let bank = Account::of_house(tx, wanted.currency, House::Bank, "")?;
    let ends = if wanted.change > 0 { [&bank, account] } else { [account, &bank] };
    move_chips(tx, &name, 0, ends, amount)?;
    Ok(Adjusted::Done)
}

fn propose(tx: &mut dyn Tx, now: UnixMs, wanted: &Adjustment) -> Result<Adjusted, DbError> {
    let Adjustment { name, user, currency, change, reason, staff } = wanted;
    tx.run(
        "INSERT INTO proposal (name, person, currency, change, reason, by_whom, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            name.as_str().into(),
            user.as_str().into(),
            currency.as_str().into(),
            (*change).into(),
            reason.as_str().into(),
            staff.as_str().into(),
            now.into(),
        ],
    )?;
    Ok(Adjusted::Proposed)
}

/// What waits for somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What is to be moved, and who says so.
    pub wanted: Adjustment,
    /// Since when.
    pub at_ms: UnixMs,
    /// Nobody has decided.
    pub is_open: bool,
}

/// What somebody makes of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is moved: by somebody else than who proposed it.
    Confirm,
    /// It is not: by somebody else.
    Decline,
    /// It is not: by who proposed it.
    Withdraw,
}

/// What came of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// This.
    Done(Adjusted),
    /// There is no such proposal.
    Unknown,
    /// It was decided before.
    Already,
    /// Two people: who proposed it withdraws it and does nothing else, which nobody else does.
    NotYours,
}

/// The proposal of this name, which is held.
///
/// # Errors
/// Of the database.
pub fn proposal(tx: &mut dyn Tx, name: &str) -> Result<Option<Proposal>, DbError> {
    let rows = tx.run(
        "SELECT name, person, currency, change, reason, by_whom, at_ms, decision FROM proposal WHERE name = $1 FOR UPDATE",
        &[name.into()],
    )?;
    rows.first().map(read).transpose()
}

/// Proposals that nobody has decided, the oldest first, at most `most`.
///
/// # Errors
/// Of the database.
pub fn proposals(tx: &mut dyn Tx, most: u32) -> Result<Vec<Proposal>, DbError> {
    let rows = tx.run(
        "SELECT name, person, currency, change, reason, by_whom, at_ms, decision FROM proposal WHERE decision IS NULL \
         ORDER BY at_ms, name LIMIT $1",
        &[most.into()],
    )?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Proposal, DbError> {
    let id = |column| {
        UserId::new(row.text(column)?).map_err(|_| DbError::Broken("a person's id is no name".into()))
    };
    Ok(Proposal {
        wanted: Adjustment {
            name: row.text(0)?.into(),
            user: id(1)?,
            currency: code_in(row, 2)?,
            change: row.int(3)?,
            reason: row.text(4)?.into(),
            staff: id(5)?,
        },
        at_ms: row.count(6)?,
        is_open: row.maybe_text(7)?.is_none(),
    })
}

/// Decides about a proposal.
///
/// # Errors
/// Of the database.
pub fn decide(
    tx: &mut dyn Tx,
    now: UnixMs,
    name: &str,
    by: &UserId,
    decision: Decision,
) -> Result<Decided, DbError> {
    let Some(Proposal { wanted, is_open, .. }) = proposal(tx, name)? else { return Ok(Decided::Unknown) };
    if !is_open {
        return Ok(Decided::Already);
    }
    if (decision == Decision::Withdraw) != (*by == wanted.staff) {
        return Ok(Decided::NotYours);
    }
    let (word, adjusted) = match decision {
        Decision::Decline => ("declined", Adjusted::Dropped),
        Decision::Withdraw => ("withdrawn", Adjusted::Dropped),
        Decision::Confirm => {
            let of = currency::find(tx, wanted.currency)?;
            let of = of.ok_or_else(|| DbError::Broken("a currency is gone".into()))?;
            let account = Account::of_player(tx, now, &wanted.user, &of, wanted.user.as_str())?;
            ("confirmed", post(tx, now, &wanted, Some(by), &account)?)
        }
    };
    tx.run(
        "UPDATE proposal SET decision = $2, decided_by = $3, decided_ms = $4 WHERE name = $1 AND decision IS NULL",
        &[name.into(), word.into(), by.as_str().into(), now.into()],
    )?;
    Ok(Decided::Done(adjusted))
}

/// Freezes a player's account, or thaws it: he is paid into it, and brings nothing of it to tables. Whether there is such a currency.
///
/// # Errors
/// Of the database.
pub fn freeze(
    tx: &mut dyn Tx,
    now: UnixMs,
    user: &UserId,
    code: Currency,
    is_frozen: bool,
) -> Result<bool, DbError> {
    let Some(of) = currency::find(tx, code)? else { return Ok(false) };
    Account::of_player(tx, now, user, &of, user.as_str())?;
    tx.run(
        "UPDATE account SET frozen = $3 WHERE currency = $1 AND kind = 'player' AND name = $2",
        &[code.as_str().into(), user.as_str().into(), is_frozen.into()],
    )?;
    Ok(true)
}
