//! Cuts that are lost themselves.
//!
//! ```text
//! A  ...-15-+-16-...-26: pays ann-...-28-+             the owner A stood still, and its frames behind 15 were lost
//!           +-B: cut behind 15-...       |             B goes on, and its frames are lost, too
//!                                        +-C: cut behind 28   A is back, remembers the room, and goes on from there
//! ```
//!
//! B's cut has undone what A had decided behind 15. C's says that this is what has happened after all: all that a cut of a branch has done which a
//! later one has left is taken back, and what stands in no branch any more is put right anew, by the later one. What a player was
//! given back by it he is asked for again; what he has not any more the house bears, in its variance.

use std::collections::{BTreeMap, BTreeSet};

use money::Currency;
use protocol::id::{Epoch, Position, RoomId, Seq, UserId};

use super::{
    account::amount_in,
    answer::Desk,
    currency::code_in,
    cut::{Moves, add, too_much},
};
use crate::{
    tape,
    tx::{DbError, Row, Tx, Value},
};

/// Of a request `r`, in SQL: whether the cuts that count say that it has not happened.
macro_rules! has_not_happened {
    () => {
        "EXISTS (SELECT 1 FROM cut_now c WHERE c.room = r.room AND c.epoch > r.epoch \
         AND (c.follows_epoch, c.follows_seq) < (r.epoch, r.seq))"
    };
}
pub(super) use has_not_happened;

/// A cut that was answered.
#[derive(Debug, Clone)]
struct Cut {
    name: String,
    at: Position,
    follows: Position,
    /// As it stands in the database.
    is_lost: bool,
    is_taken_back: bool,
}

impl Cut {
    /// Whether what was decided there is no part of its history.
    fn cuts_off(&self, at: Position) -> bool {
        self.at.epoch() > at.epoch() && self.follows < at
    }

    /// Whether the other one stands in a branch that this one has left. Where nothing is left at all everybody is paid by what every cut has left.
    fn leaves(&self, other: &Self) -> bool {
        !self.is_from_nothing() && self.cuts_off(other.at)
    }

    fn is_from_nothing(&self) -> bool {
        self.follows == Position::default()
    }
}

/// The cuts of a room, the last one first.
#[derive(Debug, Clone)]
pub(super) struct Branches(Vec<Cut>);

