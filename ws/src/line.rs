//! What stands behind a socket's lock: the transport, the queue, the state, and the waker of the connection's task.
//!
//! All in one place, so that there is no window between "found empty" and "went to sleep" in which a wake-up could be lost.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, Waker};

use crate::frame::Frame;
use crate::outbox::{Outbox, Urgency};
use crate::socket::{Backlog, Pushed};
use crate::wire::Wire;

/// How many frames one system call carries at most. The kernel's own limit is 1,024; 64 slices are 1 KiB of stack.
const SLICES_MAX: usize = 64;
/// How many of those calls a connection makes in a row before other tasks get their turn.
const FLUSH_CALLS_MAX: usize = 8;

#[derive(Debug)]
pub(crate) struct Line<W> {
    wire: W,
    outbox: Outbox,
    /// Of the connection's task, while it waits for more to do than its transport wakes it for.
    waker: Option<Waker>,
    phase: Phase,
    /// A frame was refused, and nobody said [`resume`](Self::resume) since.
    lagging: bool,
    /// The handler is owed the news that the outbox is empty again.
    drain_owed: bool,
    /// Since the connection began.
    written_bytes: u64,
}

#[derive(Debug)]
enum Phase {
    Open,
    /// A close frame is written, or the last in the outbox.
    Closing,
    /// To be ended without a word more.
    Aborted,
    /// A write failed; the task has yet to hear of it.
    Failed(io::Error),
}

/// What the connection's task learns from flushing.
#[derive(Debug)]
pub(crate) enum Flushed {
    /// More to write; the task is woken when that is possible.
    Blocked,
    /// All is written; the task is woken when there is more.
    Empty {
        /// A close frame was among it.
        closed: bool,
        /// To be told to the handler: frames were refused before, and could be pushed again now.
        drained: bool,
    },
    /// End the connection at once.
    Aborted,
    /// The transport is broken.
    Failed(io::Error),
}

