//! What a room asks is answered, once and for ever.

use money::{Ask, Body as _, Currency, Share, Stake, Why};
use protocol::{
    id::{ErrandId, RoomId, UserId},
    time::UnixMs,
};

use super::{
    account::{Account, House, is_amount, move_chips},
    currency, cut, in_play,
    request::{self, Kind, New, Verdict},
    void,
};
use crate::{
    people::{person, sanction},
    tx::{DbError, Tx},
};

/// How a request is answered. The same one gets the same answer for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done; of a cut, with whom the house has paid ([`money::Paid`]).
    Done(Vec<u8>),
    /// It is not, nor will it be.
    Refused(Why),
}

/// Answers the errand of this name of a room: does what it asks, unless it was done, and says what came of it.
///
/// # Errors
/// Of the database. [`DbError::Refused`] also when a table is to pay what it does not hold, which means that something is wrong with it, and of
/// what this release does not read: neither is an answer, and both may be asked again.
pub fn answer(
    tx: &mut dyn Tx,
    now: UnixMs,
    room: &RoomId,
    id: ErrandId,
    body: &[u8],
) -> Result<Answer, DbError> {
    let Ok(ask) = Ask::read(body) else {
        return Err(DbError::Refused("this release does not read such a request".into()));
    };
    if is_bad(&ask, id) {
        return Ok(Answer::Refused(Why::Bad));
    }
    hold(tx, room)?;
    let name = request::name_of(room, id);
    let fingerprint = request::fingerprint(room, id, body);
    if let Some(known) = request::known(tx, &name)? {
        if known.is(&fingerprint) {
            return known.answer(tx, &name);
        }
        request::conflict(tx, &name, &fingerprint, now)?;
        return Ok(Answer::Refused(Why::Conflict));
    }
    let new = new(&ask, &name, fingerprint, (room, id), now);
    let desk = &mut Desk { tx, room, id, new };
    match &ask {
        Ask::Cut { follows } => cut::cut(desk, *follows),
        _ if cut::is_cut_off(desk.tx, room, id.at)? => {
            desk.record(Verdict::Void)?;
            // There is nothing to give up of what is no part of the history.
            let is_void = matches!(ask, Ask::Void { .. });
            Ok(if is_void { Answer::Done(Vec::new()) } else { Answer::Refused(Why::Void) })
        }
        Ask::BuyIn(stake) | Ask::TopUp(stake) => desk.bring(stake),
        Ask::CashOut(share) | Ask::Return(share) => desk.pay(share),
        Ask::Absorb(share) => desk.take(share.currency, share.amount, House::Variance),
        Ask::Rake { currency, amount, .. } => desk.take(*currency, *amount, House::Rake),
        Ask::Void { of } => void::void(desk, *of),
    }
}

fn new<'a>(
    ask: &'a Ask,
    name: &'a str,
    fingerprint: request::Fingerprint,
    place: (&'a RoomId, ErrandId),
    now: UnixMs,
) -> New<'a> {
    let staked = |kind, stake: &'a Stake| (kind, Some(&stake.user), Some((stake.currency, stake.amount)));
    let shared = |kind, share: &'a Share| (kind, Some(&share.user), Some((share.currency, share.amount)));
    let (kind, person, chips) = match ask {
        Ask::BuyIn(stake) => staked(Kind::BuyIn, stake),
        Ask::TopUp(stake) => staked(Kind::TopUp, stake),
        Ask::CashOut(share) => shared(Kind::CashOut, share),
        Ask::Return(share) => shared(Kind::Return, share),
        Ask::Absorb(share) => shared(Kind::Absorb, share),
        Ask::Rake { currency, amount, .. } => (Kind::Rake, None, Some((*currency, *amount))),
        Ask::Void { .. } => (Kind::Void, None, None),
        Ask::Cut { .. } => (Kind::Cut, None, None),
    };
    let hand = if let Ask::Rake { hand, .. } = ask { Some(*hand) } else { None };
    let fingerprint = Some(fingerprint);
    New { name, fingerprint, kind, person, chips, place: Some(place), hand, by_hand: None, now }
}

/// Whether it is none, whatever is known: no amount, or one that cannot be. Who leaves with nothing may say so: he is in play no more.
fn is_bad(ask: &Ask, id: ErrandId) -> bool {
    let is_place = |id: ErrandId| [id.at.epoch().0, id.at.seq().0].iter().all(|n| i64::try_from(*n).is_ok());
    let is_good = match ask {
        Ask::BuyIn(Stake { amount, .. }) | Ask::TopUp(Stake { amount, .. }) => is_amount(*amount),
        Ask::CashOut(Share { amount, .. }) => *amount == 0 || is_amount(*amount),
        Ask::Return(Share { amount, .. }) | Ask::Absorb(Share { amount, .. }) => is_amount(*amount),
        Ask::Rake { amount, hand, .. } => is_amount(*amount) && i64::try_from(*hand).is_ok(),
        Ask::Void { of } => *of != id && is_place(*of),
        Ask::Cut { follows } => is_place(ErrandId { at: *follows, n: 0 }),
    };
    !(is_good && is_place(id))
}

