//! Running a room's errands: of each service the first that is open is asked until it is answered. So a service that is away, or refuses
//! what must be done, holds up what is asked of itself and nothing else.

use std::collections::BTreeMap;

use broker::entry::fingerprint;
use protocol::id::RoomId;
use tokio::time::{Duration, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, error};

use super::{
    Ended, Running,
    commit::{Became, With},
};
use crate::{
    counts::counter,
    planted::{Fault, is_planted},
    room::{
        Input,
        errands::{Answered, Ask, Errand, ErrandId, Outcome, TOLD_KEPT},
        mailbox::{Mail, Order},
    },
};

/// A service that does not answer in this time is asked again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Pauses between attempts: the first, and the longest. Give or take a fifth, so that not all rooms ask at once.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(4);

/// What must not be refused and was is asked again after so long.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);

/// Errands that are being done. Dropping one ends the asking: what the room does next, or who owns it then, asks again.
pub(super) type Asking = BTreeMap<ErrandId, AbortOnDropHandle<()>>;

/// Between 0.8 and 1.2, from room to room.
fn spread(room: &RoomId) -> f64 {
    let hash = fingerprint(room.as_str().as_bytes());
    0.8 + 0.4 * (hash >> 32) as f64 / f64::from(u32::MAX)
}

impl Running {
    /// Whether nothing is to be done outside any more.
    pub(super) fn errands_are_done(&self) -> bool {
        self.round.are_done(&self.state.errands)
    }

    /// Whether this is not settled yet though it is done: one of the last things that the service was told that is [told](Room::TELLS) what is finished,
    /// these `asks` among them.
    pub(super) fn stays_open(&self, id: ErrandId, asks: &[Ask]) -> bool {
        let Some(told) = self.kind.tells else { return false };
        let more = asks.iter().filter(|ask| ask.of == told).count();
        self.state.errands.last_of(told).take(TOLD_KEPT.saturating_sub(more)).any(|kept| kept == id)
    }

    /// Whether the room waits for that service.
    pub(super) fn is_unheard(&self) -> bool {
        let is_heard = |service| self.round.has_done(&self.state.errands, service);
        self.state.room.waits_to_be_heard()
            && !self.kind.tells.is_none_or(is_heard)
            && !is_planted(Fault::DealsUnheard)
    }

    /// Tells that service once more: what it was told may be lost with the rest of what the store has lost.
    pub(super) fn tell_again(&mut self) {
        if let Some(service) = self.kind.tells
            && !is_planted(Fault::TellsOnce)
        {
            self.round.ask_again(&self.state.errands, service);
            self.run_errands();
        }
    }

    /// Has the first errand of each service done that is open, unless it is being done already.
    pub(super) fn run_errands(&mut self) {
        let due = self.round.due(&self.state.errands);
        let new: Vec<Errand> = due.filter(|errand| !self.asking.contains_key(&errand.id)).cloned().collect();
        for errand in new {
            self.ask(errand, Duration::ZERO);
        }
    }

    fn ask(&mut self, errand: Errand, pause: Duration) {
        let (context, room, mailbox) = (self.context.clone(), self.id.clone(), self.mailbox.clone());
        let (id, spread, late_ms) = (errand.id, spread(&room), self.rail.delay_ms);
        let task = tokio::spawn(async move {
            sleep(pause).await;
            let mut pause = PAUSE_FIRST;
            loop {
                let why = match timeout(ANSWER_TIMEOUT, context.services.ask(&room, &errand, late_ms)).await {
                    Ok(Ok(outcome)) => return mailbox.order(Order::Outcome(id, outcome)),
                    Ok(Err(away)) => away.to_string(),
                    Err(_) => "no answer in time".to_owned(),
                };
                counter!("cardhouse_errands_repeated_total").increment(1);
                debug!(%room, errand = %id, why, "an errand is not done yet");
                sleep(pause.mul_f64(spread)).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        });
        self.asking.insert(id, AbortOnDropHandle::new(task));
    }

    /// An errand was answered.
    pub(super) async fn outcome(&mut self, id: ErrandId, outcome: Outcome) -> Result<(), Ended> {
        self.asking.remove(&id);
        match self.round.answered(&self.state.errands, id, &outcome) {
            Answered::Nothing => {}
            Answered::Decide(errand) => {
                let input = Input::Outcome { errand: &errand, outcome: &outcome };
                let with = With { settles: Some(id), ..With::default() };
                if matches!(self.decide_and_commit(input, with).await?, Became::Unwritten) {
                    self.held.push_back(Mail::Order(Order::Outcome(id, outcome)));
                    return Ok(());
                }
                counter!("cardhouse_errands_total").increment(1);
            }
            Answered::Done => counter!("cardhouse_errands_total").increment(1),
            Answered::AskAgain(errand) => {
                counter!("cardhouse_errands_refused_total").increment(1);
                error!(room = %self.id, errand = %id, of = %errand.ask.of, "an errand was refused that must be done: it is asked again");
                self.ask(errand, REFUSED_PAUSE);
            }
        }
        self.run_errands();
        Ok(())
    }
}
