//! The composition: one relay, one dealer worker and a reception, on a bus in memory and a store in a folder, behind one address.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use broker::{
    bus::memory::MemoryBus,
    clock::Clock,
    ports::Ports,
    queue::{Queue, maps::MapsQueue},
    seal::{SealKey, Sealer},
    store::{
        Store, Unavailable,
        file::{self, FileStore},
        memory::MemoryStore,
    },
    wire::Wire,
};
use coach::Model;
use dealer_worker::{
    Opening, agents::Asking, hands::Recording, open_floor, open_jobs, open_queue, open_table, schedule,
};
use futures_util::future::try_join_all;
use ops::{
    listen::ListenError,
    readiness::{Readiness, ops_routes},
    serve::{Front, OpsGuard, TrustProxy, ops::BadTokenFile, serve},
    telemetry::Metrics,
};
use player::connect::Dialer;
use protocol::{
    id::{NodeId, RoomId},
    table::TableConfig,
};
use reception::recorder::Recorder;
use relay::Relay;
use rooms::{Chance, Worker, WorkerConfig};
use tokio::{net::TcpListener, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    bots,
    cashier::Cashier,
    config::Config,
    data::{Data, DataError},
    office::{Office, OfficeError, Told},
    site,
};

/// Whoever has not ended so long after everybody was to be gone is cut off. Nothing is lost by it: what was answered is kept.
const CUT_AFTER: Duration = Duration::from_secs(1);

