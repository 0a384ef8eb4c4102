//! Tables of which nothing is left: their players are paid at the last hand that was written down ([`ledger::settle`]).
//!
//! A table that begins anew says so to the ledger before anything else, and is settled by that. Its last hands may wait to be written down still,
//! so it is asked to come again until they are, a minute at most. A table that nobody opens anew is settled by staff, who say why.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use broker::{questions::NotAnswered, queue::Queue};
use cage::{
    Tx,
    ledger::{self, Settlement, settle},
};
use hands::QUEUE;
use money::{Ask, Body as _};
use parking_lot::Mutex;
use protocol::{
    id::{ErrandId, Position, RoomId},
    time::UnixMs,
};
use tokio::time::{Instant, sleep};

use super::{
    Asker, Caller, People,
    ledger::CAGE,
    staff::{Told, may},
};
use crate::error::ApiError;

/// So long is waited for hands that are not written down. Whatever comes later does not count for who was paid.
const HANDS_WITHIN: Duration = Duration::from_secs(60);

/// Tables that wait at once are remembered; with more of them the wait is over for the first.
const WAITING_MAX: usize = 4_096;

/// A table that has asked the ledger less than this ago may be there, though nobody knows of it at the moment.
const ASKED_MS: UnixMs = 60_000;

/// A table is asked so often whether it is there.
const TRIES: u32 = 3;

/// After a pause.
const PAUSE: Duration = Duration::from_millis(200);

/// The queue, and since when which tables wait.
#[derive(Default)]
pub(super) struct Settling {
    hands: Option<Arc<dyn Queue>>,
    waiting: Mutex<BTreeMap<RoomId, Instant>>,
}

impl Settling {
    /// With hands that wait in this queue.
    pub(super) fn behind(hands: Arc<dyn Queue>) -> Self {
        Self { hands: Some(hands), ..Self::default() }
    }

    /// Whether all hands of a table are written down, as far as they ever will be.
    async fn has_all_hands(&self, room: &RoomId) -> bool {
        let Some(hands) = &self.hands else { return true };
        let is_worked_off = hands.lag(QUEUE).await.is_ok_and(|lag| lag.waiting + lag.taken == 0);
        let mut waiting = self.waiting.lock();
        if waiting.len() >= WAITING_MAX {
            waiting.pop_first();
        }
        let since = *waiting.entry(room.clone()).or_insert_with(Instant::now);
        let is_over = since.elapsed() >= HANDS_WITHIN;
        if is_over && !is_worked_off {
            tracing::error!(%room, "hands of a lost table may wait still, and it is settled without them");
        }
        if is_over || is_worked_off {
            waiting.remove(room);
        }
        is_over || is_worked_off
    }
}

/// What an errand settles, if it does.
pub(crate) enum Settles {
    /// Nothing.
    Nothing,
    /// A table of which nothing is left.
    ATable,
    /// One whose last hands are not written down: it is to come again.
    NotYet,
}

impl People {
    /// Whether an errand is that of a table that begins anew, and has been another before.
    ///
    /// # Errors
    /// Of the database.
    pub(crate) async fn settles(
        &self,
        room: &RoomId,
        id: ErrandId,
        body: &[u8],
    ) -> Result<Settles, cage::DbError> {
        match Ask::read(body) {
            Ok(Ask::Cut { follows }) if follows == Position::default() => {}
            _ => return Ok(Settles::Nothing),
        }
        let (of, epoch) = (room.clone(), id.at.epoch().0);
        let is_due = move |tx: &mut dyn Tx| settle::is_due(tx, &of, epoch);
        Ok(match self.tellers.read(is_due).await? {
            false => Settles::Nothing,
            true if self.settling.has_all_hands(room).await => Settles::ATable,
            true => Settles::NotYet,
        })
    }

    /// Pays everybody of a table that is known by nobody any more.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`], [`ApiError::NotFound`] when the ledger has never heard of it, [`ApiError::TableLives`] when it may be there.
    pub async fn settle_table(
        &self,
        caller: &Caller,
        room: &RoomId,
        reason: &str,
        asker: &Asker,
    ) -> Result<Settlement, ApiError> {
        may(caller, CAGE)?;
        let (of, now) = (room.clone(), self.now());
        let last = self.tellers.read(move |tx: &mut dyn Tx| settle::last_asked_ms(tx, &of)).await?;
        let last = last.ok_or(ApiError::NotFound)?;
        if last.saturating_add(ASKED_MS) > now {
            return Err(ApiError::TableLives("it has asked the ledger less than a minute ago"));
        }
        self.is_known_by_nobody(caller, room).await?;
        if !self.settling.has_all_hands(room).await {
            return Err(ApiError::TableLives("hands wait to be written down; they may be its last"));
        }
        let (of, staff) = (room.clone(), caller.person.id.clone());
        let mut told = Told::did("settled", reason, asker);
        let work = move |tx: &mut dyn Tx| {
            let settled = ledger::settle(tx, now, &of)?;
            if let Some(settled) = &settled {
                told.detail = settled.to_string();
                told.by(&staff, Some(of.as_str())).tell(tx, now)?;
            }
            Ok(settled)
        };
        self.tellers.write(room.as_str(), work).await?.ok_or(ApiError::NotFound)
    }

    /// Neither the directory has it, nor does anybody answer for it.
    async fn is_known_by_nobody(&self, caller: &Caller, room: &RoomId) -> Result<(), ApiError> {
        let Some(floor) = &self.floor else {
            return Err(ApiError::TableLives("this reception reaches no tables, so nobody knows"));
        };
        for _ in 0..TRIES {
            match floor.is_there(room).await {
                Ok(false) => {}
                Ok(true) => return Err(ApiError::TableLives("it is in the directory")),
                Err(_) => return Err(ApiError::TableLives("the directory does not answer")),
            }
            match floor.holdings(room, &caller.person.id).await {
                Err(NotAnswered::Silent) => {}
                Ok(_) | Err(NotAnswered::Refused(_)) => {
                    return Err(ApiError::TableLives("it answers"));
                }
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }
}