impl Branches {
    /// Those that are known.
    pub(super) fn of(tx: &mut dyn Tx, room: &RoomId) -> Result<Self, DbError> {
        let rows = tx.run(
            "SELECT c.request, r.epoch, r.seq, c.follows_epoch, c.follows_seq, \
             CASE WHEN EXISTS (SELECT 1 FROM lost_cut l WHERE l.request = c.request) THEN 1 ELSE 0 END, \
             CASE WHEN EXISTS (SELECT 1 FROM taken_back b WHERE b.request = c.request) THEN 1 ELSE 0 END \
             FROM cut c JOIN request r ON r.name = c.request WHERE c.room = $1 ORDER BY r.epoch DESC, r.seq DESC, r.n DESC",
            &[room.as_str().into()],
        )?;
        let read = |row: &Row| {
            Ok(Cut {
                name: row.text(0)?.to_owned(),
                at: Position::new(row.count(1)?, row.count(2)?),
                follows: Position::new(row.count(3)?, row.count(4)?),
                is_lost: row.int(5)? == 1,
                is_taken_back: row.int(6)? == 1,
            })
        };
        rows.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Those that count for what was decided there.
    fn that_hold(&self, end: Position) -> Vec<&Cut> {
        let mut hold: Vec<&Cut> = Vec::new();
        for cut in self.0.iter().filter(|cut| cut.at <= end) {
            if !hold.iter().any(|later| later.leaves(cut)) {
                hold.push(cut);
            }
        }
        hold
    }

    /// Whether what was decided at `at` had happened for what was decided at `end`.
    pub(super) fn is_before(&self, at: Position, end: Position) -> bool {
        at < end && !self.that_hold(end).into_iter().any(|cut| cut.cuts_off(at))
    }
}

/// Behind all that was ever decided.
const END: Position = Position(Epoch(u64::MAX), Seq(u64::MAX));

/// Which cuts are lost follows from all of them; those of which it is another thing now.
fn follow_all(tx: &mut dyn Tx, branches: &Branches) -> Result<Vec<Cut>, DbError> {
    let hold: BTreeSet<&str> = branches.that_hold(END).into_iter().map(|cut| &*cut.name).collect();
    let mut changed = Vec::new();
    for cut in &branches.0 {
        let is_lost = !hold.contains(&*cut.name);
        if is_lost != cut.is_lost {
            let change = match is_lost {
                true => "INSERT INTO lost_cut (request) VALUES ($1)",
                false => "DELETE FROM lost_cut WHERE request = $1",
            };
            tx.run(change, &[cut.name.as_str().into()])?;
            changed.push(Cut { is_lost, ..cut.clone() });
        }
    }
    Ok(changed)
}

/// A cut has been written down.
pub(super) fn follow(tx: &mut dyn Tx, room: &RoomId) -> Result<(), DbError> {
    let branches = Branches::of(tx, room)?;
    follow_all(tx, &branches).map(drop)
}

/// What a cut that goes on from there finds: which of the other branches counts.
pub(super) struct Left {
    /// The cuts before it.
    pub(super) branches: Branches,
    /// Behind that it is another thing than before what has happened.
    pub(super) since: Position,
    /// The last epoch in which something was put right that has been taken back.
    pub(super) until: Epoch,
    /// Who is concerned by that.
    pub(super) users: BTreeSet<UserId>,
}

/// The desk's request, which is recorded, is a cut that goes on from there: what others have done in branches that it leaves is taken back. What
/// that moves comes to `moves`.
pub(super) fn leave(
    desk: &mut Desk<'_>,
    follows: Position,
    moves: &mut BTreeMap<Currency, Moves>,
) -> Result<Left, DbError> {
    let branches = Branches::of(desk.tx, desk.room)?;
    let (at, name) = (desk.id.at, desk.new.name.to_owned());
    let mut with_it = branches.clone();
    let index = with_it.0.partition_point(|cut| cut.at > at);
    with_it.0.insert(index, Cut { name, at, follows, is_lost: false, is_taken_back: false });
    let changed = follow_all(desk.tx, &with_it)?;
    let since = changed.iter().map(|cut| cut.follows).fold(follows, Position::min);
    let lost: Vec<&Cut> = changed.iter().filter(|cut| cut.is_lost).collect();
    let wrong = that_are_wrong(desk, follows)?;
    let mut left = Left { branches, since, until: at.epoch(), users: BTreeSet::new() };
    let is_left = |cut: &&Cut| wrong.contains(&cut.name) || lost.iter().any(|lost| lost.name == cut.name);
    for cut in with_it.0.iter().filter(|cut| !cut.is_taken_back).filter(is_left) {
        if cut.is_from_nothing() {
            left.users.extend(users_of(desk.tx, desk.room)?);
        }
        left.until = left.until.max(cut.at.epoch());
        take_back(desk, &cut.name, moves, &mut left)?;
    }
    // What was given up in such a branch had been taken for done in this one.
    let since = lost.iter().filter(|cut| cut.follows < follows).map(|cut| cut.at).min();
    for name in since.map_or(Ok(Vec::new()), |since| given_up(desk, since, follows))? {
        take_back(desk, &name, moves, &mut left)?;
    }
    Ok(left)
}

/// The cuts that have undone what has happened, as is known now.
fn that_are_wrong(desk: &mut Desk<'_>, follows: Position) -> Result<BTreeSet<String>, DbError> {
    let rows = desk.tx.run(
        concat!(
            "SELECT DISTINCT k.request FROM cut k JOIN undone_now u ON u.by_request = k.request JOIN request r ON r.name = u.request \
             WHERE k.room = $1 AND NOT (r.epoch < $2 AND (r.epoch, r.seq) > ($3, $4)) AND NOT ",
            has_not_happened!()
        ),
        &[
            desk.room.as_str().into(),
            desk.id.at.epoch().0.into(),
            follows.epoch().0.into(),
            follows.seq().0.into(),
        ],
    )?;
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

/// What was given up since then, behind what counts, of what counts.
fn given_up(desk: &mut Desk<'_>, since: Position, follows: Position) -> Result<Vec<String>, DbError> {
    let rows = desk.tx.run(
        concat!(
            "SELECT v.name FROM request v JOIN undone_now u ON u.by_request = v.name JOIN request r ON r.name = u.request \
             WHERE v.room = $1 AND v.kind = 'void' AND v.epoch < $2 AND (v.epoch, v.seq) > ($3, $4) AND (v.epoch, v.seq) > ($5, $6) \
             AND (r.epoch, r.seq) <= ($3, $4) AND NOT ",
            has_not_happened!()
        ),
        &[
            desk.room.as_str().into(),
            desk.id.at.epoch().0.into(),
            follows.epoch().0.into(),
            follows.seq().0.into(),
            since.epoch().0.into(),
            since.seq().0.into(),
        ],
    )?;
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

/// Takes back what a request has undone, and moved.
fn take_back(
    desk: &mut Desk<'_>,
    name: &str,
    moves: &mut BTreeMap<Currency, Moves>,
    left: &mut Left,
) -> Result<(), DbError> {
    let concerned = desk.tx.run(
        "SELECT r.person, r.epoch, r.seq FROM undone u JOIN request r ON r.name = u.request WHERE u.by_request = $1",
        &[name.into()],
    )?;
    for row in &concerned {
        left.since = left.since.min(Position::new(row.count(1)?, row.count(2)?.saturating_sub(1)));
        if row.maybe_text(0)?.is_some() {
            left.users.insert(user_in(row)?);
        }
    }
    keep(desk.tx, name, desk.new.name)?;
    if let Some(entry) = tape::entry(desk.tx, desk.new.name) {
        entry.taken_back.push(name.into());
    }
    move_back(desk, name, moves)
}

/// Among what a request has moved is what took others back. That stays as it is.
fn move_back(desk: &mut Desk<'_>, name: &str, moves: &mut BTreeMap<Currency, Moves>) -> Result<(), DbError> {
    let others = desk.tx.run("SELECT request FROM taken_back WHERE by_request = $1", &[name.into()])?;
    for other in &others {
        move_back(desk, other.text(0)?, moves)?;
    }
    let legs = desk.tx.run(
        "SELECT t.currency, t.amount, a.kind, a.name, b.kind, b.name FROM transfer t JOIN account a ON a.id = t.payer \
         JOIN account b ON b.id = t.payee WHERE t.request = $1",
        &[name.into()],
    )?;
    for leg in &legs {
        let moves = moves.entry(code_in(leg, 0)?).or_default();
        let amount = i64::try_from(amount_in(leg, 1)?).map_err(|_| too_much())?;
        // One of both is the table.
        let is_from_table = leg.text(2)? == "table";
        let other = if is_from_table { [leg.text(4)?, leg.text(5)?] } else { [leg.text(2)?, leg.text(3)?] };
        add(moves.of_account(other)?, if is_from_table { -amount } else { amount })?;
    }
    Ok(())
}

/// Writes down that a request has been taken back by another.
pub(super) fn keep(tx: &mut dyn Tx, name: &str, by: &str) -> Result<(), DbError> {
    let row: [Value; 2] = [name.into(), by.into()];
    tx.run("INSERT INTO taken_back (request, by_request) VALUES ($1, $2)", &row).map(drop)
}

/// Everybody who has ever had to do with the room.
pub(super) fn users_of(tx: &mut dyn Tx, room: &RoomId) -> Result<Vec<UserId>, DbError> {
    let rows = tx.run(
        "SELECT DISTINCT person FROM request WHERE room = $1 AND person IS NOT NULL",
        &[room.as_str().into()],
    )?;
    rows.iter().map(user_in).collect()
}

fn user_in(row: &Row) -> Result<UserId, DbError> {
    UserId::new(row.text(0)?).map_err(|_| DbError::Broken("a person's id is no name".into()))
}
