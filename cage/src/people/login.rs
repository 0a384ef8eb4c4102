//! A login: one device that is signed in, and the family of its refresh tokens, of which one is current.
//!
//! Presenting the current token moves on to the next. Presenting the one before within [`GRACE_MS`] gives the *same* next one: an answer may
//! be lost, and two tabs may ask at once. Whatever is older was used by two, of whom one stole it: the login ends.

use protocol::{id::UserId, time::UnixMs};

use crate::tx::{DbError, Row, Tx, Value};

/// How long the token before the current one gives the current one again.
pub const GRACE_MS: u64 = 30_000;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Logins of one person at most; beyond that the one that was used the longest ago ends.
pub const LOGINS_MAX: u32 = 20;

/// The longest description of a device, characters.
pub const AGENT_CHARS_MAX: usize = 200;

/// How somebody has signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Not at all: a guest.
    Guest,
    /// With a password.
    Password,
    /// With a link.
    Recovery,
    /// Elsewhere.
    Oidc,
}

impl How {
    /// As it is stored and told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Password => "password",
            Self::Recovery => "recovery",
            Self::Oidc => "oidc",
        }
    }

    /// How long a login lasts without being used, and at all.
    pub fn lasts_ms(self) -> (u64, u64) {
        match self {
            Self::Guest => (7 * DAY_MS, 30 * DAY_MS),
            Self::Password | Self::Recovery | Self::Oidc => (30 * DAY_MS, 180 * DAY_MS),
        }
    }
}

/// Why a login has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By its person.
    SignedOut,
    /// The password was changed elsewhere.
    Password,
    /// An older token came: somebody has a copy.
    Reuse,
    /// By staff.
    Staff,
    /// The person is gone.
    Gone,
    /// It was not used for too long, or is too old.
    Expired,
}

impl Ended {
    /// As it is stored and told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Password => "password",
            Self::Reuse => "reuse",
            Self::Staff => "staff",
            Self::Gone => "gone",
            Self::Expired => "expired",
        }
    }

    fn read(text: &str) -> Result<Self, DbError> {
        [Self::SignedOut, Self::Password, Self::Reuse, Self::Staff, Self::Gone, Self::Expired]
            .into_iter()
            .find(|why| why.as_str() == text)
            .ok_or_else(|| DbError::Broken("a login has ended for no known reason".into()))
    }
}

/// What stands in refresh tokens: random, and nobody is shown it.
pub type Key = [u8; 16];

/// A login that begins.
#[derive(Clone)]
pub struct NewLogin {
    /// Random; stands in its refresh tokens.
    pub key: Key,
    /// Random; what lists show, and the `sid` of access tokens.
    pub id: String,
    /// Whose.
    pub person: UserId,
    /// How.
    pub how: How,
    /// The network from which it came.
    pub network: String,
    /// What the device calls itself.
    pub agent: String,
}

/// A login, without what is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// What lists show; the `sid` of access tokens.
    pub id: String,
    /// Whose.
    pub person: UserId,
    /// How it began.
    pub how: String,
    /// When it began.
    pub created_ms: UnixMs,
    /// When it was used last.
    pub used_ms: UnixMs,
    /// When it ends if it is not used.
    pub expires_ms: UnixMs,
    /// The network from which it came.
    pub network: String,
    /// What the device calls itself.
    pub agent: String,
    /// When and why it ended, if it did.
    pub ended: Option<(UnixMs, Ended)>,
}

fn read(row: &Row) -> Result<Login, DbError> {
    let person =
        UserId::new(row.text(1)?).map_err(|_| DbError::Broken("a login's person is no name".into()))?;
    let why = row.maybe_text(9)?.map(|why| Ended::read(&why)).transpose()?;
    Ok(Login {
        id: row.text(0)?.into(),
        person,
        how: row.text(2)?.into(),
        created_ms: row.count(3)?,
        used_ms: row.count(4)?,
        expires_ms: row.count(5)?,
        network: row.text(6)?.into(),
        agent: row.text(7)?.into(),
        ended: row.maybe_count(8)?.zip(why),
    })
}