/// One request of a room at a time, whatever processes ask: a cut sees all that was posted before, and is seen by all that comes after.
pub(super) fn hold(tx: &mut dyn Tx, room: &RoomId) -> Result<(), DbError> {
    if !hold_known(tx, room)? {
        tx.run("INSERT INTO ledger_room (room) VALUES ($1) ON CONFLICT DO NOTHING", &[room.as_str().into()])?;
        hold_known(tx, room)?;
    }
    Ok(())
}

/// The same of a room that has asked before; whether it has.
pub(super) fn hold_known(tx: &mut dyn Tx, room: &RoomId) -> Result<bool, DbError> {
    let held = tx.run("SELECT room FROM ledger_room WHERE room = $1 FOR UPDATE", &[room.as_str().into()])?;
    Ok(!held.is_empty())
}

/// Where a request that is new is done.
pub(super) struct Desk<'a> {
    pub(super) tx: &'a mut dyn Tx,
    pub(super) room: &'a RoomId,
    pub(super) id: ErrandId,
    pub(super) new: New<'a>,
}

impl Desk<'_> {
    pub(super) fn record(&mut self, verdict: Verdict) -> Result<(), DbError> {
        request::record(self.tx, &self.new, verdict)
    }

    fn refuse(&mut self, why: Why) -> Result<Answer, DbError> {
        self.record(Verdict::Refused(why))?;
        Ok(Answer::Refused(why))
    }

    /// A player brings chips to the table.
    fn bring(&mut self, stake: &Stake) -> Result<Answer, DbError> {
        let Some(of) = currency::find(self.tx, stake.currency)? else {
            return self.refuse(Why::NoCurrency);
        };
        if let Some(why) = keeps_away(self.tx, &stake.user, self.new.now)? {
            return self.refuse(why);
        }
        let purse = Account::purse(self.tx, self.new.now, &stake.user, &of, self.room)?;
        if purse.is_frozen {
            return self.refuse(Why::Frozen);
        }
        if !purse.has(stake.amount) {
            return self.refuse(Why::Insufficient);
        }
        let table = Account::of_table(self.tx, stake.currency, self.room)?;
        if !table.holds(stake.amount) {
            return self.refuse(Why::Bad);
        }
        self.record(Verdict::Posted)?;
        move_chips(self.tx, self.new.name, 0, [&purse, &table], stake.amount)?;
        in_play::follow(self.tx, self.room, &stake.user)?;
        Ok(Answer::Done(Vec::new()))
    }

    /// A player is paid from the table.
    fn pay(&mut self, share: &Share) -> Result<Answer, DbError> {
        if share.amount == 0 {
            self.record(Verdict::Posted)?;
        } else {
            let (of, table) = self.table_with(share.currency, share.amount)?;
            let purse = Account::purse(self.tx, self.new.now, &share.user, &of, self.room)?;
            self.record(Verdict::Posted)?;
            move_chips(self.tx, self.new.name, 0, [&table, &purse], share.amount)?;
        }
        in_play::follow(self.tx, self.room, &share.user)?;
        Ok(Answer::Done(Vec::new()))
    }

    /// The house takes chips from the table.
    fn take(&mut self, currency: Currency, amount: u64, to: House) -> Result<Answer, DbError> {
        let (_, table) = self.table_with(currency, amount)?;
        let house = Account::of_house(self.tx, currency, to, self.room.as_str())?;
        self.record(Verdict::Posted)?;
        move_chips(self.tx, self.new.name, 0, [&table, &house], amount)?;
        if let Some(user) = self.new.person {
            in_play::follow(self.tx, self.room, user)?;
        }
        Ok(Answer::Done(Vec::new()))
    }

    /// The table's account, which holds so much.
    pub(super) fn table_with(
        &mut self,
        code: Currency,
        amount: u64,
    ) -> Result<(currency::Definition, Account), DbError> {
        let of = currency::find(self.tx, code)?.ok_or_else(too_little)?;
        let table = Account::of_table(self.tx, code, self.room)?;
        if table.has(amount) { Ok((of, table)) } else { Err(too_little()) }
    }
}

/// The constraint of the database would say so too.
fn too_little() -> DbError {
    DbError::Refused("a table is to pay more than it holds".into())
}

/// Why somebody may not bring chips. Whom the house does not know may: there are houses without accounts.
fn keeps_away(tx: &mut dyn Tx, user: &UserId, now: UnixMs) -> Result<Option<Why>, DbError> {
    match person::by_id(tx, user)? {
        None => Ok(None),
        Some(person) if person.gone => Ok(Some(Why::NoAccount)),
        Some(_) => {
            let held = sanction::that_hold(tx, user, now)?;
            let keeps = |kind| matches!(kind, sanction::Kind::Ban | sanction::Kind::SelfExclusion);
            Ok(held.iter().any(|sanction| keeps(sanction.kind)).then_some(Why::Banned))
        }
    }
}
