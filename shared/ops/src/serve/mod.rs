//! HTTP, as all programs of the house accept and serve it: every phase of a request is bounded in time and bytes, and every
//! connection is counted, also once it has become a WebSocket.
//!
//! In reading order:
//!
//! - [`bounds`]: what one request may take, as flags.
//! - [`fn@serve`]: the loop; `accept` is its way through lack of files, `connection` and `phase` what becomes of one connection;
//!   `refusal`: what is told of requests that come to no endpoint.
//! - [`open`]: how many there may be, in all and of one address; `files`: how many the system lets us have.
//! - [`address`]: whose request it is.
//! - [`hosts`], [`pages`]: by which names we are called, and which web pages may ask.
//! - [`ops`]: who may ask at the operators' port.
//! - `sparingly`: what happens often is logged now and then.

mod accept;
pub mod address;
pub mod bounds;
mod connection;
mod files;
pub mod hosts;
pub mod open;
pub mod ops;
pub mod pages;
mod phase;
mod refusal;
mod sparingly;

use std::{future::Future, io::Write as _, sync::Arc, time::Duration};

use axum::Router;
use futures_util::future::BoxFuture;
use metrics::{counter, gauge};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use address::{Caller, Reached, TrustProxy};
pub use bounds::HttpArgs;
pub use connection::Upgradable;
pub use hosts::{HostName, Hosts};
pub use open::{Limits, Place};
pub use ops::{OpsGuard, OpsToken};
pub use pages::{Pages, Stranger, only_own_pages};
pub use sparingly::Sparingly;

use accept::Accepting;
use open::{Full, Open};

/// HTTP requests that are being answered when it is time to go have so long to end, unless set otherwise.
const FAREWELL: Duration = Duration::from_secs(2);

/// Connections to an operators' port at once: a few scrapers and probes, and somebody with a shell.
const OPERATORS_MAX: usize = 128;

/// How one port is served.
pub struct Front {
    /// In metrics and logs.
    name: &'static str,
    http: HttpArgs,
    trust: TrustProxy,
    /// Connections, counted by the peer's address where the peer is a client.
    open: Arc<Open>,
    /// Requests from their head to the end of their answer, counted by the client's address: behind a proxy the only word about
    /// who it is.
    asking: Arc<Open>,
    farewell: Duration,
}

impl Front {
    /// For the public: `limits` in all and for one address, whose address it is by `trust`.
    pub fn new(http: HttpArgs, limits: Limits, trust: TrustProxy) -> Self {
        Self::named("public", http, limits.within(files::limit()), trust)
    }

    /// For operators, who are few and come without a proxy.
    pub fn operators(http: HttpArgs) -> Self {
        let limits = Limits {
            connections_max: OPERATORS_MAX,
            connections_per_address_max: OPERATORS_MAX,
            files_kept: 0,
        };
        Self::named("operators", http, limits, TrustProxy::Nobody)
    }

    /// For the house's own processes: so many connections, from wherever.
    pub fn inside(http: HttpArgs, connections_max: usize) -> Self {
        let limits = Limits { connections_max, connections_per_address_max: connections_max, files_kept: 0 };
        Self::named("inside", http, limits.within(files::limit()), TrustProxy::Nobody)
    }

    fn named(name: &'static str, http: HttpArgs, limits: Limits, trust: TrustProxy) -> Self {
        gauge!("cardhouse_http_connections_max", "door" => name).set(limits.connections_max as f64);
        let asking = Limits { connections_max: usize::MAX, ..limits };
        Self {
            name,
            http,
            trust,
            open: Open::new(limits, Some(name)),
            asking: Open::new(asking, None),
            farewell: FAREWELL,
        }
    }

    /// With another time for requests that are being answered at the end.
    #[must_use]
    pub fn with_farewell(self, farewell: Duration) -> Self {
        Self { farewell, ..self }
    }

    /// Counts, and says now and then, who could not be let in.
    fn turned_away(&self, full: Full) {
        static TOLD: Sparingly = Sparingly::every_minute();
        let why = match full {
            Full::Everything => "full",
            Full::Address => "address",
        };
        counter!("cardhouse_http_turned_away_total", "door" => self.name, "why" => why).increment(1);
        if let Some(before) = TOLD.tell() {
            let limits = self.open.limits();
            tracing::warn!(
                door = self.name,
                why,
                before,
                connections_max = limits.connections_max,
                connections_per_address_max = limits.connections_per_address_max,
                "turns connections away: there are as many as there may be (--connections-max, \
                 --connections-per-address-max, and the system's limit of open files)"
            );
        }
    }
}

impl Default for Front {
    /// For the public, with the bounds' defaults and no proxy.
    fn default() -> Self {
        Self::new(HttpArgs::default(), Limits::default(), TrustProxy::Nobody)
    }
}

/// Serves `router` until `shutdown`, then lets requests that are being answered end, and cuts those that do not in time.
/// Requests carry their [`Caller`]. Connections that were upgraded are not waited for: they belong to whoever upgraded them,
/// as an [`Upgradable`].
///
/// Boxed, so that it is compiled here and not once more in every program.
pub fn serve(
    listener: TcpListener,
    router: Router,
    front: Front,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> BoxFuture<'static, ()> {
    boxed(listener, router, front, Box::pin(shutdown))
}

fn boxed(
    listener: TcpListener,
    router: Router,
    front: Front,
    shutdown: BoxFuture<'static, ()>,
) -> BoxFuture<'static, ()> {
    Box::pin(serve_until(listener, router, front, shutdown))
}

async fn serve_until(
    listener: TcpListener,
    router: Router,
    front: Front,
    mut shutdown: BoxFuture<'static, ()>,
) {
    let front = Arc::new(front);
    let requests = TaskTracker::new();
    let leaving = CancellationToken::new();
    let cut = CancellationToken::new();
    // Ends the requests also when this future is dropped.
    let _guard = cut.clone().drop_guard();
    let mut accepting = Accepting::default();
    loop {
        let (stream, peer) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accepting.next(|| listener.accept()) => accepted,
        };
        // What a proxy brings is many clients': they are told apart when their requests come.
        let counted = (!front.trust.may_be_proxy(peer.ip())).then(|| address::network(peer.ip()));
        let place = match front.open.enter(counted) {
            Ok(place) => place,
            Err(full) => {
                front.turned_away(full);
                turn_away(stream);
                continue;
            }
        };
        let answering =
            connection::answer(stream, place, peer, router.clone(), front.clone(), leaving.clone());
        let cut = cut.clone();
        requests.spawn(async move {
            tokio::select! {
                biased;
                () = cut.cancelled() => {}
                () = answering => {}
            }
        });
    }
    leaving.cancel();
    requests.close();
    let _ = timeout(front.farewell, requests.wait()).await;
}

/// Says so in one write, which a new socket has room for, and closes.
fn turn_away(stream: TcpStream) {
    if let Ok(mut stream) = stream.into_std() {
        let _ = stream.write(refusal::NO_ROOM.as_bytes());
    }
}
