//! An echo server: what the Autobahn suite's server cases run against, and the shortest way from an HTTP request to a
//! connection.
//!
//! ```sh
//! cargo run --release -p ws --example echo -- 127.0.0.1:9001
//! wstest -m fuzzingclient -s ws/autobahn/fuzzingclient.json # `pip install autobahntestsuite`, for Python 2.7
//! ```
//!
//! All of the suite but compression (12 and 13), which is not spoken: of 301 cases 298 are "OK", strictly and with a clean
//! close; the other three (7.1.6, 7.13.1, 7.13.2) are informational, there is nothing to pass.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use ws::handshake::Upgrade;
use ws::{CloseCode, Connection, Frame, Handler, Pushed, Socket};

/// The suite sends messages of up to 16 MiB.
const MESSAGE_BYTES_MAX: u32 = 16 * 1024 * 1024;
/// The suite writes a thousand messages before it reads the first echo.
const QUEUED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Sends back what it gets. A relay's handler holds an `Arc` of the session in which the socket lives, so that others can
/// push to it; nobody else sends here.
struct Echo {
    socket: Socket<OwnedWriteHalf>,
}

impl Echo {
    fn reply(&self, frame: &Frame) {
        if self.socket.push_reply(frame) == Pushed::Full {
            self.socket.close(Some(CloseCode::POLICY_VIOLATION), "read what is sent");
        }
    }
}

impl Handler for Echo {
    type Wire = OwnedWriteHalf;

    fn socket(&self) -> &Socket<OwnedWriteHalf> {
        &self.socket
    }

    fn text(&mut self, text: &str) {
        self.reply(&Frame::text(text));
    }

    fn binary(&mut self, data: &[u8]) {
        self.reply(&Frame::binary(data));
    }

    fn drained(&mut self) {}
}

async fn upgrade(mut request: Request) -> Response {
    let upgrade = match Upgrade::check(request.method(), request.version(), request.headers(), &[]) {
        Ok(upgrade) => upgrade,
        Err(refusal) => return (refusal.status(), refusal.headers(), refusal.to_string()).into_response(),
    };
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgraded.await else { return };
        // axum serves through hyper-util, whose wrapper only its own downcast takes off.
        let parts = auto::upgrade::downcast::<TokioIo<TcpStream>>(upgraded).expect("served over plain TCP");
        // Copied and dropped: it pins the HTTP server's buffer.
        let mut leftover = parts.read_buf.to_vec();
        drop(parts.read_buf);
        let (read, write) = parts.io.into_inner().into_split();
        let echo = Echo { socket: Socket::new(write, QUEUED_BYTES_MAX) };
        let mut connection = Connection::new(read, echo, MESSAGE_BYTES_MAX);
        connection.take_leftover(&mut leftover);
        // A task of its own, so that this one and what it held of the request are freed.
        tokio::spawn(async move { println!("{:?}", connection.await) });
    });
    upgrade.response().map(|()| Body::empty())
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    use axum::serve::{Listener as _, ListenerExt as _};

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());
    let listener = TcpListener::bind(&address).await?.tap_io(|stream| _ = stream.set_nodelay(true));
    println!("echoing on ws://{}", listener.local_addr()?);
    axum::serve(listener, Router::new().fallback(upgrade)).await
}
