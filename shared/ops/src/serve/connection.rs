//! One connection: its requests, until it ends, is upgraded, or takes too long.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, HttpBody as _},
    extract::ConnectInfo,
    response::{IntoResponse, Response},
};
use http_body_util::Limited;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics::counter;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::{
    Front, Place, Reached,
    phase::{Answer, Phase, Phases},
    refusal::Refusal,
};

/// What the kernel holds for a client that does not read, bytes (it counts its own overhead too, and so doubles this). Left to
/// itself it would let each such socket grow to megabytes, which no bound of ours would see.
const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// Answers the requests of one connection, until it ends or is upgraded.
pub(super) async fn answer(
    stream: TcpStream,
    place: Place,
    peer: SocketAddr,
    router: Router,
    front: Arc<Front>,
    leaving: CancellationToken,
) {
    // Frames are small and must not wait for each other; a socket that cannot do that is about to fail.
    let _ = stream.set_nodelay(true);
    let _ = socket2::SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES);
    let reached = stream.local_addr().ok().and_then(|local| Reached::by(&front.trust, peer, local));
    let phases = Phases::new(front.http);
    let io = TokioIo::new(Upgradable { stream, place, phases: phases.clone() });
    let (door, head_bytes_max) = (front.name, front.http.http_head_bytes_max as usize);
    let own = phases.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        reached.map(|reached| request.extensions_mut().insert(reached));
        ask(request, peer, router.clone(), front.clone(), own.clone())
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // The phases do that: hyper's would also end a connection that is only idle.
        .header_read_timeout(None)
        .max_buf_size(head_bytes_max)
        .serve_connection(io, service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut told = pin!(leaving.cancelled());
    let mut is_leaving = false;
    let mut late = pin!(sleep_until(phases.now().1));
    let ended = poll_fn(|context| {
        if !is_leaving && told.as_mut().poll(context).is_ready() {
            is_leaving = true;
            connection.as_mut().graceful_shutdown();
        }
        if let Poll::Ready(ended) = connection.as_mut().poll(context) {
            return Poll::Ready(Ok(ended));
        }
        let (phase, until) = phases.now();
        if late.deadline() != until {
            late.as_mut().reset(until);
        }
        late.as_mut().poll(context).map(|()| Err(phase))
    });
    match ended.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::trace!(%error, "an HTTP connection has failed"),
        Err(phase) => cut(door, phase),
    }
}

/// Counts a connection that has taken too long, which ends with it.
fn cut(door: &'static str, phase: Phase) {
    counter!("cardhouse_http_cut_total", "door" => door, "phase" => phase.name()).increment(1);
}

async fn ask(
    mut request: Request<Incoming>,
    peer: SocketAddr,
    router: Router,
    front: Arc<Front>,
    phases: Arc<Phases>,
) -> Result<Response<Answer>, Infallible> {
    phases.asked();
    let caller = front.trust.caller(peer.ip(), request.headers());
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(caller);
    let bytes_max = front.http.http_body_bytes_max;
    let too_large = request.body().size_hint().lower() > bytes_max as u64;
    let (asking, response) = match front.asking.enter(Some(caller.network())) {
        Err(full) => {
            front.turned_away(full);
            (None, Refusal::Crowded.into_response())
        }
        Ok(place) if too_large => (Some(place), Refusal::Large.into_response()),
        Ok(place) => {
            let request = request.map(|body| Body::new(Limited::new(body, bytes_max)));
            let answered = timeout(front.http.body(), router.oneshot(request)).await;
            let response = answered.map_or_else(
                |_| {
                    cut(front.name, Phase::Body);
                    Refusal::Late.into_response()
                },
                |Ok(response)| response,
            );
            (Some(place), response)
        }
    };
    phases.answering();
    Ok(response.map(|body| Answer::new(body, phases, asking)))
}

/// A connection as hyper has it, and as whoever upgrades it gets it back:
/// `upgraded.downcast::<TokioIo<Upgradable>>()`.
pub struct Upgradable {
    stream: TcpStream,
    place: Place,
    phases: Arc<Phases>,
}

impl Upgradable {
    /// The socket, and its place among the open connections: it counts until that is dropped.
    pub fn into_parts(self) -> (TcpStream, Place) {
        (self.stream, self.place)
    }
}

impl AsyncRead for Upgradable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.phases.heard();
        }
        read
    }
}

impl AsyncWrite for Upgradable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes when it has nothing more to write.
        self.phases.flushed();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
