//! Finding hands.

use hands::{HandRecord, Link, Name};
use protocol::{
    id::{Position, RoomId, UserId},
    time::UnixMs,
};

use super::Period;
use crate::tx::{DbError, Row, Tx, Value};

/// Where a hand stands among those of somebody: when it ended, and its name.
pub type Place = (UnixMs, Name);

/// Which hands of somebody.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// At this table.
    pub room: Option<RoomId>,
    /// In this game, such as `nlhe 1/2`.
    pub game: Option<String>,
    /// With so much in the pots or more.
    pub min_pot: u64,
    /// Ended then or later.
    pub from_ms: UnixMs,
    /// Ended before.
    pub to_ms: Option<UnixMs>,
    /// Behind this one in the order of the list: its end and its name.
    pub before: Option<Place>,
}

/// A hand of somebody's.
#[derive(Debug, Clone)]
pub struct Played {
    /// The hand.
    pub hand: Found,
    /// The game.
    pub game: String,
    /// What he won; below 0: lost.
    pub net: i64,
}

/// The hands of somebody, the latest first, at most `most`.
///
/// # Errors
/// Of the database.
pub fn of_player(tx: &mut dyn Tx, user: &UserId, filter: &Filter, most: u32) -> Result<Vec<Played>, DbError> {
    let (end, room, epoch, seq) = match &filter.before {
        Some((end, name)) => (*end, name.room.as_str(), name.at.epoch().0, name.at.seq().0),
        None => (filter.to_ms.unwrap_or(u64::MAX), "", 0, 0),
    };
    let to: Value = filter.to_ms.unwrap_or(u64::MAX).into();
    let rows = tx.run(
        "SELECT p.room, p.epoch, p.seq, h.record, p.void, h.link, h.open_ms, p.game, p.net \
         FROM hand_player p JOIN hand h ON h.room = p.room AND h.epoch = p.epoch AND h.seq = p.seq \
         WHERE p.person = $1 AND (p.ended_ms, p.room, p.epoch, p.seq) < ($2, $3, $4, $5) AND p.ended_ms >= $6 AND p.ended_ms < $7 \
         AND p.pot >= $8 AND ($9 = '' OR p.room = $9) AND ($10 = '' OR p.game = $10) \
         ORDER BY p.ended_ms DESC, p.room DESC, p.epoch DESC, p.seq DESC LIMIT $11",
        &[
            user.as_str().into(),
            end.into(),
            room.into(),
            epoch.into(),
            seq.into(),
            filter.from_ms.into(),
            to,
            filter.min_pot.into(),
            filter.room.as_ref().map_or("", RoomId::as_str).into(),
            filter.game.as_deref().unwrap_or("").into(),
            most.into(),
        ],
    )?;
    rows.iter().map(played).collect()
}

fn played(row: &Row) -> Result<Played, DbError> {
    Ok(Played { hand: found(row)?, game: row.text(7)?.into(), net: row.int(8)? })
}

/// The hands of somebody that count, the earliest first, at most `most`: behind one of them, if one is named, and up to another.
///
/// # Errors
/// Of the database.
pub fn from(
    tx: &mut dyn Tx,
    user: &UserId,
    period: Period,
    after: Option<&Place>,
    until: Option<&Place>,
    most: u32,
) -> Result<Vec<Found>, DbError> {
    let [person, from, to, ended, room, epoch, seq] = behind(user, period, after);
    let [until_ended, until_room, until_epoch, until_seq] = place(until, u64::MAX);
    let rows = tx.run(
        "SELECT p.room, p.epoch, p.seq, h.record, p.void, h.link, h.open_ms \
         FROM hand_player p JOIN hand h ON h.room = p.room AND h.epoch = p.epoch AND h.seq = p.seq \
         WHERE p.person = $1 AND p.ended_ms >= $2 AND p.ended_ms < $3 AND p.void = 0 \
         AND (p.ended_ms, p.room, p.epoch, p.seq) > ($4, $5, $6, $7) AND (p.ended_ms, p.room, p.epoch, p.seq) <= ($8, $9, $10, $11) \
         ORDER BY p.ended_ms, p.room, p.epoch, p.seq LIMIT $12",
        &[
            person,
            from,
            to,
            ended,
            room,
            epoch,
            seq,
            until_ended,
            until_room,
            until_epoch,
            until_seq,
            most.into(),
        ],
    )?;
    rows.iter().map(found).collect()
}

/// All hands that count and ended before, the earliest first, at most `most`: behind one of them, if one is named.
///
/// # Errors
/// Of the database.
pub fn of_all(
    tx: &mut dyn Tx,
    before_ms: UnixMs,
    after: Option<&Place>,
    most: u32,
) -> Result<Vec<Found>, DbError> {
    let [ended, room, epoch, seq] = place(after, 0);
    let rows = tx.run(
        "SELECT room, epoch, seq, record, void, link, open_ms FROM hand WHERE void = 0 AND ended_ms < $1 AND ended_ms >= $2 \
         AND (ended_ms, room, epoch, seq) > ($2, $3, $4, $5) ORDER BY ended_ms, room, epoch, seq LIMIT $6",
        &[before_ms.into(), ended, room, epoch, seq, most.into()],
    )?;
    rows.iter().map(found).collect()
}

