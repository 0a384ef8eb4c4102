//! What staff did and what happened to accounts, as a chain: each entry's hash covers the one before, and the end of the chain stands in a
//! row of its own. Whoever changes, removes or inserts an entry afterwards breaks it.

use aws_lc_rs::digest::{Context, SHA256};
use protocol::time::UnixMs;

use crate::tx::{DbError, Row, Tx};

/// Entries that are read at once.
const PAGE: u32 = 500;

/// Hash of an entry.
pub type Hash = [u8; 32];

/// What has happened. `detail` is for people: it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at_ms: UnixMs,
    /// Who did it: a person's id, or `house`.
    pub actor: String,
    /// What, in a word such as `signed_in`.
    pub action: String,
    /// To whom.
    pub subject: Option<String>,
    /// Why, where staff has to say it.
    pub reason: Option<String>,
    /// More of it.
    pub detail: String,
    /// From which network.
    pub network: Option<String>,
}

/// An entry in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its number, from 1 without gaps.
    pub seq: u64,
    /// What has happened.
    pub entry: Entry,
    prev: Hash,
    hash: Hash,
}

/// Where the chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// The entry of this number is not there.
    #[error("entry {0} is missing")]
    Missing(u64),
    /// The entry of this number is not the one that was written, or not in its place.
    #[error("entry {0} was changed")]
    Changed(u64),
    /// The chain goes on after its end, which was there when so many entries were.
    #[error("the chain ends at entry {0}, and goes on")]
    Beyond(u64),
}

fn hash_of(prev: &Hash, seq: u64, entry: &Entry) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(prev);
    context.update(&seq.to_be_bytes());
    context.update(&entry.at_ms.to_be_bytes());
    // Lengths first: two entries with different fields are never the same bytes.
    let fields = [
        Some(&entry.actor),
        Some(&entry.action),
        entry.subject.as_ref(),
        entry.reason.as_ref(),
        Some(&entry.detail),
        entry.network.as_ref(),
    ];
    for field in fields {
        match field {
            Some(text) => {
                context.update(&(text.len() as u64 + 1).to_be_bytes());
                context.update(text.as_bytes());
            }
            None => context.update(&0_u64.to_be_bytes()),
        }
    }
    context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn hash_in(row: &Row, column: usize) -> Result<Hash, DbError> {
    row.bytes(column)?.try_into().map_err(|_| DbError::Broken("a hash has not 32 bytes".into()))
}

/// Appends an entry; its number.
///
/// # Errors
/// Of the database.
pub fn append(tx: &mut dyn Tx, entry: &Entry) -> Result<u64, DbError> {
    // Whoever appends holds the end, until it is committed: there is one chain, however many append.
    let head = tx.run("UPDATE audit_head SET seq = seq + 1 WHERE one = 1 RETURNING seq, hash", &[])?;
    let head = head.first().ok_or_else(|| DbError::Broken("the audit has no end".into()))?;
    let (seq, prev) = (head.count(0)?, hash_in(head, 1)?);
    let hash = hash_of(&prev, seq, entry);
    tx.run(
        "INSERT INTO audit (seq, at_ms, actor, action, subject, reason, detail, network, prev, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            seq.into(),
            entry.at_ms.into(),
            entry.actor.as_str().into(),
            entry.action.as_str().into(),
            entry.subject.as_deref().into(),
            entry.reason.as_deref().into(),
            entry.detail.as_str().into(),
            entry.network.as_deref().into(),
            prev.as_slice().into(),
            hash.as_slice().into(),
        ],
    )?;
    tx.run("UPDATE audit_head SET hash = $1 WHERE one = 1", &[hash.as_slice().into()])?;
    Ok(seq)
}

fn read(row: &Row) -> Result<Kept, DbError> {
    Ok(Kept {
        seq: row.count(0)?,
        entry: Entry {
            at_ms: row.count(1)?,
            actor: row.text(2)?.into(),
            action: row.text(3)?.into(),
            subject: row.maybe_text(4)?,
            reason: row.maybe_text(5)?,
            detail: row.text(6)?.into(),
            network: row.maybe_text(7)?,
        },
        prev: hash_in(row, 8)?,
        hash: hash_in(row, 9)?,
    })
}

/// Entries with numbers below `before`, the latest first, at most `most`.
///
/// # Errors
/// Of the database.
pub fn latest(tx: &mut dyn Tx, before: u64, most: u32) -> Result<Vec<Kept>, DbError> {
    let rows = tx.run(
        "SELECT seq, at_ms, actor, action, subject, reason, detail, network, prev, hash FROM audit WHERE seq < $1 \
         ORDER BY seq DESC LIMIT $2",
        &[before.into(), most.into()],
    )?;
    rows.iter().map(read).collect()
}

/// The same of those about one person.
///
/// # Errors
/// Of the database.
pub fn about(tx: &mut dyn Tx, subject: &str, before: u64, most: u32) -> Result<Vec<Kept>, DbError> {
    let rows = tx.run(
        "SELECT seq, at_ms, actor, action, subject, reason, detail, network, prev, hash FROM audit \
         WHERE subject = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3",
        &[subject.into(), before.into(), most.into()],
    )?;
    rows.iter().map(read).collect()
}

/// How many entries there are, and the hash of the last one.
///
/// # Errors
/// Of the database.
pub fn end(tx: &mut dyn Tx) -> Result<(u64, Hash), DbError> {
    let head = tx.run("SELECT seq, hash FROM audit_head WHERE one = 1", &[])?;
    let head = head.first().ok_or_else(|| DbError::Broken("the audit has no end".into()))?;
    Ok((head.count(0)?, hash_in(head, 1)?))
}

/// Goes through the whole chain. How many entries it has, or where it is broken.
///
/// # Errors
/// Of the database.
pub fn verify(tx: &mut dyn Tx) -> Result<Result<u64, Breach>, DbError> {
    let (end, end_hash) = end(tx)?;
    let (mut seq, mut prev) = (0, [0; 32]);
    loop {
        let rows = tx.run(
            "SELECT seq, at_ms, actor, action, subject, reason, detail, network, prev, hash FROM audit WHERE seq > $1 \
             ORDER BY seq LIMIT $2",
            &[seq.into(), PAGE.into()],
        )?;
        for row in &rows {
            let kept = read(row)?;
            seq += 1;
            if kept.seq != seq {
                return Ok(Err(Breach::Missing(seq)));
            }
            if seq > end {
                return Ok(Err(Breach::Beyond(end)));
            }
            if kept.prev != prev || kept.hash != hash_of(&prev, seq, &kept.entry) {
                return Ok(Err(Breach::Changed(seq)));
            }
            prev = kept.hash;
        }
        if rows.len() < PAGE as usize {
            break;
        }
    }
    Ok(if seq < end {
        Err(Breach::Missing(seq + 1))
    } else if prev != end_hash {
        Err(Breach::Changed(seq))
    } else {
        Ok(seq)
    })
}
