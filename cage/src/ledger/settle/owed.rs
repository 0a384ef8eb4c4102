//! What somebody is owed of a table of which nothing is left.

use std::collections::BTreeMap;

use hands::{HandRecord, Name};
use money::Currency;
use protocol::id::{Position, RoomId, UserId};

use super::too_much;
use crate::{
    ledger::{account::amount_in, currency::code_in, request::Kind},
    tx::{DbError, Row, Tx, Value},
};

/// From sitting down, or from taking a seat, until now: what somebody has brought and not left with.
#[derive(Debug)]
pub(super) struct Stint {
    since: Position,
    /// He was paid in a lost branch.
    pub(super) is_forfeit: bool,
    /// What came, and below 0 what went back; where it was decided, and whether it was a top-up.
    moves: Vec<(Position, i64, bool)>,
}

impl Stint {
    fn brought(&self, is: impl Fn(Position) -> bool) -> i64 {
        self.moves
            .iter()
            .filter(|(at, ..)| is(*at))
            .fold(0, |sum: i64, (_, amount, _)| sum.saturating_add(*amount))
    }

    /// Of top-ups only the last one may be on its way.
    fn last_top_up(&self, until: Position) -> i64 {
        let last = self.moves.iter().rev().find(|(at, _, is_top_up)| *at <= until && *is_top_up);
        last.map_or(0, |(_, amount, _)| *amount)
    }
}

/// Who has chips at the table, by the requests of these epochs.
pub(super) fn stints(
    tx: &mut dyn Tx,
    room: &RoomId,
    since: u64,
    epoch: u64,
) -> Result<BTreeMap<(UserId, Currency), Stint>, DbError> {
    let rows = tx.run(
        "SELECT kind, person, currency, amount, epoch, seq, \
         CASE WHEN EXISTS (SELECT 1 FROM paid_before_now p WHERE p.request = r.name) THEN 1 ELSE 0 END FROM request r \
         WHERE room = $1 AND epoch >= $2 AND epoch < $3 AND outcome = 'posted' \
         AND kind IN ('buy_in', 'top_up', 'return', 'cash_out', 'absorb') \
         AND NOT EXISTS (SELECT 1 FROM undone_now u WHERE u.request = r.name) ORDER BY epoch, seq, n",
        &[room.as_str().into(), since.into(), epoch.into()],
    )?;
    let mut stints = BTreeMap::new();
    for row in &rows {
        let kind = Kind::read(row.text(0)?)?;
        let user = UserId::new(row.text(1)?);
        let user = user.map_err(|_| DbError::Broken("a person's id is no name".into()))?;
        let (of, at) = ((user, code_in(row, 2)?), Position::new(row.count(4)?, row.count(5)?));
        let amount = i64::try_from(amount_in(row, 3)?).map_err(|_| too_much())?;
        match kind {
            Kind::CashOut | Kind::Absorb => drop(stints.remove(&of)),
            kind => {
                let is_forfeit = row.int(6)? == 1;
                let stint =
                    stints.entry(of).or_insert_with(|| Stint { since: at, is_forfeit, moves: Vec::new() });
                let amount = if kind == Kind::Return { -amount } else { amount };
                stint.moves.push((at, amount, kind == Kind::TopUp));
            }
        }
    }
    Ok(stints)
}

/// The last hand of a table that is known.
pub(super) struct LastHand {
    pub(super) name: Name,
    pub(super) number: u64,
    pub(super) currency: Option<Currency>,
    stacks: BTreeMap<UserId, u64>,
}

