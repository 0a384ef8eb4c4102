//! Guests and members. A guest becomes a member and stays who he is; who is gone leaves an id that nobody gets again.

use std::collections::BTreeSet;

use protocol::{
    id::UserId,
    text::{Looks, PlayerName},
    time::UnixMs,
};

use crate::tx::{DbError, Row, Tx, Value};

/// A member may change the nick so long after the last change.
pub const NICK_KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

/// Who has an account, and who has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Known by a browser or program alone.
    Guest,
    /// With a handle.
    Member,
}

impl Kind {
    /// As it is stored and told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Member => "member",
        }
    }
}

/// A person, without what is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The `sub` of tokens.
    pub id: UserId,
    /// With an account or not.
    pub kind: Kind,
    /// Deleted: nothing but the id is left.
    pub gone: bool,
    /// What others see.
    pub nick: String,
    /// What a member signs in with.
    pub handle: Option<String>,
    /// Bits of what staff may do.
    pub roles: u32,
    /// Access tokens made before are void.
    pub tokens_from_ms: UnixMs,
    /// When the nick was changed last; 0: never.
    pub nick_changed_ms: UnixMs,
    /// Since when there is this person.
    pub created_ms: UnixMs,
    /// When a token was last given out.
    pub seen_ms: UnixMs,
}

const BY_ID: &str = "SELECT id, kind, status, nick, handle, roles, tokens_from_ms, nick_changed_ms, created_ms, seen_ms \
                     FROM person WHERE id = $1";

fn read(row: &Row) -> Result<Person, DbError> {
    let id = UserId::new(row.text(0)?).map_err(|_| DbError::Broken("a person's id is no name".into()))?;
    Ok(Person {
        id,
        kind: if row.text(1)? == "member" { Kind::Member } else { Kind::Guest },
        gone: row.text(2)? == "gone",
        nick: row.text(3)?.into(),
        handle: row.maybe_text(4)?,
        roles: u32::try_from(row.int(5)?).map_err(|_| DbError::Broken("roles are 32 bits".into()))?,
        tokens_from_ms: row.count(6)?,
        nick_changed_ms: row.count(7)?,
        created_ms: row.count(8)?,
        seen_ms: row.count(9)?,
    })
}

fn one(rows: &[Row]) -> Result<Option<Person>, DbError> {
    rows.first().map(read).transpose()
}

/// The person of this id.
///
/// # Errors
/// Of the database.
pub fn by_id(tx: &mut dyn Tx, id: &UserId) -> Result<Option<Person>, DbError> {
    one(&tx.run(BY_ID, &[id.as_str().into()])?)
}

/// Somebody who signs in, and the password's hash (a PHC string) if there is a password.
pub struct Credentials {
    /// Who.
    pub person: Person,
    /// What the password is checked with.
    pub hash: Option<String>,
}

/// Who signs in with this handle.
///
/// # Errors
/// Of the database.
pub fn by_handle(tx: &mut dyn Tx, handle: &str) -> Result<Option<Credentials>, DbError> {
    let rows = tx.run(
        "SELECT id, kind, status, nick, handle, roles, tokens_from_ms, nick_changed_ms, created_ms, seen_ms, password \
         FROM person WHERE handle = $1",
        &[handle.into()],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Credentials { person: read(row)?, hash: row.maybe_text(10)? }))
}

/// The password's hash of a person.
///
/// # Errors
/// Of the database.
pub fn hash(tx: &mut dyn Tx, id: &UserId) -> Result<Option<String>, DbError> {
    let rows = tx.run("SELECT password FROM person WHERE id = $1", &[id.as_str().into()])?;
    rows.first().map_or(Ok(None), |row| row.maybe_text(0))
}

/// Ids that are asked for at once.
const ASKED_AT_ONCE: usize = 8;

