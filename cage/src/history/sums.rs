//! What somebody did, added up. The definitions are [`stats`]'s.

use hands::stats::{self, Tally};
use protocol::{id::UserId, time::UnixMs};

use crate::tx::{DbError, Row, Tx};

/// From then on, and until before then.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    /// The first millisecond.
    pub from_ms: UnixMs,
    /// The one after the last.
    pub to_ms: UnixMs,
}

/// All hands of somebody in one game, for chips of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// The game.
    pub game: String,
    /// What the chips are; none: nobody's.
    pub currency: Option<String>,
    /// What he did.
    pub tally: Tally,
}

/// Of each game that he has played, in the order of their names; of one alone, if it is named. Hands that are void do not count.
///
/// # Errors
/// Of the database.
pub fn sums(tx: &mut dyn Tx, user: &UserId, period: Period, game: Option<&str>) -> Result<Vec<Sum>, DbError> {
    let rows = tx.run(
        "SELECT p.game, h.currency, COUNT(*), CAST(SUM(vpip) AS BIGINT), CAST(SUM(pfr) AS BIGINT), CAST(SUM(three_bet) AS BIGINT), \
         CAST(SUM(three_bet_could) AS BIGINT), CAST(SUM(flops) AS BIGINT), CAST(SUM(showdowns) AS BIGINT), \
         CAST(SUM(showdowns_won) AS BIGINT), CAST(SUM(bets) AS BIGINT), CAST(SUM(calls) AS BIGINT), CAST(SUM(net) AS BIGINT), \
         CAST(SUM(millibb) AS BIGINT), CAST(SUM(p.rake) AS BIGINT) FROM hand_player p JOIN hand h ON h.room = p.room AND h.epoch = p.epoch AND h.seq = p.seq \
         WHERE p.person = $1 AND p.ended_ms >= $2 AND p.ended_ms < $3 AND p.void = 0 AND ($4 = '' OR p.game = $4) \
         GROUP BY p.game, h.currency",
        &[
            user.as_str().into(),
            period.from_ms.into(),
            period.to_ms.into(),
            game.unwrap_or_default().into(),
        ],
    )?;
    let mut sums = rows.iter().map(sum).collect::<Result<Vec<_>, _>>()?;
    // Databases sort texts and nothing in ways of their own.
    sums.sort_by(|one, other| (&one.game, &one.currency).cmp(&(&other.game, &other.currency)));
    Ok(sums)
}

fn sum(row: &Row) -> Result<Sum, DbError> {
    let tally = stats::Tally {
        hands: row.count(2)?,
        vpip: row.count(3)?,
        pfr: row.count(4)?,
        three_bet: row.count(5)?,
        three_bet_could: row.count(6)?,
        flops: row.count(7)?,
        showdowns: row.count(8)?,
        showdowns_won: row.count(9)?,
        bets: row.count(10)?,
        calls: row.count(11)?,
        net: row.int(12)?,
        millibb: row.int(13)?,
        rake: row.count(14)?,
    };
    Ok(Sum { game: row.text(0)?.to_owned(), currency: row.maybe_text(1)?, tally })
}
