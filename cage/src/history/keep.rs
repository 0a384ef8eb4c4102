//! Writing a hand down.

use std::{collections::BTreeSet, sync::LazyLock};

use hands::{HandRecord, Link, Name, game, stats, witness};
use holdem::{Event, SEATS_MAX};
use protocol::{
    id::{Position, RoomId},
    time::UnixMs,
};

use crate::tx::{DbError, Row, Tx, Value};

/// Hands in one statement at most.
const HANDS_MAX: usize = 8;

/// Players in one statement at most.
const PLAYERS_MAX: usize = HANDS_MAX * SEATS_MAX;

/// What stands of a hand in a row.
const HAND_COLUMNS: usize = 18;

/// What stands of each player in a row.
const PLAYER_COLUMNS: usize = 19;

/// What a hand is asked about by: its name.
const NAME_COLUMNS: usize = 3;

/// What writes so many hands in one statement: by how many they are.
static HAND_INSERTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let insert = |hands| {
        format!(
            "INSERT INTO hand (room, epoch, seq, number, table_name, game, currency, started_ms, ended_ms, pot, rake, prev, hash, record, \
             salt, leaf, link, open_ms) VALUES {} ON CONFLICT DO NOTHING RETURNING room, epoch, seq",
            rows(hands, HAND_COLUMNS)
        )
    };
    (0..=HANDS_MAX).map(insert).collect()
});

/// The same for players.
static PLAYER_INSERTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let insert = |players| {
        format!(
            "INSERT INTO hand_player (person, ended_ms, room, epoch, seq, game, pot, net, millibb, vpip, pfr, three_bet, three_bet_could, \
             flops, showdowns, showdowns_won, bets, calls, rake) VALUES {} ON CONFLICT DO NOTHING",
            rows(players, PLAYER_COLUMNS)
        )
    };
    (0..=PLAYERS_MAX).map(insert).collect()
});

/// What asks of so many hands for the hash of the one before each, and whether there is one behind it.
static NEIGHBOURS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let one = |hand: usize| {
        let [room, epoch, seq] = [1, 2, 3].map(|column| hand * NAME_COLUMNS + column);
        format!(
            "SELECT CAST({hand} AS BIGINT) AS nth, \
             (SELECT hash FROM hand WHERE room = ${room} AND (epoch, seq) < (${epoch}, ${seq}) ORDER BY epoch DESC, seq DESC LIMIT 1), \
             (SELECT seq FROM hand WHERE room = ${room} AND (epoch, seq) > (${epoch}, ${seq}) ORDER BY epoch, seq LIMIT 1)"
        )
    };
    let ask = |hands| (0..hands).map(one).collect::<Vec<_>>().join(" UNION ALL ") + " ORDER BY nth";
    (0..=HANDS_MAX).map(ask).collect()
});

/// Places for so many rows of values.
fn rows(count: usize, columns: usize) -> String {
    let row = |row: usize| {
        let places = (1..=columns).map(|column| format!("${}", row * columns + column));
        format!("({})", places.collect::<Vec<_>>().join(", "))
    };
    (0..count).map(row).collect::<Vec<_>>().join(", ")
}

/// A hand, with its name.
#[derive(Debug, Clone)]
pub struct NewHand {
    /// Which table.
    pub room: RoomId,
    /// The frame that told of it.
    pub at: Position,
    /// The hand.
    pub record: HandRecord,
    /// So long after its end only those see it who have played it, milliseconds.
    pub late_ms: u32,
}

/// What became of one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// It was not there before.
    pub is_new: bool,
    /// The one before it is not there: lost, or it comes later.
    pub is_gap: bool,
    /// So many hands are void by it, itself perhaps: the broker has lost them, and the table went on from before.
    pub voided: u64,
}

/// Writes a hand down, unless it is. Those of a branch that the broker has lost become void: the later one counts.
///
/// # Errors
/// Of the database.
pub fn keep(tx: &mut dyn Tx, hand: &NewHand) -> Result<Written, DbError> {
    Ok(keep_all(tx, std::slice::from_ref(hand))?.pop().unwrap_or_default())
}

/// The same with many, in their order; several in one statement, as far as these are of different tables.
///
/// # Errors
/// Of the database.
pub fn keep_all(tx: &mut dyn Tx, hands: &[NewHand]) -> Result<Vec<Written>, DbError> {
    let mut written = Vec::with_capacity(hands.len());
    let mut rest = hands;
    while !rest.is_empty() {
        let mut tables = BTreeSet::new();
        let count = rest.iter().take(HANDS_MAX).take_while(|hand| tables.insert(&hand.room)).count();
        let (some, others) = rest.split_at(count);
        written.extend(keep_some(tx, some)?);
        rest = others;
    }
    Ok(written)
}

