//! What a player has brought to a table and not yet left with. It follows from the requests, and is kept so that nobody has to add them up.

use protocol::id::{RoomId, UserId};

use crate::tx::{DbError, Tx, Value};

/// Something was done about a player at a table.
pub(super) fn follow(tx: &mut dyn Tx, room: &RoomId, user: &UserId) -> Result<(), DbError> {
    if user.is_bot() {
        return Ok(());
    }
    let [room, person]: [Value; 2] = [room.as_str().into(), user.as_str().into()];
    // Where he left last: what he brought before is not there any more.
    let left = tx.run(
        "SELECT epoch, seq, n FROM request r WHERE person = $1 AND room = $2 AND kind IN ('cash_out', 'absorb') AND outcome = 'posted' \
         AND NOT EXISTS (SELECT 1 FROM undone_now u WHERE u.request = r.name) ORDER BY epoch DESC, seq DESC, n DESC LIMIT 1",
        &[person.clone(), room.clone()],
    )?;
    let [epoch, seq, n] = match left.first() {
        Some(left) => [left.int(0)?, left.int(1)?, left.int(2)?],
        None => [-1, 0, 0],
    };
    // A table that has begun anew has been settled.
    let brought = tx.run(
        "SELECT currency, CAST(SUM(CASE kind WHEN 'return' THEN -amount ELSE amount END) AS BIGINT) FROM request r \
         WHERE person = $1 AND room = $2 AND (epoch, seq, n) > ($3, $4, $5) AND kind IN ('buy_in', 'top_up', 'return') \
         AND epoch >= (SELECT COALESCE(MAX(c.epoch), 0) FROM cut_now c WHERE c.room = $2 AND c.follows_epoch = 0 AND c.follows_seq = 0) \
         AND outcome = 'posted' AND NOT EXISTS (SELECT 1 FROM undone_now u WHERE u.request = r.name) GROUP BY currency",
        &[person.clone(), room.clone(), epoch.into(), seq.into(), n.into()],
    )?;
    tx.run("DELETE FROM in_play WHERE person = $1 AND room = $2", &[person.clone(), room.clone()])?;
    for row in brought {
        if row.int(1)? > 0 {
            tx.run(
                "INSERT INTO in_play (person, room, currency, amount) VALUES ($1, $2, $3, $4)",
                &[person.clone(), room.clone(), row.text(0)?.into(), row.int(1)?.into()],
            )?;
        }
    }
    Ok(())
}
