//! What a relay consists of, and its running.

use std::{
    future::Future,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use broker::{
    bus::Subscription,
    members::{Heard, Members},
    node::Role,
    ports::Ports,
};
use ops::serve::{Pages, address::network};
use parking_lot::Mutex;
use protocol::{
    CloseCode,
    id::{NodeId, SessionId},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::{sync::mpsc, task::JoinSet, time::sleep};

use crate::{
    catalogue::Catalogue,
    condition::Condition,
    config::RelayConfig,
    drain::drain,
    hub::Hub,
    keys::Keys,
    lead::{Leading, Near},
    line::Line,
    lobby::Lobby,
    outgoing::{Outgoing, Waiting, publish},
    pass::serve_rooms,
    peer::Peer,
    questions::{DOUBTFUL_MAX, Question, look_up},
    registry::{Admission, Registry},
    room::Room,
    session::Session,
    switchboard::{Switchboard, listen},
    tend::tend_rooms,
    works::{self, Works},
};

/// How often connections are looked at.
const SWEEP: Duration = Duration::from_secs(1);

/// A relay. It accepts connections as soon as it is made; rooms come alive when it [runs](Relay::run).
pub struct Relay {
    pub(crate) works: Arc<Works>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) lobby: Arc<Lobby>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) pages: Pages,
    pub(crate) leading: Leading,
    rng: Mutex<StdRng>,
    ports: Ports,
    /// What running takes.
    queues: Mutex<Option<Queues>>,
    draining: AtomicBool,
    condition: Condition,
}

/// The ends of the relay's inner queues that its tasks take from.
struct Queues {
    outgoing: Waiting,
    tending: mpsc::UnboundedReceiver<Arc<Room>>,
    serving: mpsc::UnboundedReceiver<Arc<Room>>,
    doubtful: mpsc::Receiver<Question>,
}

impl Relay {
    /// A relay on these ports, which checks tokens with these keys.
    ///
    /// # Panics
    /// Never: the name that is made up is one.
    pub fn new(ports: Ports, config: RelayConfig, keys: Arc<Keys>) -> Arc<Self> {
        let mut rng = StdRng::seed_from_u64(config.seed.unwrap_or_else(rand::random));
        let node = config.node.clone().unwrap_or_else(|| {
            NodeId::new(&format!("relay-{:016x}", rng.next_u64())).expect("hexadecimal digits make a name")
        });
        let (outgoing, waiting) = Outgoing::new(ports.bus.clone(), config.publishes_max);
        let (tending, to_tend) = mpsc::unbounded_channel();
        let (serving, to_serve) = mpsc::unbounded_channel();
        let (doubtful, to_look_up) = mpsc::channel(DOUBTFUL_MAX);
        let lobby: Arc<Lobby> = Arc::default();
        let catalogue = Catalogue::new(lobby.clone());
        let pages = config.pages();
        let leading = Leading::new(config.pit.clone());
        let queues = works::Queues { tending, serving, doubtful };
        let works = Works::new(node, config, ports.clock, outgoing, catalogue, queues);
        Arc::new(Self {
            works: Arc::new(works),
            hub: Arc::default(),
            lobby,
            registry: Arc::default(),
            keys,
            pages,
            leading,
            rng: Mutex::new(rng),
            ports,
            queues: Mutex::new(Some(Queues {
                outgoing: waiting,
                tending: to_tend,
                serving: to_serve,
                doubtful: to_look_up,
            })),
            draining: AtomicBool::new(false),
            condition: Condition::default(),
        })
    }

    /// Its name among the nodes.
    pub fn node(&self) -> &NodeId {
        &self.works.node
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.registry.len()
    }

    /// How many rooms are followed.
    pub fn rooms(&self) -> usize {
        self.hub.len()
    }

    /// Whether the relay serves clients as it should, for readiness.
    ///
    /// # Errors
    /// What keeps it from that.
    pub fn is_well(&self) -> Result<(), String> {
        match self.troubles() {
            troubles if troubles.is_empty() => Ok(()),
            troubles => Err(troubles.join("; ")),
        }
    }

    /// What keeps the relay from serving clients as it should; nothing, when it is ready.
    pub fn troubles(&self) -> Vec<String> {
        let leaving = self.is_draining().then(|| "this relay is leaving".to_owned());
        let keyless = self.keys.is_empty().then(|| "there are no keys to check tokens with".to_owned());
        leaving.into_iter().chain(self.condition.troubles()).chain(keyless).collect()
    }

