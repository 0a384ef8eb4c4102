//! The rooms that this worker owns, is about to own, or hands over; and those that it could not take over.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use metrics::counter;
use protocol::id::{Epoch, NodeId, RoomId, UserId};
use tokio::{
    sync::Semaphore,
    task::{self, JoinError, JoinSet},
    time::{Duration, Instant},
};
use tracing::{debug, error};

use crate::{
    context::Context,
    room::{
        chance::Chance,
        mailbox::{Mailbox, Order},
        runtime::{Ended, Start},
        takeover::NotTaken,
    },
};

/// See the module.
pub struct Tenancy {
    context: Arc<Context>,
    chance: Chance,
    running: BTreeMap<RoomId, Tenant>,
    tasks: JoinSet<Ended>,
    /// Which room a task runs. Only ever asked by id, never walked.
    rooms_of_tasks: HashMap<task::Id, RoomId>,
    claims: Arc<Semaphore>,
    hand_overs: usize,
    retries: BTreeMap<RoomId, Retry>,
}

/// A room that this worker owns or is about to.
struct Tenant {
    mailbox: Arc<Mailbox>,
    /// It was told to go, to this worker.
    going: Option<Option<NodeId>>,
    stays_until: Instant,
}

/// A room that could not be taken over.
struct Retry {
    at: Instant,
    pause: Duration,
}

/// What became of a room's task.
#[derive(Debug, PartialEq, Eq)]
pub enum Left {
    /// It was let go of in this epoch, for this worker.
    LetGo(Epoch, Option<NodeId>),
    /// Another worker has it, since this epoch.
    ToSomebody(Epoch),
    /// It has ended in this epoch, and is in no map.
    Over(Epoch),
    /// There is no such room.
    Nowhere,
    /// It could not be taken over, or has failed, and is to be tried again.
    Failed,
}

impl Tenancy {
    /// No rooms yet.
    pub fn new(context: Arc<Context>, chance: Chance) -> Self {
        Self {
            claims: Arc::new(Semaphore::new(context.config.bounds.claims_max.max(1))),
            context,
            chance,
            running: BTreeMap::new(),
            tasks: JoinSet::new(),
            rooms_of_tasks: HashMap::new(),
            hand_overs: 0,
            retries: BTreeMap::new(),
        }
    }

