//! Who plays for AI players in a simulated house: guests like others, who come when an agency has taken a table's job, and are gone when it dies.

use std::sync::{Arc, Weak};

use agents::{Plays, mind};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use player::Habits;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use seats::Job;
use tokio::{
    sync::Mutex as AsyncMutex,
    time::{Duration, Instant},
};

use super::{
    guest::{Guest, Stage, Whims},
    plan::Plan,
    planted::Planted,
    world::World,
};
use crate::judge::Shadow;

/// See the module.
pub(super) struct Agents {
    /// It has these.
    world: Weak<World>,
    shadow: Arc<AsyncMutex<Shadow>>,
    stage: Arc<Stage>,
    rng: Mutex<ChaCha8Rng>,
    takes_seats_back: bool,
}

impl Agents {
    pub(super) fn new(
        plan: &Plan,
        world: &Arc<World>,
        shadow: Arc<AsyncMutex<Shadow>>,
        stage: Arc<Stage>,
    ) -> Self {
        let rng = Mutex::new(ChaCha8Rng::seed_from_u64(plan.seed ^ 0xa9e9));
        let takes_seats_back = plan.planted == Some(Planted::TakesSeatsBack);
        Self { world: Arc::downgrade(world), shadow, stage, rng, takes_seats_back }
    }
}

impl Plays for Agents {
    fn play(&self, job: Job) -> BoxFuture<'static, ()> {
        let Some(world) = self.world.upgrade() else { return Box::pin(async {}) };
        let habits = Habits {
            think_min: Duration::from_millis(20),
            think_more: Duration::from_millis(300),
            chat: 0.0,
            leave: 0.0,
            // So soon it takes a seat back, if it is one that does.
            away: Duration::from_millis(500),
            ..Habits::default()
        };
        let seed: u64 = self.rng.lock().random();
        let user = job.wanted.user.clone();
        let mut mind = mind(&job, habits, seed, world.token(&user), Instant::now());
        if self.takes_seats_back {
            mind = mind.that_takes_seats_back();
        }
        let whims = Whims { naps: seed.is_multiple_of(4), is_sent_away: true, ..Whims::default() };
        let guest = Guest::new(user, Box::new(mind), whims, world, self.shadow.clone(), self.stage.clone());
        Box::pin(async move {
            guest.play().await;
        })
    }
}
