//! Between processes: Redis's publish and subscribe, in a cluster the sharded kind.
//!
//! A subscriber has a connection of its own and keeps its own list of channels: after a reconnect it subscribes to all of them
//! again and only then says that messages may have been missed. That a `subscribe` stands is known from the answer to a
//! `PING` sent behind it (the client answers a `SUBSCRIBE` as soon as it is written); in a cluster `SSUBSCRIBE` itself is
//! answered. A shard subscription is lost in silence when its slot moves; so all are asked for again from time to time,
//! which makes the client notice the move, and whenever it has noticed.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use fred::{
    interfaces::{ClientLike, EventInterface, PubsubInterface},
    prelude::{Client, ErrorKind},
    types::{ConnectHandle, Message},
};
use futures_util::{
    StreamExt, TryStreamExt,
    future::{BoxFuture, Either, ready},
    stream,
};
use metrics::counter;
use parking_lot::Mutex;
use tokio::{
    sync::{
        Mutex as AsyncMutex, Notify,
        broadcast::{
            self,
            error::{RecvError, TryRecvError},
        },
        watch,
    },
    time::{Duration, interval, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use super::{Bus, BusError, Publishing, Receiver, Subscription};
use crate::{
    channel::Channel,
    redis::{Redis, connected, is_full},
};

/// Subscriptions on their way at a time when all are renewed.
const RENEWALS_AT_ONCE: usize = 64;

/// How often a shard subscription is tried: the first may only tell the client that the slot has moved.
const SHARD_ATTEMPTS: usize = 3;

/// Before renewing is tried again.
const RENEWAL_RETRY_MS: u64 = 100;

/// Publish and subscribe through Redis.
#[derive(Clone)]
pub struct RedisBus {
    redis: Redis,
}

impl RedisBus {
    /// A bus on these connections.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }
}

impl Bus for RedisBus {
    fn publish(&self, channel: &Channel, payload: Bytes) -> Publishing {
        let pinned = self.redis.pinned(channel.as_str());
        // What waited for a reconnect would come late; whoever sends it will rather send it again.
        if !pinned.client().is_connected() {
            return Either::Left(ready(Err(BusError::Unavailable("no connection to Redis".into()))));
        }
        if let Some(publisher) = self.redis.publisher() {
            return Either::Left(ready(publisher.publish(channel.as_str(), &payload)));
        }
        let (redis, channel) = (self.redis.clone(), channel.clone());
        Either::Right(Box::pin(async move {
            let pinned = redis.pinned(channel.as_str());
            let Some(_permit) = pinned.permit_now() else {
                counter!("cardhouse_bus_full_total").increment(1);
                return Err(BusError::Full);
            };
            let heard: Result<usize, _> = pinned.client().spublish(channel.as_str(), payload).await;
            heard.map(drop).map_err(|error| {
                pinned.examine(&error);
                // How many have heard it is a number, whatever is in Redis.
                if *error.kind() == ErrorKind::Parse {
                    pinned.answers_are_shifted(error.details());
                }
                if is_full(&error) { BusError::Full } else { BusError::Unavailable(error.to_string()) }
            })
        }))
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // In a cluster every publication has been answered.
            if let Some(publisher) = self.redis.publisher() {
                let patience = Duration::from_millis(self.redis.config().command_timeout_ms);
                let _ = timeout(patience, publisher.flush()).await;
            }
        })
    }

    fn subscriber(&self, receiver: Arc<dyn Receiver>) -> Box<dyn Subscription> {
        let client = self.redis.subscriber_client();
        let config = self.redis.config();
        let line = Arc::new(Line {
            is_cluster: self.redis.is_cluster(),
            patience: Duration::from_millis(config.command_timeout_ms),
            ping_every: Duration::from_millis(config.subscriber_ping_ms),
            renew_every: Duration::from_millis(config.resubscribe_ms),
            channels: Mutex::default(),
            one_at_a_time: AsyncMutex::default(),
            has_begun: watch::Sender::new(false),
            missed: AtomicBool::new(false),
            tell_missed: Notify::new(),
            client,
        });
        // Both listen before there is a connection, so that nothing escapes them.
        let delivering = AbortOnDropHandle::new(tokio::spawn(deliver(line.clone(), receiver)));
        let keeping = AbortOnDropHandle::new(tokio::spawn(keep(line.clone())));
        let connection = line.client.connect();
        Box::new(RedisSubscription {
            _delivering: delivering,
            _keeping: keeping,
            _kept_with_primary: self.redis.keep_with_primary(&line.client),
            line,
            connection,
        })
    }
}

struct RedisSubscription {
    line: Arc<Line>,
    connection: ConnectHandle,
    _delivering: AbortOnDropHandle<()>,
    _keeping: AbortOnDropHandle<()>,
    _kept_with_primary: Option<AbortOnDropHandle<()>>,
}

impl Drop for RedisSubscription {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Subscription for RedisSubscription {
    fn subscribe(&self, channel: &Channel) -> BoxFuture<'_, Result<(), BusError>> {
        let channel = channel.clone();
        Box::pin(async move {
            // Listed first: should the connection break now, it is renewed with the others.
            let is_new = self.line.channels.lock().insert(channel.clone());
            let stands = self.line.subscribe(&channel).await;
            if stands.is_err() && is_new {
                self.line.channels.lock().remove(&channel);
            }
            stands
        })
    }

    fn unsubscribe(&self, channel: &Channel) -> BoxFuture<'_, Result<(), BusError>> {
        let channel = channel.clone();
        Box::pin(async move {
            self.line.channels.lock().remove(&channel);
            let client = &self.line.client;
            let left = if self.line.is_cluster {
                let _turn = self.line.one_at_a_time.lock().await;
                client.sunsubscribe(channel.as_str()).await
            } else {
                client.unsubscribe(channel.as_str()).await
            };
            left.map_err(|error| BusError::Unavailable(error.to_string()))
        })
    }
}