    /// The pages that may open a socket.
    pub fn pages(&self) -> &Pages {
        &self.pages
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// A connection from `address`; what its client says goes into the session, what it gets comes over `line`. It is here for the sake of a table,
    /// or for no one's.
    ///
    /// A connection too many is closed with [`CloseCode::TryAgainLater`].
    pub fn connect(self: &Arc<Self>, line: Line, address: IpAddr, near: Option<Near>) -> Session {
        let (now_ms, address) = (self.works.now_ms(), network(address));
        let admission = self.registry.admit(address, &self.works);
        let peer = Arc::new(Peer::new(line, address, near, &self.works.config, now_ms));
        let key = self.registry.enter(&peer, &self.works);
        if admission != Admission::Welcome || self.is_draining() {
            self.works.metrics.turned_away.increment(1);
            peer.close(CloseCode::TryAgainLater, "no room for more connections", now_ms);
        }
        Session::new(self.clone(), peer, key, now_ms)
    }

    pub(crate) fn new_session(&self) -> SessionId {
        SessionId::beginning(self.works.now_ms(), self.rng.lock().next_u32())
    }

    /// Runs until `shutdown`, then drains. Dropping the future ends all at once, as a crash would.
    ///
    /// # Panics
    /// When it is called twice.
    pub fn run(
        self: &Arc<Self>,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let queues = self.queues.lock().take().expect("a relay runs once");
        let relay = self.clone();
        async move {
            let pulled_plug = PulledPlug(relay.clone());
            let switchboard = Switchboard::new(&relay.hub, &relay.works, &relay.lobby, &relay.registry);
            let subscription: Arc<dyn Subscription> =
                relay.ports.bus.subscriber(Arc::new(switchboard)).into();
            let pace = relay.works.config.heartbeat;
            let (works, hub) = (relay.works.clone(), relay.hub.clone());
            let hear = move |heard: Heard| {
                works.catalogue.heard(&heard, &works.config, works.now_ms());
                if matches!(heard, Heard::MissedBy(_)) {
                    hub.tell_presences_soon();
                }
            };
            let members = Members::start(relay.ports.clone(), relay.node().clone(), Role::Relay, pace, hear);
            let mut tasks = relay.begin(queues, &subscription, &members);
            tokio::select! {
                biased;
                () = shutdown => {}
                Some(ended) = tasks.join_next() => match ended {
                    Ok(()) => unreachable!("the tasks of a relay have no end"),
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                },
            }
            relay.draining.store(true, Relaxed);
            members.set_draining(true);
            drain(&relay).await;
            if let Err(error) = members.leave().await {
                tracing::debug!(%error, "could not say goodbye");
            }
            drop(pulled_plug);
        }
    }

    fn begin(
        self: &Arc<Self>,
        queues: Queues,
        subscription: &Arc<dyn Subscription>,
        members: &Members,
    ) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        let Queues { outgoing, tending, serving, doubtful } = queues;
        let relay = self.clone();
        tasks.spawn(async move { publish(outgoing, &relay.works).await });
        let (relay, own) = (self.clone(), subscription.clone());
        tasks.spawn(async move {
            tend_rooms(tending, &relay.hub, &relay.works, &*relay.ports.store, &*own).await;
        });
        let relay = self.clone();
        tasks.spawn(async move { serve_rooms(serving, &relay.works).await });
        let relay = self.clone();
        tasks.spawn(async move {
            look_up(doubtful, &relay.registry, &relay.works, &*relay.ports.store).await;
        });
        let relay = self.clone();
        tasks.spawn(async move { relay.keys.follow(&relay.works.config, &relay.works.metrics).await });
        let relay = self.clone();
        tasks.spawn(async move {
            relay.works.revoked.follow(&relay.registry, &relay.works, &*relay.ports.store).await;
        });
        let (relay, own) = (self.clone(), subscription.clone());
        tasks.spawn(async move { listen(&*own, &relay.works).await });
        let relay = self.clone();
        tasks.spawn(async move { relay.registry.tell_sessions(&relay.works, &*relay.ports.bus).await });
        let relay = self.clone();
        tasks.spawn(async move { relay.works.attend_rooms().await });
        let relay = self.clone();
        tasks.spawn(async move { relay.sweep().await });
        let relay = self.clone();
        tasks.spawn(async move { relay.lobby.tell(&relay.works).await });
        let (relay, observed) = (self.clone(), members.observed());
        tasks.spawn(async move { relay.condition.follow(observed, &relay.registry).await });
        let (relay, membership) = (self.clone(), members.watch());
        tasks.spawn(async move { relay.leading.follow(membership, &relay.works).await });
        let (relay, membership) = (self.clone(), members.watch());
        tasks.spawn(async move { relay.works.follow_owners(membership).await });
        tasks
    }

    /// Looks at connections and at quiet rooms.
    async fn sweep(&self) {
        loop {
            sleep(SWEEP).await;
            self.registry.sweep(&self.works).await;
            self.hub.check_quiet(&self.works);
            if !self.is_draining() {
                self.tell_players();
            }
        }
    }

    /// Random numbers for spreading.
    pub(crate) fn random(&self) -> u64 {
        self.rng.lock().next_u64()
    }
}

/// Ends all connections when the relay's future goes.
struct PulledPlug(Arc<Relay>);

impl Drop for PulledPlug {
    fn drop(&mut self) {
        // Nobody serves newcomers any more.
        self.0.draining.store(true, Relaxed);
        for peer in self.0.registry.all() {
            peer.socket.abort();
        }
    }
}
