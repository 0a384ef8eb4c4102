//! What people report of each other, for staff to look at and to close. Whoever reports has one open report about somebody in a room: what
//! he says first stays, and a second one is none.

use protocol::{
    id::{RoomId, UserId},
    time::UnixMs,
};

use crate::tx::{DbError, Row, Tx};

/// New reports of one person within [`OFTEN_MS`].
pub const OFTEN_MAX: u32 = 10;

/// A day, in milliseconds.
pub const OFTEN_MS: u64 = 24 * 60 * 60 * 1_000;

/// What is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What somebody says.
    ChatAbuse,
    /// What somebody calls himself.
    Name,
    /// Playing together against others.
    Collusion,
    /// Taking all the time there is, to annoy.
    SlowPlay,
    /// What the words say.
    Other,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::ChatAbuse, Self::Name, Self::Collusion, Self::SlowPlay, Self::Other];

    /// As it is stored and told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChatAbuse => "chat_abuse",
            Self::Name => "name",
            Self::Collusion => "collusion",
            Self::SlowPlay => "slow_play",
            Self::Other => "other",
        }
    }

    fn read(text: &str) -> Result<Self, DbError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| DbError::Broken("there is no such kind of report".into()))
    }
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its name.
    pub id: String,
    /// Who reports.
    pub reporter: UserId,
    /// Whom.
    pub reported: UserId,
    /// In which room, as the reporter says.
    pub room: RoomId,
    /// What.
    pub kind: Kind,
    /// In the reporter's words; may be empty.
    pub words: String,
    /// When.
    pub at_ms: UnixMs,
    /// How it was closed, if it was.
    pub closed: Option<Closed>,
}

/// That a report was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// When.
    pub at_ms: UnixMs,
    /// By whom.
    pub by: UserId,
    /// What was found.
    pub why: String,
}

/// What became of a report that somebody wants to file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filed {
    /// Staff sees it.
    Taken,
    /// There is an open one of the same person about the same person in the same room.
    Known,
    /// The reporter has filed too many; the next one is taken then.
    TooMany(UnixMs),
}

/// Which reports staff wants to see.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// About this person alone.
    pub reported: Option<UserId>,
    /// Those that are closed, and not those that are open.
    pub closed: bool,
    /// After the report of this time and name.
    pub after: Option<(UnixMs, String)>,
}

/// A report, and what those are called now of whom it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// It.
    pub report: Report,
    /// What the reporter is called.
    pub reporter_nick: String,
    /// What the reported person is called.
    pub reported_nick: String,
}

fn read(row: &Row) -> Result<Report, DbError> {
    let name = |column| {
        UserId::new(row.text(column)?).map_err(|_| DbError::Broken("a person's id is no name".into()))
    };
    let closed = match row.maybe_count(7)? {
        Some(at_ms) => Some(Closed { at_ms, by: name(8)?, why: row.text(9)?.into() }),
        None => None,
    };
    Ok(Report {
        id: row.text(0)?.into(),
        reporter: name(1)?,
        reported: name(2)?,
        room: RoomId::new(row.text(3)?).map_err(|_| DbError::Broken("a room's id is no name".into()))?,
        kind: Kind::read(row.text(4)?)?,
        words: row.text(5)?.into(),
        at_ms: row.count(6)?,
        closed,
    })
}

/// Files a report.
///
/// # Errors
/// [`DbError::Refused`] when somebody reports himself.
pub fn file(tx: &mut dyn Tx, report: &Report) -> Result<Filed, DbError> {
    // Whoever reports holds his own row, until it is committed: two at once do not both find room for one more.
    tx.run("UPDATE person SET seen_ms = seen_ms WHERE id = $1", &[report.reporter.as_str().into()])?;
    let open = tx.run(
        "SELECT id FROM report WHERE reporter = $1 AND reported = $2 AND room = $3 AND closed_ms IS NULL",
        &[report.reporter.as_str().into(), report.reported.as_str().into(), report.room.as_str().into()],
    )?;
    if !open.is_empty() {
        return Ok(Filed::Known);
    }
    let lately = tx.run(
        "SELECT at_ms FROM report WHERE reporter = $1 AND at_ms > $2 ORDER BY at_ms DESC LIMIT $3",
        &[report.reporter.as_str().into(), report.at_ms.saturating_sub(OFTEN_MS).into(), OFTEN_MAX.into()],
    )?;
    if let Some(oldest) = lately.get(OFTEN_MAX as usize - 1) {
        return Ok(Filed::TooMany(oldest.count(0)?.saturating_add(OFTEN_MS)));
    }
    tx.run(
        "INSERT INTO report (id, reporter, reported, room, kind, words, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            report.id.as_str().into(),
            report.reporter.as_str().into(),
            report.reported.as_str().into(),
            report.room.as_str().into(),
            report.kind.as_str().into(),
            report.words.as_str().into(),
            report.at_ms.into(),
        ],
    )?;
    Ok(Filed::Taken)
}

