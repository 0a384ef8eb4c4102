//! What is signed of hands: all that were written down since the last time, under one root. See [`hands::checkpoint`].

use hands::{
    Hash, Name,
    checkpoint::{self, Checkpoint},
    merkle,
    witness::Salt,
};
use protocol::time::UnixMs;

use crate::{
    people::audit,
    tx::{DbError, Row, Tx},
};

/// Hands under one checkpoint at most; what is more comes under the next one, at once.
pub const HANDS_MAX: u32 = 50_000;

/// A checkpoint that is signed.
#[derive(Debug, Clone)]
pub struct Signed {
    /// What was stated, with its signature.
    pub stated: String,
    /// The name of the key.
    pub kid: String,
    /// The key's public half, as a JWKS.
    pub jwks: String,
}

/// A checkpoint, as it stands in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its number.
    pub n: u64,
    /// What was stated.
    pub stated: String,
}

/// What a hand was written down with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The secret of its players' cards.
    pub salt: Salt,
    /// What is signed of it.
    pub leaf: Hash,
    /// By which checkpoint; none yet.
    pub signed: Option<u64>,
}

fn hash(bytes: &[u8]) -> Result<Hash, DbError> {
    bytes.try_into().map_err(|_| DbError::Broken("a hash has not 32 bytes".into()))
}

/// Signs the hands that no checkpoint has yet; if there are some, and the last one is `every_ms` old, or was full. There is one checkpoint of a number,
/// however many sign.
///
/// # Errors
/// Of the database; [`DbError::Again`] when somebody was faster.
pub fn sign(
    tx: &mut dyn Tx,
    now: UnixMs,
    every_ms: u64,
    by: &dyn Fn(&Checkpoint) -> Signed,
) -> Result<Option<Checkpoint>, DbError> {
    let last = tx.run("SELECT n, at_ms, stated FROM checkpoint ORDER BY n DESC LIMIT 1", &[])?;
    let (last_n, prev) = match last.first() {
        Some(row) if row.count(1)?.saturating_add(every_ms) > now => return Ok(None),
        Some(row) => (row.count(0)?, checkpoint::hash(row.text(2)?)),
        None => (0, [0; 32]),
    };
    let n = last_n + 1;
    let rows = tx.run(
        "UPDATE hand SET signed = $1 WHERE (room, epoch, seq) IN \
         (SELECT room, epoch, seq FROM hand WHERE leaf IS NOT NULL AND signed IS NULL ORDER BY room, epoch, seq LIMIT $2) \
         AND signed IS NULL RETURNING leaf",
        &[n.into(), HANDS_MAX.into()],
    )?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut leaves = rows.iter().map(|row| hash(row.bytes(0)?)).collect::<Result<Vec<Hash>, DbError>>()?;
    leaves.sort_unstable();
    let (audit, audit_hash) = audit::end(tx)?;
    let (hands, bytes) = (leaves.len() as u64, leaves.concat());
    let root = merkle::Tree::over(leaves).root();
    let checkpoint = Checkpoint { n, at_ms: now, prev, root, hands, audit, audit_hash };
    let Signed { stated, kid, jwks } = by(&checkpoint);
    let written = tx.run(
        "INSERT INTO checkpoint (n, at_ms, stated, leaves) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING n",
        &[n.into(), now.into(), stated.into(), bytes.as_slice().into()],
    )?;
    if written.is_empty() {
        return Err(DbError::Again);
    }
    tx.run(
        "INSERT INTO checkpoint_key (kid, jwks) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        &[kid.into(), jwks.into()],
    )?;
    Ok(Some(checkpoint))
}

/// Checkpoints behind this one, the first first, at most `most`.
///
/// # Errors
/// Of the database.
pub fn list(tx: &mut dyn Tx, after: u64, most: u32) -> Result<Vec<Listed>, DbError> {
    let rows = tx.run(
        "SELECT n, stated FROM checkpoint WHERE n > $1 ORDER BY n LIMIT $2",
        &[after.into(), most.into()],
    )?;
    rows.iter().map(|row| Ok(Listed { n: row.count(0)?, stated: row.text(1)?.into() })).collect()
}

/// The public halves of all keys that ever signed one, each as a JWKS.
///
/// # Errors
/// Of the database.
pub fn keys(tx: &mut dyn Tx) -> Result<Vec<String>, DbError> {
    let rows = tx.run("SELECT jwks FROM checkpoint_key ORDER BY kid", &[])?;
    rows.iter().map(|row| Ok(row.text(0)?.into())).collect()
}

/// What was stated in a checkpoint, and the leaves under it: none where they are forgotten.
///
/// # Errors
/// Of the database.
pub fn leaves(tx: &mut dyn Tx, n: u64) -> Result<Option<(String, Vec<Hash>)>, DbError> {
    let rows =
        tx.run("SELECT stated, leaves FROM checkpoint WHERE n = $1 AND leaves IS NOT NULL", &[n.into()])?;
    let read = |row: &Row| {
        let leaves = row.bytes(1)?.chunks(32).map(hash).collect::<Result<Vec<Hash>, DbError>>()?;
        Ok((row.text(0)?.to_owned(), leaves))
    };
    rows.first().map(read).transpose()
}

/// What a hand was written down with; none if that was before anything was signed.
///
/// # Errors
/// Of the database.
pub fn witness(tx: &mut dyn Tx, Name { room, at }: &Name) -> Result<Option<Witness>, DbError> {
    let rows = tx.run(
        "SELECT salt, leaf, signed FROM hand WHERE room = $1 AND epoch = $2 AND seq = $3 AND leaf IS NOT NULL",
        &[room.as_str().into(), at.epoch().0.into(), at.seq().0.into()],
    )?;
    let read = |row: &Row| {
        Ok(Witness { salt: hash(row.bytes(0)?)?, leaf: hash(row.bytes(1)?)?, signed: row.maybe_count(2)? })
    };
    rows.first().map(read).transpose()
}

/// Forgets the leaves of checkpoints from before: their hands are.
///
/// # Errors
/// Of the database.
pub fn forget(tx: &mut dyn Tx, before: UnixMs) -> Result<(), DbError> {
    tx.run("UPDATE checkpoint SET leaves = NULL WHERE at_ms < $1 AND leaves IS NOT NULL", &[before.into()])
        .map(drop)
}
