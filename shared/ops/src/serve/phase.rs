//! Where a connection is between its begin and its end, and until when it may be there.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{HttpArgs, Place};

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The rest of a request's head.
    Head,
    /// Its body, and what is answered.
    Body,
    /// The client, to read that.
    Answer,
    /// Another request.
    Idle,
}

impl Phase {
    /// In metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Body => "body",
            Self::Answer => "answer",
            Self::Idle => "idle",
        }
    }
}

/// The phase of one connection. Only the connection's own task changes it and looks at it.
pub(super) struct Phases {
    http: HttpArgs,
    now: Mutex<Now>,
}

struct Now {
    phase: Phase,
    until: Instant,
    /// The answer's body has come to its end, though not yet all of it to the socket.
    answer_ended: bool,
}

impl Phases {
    /// Of a new connection, which must say something.
    pub(super) fn new(http: HttpArgs) -> Arc<Self> {
        let now = Now { phase: Phase::Head, until: after(http.http_head_ms), answer_ended: false };
        Arc::new(Self { http, now: Mutex::new(now) })
    }

    /// The phase, and when it must be over.
    pub(super) fn now(&self) -> (Phase, Instant) {
        let now = self.now.lock();
        (now.phase, now.until)
    }

    /// Bytes have come.
    pub(super) fn heard(&self) {
        if self.now().0 == Phase::Idle {
            self.enter(Phase::Head, self.http.http_head_ms);
        }
    }

    /// A whole head has come. The service itself answers in time; this is only for a client that does not even let that through.
    pub(super) fn asked(&self) {
        self.enter(Phase::Body, self.http.http_body_ms.saturating_add(self.http.http_answer_ms));
    }

    /// The answer is known, and being written.
    pub(super) fn answering(&self) {
        self.enter(Phase::Answer, self.http.http_answer_ms);
    }

    /// There is no more of it; what is there may still wait for the client to read.
    fn answer_ended(&self) {
        self.now.lock().answer_ended = true;
    }

    /// The socket has taken everything.
    pub(super) fn flushed(&self) {
        let is_read = {
            let now = self.now.lock();
            now.phase == Phase::Answer && now.answer_ended
        };
        if is_read {
            self.enter(Phase::Idle, self.http.http_idle_ms);
        }
    }

    fn enter(&self, phase: Phase, at_most_ms: u64) {
        *self.now.lock() = Now { phase, until: after(at_most_ms), answer_ended: false };
    }
}

/// So long from now; far enough for any clock, should somebody wish for centuries.
fn after(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms.min(u64::from(u32::MAX)))
}

/// An answer's body: when it ends, its request counts no more.
pub(super) struct Answer {
    body: Body,
    phases: Arc<Phases>,
    _asking: Option<Place>,
}

impl Answer {
    pub(super) fn new(body: Body, phases: Arc<Phases>, asking: Option<Place>) -> Self {
        Self { body, phases, _asking: asking }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.phases.answer_ended();
    }
}
