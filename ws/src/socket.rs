//! The sending side of a connection, shared by all who send to it: the hub, the session, the connection's own task.
//!
//! Whoever has a frame writes it, under a short lock that keeps frames in order. The lock is held during a write that cannot
//! block; it is contended only by those who send to the same client at the same moment.

use std::task::Context;

use parking_lot::Mutex;

use crate::close::CloseCode;
use crate::frame::Frame;
use crate::line::{Flushed, Line};
use crate::outbox::Urgency;
use crate::wire::Wire;

/// What became of a pushed frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "`Full` means that the client misses something"]
pub enum Pushed {
    /// The transport has it.
    Written,
    /// It is queued and goes out when the client reads.
    Queued,
    /// Nothing was taken: the client reads too slowly. See [`Socket::push`].
    Full,
    /// Nothing was taken: the connection is closing or over.
    Closed,
}

/// A connection as its senders see it.
#[derive(Debug)]
pub struct Socket<W> {
    queued_bytes_max: usize,
    /// `None` once the connection is over: the transport is given back then, however long senders keep the socket.
    line: Mutex<Option<Line<W>>>,
}

/// What a sweep over sessions wants to know. Between two sweeps, a client that had something queued and whose
/// `written_bytes` did not move is stalled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// To be written, in bytes.
    pub queued_bytes: usize,
    /// Taken by the transport since the connection began.
    pub written_bytes: u64,
    /// Frames were refused and [`Socket::resume`] was not called since.
    pub lagging: bool,
}

impl<W: Wire> Socket<W> {
    /// A socket over `wire` which queues up to `queued_bytes_max` for a client that does not read.
    pub fn new(wire: W, queued_bytes_max: usize) -> Self {
        Self { queued_bytes_max, line: Mutex::new(Some(Line::new(wire))) }
    }

    /// Sends a frame, at once if nothing is queued, in order in any case.
    ///
    /// A frame that would bring the queue over its bound is refused with [`Pushed::Full`], unless the queue is empty, and
    /// from then on so is every other: the client lags, and a later, shorter frame must not slip in behind a gap. When the
    /// queue is written and the transport takes more, the handler hears [`drained`](crate::Handler::drained), once; it
    /// decides what the client needs to be up to date, calls [`resume`](Self::resume) and pushes that.
    pub fn push(&self, frame: &Frame) -> Pushed {
        self.send(std::slice::from_ref(frame), Urgency::Skippable)
    }

    /// Sends several frames in a row with one system call, where that is possible. They are taken or refused together.
    pub fn push_all(&self, frames: &[Frame]) -> Pushed {
        self.send(frames, Urgency::Skippable)
    }

    /// Sends a frame that no keyframe would make up for: the answer to a command, a pong. It stands behind whatever is
    /// queued.
    ///
    /// Taken even while the client lags, up to twice the queue's bound; a client for which it is `Full` even so is best
    /// closed.
    pub fn push_reply(&self, frame: &Frame) -> Pushed {
        self.send(std::slice::from_ref(frame), Urgency::Reply)
    }

    /// Lets frames in again after a [`Pushed::Full`].
    pub fn resume(&self) {
        if let Some(line) = &mut *self.line.lock() {
            line.resume();
        }
    }

    /// Forgets what is queued, except for replies and a frame that is written in part: a client that lags will get a
    /// keyframe instead, and until it reads, memory is better spent. Says how many bytes that freed.
    pub fn discard_skippable(&self) -> usize {
        self.line.lock().as_mut().map_or(0, Line::discard_skippable)
    }

    /// Closes after what is queued: nothing is taken from now on, and the connection ends when the client has answered.
    ///
    /// A client may never answer: whoever calls this sees to it that [`abort`](Self::abort) follows after a while. The first
    /// close counts, a second one does nothing.
    pub fn close(&self, code: Option<CloseCode>, reason: &str) {
        let frame = Frame::close(code, reason);
        if let Some(line) = &mut *self.line.lock() {
            line.close(frame);
        }
    }

    /// Ends the connection without a word more, whatever is queued.
    pub fn abort(&self) {
        if let Some(line) = &mut *self.line.lock() {
            line.abort();
        }
    }

    /// Whether frames are still taken (lagging aside).
    pub fn is_open(&self) -> bool {
        self.line.lock().as_ref().is_some_and(Line::is_open)
    }

    /// What the socket's queue looks like now; nothing at all when the connection is over.
    pub fn backlog(&self) -> Backlog {
        self.line.lock().as_ref().map_or_else(Backlog::default, Line::backlog)
    }

    fn send(&self, frames: &[Frame], urgency: Urgency) -> Pushed {
        match &mut *self.line.lock() {
            Some(line) => line.push(frames, urgency, self.queued_bytes_max),
            None => Pushed::Closed,
        }
    }

    /// Writes what is queued as far as possible; called by the connection's task alone.
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Flushed {
        self.line.lock().as_mut().map_or(Flushed::Aborted, |line| line.poll_flush(cx))
    }

    /// Tells the client that nothing more will come.
    pub(crate) fn shutdown(&self) {
        if let Some(line) = &*self.line.lock() {
            line.shutdown();
        }
    }

    /// The connection's task ends: frees everything.
    pub(crate) fn finish(&self) {
        let line = self.line.lock().take();
        // Not under the lock: it closes the transport.
        drop(line);
    }
}
