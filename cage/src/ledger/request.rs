//! Requests: each has a name that is given once, and is answered once and for ever.

use aws_lc_rs::digest::{Context, SHA256};
use money::{Body as _, Currency, Paid, Why};
use protocol::{
    id::{ErrandId, RoomId, UserId},
    time::UnixMs,
};

use super::answer::Answer;
use crate::{
    tape,
    tx::{DbError, Row, Tx, Value},
};

/// Tells requests of one name apart.
pub(super) type Fingerprint = [u8; 32];

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    BuyIn,
    TopUp,
    Void,
    CashOut,
    Return,
    Absorb,
    Rake,
    Cut,
    /// Given up before it came: whatever it is.
    Unseen,
    Grant,
    Refill,
    Adjust,
}

const KINDS: [(Kind, &str); 12] = [
    (Kind::BuyIn, "buy_in"),
    (Kind::TopUp, "top_up"),
    (Kind::Void, "void"),
    (Kind::CashOut, "cash_out"),
    (Kind::Return, "return"),
    (Kind::Absorb, "absorb"),
    (Kind::Rake, "rake"),
    (Kind::Cut, "cut"),
    (Kind::Unseen, "unseen"),
    (Kind::Grant, "grant"),
    (Kind::Refill, "refill"),
    (Kind::Adjust, "adjust"),
];

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    pub(super) fn read(text: &str) -> Result<Self, DbError> {
        let found = KINDS.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind);
        found.ok_or_else(|| DbError::Broken("there is no such kind of request".into()))
    }

    /// Whether a player brings chips by it.
    pub(super) fn is_buy(self) -> bool {
        matches!(self, Self::BuyIn | Self::TopUp)
    }
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Posted,
    Refused(Why),
    /// It is no part of the history, or was given up.
    Void,
}

const WHYS: [(Why, &str); 6] = [
    (Why::Insufficient, "insufficient"),
    (Why::Frozen, "frozen"),
    (Why::Banned, "banned"),
    (Why::NoCurrency, "no_currency"),
    (Why::NoAccount, "no_account"),
    (Why::Bad, "bad"),
];

impl Verdict {
    fn read(row: &Row, outcome: usize, code: usize) -> Result<Self, DbError> {
        Self::of(row.text(outcome)?, row.maybe_text(code)?.as_deref())
    }

    /// As it is stored.
    pub(super) fn of(outcome: &str, code: Option<&str>) -> Result<Self, DbError> {
        let broken = || DbError::Broken("there is no such outcome".into());
        match outcome {
            "posted" => Ok(Self::Posted),
            "void" => Ok(Self::Void),
            "refused" => {
                let code = code.unwrap_or_default();
                let why = WHYS.iter().find(|(_, name)| *name == code).map(|(why, _)| *why);
                why.map(Self::Refused).ok_or_else(broken)
            }
            _ => Err(broken()),
        }
    }

    fn values(self) -> [Value; 2] {
        match self {
            Self::Posted => ["posted".into(), Value::Null],
            Self::Void => ["void".into(), Value::Null],
            Self::Refused(of) => {
                let code = WHYS.iter().find(|(why, _)| *why == of).map_or("", |(_, name)| *name);
                ["refused".into(), code.into()]
            }
        }
    }
}

/// The name of a room's errand among all requests. Those that are no room's have a colon in theirs, which no room has.
pub(super) fn name_of(room: &RoomId, id: ErrandId) -> String {
    format!("{room}/{id}")
}

/// Of an errand: of its name, and all that it asks.
pub(super) fn fingerprint(room: &RoomId, id: ErrandId, body: &[u8]) -> Fingerprint {
    fingerprint_of(&[name_of(room, id).as_bytes(), body])
}

