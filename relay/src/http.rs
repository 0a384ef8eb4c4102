//! From an HTTP request to a session.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::any,
};
use hyper::{StatusCode, header::RETRY_AFTER, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use ops::serve::{Caller, Upgradable};
use protocol::SUBPROTOCOL;
use ws::{Connection, handshake::Upgrade};

use crate::{
    lead::{Arrival, Near, go_to, word},
    line::Line,
    registry::Admission,
    relay::Relay,
};

impl Relay {
    /// The route `/ws`. Served by [`serve`](ops::serve::serve()), which gives requests their [`Caller`] and the upgrade an
    /// [`Upgradable`].
    ///
    /// A page whose socket is not opened cannot see why; asked without an upgrade (by `POST`, with which browsers always name the
    /// page's origin) this says it.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new().route("/ws", any(open)).with_state(self.clone())
    }
}

/// Answers the opening handshake.
async fn open(State(relay): State<Arc<Relay>>, mut request: Request) -> Response {
    let caller = Caller::of(request.extensions());
    let edge = relay.edge_of(&request);
    if let Err(stranger) = relay.pages.check(request.headers(), caller) {
        return stranger.into_response();
    }
    let upgrade = match Upgrade::check(request.method(), request.version(), request.headers(), &[SUBPROTOCOL])
    {
        Ok(upgrade) => upgrade,
        Err(refusal) => return (refusal.status(), refusal.headers(), refusal.to_string()).into_response(),
    };
    if upgrade.protocol().is_none() {
        let message = format!("name the subprotocol `{SUBPROTOCOL}` in `Sec-WebSocket-Protocol`");
        return (StatusCode::BAD_REQUEST, message).into_response();
    }
    // Also one that is leaving knows where.
    let arrival = edge.zip(word(request.uri())).map(|(edge, word)| relay.arrive(word, edge));
    let near = match arrival {
        Some(Arrival::Elsewhere(door)) => return go_to(door),
        Some(Arrival::Here(near)) => near,
        None => None,
    };
    let address = caller.network();
    if relay.is_draining() || relay.registry.admit(address, &relay.works) == Admission::Refused {
        relay.works.metrics.turned_away.increment(1);
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], "no room for more connections")
            .into_response();
    }
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        // A client that vanishes in this moment was never here.
        let Ok(upgraded) = upgraded.await else { return };
        // A task of its own, so that this one and what it held of the request are freed.
        begin(&relay, upgraded, address, near);
    });
    upgrade.response().map(|()| Body::empty())
}

fn begin(relay: &Arc<Relay>, upgraded: Upgraded, address: IpAddr, near: Option<Near>) {
    let Ok(parts) = upgraded.downcast::<TokioIo<Upgradable>>() else {
        tracing::error!("served by something else than `ops::serve`");
        return;
    };
    // Copied and dropped: it pins the HTTP server's buffer.
    let mut leftover = parts.read_buf.to_vec();
    drop(parts.read_buf);
    let (stream, place) = parts.io.into_inner().into_parts();
    let (read, write) = stream.into_split();
    let session = relay.connect(Line::Tcp(write), address, near);
    let mut connection = Connection::new(read, session, relay.works.config.message_bytes_max);
    connection.take_leftover(&mut leftover);
    tokio::spawn(async move {
        let ended = connection.await;
        drop(place);
        tracing::trace!(?ended, "a connection has ended");
    });
}
