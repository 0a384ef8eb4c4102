//! Serving HTTP over TCP, in a way that lets sockets go once they are upgraded.

use std::{future::Future, io, net::SocketAddr, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// A request's head must be there after so long.
const HEAD: Duration = Duration::from_secs(10);
/// A request's head at most, bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// What the kernel holds for a client that does not read, bytes (it counts its own overhead too, and so doubles this). Left to
/// itself it would let each such socket grow to megabytes, which no bound of ours would see.
const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// Out of files or memory: others must end first.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// HTTP requests that are being answered have so long to end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Serves `router` until `shutdown`, then lets requests that are being answered end. Requests know their
/// [`ConnectInfo<SocketAddr>`]. WebSockets are not waited for: they belong to the relay, which drains by itself.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let requests = TaskTracker::new();
    let leaving = CancellationToken::new();
    // Ends the requests also when this future is dropped.
    let _guard = leaving.clone().drop_guard();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => {
                    requests.spawn(answer(stream, from, router.clone(), leaving.clone()));
                }
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections");
                    sleep(ACCEPT_AGAIN).await;
                }
            },
        }
    }
    leaving.cancel();
    requests.close();
    let _ = timeout(FAREWELL, requests.wait()).await;
}

/// The client has gone before it was accepted.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Answers the requests of one connection, until it ends or is upgraded.
async fn answer(stream: TcpStream, from: SocketAddr, router: Router, leaving: CancellationToken) {
    // Frames are small and must not wait for each other; a socket that cannot do that is about to fail.
    let _ = stream.set_nodelay(true);
    let _ = socket2::SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(from));
        router.clone().oneshot(request.map(axum::body::Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = leaving.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "an HTTP connection has failed");
    }
}
