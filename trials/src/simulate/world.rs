//! The simulated house: real relays and workers on one broker in memory, each a task that can be killed.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, OnceLock},
};

use agents::{Agency, Plays};
use broker::{
    bus::{Bus, Receiver, Subscription, memory::MemoryBus, near::NearBus},
    channel::Channel,
    clock::Clock,
    ports::Ports,
    queue::{Queue, maps::MapsQueue},
    seal::{SealKey, Sealer},
    store::memory::MemoryStore,
    wire::{LinkState, Wire},
};
use bytes::Bytes;
use dealer_worker::{agents::Asking, hands::Recording};
use parking_lot::Mutex;
use protocol::{
    id::{NodeId, RoomId, UserId},
    rail::{RailCards, RailConfig},
    rights::{Rights, Roles},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reception::recorder::Recorder;
use relay::{Arrival, Edge, Keys, Line, Relay, RelayConfig};
use rooms::{
    Chance, Worker, WorkerConfig,
    room::{answers::Memory, mailbox::Bound},
    testing::{Counter, Postbox, Till, counter::TILL},
};
use tokens::{Claims, Signer};
use tokio::{sync::mpsc, task::JoinSet, time::Duration};
use tokio_util::sync::CancellationToken;

use crate::guests::workman::WORKMAN;

use super::{
    archive::Archive,
    cashier::Cashier,
    faults::{Tripwire, Tripwires},
    pipe::{self, Far, Scissors},
    pits::{self, EarlierBus, Tap},
    plan::{Place, Plan},
    planted::{DeafBus, Dropper, HidingBus, LeakyBus, LyingStore, Planted},
    standing::Standings,
};

/// The run begins at this time of the simulated clock: 2027-01-15.
const BEGINS_MS: u64 = 1_800_000_000_000;

/// Tokens outlast every run.
const TOKEN_MS: u64 = 86_400_000;

/// More than there are guests.
const CONNECTIONS_MAX: usize = 10_000;

/// So many an agency plays for at a time.
const AGENTS_MAX: usize = 24;

/// What the relays' outboxes hold for a client that does not read: little, so that it is felt.
const QUEUE_BYTES: usize = 8 * 1024;

/// See the module.
pub(super) struct World {
    pub(super) clock: Clock,
    wire: Arc<Wire>,
    faults: Arc<Tripwires>,
    bus: MemoryBus,
    store: MemoryStore,
    signer: Signer,
    seal_key: SealKey,
    /// What counters pay to.
    till: Arc<Till>,
    /// Whose the chips of tables are, if they are anybody's.
    cashier: Arc<Cashier>,
    money: bool,
    /// What is written down of hands, if anything is.
    archive: Option<Arc<Archive>>,
    /// Who plays for AI players, if anybody does.
    agents: OnceLock<Arc<dyn Plays>>,
    /// How many seats a table has.
    seats: u8,
    /// What reception knows of guests.
    standings: Standings,
    revokes_unheard: bool,
    planted: Option<Planted>,
    /// How late tables and counters are shown to their rails, and what those see of cards.
    rail: RailConfig,
    /// How many may watch where only so many may.
    viewers_max: u32,
    /// So many of the relays are of the release before.
    earlier_relays: usize,
    /// Players are led to the pit of their table.
    leads: bool,
    /// Players open tables.
    has_hosts: bool,
    mailbox: Bound,
    memory: Memory,
    inner: Mutex<Inner>,
}

struct Inner {
    rng: ChaCha8Rng,
    relays: Vec<Slot>,
    workers: Vec<Slot>,
    recorders: Vec<Slot>,
    pits: Vec<Slot>,
    /// Who listens to what is published for watchers.
    tap: Option<Tap>,
    agencies: Vec<Slot>,
    /// Names are never used twice.
    started: u64,
    /// Nobody reaches the broker, nor does who starts now.
    broker_down: bool,
    /// How often new connections are cut, of messages that are missed most.
    cuts: f64,
}

/// A place for a process.
#[derive(Default)]
struct Slot {
    running: Option<Process>,
}

/// A running process. Dropping it kills it.
struct Process {
    node: NodeId,
    shutdown: CancellationToken,
    relay: Option<Arc<Relay>>,
    tasks: JoinSet<()>,
    /// Where the edge reaches a pit.
    door: Option<SocketAddr>,
    /// Both parts of a pit have ended.
    ended: Option<CancellationToken>,
    /// What is said within a pit is heard by those who judge it.
    _tapped: Option<Box<dyn Subscription>>,
}

impl Process {
    fn new(node: NodeId, shutdown: CancellationToken, tasks: JoinSet<()>) -> Self {
        Self { node, shutdown, relay: None, tasks, door: None, ended: None, _tapped: None }
    }
}

impl World {
    /// A house without processes, and the name of the node on which nothing goes wrong.
    pub(super) fn new(plan: &Plan, faults: Arc<Tripwires>, spared: &NodeId, rng: ChaCha8Rng) -> Arc<Self> {
        let wire = Wire::with_faults(faults.clone());
        let slots = |count| (0..count).map(|_| Slot::default()).collect();
        let clock = Clock::starting_at(BEGINS_MS);
        let (bus, store) = (MemoryBus::new(wire.clone(), spared), MemoryStore::new(wire.clone(), spared));
        let ports = Ports { bus: Arc::new(bus.clone()), store: Arc::new(store.clone()), clock };
        Arc::new(Self {
            clock,
            bus,
            store,
            standings: Standings::new(ports, TOKEN_MS),
            revokes_unheard: plan.revokes_unheard,
            wire,
            faults,
            signer: Signer::generate(),
            seal_key: SealKey::random(),
            till: Arc::new(Till::troubled(plan.seed ^ 0x7111, plan.troubles)),
            money: plan.money,
            archive: (plan.recorders > 0).then(|| Arc::new(Archive::new(plan))),
            agents: OnceLock::new(),
            seats: plan.seats,
            cashier: Arc::new(Cashier::new(plan.seed, plan.money_troubles, clock, plan.planted)),
            planted: plan.planted,
            rail: RailConfig { cards: plan.rail_cards, ..RailConfig::late(plan.rail_delay_ms) },
            viewers_max: plan.viewers_max,
            earlier_relays: plan.earlier_relays,
            leads: plan.leads,
            has_hosts: plan.hosts > 0,
            mailbox: plan.mailbox,
            memory: plan.memory,
            inner: Mutex::new(Inner {
                rng,
                relays: slots(plan.relays),
                workers: slots(plan.workers),
                recorders: slots(plan.recorders),
                pits: slots(plan.pits),
                tap: None,
                agencies: slots(plan.agencies),
                started: 0,
                broker_down: false,
                cuts: plan.cuts,
            }),
        })
    }

    /// What counters pay to.
    pub(super) fn till(&self) -> &Till {
        &self.till
    }

    /// Whether the chips of its tables are somebody's.
    pub(super) fn seats(&self) -> u8 {
        self.seats
    }

    /// Whether there may be rooms that are shown late: also those that players open.
    pub(super) fn shows_late(&self) -> bool {
        self.rail.delay_ms > 0 || self.has_hosts
    }

    /// How late tables and counters are shown to their rails.
    pub(super) fn rail(&self) -> RailConfig {
        RailConfig::late(self.rail.delay_ms)
    }

    /// The same of counters that only so many may watch.
    pub(super) fn narrow_rail(&self) -> RailConfig {
        RailConfig { viewers_max: self.viewers_max, ..self.rail() }
    }

    /// The same of tables, and what rails see of cards.
    pub(super) fn rail_of_tables(&self) -> RailConfig {
        self.rail
    }

    /// Whether there may be tables of which the rail sees cards: also those that players open.
    pub(super) fn shows_cards(&self) -> bool {
        self.rail.cards != RailCards::Never || self.has_hosts
    }

    pub(super) fn has_money(&self) -> bool {
        self.money
    }

    /// Whose they are.
    pub(super) fn cashier(&self) -> &Cashier {
        &self.cashier
    }

    /// What opens the records of its journals.
    pub(super) fn sealer(&self) -> Sealer {
        Sealer::new(&self.seal_key)
    }

    /// The store through the link on which nothing goes wrong.
    pub(super) fn store(&self) -> MemoryStore {
        self.store.clone()
    }

    /// The store and the bus through that link.
    pub(super) fn spared_ports(&self) -> Ports {
        Ports { bus: Arc::new(self.bus.clone()), store: Arc::new(self.store.clone()), clock: self.clock }
    }

    /// Listens to all that is published for the watchers of `rooms`, on the link on which nothing goes wrong, and within pits that start from now on.
    pub(super) async fn eavesdrop(&self, rooms: &[RoomId]) -> Eavesdropper {
        let (tells, told) = mpsc::unbounded_channel();
        self.inner.lock().tap = Some(Tap { rooms: rooms.to_vec(), tells: tells.clone() });
        let subscription = self.bus.subscriber(Arc::new(Ear(tells)));
        for room in rooms {
            let subscribed = subscription.subscribe(&Channel::frames(room)).await;
            subscribed.expect("nothing goes wrong on the shadow's link");
        }
        let subscribed = subscription.subscribe(&Channel::lobby()).await;
        subscribed.expect("nothing goes wrong on the shadow's link");
        Eavesdropper { told, _subscription: subscription }
    }

    /// A token for a bot that was there from the beginning.
    pub(super) fn token(&self, user: &UserId) -> String {
        self.signed(user, Rights::default())
    }

    /// A later one, which says what the bot may do now.
    ///
    /// # Errors
    /// There is none for so long.
    pub(super) fn new_token(&self, user: &UserId) -> Result<(String, Rights), Duration> {
        let rights = self.standings.rights(user)?;
        Ok((self.signed(user, rights), rights))
    }

    fn signed(&self, user: &UserId, rights: Rights) -> String {
        let claims = Claims::new(user.clone(), user.as_str(), self.clock.now_ms(), TOKEN_MS);
        let agent = if user.as_str().starts_with(WORKMAN) { Roles::AGENT } else { Roles::NONE };
        let rights = Rights { roles: rights.roles.and(agent), ..rights };
        self.signer.sign(&claims.with(rights))
    }

    /// What reception knows of guests.
    pub(super) fn standings(&self) -> &Standings {
        &self.standings
    }

    /// Who runs in a place.
    pub(super) fn node_at(&self, place: Place) -> Option<NodeId> {
        let mut inner = self.inner.lock();
        Some(inner.slot(place).running.as_ref()?.node.clone())
    }

    /// Starts a process where none runs.
    pub(super) fn start(&self, place: Place) {
        let mut inner = self.inner.lock();
        if inner.slot(place).running.is_some() {
            return;
        }
        inner.started += 1;
        let (started, seed) = (inner.started, inner.rng.random());
        let process = match place {
            Place::Relay(index) => {
                let is_earlier = index % inner.relays.len() < self.earlier_relays;
                self.relay(started, seed, is_earlier)
            }
            Place::Worker(_) => self.worker(started, seed),
            Place::Recorder(_) => self.recorder(started),
            Place::Pit(_) => self.pit(started, seed, inner.tap.as_ref()),
            Place::Agency(_) => self.agency(started),
        };
        if inner.broker_down {
            self.wire.link(&process.node).set(LinkState::Refusing);
        }
        inner.slot(place).running = Some(process);
    }

    /// The broker stops, or is there again. Every process loses its connection and makes a new one.
    pub(super) fn set_broker_down(&self, down: bool) {
        let mut inner = self.inner.lock();
        inner.broker_down = down;
        let nodes = inner.relays.iter().chain(&inner.workers).chain(&inner.pits);
        let places = nodes.chain(&inner.recorders).chain(&inner.agencies);
        for process in places.filter_map(|slot| slot.running.as_ref()) {
            self.wire.link(&process.node).set(if down { LinkState::Refusing } else { LinkState::Up });
        }
    }

    fn ports(&self, node: &NodeId) -> Ports {
        let (bus, store) = (self.bus.handle(node), self.store.handle(node));
        Ports { bus: Arc::new(bus), store: Arc::new(store), clock: self.clock }
    }

    /// A worker's ports, with what is planted into them.
    fn worker_ports(&self, mut ports: Ports, node: &NodeId) -> Ports {
        match self.planted {
            Some(
                planted
                @ (Planted::AcknowledgesEarly | Planted::SkipsTheFence | Planted::RefusesWhatIsStored),
            ) => {
                ports.store = Arc::new(LyingStore::new(self.store.handle(node), planted));
            }
            Some(Planted::LeaksCards) => ports.bus = Arc::new(LeakyBus(ports.bus)),
            _ => {}
        }
        ports
    }

    fn relay(&self, started: u64, seed: u64, is_earlier: bool) -> Process {
        let node = NodeId::new(&format!("relay-{started}")).expect("a name");
        let mut ports = self.ports(&node);
        if is_earlier {
            ports.bus = Arc::new(EarlierBus(ports.bus));
        }
        let relay = self.relay_on(self.relay_ports(ports, &node), node.clone(), seed, None);
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(relay.run(shutdown.clone().cancelled_owned()));
        Process { relay: Some(relay), ..Process::new(node, shutdown, tasks) }
    }

    /// A process that is both: one link to the broker, and a short way between the two.
    fn pit(&self, started: u64, seed: u64, tap: Option<&Tap>) -> Process {
        let node = NodeId::new(&format!("pit-{started}")).expect("a name");
        let its_relay = NodeId::new(&format!("relay-{started}")).expect("a name");
        let mut ports = self.ports(&node);
        let near = NearBus::new(ports.bus, its_relay.clone(), pits::PACE);
        ports.bus = near.clone();
        let relay =
            self.relay_on(self.relay_ports(ports.clone(), &node), its_relay, seed, Some(node.clone()));
        let worker = self.worker_on(self.worker_ports(ports, &node), node.clone(), seed);
        near.follow(worker.membership());
        let door = SocketAddr::from((Ipv4Addr::LOCALHOST, pits::door(started)));
        worker.opens_at()(door);
        let (shutdown, ended) = (CancellationToken::new(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        let (relaying, told, done) =
            (relay.run(shutdown.clone().cancelled_owned()), shutdown.clone(), ended.clone());
        tasks.spawn(async move {
            // How a worker ends is judged by what the journals say afterwards.
            let _ = tokio::join!(relaying, worker.run(told));
            done.cancel();
        });
        let tapped = tap.map(|tap| tap.of(&near));
        let process = Process::new(node, shutdown, tasks);
        Process { relay: Some(relay), door: Some(door), ended: Some(ended), _tapped: tapped, ..process }
    }

    fn relay_on(&self, ports: Ports, node: NodeId, seed: u64, pit: Option<NodeId>) -> Arc<Relay> {
        let config = RelayConfig {
            node: Some(node),
            pit,
            near: self.leads,
            lead_after_ms: pits::LEAD_AFTER_MS,
            listens: pits::PACE,
            seed: Some(seed),
            queue_bytes_max: QUEUE_BYTES,
            drain_ms: 1_000,
            // All simulated clients come from one address.
            connections_per_address_max: CONNECTIONS_MAX,
            ..RelayConfig::default()
        };
        Relay::new(ports, config, Keys::given(self.signer.public()))
    }

    /// A relay's ports, with what is planted into them.
    fn relay_ports(&self, mut ports: Ports, node: &NodeId) -> Ports {
        if self.planted == Some(Planted::HidesSessions) {
            ports.bus = Arc::new(HidingBus(ports.bus));
        }
        if self.revokes_unheard {
            ports.bus = Arc::new(DeafBus(ports.bus));
        }
        if let Some(planted @ Planted::NeverReadsRevocations) = self.planted {
            ports.store = Arc::new(LyingStore::new(self.store.handle(node), planted));
        }
        ports
    }

    fn worker(&self, started: u64, seed: u64) -> Process {
        let node = NodeId::new(&format!("worker-{started}")).expect("a name");
        let worker = self.worker_on(self.worker_ports(self.ports(&node), &node), node.clone(), seed);
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let told = shutdown.clone();
        tasks.spawn(async move {
            // How a worker ends is judged by what the journals say afterwards.
            let _ = worker.run(told).await;
        });
        Process::new(node, shutdown, tasks)
    }

    fn worker_on(&self, ports: Ports, node: NodeId, seed: u64) -> Worker {
        let mut config = WorkerConfig::new(node.clone(), self.seal_key.clone());
        config.bounds.mailbox_messages_max = self.mailbox.messages;
        config.bounds.mailbox_bytes_max = self.mailbox.bytes;
        config.bounds.memory = self.memory;
        let kinds = dealer_worker::kinds().with::<Counter>().with::<Postbox>();
        let kinds = kinds.served_by(TILL, self.till.clone()).served_by(money::SERVICE, self.cashier.clone());
        let kinds = match &self.archive {
            Some(archive) => {
                let recording = Recording::new(archive.queue(self.queue(&node)), Arc::new(self.sealer()));
                kinds.served_by(hands::SERVICE, Arc::new(recording))
            }
            None => kinds,
        };
        let kinds = match self.agents.get() {
            Some(_) => kinds.served_by(seats::SERVICE, Arc::new(Asking::new(self.queue(&node)))),
            None => kinds,
        };
        Worker::new(ports, config, kinds, Chance::seeded(seed))
    }

    fn recorder(&self, started: u64) -> Process {
        let name = format!("recorder-{started}");
        let node = NodeId::new(&name).expect("a name");
        let archive = self.archive.as_ref().expect("a house with recorders keeps hands");
        let (queue, sealer) = (self.queue(&node), Arc::new(self.sealer()));
        let recorder = Recorder::new(queue, sealer, Arc::new(archive.pen()), self.clock, name);
        let mut tasks = JoinSet::new();
        tasks.spawn(recorder.run());
        Process::new(node, CancellationToken::new(), tasks)
    }

    /// From now on there is somebody who plays for AI players.
    pub(super) fn has_agents(&self, agents: Arc<dyn Plays>) {
        assert!(self.agents.set(agents).is_ok(), "they are the same as long as the house stands");
    }

    fn agency(&self, started: u64) -> Process {
        let name = format!("agency-{started}");
        let node = NodeId::new(&name).expect("a name");
        let agents = self.agents.get().expect("a house with agencies has agents").clone();
        let agency = Agency::new(self.queue(&node), agents, self.clock, name, AGENTS_MAX);
        let mut tasks = JoinSet::new();
        tasks.spawn(agency.run());
        Process::new(node, CancellationToken::new(), tasks)
    }

    /// A node's handle to the queues.
    pub(super) fn queue(&self, node: &NodeId) -> Arc<dyn Queue> {
        Arc::new(MapsQueue::new(Arc::new(self.store.handle(node)), self.clock, node.clone()))
    }

    /// What is written down of hands, if anything is.
    pub(super) fn archive(&self) -> Option<&Arc<Archive>> {
        self.archive.as_ref()
    }

    /// SIGKILL.
    pub(super) fn kill(&self, place: Place) {
        let killed = self.inner.lock().slot(place).running.take();
        if let Some(process) = &killed {
            self.wire.link(&process.node).kill();
        }
    }

    /// SIGKILL for the process of that name, if it still runs; says where it ran.
    pub(super) fn kill_node(&self, node: &NodeId) -> Option<Place> {
        let place = self.inner.lock().place_of(node)?;
        self.kill(place);
        Some(place)
    }

    /// SIGTERM; waits for the end, and kills what does not end in `patience`.
    pub(super) async fn drain(&self, place: Place, patience: Duration) {
        let Some(mut process) = self.inner.lock().slot(place).running.take() else { return };
        process.shutdown.cancel();
        let ended = process.ended.take();
        let ending = async {
            match ended {
                Some(ended) => ended.cancelled().await,
                None => drop(process.tasks.join_next().await),
            }
        };
        let _ = tokio::time::timeout(patience, ending).await;
        self.wire.link(&process.node).kill();
    }

    /// The link of the process in a place.
    pub(super) fn link(&self, place: Place) -> Option<Arc<broker::wire::Link>> {
        self.node_at(place).map(|node| self.wire.link(&node))
    }

    /// Lays a tripwire for a node.
    pub(super) fn lay(&self, node: NodeId, wire: Tripwire) {
        self.faults.lay(node, wire);
    }

    /// Takes all tripwires away.
    pub(super) fn clear_tripwires(&self) {
        self.faults.clear();
    }

    /// Heals every link, and cuts no more connections.
    pub(super) fn heal(&self) {
        self.inner.lock().cuts = 0.0;
        self.cashier.heal();
        self.archive.iter().for_each(|archive| archive.heal());
        self.set_broker_down(false);
        for link in self.wire.links() {
            link.heal();
        }
    }

    /// A connection to one of the relays, if there is one; to the pit of this table, as the edge leads.
    pub(super) fn connect(&self, near: Option<&str>) -> Option<Far> {
        let mut inner = self.inner.lock();
        let doors = (0..inner.relays.len()).map(Place::Relay).chain((0..inner.pits.len()).map(Place::Pit));
        let doors: Vec<Place> = doors.collect();
        let running: Vec<Place> = doors.into_iter().filter(|at| inner.slot(*at).running.is_some()).collect();
        if running.is_empty() {
            return None;
        }
        let mut at = running[inner.rng.random_range(0..running.len())];
        let mut arrival = None;
        if let Some(word) = near {
            let asked = inner.slot(at).running.as_ref()?.relay.as_ref()?.arrive(word, Edge::Leads);
            arrival = Some(match asked {
                Arrival::Elsewhere(door) => {
                    // If nobody is there any more, anybody is right.
                    let there = inner.pit_at(door);
                    at = there.unwrap_or(at);
                    let says = there.map_or(Edge::Unled, |_| Edge::Led);
                    inner.slot(at).running.as_ref()?.relay.as_ref()?.arrive(word, says)
                }
                here @ Arrival::Here(_) => here,
            });
        }
        let scissors = (inner.cuts > 0.0)
            .then(|| Scissors { rng: ChaCha8Rng::seed_from_u64(inner.rng.random()), chance: inner.cuts });
        let process = inner.slot(at).running.as_mut()?;
        let relay = process.relay.as_ref()?;
        let near = match arrival {
            Some(Arrival::Here(near)) => near,
            Some(Arrival::Elsewhere(_)) => unreachable!("who has been led is not led again"),
            None => None,
        };
        let (end, far) = pipe::connect(Dropper::of(self.planted), scissors);
        let session = relay.connect(Line::Other(Box::new(end.wire)), IpAddr::V4(Ipv4Addr::LOCALHOST), near);
        let connection = ws::Connection::new(end.reading, session, RelayConfig::default().message_bytes_max);
        process.tasks.spawn(async move {
            connection.await;
        });
        Some(far)
    }
}

/// All that is published for watchers and of the lobby, as long as it lives, with the channel.
pub(super) struct Eavesdropper {
    pub(super) told: mpsc::UnboundedReceiver<(String, Bytes)>,
    _subscription: Box<dyn Subscription>,
}

pub(super) struct Ear(pub(super) mpsc::UnboundedSender<(String, Bytes)>);

impl Receiver for Ear {
    fn deliver(&self, channel: &str, payload: Bytes) {
        // Whoever listened may have gone.
        let _ = self.0.send((channel.to_owned(), payload));
    }

    fn missed(&self) {
        unreachable!("nothing goes wrong on the shadow's link");
    }
}

impl Inner {
    fn slot(&mut self, place: Place) -> &mut Slot {
        let (slots, index) = match place {
            Place::Relay(index) => (&mut self.relays, index),
            Place::Worker(index) => (&mut self.workers, index),
            Place::Recorder(index) => (&mut self.recorders, index),
            Place::Pit(index) => (&mut self.pits, index),
            Place::Agency(index) => (&mut self.agencies, index),
        };
        let count = slots.len();
        &mut slots[index % count]
    }

    /// Which pit the edge reaches there.
    fn pit_at(&self, door: SocketAddr) -> Option<Place> {
        let is_there = |slot: &Slot| slot.running.as_ref().is_some_and(|process| process.door == Some(door));
        self.pits.iter().position(is_there).map(Place::Pit)
    }

    fn place_of(&self, node: &NodeId) -> Option<Place> {
        let runs = |slot: &Slot| slot.running.as_ref().is_some_and(|process| process.node == *node);
        let relay = self.relays.iter().position(runs).map(Place::Relay);
        let worker = || self.workers.iter().position(runs).map(Place::Worker);
        let pit = || self.pits.iter().position(runs).map(Place::Pit);
        let recorder = || self.recorders.iter().position(runs).map(Place::Recorder);
        let agency = || self.agencies.iter().position(runs).map(Place::Agency);
        relay.or_else(worker).or_else(pit).or_else(recorder).or_else(agency)
    }
}
