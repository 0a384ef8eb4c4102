//! Connections to Redis, shared by the [bus](crate::bus::redis) and the [store](crate::store::redis).
//!
//! One connection for publications without answers ([`Publisher`]; not in a cluster) and one for commands (or a few), each room
//! pinned to one of them by its hash tag, so that what one task sends about a room arrives in that order. Commands go out plainly and concurrently: the client pipelines them by itself. What is in
//! flight on a connection is bounded, every command has a time, and nothing is sent twice by the client: whether
//! a write is repeated is the caller's to decide.
//!
//! [`rights`]: what each program must be allowed; [`trust`]: what the server must be set to. Both are looked at before a
//! program starts.

pub mod rights;
mod trust;

use std::{collections::BTreeSet, fmt, sync::Arc};

use fred::{
    prelude::{
        Client, ClientLike, ClientState, ClusterInterface, Config, ConnectionConfig, Error as RedisError,
        ErrorKind, EventInterface, PerformanceConfig, ReconnectPolicy, TcpConfig,
    },
    types::{
        ClusterStateChange, ConnectHandle, RespVersion, cluster::ClusterRouting, config::Server,
        config::UnresponsiveConfig,
    },
};
use futures_util::future::BoxFuture;
use metrics::{counter, gauge};
use parking_lot::Mutex;
use tokio::{
    sync::{
        Semaphore, SemaphorePermit,
        broadcast::{self, error::TryRecvError},
    },
    time::{Duration, Instant, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, info, warn};

use self::{
    rights::{Form, Program},
    trust::{Finding, Weight},
};
use crate::{
    channel::probe_key,
    publisher::{Credentials, Publisher},
    sentinels::Sentinels,
};

/// Between two attempts to connect.
const RECONNECT_DELAY_MS: u32 = 100;

/// Of connecting, and of the client's own commands while it does.
const CONNECT_ATTEMPT_MS: u64 = 2_000;

/// Between two looks whether a connection is up.
const LOOK_MS: u64 = 20;

/// So many streams to try with are looked through for one on each primary.
const PROBE_KEYS_MAX: u16 = 256;

/// What a URL may begin with. The client would take anything else for a single server.
const SCHEMES: [&str; 3] = ["redis://", "redis-sentinel://", "redis-cluster://"];

/// How Redis is reached, and how much is asked of it.
#[derive(Debug, Clone)]
pub struct RedisConfig {
    /// `redis://host:port`, `redis-sentinel://host:port?node=host:port&sentinelServiceName=name` (two nodes or more are
    /// better) or `redis-cluster://host:port?node=host:port`.
    pub url: String,
    /// Connections for commands.
    pub connections: usize,
    /// Commands without an answer on one connection: more store operations wait, and in a cluster more publications are refused.
    /// Elsewhere publications have no answers; 4 MiB of them may wait to be written.
    pub in_flight_max: usize,
    /// After which a command is given up, milliseconds.
    pub command_timeout_ms: u64,
    /// After which the first connection is given up, milliseconds.
    pub connect_timeout_ms: u64,
    /// Messages that wait on one subscriber connection; when there are more, some are missed.
    pub subscriber_messages_max: usize,
    /// How often an idle subscriber connection is tested, milliseconds.
    pub subscriber_ping_ms: u64,
    /// In a cluster: how often all subscriptions are asked for again, milliseconds, since one is lost in silence when its slot
    /// moves.
    pub resubscribe_ms: u64,
    /// What an acknowledged append promises.
    pub durability: Durability,
    /// Who asks, and so what it must be allowed.
    pub program: Program,
}

impl RedisConfig {
    /// The defaults.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            connections: 1,
            in_flight_max: 1_024,
            command_timeout_ms: 2_000,
            connect_timeout_ms: 10_000,
            subscriber_messages_max: 16_384,
            subscriber_ping_ms: 1_000,
            resubscribe_ms: 10_000,
            durability: Durability::Async,
            program: Program::default(),
        }
    }
}

/// What an acknowledged append promises.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// It is in the primary's memory (and in its append-only file as the server's `appendfsync` says). A failover or a
    /// crash of the machine may lose what was acknowledged last.
    #[default]
    Async,
    /// So many replicas have it too (`WAIT`). An append costs a round trip to the replicas, and is not acknowledged when fewer
    /// answer in time. A failover to one of *them* loses nothing; Redis does not promise to choose one.
    WaitReplicas {
        /// How many.
        replicas: u32,
        /// How long to wait for them, milliseconds.
        timeout_ms: u32,
    },
    /// It is on the primary's disk. The server's `appendfsync always` does it, before it answers; it is checked when
    /// connecting (`WAITAOF` would need Redis 7.2).
    Fsync,
}

