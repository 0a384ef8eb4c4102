//! Asking rooms what they answer from their committed state, from beside the relays: what reception asks of tables.
//!
//! The question takes the way of a client's, and so does the answer. Reception is no node, as in [`parts`](crate::parts): rooms answer whoever asks.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use parking_lot::Mutex;
use protocol::{
    ClientOut,
    id::{Epoch, NodeId, Position, RoomId, SessionId, UserId},
};
use tokio::{
    sync::oneshot,
    time::{Duration, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    bus::Receiver,
    channel::Channel,
    node::{Asked, ToRelay, ToRoom, decode, encode},
    ports::Ports,
};

/// A room that is heard of by somebody has so long to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// A question that is lost is asked again after so long; it changes nothing.
const AGAIN: Duration = Duration::from_millis(400);

/// Between two tries to listen.
const LISTEN_AGAIN: Duration = Duration::from_millis(500);

/// Asks rooms: what reception holds. Dropping it ends its listening.
pub struct Questions {
    ports: Ports,
    me: NodeId,
    session: SessionId,
    ears: Arc<Ears>,
    next: AtomicU64,
    _listening: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Ears {
    open: Mutex<BTreeMap<u64, oneshot::Sender<Answer>>>,
}

/// What a room says: up to which frame it is right, and the JSON text; or why not.
type Answer = Result<(Position, Box<str>), NotAnswered>;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnswered {
    /// Nobody has said anything in time: nobody has the room at the moment, or it is out of reach.
    #[error("nobody answers")]
    Silent,
    /// The room does not answer such a question, or not now.
    #[error("{0}")]
    Refused(String),
}

impl Questions {
    /// Begins to listen. `me` is a name that no node and no other reception has. Must be called within a runtime.
    pub fn start(ports: Ports, me: NodeId) -> Self {
        let ears = Arc::new(Ears::default());
        let subscription = ports.bus.subscriber(ears.clone());
        let channel = Channel::replies(&me);
        let listening = tokio::spawn(async move {
            while subscription.subscribe(&channel).await.is_err() {
                sleep(LISTEN_AGAIN).await;
            }
            // It listens as long as the subscription is held.
            std::future::pending::<()>().await;
            drop(subscription);
        });
        let session = SessionId(rand::random());
        let next = AtomicU64::new(1);
        Self { ports, me, session, ears, next, _listening: AbortOnDropHandle::new(listening) }
    }

    /// Asks a room as this user.
    ///
    /// # Errors
    /// [`NotAnswered`], in a bounded time.
    pub async fn ask(&self, room: &RoomId, user: &UserId, question: Bytes) -> Answer {
        let n = self.next.fetch_add(1, Relaxed);
        let (heard, answer) = oneshot::channel();
        self.ears.open.lock().insert(n, heard);
        let what = Asked::Question { user: user.clone(), session: self.session, n, body: question };
        let message = encode(&ToRoom { epoch: Epoch::default(), relay: self.me.clone(), what });
        let asking = async {
            loop {
                // Whoever is not reached is asked again.
                let _ = self.ports.bus.publish(&Channel::commands(room), message.clone()).await;
                sleep(AGAIN).await;
            }
        };
        let answered = async {
            tokio::select! {
                answer = answer => answer.unwrap_or(Err(NotAnswered::Silent)),
                () = asking => Err(NotAnswered::Silent),
            }
        };
        let answered = timeout(ANSWER_WITHIN, answered).await.unwrap_or(Err(NotAnswered::Silent));
        self.ears.open.lock().remove(&n);
        answered
    }
}

impl Receiver for Ears {
    fn deliver(&self, _: &str, payload: Bytes) {
        let Ok(ToRelay::Answer { body, .. }) = decode(&payload) else { return };
        let (n, answer) = match serde_json::from_slice(&body) {
            Ok(ClientOut::Answer { n, at, body, .. }) => (n, Ok((at, body.get().into()))),
            Ok(ClientOut::Unanswered { n, message, .. }) => (n, Err(NotAnswered::Refused(message))),
            _ => return,
        };
        // Of several answers to a question that was asked again the first counts.
        if let Some(waits) = self.open.lock().remove(&n) {
            let _ = waits.send(answer);
        }
    }

    // What was missed is asked again.
    fn missed(&self) {}
}

#[cfg(test)]
mod tests {
    use protocol::RefusalCode;
    use serde_json::value::RawValue;
    use tokio::time::Instant;

    use super::*;
    use crate::{
        bus::{Bus as _, Subscription, memory::MemoryBus},
        clock::Clock,
        store::memory::MemoryStore,
        wire::Wire,
    };

    /// A room that hears every other question, and answers in its way.
    struct Room {
        bus: MemoryBus,
        heard: AtomicU64,
        refuses: bool,
    }

    impl Receiver for Room {
        fn deliver(&self, _: &str, payload: Bytes) {
            let ToRoom { relay, what, .. } = decode(&payload).unwrap();
            let Asked::Question { user, session, n, body } = what else { panic!("{what:?}") };
            assert_eq!((&body[..], user.as_str()), (&b"{}"[..], "ann"));
            if self.heard.fetch_add(1, Relaxed).is_multiple_of(2) {
                return;
            }
            let room = RoomId::new("t1").unwrap();
            let (code, message) = (RefusalCode::BadQuestion, "what is that".to_owned());
            let answer = match self.refuses {
                true => ClientOut::Unanswered { n, room, code, message, retry_after_ms: None },
                false => {
                    let body = RawValue::from_string(r#"{"chips":7}"#.into()).unwrap();
                    ClientOut::Answer { n, room, at: Position::new(3, 9), body }
                }
            };
            let body = serde_json::to_vec(&answer).unwrap().into();
            let told = encode(&ToRelay::Answer { user, session, body });
            tokio::spawn(self.bus.publish(&Channel::replies(&relay), told));
        }

        fn missed(&self) {}
    }

    async fn world(refuses: Option<bool>) -> (Questions, Vec<Box<dyn Subscription>>) {
        let wire = Wire::perfect();
        let me = NodeId::new("reception-1").unwrap();
        let bus = MemoryBus::new(wire.clone(), &me);
        let store = Arc::new(MemoryStore::new(wire, &me));
        let ports = Ports { bus: Arc::new(bus.clone()), store, clock: Clock::starting_at(1) };
        let mut rooms = Vec::new();
        if let Some(refuses) = refuses {
            let bus = bus.handle(&NodeId::new("w1").unwrap());
            let room = Room { bus: bus.clone(), heard: AtomicU64::new(0), refuses };
            let subscription = bus.subscriber(Arc::new(room));
            subscription.subscribe(&Channel::commands(&RoomId::new("t1").unwrap())).await.unwrap();
            rooms.push(subscription);
        }
        let questions = Questions::start(ports, me);
        sleep(Duration::from_millis(1)).await;
        (questions, rooms)
    }

    async fn ask(questions: &Questions) -> Answer {
        let (room, user) = (RoomId::new("t1").unwrap(), UserId::new("ann").unwrap());
        questions.ask(&room, &user, Bytes::from_static(b"{}")).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_that_is_lost_is_asked_again_and_the_answer_says_up_to_where_it_is_right() {
        let (questions, _rooms) = world(Some(false)).await;
        assert_eq!(ask(&questions).await, Ok((Position::new(3, 9), r#"{"chips":7}"#.into())));
        assert!(questions.ears.open.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn why_a_room_does_not_answer_is_told_and_a_silent_one_is_waited_for_for_a_bounded_time() {
        let (questions, _rooms) = world(Some(true)).await;
        assert_eq!(ask(&questions).await, Err(NotAnswered::Refused("what is that".into())));
        let (questions, _) = world(None).await;
        let began = Instant::now();
        assert_eq!(ask(&questions).await, Err(NotAnswered::Silent));
        assert_eq!(began.elapsed(), ANSWER_WITHIN);
        assert!(questions.ears.open.lock().is_empty(), "nothing of a question stays");
    }
}
