//! Who hears of hands that are over: a queue, from which receptions write them down; or nobody.

use std::sync::Arc;

use broker::{
    queue::Queue,
    seal::{Form, Sealer},
};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use hands::{QUEUE, Sent};
use protocol::id::RoomId;
use rooms::room::errands::{Away, Errand, Outcome, Service};

/// Puts hands into the queue. It is there twice when it is told twice: what is written down has a name.
pub struct Recording {
    queue: Arc<dyn Queue>,
    sealer: Arc<Sealer>,
}

impl Recording {
    /// Into this queue, sealed as records of journals are.
    pub fn new(queue: Arc<dyn Queue>, sealer: Arc<Sealer>) -> Self {
        Self { queue, sealer }
    }
}

impl Service for Recording {
    fn ask(&self, room: &RoomId, errand: &Errand) -> BoxFuture<'_, Result<Outcome, Away>> {
        self.ask_late(room, errand, 0)
    }

    fn ask_late(&self, room: &RoomId, errand: &Errand, late_ms: u32) -> BoxFuture<'_, Result<Outcome, Away>> {
        let at = errand.id.at;
        let sealed = self.sealer.seal(room, at, Form::Versioned, &errand.ask.body);
        let message = Sent { room: room.clone(), at, sealed, late_ms }.write();
        Box::pin(async move {
            match self.queue.push(QUEUE, message).await {
                Ok(()) => Ok(Outcome::Done(Bytes::new())),
                Err(unavailable) => Err(Away(unavailable.to_string())),
            }
        })
    }
}

/// Keeps no hands, in a house that has nowhere to write them.
pub struct Nobody;

impl Service for Nobody {
    fn ask(&self, _room: &RoomId, _errand: &Errand) -> BoxFuture<'_, Result<Outcome, Away>> {
        Box::pin(async { Ok(Outcome::Done(Bytes::new())) })
    }
}
