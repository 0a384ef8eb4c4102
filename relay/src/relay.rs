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
    channel::Channel,
    lobby::LobbyNews,
    members::{Heard, Members, Membership, Observed},
    node::{Role, SessionNews, encode},
    ports::Ports,
};
use ops::serve::{Pages, address::network};
use parking_lot::Mutex;
use protocol::{
    ClientOut, CloseCode,
    client_out::NoticeCode,
    id::{NodeId, SessionId},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{
    catalogue::Catalogue,
    config::RelayConfig,
    drain::drain,
    hub::{Hub, Switchboard, serve_rooms, tend_rooms},
    keys::Keys,
    line::Line,
    lobby::Lobby,
    outgoing::{Outgoing, Waiting, publish},
    peer::{Peer, frame},
    questions::{DOUBTFUL_MAX, Question, look_up},
    registry::{Admission, Registry},
    room::Room,
    session::Session,
    works::{self, Works},
};

/// How often rooms that need attention are looked at: how exact the pauses between retries are.
const ATTENTION: Duration = Duration::from_millis(50);

/// How often connections are looked at.
const SWEEP: Duration = Duration::from_secs(1);

/// The other relays are told of so many sessions in one message at most.
const SESSIONS_TOLD_MAX: usize = 512;

/// How often a subscription that every relay needs, or a message to all of them, is tried again.
const SUBSCRIBE_AGAIN: Duration = Duration::from_millis(250);

/// A relay. It accepts connections as soon as it is made; rooms come alive when it [runs](Relay::run).
pub struct Relay {
    pub(crate) works: Arc<Works>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) lobby: Arc<Lobby>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) pages: Pages,
    rng: Mutex<StdRng>,
    ports: Ports,
    /// What running takes.
    queues: Mutex<Option<Queues>>,
    draining: AtomicBool,
    /// What the running relay observes of its connections.
    observed: watch::Sender<Observed>,
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
        let queues = works::Queues { tending, serving, doubtful };
        let works = Works::new(node, config, ports.clock, outgoing, catalogue, queues);
        Arc::new(Self {
            works: Arc::new(works),
            hub: Arc::default(),
            lobby,
            registry: Arc::default(),
            keys,
            pages,
            rng: Mutex::new(rng),
            ports,
            queues: Mutex::new(Some(Queues {
                outgoing: waiting,
                tending: to_tend,
                serving: to_serve,
                doubtful: to_look_up,
            })),
            draining: AtomicBool::new(false),
            observed: watch::Sender::new(Observed::nothing_yet()),
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

    /// What keeps the relay from serving clients as it should; nothing, when it is ready.
    pub fn troubles(&self) -> Vec<String> {
        let Observed { hears_itself, store_trouble } = self.observed.borrow().clone();
        let troubles = [
            (self.is_draining(), "this relay is leaving"),
            (!hears_itself, "its own heartbeat does not come back through the bus"),
            (store_trouble.is_some(), store_trouble.as_deref().unwrap_or_default()),
            (self.keys.is_empty(), "there are no keys to check tokens with"),
        ];
        troubles.into_iter().filter(|(is, _)| *is).map(|(_, what)| what.to_owned()).collect()
    }

    /// The pages that may open a socket.
    pub fn pages(&self) -> &Pages {
        &self.pages
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// A connection from `address`; what its client says goes into the session, what it gets comes over `line`.
    ///
    /// A connection too many is closed with [`CloseCode::TryAgainLater`].
    pub fn connect(self: &Arc<Self>, line: Line, address: IpAddr) -> Session {
        let (now_ms, address) = (self.works.now_ms(), network(address));
        let admission = self.registry.admit(address, &self.works);
        let peer = Arc::new(Peer::new(line, address, &self.works.config, now_ms));
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
            let switchboard = Arc::new(Switchboard {
                hub: relay.hub.clone(),
                works: relay.works.clone(),
                lobby: relay.lobby.clone(),
                registry: Arc::downgrade(&relay.registry),
                replies: Channel::replies(relay.node()),
                news: Channel::lobby(),
                sessions: Channel::sessions(),
                revocations: Channel::revocations(),
            });
            let subscription: Arc<dyn Subscription> = relay.ports.bus.subscriber(switchboard).into();
            let pace = relay.works.config.heartbeat;
            let works = relay.works.clone();
            let hear = move |heard: Heard| works.catalogue.heard(&heard, &works.config, works.now_ms());
            let members = Members::start(relay.ports.clone(), relay.node().clone(), Role::Relay, pace, hear);
            let mut tasks = relay.begin(queues, &subscription);
            tasks.spawn(relay.clone().watch_connection(members.observed()));
            tasks.spawn(relay.clone().watch_owners(members.watch()));
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

    fn begin(self: &Arc<Self>, queues: Queues, subscription: &Arc<dyn Subscription>) -> JoinSet<()> {
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
        tasks.spawn(self.clone().listen(subscription.clone()));
        tasks.spawn(self.clone().tell_sessions());
        tasks.spawn(self.clone().attend());
        tasks.spawn(self.clone().sweep());
        tasks.spawn(self.clone().tell_lobby());
        tasks
    }

    /// Subscribes to what every relay hears, and asks for the rooms.
    async fn listen(self: Arc<Self>, subscription: Arc<dyn Subscription>) {
        let replies = Channel::replies(self.node());
        for channel in [Channel::revocations(), replies, Channel::sessions(), Channel::lobby()] {
            while let Err(error) = self.works.answer(subscription.subscribe(&channel)).await {
                tracing::debug!(?channel, error, "cannot subscribe yet");
                sleep(SUBSCRIBE_AGAIN).await;
            }
        }
        // What was told before that was read, or is now.
        self.works.revoked.missed();
        // A lost question does not matter much: workers tell of all their rooms every minute anyway.
        self.works.outgoing.publish(&Channel::lobby(), encode(&LobbyNews::Wanted), &self.works.metrics);
        std::future::pending().await
    }

    /// Tells the other relays of sessions that go on here. What is to be told while one message is on its way goes with the next.
    async fn tell_sessions(self: Arc<Self>) {
        loop {
            let sessions = self.registry.session_news(SESSIONS_TOLD_MAX, &self.works).await;
            let again: Vec<_> = sessions.iter().map(|held| (held.session, held.user.clone())).collect();
            let news =
                SessionNews::Held { relay: self.node().clone(), now_ms: self.works.now_ms(), sessions };
            let told = self.ports.bus.publish(&Channel::sessions(), encode(&news));
            if let Err(error) = self.works.answer(told).await {
                tracing::debug!(error, "the other relays were not told of sessions");
                sleep(SUBSCRIBE_AGAIN).await;
                again.iter().for_each(|(session, user)| self.registry.tell_session(*session, user));
            }
        }
    }

    /// Looks at rooms that need attention, while there are some.
    async fn attend(self: Arc<Self>) {
        loop {
            if self.works.sweep_rooms() {
                sleep(ATTENTION).await;
            } else {
                self.works.attended.notified().await;
            }
        }
    }

    /// Looks at connections and at quiet rooms.
    async fn sweep(self: Arc<Self>) {
        loop {
            sleep(SWEEP).await;
            self.registry.sweep(&self.works).await;
            self.hub.check_quiet(&self.works);
        }
    }

    async fn tell_lobby(self: Arc<Self>) {
        let mut rounds = interval(Duration::from_millis(self.works.config.lobby_every_ms.max(1)));
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            self.lobby.end_round(&self.works).await;
        }
    }

    /// Follows what dealer workers read.
    async fn watch_owners(self: Arc<Self>, mut membership: watch::Receiver<Arc<Membership>>) {
        loop {
            let speak = membership.borrow_and_update().workers_speak;
            self.works.hear_what_owners_speak(speak);
            if membership.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Tells clients when frames stop coming, and when they come again.
    async fn watch_connection(self: Arc<Self>, mut observed: watch::Receiver<Observed>) {
        let mut connected = false;
        loop {
            let now = observed.borrow_and_update().clone();
            self.observed.send_replace(now.clone());
            if connected != now.is_ready() {
                connected = now.is_ready();
                // At the very beginning nobody has missed anything yet; to hear `recovered` then does no harm.
                let (code, message) = match connected {
                    true => (NoticeCode::Recovered, "news come again"),
                    false => (NoticeCode::Delayed, "news do not come at the moment; this relay is trying"),
                };
                tracing::info!(connected, "the relay's connection has changed");
                let notice = frame(&ClientOut::Notice { room: None, code, message: message.into() });
                for peer in self.registry.all() {
                    peer.notify(&notice);
                }
            }
            if observed.changed().await.is_err() {
                return std::future::pending().await;
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