/// `async`, `wait-replicas=N` (or `wait-replicas=N/TIMEOUT_MS`), or `fsync`.
impl std::str::FromStr for Durability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not async, wait-replicas=N, wait-replicas=N/TIMEOUT_MS or fsync");
        match text {
            "async" => return Ok(Self::Async),
            "fsync" => return Ok(Self::Fsync),
            _ => {}
        }
        let numbers = text.strip_prefix("wait-replicas=").ok_or_else(wrong)?;
        let (replicas, timeout_ms) = numbers.split_once('/').unwrap_or((numbers, "1000"));
        match (replicas.parse(), timeout_ms.parse()) {
            (Ok(replicas @ 1..), Ok(timeout_ms @ 1..)) => Ok(Self::WaitReplicas { replicas, timeout_ms }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Async => f.write_str("async"),
            Self::WaitReplicas { replicas, timeout_ms } => write!(f, "wait-replicas={replicas}/{timeout_ms}"),
            Self::Fsync => f.write_str("fsync"),
        }
    }
}

/// Why there is no connection at all. The process had better end: the configuration is to be mended, or Redis started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The URL is none.
    #[error("not a Redis URL: {0}")]
    Url(String),
    /// Nobody answers.
    #[error("Redis does not answer: {0}")]
    Unreachable(String),
    /// It answers, and does not let us do what we must.
    #[error("Redis does not allow what this program needs (docs/operations.md, \"Redis\"): {0}")]
    Denied(String),
    /// The server is set to something on which nothing can be promised.
    #[error("Redis is not set up to be trusted with tables (docs/operations.md, \"Redis\"): {0}")]
    Untrusted(String),
}

/// The connections of one process. Dropping the last clone closes them.
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
}

struct Shared {
    config: RedisConfig,
    client_config: Config,
    sentinels: Option<Sentinels>,
    connections: Vec<Connection>,
    /// In a cluster each channel is its shard's, and the library publishes.
    publisher: Option<Publisher>,
    generation: Mutex<Generation>,
    /// What is wrong with the server's settings now.
    wrong: Arc<Mutex<Option<String>>>,
    _looking: AbortOnDropHandle<()>,
}

struct Connection {
    client: Client,
    permits: Semaphore,
    handle: ConnectHandle,
    _kept_with_primary: Option<AbortOnDropHandle<()>>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

/// Counts what may have put another primary behind a connection. The notices are sent before the client writes the next
/// command, and looked at when somebody asks, so an answer is never seen before the change that preceded it.
struct Generation {
    count: u64,
    reconnects: Vec<broadcast::Receiver<Server>>,
    cluster_changes: Vec<broadcast::Receiver<Vec<ClusterStateChange>>>,
}

impl Redis {
    /// Connects, and checks that the server allows what the program needs and is set up so that it can be trusted.
    ///
    /// Boxed, so that the client library is compiled here and not once more in every program.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub fn connect(config: RedisConfig) -> BoxFuture<'static, Result<Self, ConnectError>> {
        Box::pin(Self::open(config))
    }

