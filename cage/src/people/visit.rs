//! Ways to where somebody signs in elsewhere, and back: each is walked once. What goes with the browser (state, nonce, verifier) is derived
//! from a secret that the browser alone keeps; the database holds the secret's hash. So who steals the database walks nobody's way, and
//! any reception takes back whom another has sent.
//!
//! Who comes back and is nobody here yet has arrived: he is to say what he is called, within a while.

use protocol::{id::UserId, time::UnixMs};

use super::identity::Subject;
use crate::tx::{DbError, Row, Tx};

/// Rows whose time is over that go with each new one, at most.
const SWEPT_MAX: u32 = 16;

/// What is stored of a browser's secret.
pub type Hash = [u8; 32];

/// What somebody is away for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To sign in, or to make an account.
    SignIn,
    /// To have another way to sign in.
    Link,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Link => "link",
        }
    }
}

/// Who goes, by which login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goer {
    /// Who.
    pub person: UserId,
    /// By which login.
    pub login: String,
}

fn goer(row: &Row, column: usize) -> Result<Option<Goer>, DbError> {
    let (Some(person), Some(login)) = (row.maybe_text(column)?, row.maybe_text(column + 1)?) else {
        return Ok(None);
    };
    let person = UserId::new(&person).map_err(|_| DbError::Broken("a visitor is no name".into()))?;
    Ok(Some(Goer { person, login }))
}

/// A way there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// To whom.
    pub provider: String,
    /// What for.
    pub purpose: Purpose,
    /// Who goes, if he is somebody.
    pub goer: Option<Goer>,
}

/// Begins a way that must end before `expires_ms`.
///
/// # Errors
/// [`DbError::Refused`] when nobody goes to link something.
pub fn begin(
    tx: &mut dyn Tx,
    hash: &Hash,
    visit: &Visit,
    expires_ms: UnixMs,
    now: UnixMs,
) -> Result<(), DbError> {
    tx.run(
        "DELETE FROM visit WHERE hash IN (SELECT hash FROM visit WHERE expires_ms < $1 LIMIT $2)",
        &[now.into(), SWEPT_MAX.into()],
    )?;
    tx.run(
        "INSERT INTO visit (hash, provider, purpose, person, login, expires_ms) VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            hash.as_slice().into(),
            visit.provider.as_str().into(),
            visit.purpose.as_str().into(),
            visit.goer.as_ref().map(|goer| goer.person.as_str()).into(),
            visit.goer.as_ref().map(|goer| goer.login.as_str()).into(),
            expires_ms.into(),
        ],
    )
    .map(drop)
}

/// Who comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Back {
    /// From this way, which is walked with that.
    From(Visit),
    /// From one that was walked before.
    Again,
    /// From none, from another provider, or too late.
    Never,
}

/// Ends a way.
///
/// # Errors
/// Of the database.
pub fn end(tx: &mut dyn Tx, hash: &Hash, provider: &str, now: UnixMs) -> Result<Back, DbError> {
    let ended = tx.run(
        "UPDATE visit SET used_ms = $3 WHERE hash = $1 AND provider = $2 AND used_ms IS NULL AND expires_ms > $3 \
         RETURNING purpose, person, login",
        &[hash.as_slice().into(), provider.into(), now.into()],
    )?;
    if let Some(row) = ended.first() {
        let purpose = if row.text(0)? == Purpose::Link.as_str() { Purpose::Link } else { Purpose::SignIn };
        return Ok(Back::From(Visit { provider: provider.into(), purpose, goer: goer(row, 1)? }));
    }
    let found = tx.run(
        "SELECT provider FROM visit WHERE hash = $1 AND used_ms IS NOT NULL",
        &[hash.as_slice().into()],
    )?;
    Ok(if found.is_empty() { Back::Never } else { Back::Again })
}

/// Who has come back and is nobody here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// From whom.
    pub provider: String,
    /// Who he is there.
    pub subject: Subject,
    /// What he is called there; may be empty.
    pub nick: String,
    /// The guest who went, if one did.
    pub goer: Option<Goer>,
}

/// Keeps who has arrived, until `expires_ms`.
///
/// # Errors
/// Of the database.
pub fn arrive(
    tx: &mut dyn Tx,
    hash: &Hash,
    arrival: &Arrival,
    expires_ms: UnixMs,
    now: UnixMs,
) -> Result<(), DbError> {
    tx.run(
        "DELETE FROM arrival WHERE hash IN (SELECT hash FROM arrival WHERE expires_ms < $1 LIMIT $2)",
        &[now.into(), SWEPT_MAX.into()],
    )?;
    tx.run(
        "INSERT INTO arrival (hash, provider, issuer, subject, email, nick, person, login, expires_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            hash.as_slice().into(),
            arrival.provider.as_str().into(),
            arrival.subject.issuer.as_str().into(),
            arrival.subject.subject.as_str().into(),
            arrival.subject.email.as_deref().into(),
            arrival.nick.as_str().into(),
            arrival.goer.as_ref().map(|goer| goer.person.as_str()).into(),
            arrival.goer.as_ref().map(|goer| goer.login.as_str()).into(),
            expires_ms.into(),
        ],
    )
    .map(drop)
}

fn arrival(rows: &[Row]) -> Result<Option<Arrival>, DbError> {
    let Some(row) = rows.first() else { return Ok(None) };
    let subject =
        Subject { issuer: row.text(1)?.into(), subject: row.text(2)?.into(), email: row.maybe_text(3)? };
    Ok(Some(Arrival {
        provider: row.text(0)?.into(),
        subject,
        nick: row.text(4)?.into(),
        goer: goer(row, 5)?,
    }))
}

/// Who has arrived with this secret, and has not said yet what he is called.
///
/// # Errors
/// Of the database.
pub fn arrived(tx: &mut dyn Tx, hash: &Hash, now: UnixMs) -> Result<Option<Arrival>, DbError> {
    let found = tx.run(
        "SELECT provider, issuer, subject, email, nick, person, login FROM arrival \
         WHERE hash = $1 AND used_ms IS NULL AND expires_ms > $2",
        &[hash.as_slice().into(), now.into()],
    )?;
    arrival(&found)
}

/// The same, for the last time.
///
/// # Errors
/// Of the database.
pub fn settle(tx: &mut dyn Tx, hash: &Hash, now: UnixMs) -> Result<Option<Arrival>, DbError> {
    let settled = tx.run(
        "UPDATE arrival SET used_ms = $2 WHERE hash = $1 AND used_ms IS NULL AND expires_ms > $2 \
         RETURNING provider, issuer, subject, email, nick, person, login",
        &[hash.as_slice().into(), now.into()],
    )?;
    arrival(&settled)
}