/// Which of these are gone.
///
/// # Errors
/// Of the database.
pub fn gone_of<'a>(
    tx: &mut dyn Tx,
    ids: impl IntoIterator<Item = &'a UserId>,
) -> Result<BTreeSet<UserId>, DbError> {
    let ids: Vec<&UserId> = ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    let mut gone = BTreeSet::new();
    for some in ids.chunks(ASKED_AT_ONCE) {
        let mut values: Vec<Value> = some.iter().map(|id| id.as_str().into()).collect();
        // Nobody is called so.
        values.resize(ASKED_AT_ONCE, "".into());
        let rows = tx.run(
            "SELECT id FROM person WHERE status = 'gone' AND id IN ($1, $2, $3, $4, $5, $6, $7, $8)",
            &values,
        )?;
        for row in &rows {
            gone.insert(UserId::new(row.text(0)?).map_err(|_| DbError::Broken("an id is none".into()))?);
        }
    }
    Ok(gone)
}

/// A new guest. One who is there already stays as he is.
///
/// # Errors
/// Of the database.
pub fn new_guest(tx: &mut dyn Tx, id: &UserId, nick: &PlayerName, now: UnixMs) -> Result<(), DbError> {
    tx.run(
        "INSERT INTO person (id, kind, nick, created_ms, seen_ms) VALUES ($1, 'guest', $2, $3, $3) \
         ON CONFLICT (id) DO NOTHING",
        &[id.as_str().into(), nick.as_str().into(), now.into()],
    )
    .map(drop)
}

/// What makes a member of somebody.
pub struct Membership {
    /// To sign in with, in small letters.
    pub handle: String,
    /// What others see.
    pub nick: PlayerName,
    /// The password's hash as a PHC string; none where the password is yet to be set by a link.
    pub hash: Option<String>,
}

impl Membership {
    fn values(&self, id: &UserId, now: UnixMs) -> [Value; 7] {
        let [skeleton, shape] = looks(&self.nick);
        [
            id.as_str().into(),
            self.nick.as_str().into(),
            skeleton,
            shape,
            self.handle.as_str().into(),
            self.hash.clone().into(),
            now.into(),
        ]
    }
}

fn looks(nick: &PlayerName) -> [Value; 2] {
    Looks::from(nick).into_forms().map(Value::from)
}

/// A new member.
///
/// # Errors
/// [`DbError::Unique`] with `handle` or `nick` in it when somebody has one that is the same or looks alike.
pub fn new_member(tx: &mut dyn Tx, id: &UserId, as_: &Membership, now: UnixMs) -> Result<(), DbError> {
    tx.run(
        "INSERT INTO person (id, kind, nick, nick_skeleton, nick_shape, handle, password, created_ms, seen_ms) \
         VALUES ($1, 'member', $2, $3, $4, $5, $6, $7, $7)",
        &as_.values(id, now),
    )
    .map(drop)
}

/// Makes a member of a guest, who stays who he is. Whether there was such a guest.
///
/// # Errors
/// As for [`new_member`].
pub fn upgrade(tx: &mut dyn Tx, id: &UserId, as_: &Membership, now: UnixMs) -> Result<bool, DbError> {
    let changed = tx.run(
        "UPDATE person SET kind = 'member', nick = $2, nick_skeleton = $3, nick_shape = $4, handle = $5, password = $6, seen_ms = $7 \
         WHERE id = $1 AND kind = 'guest' AND status = 'active' RETURNING id",
        &as_.values(id, now),
    )?;
    Ok(!changed.is_empty())
}

/// Changes a nick that was not changed for [`NICK_KEPT_MS`]; guests change theirs as they like. Whether it was changed.
///
/// # Errors
/// As for [`new_member`].
pub fn change_nick(tx: &mut dyn Tx, id: &UserId, nick: &PlayerName, now: UnixMs) -> Result<bool, DbError> {
    let Some(person) = by_id(tx, id)? else { return Ok(false) };
    let [skeleton, shape] = match person.kind {
        Kind::Member => looks(nick),
        Kind::Guest => [Value::Null, Value::Null],
    };
    let changed = tx.run(
        "UPDATE person SET nick = $2, nick_skeleton = $3, nick_shape = $4, nick_changed_ms = $5 \
         WHERE id = $1 AND status = 'active' AND (kind = 'guest' OR nick_changed_ms <= $6) RETURNING id",
        &[
            id.as_str().into(),
            nick.as_str().into(),
            skeleton,
            shape,
            now.into(),
            now.saturating_sub(NICK_KEPT_MS).into(),
        ],
    )?;
    Ok(!changed.is_empty())
}

