//! Wrong passwords: five, and nobody may try for a quarter of an hour; then one, and so on until one is right.
//!
//! An attempt counts as wrong before it is looked at: a hundred at once are not a hundred guesses. Devices that have signed in before are
//! counted apart: who guesses from elsewhere locks himself out, never the owner.

use aws_lc_rs::digest::{SHA256, digest};
use protocol::time::UnixMs;

use crate::tx::{DbError, Tx};

/// Wrong passwords before a lock.
pub const FAILURES_MAX: u64 = 5;

/// How long a lock lasts.
pub const LOCKED_MS: u64 = 15 * 60 * 1_000;

/// So long after the last one, wrong passwords are forgotten.
pub const FORGOTTEN_MS: u64 = 24 * 60 * 60 * 1_000;

/// Rows of others that are forgotten with each attempt, at most.
const SWEPT_MAX: u32 = 16;

/// What attempts are counted under: nobody reads from the database what people typed.
pub fn subject(handle: &str) -> [u8; 32] {
    let hash = digest(&SHA256, handle.as_bytes());
    hash.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Takes an attempt. It counts as failed until [`succeeded`]. `Some`: there is none, for so many milliseconds.
///
/// # Errors
/// Of the database.
pub fn attempt(
    tx: &mut dyn Tx,
    subject: &[u8; 32],
    trusted: bool,
    now: UnixMs,
) -> Result<Option<u64>, DbError> {
    let forgotten = now.saturating_sub(FORGOTTEN_MS);
    tx.run(
        "DELETE FROM attempt WHERE subject IN (SELECT subject FROM attempt WHERE last_ms < $1 LIMIT $2) AND last_ms < $1",
        &[forgotten.into(), SWEPT_MAX.into()],
    )?;
    // One statement, so that two at once are two. A lock neither counts nor lengthens.
    let counted = tx.run(
        "INSERT INTO attempt (subject, trusted, failures, last_ms) VALUES ($1, $2, 1, $3) \
         ON CONFLICT (subject, trusted) DO UPDATE SET \
           failures = CASE WHEN attempt.last_ms < $4 THEN 1 ELSE attempt.failures + 1 END, last_ms = $3, \
           locked_until_ms = CASE WHEN attempt.last_ms >= $4 AND attempt.failures + 1 >= $5 THEN CAST($6 AS BIGINT) ELSE 0 END \
         WHERE attempt.locked_until_ms <= $3 RETURNING failures",
        &[
            subject.as_slice().into(),
            trusted.into(),
            now.into(),
            forgotten.into(),
            FAILURES_MAX.into(),
            now.saturating_add(LOCKED_MS).into(),
        ],
    )?;
    if !counted.is_empty() {
        return Ok(None);
    }
    let locked = tx.run(
        "SELECT locked_until_ms FROM attempt WHERE subject = $1 AND trusted = $2",
        &[subject.as_slice().into(), trusted.into()],
    )?;
    let until = locked.first().map_or(Ok(now), |row| row.count(0))?;
    Ok(Some(until.saturating_sub(now).max(1)))
}

/// The password was right.
///
/// # Errors
/// Of the database.
pub fn succeeded(tx: &mut dyn Tx, subject: &[u8; 32], trusted: bool) -> Result<(), DbError> {
    tx.run(
        "DELETE FROM attempt WHERE subject = $1 AND trusted = $2",
        &[subject.as_slice().into(), trusted.into()],
    )
    .map(drop)
}

/// Whether the next attempt is none; for who tells it.
///
/// # Errors
/// Of the database.
pub fn is_locked(tx: &mut dyn Tx, subject: &[u8; 32], trusted: bool, now: UnixMs) -> Result<bool, DbError> {
    let rows = tx.run(
        "SELECT failures FROM attempt WHERE subject = $1 AND trusted = $2 AND locked_until_ms > $3",
        &[subject.as_slice().into(), trusted.into(), now.into()],
    )?;
    Ok(!rows.is_empty())
}
