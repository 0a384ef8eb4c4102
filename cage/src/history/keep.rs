//! Writing a hand down.

use std::sync::LazyLock;

use hands::{HandRecord, Link, Name, game, stats, witness};
use holdem::{Event, SEATS_MAX};
use protocol::{
    id::{Position, RoomId},
    time::UnixMs,
};

use crate::tx::{DbError, Tx, Value};

/// What stands of each player in a row.
const PLAYER_COLUMNS: usize = 19;

/// What writes so many players in one statement: by how many they are.
static PLAYER_INSERTS: LazyLock<Vec<String>> = LazyLock::new(|| (0..=SEATS_MAX).map(player_insert).collect());

fn player_insert(players: usize) -> String {
    let row = |player: usize| {
        let columns = (1..=PLAYER_COLUMNS).map(|column| format!("${}", player * PLAYER_COLUMNS + column));
        format!("({})", columns.collect::<Vec<_>>().join(", "))
    };
    let rows: Vec<String> = (0..players).map(row).collect();
    format!(
        "INSERT INTO hand_player (person, ended_ms, room, epoch, seq, game, pot, net, millibb, vpip, pfr, three_bet, three_bet_could, \
         flops, showdowns, showdowns_won, bets, calls, rake) VALUES {} ON CONFLICT DO NOTHING",
        rows.join(", ")
    )
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
    let NewHand { room, at, record } = hand;
    let facts = record.facts();
    let (mut pot, mut rake) = (0, 0);
    for event in &facts {
        match event {
            Event::PotAwarded { amount, .. } => pot += amount.0,
            Event::RakeTaken { amount, .. } => rake += amount.0,
            _ => {}
        }
    }
    let (pot, game) = (pot + rake, game(&record.setup.rules));
    let name: [Value; 3] = [room.as_str().into(), at.epoch().0.into(), at.seq().0.into()];
    let mut salt = [0; 32];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| DbError::Broken("the system has no randomness".into()))?;
    let leaf = witness::leaf_of(&Name { room: room.clone(), at: *at }, record, &salt);
    let values = [
        name[0].clone(),
        name[1].clone(),
        name[2].clone(),
        record.number.into(),
        record.table.as_str().into(),
        game.as_str().into(),
        record.currency.as_deref().into(),
        record.started_ms.into(),
        record.ended_ms.into(),
        pot.into(),
        rake.into(),
        record.prev.as_slice().into(),
        record.hash.as_slice().into(),
        record.write().as_slice().into(),
        salt.as_slice().into(),
        leaf.as_slice().into(),
        Link::random().0.as_slice().into(),
    ];
    let inserted = tx.run(
        "INSERT INTO hand (room, epoch, seq, number, table_name, game, currency, started_ms, ended_ms, pot, rake, prev, hash, record, \
         salt, leaf, link) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT DO NOTHING RETURNING seq",
        &values,
    )?;
    if inserted.is_empty() {
        return Ok(Written::default());
    }
    let tallies = stats::tally(&record.setup, &facts);
    let mut values = Vec::with_capacity(PLAYER_COLUMNS * tallies.len());
    let mut players = 0;
    for (seat, tally) in tallies {
        let Some(player) = record.players.iter().find(|player| player.seat == seat.get()) else { continue };
        players += 1;
        values.extend([
            Value::from(player.user.as_str()),
            record.ended_ms.into(),
            name[0].clone(),
            name[1].clone(),
            name[2].clone(),
            game.as_str().into(),
            pot.into(),
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
        ]);
    }
    if let Some(insert) = PLAYER_INSERTS.get(players).filter(|_| players > 0) {
        tx.run(insert, &values)?;
    }
    let (is_gap, voided) = branches(tx, hand)?;
    Ok(Written { is_new: true, is_gap, voided })
}

/// What a hand says of its neighbours: whether the one before it is missing, and how many are void.
fn branches(tx: &mut dyn Tx, NewHand { room, at, record }: &NewHand) -> Result<(bool, u64), DbError> {
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
