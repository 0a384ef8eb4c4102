//! The ledger of a house in one process: its tables ask it directly.

use std::sync::Arc;

use broker::clock::Clock;
use bytes::Bytes;
use cage::ledger::Answer;
use futures_util::future::BoxFuture;
use money::Body as _;
use protocol::id::RoomId;
use reception::{People, cage_api};
use rooms::room::errands::{Away, Errand, Outcome, Service};

/// See the module.
pub(crate) struct Cashier {
    people: Arc<People>,
    clock: Clock,
}

impl Cashier {
    /// It keeps what people own beside the people.
    pub(crate) fn new(people: Arc<People>, clock: Clock) -> Self {
        Self { people, clock }
    }
}

impl Service for Cashier {
    fn ask(&self, room: &RoomId, errand: &Errand) -> BoxFuture<'_, Result<Outcome, Away>> {
        let (room, id, body) = (room.clone(), errand.id, errand.ask.body.clone());
        Box::pin(async move {
            match cage_api::answer(&self.people, self.clock.now_ms(), room, id, body).await {
                Ok(Answer::Done(what)) => Ok(Outcome::Done(Bytes::from(what))),
                Ok(Answer::Refused(why)) => Ok(Outcome::Refused(Bytes::from(why.write()))),
                Err(unanswered) => Err(Away(unanswered.to_string())),
            }
        })
    }
}
