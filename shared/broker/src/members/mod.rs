//! Which nodes live: every node beats on the channel of nodes and hears everybody, itself too.
//!
//! What comes out is for *when* to try, never for safety: the journal's fence decides who owns a room. Hearing
//! oneself through the real bus is what readiness means. A node that hears nobody, not even itself, is cut off: it calls
//! nobody dead, and once it hears again everybody gets a fresh term.

mod ears;
mod membership;

use std::{net::SocketAddr, sync::Arc};

use metrics::counter;
use tokio::{
    sync::{Notify, watch},
    time::{Duration, MissedTickBehavior, interval, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

use self::ears::Ears;
pub use self::membership::{Member, Membership};
use crate::{
    bus::{BusError, Subscription},
    channel::Channel,
    node::{NodeNews, Role, encode},
    ports::Ports,
    store::AppendError,
};
use protocol::id::NodeId;

/// The pace of beating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    beat_ms: u64,
    dead_after_ms: u64,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { beat_ms: 500, dead_after_ms: 2_000 }
    }
}

impl Heartbeat {
    /// A beat every `beat_ms`, made faster where it must be: at least four fit into `dead_after_ms`, after which a silent
    /// node is dead. `dead_after_ms` is at least 40.
    pub fn new(beat_ms: u64, dead_after_ms: u64) -> Self {
        let dead_after_ms = dead_after_ms.max(40);
        Self { beat_ms: beat_ms.clamp(10, dead_after_ms / 4), dead_after_ms }
    }

    /// Milliseconds between two beats.
    pub fn beat_ms(self) -> u64 {
        self.beat_ms
    }

    /// Milliseconds of silence after which a node is dead.
    pub fn dead_after_ms(self) -> u64 {
        self.dead_after_ms
    }

    fn beat(self) -> Duration {
        Duration::from_millis(self.beat_ms)
    }

    fn dead_after(self) -> Duration {
        Duration::from_millis(self.dead_after_ms)
    }

    /// Silence of *everybody* for so long means that we are cut off. Half the term, so that it is noticed before anybody's
    /// term ends.
    fn deaf_after(self) -> Duration {
        self.dead_after() / 2
    }
}

/// What a node is told of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Any news but beats, this node's own included.
    News(NodeNews),
    /// News may have been missed: look at the maps again.
    Missed,
    /// This node, whose beat says so, may have missed what others told its rooms, or has taken a node for dead that lives.
    MissedBy(NodeId),
}

/// What a node observes of its own connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// It has heard its own beat within the term.
    pub hears_itself: bool,
    /// Why the last probe of the store failed: whether it writes for a worker, whether it reads for a relay.
    pub store_trouble: Option<Arc<str>>,
}

impl Observed {
    /// At the very beginning.
    pub fn nothing_yet() -> Self {
        Self { hears_itself: false, store_trouble: Some("the store was not asked yet".into()) }
    }

    /// It hears itself, and the store does what it is for.
    pub fn is_ready(&self) -> bool {
        self.hears_itself && self.store_trouble.is_none()
    }
}

/// This node among the others. Dropping it ends its tasks without a word, as a crash would; see [`Members::leave`].
pub struct Members {
    ports: Ports,
    ears: Arc<Ears>,
    beat_now: Arc<Notify>,
    _beating: AbortOnDropHandle<()>,
    _probing: AbortOnDropHandle<()>,
}

impl Members {
    /// Begins to beat and to listen. `tell` is called from the bus's task and must not block.
    pub fn start(
        ports: Ports,
        me: NodeId,
        role: Role,
        pace: Heartbeat,
        tell: impl Fn(Heard) + Send + Sync + 'static,
    ) -> Self {
        let ears = Arc::new(Ears::new(me, role, pace, ports.bus.spares(), tell));
        let beat_now = Arc::new(Notify::new());
        let subscription = ports.bus.subscriber(ears.clone());
        let beating = beat(ports.clone(), ears.clone(), subscription, beat_now.clone());
        Self {
            _beating: AbortOnDropHandle::new(tokio::spawn(beating)),
            _probing: AbortOnDropHandle::new(tokio::spawn(probe(ports.clone(), ears.clone(), role))),
            ports,
            ears,
            beat_now,
        }
    }

    /// This node.
    pub fn me(&self) -> &NodeId {
        &self.ears.me
    }

