//! Connections to Redis, shared by the [bus](crate::bus::redis) and the [store](crate::store::redis).
//!
//! One connection for publications without answers ([`Publisher`]; not in a cluster) and one for commands (or a few), each room
//! pinned to one of them by its hash tag, so that what one task sends about a room arrives in that order. Commands go out plainly and concurrently: the client pipelines them by itself. What is in
//! flight on a connection is bounded, every command has a time, and nothing is sent twice by the client: whether
//! a write is repeated is the caller's to decide.

use std::{fmt, sync::Arc};

use fred::{
    prelude::{
        Client, ClientLike, ClientState, Config, ConnectionConfig, Error as RedisError, ErrorKind,
        EventInterface, PerformanceConfig, ReconnectPolicy, TcpConfig,
    },
    types::{ClusterStateChange, ConnectHandle, RespVersion, config::Server, config::UnresponsiveConfig},
};
use metrics::counter;
use parking_lot::Mutex;
use tokio::{
    sync::{
        Semaphore, SemaphorePermit,
        broadcast::{self, error::TryRecvError},
    },
    time::{Duration, Instant, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

use crate::{
    publisher::{Credentials, Publisher},
    sentinels::Sentinels,
};

/// Between two attempts to connect.
const RECONNECT_DELAY_MS: u32 = 100;

/// Of connecting, and of the client's own commands while it does.
const CONNECT_ATTEMPT_MS: u64 = 2_000;

/// Between two looks whether a connection is up.
const LOOK_MS: u64 = 20;

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
    /// The server does not do what [`Durability`] needs.
    #[error("Redis is not set up for the durability asked for: {0}")]
    Durability(String),
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
    /// Connects, and checks that the server does what the durability needs.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(config: RedisConfig) -> Result<Self, ConnectError> {
        if !SCHEMES.iter().any(|scheme| config.url.starts_with(scheme)) {
            return Err(ConnectError::Url(format!("it begins with none of {SCHEMES:?}")));
        }
        let mut client_config =
            Config::from_url(&config.url).map_err(|error| ConnectError::Url(error.to_string()))?;
        // With RESP3 a connection that subscribes can also be asked other things, such as whether it lives.
        client_config.version = RespVersion::RESP3;
        // A Redis that starts later than we do is waited for.
        client_config.fail_fast = false;

        let sentinels = Sentinels::of(&client_config);
        let mut connections = Vec::new();
        for _ in 0..config.connections.max(1) {
            let client = client(&client_config, &config);
            let handle = client.connect();
            let permits = Semaphore::new(config.in_flight_max.max(1));
            let kept = sentinels.as_ref().map(|sentinels| sentinels.keep_with_primary(client.clone()));
            connections.push(Connection { client, permits, handle, _kept_with_primary: kept });
        }
        let within = Duration::from_millis(config.connect_timeout_ms);
        for connection in &connections {
            connected(&connection.client, within)
                .await
                .map_err(|Slow| ConnectError::Unreachable(config.url.clone()))?;
        }
        let generation = Mutex::new(Generation {
            count: 1,
            reconnects: connections.iter().map(|c| c.client.reconnect_rx()).collect(),
            cluster_changes: connections.iter().map(|c| c.client.cluster_change_rx()).collect(),
        });
        let publisher = (!client_config.server.is_clustered()).then(|| {
            let (username, password) = (client_config.username.clone(), client_config.password.clone());
            let patience = Duration::from_millis(config.command_timeout_ms);
            Publisher::start(connections[0].client.clone(), Credentials { username, password }, patience)
        });
        if let Some(publisher) = &publisher {
            let refused = |why| ConnectError::Unreachable(format!("{}: publishing: {why}", config.url));
            publisher.connected(within).await.map_err(refused)?;
        }
        let shared = Shared { config, client_config, sentinels, connections, publisher, generation };
        let redis = Self { shared: Arc::new(shared) };
        if redis.config().durability == Durability::Fsync {
            redis.check_fsync().await?;
        }
        Ok(redis)
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

    async fn check_fsync(&self) -> Result<(), ConnectError> {
        use fred::prelude::{ConfigInterface, Options};
        let wrong = |why: String| ConnectError::Durability(why);
        let client = &self.shared.connections[0].client;
        for server in client.active_connections() {
            let to_server = Options { cluster_node: Some(server.clone()), ..Options::default() };
            for (setting, needed) in [("appendonly", "yes"), ("appendfsync", "always")] {
                let asked = if self.is_cluster() {
                    client.with_options(&to_server).config_get::<Vec<String>, _>(setting).await
                } else {
                    client.config_get::<Vec<String>, _>(setting).await
                };
                let is =
                    asked.map_err(|error| wrong(format!("{server} does not say its {setting}: {error}")))?;
                if is.get(1).map(String::as_str) != Some(needed) {
                    return Err(wrong(format!("{server} has {is:?}, needed is {setting} {needed}")));
                }
            }
        }
        Ok(())
    }
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
