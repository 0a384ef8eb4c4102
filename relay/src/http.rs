//! From an HTTP request to a session.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    response::{IntoResponse, Response},
    routing::any,
};
use hyper::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
    upgrade::Upgraded,
};
use hyper_util::rt::TokioIo;
use shared::protocol::SUBPROTOCOL;
use tokio::net::TcpStream;
use ws::{Connection, handshake::Upgrade};

use crate::{line::Line, origin, registry::Admission, relay::Relay};

impl Relay {
    /// The route `/ws`. Served by [`serve`](crate::serve()), or by whatever gives requests a
    /// [`ConnectInfo<SocketAddr>`] and the upgrade a plain [`TcpStream`].
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new().route("/ws", any(open)).with_state(self.clone())
    }
}

/// Answers the opening handshake.
async fn open(State(relay): State<Arc<Relay>>, mut request: Request) -> Response {
    let upgrade = match Upgrade::check(request.method(), request.version(), request.headers(), &[SUBPROTOCOL])
    {
        Ok(upgrade) => upgrade,
        Err(refusal) => return (refusal.status(), refusal.headers(), refusal.to_string()).into_response(),
    };
    if upgrade.protocol().is_none() {
        let message = format!("name the subprotocol `{SUBPROTOCOL}` in `Sec-WebSocket-Protocol`");
        return (StatusCode::BAD_REQUEST, message).into_response();
    }
    let config = &relay.works.config;
    if !origin::may_connect(request.headers(), &config.origins) {
        return (StatusCode::FORBIDDEN, "pages of this origin may not connect").into_response();
    }
    let Some(ConnectInfo(socket)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied() else {
        return (StatusCode::INTERNAL_SERVER_ERROR, "the client's address is not known").into_response();
    };
    let forwarded = config.trust_proxy.then(|| forwarded_for(request.headers())).flatten();
    let address = forwarded.unwrap_or(socket.ip());
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
        begin(&relay, upgraded, address);
    });
    upgrade.response().map(|()| Body::empty())
}

fn begin(relay: &Arc<Relay>, upgraded: Upgraded, address: IpAddr) {
    let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() else {
        tracing::error!("served over something else than plain TCP");
        return;
    };
    // Copied and dropped: it pins the HTTP server's buffer.
    let mut leftover = parts.read_buf.to_vec();
    drop(parts.read_buf);
    let (read, write) = parts.io.into_inner().into_split();
    let session = relay.connect(Line::Tcp(write), address);
    let mut connection = Connection::new(read, session, relay.works.config.message_bytes_max);
    connection.take_leftover(&mut leftover);
    tokio::spawn(async move {
        let ended = connection.await;
        tracing::trace!(?ended, "a connection has ended");
    });
}

/// The client's address as a trusted proxy tells it: `X-Real-IP`, or the last of `X-Forwarded-For`, which is the one that
/// the proxy itself has seen.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let last = |list: &'static str| text(list).and_then(|all| all.rsplit(',').next());
    text("x-real-ip").or_else(|| last("x-forwarded-for")).and_then(|address| address.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(pairs: &[(&'static str, &'static str)]) -> Option<String> {
        let headers = pairs.iter().map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        forwarded_for(&headers.collect()).map(|address| address.to_string())
    }

    #[test]
    fn the_address_is_the_one_that_the_proxy_has_seen() {
        assert_eq!(address(&[("x-forwarded-for", "6.6.6.6, 10.0.0.7")]).as_deref(), Some("10.0.0.7"));
        assert_eq!(address(&[("x-real-ip", "::1")]).as_deref(), Some("::1"));
        assert_eq!(address(&[("x-forwarded-for", "nonsense")]), None);
        assert_eq!(address(&[]), None);
    }
}