/// The report of this name.
///
/// # Errors
/// Of the database.
pub fn by_id(tx: &mut dyn Tx, id: &str) -> Result<Option<Report>, DbError> {
    let rows = tx.run(
        "SELECT id, reporter, reported, room, kind, words, at_ms, closed_ms, closed_by, closed_why FROM report WHERE id = $1",
        &[id.into()],
    )?;
    rows.first().map(read).transpose()
}

/// Reports for somebody of staff, the oldest first, at most `most`: none about himself, and those about others of staff only
/// where `with_staff` says so.
///
/// # Errors
/// Of the database.
pub fn list(
    tx: &mut dyn Tx,
    wanted: &Wanted,
    reader: &UserId,
    with_staff: bool,
    most: u32,
) -> Result<Vec<Listed>, DbError> {
    let reported = wanted.reported.as_ref().map_or("", UserId::as_str);
    let (after_ms, after) = wanted.after.clone().unwrap_or_default();
    let rows = tx.run(
        "SELECT r.id, r.reporter, r.reported, r.room, r.kind, r.words, r.at_ms, r.closed_ms, r.closed_by, r.closed_why, \
         a.nick, b.nick FROM report r JOIN person a ON a.id = r.reporter JOIN person b ON b.id = r.reported \
         WHERE (r.closed_ms IS NOT NULL) = ($1 = 1) AND ($2 = '' OR r.reported = $2) \
         AND (r.at_ms > $3 OR (r.at_ms = $3 AND r.id > $4)) AND r.reported <> $5 AND (b.roles = 0 OR $6 = 1) \
         ORDER BY r.at_ms, r.id LIMIT $7",
        &[
            wanted.closed.into(),
            reported.into(),
            after_ms.into(),
            after.into(),
            reader.as_str().into(),
            with_staff.into(),
            most.into(),
        ],
    )?;
    let listed = |row: &Row| {
        Ok(Listed {
            report: read(row)?,
            reporter_nick: row.text(10)?.into(),
            reported_nick: row.text(11)?.into(),
        })
    };
    rows.iter().map(listed).collect()
}

/// All reports that a person has filed and that are kept, the latest first, at most `most`.
///
/// # Errors
/// Of the database.
pub fn filed_by(tx: &mut dyn Tx, reporter: &UserId, most: u32) -> Result<Vec<Report>, DbError> {
    let rows = tx.run(
        "SELECT id, reporter, reported, room, kind, words, at_ms, closed_ms, closed_by, closed_why FROM report \
         WHERE reporter = $1 ORDER BY at_ms DESC, id LIMIT $2",
        &[reporter.as_str().into(), most.into()],
    )?;
    rows.iter().map(read).collect()
}

/// Closes a report; whether it was open.
///
/// # Errors
/// Of the database.
pub fn close(tx: &mut dyn Tx, id: &str, closed: &Closed) -> Result<bool, DbError> {
    let rows = tx.run(
        "UPDATE report SET closed_ms = $2, closed_by = $3, closed_why = $4 WHERE id = $1 AND closed_ms IS NULL RETURNING id",
        &[id.into(), closed.at_ms.into(), closed.by.as_str().into(), closed.why.as_str().into()],
    )?;
    Ok(!rows.is_empty())
}

/// Forgets what a person has written in reports: that there were some stays.
///
/// # Errors
/// Of the database.
pub fn blank(tx: &mut dyn Tx, reporter: &UserId) -> Result<(), DbError> {
    tx.run("UPDATE report SET words = '' WHERE reporter = $1", &[reporter.as_str().into()]).map(drop)
}

/// Forgets reports that were closed before `before_ms`; at most `most` of them. How many.
///
/// # Errors
/// Of the database.
pub fn forget_closed(tx: &mut dyn Tx, before_ms: UnixMs, most: u32) -> Result<usize, DbError> {
    let forgotten = tx.run(
        "DELETE FROM report WHERE id IN (SELECT id FROM report WHERE closed_ms < $1 LIMIT $2) RETURNING id",
        &[before_ms.into(), most.into()],
    )?;
    Ok(forgotten.len())
}
