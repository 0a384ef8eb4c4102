//! An agency plays for whomever tables ask for: each once, in time, and no more of them than it can.

use std::sync::Arc;

use agents::{Agency, Plays};
use broker::{
    clock::Clock,
    queue::{Queue, maps::MapsQueue},
    store::memory::MemoryStore,
    wire::Wire,
};
use futures_util::future::BoxFuture;
use protocol::{
    hosted::AiLevel,
    id::{NodeId, RoomId, UserId},
};
use seats::{Job, QUEUE, Wanted};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
    time::{Duration, sleep, timeout},
};

/// Tells who is played for, and plays for ever.
struct Told(UnboundedSender<UserId>);

impl Plays for Told {
    fn play(&self, job: Job) -> BoxFuture<'static, ()> {
        self.0.send(job.wanted.user).unwrap();
        Box::pin(std::future::pending())
    }
}

struct World {
    queue: Arc<dyn Queue>,
    clock: Clock,
    told: UnboundedReceiver<UserId>,
    tells: UnboundedSender<UserId>,
}

impl World {
    fn new() -> Self {
        let node = NodeId::new("n").unwrap();
        let (clock, store) = (Clock::system(), MemoryStore::new(Wire::perfect(), &node));
        let (tells, told) = unbounded_channel();
        Self { queue: Arc::new(MapsQueue::new(Arc::new(store), clock, node)), clock, told, tells }
    }

    fn agency(&self, name: &str, most: usize) -> JoinSet<()> {
        let plays = Arc::new(Told(self.tells.clone()));
        let mut running = JoinSet::new();
        running.spawn(Agency::new(self.queue.clone(), plays, self.clock, name.into(), most).run());
        running
    }

    async fn asks(&self, user: &str, in_ms: u64) {
        let until_ms = self.clock.now_ms() + in_ms;
        let user = UserId::new(user).unwrap();
        let wanted = Wanted { user, name: "Ada easy".into(), level: AiLevel::Easy, until_ms };
        let job = Job { room: RoomId::new("t-x").unwrap(), wanted };
        self.queue.push(QUEUE, job.write().into()).await.unwrap();
    }

    async fn next(&mut self) -> Option<String> {
        let told = timeout(Duration::from_secs(30), self.told.recv()).await.ok()?;
        told.map(|user| user.to_string())
    }
}

#[tokio::test(start_paused = true)]
async fn each_is_played_for_by_one_agency_and_what_is_late_or_damaged_by_none() {
    let mut world = World::new();
    world.queue.push(QUEUE, b"?".as_slice().into()).await.unwrap();
    world.asks("bot-late", 0).await;
    let _agencies = (world.agency("a", 8), world.agency("b", 8));
    for user in ["bot-1", "bot-2", "bot-3"] {
        world.asks(user, 60_000).await;
        assert_eq!(world.next().await.as_deref(), Some(user));
    }
    assert_eq!(world.next().await, None);
    let lag = world.queue.lag(QUEUE).await.unwrap();
    assert_eq!((lag.waiting, lag.taken, lag.dead), (0, 0, 0), "what is taken is done");
}

#[tokio::test(start_paused = true)]
async fn what_one_cannot_play_another_does() {
    let mut world = World::new();
    let _first = world.agency("a", 2);
    for user in ["bot-1", "bot-2"] {
        world.asks(user, 60_000).await;
        assert_eq!(world.next().await.as_deref(), Some(user));
    }
    world.asks("bot-3", 600_000).await;
    assert_eq!(world.next().await, None);
    let _second = world.agency("b", 2);
    assert_eq!(world.next().await.as_deref(), Some("bot-3"));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(world.next().await, None);
}