/// Begins a login; its first refresh token is of generation 0. Ids of logins that ended for it, because there were too many.
///
/// # Errors
/// Of the database.
pub fn begin(tx: &mut dyn Tx, login: &NewLogin, now: UnixMs) -> Result<Vec<String>, DbError> {
    let (idle_ms, _) = login.how.lasts_ms();
    let agent: String = login.agent.chars().filter(|c| !c.is_control()).take(AGENT_CHARS_MAX).collect();
    tx.run(
        "INSERT INTO login (id, public_id, person, how, rotated_ms, created_ms, expires_ms, network, agent) \
         VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8)",
        &[
            login.key.as_slice().into(),
            login.id.as_str().into(),
            login.person.as_str().into(),
            login.how.as_str().into(),
            now.into(),
            now.saturating_add(idle_ms).into(),
            login.network.as_str().into(),
            agent.into(),
        ],
    )?;
    let too_many = tx.run(
        "UPDATE login SET ended_ms = $2, ended_why = 'expired' WHERE ended_ms IS NULL AND public_id IN \
         (SELECT public_id FROM login WHERE person = $1 AND ended_ms IS NULL AND public_id <> $4 ORDER BY rotated_ms DESC, public_id \
          LIMIT 1000 OFFSET $3) RETURNING public_id",
        &[login.person.as_str().into(), now.into(), (LOGINS_MAX - 1).into(), login.id.as_str().into()],
    )?;
    ids(&too_many)
}

/// What came of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presented {
    /// The token of this generation is the current one, now or since a moment ago.
    Current(Login, u32),
    /// There is no such login: our key signed it, so it was in another database.
    Unknown,
    /// The login had ended.
    Ended(Ended),
    /// The token is older than can be explained: the login has just ended.
    Reused(Login),
}

/// Presents the refresh token of `generation`, whose seal was good.
///
/// # Errors
/// Of the database.
pub fn present(tx: &mut dyn Tx, key: &Key, generation: u32, now: UnixMs) -> Result<Presented, DbError> {
    let next = generation.saturating_add(1);
    let (guest_idle, guest_most) = How::Guest.lasts_ms();
    let (idle, most) = How::Password.lasts_ms();
    let rotated = tx.run(
        "UPDATE login SET generation = $3, rotated_ms = $4, expires_ms = CASE WHEN how = 'guest' \
           THEN CASE WHEN created_ms + $6 < $4 + $5 THEN created_ms + $6 ELSE $4 + $5 END \
           ELSE CASE WHEN created_ms + $8 < $4 + $7 THEN created_ms + $8 ELSE $4 + $7 END END \
         WHERE id = $1 AND generation = $2 AND ended_ms IS NULL AND expires_ms > $4 \
         RETURNING public_id, person, how, created_ms, rotated_ms, expires_ms, network, agent, ended_ms, ended_why",
        &[
            key.as_slice().into(),
            generation.into(),
            next.into(),
            now.into(),
            guest_idle.into(),
            guest_most.into(),
            idle.into(),
            most.into(),
        ],
    )?;
    if let Some(row) = rotated.first() {
        return Ok(Presented::Current(read(row)?, next));
    }
    let found = tx.run(
        "SELECT public_id, person, how, created_ms, rotated_ms, expires_ms, network, agent, ended_ms, ended_why, generation \
         FROM login WHERE id = $1 FOR UPDATE",
        &[key.as_slice().into()],
    )?;
    let Some(row) = found.first() else { return Ok(Presented::Unknown) };
    let login = read(row)?;
    if let Some((_, why)) = login.ended {
        return Ok(Presented::Ended(why));
    }
    if login.expires_ms <= now {
        end(tx, &login.person, &login.id, Ended::Expired, now)?;
        return Ok(Presented::Ended(Ended::Expired));
    }
    let current = row.int(10)?;
    if current == i64::from(next) && now <= login.used_ms.saturating_add(GRACE_MS) {
        return Ok(Presented::Current(login, next));
    }
    end(tx, &login.person, &login.id, Ended::Reuse, now)?;
    Ok(Presented::Reused(login))
}

/// The login of this id, if it is this person's and has not ended.
///
/// # Errors
/// Of the database.
pub fn open(tx: &mut dyn Tx, person: &UserId, id: &str, now: UnixMs) -> Result<Option<Login>, DbError> {
    Ok(of(tx, person, now)?.into_iter().find(|login| login.id == id))
}