/// Of parts, none of which can pass for a part of another.
pub(super) fn fingerprint_of(parts: &[&[u8]]) -> Fingerprint {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// A request that is known.
pub(super) struct Known {
    pub(super) kind: Kind,
    pub(super) verdict: Verdict,
    /// None of what was given up before it came.
    fingerprint: Option<Fingerprint>,
    pub(super) is_undone: bool,
    /// Of a buy: its player was paid in a lost branch.
    pub(super) was_paid: bool,
    pub(super) person: Option<UserId>,
    pub(super) currency: Option<Currency>,
    pub(super) amount: u64,
}

/// The request of this name, if it is known.
pub(super) fn known(tx: &mut dyn Tx, name: &str) -> Result<Option<Known>, DbError> {
    let rows = tx.run(
        "SELECT kind, outcome, code, fingerprint, person, currency, amount, \
         CASE WHEN EXISTS (SELECT 1 FROM undone_now u WHERE u.request = r.name) THEN 1 ELSE 0 END, \
         CASE WHEN EXISTS (SELECT 1 FROM paid_before_now p WHERE p.request = r.name) THEN 1 ELSE 0 END \
         FROM request r WHERE name = $1",
        &[name.into()],
    )?;
    rows.first().map(read).transpose()
}

fn read(row: &Row) -> Result<Known, DbError> {
    let fingerprint = match &row.0[3] {
        Value::Null => None,
        _ => Some(row.bytes(3)?.try_into().map_err(|_| DbError::Broken("a fingerprint is none".into()))?),
    };
    let person = row.maybe_text(4)?.map(|id| UserId::new(&id)).transpose();
    let currency = row.maybe_text(5)?.map(|code| Currency::new(&code)).transpose();
    Ok(Known {
        kind: Kind::read(row.text(0)?)?,
        verdict: Verdict::read(row, 1, 2)?,
        fingerprint,
        is_undone: row.int(7)? == 1,
        was_paid: row.int(8)? == 1,
        person: person.map_err(|_| DbError::Broken("a person's id is no name".into()))?,
        currency: currency.map_err(|_| DbError::Broken("a currency's code is none".into()))?,
        amount: row.maybe_count(6)?.unwrap_or_default(),
    })
}

impl Known {
    /// Whether it was this that was asked under its name.
    pub(super) fn is(&self, fingerprint: &Fingerprint) -> bool {
        self.fingerprint.as_ref().is_none_or(|known| known == fingerprint)
    }

    /// How it was answered; now that it may have been undone since.
    pub(super) fn answer(&self, tx: &mut dyn Tx, name: &str) -> Result<Answer, DbError> {
        Ok(match (self.verdict, self.kind) {
            (Verdict::Posted, Kind::Cut) => Answer::Done(answer_of_cut(tx, name)?),
            (Verdict::Posted, kind) if kind.is_buy() && self.is_undone => Answer::Refused(Why::Void),
            // Who was paid was paid. There is nothing more to give up of what is given up in a lost branch.
            (Verdict::Posted, _) | (Verdict::Void, Kind::Void) => Answer::Done(Vec::new()),
            (Verdict::Refused(why), _) => Answer::Refused(why),
            (Verdict::Void, _) => Answer::Refused(Why::Void),
        })
    }
}

fn answer_of_cut(tx: &mut dyn Tx, name: &str) -> Result<Vec<u8>, DbError> {
    let rows = tx.run("SELECT answer FROM cut WHERE request = $1", &[name.into()])?;
    rows.first().map_or(Ok(Paid::default().write()), |row| row.bytes(0).map(<[u8]>::to_vec))
}

/// A request that is new.
pub(super) struct New<'a> {
    pub(super) name: &'a str,
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) kind: Kind,
    pub(super) person: Option<&'a UserId>,
    pub(super) chips: Option<(Currency, u64)>,
    pub(super) place: Option<(&'a RoomId, ErrandId)>,
    pub(super) hand: Option<u64>,
    pub(super) by_hand: Option<ByHand<'a>>,
    pub(super) now: UnixMs,
}

/// Who moves chips by hand.
pub(super) struct ByHand<'a> {
    pub(super) staff: &'a UserId,
    pub(super) second: Option<&'a UserId>,
    pub(super) reason: &'a str,
}

/// Writes down what was asked and what came of it.
pub(super) fn record(tx: &mut dyn Tx, new: &New<'_>, verdict: Verdict) -> Result<(), DbError> {
    let [outcome, code] = verdict.values();
    let by = new.by_hand.as_ref();
    tx.run(
        "INSERT INTO request (name, fingerprint, kind, outcome, code, person, currency, amount, room, epoch, seq, n, hand, staff, second, \
         reason, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        &[
            new.name.into(),
            new.fingerprint.as_ref().map(<[u8; 32]>::as_slice).into(),
            new.kind.as_str().into(),
            outcome,
            code,
            new.person.map(UserId::as_str).into(),
            new.chips.as_ref().map(|(currency, _)| currency.as_str()).into(),
            new.chips.as_ref().map(|(_, amount)| *amount).into(),
            new.place.as_ref().map(|(room, _)| room.as_str()).into(),
            new.place.as_ref().map(|(_, id)| id.at.epoch().0).into(),
            new.place.as_ref().map(|(_, id)| id.at.seq().0).into(),
            new.place.as_ref().map(|(_, id)| u32::from(id.n)).into(),
            new.hand.into(),
            by.map(|by| by.staff.as_str()).into(),
            by.and_then(|by| by.second).map(UserId::as_str).into(),
            by.map(|by| by.reason).into(),
            new.now.into(),
        ],
    )?;
    if let Some(entries) = tx.taped() {
        entries.push(entry(new, verdict));
    }
    Ok(())
}

/// As it stands on the tape.
fn entry(new: &New<'_>, verdict: Verdict) -> tape::Entry {
    let [outcome, code] = verdict.values();
    let text = |value| if let Value::Text(text) = value { Some(text) } else { None };
    let by = new.by_hand.as_ref();
    tape::Entry {
        request: tape::Request {
            name: new.name.into(),
            fingerprint: new.fingerprint.map(|bytes| hands::hex::digits(&bytes)),
            kind: new.kind.as_str().into(),
            person: new.person.cloned(),
            currency: new.chips.map(|(currency, _)| currency),
            amount: new.chips.map(|(_, amount)| amount),
            room: new.place.map(|(room, _)| room.clone()),
            at: new.place.map(|(_, id)| id),
            hand: new.hand,
            staff: by.map(|by| by.staff.clone()),
            second: by.and_then(|by| by.second).cloned(),
            reason: by.map(|by| by.reason.to_owned()),
            at_ms: new.now,
        },
        outcome: text(outcome).unwrap_or_default(),
        code: text(code),
        ..tape::Entry::default()
    }
}

/// Another request has come under a name that was given.
pub(super) fn conflict(
    tx: &mut dyn Tx,
    name: &str,
    fingerprint: &Fingerprint,
    now: UnixMs,
) -> Result<(), DbError> {
    tx.run(
        "INSERT INTO conflict (request, fingerprint, at_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        &[name.into(), fingerprint.as_slice().into(), now.into()],
    )
    .map(drop)
}

/// Marks a request as undone by another.
pub(super) fn undo(tx: &mut dyn Tx, name: &str, by: &str) -> Result<(), DbError> {
    tx.run("INSERT INTO undone (request, by_request) VALUES ($1, $2)", &[name.into(), by.into()])?;
    if let Some(entry) = tape::entry(tx, by) {
        entry.undone.push(name.into());
    }
    Ok(())
}