impl<W: Wire> Line<W> {
    pub(crate) fn new(wire: W) -> Self {
        Self {
            wire,
            outbox: Outbox::default(),
            waker: None,
            phase: Phase::Open,
            lagging: false,
            drain_owed: false,
            written_bytes: 0,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    pub(crate) fn backlog(&self) -> Backlog {
        Backlog {
            queued_bytes: self.outbox.bytes(),
            written_bytes: self.written_bytes,
            lagging: self.lagging,
        }
    }

    /// Takes all of `frames` or, if the queue would exceed its bound, none.
    pub(crate) fn push(&mut self, frames: &[Frame], urgency: Urgency, queued_bytes_max: usize) -> Pushed {
        if !self.is_open() {
            return Pushed::Closed;
        }
        match urgency {
            Urgency::Skippable => {
                if !self.lagging && self.would_exceed(frames, queued_bytes_max) {
                    self.lagging = true;
                    self.drain_owed = true;
                }
                if self.lagging {
                    return Pushed::Full;
                }
            }
            Urgency::Reply => {
                if self.would_exceed(frames, queued_bytes_max.saturating_mul(2)) {
                    return Pushed::Full;
                }
            }
        }
        self.send(frames, urgency)
    }

    pub(crate) fn resume(&mut self) {
        self.lagging = false;
        self.drain_owed = false;
    }

    pub(crate) fn discard_skippable(&mut self) -> usize {
        self.outbox.discard_skippable()
    }

    pub(crate) fn close(&mut self, frame: Frame) {
        if self.is_open() {
            // Not `push`: the last word has no bound.
            if self.send(std::slice::from_ref(&frame), Urgency::Reply) != Pushed::Closed {
                self.phase = Phase::Closing;
            }
            self.wake();
        }
    }

    pub(crate) fn abort(&mut self) {
        self.phase = Phase::Aborted;
        self.outbox = Outbox::default();
        self.wake();
    }

    pub(crate) fn shutdown(&self) {
        self.wire.shutdown();
    }

    /// Writes what is queued as far as possible; called by the connection's task alone.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Flushed {
        // Even if the transport has the waker too: a push, a close or an abort comes from here, not from there.
        self.sleep(cx.waker());
        for _ in 0..FLUSH_CALLS_MAX {
            match &mut self.phase {
                Phase::Open | Phase::Closing => {}
                Phase::Aborted => return Flushed::Aborted,
                // The task ends with this, so nobody will ask again.
                Phase::Failed(error) => {
                    return Flushed::Failed(std::mem::replace(error, io::ErrorKind::BrokenPipe.into()));
                }
            }
            let closed = matches!(self.phase, Phase::Closing);
            if self.outbox.is_empty() && !self.drain_owed {
                return Flushed::Empty { closed, drained: false };
            }
            match self.wire.poll_write_ready(cx) {
                // The queue may be empty because it was discarded: it counts as drained when the client reads again.
                Poll::Ready(Ok(())) if self.outbox.is_empty() => {
                    self.drain_owed = false;
                    return Flushed::Empty { closed, drained: true };
                }
                Poll::Ready(Ok(())) => self.flush_once(),
                Poll::Ready(Err(error)) => return Flushed::Failed(error),
                Poll::Pending => return Flushed::Blocked,
            }
        }
        cx.waker().wake_by_ref();
        Flushed::Blocked
    }

    /// An empty queue takes any frame: a keyframe may be longer than the bound, and could never be sent otherwise.
    fn would_exceed(&self, frames: &[Frame], bytes_max: usize) -> bool {
        let bytes: usize = frames.iter().map(Frame::len).sum();
        !self.outbox.is_empty() && self.outbox.bytes() + bytes > bytes_max
    }

    /// Writes what can be written of `frames` and queues the rest.
    fn send(&mut self, frames: &[Frame], urgency: Urgency) -> Pushed {
        let mut rest = frames;
        // Bytes of the first frame of `rest`.
        let mut written = 0;
        while self.outbox.is_empty() && !rest.is_empty() {
            match self.try_write(rest, written) {
                Ok(0) => return self.fail(io::ErrorKind::WriteZero.into()),
                Ok(more) => {
                    self.written_bytes += more as u64;
                    written += more;
                    while let [first, others @ ..] = rest
                        && first.len() <= written
                    {
                        written -= first.len();
                        rest = others;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.fail(error),
            }
        }
        if rest.is_empty() {
            return Pushed::Written;
        }
        let was_empty = self.outbox.is_empty();
        for frame in rest {
            self.outbox.push(frame.clone(), std::mem::take(&mut written), urgency);
        }
        // While the outbox is not empty, the task waits for the transport already.
        if was_empty {
            self.wake();
        }
        Pushed::Queued
    }

    /// Writes `frames` from byte `written` of the first on.
    fn try_write(&self, frames: &[Frame], written: usize) -> io::Result<usize> {
        if let [frame] = frames {
            return self.wire.try_write(&frame.as_bytes()[written..]);
        }
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let used = gather(&mut slices, frames.iter(), written);
        self.wire.try_write_vectored(&slices[..used])
    }

    fn flush_once(&mut self) {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let used = gather(&mut slices, self.outbox.frames(), self.outbox.head_written());
        match self.wire.try_write_vectored(&slices[..used]) {
            Ok(0) => _ = self.fail(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                self.written_bytes += written as u64;
                self.outbox.advance(written);
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => _ = self.fail(error),
        }
    }

    fn fail(&mut self, error: io::Error) -> Pushed {
        self.phase = Phase::Failed(error);
        self.outbox = Outbox::default();
        self.wake();
        Pushed::Closed
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn sleep(&mut self, waker: &Waker) {
        match &mut self.waker {
            Some(known) => known.clone_from(waker),
            None => self.waker = Some(waker.clone()),
        }
    }
}

/// Fills `slices` with `frames`, the first from byte `skip` on; says how many it used.
fn gather<'a>(slices: &mut [IoSlice<'a>], frames: impl Iterator<Item = &'a Frame>, mut skip: usize) -> usize {
    let mut used = 0;
    for (slice, frame) in slices.iter_mut().zip(frames) {
        *slice = IoSlice::new(&frame.as_bytes()[skip..]);
        skip = 0;
        used += 1;
    }
    used
}
