//! What somebody did, added up. The definitions are [`stats`]'s.

use hands::stats::{self, Tally};
use protocol::{id::UserId, time::UnixMs};

use crate::tx::{DbError, Tx};

/// From then on, and until before then.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    /// The first millisecond.
    pub from_ms: UnixMs,
    /// The one after the last.
    pub to_ms: UnixMs,
}

/// Of each game that he has played, in the order of their names. Hands that are void do not count.
///
/// # Errors
/// Of the database.
pub fn sums(tx: &mut dyn Tx, user: &UserId, period: Period) -> Result<Vec<(String, Tally)>, DbError> {
    let rows = tx.run(
        "SELECT game, COUNT(*), CAST(SUM(vpip) AS BIGINT), CAST(SUM(pfr) AS BIGINT), CAST(SUM(three_bet) AS BIGINT), \
         CAST(SUM(three_bet_could) AS BIGINT), CAST(SUM(flops) AS BIGINT), CAST(SUM(showdowns) AS BIGINT), \
         CAST(SUM(showdowns_won) AS BIGINT), CAST(SUM(bets) AS BIGINT), CAST(SUM(calls) AS BIGINT), CAST(SUM(net) AS BIGINT), \
         CAST(SUM(millibb) AS BIGINT) FROM hand_player WHERE person = $1 AND ended_ms >= $2 AND ended_ms < $3 AND void = 0 \
         GROUP BY game ORDER BY game",
        &[user.as_str().into(), period.from_ms.into(), period.to_ms.into()],
    )?;
    let sum = |row: &crate::Row| {
        let tally = stats::Tally {
            hands: row.count(1)?,
            vpip: row.count(2)?,
            pfr: row.count(3)?,
            three_bet: row.count(4)?,
            three_bet_could: row.count(5)?,
            flops: row.count(6)?,
            showdowns: row.count(7)?,
            showdowns_won: row.count(8)?,
            bets: row.count(9)?,
            calls: row.count(10)?,
            net: row.int(11)?,
            millibb: row.int(12)?,
        };
        Ok((row.text(0)?.to_owned(), tally))
    };
    rows.iter().map(sum).collect()
}