/// All hands that count, in the order in which they were written down, at most `most`: behind this number, each with its own. One that ended less than
/// `before_ms` ends the list, as those behind it are told after it.
///
/// # Errors
/// Of the database.
pub fn kept_behind(
    tx: &mut dyn Tx,
    before_ms: UnixMs,
    number: u64,
    most: u32,
) -> Result<Vec<(u64, Found)>, DbError> {
    let rows = tx.run(
        "SELECT room, epoch, seq, record, void, link, open_ms, kept, ended_ms FROM hand WHERE kept > $1 AND void = 0 ORDER BY kept LIMIT $2",
        &[number.into(), most.into()],
    )?;
    let mut hands = Vec::with_capacity(rows.len());
    for row in &rows {
        if row.count(8)? >= before_ms {
            break;
        }
        hands.push((row.count(7)?, found(row)?));
    }
    Ok(hands)
}

/// The number to go on behind for who has read up to a place among all hands in the order of their ends, as releases before have told them.
///
/// # Errors
/// Of the database.
pub fn number_at(tx: &mut dyn Tx, told: &Place) -> Result<u64, DbError> {
    let [ended, room, epoch, seq] = place(Some(told), 0);
    let itself = tx.run(
        "SELECT kept FROM hand WHERE room = $1 AND epoch = $2 AND seq = $3",
        &[room.clone(), epoch.clone(), seq.clone()],
    )?;
    if let Some(row) = itself.first() {
        return row.count(0);
    }
    // It is forgotten: with the first of those behind it.
    let behind = tx.run(
        "SELECT COALESCE(MIN(kept) - 1, (SELECT last FROM hand_number WHERE id = 1)) FROM hand \
         WHERE ended_ms >= $1 AND (ended_ms, room, epoch, seq) > ($1, $2, $3, $4)",
        &[ended, room, epoch, seq],
    )?;
    behind.first().map_or(Ok(0), |row| row.count(0))
}

/// The last of so many of the same hands, if there are more behind it.
///
/// # Errors
/// Of the database.
pub fn end_of_page(
    tx: &mut dyn Tx,
    user: &UserId,
    period: Period,
    after: Option<&Place>,
    most: u32,
) -> Result<Option<Place>, DbError> {
    let [person, from, to, ended, room, epoch, seq] = behind(user, period, after);
    let rows = tx.run(
        "SELECT room, epoch, seq, ended_ms FROM hand_player WHERE person = $1 AND ended_ms >= $2 AND ended_ms < $3 AND void = 0 \
         AND (ended_ms, room, epoch, seq) > ($4, $5, $6, $7) ORDER BY ended_ms, room, epoch, seq LIMIT 2 OFFSET $8",
        &[person, from, to, ended, room, epoch, seq, most.saturating_sub(1).into()],
    )?;
    match &rows[..] {
        [last, _] => Ok(Some((last.count(3)?, name(last)?))),
        _ => Ok(None),
    }
}

fn behind(user: &UserId, period: Period, after: Option<&Place>) -> [Value; 7] {
    let [ended, room, epoch, seq] = place(after, 0);
    [user.as_str().into(), period.from_ms.into(), period.to_ms.into(), ended, room, epoch, seq]
}

/// A place; or the one before all that end at `none_ms`.
fn place(place: Option<&Place>, none_ms: UnixMs) -> [Value; 4] {
    match place {
        Some((ended_ms, Name { room, at })) => {
            [(*ended_ms).into(), room.as_str().into(), at.epoch().0.into(), at.seq().0.into()]
        }
        None => [none_ms.into(), "".into(), 0_u64.into(), 0_u64.into()],
    }
}

fn name(row: &Row) -> Result<Name, DbError> {
    let room = RoomId::new(row.text(0)?).map_err(|_| DbError::Broken("a room has no name".into()))?;
    Ok(Name { room, at: Position::new(row.count(1)?, row.count(2)?) })
}

/// A hand that was written down.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its name.
    pub name: Name,
    /// The hand.
    pub record: HandRecord,
    /// The broker has lost it: it does not count.
    pub is_void: bool,
    /// By what it is shared; none yet of a hand that a release before has written down.
    pub link: Option<Link>,
    /// Before this only those may see it who have played it.
    pub open_ms: UnixMs,
}

fn found(row: &Row) -> Result<Found, DbError> {
    let record = HandRecord::read(row.bytes(3)?);
    let record = record.map_err(|error| DbError::Broken(format!("a hand does not read: {error}")))?;
    let link = match row.maybe_bytes(5)? {
        Some(bytes) => {
            Some(Link(bytes.try_into().map_err(|_| DbError::Broken("a link has another length".into()))?))
        }
        None => None,
    };
    Ok(Found { name: name(row)?, record, is_void: row.int(4)? == 1, link, open_ms: row.count(6)? })
}

