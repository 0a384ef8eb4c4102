//! Who is asked for AI players: a queue, from which agencies take them; or nobody.

use std::sync::Arc;

use broker::queue::Queue;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use protocol::id::RoomId;
use rooms::room::errands::{Away, Errand, Outcome, Service};
use seats::{Job, QUEUE, read};

/// Puts what tables ask for into the queue. It is there twice when it is told twice: the second who comes finds somebody who plays.
pub struct Asking(Arc<dyn Queue>);

impl Asking {
    /// Into this queue.
    pub fn new(queue: Arc<dyn Queue>) -> Self {
        Self(queue)
    }
}

impl Service for Asking {
    fn ask(&self, room: &RoomId, errand: &Errand) -> BoxFuture<'_, Result<Outcome, Away>> {
        let jobs = read(&errand.ask.body).map(|wanted| {
            let job = |wanted| Job { room: room.clone(), wanted };
            wanted.into_iter().map(job).map(|job| Bytes::from(job.write())).collect::<Vec<_>>()
        });
        Box::pin(async move {
            // Asked by a later release: one of those that read it may do it.
            for job in jobs.map_err(|unread| Away(unread.to_string()))? {
                self.0.push(QUEUE, job).await.map_err(|unavailable| Away(unavailable.to_string()))?;
            }
            Ok(Outcome::Done(Bytes::new()))
        })
    }
}

/// Has no AI players, in a house without an agency.
pub struct Nobody;

impl Service for Nobody {
    fn ask(&self, _room: &RoomId, _errand: &Errand) -> BoxFuture<'_, Result<Outcome, Away>> {
        Box::pin(async { Ok(Outcome::Refused(Bytes::new())) })
    }
}
