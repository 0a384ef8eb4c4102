//! What stands on the tape, and not here: the database has gone back, or never got it. It is applied by its name, with the outcome that it had.
//! Nothing is decided anew: who may play, what he has, and which hands are recorded may be other things by now.

use protocol::id::{RoomId, UserId};

use super::{
    account::{Account, move_chips},
    answer, cut, in_play, lost,
    request::{self, ByHand, Fingerprint, Kind, New, Verdict},
};
use crate::{
    tape::{Entry, unhex},
    tx::{DbError, Tx},
};

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replayed {
    /// It is applied.
    Done,
    /// It was there, and is the same.
    Known,
    /// The ledger has decided this name otherwise.
    Otherwise,
    /// Nobody was told of it, and it is no part of the history any more.
    CutOff,
}

/// Applies an entry of the tape. `is_told`: somebody may have been told of it, so it must be.
///
/// # Errors
/// Of the database; [`DbError::Refused`] when what it builds on is not there.
pub fn replay(tx: &mut dyn Tx, entry: &Entry, is_told: bool) -> Result<Replayed, DbError> {
    let asked = &entry.request;
    if let Some(room) = &asked.room {
        answer::hold(tx, room)?;
    }
    let fingerprint = asked.fingerprint.as_deref().map(fingerprint).transpose()?;
    let verdict = Verdict::of(&entry.outcome, entry.code.as_deref())?;
    let kind = Kind::read(&asked.kind)?;
    if let Some(known) = request::known(tx, &asked.name)? {
        let is_same = fingerprint.as_ref().is_none_or(|fingerprint| known.is(fingerprint));
        let is_same = is_same && known.kind == kind && known.verdict == verdict;
        return Ok(if is_same { Replayed::Known } else { Replayed::Otherwise });
    }
    let place = asked.room.as_ref().zip(asked.at);
    if let Some((room, id)) = place.filter(|_| !is_told && kind != Kind::Cut)
        && cut::is_cut_off(tx, room, id.at)?
    {
        return Ok(Replayed::CutOff);
    }
    let by_hand = asked.staff.as_ref().zip(asked.reason.as_deref());
    for staff in asked.staff.iter().chain(&asked.second) {
        keep_name(tx, staff, asked.at_ms)?;
    }
    let new = New {
        name: &asked.name,
        fingerprint,
        kind,
        person: asked.person.as_ref(),
        chips: asked.currency.zip(asked.amount),
        place,
        hand: asked.hand,
        by_hand: by_hand.map(|(staff, reason)| ByHand { staff, second: asked.second.as_ref(), reason }),
        now: asked.at_ms,
    };
    request::record(tx, &new, verdict)?;
    for (leg, moved) in (0..).zip(&entry.legs) {
        let from = Account::of_tape(tx, moved.currency, &moved.from)?;
        let to = Account::of_tape(tx, moved.currency, &moved.to)?;
        move_chips(tx, &asked.name, leg, [&from, &to], moved.amount)?;
    }
    for name in &entry.taken_back {
        lost::keep(tx, name, &asked.name)?;
    }
    for name in &entry.undone {
        request::undo(tx, name, &asked.name)?;
    }
    for name in &entry.paid_before {
        tx.run(
            "INSERT INTO paid_before (request, by_request) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            &[name.as_str().into(), asked.name.as_str().into()],
        )?;
    }
    if let Some((cut, (room, id))) = entry.cut.as_ref().zip(place) {
        let answer = unhex(&cut.answer).ok_or_else(|| unreadable("an answer"))?;
        cut::insert(tx, &asked.name, (room, id.at.epoch()), cut.follows, &answer)?;
        lost::follow(tx, room)?;
    }
    if let Some(room) = &asked.room {
        follow(tx, room, entry)?;
    }
    if kind == Kind::Adjust {
        close_proposal(tx, entry)?;
    }
    Ok(Replayed::Done)
}

