//! Whether the ledger and the tables say the same, while people play.

use std::{collections::BTreeMap, time::Duration};

use broker::questions::NotAnswered;
use cage::{
    Tx,
    ledger::{
        audit::{Totals, totals},
        compare,
        table_account::{Compared, left_behind, rooms},
    },
};
use futures_util::{StreamExt as _, stream};
use metrics::{counter, gauge};
use money::Currency;
use protocol::id::{RoomId, UserId};
use tokio::time::{Instant, sleep};

use super::People;
use crate::{error::ApiError, floor::Floor};

/// Tables that are asked at once.
const AT_ONCE: usize = 32;

/// A table that does not answer, or is being put right, is asked so often.
const TRIES: u32 = 3;

/// After a pause.
const PAUSE: Duration = Duration::from_millis(200);

/// So long tables are asked; of the rest nothing is known then.
const WITHIN: Duration = Duration::from_secs(20);

/// Tables that are told of each kind at most.
const TOLD_MAX: usize = 100;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TablesAudit {
    /// How many tables were held against the ledger.
    pub compared: usize,
    /// What the ledger holds for tables more than these do, all together: 0, or chips were made (below 0) or lost.
    pub differences: BTreeMap<Currency, i64>,
    /// Where it does; some of them.
    pub wrong: Vec<(RoomId, Compared)>,
    /// How many there are.
    pub wrong_count: usize,
    /// Of which nothing is known, and why; some of them.
    pub unanswered: Vec<(RoomId, String)>,
    /// How many there are.
    pub unanswered_count: usize,
}

impl TablesAudit {
    fn take(&mut self, room: RoomId, found: Result<Vec<Compared>, String>) {
        match found {
            Ok(all) => {
                self.compared += 1;
                for compared in all {
                    *self.differences.entry(compared.currency).or_default() += compared.difference();
                    if compared.difference() == 0 {
                        continue;
                    }
                    tracing::error!(%room, ?compared, "the ledger and a table do not say the same");
                    self.wrong_count += 1;
                    if self.wrong.len() < TOLD_MAX {
                        self.wrong.push((room.clone(), compared));
                    }
                }
            }
            Err(why) => {
                self.unanswered_count += 1;
                if self.unanswered.len() < TOLD_MAX {
                    self.unanswered.push((room, why));
                }
            }
        }
    }
}

/// Metrics of an audit.
pub(super) fn tell(totals: &BTreeMap<Currency, Totals>, tables: &TablesAudit) {
    let sums = totals.values().filter(|totals| totals.sum() != 0).count();
    gauge!("cardhouse_ledger_wrong").set((sums + tables.wrong_count) as f64);
    gauge!("cardhouse_ledger_unanswered").set(tables.unanswered_count as f64);
    for (code, totals) in totals {
        let difference = tables.differences.get(code).copied().unwrap_or_default();
        gauge!("cardhouse_ledger_difference", "currency" => code.to_string()).set(difference as f64);
        gauge!("cardhouse_ledger_variance", "currency" => code.to_string()).set(totals.variance() as f64);
    }
    counter!("cardhouse_ledger_audits_total").increment(1);
}

impl People {
    /// Holds the ledger against the tables again and again, and tells what comes of it in metrics. What adds all balances up anew is left to staff: it
    /// takes as long as the ledger is large.
    pub async fn keep_audited(&self, every: Duration) {
        if self.floor.is_none() || !self.has_purses || every.is_zero() {
            return std::future::pending().await;
        }
        let auditor = UserId::new("house").expect("that is a name");
        loop {
            sleep(every).await;
            let told = async {
                let totals = self.tellers.read(totals).await?;
                Ok::<_, ApiError>((totals, self.audit_tables(&auditor).await?))
            };
            match told.await {
                Ok((totals, tables)) => tell(&totals, &tables.unwrap_or_default()),
                Err(error) => tracing::warn!(%error, "the ledger was not held against the tables"),
            }
        }
    }

    /// Holds the ledger against every table that it has ever heard of, which each does before chips come to it: also against what tables have left
    /// that are no more. `None` where no table can be asked.
    pub(super) async fn audit_tables(&self, staff: &UserId) -> Result<Option<TablesAudit>, ApiError> {
        let Some(floor) = &self.floor else { return Ok(None) };
        let tables = self.tellers.read(rooms).await?;
        let mut audit = TablesAudit::default();
        let until = Instant::now() + WITHIN;
        let asking = tables.into_iter().map(async |room| {
            let found = self.audit_table(floor, &room, staff, until).await;
            (room, found)
        });
        let mut asking = stream::iter(asking).buffer_unordered(AT_ONCE);
        while let Some((room, found)) = asking.next().await {
            audit.take(room, found);
        }
        audit.wrong.sort_by(|(one, _), (other, _)| one.cmp(other));
        audit.unanswered.sort();
        Ok(Some(audit))
    }

    /// One of them; or why nothing is known of it.
    async fn audit_table(
        &self,
        floor: &Floor,
        room: &RoomId,
        staff: &UserId,
        until: Instant,
    ) -> Result<Vec<Compared>, String> {
        let mut why = "it took too long to come to it".to_owned();
        for _ in 0..TRIES {
            if Instant::now() >= until {
                break;
            }
            // It was in the directory before it asked anything of the ledger, and has ended if it is not there any more.
            if floor.is_there(room).await == Ok(false) {
                let of = room.clone();
                let left = self.tellers.read(move |tx: &mut dyn Tx| left_behind(tx, &of)).await;
                return left.map_err(|error| error.to_string());
            }
            match floor.holdings(room, staff).await {
                Ok((at, holdings)) => {
                    let of = room.clone();
                    let work = move |tx: &mut dyn Tx| compare(tx, &of, at, &holdings);
                    match self.tellers.read(work).await {
                        Ok(Some(compared)) => return Ok(compared),
                        Ok(None) => why = "what a loss has left is being put right".to_owned(),
                        Err(error) => why = error.to_string(),
                    }
                }
                Err(unanswered @ NotAnswered::Refused(_)) => return Err(unanswered.to_string()),
                Err(silent) => why = silent.to_string(),
            }
            sleep(PAUSE).await;
        }
        Err(why)
    }
}