/// The hand of this name.
///
/// # Errors
/// Of the database.
pub fn one(tx: &mut dyn Tx, Name { room, at }: &Name) -> Result<Option<Found>, DbError> {
    let rows = tx.run(
        "SELECT room, epoch, seq, record, void, link, open_ms FROM hand WHERE room = $1 AND epoch = $2 AND seq = $3",
        &[room.as_str().into(), at.epoch().0.into(), at.seq().0.into()],
    )?;
    rows.first().map(found).transpose()
}

/// The last hands of a table that count and that everybody may see by now, the latest first, at most `most`.
///
/// # Errors
/// Of the database.
pub fn of_table(tx: &mut dyn Tx, room: &RoomId, now_ms: UnixMs, most: u32) -> Result<Vec<Found>, DbError> {
    let rows = tx.run(
        "SELECT room, epoch, seq, record, void, link, open_ms FROM hand WHERE room = $1 AND void = 0 AND open_ms <= $2 ORDER BY epoch DESC, seq DESC LIMIT $3",
        &[room.as_str().into(), now_ms.into(), most.into()],
    )?;
    rows.iter().map(found).collect()
}

/// Whether there is any.
///
/// # Errors
/// Of the database.
pub fn any(tx: &mut dyn Tx) -> Result<bool, DbError> {
    Ok(!tx.run("SELECT seq FROM hand LIMIT 1", &[])?.is_empty())
}

/// The hand that is shared by this link.
///
/// # Errors
/// Of the database.
pub fn by_link(tx: &mut dyn Tx, link: Link) -> Result<Option<Found>, DbError> {
    let rows = tx.run(
        "SELECT room, epoch, seq, record, void, link, open_ms FROM hand WHERE link = $1",
        &[link.0.as_slice().into()],
    )?;
    rows.first().map(found).transpose()
}

/// By what a hand is shared: from the first time on by the same.
///
/// # Errors
/// Of the database.
pub fn share(tx: &mut dyn Tx, Name { room, at }: &Name) -> Result<Option<Link>, DbError> {
    let name: [Value; 3] = [room.as_str().into(), at.epoch().0.into(), at.seq().0.into()];
    let [room, epoch, seq] = name.clone();
    tx.run(
        "UPDATE hand SET link = $4 WHERE room = $1 AND epoch = $2 AND seq = $3 AND link IS NULL",
        &[room, epoch, seq, Link::random().0.as_slice().into()],
    )?;
    let rows = tx.run(
        "SELECT room, epoch, seq, record, void, link, open_ms FROM hand WHERE room = $1 AND epoch = $2 AND seq = $3",
        &name,
    )?;
    Ok(rows.first().map(found).transpose()?.and_then(|found| found.link))
}

/// Whether whoever has a hand's name may see it: it is one of the last so many of its table that everybody may see by now, or one of a release before,
/// which shared hands by their names.
///
/// # Errors
/// Of the database.
pub fn is_open(
    tx: &mut dyn Tx,
    Name { room, at }: &Name,
    now_ms: UnixMs,
    among: u32,
) -> Result<bool, DbError> {
    let old = tx.run(
        "SELECT seq FROM hand WHERE room = $1 AND epoch = $2 AND seq = $3 AND leaf IS NULL",
        &[room.as_str().into(), at.epoch().0.into(), at.seq().0.into()],
    )?;
    if !old.is_empty() {
        return Ok(true);
    }
    let later = tx.run(
        "SELECT epoch FROM hand WHERE room = $1 AND (epoch, seq) > ($2, $3) AND void = 0 AND open_ms <= $4 ORDER BY epoch, seq LIMIT $5",
        &[room.as_str().into(), at.epoch().0.into(), at.seq().0.into(), now_ms.into(), among.into()],
    )?;
    Ok(later.len() < among as usize)
}

/// The names of the hands before and behind one in the list of somebody who has played it.
///
/// # Errors
/// Of the database.
pub fn beside(
    tx: &mut dyn Tx,
    user: &UserId,
    (ended_ms, Name { room, at }): &Place,
) -> Result<[Option<Name>; 2], DbError> {
    let place: [Value; 5] = [
        user.as_str().into(),
        (*ended_ms).into(),
        room.as_str().into(),
        at.epoch().0.into(),
        at.seq().0.into(),
    ];
    let before = tx.run(
        "SELECT room, epoch, seq FROM hand_player WHERE person = $1 AND (ended_ms, room, epoch, seq) < ($2, $3, $4, $5) \
         ORDER BY ended_ms DESC, room DESC, epoch DESC, seq DESC LIMIT 1",
        &place,
    )?;
    let behind = tx.run(
        "SELECT room, epoch, seq FROM hand_player WHERE person = $1 AND (ended_ms, room, epoch, seq) > ($2, $3, $4, $5) \
         ORDER BY ended_ms, room, epoch, seq LIMIT 1",
        &place,
    )?;
    Ok([before.first().map(name).transpose()?, behind.first().map(name).transpose()?])
}
