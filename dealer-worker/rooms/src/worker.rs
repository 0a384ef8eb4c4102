//! The worker put together.

use std::{net::SocketAddr, sync::Arc};

use broker::{
    members::{Heard, Members, Membership, Observed},
    node::Role,
    ports::Ports,
    seal::Sealer,
};
use metrics::counter;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::WorkerConfig,
    context::Context,
    lobby::{self, Board},
    open::OPENER,
    open::Opener,
    placement::Placement,
    replies::Replies,
    room::{chance::Chance, kinds::Kinds, mailbox::Bound, switchboard::Switchboard},
};

/// News that wait to be looked at, at most; when more come, the maps are read instead.
const NEWS_MAX: usize = 8_192;

/// Owns rooms as long as it runs. Dropping it, or the future of [`Worker::run`], ends all its tasks at once and without
/// a word, as a crash would.
pub struct Worker {
    placement: Placement,
    tasks: JoinSet<()>,
    observed: watch::Receiver<Observed>,
    membership: watch::Receiver<Arc<Membership>>,
    opens_at: Arc<dyn Fn(SocketAddr) + Send + Sync>,
    sealer: Arc<Sealer>,
}

/// A part of the worker has failed; it cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("a part of the dealer worker has ended: {0}")]
pub struct Failed(String);

impl Worker {
    /// A worker that beats and listens, but owns nothing before [`Worker::run`]. Must be called within a runtime.
    pub fn new(ports: Ports, config: WorkerConfig, kinds: Kinds, chance: Chance) -> Self {
        let (tell, news) = mpsc::channel(NEWS_MAX);
        let hear = move |heard| {
            // When there is no room for the last message either, those before it lead to reading the maps: one of them
            // is this.
            if tell.capacity() > 1 {
                let _ = tell.try_send(heard);
            } else {
                counter!("cardhouse_node_news_dropped_total").increment(1);
                let _ = tell.try_send(Heard::Missed);
            }
        };
        let members =
            Members::start(ports.clone(), config.node.clone(), Role::Worker, config.heartbeat, hear);
        let (observed, membership) = (members.observed(), members.watch());
        let opens_at = Arc::new(members.opens_at());
        let (replies, outgoing) = Replies::new();
        let mut services = kinds.services();
        services.put(OPENER, Arc::new(Opener { ports: ports.clone(), membership: members.watch() }));
        let bound =
            Bound { messages: config.bounds.mailbox_messages_max, bytes: config.bounds.mailbox_bytes_max };
        let sealer = Arc::new(Sealer::with(&config.seal_key, &config.seal_keys_older));
        let context = Arc::new(Context {
            services,
            sealer: sealer.clone(),
            switchboard: Switchboard::new(&*ports.bus, bound, members.missed()),
            replies,
            board: Board::default(),
            membership: members.watch(),
            kinds,
            ports: ports.clone(),
            config,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(outgoing.run(ports));
        tasks.spawn(lobby::run(context.clone()));
        Self {
            placement: Placement::new(context, members, news, chance),
            tasks,
            observed,
            membership,
            opens_at,
            sealer,
        }
    }

    /// What it observes of its own connections: readiness.
    pub fn observed(&self) -> watch::Receiver<Observed> {
        self.observed.clone()
    }

    /// Who lives, as it knows it.
    pub fn membership(&self) -> watch::Receiver<Arc<Membership>> {
        self.membership.clone()
    }

    /// To be called with where the edge reaches the relay that is one process with it, so that players of its rooms are led there.
    pub fn opens_at(&self) -> Arc<dyn Fn(SocketAddr) + Send + Sync> {
        self.opens_at.clone()
    }

    /// What seals its rooms' records: its keys may be replaced while it runs.
    pub fn sealer(&self) -> Arc<Sealer> {
        self.sealer.clone()
    }

    /// Claims and runs rooms until `shutdown` is cancelled; then hands them over, says goodbye and returns.
    ///
    /// # Errors
    /// [`Failed`], if a part of it ends that should not.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Failed> {
        let Self { placement, mut tasks, .. } = self;
        tokio::select! { biased;
            Some(ended) = tasks.join_next() => {
                Err(Failed(ended.err().map_or_else(|| "without an error".into(), |error| error.to_string())))
            }
            () = placement.run(shutdown) => Ok(()),
        }
    }
}