    async fn open(config: RedisConfig) -> Result<Self, ConnectError> {
        if !SCHEMES.iter().any(|scheme| config.url.starts_with(scheme)) {
            return Err(ConnectError::Url(format!("it begins with none of {SCHEMES:?}")));
        }
        let mut client_config =
            Config::from_url(&config.url).map_err(|error| ConnectError::Url(error.to_string()))?;
        // With RESP3 a connection that subscribes can also be asked other things, such as whether it lives.
        client_config.version = RespVersion::RESP3;
        // A Redis that starts later than we do is waited for.
        client_config.fail_fast = false;

        let within = Duration::from_millis(config.connect_timeout_ms);
        let knock = Knock::new(&config, &client_config);
        if knock.form != Form::Sentinel {
            // Before the client library, which does not say why it is not let in.
            knock.at_any_of(&client_config.server.hosts(), within).await?;
        }
        let sentinels = Sentinels::of(&client_config);
        let mut connections = Vec::new();
        for _ in 0..config.connections.max(1) {
            let client = client(&client_config, &config);
            let handle = client.connect();
            let permits = Semaphore::new(config.in_flight_max.max(1));
            let kept = sentinels.as_ref().map(|sentinels| sentinels.keep_with_primary(client.clone()));
            connections.push(Connection { client, permits, handle, _kept_with_primary: kept });
        }
        for connection in &connections {
            connected(&connection.client, within)
                .await
                .map_err(|Slow| ConnectError::Unreachable(config.url.clone()))?;
        }
        if knock.form != Form::Single {
            for server in connections[0].client.active_connections() {
                knock.at_any_of(&[server], within).await?;
            }
        }
        let looks = Looks { client: connections[0].client.clone(), durability: config.durability };
        looks.first(within).await?;
        let generation = Mutex::new(Generation {
            count: 1,
            reconnects: connections.iter().map(|c| c.client.reconnect_rx()).collect(),
            cluster_changes: connections.iter().map(|c| c.client.cluster_change_rx()).collect(),
        });
        let publisher = (knock.form != Form::Cluster).then(|| {
            let patience = Duration::from_millis(config.command_timeout_ms);
            Publisher::start(connections[0].client.clone(), knock.credentials.clone(), patience)
        });
        if let Some(publisher) = &publisher {
            let refused = |why| ConnectError::Unreachable(format!("{}: publishing: {why}", config.url));
            publisher.connected(within).await.map_err(refused)?;
        }
        let wrong = Arc::default();
        let looking = AbortOnDropHandle::new(tokio::spawn(looks.keep_looking(Arc::clone(&wrong))));
        let shared = Shared {
            config,
            client_config,
            sentinels,
            connections,
            publisher,
            generation,
            wrong,
            _looking: looking,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Whether the server can be trusted with tables, by its settings as of the last look.
    ///
    /// # Errors
    /// Which setting is wrong, and the remedy.
    pub fn is_trusted(&self) -> Result<(), String> {
        self.shared.wrong.lock().clone().map_or(Ok(()), Err)
    }

    /// As configured.
    pub fn config(&self) -> &RedisConfig {
        &self.shared.config
    }

    /// Whether it is a Redis Cluster.
    pub fn is_cluster(&self) -> bool {
        self.shared.client_config.server.is_clustered()
    }

    /// See [`Store::generation`](crate::store::Store::generation).
    pub(crate) fn generation(&self) -> u64 {
        let generation = &mut *self.shared.generation.lock();
        let mut seen = 0;
        for events in &mut generation.reconnects {
            seen += pending_events(events);
        }
        for events in &mut generation.cluster_changes {
            seen += pending_events(events);
        }
        generation.count += seen;
        // What was published may be lost too: whoever asserts its rooms anew tells it again.
        generation.count + self.publisher().map_or(0, Publisher::losses)
    }

    /// The connection to which what is named `name` is pinned, by the hash tag in it.
    pub(crate) fn pinned(&self, name: &str) -> Pinned<'_> {
        let tag =
            name.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or(name, |(tag, _)| tag);
        let connections = &self.shared.connections;
        let at = usize::try_from(fnv1a(tag.as_bytes())).unwrap_or(usize::MAX) % connections.len();
        Pinned { connection: &connections[at], timeout_ms: self.shared.config.command_timeout_ms }
    }

    /// Streams to try reading and writing with, one on each primary.
    pub(crate) fn probe_keys(&self) -> Vec<String> {
        let routing = self.is_cluster().then(|| self.shared.connections[0].client.cached_cluster_state());
        let Some(routing) = routing.flatten() else { return vec![probe_key(0)] };
        let mut primaries = BTreeSet::new();
        let keys = (0..PROBE_KEYS_MAX).map(probe_key);
        keys.filter(|key| {
            let primary = routing.get_server(ClusterRouting::hash_key(key.as_bytes()));
            primary.is_some_and(|primary| primaries.insert(primary.clone()))
        })
        .collect()
    }

    /// Publishes without an answer; not in a cluster.
    pub(crate) fn publisher(&self) -> Option<&Publisher> {
        self.shared.publisher.as_ref()
    }

    /// A client of its own for one subscriber, not yet connected.
    pub(crate) fn subscriber_client(&self) -> Client {
        client(&self.shared.client_config, &self.shared.config)
    }

    /// Behind sentinels: has the client leave a server that is not the primary any more, until the handle is dropped.
    pub(crate) fn keep_with_primary(&self, client: &Client) -> Option<AbortOnDropHandle<()>> {
        self.shared.sentinels.as_ref().map(|sentinels| sentinels.keep_with_primary(client.clone()))
    }
}

/// Tries what we are allowed.
struct Knock {
    form: Form,
    credentials: Credentials,
    rights: Vec<&'static str>,
}

impl Knock {
    fn new(config: &RedisConfig, client_config: &Config) -> Self {
        let server = &client_config.server;
        let form = match (server.is_clustered(), server.is_sentinel()) {
            (true, _) => Form::Cluster,
            (_, true) => Form::Sentinel,
            _ => Form::Single,
        };
        let (username, password) = (client_config.username.clone(), client_config.password.clone());
        let rights = rights::rights(config.program, form, config.durability);
        Self { form, credentials: Credentials { username, password }, rights }
    }

