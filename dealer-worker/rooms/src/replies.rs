//! Answers that are not frames, on their way to relays. A reply that does not go out is asked for again by the relay's
//! retry, so the queue is bounded and what does not fit is dropped and counted.

use broker::{
    channel::Channel,
    entry::Cause,
    node::{ToRelay, encode},
    ports::Ports,
};
use bytes::Bytes;
use metrics::counter;
use protocol::id::{Epoch, NodeId, Position, RoomId, SessionId, UserId};
use tokio::{sync::mpsc, task::JoinSet};

/// How many replies wait to be sent at most.
const QUEUE_REPLIES_MAX: usize = 4_096;

/// How many are on their way to the broker at once.
const IN_FLIGHT_MAX: usize = 64;

/// Where replies are put. Cheap to clone.
#[derive(Clone)]
pub struct Replies {
    queue: mpsc::Sender<(Channel, Bytes)>,
}

/// The other end.
pub struct Outgoing {
    queue: mpsc::Receiver<(Channel, Bytes)>,
}

impl Replies {
    /// Both ends.
    pub fn new() -> (Self, Outgoing) {
        let (sender, receiver) = mpsc::channel(QUEUE_REPLIES_MAX);
        (Self { queue: sender }, Outgoing { queue: receiver })
    }

    /// The command was refused in this epoch of the room; `body` is the whole message.
    pub fn refused(&self, relay: &NodeId, room: &RoomId, epoch: Epoch, cause: &Cause, body: Bytes) {
        let Cause { user, session, n, .. } = cause.clone();
        self.send(relay, &ToRelay::Refused { user, session, n, room: room.clone(), body, epoch });
    }

    /// The command was applied earlier.
    pub fn applied(
        &self,
        relay: &NodeId,
        room: &RoomId,
        user: UserId,
        session: SessionId,
        n: u64,
        at: Position,
    ) {
        self.send(relay, &ToRelay::Applied { user, session, n, room: room.clone(), at });
    }

    /// Something to know for one session; `body` is the whole message.
    pub fn notice(&self, relay: &NodeId, room: &RoomId, user: UserId, session: SessionId, body: Bytes) {
        self.send(relay, &ToRelay::Notice { user, session, room: room.clone(), body });
    }

    /// An answer to a question, or why there is none; `body` is the whole message.
    pub fn answer(&self, relay: &NodeId, user: UserId, session: SessionId, body: Bytes) {
        self.send(relay, &ToRelay::Answer { user, session, body });
    }

    /// A session is at another relay too, or has moved there.
    pub fn elsewhere(&self, relay: &NodeId, user: UserId, session: SessionId) {
        self.send(relay, &ToRelay::Elsewhere { user, session });
    }

    /// Which viewers have a place: those who have none, and whether that is because there are no more.
    pub fn places(
        &self,
        relay: &NodeId,
        room: RoomId,
        epoch: Epoch,
        round: u64,
        (without, is_full): (Vec<u32>, bool),
    ) {
        self.send(relay, &ToRelay::Places { room, epoch, round, without, is_full });
    }

    fn send(&self, relay: &NodeId, message: &ToRelay) {
        if self.queue.try_send((Channel::replies(relay), encode(message))).is_err() {
            counter!("cardhouse_replies_dropped_total").increment(1);
        }
    }
}

impl Outgoing {
    /// Sends replies until all senders have gone.
    pub async fn run(mut self, ports: Ports) {
        let mut in_flight = JoinSet::new();
        while let Some((channel, payload)) = self.queue.recv().await {
            while in_flight.try_join_next().is_some() {}
            if in_flight.len() >= IN_FLIGHT_MAX {
                in_flight.join_next().await;
            }
            let bus = ports.bus.clone();
            in_flight.spawn(async move {
                if bus.publish_near(&channel, payload).await.is_err() {
                    counter!("cardhouse_replies_dropped_total").increment(1);
                }
            });
        }
    }
}
