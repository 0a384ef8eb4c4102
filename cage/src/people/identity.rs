//! Who somebody is elsewhere: a subject of an issuer (OIDC), of whom a member signs in as. One person has one subject of an issuer, and a
//! subject is one person's.

use protocol::{id::UserId, time::UnixMs};

use crate::tx::{DbError, Row, Tx};

/// The longest subject, characters (OpenID Connect Core, section 2).
pub const SUBJECT_CHARS_MAX: usize = 255;

/// Identities with one address that are looked at.
const SAME_EMAIL_MAX: u32 = 16;

/// Who somebody is elsewhere, as that was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// By whose word.
    pub issuer: String,
    /// Who, there.
    pub subject: String,
    /// The e-mail address, in small letters, which somebody has verified who is trusted for it.
    pub email: Option<String>,
}

/// A subject that is somebody here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What lists show.
    pub id: String,
    /// Who, here.
    pub person: UserId,
    /// By whose word.
    pub issuer: String,
    /// Who, there.
    pub subject: String,
    /// The address, if one is kept.
    pub email: Option<String>,
    /// Since when.
    pub created_ms: UnixMs,
    /// When somebody signed in by it last.
    pub used_ms: UnixMs,
}

fn read(row: &Row) -> Result<Identity, DbError> {
    let person =
        UserId::new(row.text(1)?).map_err(|_| DbError::Broken("an identity's person is no name".into()))?;
    Ok(Identity {
        id: row.text(0)?.into(),
        person,
        issuer: row.text(2)?.into(),
        subject: row.text(3)?.into(),
        email: row.maybe_text(4)?,
        created_ms: row.count(5)?,
        used_ms: row.count(6)?,
    })
}

/// Who the subject is here.
///
/// # Errors
/// Of the database.
pub fn by_subject(tx: &mut dyn Tx, issuer: &str, subject: &str) -> Result<Option<Identity>, DbError> {
    let rows = tx.run(
        "SELECT id, person, issuer, subject, email, created_ms, used_ms FROM identity WHERE issuer = $1 AND subject = $2",
        &[issuer.into(), subject.into()],
    )?;
    rows.first().map(read).transpose()
}

/// Identities with this address.
///
/// # Errors
/// Of the database.
pub fn by_email(tx: &mut dyn Tx, email: &str) -> Result<Vec<Identity>, DbError> {
    let rows = tx.run(
        "SELECT id, person, issuer, subject, email, created_ms, used_ms FROM identity WHERE email = $1 ORDER BY id LIMIT $2",
        &[email.into(), SAME_EMAIL_MAX.into()],
    )?;
    rows.iter().map(read).collect()
}

/// Who a person is elsewhere.
///
/// # Errors
/// Of the database.
pub fn of(tx: &mut dyn Tx, person: &UserId) -> Result<Vec<Identity>, DbError> {
    let rows = tx.run(
        "SELECT id, person, issuer, subject, email, created_ms, used_ms FROM identity WHERE person = $1 ORDER BY created_ms, id",
        &[person.as_str().into()],
    )?;
    rows.iter().map(read).collect()
}

/// Makes a subject somebody. Whether that was done: not if the subject is somebody already, or the person has one of this issuer.
///
/// # Errors
/// [`DbError::Refused`] when the person is no member.
pub fn add(
    tx: &mut dyn Tx,
    id: &str,
    person: &UserId,
    subject: &Subject,
    now: UnixMs,
) -> Result<bool, DbError> {
    let added = tx.run(
        "INSERT INTO identity (id, person, issuer, subject, email, created_ms, used_ms) VALUES ($1, $2, $3, $4, $5, $6, $6) \
         ON CONFLICT DO NOTHING RETURNING id",
        &[
            id.into(),
            person.as_str().into(),
            subject.issuer.as_str().into(),
            subject.subject.as_str().into(),
            subject.email.as_deref().into(),
            now.into(),
        ],
    )?;
    Ok(!added.is_empty())
}

/// Somebody has signed in by it, with this address now.
///
/// # Errors
/// Of the database.
pub fn used(tx: &mut dyn Tx, id: &str, email: Option<&str>, now: UnixMs) -> Result<(), DbError> {
    tx.run(
        "UPDATE identity SET used_ms = $2, email = $3 WHERE id = $1",
        &[id.into(), now.into(), email.into()],
    )
    .map(drop)
}

/// Takes an identity from a person, who stays somebody by other ways. The issuer, if there was one.
///
/// # Errors
/// Of the database.
pub fn remove(tx: &mut dyn Tx, person: &UserId, id: &str) -> Result<Option<String>, DbError> {
    let removed = tx.run(
        "DELETE FROM identity WHERE person = $1 AND id = $2 RETURNING issuer",
        &[person.as_str().into(), id.into()],
    )?;
    removed.first().map(|row| row.text(0).map(str::to_owned)).transpose()
}

/// Takes all of them from a person.
///
/// # Errors
/// Of the database.
pub fn forget(tx: &mut dyn Tx, person: &UserId) -> Result<(), DbError> {
    tx.run("DELETE FROM identity WHERE person = $1", &[person.as_str().into()]).map(drop)
}

/// Holds a person's ways to sign in until the transaction ends: two who take one away at once do it one after the other.
///
/// # Errors
/// Of the database.
pub fn hold(tx: &mut dyn Tx, person: &UserId) -> Result<(), DbError> {
    tx.run("SELECT id FROM person WHERE id = $1 FOR UPDATE", &[person.as_str().into()]).map(drop)
}