/// Why a house did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// It is, and is gone again.
    #[error(transparent)]
    Gone(#[from] io::Error),
    /// The flags describe no table.
    #[error(transparent)]
    Tables(#[from] dealer_worker::OpenError),
    /// The schedule cannot be kept.
    #[error(transparent)]
    Schedule(#[from] dealer_worker::flags::ScheduleError),
    /// Bounds that do not fit each other.
    #[error("{0}")]
    Bounds(String),
    /// The folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// What is in it cannot.
    #[error(transparent)]
    Office(#[from] OfficeError),
    /// The tables in it cannot.
    #[error(
        "the tables in {0} cannot be opened: {1}; name another folder (--data), or keep nothing (--memory)"
    )]
    Journals(PathBuf, file::OpenError),
    /// The tables cannot be read.
    #[error(transparent)]
    Store(#[from] Unavailable),
    /// The operators' token cannot be read.
    #[error(transparent)]
    Token(#[from] BadTokenFile),
    /// The process counts its metrics elsewhere.
    #[error(transparent)]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// Tables that an earlier house has kept in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// How many.
    pub tables: usize,
    /// Whether they are set to what this house was told. They go on as they were opened.
    pub are_as_told: bool,
}

/// A house with its doors open: connections wait until it [runs](House::run).
pub struct House {
    config: Config,
    listener: TcpListener,
    address: SocketAddr,
    ops: TcpListener,
    ops_address: SocketAddr,
    front: Front,
    guard: OpsGuard,
    metrics: Metrics,
    office: Office,
    relay: Arc<Relay>,
    worker: Worker,
    /// Writes down hands that are over; none in a house that keeps nothing.
    recorder: Option<Recorder>,
    tables: Vec<(RoomId, u8)>,
    /// Bots that play tournaments.
    contestants: usize,
    /// Where tables ask for AI players.
    seats: Arc<dyn Queue>,
    /// What answers players' questions, if something does.
    coach: Option<Model>,
    kept: Kept,
    /// Locked until everything else has ended.
    data: Option<Data>,
}

impl House {
    /// Takes the address, opens the folder and the tables.
    ///
    /// # Errors
    /// [`OpenError`] names the flag to change.
    ///
    /// # Panics
    /// Never: the house's own names are valid.
    pub async fn open(mut config: Config) -> Result<Self, OpenError> {
        config.relay.check().map_err(OpenError::Bounds)?;
        let listener = config.listen.listen("--listen").await?;
        let ops = config.ops.ops_listen.listen("--ops-listen").await?;
        let (address, ops_address) = (listener.local_addr()?, ops.local_addr()?);
        let guard = config.ops.guard(ops_address)?;
        if let (Some(name), TrustProxy::Nobody) = (config.listen.name(), &config.relay.trust_proxy) {
            config.relay.hosts.push(name);
        }
        let metrics = Metrics::install()?;
        let data = config.data.folder.as_deref().map(Data::open).transpose()?;

        // One node would do for the broker; two show who is who in the logs.
        let (floor, door) = (node("worker-house"), node("relay-house"));
        let wire = Wire::perfect();
        let bus = MemoryBus::new(wire.clone(), &floor);
        let clock = Clock::system();
        let store: Arc<dyn Store> = match &data {
            Some(data) => {
                let folder = data.path("journals");
                let opened = FileStore::open(&folder, clock);
                Arc::new(opened.map_err(|error| OpenError::Journals(folder, error))?)
            }
            None => Arc::new(MemoryStore::new(wire, &floor)),
        };
        let outside = Ports { bus: Arc::new(bus.handle(&door)), store: store.clone(), clock };
        let inside = Ports { bus: Arc::new(bus), store, clock };

        if let (Some(currency), true) = (config.tables.table_currency, data.is_none()) {
            return Err(OpenError::Bounds(format!(
                "--table-currency {currency}: what players own is kept in the folder, and --memory keeps nothing"
            )));
        }
        if config.chips.tape_dir.is_some() && data.is_none() {
            return Err(OpenError::Bounds("--tape-dir: --memory keeps nothing that could go back".into()));
        }
        let coach = config.coach.model().map_err(|error| OpenError::Bounds(format!("{error:#}")))?;
        if coach.is_some() && config.floor.work().is_none() {
            let why = "--coach-url: the coach answers where jobs wait, and --jobs=false opens no such rooms";
            return Err(OpenError::Bounds(why.into()));
        }
        // Tables are numbered from 1, and those that exist stay as they are.
        let settings: Vec<_> = (0..config.tables.tables).map(|at| config.table(at as usize)).collect();
        let opened = (1..).zip(&settings).map(|(number, table)| open_table(&inside, number, table));
        let are_new = try_join_all(opened).await?;
        if config.floor.players_tables {
            open_floor(&inside, &config.floor.settings(config.tables.config())).await?;
        }
        if let Some(queue) = config.floor.queue(&config.tables) {
            open_queue(&inside, &queue, config.tables.opening().rail).await?;
        }
        if let Some(jobs) = config.floor.work() {
            open_jobs(&inside, &jobs).await?;
        }
        let found = dealer_worker::tables(inside.store.as_ref()).await?;
        let kept = Kept {
            tables: found.len() - are_new.iter().filter(|is_new| **is_new).count(),
            are_as_told: settings.iter().zip(&found).all(|(told, (_, table))| {
                let name = table.config.name.clone();
                let config = TableConfig { name, ..told.config.clone() };
                *table == Opening { config, currency: told.currency, rail: told.rail }
            }),
        };
        let offered = config.schedule()?;
        if let (Some((id, currency)), true) = (schedule::first_price(&offered), data.is_none()) {
            return Err(OpenError::Bounds(format!(
                "--schedule: {id} costs {currency}, which is kept in the folder, and --memory keeps nothing"
            )));
        }
        let tournaments = schedule::open(&inside, &offered).await?;
        let has_purses = tournaments.has_prices || found.iter().any(|(_, table)| table.currency.is_some());
        let contestants = config.bots.contestants(&offered);
        let tables: Vec<_> = found.into_iter().map(|(room, table)| (room, table.config.seats)).collect();
        let (seal_key, seal_keys_older) = match &data {
            Some(data) => data.seal_keys()?,
            None => (SealKey::random(), Vec::new()),
        };
        let nodes = vec![floor.clone(), door.clone()];
        let worker = WorkerConfig { seal_keys_older, ..WorkerConfig::new(floor, seal_key) };
        let queue = Arc::new(MapsQueue::new(outside.store.clone(), clock, door.clone()));
        let about = Told {
            tokens: &config.tokens,
            hands: queue.clone(),
            oidc: &config.oidc,
            chips: &config.chips,
            has_purses,
        };
        let office = Office::open(data.as_ref(), about, outside.clone(), nodes).await?;
        let mut kinds = dealer_worker::kinds_of(config.floor.players_tables);
        let ai_players = usize::from(config.bots.ai_players);
        if ai_players > 0 {
            kinds = kinds.served_by(seats::SERVICE, Arc::new(Asking::new(queue.clone())));
        }
        let mut recorder = None;
        if let Some(people) = &office.people {
            kinds = kinds.served_by(money::SERVICE, Arc::new(Cashier::new(people.clone(), clock)));
            let sealer = Arc::new(Sealer::with(&worker.seal_key, &worker.seal_keys_older));
            kinds = kinds.served_by(hands::SERVICE, Arc::new(Recording::new(queue.clone(), sealer.clone())));
            recorder =
                Some(Recorder::new(queue.clone(), sealer, people.clone(), clock, "recorder-house".into()));
        }
        let worker = Worker::new(inside, worker, kinds, Chance::of_the_system());
        if let Some(data) = &data {
            data.settle()?;
        }
        let keys = relay::Keys::given(office.desk.keyring().keys().public().clone());
        // The bots come from this machine and must not use up what guests may have.
        let bots: usize = tables.iter().map(|(_, seats)| usize::from(config.bots.at_a_table(*seats))).sum();
        let bots = bots + contestants + ai_players + usize::from(coach.is_some());
        config.relay.connections_max += bots;
        config.relay.connections_per_address_max += bots;
        config.relay.node = Some(door);
        // A bot's connection is two open files here: the relay's and its own.
        let front = config.relay.front(config.http, bots);
        let relay = Relay::new(outside, config.relay.clone(), keys);
        Ok(Self {
            config,
            listener,
            address,
            ops,
            ops_address,
            front,
            guard,
            metrics,
            office,
            relay,
            worker,
            recorder,
            tables,
            contestants,
            seats: queue,
            coach,
            kept,
            data,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where `/livez`, `/readyz` and `/metrics` are.
    pub fn ops_address(&self) -> SocketAddr {
        self.ops_address
    }

    /// How many tables there are.
    pub fn tables(&self) -> usize {
        self.tables.len()
    }

    /// Which of them were there before.
    pub fn kept(&self) -> Kept {
        self.kept
    }

    /// Where tables and accounts are kept; none in a house that keeps nothing.
    pub fn folder(&self) -> Option<&Path> {
        self.data.as_ref().map(Data::folder)
    }

    /// What to open in a browser on this machine.
    pub fn url(&self) -> String {
        format!("http://{}/", reachable(self.address))
    }

    /// How long closing takes at most: everybody is told to go at a time of their own within `--drain-ms`, hands go on
    /// meanwhile, and who does not answer the goodbye within `--close-ms` is cut off.
    pub fn closes_within(&self) -> Duration {
        let relay = &self.config.relay;
        Duration::from_millis(relay.drain_ms.saturating_add(relay.close_ms)) + CUT_AFTER
    }

    /// Runs until `closing` is cancelled, then says goodbye to everybody and returns, after [`Self::closes_within`] at the
    /// latest. Dropping it ends everything at once.
    ///
    /// # Errors
    /// If the dealer worker fails, without which there is no game.
    ///
    /// # Panics
    /// If a part of the house does.
    pub async fn run(self, closing: CancellationToken) -> Result<(), rooms::Failed> {
        let closes_within = self.closes_within();
        let dialer =
            Dialer::new(&format!("ws://{}/ws", reachable(self.address))).expect("an address makes a URL");
        let api = self.config.tokens.api(self.config.relay.hosts.clone(), Vec::new());
        let site = site::router(&self.relay, self.office.router(api));
        let _tidy = self.metrics.keep_tidy();
        let readiness = Readiness::new();
        readiness.observe(self.worker.observed());
        let relay = self.relay.clone();
        readiness.check("relay", move || {
            let troubles = relay.troubles();
            if troubles.is_empty() { Ok(()) } else { Err(troubles.join(", ")) }
        });
        let ops = self.guard.protect(ops_routes(self.metrics, readiness));
        let mut parts = JoinSet::new();
        // HTTP is served until everybody has gone: newcomers are told so, and operators see how it goes.
        let gone = CancellationToken::new();
        parts.spawn(serve(self.listener, site, self.front, gone.clone().cancelled_owned()));
        let operators = Front::operators(self.config.http);
        parts.spawn(serve(self.ops, ops, operators, gone.clone().cancelled_owned()));
        let relay = self.relay.run(closing.clone().cancelled_owned());
        parts.spawn(async move {
            relay.await;
            gone.cancel();
        });
        // It deals until everybody has gone, and then just ends: there is nobody to hand tables over to. The bots play on too,
        // until they are told to go like everybody.
        let dealing = CancellationToken::new();
        let mut worker = JoinSet::new();
        worker.spawn(self.worker.run(dealing.clone()));
        let bots = bots::seat(&self.config.bots, &self.tables, &dialer, &self.office.desk);
        let contestants = bots::enter(&self.config.bots, self.contestants, &dialer, &self.office.desk);
        let agency = bots::agency(&self.config.bots, self.seats, &dialer, &self.office.desk);
        let coach = bots::coach(&self.config.coach, self.coach, &dialer, &self.office.desk);
        let mut tidying = JoinSet::new();
        if let Some(people) = self.office.people.clone() {
            let days = self.config.kept.keep_hands_days;
            let (tidy, audited, signing) = (people.clone(), people.clone(), people.clone());
            let audits = Duration::from_secs(self.config.chips.audit_seconds.into());
            tidying.spawn(async move { audited.keep_audited(audits).await });
            tidying.spawn(async move { tidy.keep_tidy().await });
            tidying.spawn(async move { signing.sign_hands().await });
            tidying.spawn(async move { people.forget_hands(days).await });
        }
        if let Some(recorder) = self.recorder {
            tidying.spawn(recorder.run());
        }

        tokio::select! {
            biased;
            () = closing.cancelled() => {}
            Some(ended) = worker.join_next() => ended.expect("the worker does not panic")?,
            Some(ended) = parts.join_next() => ended.expect("neither relay nor server panics"),
        }
        closing.cancel();
        if timeout(closes_within, async { while parts.join_next().await.is_some() {} }).await.is_err() {
            tracing::debug!("some were still there at the end");
        }
        // Whoever opens the folder next finds nobody at work in it.
        worker.shutdown().await;
        parts.shutdown().await;
        tidying.shutdown().await;
        drop((bots, contestants, agency, coach));
        drop(self.office);
        drop(self.data);
        Ok(())
    }
}

fn node(name: &str) -> NodeId {
    NodeId::new(name).expect("the house's own names are valid")
}

/// The address by which this machine reaches itself where the house listens.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}
