//! Which Redis is the primary, by the word of most sentinels.
//!
//! A client asks a sentinel when it connects, and never again. So it stays with a server that has been replaced for as long as that one
//! keeps the connection: one that was stopped and goes on, or one that comes back as a primary and is not made a replica. Such a
//! server answers everything, a node's own heartbeat too, and whoever is with it plays in a house of its own.

use fred::{
    clients::SentinelClient,
    interfaces::{ClientLike, SentinelInterface},
    prelude::Client,
    types::{
        ConnectHandle,
        config::{
            Config, ConnectionConfig, PerformanceConfig, ReconnectPolicy, SentinelConfig, Server,
            ServerConfig,
        },
    },
};
use futures_util::future::join_all;
use metrics::counter;
use tokio::{
    sync::watch,
    time::{Duration, Instant, MissedTickBehavior, interval},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

/// How often the sentinels are asked, and clients looked at.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// A sentinel answers within this, or has no vote this time.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// Most sentinels must have named the same primary for so long. While they change their minds a client goes where one of them
/// sends it.
const STEADY: Duration = Duration::from_secs(3);

/// Between two attempts to connect to a sentinel, milliseconds.
const RECONNECT_DELAY_MS: u32 = 1_000;

/// See the module. Dropping it ends the asking.
pub(crate) struct Sentinels {
    primary: watch::Receiver<Option<Server>>,
    _asking: AbortOnDropHandle<()>,
}

impl Sentinels {
    /// Those of this configuration; `None` if it has none.
    pub(crate) fn of(config: &Config) -> Option<Self> {
        let ServerConfig::Sentinel { hosts, service_name, .. } = &config.server else { return None };
        let (tells, primary) = watch::channel(None);
        let asked = hosts.iter().map(Asked::connect).collect();
        let asking = tokio::spawn(ask(asked, service_name.clone(), tells));
        Some(Self { primary, _asking: AbortOnDropHandle::new(asking) })
    }

    /// Has `client` connect anew whenever it is with another server than the primary, until the handle is dropped.
    pub(crate) fn keep_with_primary(&self, client: Client) -> AbortOnDropHandle<()> {
        let primary = self.primary.clone();
        AbortOnDropHandle::new(tokio::spawn(async move {
            let mut looks = interval(ASK_EVERY);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                looks.tick().await;
                let Some(primary) = primary.borrow().clone() else { continue };
                let with = client.active_connections();
                if client.is_connected() && !with.is_empty() && !with.contains(&primary) {
                    counter!("cardhouse_redis_replaced_total").increment(1);
                    warn!(?with, %primary, "this Redis is not the primary any more: connecting again");
                    // It fails only when the client is closed.
                    let _ = client.force_reconnection().await;
                }
            }
        }))
    }
}

/// A connection to a sentinel.
struct Asked {
    client: SentinelClient,
    handle: ConnectHandle,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

impl Asked {
    fn connect(sentinel: &Server) -> Self {
        let config = SentinelConfig {
            host: sentinel.host.to_string(),
            port: sentinel.port,
            ..SentinelConfig::default()
        };
        let performance =
            PerformanceConfig { default_command_timeout: ANSWER_WITHIN, ..PerformanceConfig::default() };
        let connection = ConnectionConfig { max_command_attempts: 1, ..ConnectionConfig::default() };
        let policy = ReconnectPolicy::new_constant(0, RECONNECT_DELAY_MS);
        let client = SentinelClient::new(config, Some(performance), Some(connection), Some(policy));
        let handle = client.connect();
        Self { client, handle }
    }

    async fn primary(&self, service: &str) -> Option<Server> {
        let asked = self.client.get_master_addr_by_name::<(String, u16), _>(service);
        let (host, port) = tokio::time::timeout(ANSWER_WITHIN, asked).await.ok()?.ok()?;
        Some(Server::new(host, port))
    }
}

async fn ask(sentinels: Vec<Asked>, service: String, tells: watch::Sender<Option<Server>>) {
    let mut word = Word::default();
    let mut ticks = interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let answers = join_all(sentinels.iter().map(|sentinel| sentinel.primary(&service))).await;
        tells.send_replace(word.hear(&answers, Instant::now()));
    }
}

/// What most sentinels say, and since when.
#[derive(Default)]
struct Word {
    said: Option<(Server, Instant)>,
}

impl Word {
    /// The primary, once the word has been steady.
    fn hear(&mut self, answers: &[Option<Server>], now: Instant) -> Option<Server> {
        let votes = |server: &Server| answers.iter().flatten().filter(|answer| *answer == server).count();
        let elected = answers.iter().flatten().find(|server| votes(server) * 2 > answers.len());
        let Some(elected) = elected else {
            self.said = None;
            return None;
        };
        match &self.said {
            Some((said, since)) if said == elected => {
                (now.duration_since(*since) >= STEADY).then(|| elected.clone())
            }
            _ => {
                self.said = Some((elected.clone(), now));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primary_is_whom_most_have_named_for_a_while() {
        let server = |port| Some(Server::new("10.0.0.1", port));
        let (one, other) = (server(1), server(2));
        let begin = Instant::now();
        let mut word = Word::default();
        let mut hear = |answers: &[&Option<Server>], seconds| {
            let answers: Vec<Option<Server>> = answers.iter().map(|answer| (*answer).clone()).collect();
            word.hear(&answers, begin + Duration::from_secs(seconds))
        };
        assert_eq!(hear(&[&one, &one, &None], 0), None, "not yet");
        assert_eq!(hear(&[&one, &one, &other], 3), one);
        assert_eq!(hear(&[&one, &other, &None], 4), None, "two of three do not agree");
        assert_eq!(hear(&[&other, &other, &one], 5), None);
        assert_eq!(hear(&[&other, &one, &one], 6), None, "they have changed their minds");
        assert_eq!(hear(&[&other, &other, &other], 7), None);
        assert_eq!(hear(&[&other, &other, &other], 10), other);
        assert_eq!(hear(&[], 11), None);
    }
}