/// Puts another password's hash (a PHC string) in the place of a member's.
///
/// # Errors
/// Of the database.
pub fn set_password(tx: &mut dyn Tx, id: &UserId, hash: &str) -> Result<bool, DbError> {
    let changed = tx.run(
        "UPDATE person SET password = $2 WHERE id = $1 AND kind = 'member' AND status = 'active' RETURNING id",
        &[id.as_str().into(), hash.into()],
    )?;
    Ok(!changed.is_empty())
}

/// Gives a member these roles instead of the others.
///
/// # Errors
/// Of the database.
pub fn set_roles(tx: &mut dyn Tx, id: &UserId, roles: u32) -> Result<bool, DbError> {
    let changed = tx.run(
        "UPDATE person SET roles = $2 WHERE id = $1 AND kind = 'member' AND status = 'active' RETURNING id",
        &[id.as_str().into(), roles.into()],
    )?;
    Ok(!changed.is_empty())
}

/// Makes access tokens from before `now` void.
///
/// # Errors
/// Of the database.
pub fn void_tokens(tx: &mut dyn Tx, id: &UserId, now: UnixMs) -> Result<(), DbError> {
    tx.run(
        "UPDATE person SET tokens_from_ms = $2 WHERE id = $1 AND tokens_from_ms < $2",
        &[id.as_str().into(), now.into()],
    )
    .map(drop)
}

/// People whose tokens were made void after `since_ms`; at most `most`.
///
/// # Errors
/// Of the database.
pub fn voided_since(tx: &mut dyn Tx, since_ms: UnixMs, most: u32) -> Result<Vec<UserId>, DbError> {
    let found = tx.run(
        "SELECT id FROM person WHERE tokens_from_ms > $1 ORDER BY tokens_from_ms DESC LIMIT $2",
        &[since_ms.into(), most.into()],
    )?;
    let id = |row: &Row| UserId::new(row.text(0)?).map_err(|_| DbError::Broken("an id is none".into()));
    found.iter().map(id).collect()
}

/// A token was given out.
///
/// # Errors
/// Of the database.
pub fn seen(tx: &mut dyn Tx, id: &UserId, now: UnixMs) -> Result<(), DbError> {
    tx.run("UPDATE person SET seen_ms = $2 WHERE id = $1 AND seen_ms < $2", &[id.as_str().into(), now.into()])
        .map(drop)
}

/// Takes everything from a person but the id.
///
/// # Errors
/// Of the database.
pub fn forget(tx: &mut dyn Tx, id: &UserId, now: UnixMs) -> Result<bool, DbError> {
    let changed = tx.run(
        "UPDATE person SET status = 'gone', nick = '-', nick_skeleton = NULL, nick_shape = NULL, handle = NULL, password = NULL, \
         roles = 0, tokens_from_ms = CASE WHEN tokens_from_ms > $2 THEN tokens_from_ms ELSE $2 END \
         WHERE id = $1 AND status = 'active' RETURNING id",
        &[id.as_str().into(), now.into()],
    )?;
    Ok(!changed.is_empty())
}

/// People whose id or handle is this, or whose nick looks like it; for staff. At most `most`.
///
/// # Errors
/// Of the database.
pub fn find(tx: &mut dyn Tx, text: &str, most: u32) -> Result<Vec<Person>, DbError> {
    let [skeleton, shape] = Looks::of(text).into_forms();
    let rows = tx.run(
        "SELECT id, kind, status, nick, handle, roles, tokens_from_ms, nick_changed_ms, created_ms, seen_ms FROM person \
         WHERE id = $1 OR handle = $2 OR nick = $1 OR nick_skeleton = $3 OR nick_shape = $4 ORDER BY seen_ms DESC LIMIT $5",
        &[text.into(), text.to_lowercase().into(), skeleton.into(), shape.into(), most.into()],
    )?;
    rows.iter().map(read).collect()
}

/// Whether any member has all of these roles.
///
/// # Errors
/// Of the database.
pub fn others_with_roles(tx: &mut dyn Tx, but: &UserId, roles: u32) -> Result<bool, DbError> {
    let rows = tx.run(
        "SELECT id FROM person WHERE id <> $1 AND status = 'active' AND (roles & $2) = $2 LIMIT 1",
        &[but.as_str().into(), roles.into()],
    )?;
    Ok(!rows.is_empty())
}
