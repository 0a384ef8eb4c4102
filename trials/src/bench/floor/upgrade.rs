//! WebSockets opened with the relay's own HTTP server and codec, a token checked on each, and nothing else: no session, no
//! room, no Redis.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{Router, body::Body, extract::Request, response::Response, routing::any};
use hyper_util::rt::TokioIo;
use ops::serve::{Front, Place, Upgradable, serve as serve_http};
use protocol::SUBPROTOCOL;
use tokens::KeySet;
use tokio::net::{TcpListener, tcp::OwnedWriteHalf};
use ws::{CloseCode, Connection, Frame, Handler, Pushed, Socket, handshake::Upgrade};

use super::{child::READY, orders::orders};

/// Bounds as a relay has them by default, bytes.
const MESSAGE_BYTES_MAX: u32 = 16 * 1024;
const QUEUE_BYTES_MAX: usize = 256 * 1024;

/// Serves until standard input ends.
///
/// # Errors
/// When the keys are none or it cannot listen.
pub async fn serve(keys: &str) -> anyhow::Result<()> {
    let keys = Arc::new(KeySet::from_json(keys)?);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{READY} {}", listener.local_addr()?);
    let router = Router::new().route("/ws", any(move |request| open(keys.clone(), request)));
    let mut orders = orders();
    let told = async move {
        let _ = orders.recv().await;
    };
    serve_http(listener, router, Front::default(), told).await;
    Ok(())
}

async fn open(keys: Arc<KeySet>, mut request: Request) -> Response {
    let Ok(upgrade) = Upgrade::check(request.method(), request.version(), request.headers(), &[SUBPROTOCOL])
    else {
        return Response::new(Body::from("not an upgrade"));
    };
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgraded.await else { return };
        let Ok(parts) = upgraded.downcast::<TokioIo<Upgradable>>() else { return };
        let mut leftover = parts.read_buf.to_vec();
        let (stream, place) = parts.io.into_inner().into_parts();
        let (read, write) = stream.into_split();
        let guest = Guest { keys, socket: Socket::new(write, QUEUE_BYTES_MAX), _place: place };
        let mut connection = Connection::new(read, guest, MESSAGE_BYTES_MAX);
        connection.take_leftover(&mut leftover);
        tokio::spawn(connection);
    });
    upgrade.response().map(|()| Body::empty())
}

/// A connection of whom nothing is asked but a token.
struct Guest {
    keys: Arc<KeySet>,
    socket: Socket<OwnedWriteHalf>,
    _place: Place,
}

impl Handler for Guest {
    type Wire = OwnedWriteHalf;

    fn socket(&self) -> &Socket<OwnedWriteHalf> {
        &self.socket
    }

    fn text(&mut self, text: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let token = text.split_once(r#""token":""#).and_then(|(_, rest)| rest.split('"').next());
        let welcome = Frame::text(r#"{"t":"welcome","session":"0000000000000000"}"#);
        let is_good = token.is_some_and(|token| self.keys.verify(token, now_ms).is_ok());
        if !is_good || self.socket.push(&welcome) != Pushed::Written {
            self.socket.close(Some(CloseCode::POLICY_VIOLATION), "no good token");
        }
    }

    fn drained(&mut self) {}
}