    /// At the first of these that answers within the time.
    async fn at_any_of(&self, servers: &[Server], within: Duration) -> Result<(), ConnectError> {
        let mut why = "nobody is there".to_owned();
        let knocking = async {
            loop {
                for server in servers {
                    let attempt = Duration::from_millis(CONNECT_ATTEMPT_MS);
                    let tried = rights::try_all(server, &self.credentials, &self.rights);
                    match timeout(attempt, tried).await {
                        Ok(Ok(allowed)) => return allowed,
                        Ok(Err(error)) => why = format!("{server}: {error}"),
                        Err(_) => why = format!("{server}: no answer in time"),
                    }
                }
                sleep(Duration::from_millis(RECONNECT_DELAY_MS.into())).await;
            }
        };
        match timeout(within, knocking).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(denied)) => {
                let denied: Vec<String> = denied.iter().map(ToString::to_string).collect();
                Err(ConnectError::Denied(denied.join("; ")))
            }
            Err(_) => Err(ConnectError::Unreachable(why)),
        }
    }
}

/// Looks at the servers' settings.
struct Looks {
    client: Client,
    durability: Durability,
}

impl Looks {
    /// What is not as it should be at the primaries.
    async fn look(&self) -> Result<Vec<(Server, Finding)>, RedisError> {
        let is_cluster = self.client.is_clustered();
        let mut findings = Vec::new();
        for server in self.client.active_connections() {
            let found = trust::look(&self.client, is_cluster.then_some(&server), self.durability).await?;
            findings.extend(found.into_iter().map(|finding| (server.clone(), finding)));
        }
        Ok(findings)
    }

    async fn first(&self, within: Duration) -> Result<(), ConnectError> {
        let looking = async {
            loop {
                match self.look().await {
                    Ok(findings) => return findings,
                    Err(error) => warn!(%error, "Redis does not say how it is set up yet"),
                }
                sleep(Duration::from_millis(RECONNECT_DELAY_MS.into())).await;
            }
        };
        let unreachable = |_| ConnectError::Unreachable("it does not say how it is set up".into());
        let findings = timeout(within, looking).await.map_err(unreachable)?;
        for (server, finding) in findings.iter().filter(|(_, finding)| finding.weight == Weight::Warning) {
            warn!(%server, setting = finding.setting, "{finding}");
        }
        wrong(&findings).map_or(Ok(()), |wrong| Err(ConnectError::Untrusted(wrong)))
    }

    /// As long as it is not dropped. While a server does not answer, what was last known counts: that it does not answer is told
    /// elsewhere.
    async fn keep_looking(self, known: Arc<Mutex<Option<String>>>) {
        let untrusted = gauge!("cardhouse_redis_untrusted");
        untrusted.set(0.0);
        loop {
            sleep(trust::LOOK_EVERY).await;
            let Ok(findings) = self.look().await else { continue };
            let now = wrong(&findings);
            untrusted.set(f64::from(u8::from(now.is_some())));
            let before = std::mem::replace(&mut *known.lock(), now.clone());
            match now {
                Some(wrong) if before.as_ref() != Some(&wrong) => {
                    error!(
                        wrong,
                        "Redis cannot be trusted with tables any more: not ready until it is mended"
                    );
                }
                None if before.is_some() => info!("Redis can be trusted again"),
                _ => {}
            }
        }
    }
}

