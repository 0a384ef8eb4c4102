//! Which hands were written down, beside those that the journals tell of.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use cage::{DbError, Row, Tx};
use hands::{HandRecord, Sent};
use parking_lot::Mutex;
use protocol::id::{Position, RoomId};

use super::{Promise, Shadow};

/// Hands that are in the queue, or have been, by their names.
pub type Pushed = Arc<Mutex<BTreeSet<(RoomId, Position)>>>;

/// What is written down of a hand.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Which table.
    pub room: RoomId,
    /// The frame that told of it.
    pub at: Position,
    /// The hash of the hand before.
    pub prev: Vec<u8>,
    /// Its own.
    pub hash: Vec<u8>,
    /// It does not count.
    pub is_void: bool,
    /// So many have played it.
    pub players: u64,
    /// And so many have it in their statistics.
    pub counted: u64,
}

/// Everything that is written down.
///
/// # Errors
/// Of the database, and when something in it is no hand.
pub fn recorded(tx: &mut dyn Tx) -> Result<Vec<Recorded>, DbError> {
    let rows = tx.run(
        "SELECT room, epoch, seq, prev, hash, void, record, (SELECT COUNT(*) FROM hand_player p \
         WHERE p.room = h.room AND p.epoch = h.epoch AND p.seq = h.seq AND p.void = h.void) FROM hand h",
        &[],
    )?;
    let broken = |what: &str| DbError::Broken(what.into());
    let one = |row: &Row| {
        Ok(Recorded {
            room: RoomId::new(row.text(0)?).map_err(|_| broken("a table has no name"))?,
            at: Position::new(row.count(1)?, row.count(2)?),
            prev: row.bytes(3)?.to_vec(),
            hash: row.bytes(4)?.to_vec(),
            is_void: row.int(5)? == 1,
            players: HandRecord::read(row.bytes(6)?)
                .map_err(|_| broken("a hand does not read"))?
                .players
                .len() as u64,
            counted: row.count(7)?,
        })
    };
    rows.iter().map(one).collect()
}

/// The names of the hands in these messages of the queue.
pub fn names_of(messages: &[Bytes]) -> BTreeSet<(RoomId, Position)> {
    messages.iter().filter_map(|message| Sent::read(message).ok()).map(|sent| (sent.room, sent.at)).collect()
}

/// Every hand that has ended is written down and counted once, or stands among the `dead` of the queue; or the broker has lost it, which
/// the chain shows.
pub fn judge_kept(recorded: &[Recorded], dead: &BTreeSet<(RoomId, Position)>, shadow: &mut Shadow) {
    let mut of: BTreeMap<&RoomId, Vec<&Recorded>> = BTreeMap::new();
    recorded.iter().for_each(|hand| of.entry(&hand.room).or_default().push(hand));
    let mut broken = Vec::new();
    for room in shadow.rooms() {
        let mut hands = of.remove(&room).unwrap_or_default();
        hands.sort_by_key(|hand| hand.at);
        broken.extend(wrong_at(&room, &hands, dead, shadow));
    }
    broken.extend(of.into_keys().map(|room| format!("{room}: has hands, and was no table")));
    broken.into_iter().for_each(|what| shadow.accuse(Promise::Kept, what));
}

/// What is wrong at one table; its hands are in order.
fn wrong_at(
    room: &RoomId,
    hands: &[&Recorded],
    dead: &BTreeSet<(RoomId, Position)>,
    shadow: &Shadow,
) -> Vec<String> {
    let (dealt, is_lossy) = shadow.dealt(room);
    let mut broken = Vec::new();
    let mut places = BTreeMap::new();
    for hand in hands {
        let Recorded { at, players, counted, .. } = hand;
        if let Some(other) = places.insert(&hand.hash, at) {
            broken.push(format!("{room} {at}: the hand of {other} is written down once more"));
        }
        if players != counted {
            broken.push(format!("{room} {at}: {players} have played it, and it counts for {counted}"));
        }
        let has_ended = dealt.ended.contains(at);
        // Of what was lost nobody knows all.
        if !has_ended && !dealt.lost.contains(at) && !is_lossy {
            broken.push(format!("{room} {at}: was written down and never played"));
        }
        if hand.is_void && (has_ended || !is_lossy) {
            broken.push(format!("{room} {at}: is void, and was not lost"));
        }
    }
    // A hand that follows none: whoever reads them sees that some are missing before it.
    let gaps: Vec<Position> =
        hands.iter().filter(|hand| !places.contains_key(&hand.prev)).map(|hand| hand.at).collect();
    let is_there = |at: &Position| hands.iter().any(|hand| hand.at == *at);
    for at in dealt.ended.iter().filter(|at| !is_there(at)) {
        let is_told = is_lossy && gaps.iter().any(|gap| gap > at);
        if !is_told && !dead.contains(&(room.clone(), *at)) {
            broken.push(format!("{room} {at}: a hand has ended, and is not written down"));
        }
    }
    broken
}
