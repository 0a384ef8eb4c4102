//! Links that work once. The database holds a hash: who steals it has no link.

use aws_lc_rs::digest::{SHA256, digest};
use protocol::{id::UserId, time::UnixMs};

use crate::tx::{DbError, Row, Tx};

/// What is stored of a link's secret.
pub fn hash(secret: &str) -> [u8; 32] {
    let hash = digest(&SHA256, secret.as_bytes());
    hash.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Keeps a link by which somebody sets a password; earlier ones of the same person stop working.
///
/// # Errors
/// Of the database.
pub fn to_set_password(
    tx: &mut dyn Tx,
    hash: &[u8; 32],
    person: &UserId,
    expires_ms: UnixMs,
) -> Result<(), DbError> {
    tx.run("DELETE FROM one_time WHERE person = $1 AND used_ms IS NULL", &[person.as_str().into()])?;
    tx.run(
        "INSERT INTO one_time (hash, person, purpose, expires_ms) VALUES ($1, $2, 'set_password', $3)",
        &[hash.as_slice().into(), person.as_str().into(), expires_ms.into()],
    )
    .map(drop)
}

/// Uses a link up. Whose it was, if it was good.
///
/// # Errors
/// Of the database.
pub fn take(tx: &mut dyn Tx, hash: &[u8; 32], now: UnixMs) -> Result<Option<UserId>, DbError> {
    let used = tx.run(
        "UPDATE one_time SET used_ms = $2 WHERE hash = $1 AND used_ms IS NULL AND expires_ms > $2 RETURNING person",
        &[hash.as_slice().into(), now.into()],
    )?;
    person_in(&used)
}

/// Whose link this is, while it is good.
///
/// # Errors
/// Of the database.
pub fn whose(tx: &mut dyn Tx, hash: &[u8; 32], now: UnixMs) -> Result<Option<UserId>, DbError> {
    let found = tx.run(
        "SELECT person FROM one_time WHERE hash = $1 AND used_ms IS NULL AND expires_ms > $2",
        &[hash.as_slice().into(), now.into()],
    )?;
    person_in(&found)
}

fn person_in(rows: &[Row]) -> Result<Option<UserId>, DbError> {
    let Some(row) = rows.first() else { return Ok(None) };
    UserId::new(row.text(0)?).map(Some).map_err(|_| DbError::Broken("a link's person is no name".into()))
}