/// Hands of different tables, no more than [`HANDS_MAX`].
fn keep_some(tx: &mut dyn Tx, hands: &[NewHand]) -> Result<Vec<Written>, DbError> {
    let told: Vec<Told<'_>> = hands.iter().map(Told::of).collect();
    let mut values = Vec::with_capacity(HAND_COLUMNS * hands.len());
    for told in &told {
        values.extend(told.hand()?);
    }
    let mut new = BTreeSet::new();
    for row in tx.run(&HAND_INSERTS[hands.len()], &values)? {
        new.insert((row.text(0)?.to_owned(), row.count(1)?, row.count(2)?));
    }
    let is_new = |NewHand { room, at, .. }: &NewHand| {
        new.contains(&(room.as_str().to_owned(), at.epoch().0, at.seq().0))
    };
    let told: Vec<&Told<'_>> = told.iter().filter(|told| is_new(told.hand)).collect();
    let players: Vec<Value> = told.iter().flat_map(|told| told.players()).collect();
    for some in players.chunks(PLAYERS_MAX * PLAYER_COLUMNS) {
        tx.run(&PLAYER_INSERTS[some.len() / PLAYER_COLUMNS], some)?;
    }
    let mut beside = neighbours(tx, &told)?.into_iter();
    let mut written = Vec::with_capacity(hands.len());
    for hand in hands {
        if !is_new(hand) {
            written.push(Written::default());
            continue;
        }
        let (is_gap, voided) = match beside.next() {
            // Nothing stands between it and the one that it follows, and nothing behind it.
            Some(Beside { before: Some(before), is_followed: false }) if before == hand.record.prev => {
                (false, 0)
            }
            _ => branches(tx, hand)?,
        };
        written.push(Written { is_new: true, is_gap, voided });
    }
    Ok(written)
}

/// What stands beside a hand at its table.
struct Beside {
    /// The hash of the one before it.
    before: Option<Vec<u8>>,
    /// There is one behind it.
    is_followed: bool,
}

/// What stands beside each of these.
fn neighbours(tx: &mut dyn Tx, hands: &[&Told<'_>]) -> Result<Vec<Beside>, DbError> {
    if hands.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<Value> = hands.iter().flat_map(|told| told.name.clone()).collect();
    let rows = tx.run(&NEIGHBOURS[hands.len()], &names)?;
    let read = |row: &Row| {
        let before = row.maybe_bytes(1)?.map(<[u8]>::to_vec);
        Ok(Beside { before, is_followed: row.maybe_count(2)?.is_some() })
    };
    rows.iter().map(read).collect()
}

/// A hand, and what is told of it in its rows.
struct Told<'a> {
    hand: &'a NewHand,
    name: [Value; NAME_COLUMNS],
    facts: Vec<Event>,
    game: String,
    pot: u64,
    rake: u64,
}

impl<'a> Told<'a> {
    fn of(hand: &'a NewHand) -> Self {
        let NewHand { room, at, record, late_ms: _ } = hand;
        let facts = record.facts();
        let (mut pot, mut rake) = (0, 0);
        for event in &facts {
            match event {
                Event::PotAwarded { amount, .. } => pot += amount.0,
                Event::RakeTaken { amount, .. } => rake += amount.0,
                _ => {}
            }
        }
        let name = [room.as_str().into(), at.epoch().0.into(), at.seq().0.into()];
        Self { hand, name, facts, game: game(&record.setup.rules), pot: pot + rake, rake }
    }

    /// Its row.
    fn hand(&self) -> Result<[Value; HAND_COLUMNS], DbError> {
        let NewHand { room, at, record, late_ms } = self.hand;
        let mut salt = [0; 32];
        aws_lc_rs::rand::fill(&mut salt)
            .map_err(|_| DbError::Broken("the system has no randomness".into()))?;
        let leaf = witness::leaf_of(&Name { room: room.clone(), at: *at }, record, &salt);
        let [room, epoch, seq] = self.name.clone();
        Ok([
            room,
            epoch,
            seq,
            record.number.into(),
            record.table.as_str().into(),
            self.game.as_str().into(),
            record.currency.as_deref().into(),
            record.started_ms.into(),
            record.ended_ms.into(),
            self.pot.into(),
            self.rake.into(),
            record.prev.as_slice().into(),
            record.hash.as_slice().into(),
            record.write().as_slice().into(),
            salt.as_slice().into(),
            leaf.as_slice().into(),
            Link::random().0.as_slice().into(),
            open_ms(record.ended_ms, *late_ms).into(),
        ])
    }

