//! The ledger of a house in one process: its tables ask it directly.

use std::sync::Arc;

use broker::clock::Clock;
use bytes::Bytes;
use cage::{
    Tx,
    ledger::{self, Answer},
};
use futures_util::future::BoxFuture;
use money::Body as _;
use protocol::id::RoomId;
use reception::People;
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
        let (about, errand) = (room.clone(), errand.clone());
        Box::pin(async move {
            let (now, room) = (self.clock.now_ms(), about.clone());
            let work = move |tx: &mut dyn Tx| ledger::answer(tx, now, &room, errand.id, &errand.ask.body);
            match self.people.tellers().write(about.as_str(), work).await {
                Ok(Answer::Done(what)) => Ok(Outcome::Done(Bytes::from(what))),
                Ok(Answer::Refused(why)) => Ok(Outcome::Refused(Bytes::from(why.write()))),
                // It is asked again: whether it was done is known then.
                Err(error) => Err(Away(error.to_string())),
            }
        })
    }
}
