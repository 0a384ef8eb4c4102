//! A client's connection as the rest of the relay sees it: where to send, and since when it is silent.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
};

use parking_lot::Mutex;
use protocol::{ClientOut, CloseCode, id::UserId, time::UnixMs};
use ws::{Frame, Pushed, Socket};

use crate::{
    config::RelayConfig,
    lead::Near,
    line::Line,
    metrics,
    revoked::{Revoked, Shown},
};

/// One per connection, shared by its session, the rooms that it watches, and the sweep. Times are the relay's clock's;
/// each is a word of its own that nothing else depends on, hence relaxed.
pub(crate) struct Peer {
    pub(crate) socket: Socket<Line>,
    /// By which connections are counted.
    pub(crate) address: IpAddr,
    /// The table for whose sake it is here.
    pub(crate) near: Option<Box<Mutex<Near>>>,
    /// Commands that wait for an answer.
    pub(crate) in_flight: AtomicU32,
    /// The token that the client has shown last.
    shown: Mutex<Option<Box<Shown>>>,
    greeted: AtomicBool,
    /// When `hello` must have come; once it has, when the token expires.
    deadline_ms: AtomicU64,
    heard_ms: AtomicU64,
    pinged_ms: AtomicU64,
    /// When a close was sent; 0 while open.
    closing_ms: AtomicU64,
    /// What the transport had taken when it last moved, and when that was.
    written_bytes: AtomicU64,
    moved_ms: AtomicU64,
}

impl Peer {
    pub(crate) fn new(
        line: Line,
        address: IpAddr,
        near: Option<Near>,
        config: &RelayConfig,
        now_ms: UnixMs,
    ) -> Self {
        Self {
            socket: Socket::new(line, config.queue_bytes_max),
            address,
            near: near.map(|near| Box::new(Mutex::new(near))),
            in_flight: AtomicU32::new(0),
            shown: Mutex::default(),
            greeted: AtomicBool::new(false),
            deadline_ms: AtomicU64::new(now_ms + config.hello_ms),
            heard_ms: AtomicU64::new(now_ms),
            pinged_ms: AtomicU64::new(0),
            closing_ms: AtomicU64::new(0),
            written_bytes: AtomicU64::new(0),
            moved_ms: AtomicU64::new(now_ms),
        }
    }

    /// Something came from the client.
    pub(crate) fn heard(&self, now_ms: UnixMs) {
        self.heard_ms.store(now_ms, Relaxed);
    }

    /// The client has shown a token that is good until then.
    pub(crate) fn greeted_until(&self, expires_ms: UnixMs) {
        self.deadline_ms.store(expires_ms, Relaxed);
        self.greeted.store(true, Relaxed);
    }

    /// The client shows a token.
    pub(crate) fn show(&self, shown: Shown) {
        *self.shown.lock() = Some(Box::new(shown));
    }

    /// Who the client has shown to be.
    pub(crate) fn user(&self) -> Option<UserId> {
        self.shown.lock().as_ref().map(|shown| shown.user.clone())
    }

    /// Closes the connection if the token that was shown is void; whether it is.
    pub(crate) fn close_if_void(&self, revoked: &Revoked, now_ms: UnixMs) -> bool {
        let is_void = self.shown.lock().as_ref().is_some_and(|shown| revoked.voids(shown));
        if is_void {
            self.close(CloseCode::Revoked, "the token was revoked: get a new one", now_ms);
        }
        is_void
    }

    /// Whether the client still gets something.
    pub(crate) fn is_open(&self) -> bool {
        self.closing_ms.load(Relaxed) == 0
    }

    /// Sends what nothing else makes up for. A client that has not even room for that is closed.
    pub(crate) fn answer(&self, frame: &Frame, now_ms: UnixMs) {
        if self.socket.push_reply(frame) == Pushed::Full {
            self.close(CloseCode::TooSlow, "what was sent is not read", now_ms);
        }
    }

    /// Sends what matters to who has said hello, and may be missed by who does not read.
    pub(crate) fn notify(&self, frame: &Frame) {
        if self.greeted.load(Relaxed) {
            let _ = self.socket.push_reply(frame);
        }
    }

    /// Says why, and closes. The sweep ends the connection of a client that does not answer.
    pub(crate) fn close(&self, code: CloseCode, reason: &str, now_ms: UnixMs) {
        if self.closing_ms.compare_exchange(0, now_ms.max(1), Relaxed, Relaxed).is_ok() {
            metrics::closed(code);
            self.socket.close(ws::CloseCode::new(code as u16), reason);
        }
    }

    /// What time has brought; called about once a second.
    pub(crate) fn sweep(&self, config: &RelayConfig, now_ms: UnixMs) {
        let closing_ms = self.closing_ms.load(Relaxed);
        if closing_ms != 0 {
            if now_ms >= closing_ms + config.close_ms {
                self.socket.abort();
            }
            return;
        }
        if now_ms >= self.deadline_ms.load(Relaxed) {
            let (code, reason) = match self.greeted.load(Relaxed) {
                true => (CloseCode::TokenExpired, "the token has expired"),
                false => (CloseCode::HelloTimeout, "no hello in time"),
            };
            return self.close(code, reason, now_ms);
        }
        let silent_ms = now_ms.saturating_sub(self.heard_ms.load(Relaxed));
        if silent_ms >= config.idle_ms {
            return self.close(CloseCode::Idle, "nothing was heard for too long", now_ms);
        }
        let backlog = self.socket.backlog();
        if backlog.queued_bytes == 0 || backlog.written_bytes != self.written_bytes.load(Relaxed) {
            self.written_bytes.store(backlog.written_bytes, Relaxed);
            self.moved_ms.store(now_ms, Relaxed);
        } else if now_ms >= self.moved_ms.load(Relaxed) + config.slow_ms {
            return self.close(CloseCode::TooSlow, "what was sent was not read for too long", now_ms);
        }
        let ping_after_ms = config.idle_ms / 2;
        if silent_ms >= ping_after_ms && now_ms >= self.pinged_ms.load(Relaxed) + ping_after_ms {
            self.pinged_ms.store(now_ms, Relaxed);
            let _ = self.socket.push(&Frame::ping(&[]));
        }
    }
}

/// The text frame of a message.
pub(crate) fn frame(message: &ClientOut) -> Frame {
    let text = serde_json::to_string(message).expect("messages to clients are plain data");
    Frame::text(&text)
}