/// The open logins of a person, the one that was used last first.
///
/// # Errors
/// Of the database.
pub fn of(tx: &mut dyn Tx, person: &UserId, now: UnixMs) -> Result<Vec<Login>, DbError> {
    let rows = tx.run(
        "SELECT public_id, person, how, created_ms, rotated_ms, expires_ms, network, agent, ended_ms, ended_why FROM login \
         WHERE person = $1 AND ended_ms IS NULL AND expires_ms > $2 ORDER BY rotated_ms DESC, public_id",
        &[person.as_str().into(), now.into()],
    )?;
    rows.iter().map(read).collect()
}

/// All logins of a person that are kept, those that have ended too.
///
/// # Errors
/// Of the database.
pub fn all_of(tx: &mut dyn Tx, person: &UserId) -> Result<Vec<Login>, DbError> {
    let rows = tx.run(
        "SELECT public_id, person, how, created_ms, rotated_ms, expires_ms, network, agent, ended_ms, ended_why FROM login \
         WHERE person = $1 ORDER BY created_ms, public_id",
        &[person.as_str().into()],
    )?;
    rows.iter().map(read).collect()
}

/// Ends a login. Whether it was open.
///
/// # Errors
/// Of the database.
pub fn end(tx: &mut dyn Tx, person: &UserId, id: &str, why: Ended, now: UnixMs) -> Result<bool, DbError> {
    let ended = tx.run(
        "UPDATE login SET ended_ms = $3, ended_why = $4 WHERE person = $1 AND public_id = $2 AND ended_ms IS NULL RETURNING public_id",
        &[person.as_str().into(), id.into(), now.into(), why.as_str().into()],
    )?;
    Ok(!ended.is_empty())
}

/// Ends all logins of a person but one, if one is to stay; their ids.
///
/// # Errors
/// Of the database.
pub fn end_all(
    tx: &mut dyn Tx,
    person: &UserId,
    but: Option<&str>,
    why: Ended,
    now: UnixMs,
) -> Result<Vec<String>, DbError> {
    let ended = tx.run(
        "UPDATE login SET ended_ms = $2, ended_why = $3 WHERE person = $1 AND public_id <> $4 AND ended_ms IS NULL \
         RETURNING public_id",
        &[person.as_str().into(), now.into(), why.as_str().into(), but.map_or(Value::from(""), Value::from)],
    )?;
    ids(&ended)
}

fn ids(rows: &[Row]) -> Result<Vec<String>, DbError> {
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

/// Logins that were ended after `since_ms`, whose each is; at most `most`.
///
/// # Errors
/// Of the database.
pub fn ended_since(tx: &mut dyn Tx, since_ms: UnixMs, most: u32) -> Result<Vec<(UserId, String)>, DbError> {
    let found = tx.run(
        "SELECT person, public_id FROM login WHERE ended_ms > $1 ORDER BY ended_ms DESC LIMIT $2",
        &[since_ms.into(), most.into()],
    )?;
    let whose = |row: &Row| {
        let person = UserId::new(row.text(0)?).map_err(|_| DbError::Broken("an id is none".into()))?;
        Ok((person, row.text(1)?.to_owned()))
    };
    found.iter().map(whose).collect()
}

/// Forgets where and with what somebody signed in, of logins that ended before `before_ms`; at most `most` of them. How many.
///
/// # Errors
/// Of the database.
pub fn forget_ended(tx: &mut dyn Tx, before_ms: UnixMs, most: u32) -> Result<usize, DbError> {
    let forgotten = tx.run(
        "DELETE FROM login WHERE public_id IN (SELECT public_id FROM login WHERE ended_ms < $1 OR expires_ms < $1 LIMIT $2) \
         RETURNING public_id",
        &[before_ms.into(), most.into()],
    )?;
    Ok(forgotten.len())
}

/// Forgets where and with what a person signed in, of all logins.
///
/// # Errors
/// Of the database.
pub fn blank(tx: &mut dyn Tx, person: &UserId) -> Result<(), DbError> {
    tx.run("UPDATE login SET network = '', agent = '' WHERE person = $1", &[person.as_str().into()]).map(drop)
}