/// What is wrong, in words.
fn wrong(findings: &[(Server, Finding)]) -> Option<String> {
    let wrong = findings.iter().filter(|(_, finding)| finding.weight == Weight::Wrong);
    let wrong: Vec<String> = wrong.map(|(server, finding)| format!("{server}: {finding}")).collect();
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

fn client(config: &Config, ours: &RedisConfig) -> Client {
    let timeout = Duration::from_millis(ours.command_timeout_ms);
    let performance = PerformanceConfig {
        default_command_timeout: timeout,
        broadcast_channel_capacity: ours.subscriber_messages_max,
        ..PerformanceConfig::default()
    };
    let attempt = Duration::from_millis(CONNECT_ATTEMPT_MS);
    let connection = ConnectionConfig {
        connection_timeout: attempt,
        internal_command_timeout: attempt,
        // An XADD or PUBLISH that may have happened is not sent again behind our back.
        max_command_attempts: 1,
        max_command_buffer_len: ours.in_flight_max.max(1) * 2,
        unresponsive: UnresponsiveConfig { max_timeout: Some(timeout * 2), interval: timeout / 4 },
        tcp: TcpConfig { nodelay: Some(true), user_timeout: Some(timeout * 2), ..TcpConfig::default() },
        ..ConnectionConfig::default()
    };
    let policy = ReconnectPolicy::new_constant(0, RECONNECT_DELAY_MS);
    Client::new(config.clone(), Some(performance), Some(connection), Some(policy))
}

/// It took too long.
pub(crate) struct Slow;

/// Waits until the client has its connection.
pub(crate) async fn connected(client: &Client, within: Duration) -> Result<(), Slow> {
    let end = Instant::now() + within;
    while client.state() != ClientState::Connected {
        if Instant::now() >= end {
            return Err(Slow);
        }
        sleep(Duration::from_millis(LOOK_MS)).await;
    }
    Ok(())
}

fn pending_events<T: Clone>(events: &mut broadcast::Receiver<T>) -> u64 {
    let mut seen = 0;
    loop {
        match events.try_recv() {
            Ok(_) => seen += 1,
            Err(TryRecvError::Lagged(missed)) => seen += missed,
            Err(TryRecvError::Empty | TryRecvError::Closed) => return seen,
        }
    }
}

/// FNV-1a: the same in every process and version, which `std`'s hasher does not promise.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A connection chosen for a room.
#[derive(Clone, Copy)]
pub(crate) struct Pinned<'a> {
    connection: &'a Connection,
    timeout_ms: u64,
}

impl<'a> Pinned<'a> {
    /// The client to send a command with, while the permit is held.
    pub(crate) fn client(self) -> &'a Client {
        &self.connection.client
    }

    /// Leave to send now, or `None` when too much is in flight.
    pub(crate) fn permit_now(self) -> Option<SemaphorePermit<'a>> {
        self.connection.permits.try_acquire().ok()
    }

    /// Leave to send, as soon as there is room.
    pub(crate) async fn permit(self) -> Result<SemaphorePermit<'a>, Slow> {
        if let Some(permit) = self.permit_now() {
            return Ok(permit);
        }
        let acquire = self.connection.permits.acquire();
        match timeout(Duration::from_millis(self.timeout_ms), acquire).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Slow),
        }
    }

    /// Looks at an error of a command: a demoted primary is left for its successor.
    pub(crate) fn examine(self, error: &RedisError) {
        counter!("cardhouse_redis_errors_total", "kind" => error.kind().to_str()).increment(1);
        if error.details().starts_with("READONLY") {
            warn!("this Redis is a replica now: connecting again");
            self.connect_again();
        }
    }

    /// An answer is not its command's, so none on this connection can be trusted any more. For commands whose answers are of our
    /// own making: what is read may be wrong because somebody has written it.
    pub(crate) fn answers_are_shifted(self, answer: &str) {
        counter!("cardhouse_redis_answers_shifted_total").increment(1);
        tracing::error!(answer, "Redis has answered something else than was asked: connecting again");
        self.connect_again();
    }

    fn connect_again(self) {
        let client = self.connection.client.clone();
        tokio::spawn(async move { client.force_reconnection().await });
    }
}

/// The first words of Redis's errors that say no to a command before anything is done for it. (Not `ERR`: proxies say so too,
/// of commands whose fate they do not know.)
const NOES: [&str; 11] = [
    "NOREPLICAS",
    "OOM",
    "NOPERM",
    "READONLY",
    "MISCONF",
    "CLUSTERDOWN",
    "LOADING",
    "MASTERDOWN",
    "BUSY",
    "NOAUTH",
    "WRONGTYPE",
];

/// Whether this is Redis's word that it has not done what it was asked for.
pub(crate) fn says_no(error: &str) -> bool {
    error.split_whitespace().next().is_some_and(|word| NOES.contains(&word))
}

/// Whether the client's own queue was full, so that nothing was sent.
pub(crate) fn is_full(error: &RedisError) -> bool {
    *error.kind() == ErrorKind::Backpressure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_durability_is_read_as_it_is_written() {
        for durability in
            [Durability::Async, Durability::Fsync, Durability::WaitReplicas { replicas: 2, timeout_ms: 300 }]
        {
            assert_eq!(durability.to_string().parse(), Ok(durability));
        }
        assert!(matches!("wait-replicas=1".parse(), Ok(Durability::WaitReplicas { replicas: 1, .. })));
        for bad in ["", "sync", "wait-replicas=0", "wait-replicas=", "wait-replicas=1/0"] {
            assert!(bad.parse::<Durability>().is_err(), "{bad}");
        }
    }
}