fn unreadable(what: &str) -> DbError {
    DbError::Broken(format!("{what} on the tape is none"))
}

fn fingerprint(text: &str) -> Result<Fingerprint, DbError> {
    hands::hex::hash(text).ok_or_else(|| unreadable("a fingerprint"))
}

/// What players have brought follows anew from the requests: of whom they are, and, where a room has begun anew, of all.
fn follow(tx: &mut dyn Tx, room: &RoomId, entry: &Entry) -> Result<(), DbError> {
    let mut concerned: Vec<UserId> = entry.request.person.iter().cloned().collect();
    for name in &entry.undone {
        concerned.extend(request::known(tx, name)?.and_then(|known| known.person));
    }
    if entry.cut.is_some() {
        let there = tx.run("SELECT DISTINCT person FROM in_play WHERE room = $1", &[room.as_str().into()])?;
        for row in &there {
            concerned.push(UserId::new(row.text(0)?).map_err(|_| unreadable("a player"))?);
        }
    }
    if !entry.taken_back.is_empty() {
        concerned.extend(lost::users_of(tx, room)?);
    }
    concerned.sort_unstable();
    concerned.dedup();
    concerned.iter().try_for_each(|user| in_play::follow(tx, room, user))
}

/// Staff of whom the database has forgotten everything: their name stays in what they did. They sign in no more, until somebody makes them anew.
fn keep_name(tx: &mut dyn Tx, staff: &UserId, now: u64) -> Result<(), DbError> {
    tx.run(
        "INSERT INTO person (id, kind, status, nick, created_ms, seen_ms) VALUES ($1, 'member', 'gone', $1, $2, $2) ON CONFLICT DO NOTHING",
        &[staff.as_str().into(), now.into()],
    )
    .map(drop)
}

/// What two people have decided is not to be decided again.
fn close_proposal(tx: &mut dyn Tx, entry: &Entry) -> Result<(), DbError> {
    let asked = &entry.request;
    let (Some(second), Some(name)) = (&asked.second, asked.name.strip_prefix("adjust:")) else {
        return Ok(());
    };
    tx.run(
        "UPDATE proposal SET decision = 'confirmed', decided_by = $2, decided_ms = $3 WHERE name = $1 AND decision IS NULL",
        &[name.into(), second.as_str().into(), asked.at_ms.into()],
    )
    .map(drop)
}

/// The ledger that this is, as tapes name it.
///
/// # Errors
/// Of the database.
pub fn identity(tx: &mut dyn Tx) -> Result<String, DbError> {
    let rows = tx.run("SELECT id FROM ledger_identity", &[])?;
    let row = rows.first().ok_or_else(|| DbError::Broken("the ledger has no identity".into()))?;
    row.text(0).map(str::to_owned)
}

/// Up to which line of a tape everything stands here.
///
/// # Errors
/// Of the database.
pub fn marked(tx: &mut dyn Tx, tape: &str) -> Result<u64, DbError> {
    let rows =
        tx.run("SELECT CAST(COALESCE(MAX(n), 0) AS BIGINT) FROM tape_mark WHERE tape = $1", &[tape.into()])?;
    rows.first().map_or(Ok(0), |row| row.count(0))
}

/// Up to this line everything stands here. Tellers do not wait for each other.
pub(crate) fn mark(tx: &mut dyn Tx, tape: &str, teller: u32, n: u64) -> Result<(), DbError> {
    tx.run(
        "INSERT INTO tape_mark (tape, teller, n) VALUES ($1, $2, $3) \
         ON CONFLICT (tape, teller) DO UPDATE SET n = excluded.n WHERE tape_mark.n < excluded.n",
        &[tape.into(), teller.into(), n.into()],
    )
    .map(drop)
}

/// Whether a request of this name is known.
pub(crate) fn is_known(tx: &mut dyn Tx, name: &str) -> Result<bool, DbError> {
    Ok(request::known(tx, name)?.is_some())
}