    /// Who lives now.
    pub fn membership(&self) -> Arc<Membership> {
        self.ears.membership.borrow().clone()
    }

    /// Who lives, and every change of it.
    pub fn watch(&self) -> watch::Receiver<Arc<Membership>> {
        self.ears.membership.subscribe()
    }

    /// What this node observes of its own connections, and every change of it.
    pub fn observed(&self) -> watch::Receiver<Observed> {
        self.ears.observed.subscribe()
    }

    /// Publishes news to all nodes.
    ///
    /// # Errors
    /// [`BusError`]; the news may have gone out or not.
    pub async fn announce(&self, news: &NodeNews) -> Result<(), BusError> {
        self.ports.bus.publish(&Channel::nodes(), encode(news)).await
    }

    /// Tells all, from now on and at once, that this node is leaving (or staying after all).
    pub fn set_draining(&self, draining: bool) {
        self.ears.set_draining(draining);
        self.beat_now.notify_one();
    }

    /// To be called with where the edge reaches the relay that is one process with this node: all are told so, at once and with every beat.
    pub fn opens_at(&self) -> impl Fn(SocketAddr) + Send + Sync + 'static {
        let (ears, beat_now) = (self.ears.clone(), self.beat_now.clone());
        move |door| {
            if ears.set_door(door) {
                beat_now.notify_one();
            }
        }
    }

    /// To be called when something may have been lost that others told this node's rooms: all are told so, at once and with every beat, as
    /// [`Heard::MissedBy`].
    pub fn missed(&self) -> impl Fn() + Send + Sync + 'static {
        let (ears, beat_now) = (self.ears.clone(), self.beat_now.clone());
        move || {
            ears.note_missed();
            beat_now.notify_one();
        }
    }

    /// Says goodbye, so that nobody waits for a missed beat, and ends.
    ///
    /// # Errors
    /// [`BusError`]; the others will then miss the beats.
    pub async fn leave(self) -> Result<(), BusError> {
        let Self { ports, ears, _beating: beating, .. } = self;
        // No beat may follow the goodbye.
        drop(beating);
        let said =
            ports.bus.publish(&Channel::nodes(), encode(&NodeNews::Gone { node: ears.me.clone() })).await;
        ports.bus.flush().await;
        said
    }
}

async fn beat(ports: Ports, ears: Arc<Ears>, subscription: Box<dyn Subscription>, now: Arc<Notify>) {
    let nodes = Channel::nodes();
    let mut ticks = interval(ears.pace.beat());
    // After a pause (a stopped process) one beat is enough.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut subscribed = false;
    loop {
        tokio::select! { biased;
            () = now.notified() => {}
            _ = ticks.tick() => {}
        }
        // Nothing may hold up the judging of the others, so each step has its time.
        let step = ears.pace.beat();
        if !subscribed {
            subscribed = match timeout(step, subscription.subscribe(&nodes)).await {
                Ok(Ok(())) => true,
                Ok(Err(error)) => {
                    debug!(%error, "cannot listen to the nodes yet");
                    false
                }
                Err(_) => false,
            };
        }
        let beat = ears.next_beat(ports.clock.now_ms());
        match timeout(step, ports.bus.publish(&nodes, beat)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                counter!("cardhouse_beats_failed_total").increment(1);
                debug!(%error, "a beat was not sent");
            }
            Err(_) => counter!("cardhouse_beats_failed_total").increment(1),
        }
        ears.judge();
    }
}

/// Has the store do something small every two beats, as this node will have it do: workers write, relays read.
async fn probe(ports: Ports, ears: Arc<Ears>, role: Role) {
    let mut ticks = interval(ears.pace.beat() * 2);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let probe = async {
            match role {
                Role::Worker => ports.store.probe_writing().await,
                Role::Relay => ports.store.probe_reading().await.map_err(AppendError::from),
            }
        };
        let trouble = match timeout(ears.pace.dead_after(), probe).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => {
                let reason = match &error {
                    AppendError::Refused(why) => why.split_whitespace().next().unwrap_or_default(),
                    _ => "unreachable",
                };
                counter!("cardhouse_probes_failed_total", "reason" => reason.to_owned()).increment(1);
                Some(error.to_string().into())
            }
            Err(_) => {
                counter!("cardhouse_probes_failed_total", "reason" => "late").increment(1);
                Some("the store does not answer in time".into())
            }
        };
        ears.observe(|observed| observed.store_trouble = trouble);
    }
}