/// Of these epochs, and of no lost branch: whether one is lost a later hand says, and a cut where none came.
pub(super) fn last_hand(
    tx: &mut dyn Tx,
    room: &RoomId,
    since: u64,
    epoch: u64,
) -> Result<Option<LastHand>, DbError> {
    let rows = tx.run(
        "SELECT epoch, seq, record FROM hand h WHERE room = $1 AND epoch >= $2 AND epoch < $3 AND void = 0 AND NOT EXISTS \
         (SELECT 1 FROM cut_now c WHERE c.room = h.room AND c.epoch > h.epoch AND c.epoch < $3 \
         AND (c.follows_epoch, c.follows_seq) < (h.epoch, h.seq)) ORDER BY epoch DESC, seq DESC LIMIT 1",
        &[room.as_str().into(), since.into(), epoch.into()],
    )?;
    let read = |row: &Row| {
        let record = HandRecord::read(row.bytes(2)?);
        let record = record.map_err(|error| DbError::Broken(format!("a hand does not read: {error}")))?;
        let name = Name { room: room.clone(), at: Position::new(row.count(0)?, row.count(1)?) };
        let currency = record.currency.as_deref().and_then(|code| Currency::new(code).ok());
        Ok(LastHand { name, number: record.number, currency, stacks: record.stacks.into_iter().collect() })
    };
    rows.first().map(read).transpose()
}

/// What somebody is owed: see the module's table.
pub(super) fn owed(
    tx: &mut dyn Tx,
    room: &RoomId,
    user: &UserId,
    stint: &Stint,
    hand: Option<&LastHand>,
) -> Result<i64, DbError> {
    let Some(hand) = hand else { return Ok(stint.brought(|_| true).max(0)) };
    let at = hand.name.at;
    let stack = hand.stacks.get(user).filter(|_| stint.since <= at);
    let Some(stack) = stack else {
        let (won, _) = played(tx, room, user, stint.since, hand)?;
        return Ok(stint.brought(|_| true).saturating_add(won).max(0));
    };
    let stack = i64::try_from(*stack).map_err(|_| too_much())?;
    let mut under_way = 0;
    let top_up = stint.last_top_up(at);
    if top_up > 0 {
        let (won, is_whole) = played(tx, room, user, stint.since, hand)?;
        let more = stint.brought(|of| of <= at).saturating_add(won).saturating_sub(stack);
        if is_whole && (1..=top_up).contains(&more) {
            under_way = more;
        }
    }
    let later = stint.brought(|of| of > at);
    Ok(stack.saturating_add(later).saturating_add(under_way).max(0))
}

/// What somebody has won in hands of a table behind a place and up to a hand, and whether all of these are known.
fn played(
    tx: &mut dyn Tx,
    room: &RoomId,
    user: &UserId,
    since: Position,
    hand: &LastHand,
) -> Result<(i64, bool), DbError> {
    let at = hand.name.at;
    let [room, epoch, seq, last_epoch, last_seq]: [Value; 5] = [
        room.as_str().into(),
        since.epoch().0.into(),
        since.seq().0.into(),
        at.epoch().0.into(),
        at.seq().0.into(),
    ];
    let won = tx.run(
        "SELECT CAST(COALESCE(SUM(net), 0) AS BIGINT) FROM hand_player WHERE room = $1 AND person = $2 AND void = 0 \
         AND (epoch, seq) > ($3, $4) AND (epoch, seq) <= ($5, $6)",
        &[
            room.clone(),
            user.as_str().into(),
            epoch.clone(),
            seq.clone(),
            last_epoch.clone(),
            last_seq.clone(),
        ],
    )?;
    let hands = tx.run(
        "SELECT COUNT(*), CAST(COALESCE(MIN(number), 0) AS BIGINT), COALESCE((SELECT number FROM hand WHERE room = $1 \
         AND void = 0 AND (epoch, seq) <= ($2, $3) ORDER BY epoch DESC, seq DESC LIMIT 1), 0) FROM hand WHERE room = $1 AND void = 0 \
         AND (epoch, seq) > ($2, $3) AND (epoch, seq) <= ($4, $5)",
        &[room, epoch, seq, last_epoch, last_seq],
    )?;
    let (Some(won), Some(hands)) = (won.first(), hands.first()) else {
        return Err(DbError::Broken("there is no sum".into()));
    };
    // Numbers go on without a hole from the hand before; a table that began anew begins with 1.
    let (count, first, before) = (hands.count(0)?, hands.count(1)?, hands.count(2)?);
    let is_whole = count == 0 || (first + count == hand.number + 1 && (first == 1 || first == before + 1));
    Ok((won.int(0)?, is_whole))
}