    /// The rows of its players, one behind the other.
    fn players(&self) -> Vec<Value> {
        let record = &self.hand.record;
        let mut values = Vec::with_capacity(PLAYER_COLUMNS * record.players.len());
        for (seat, tally) in stats::tally(&record.setup, &self.facts) {
            let Some(player) = record.players.iter().find(|player| player.seat == seat.get()) else {
                continue;
            };
            let [room, epoch, seq] = self.name.clone();
            let row: [Value; PLAYER_COLUMNS] = [
                player.user.as_str().into(),
                record.ended_ms.into(),
                room,
                epoch,
                seq,
                self.game.as_str().into(),
                self.pot.into(),
                tally.net.into(),
                tally.millibb.into(),
                tally.vpip.into(),
                tally.pfr.into(),
                tally.three_bet.into(),
                tally.three_bet_could.into(),
                tally.flops.into(),
                tally.showdowns.into(),
                tally.showdowns_won.into(),
                tally.bets.into(),
                tally.calls.into(),
                tally.rake.into(),
            ];
            values.extend(row);
        }
        values
    }
}

/// From when on others may see it; 0: at once.
fn open_ms(ended_ms: UnixMs, late_ms: u32) -> UnixMs {
    if late_ms == 0 { 0 } else { ended_ms.saturating_add(late_ms.into()) }
}

/// What a hand says of its neighbours: whether the one before it is missing, and how many are void.
fn branches(tx: &mut dyn Tx, NewHand { room, at, record, .. }: &NewHand) -> Result<(bool, u64), DbError> {
    let here: [Value; 3] = [room.as_str().into(), at.epoch().0.into(), at.seq().0.into()];
    let head = place_of(tx, room, &record.prev)?;
    let mut voided = 0;
    if let Some(head) = head {
        // What stands between it and the one that it follows was lost.
        let between: [Value; 5] =
            [here[0].clone(), here[1].clone(), here[2].clone(), head.epoch().0.into(), head.seq().0.into()];
        let lost = tx.run(
            "UPDATE hand SET void = 1 WHERE room = $1 AND (epoch, seq) < ($2, $3) AND (epoch, seq) > ($4, $5) AND void = 0 RETURNING epoch, seq",
            &between,
        )?;
        for row in &lost {
            void_players(tx, &[here[0].clone(), row.count(0)?.into(), row.count(1)?.into()])?;
        }
        voided += lost.len() as u64;
    }
    // The same of itself, if it comes late.
    let next = tx.run(
        "SELECT prev FROM hand WHERE room = $1 AND (epoch, seq) > ($2, $3) AND void = 0 ORDER BY epoch, seq LIMIT 1",
        &here,
    )?;
    if let Some(row) = next.first()
        && row.bytes(0)? != record.hash
        && let Some(followed) = place_of(tx, room, row.bytes(0)?)?
        && followed < *at
    {
        tx.run("UPDATE hand SET void = 1 WHERE room = $1 AND epoch = $2 AND seq = $3", &here)?;
        void_players(tx, &here)?;
        voided += 1;
    }
    let is_gap = head.is_none() && record.number > 1;
    Ok((is_gap, voided))
}

fn void_players(tx: &mut dyn Tx, hand: &[Value; 3]) -> Result<(), DbError> {
    tx.run("UPDATE hand_player SET void = 1 WHERE room = $1 AND epoch = $2 AND seq = $3", hand).map(drop)
}

/// Where the hand of this hash stands; none for the zeros before the first.
fn place_of(tx: &mut dyn Tx, room: &RoomId, hash: &[u8]) -> Result<Option<Position>, DbError> {
    let rows = tx.run(
        "SELECT epoch, seq FROM hand WHERE room = $1 AND hash = $2 ORDER BY epoch DESC, seq DESC LIMIT 1",
        &[room.as_str().into(), hash.into()],
    )?;
    rows.first().map(|row| Ok(Position::new(row.count(0)?, row.count(1)?))).transpose()
}

/// Forgets hands that ended before, `most` at a time; answers how many.
///
/// # Errors
/// Of the database.
pub fn forget(tx: &mut dyn Tx, before: UnixMs, most: u32) -> Result<u64, DbError> {
    let old = tx.run(
        "SELECT room, epoch, seq FROM hand WHERE ended_ms < $1 ORDER BY ended_ms LIMIT $2",
        &[before.into(), most.into()],
    )?;
    for row in &old {
        let name: [Value; 3] = [row.text(0)?.into(), row.count(1)?.into(), row.count(2)?.into()];
        tx.run("DELETE FROM hand_player WHERE room = $1 AND epoch = $2 AND seq = $3", &name)?;
        tx.run("DELETE FROM hand WHERE room = $1 AND epoch = $2 AND seq = $3", &name)?;
    }
    Ok(old.len() as u64)
}