    /// How many rooms it has.
    pub fn len(&self) -> usize {
        self.running.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// The rooms it has.
    pub fn rooms(&self) -> impl Iterator<Item = &RoomId> {
        self.running.keys()
    }

    /// Whether it has a room.
    pub fn has(&self, room: &RoomId) -> bool {
        self.running.contains_key(room)
    }

    /// Whether a room that it has was told to go, and until when it stays at least.
    pub fn stay(&self, room: &RoomId) -> Option<(bool, Instant)> {
        self.running.get(room).map(|tenant| (tenant.going.is_some(), tenant.stays_until))
    }

    /// Before this a room is not tried again.
    pub fn retry_at(&self, room: &RoomId) -> Option<Instant> {
        self.retries.get(room).map(|retry| retry.at)
    }

    /// The rooms in which this user has a part, and whether that is known of all.
    pub fn parts_of(&self, user: &UserId) -> (Vec<RoomId>, bool) {
        let (mut rooms, mut is_sure) = (Vec::new(), true);
        for (room, tenant) in &self.running {
            match tenant.mailbox.is_member(user) {
                Some(true) => rooms.push(room.clone()),
                Some(false) => {}
                None => is_sure = false,
            }
        }
        (rooms, is_sure)
    }

    /// Gives an order to a room, if it has it.
    pub fn order(&self, room: &RoomId, order: Order) {
        if let Some(tenant) = self.running.get(room) {
            tenant.mailbox.order(order);
        }
    }

    /// Gives an order to all rooms.
    pub fn order_all(&self, order: &Order) {
        self.running.values().for_each(|tenant| tenant.mailbox.order(order.clone()));
    }

    /// The room is not to be tried again.
    pub fn forget(&mut self, room: &RoomId) {
        self.retries.remove(room);
    }

    /// Takes a room over, or finds out that it cannot.
    pub fn claim(&mut self, room: RoomId, believed: Epoch, stays_until: Instant) {
        let mailbox = Arc::new(Mailbox::default());
        let start = (self.context.clone(), room.clone(), mailbox.clone(), self.chance.split());
        let claims = self.claims.clone();
        let task = self.tasks.spawn(async move {
            let permit = claims.acquire_owned().await.expect("the semaphore is never closed");
            let (context, room, mailbox, chance) = start;
            let kinds = context.kinds.clone();
            kinds.run(Start { context, room, believed, mailbox, chance, permit }).await
        });
        self.rooms_of_tasks.insert(task.id(), room.clone());
        self.running.insert(room, Tenant { mailbox, going: None, stays_until });
    }

    /// Whether one room more may be handed over now.
    pub fn may_let_go(&self) -> bool {
        self.hand_overs < self.context.config.bounds.hand_overs_max.max(1)
    }

    /// Tells a room to go.
    pub fn let_go(&mut self, room: &RoomId, to: Option<NodeId>) {
        let Some(tenant) = self.running.get_mut(room) else { return };
        tenant.going = Some(to.clone());
        tenant.mailbox.order(Order::LetGo { to });
        self.hand_overs += 1;
    }

    /// The next room whose task has ended, and what became of it; `None` if there is no room.
    pub async fn next_left(&mut self) -> Option<(RoomId, Left)> {
        loop {
            let ended = self.tasks.join_next_with_id().await?;
            if let Some(left) = self.left(ended) {
                return Some(left);
            }
        }
    }

    fn left(&mut self, ended: Result<(task::Id, Ended), JoinError>) -> Option<(RoomId, Left)> {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, Ok(ended)),
            Err(error) => (error.id(), Err(error)),
        };
        let room = self.rooms_of_tasks.remove(&id)?;
        let going = self.running.remove(&room).and_then(|tenant| tenant.going);
        if going.is_some() {
            self.hand_overs -= 1;
        }
        let left = match ended {
            Ok(Ended::LetGo(epoch)) => {
                self.retries.remove(&room);
                Left::LetGo(epoch, going.flatten())
            }
            Ok(Ended::Fenced(epoch)) => Left::ToSomebody(epoch),
            Ok(Ended::Over { epoch, is_buried: true }) => Left::Over(epoch),
            Ok(Ended::Over { is_buried: false, .. }) => {
                self.try_later(&room);
                Left::Failed
            }
            Ok(Ended::NotTaken(NotTaken::Lost(epoch))) => {
                debug!(%room, epoch = epoch.0, "another worker was faster");
                counter!("cardhouse_claims_lost_total").increment(1);
                Left::ToSomebody(epoch)
            }
            Ok(Ended::NotTaken(NotTaken::Unknown)) => {
                debug!(%room, "there is no such room");
                Left::Nowhere
            }
            Ok(Ended::NotTaken(why)) => {
                error!(%room, %why, "cannot take the room over");
                self.try_later(&room);
                Left::Failed
            }
            Err(error) => {
                error!(%room, %error, "the room's task has failed");
                counter!("cardhouse_rooms_failed_total").increment(1);
                self.context.board.remove(&room);
                self.try_later(&room);
                Left::Failed
            }
        };
        Some((room, left))
    }

    fn try_later(&mut self, room: &RoomId) {
        counter!("cardhouse_claims_failed_total").increment(1);
        let config = &self.context.config;
        let first = Duration::from_millis(config.bounds.claim_retry_ms);
        let most = Duration::from_millis(config.bounds.claim_retry_max_ms);
        let pause = self.retries.get(room).map_or(first, |retry| (retry.pause * 2).min(most));
        self.retries.insert(room.clone(), Retry { at: Instant::now() + pause, pause });
    }
}