/// One subscriber's connection.
struct Line {
    client: Client,
    is_cluster: bool,
    patience: Duration,
    ping_every: Duration,
    renew_every: Duration,
    channels: Mutex<BTreeSet<Channel>>,
    /// Held while a shard subscription is on its way: the client matches its answers only one by one.
    one_at_a_time: AsyncMutex<()>,
    /// Whether the first connection is up, and what the client said of it out of the way. Nobody subscribes before.
    has_begun: watch::Sender<bool>,
    missed: AtomicBool,
    tell_missed: Notify,
}

impl Line {
    async fn subscribe(&self, channel: &Channel) -> Result<(), BusError> {
        let unavailable = |why: String| BusError::Unavailable(why);
        let mut has_begun = self.has_begun.subscribe();
        let begun = timeout(self.patience, has_begun.wait_for(|begun| *begun)).await.is_ok();
        if !begun || connected(&self.client, self.patience).await.is_err() {
            return Err(unavailable("no connection to Redis".into()));
        }
        if !self.is_cluster {
            let subscribe = self.client.subscribe(channel.as_str());
            subscribe.await.map_err(|error| unavailable(error.to_string()))?;
            return self.ping().await;
        }
        let _turn = self.one_at_a_time.lock().await;
        let mut why = String::new();
        for _ in 0..SHARD_ATTEMPTS {
            match self.client.ssubscribe(channel.as_str()).await {
                Ok(()) => return Ok(()),
                Err(error) => why = error.to_string(),
            }
        }
        Err(unavailable(why))
    }

    async fn ping(&self) -> Result<(), BusError> {
        match timeout(self.patience, self.client.ping::<String>(None)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(BusError::Unavailable(error.to_string())),
            Err(_) => Err(BusError::Unavailable("no answer on the subscriber's connection".into())),
        }
    }

    /// Subscribes to everything once more.
    async fn renew(&self) -> Result<(), BusError> {
        let channels: Vec<Channel> = self.channels.lock().iter().cloned().collect();
        stream::iter(channels)
            .map(|channel| async move { self.subscribe(&channel).await })
            .buffer_unordered(RENEWALS_AT_ONCE)
            .try_for_each(|()| async { Ok(()) })
            .await
    }

    async fn renew_until_it_stands(&self) {
        while let Err(error) = self.renew().await {
            warn!(%error, "cannot subscribe again yet");
            sleep(Duration::from_millis(RENEWAL_RETRY_MS)).await;
        }
        self.say_missed();
    }

    fn say_missed(&self) {
        self.missed.store(true, Ordering::Release);
        self.tell_missed.notify_one();
    }
}

/// Hands messages over, and, between them, the news that some are missing.
async fn deliver(line: Arc<Line>, receiver: Arc<dyn Receiver>) {
    let mut messages = line.client.message_rx();
    loop {
        let message = tokio::select! { biased;
            () = line.tell_missed.notified() => None,
            message = messages.recv() => Some(message),
        };
        match message {
            None => {}
            Some(Ok(Message { channel, value, .. })) => {
                if let Some(payload) = value.into_bytes() {
                    receiver.deliver(&channel, payload);
                }
            }
            Some(Err(RecvError::Lagged(count))) => {
                warn!(count, "the subscriber was too slow: messages are missed");
                counter!("cardhouse_bus_lagged_total").increment(count);
                line.missed.store(true, Ordering::Release);
            }
            // The client lives in `line`, so its channel cannot have closed.
            Some(Err(RecvError::Closed)) => return,
        }
        if line.missed.swap(false, Ordering::AcqRel) {
            receiver.missed();
        }
    }
}

/// Keeps the subscriptions standing.
async fn keep(line: Arc<Line>) {
    let mut reconnects = line.client.reconnect_rx();
    let mut moves = line.client.cluster_change_rx();
    let mut pings = interval(line.ping_every);
    let mut renewals = interval(line.renew_every);
    // The first tick of an interval comes at once.
    renewals.reset();
    // The client calls its first connection a reconnect and a change, too. Taken for one, it would be told that messages
    // are missed where none can be, perhaps long after somebody has subscribed, who would take it for the news of a later
    // loss and trust in subscriptions that are gone.
    while connected(&line.client, line.patience).await.is_err() {}
    drain(&mut reconnects);
    drain(&mut moves);
    line.has_begun.send_replace(true);
    loop {
        tokio::select! { biased;
            _ = reconnects.recv() => {
                info!(channels = line.channels.lock().len(), "subscribing again after a reconnect");
                counter!("cardhouse_bus_reconnects_total").increment(1);
                // In a cluster each node's connection is told of; renewing once serves all that are up.
                drain(&mut reconnects);
                line.renew_until_it_stands().await;
            }
            _ = moves.recv() => line.renew_until_it_stands().await,
            _ = renewals.tick(), if line.is_cluster => {
                if let Err(error) = line.renew().await {
                    warn!(%error, "a shard subscription cannot be renewed");
                    line.renew_until_it_stands().await;
                }
            }
            _ = pings.tick() => {
                if line.client.is_connected() && line.ping().await.is_err() {
                    warn!("the subscriber's connection is silent: connecting again");
                    counter!("cardhouse_bus_silent_total").increment(1);
                    // It fails only when the client is closed.
                    let _ = line.client.force_reconnection().await;
                }
            }
        }
    }
}

/// Forgets what is waiting.
fn drain<T: Clone>(events: &mut broadcast::Receiver<T>) {
    while !matches!(events.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {}
}
