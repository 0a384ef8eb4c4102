//! What was taken from somebody: by staff (ban, mute), who may lift it, or by himself (self-exclusion), which nobody lifts early.

use protocol::{id::UserId, time::UnixMs};

use crate::tx::{DbError, Row, Tx};

/// What is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Everything: no token is given.
    Ban,
    /// Talking.
    Mute,
    /// Playing, by one's own wish.
    SelfExclusion,
}

impl Kind {
    /// As it is stored and told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ban => "ban",
            Self::Mute => "mute",
            Self::SelfExclusion => "self_exclusion",
        }
    }

    fn read(text: &str) -> Result<Self, DbError> {
        [Self::Ban, Self::Mute, Self::SelfExclusion]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| DbError::Broken("there is no such kind of sanction".into()))
    }
}

/// A sanction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sanction {
    /// Its name.
    pub id: String,
    /// Whose.
    pub person: UserId,
    /// What is taken.
    pub kind: Kind,
    /// Since when.
    pub from_ms: UnixMs,
    /// Until when; none: until it is lifted.
    pub until_ms: Option<UnixMs>,
    /// Why.
    pub reason: String,
    /// Who imposed it.
    pub by: UserId,
    /// When it was lifted, if it was.
    pub lifted_ms: Option<UnixMs>,
}

impl Sanction {
    /// Whether it holds at a time.
    pub fn holds(&self, now: UnixMs) -> bool {
        self.lifted_ms.is_none() && self.until_ms.is_none_or(|until| until > now)
    }
}

fn read(row: &Row) -> Result<Sanction, DbError> {
    let name = |column| {
        UserId::new(row.text(column)?).map_err(|_| DbError::Broken("a person's id is no name".into()))
    };
    Ok(Sanction {
        id: row.text(0)?.into(),
        person: name(1)?,
        kind: Kind::read(row.text(2)?)?,
        from_ms: row.count(3)?,
        until_ms: row.maybe_count(4)?,
        reason: row.text(5)?.into(),
        by: name(6)?,
        lifted_ms: row.maybe_count(7)?,
    })
}

/// Imposes a sanction.
///
/// # Errors
/// [`DbError::Refused`] when it is none: without a reason, over before it begins, or an exclusion by somebody else.
pub fn impose(tx: &mut dyn Tx, sanction: &Sanction) -> Result<(), DbError> {
    tx.run(
        "INSERT INTO sanction (id, person, kind, from_ms, until_ms, reason, by_whom) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            sanction.id.as_str().into(),
            sanction.person.as_str().into(),
            sanction.kind.as_str().into(),
            sanction.from_ms.into(),
            sanction.until_ms.into(),
            sanction.reason.as_str().into(),
            sanction.by.as_str().into(),
        ],
    )
    .map(drop)
}

/// Lifts a sanction that staff may lift. The person, if it held.
///
/// # Errors
/// [`DbError::Refused`] for a self-exclusion.
pub fn lift(tx: &mut dyn Tx, id: &str, by: &UserId, now: UnixMs) -> Result<Option<UserId>, DbError> {
    let lifted = tx.run(
        "UPDATE sanction SET lifted_ms = $3, lifted_by = $2 WHERE id = $1 AND lifted_ms IS NULL RETURNING person",
        &[id.into(), by.as_str().into(), now.into()],
    )?;
    let Some(row) = lifted.first() else { return Ok(None) };
    UserId::new(row.text(0)?).map(Some).map_err(|_| DbError::Broken("a person's id is no name".into()))
}

/// The sanction of this name.
///
/// # Errors
/// Of the database.
pub fn by_id(tx: &mut dyn Tx, id: &str) -> Result<Option<Sanction>, DbError> {
    let rows = tx.run(
        "SELECT id, person, kind, from_ms, until_ms, reason, by_whom, lifted_ms FROM sanction WHERE id = $1",
        &[id.into()],
    )?;
    rows.first().map(read).transpose()
}

/// All sanctions of a person, also those that are over.
///
/// # Errors
/// Of the database.
pub fn all_of(tx: &mut dyn Tx, person: &UserId) -> Result<Vec<Sanction>, DbError> {
    let rows = tx.run(
        "SELECT id, person, kind, from_ms, until_ms, reason, by_whom, lifted_ms FROM sanction WHERE person = $1 \
         ORDER BY from_ms, id",
        &[person.as_str().into()],
    )?;
    rows.iter().map(read).collect()
}

/// Those that hold now.
///
/// # Errors
/// Of the database.
pub fn that_hold(tx: &mut dyn Tx, person: &UserId, now: UnixMs) -> Result<Vec<Sanction>, DbError> {
    Ok(all_of(tx, person)?.into_iter().filter(|sanction| sanction.holds(now)).collect())
}
