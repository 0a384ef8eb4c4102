//! The sending side of a connection, shared by all who send to it: the hub, the session, the connection's own task.
//!
//! One short lock per socket keeps frames in order and holds the queue, the state and the waker of the connection's task, so
//! there is no window between "found empty" and "went to sleep" in which a wake-up could be lost. The lock is
//! held during a write that cannot block; it is contended only by those who send to the same client at the same moment.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use crate::close::CloseCode;
use crate::frame::Frame;
use crate::outbox::{Outbox, Urgency};
use crate::wire::Wire;

/// How many frames one system call carries at most. The kernel's own limit is 1,024; 64 slices are 1 KiB of stack.
const SLICES_MAX: usize = 64;
/// How many of those calls a connection makes in a row before other tasks get their turn.
const FLUSH_CALLS_MAX: usize = 8;

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
    wire: W,
    queued_bytes_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    outbox: Outbox,
    /// Of the connection's task; there while the task waits and there is nothing to flush.
    waker: Option<Waker>,
    phase: Phase,
    /// A frame was refused, and [`Socket::resume`] was not called since.
    lagging: bool,
    /// The task owes its handler the news that the outbox is empty again.
    drain_owed: bool,
    /// Since the connection began.
    written_bytes: u64,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Open,
    /// A close frame is written, or the last in the outbox.
    Closing,
    /// To be ended without a word more.
    Aborted,
    /// A write failed; the task has yet to hear of it.
    Failed(io::Error),
    /// The connection's task is gone.
    Over,
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

impl<W: Wire> Socket<W> {
    /// A socket over `wire` which queues up to `queued_bytes_max` for a client that does not read.
    pub fn new(wire: W, queued_bytes_max: usize) -> Self {
        Self { wire, queued_bytes_max, state: Mutex::default() }
    }

    /// Sends a frame, at once if nothing is queued, in order in any case.
    ///
    /// A frame that would bring the queue over its bound is refused with [`Pushed::Full`], unless the queue is empty, and from
    /// then on so is every other: the client lags, and a later, shorter frame must not slip in behind a gap. When
    /// the queue is written and the transport takes more, the handler hears [`drained`](crate::Handler::drained), once; it decides what the client needs
    /// to be up to date, calls [`resume`](Self::resume) and pushes that.
    pub fn push(&self, frame: &Frame) -> Pushed {
        self.send(std::slice::from_ref(frame), Urgency::Skippable)
    }

    /// Sends several frames in a row with one system call, where that is possible. They are taken or refused together.
    pub fn push_all(&self, frames: &[Frame]) -> Pushed {
        self.send(frames, Urgency::Skippable)
    }

    /// Sends a frame that no keyframe would make up for: the answer to a command, a pong. It stands behind whatever is queued.
    ///
    /// Taken even while the client lags, up to twice the queue's bound; a client for which it is `Full` even so is best closed.
    pub fn push_reply(&self, frame: &Frame) -> Pushed {
        self.send(std::slice::from_ref(frame), Urgency::Reply)
    }

    /// Lets frames in again after a [`Pushed::Full`].
    pub fn resume(&self) {
        let mut state = self.state.lock();
        state.lagging = false;
        state.drain_owed = false;
    }

    /// Forgets what is queued, except for replies and a frame that is written in part: a client that lags will get a keyframe
    /// instead, and until it reads, memory is better spent. Says how many bytes that freed.
    pub fn discard_skippable(&self) -> usize {
        self.state.lock().outbox.discard_skippable()
    }

    /// Closes after what is queued: nothing is taken from now on, and the connection ends when the client has answered.
    ///
    /// A client may never answer: whoever calls this sees to it that [`abort`](Self::abort) follows after a while. The first
    /// close counts, a second one does nothing.
    pub fn close(&self, code: Option<CloseCode>, reason: &str) {
        let frame = Frame::close(code, reason);
        let mut state = self.state.lock();
        if matches!(state.phase, Phase::Open) {
            let _ = self.send_locked(&mut state, std::slice::from_ref(&frame), Urgency::Reply);
            if matches!(state.phase, Phase::Open) {
                state.phase = Phase::Closing;
            }
            state.wake();
        }
    }

    /// Ends the connection without a word more, whatever is queued.
    pub fn abort(&self) {
        let mut state = self.state.lock();
        if !matches!(state.phase, Phase::Over) {
            state.phase = Phase::Aborted;
            state.outbox = Outbox::default();
            state.wake();
        }
    }

    /// Whether frames are still taken (lagging aside).
    pub fn is_open(&self) -> bool {
        matches!(self.state.lock().phase, Phase::Open)
    }

    /// What the socket's queue looks like now.
    pub fn backlog(&self) -> Backlog {
        let state = self.state.lock();
        Backlog {
            queued_bytes: state.outbox.bytes(),
            written_bytes: state.written_bytes,
            lagging: state.lagging,
        }
    }

    fn send(&self, frames: &[Frame], urgency: Urgency) -> Pushed {
        let mut state = self.state.lock();
        if !matches!(state.phase, Phase::Open) {
            return Pushed::Closed;
        }
        match urgency {
            Urgency::Skippable => {
                if !state.lagging && self.exceeds(&state, frames, self.queued_bytes_max) {
                    state.lagging = true;
                    state.drain_owed = true;
                }
                if state.lagging {
                    return Pushed::Full;
                }
            }
            Urgency::Reply => {
                if self.exceeds(&state, frames, self.queued_bytes_max.saturating_mul(2)) {
                    return Pushed::Full;
                }
            }
        }
        self.send_locked(&mut state, frames, urgency)
    }

    /// An empty queue takes any frame: a keyframe may be larger than the bound, and could never be sent otherwise.
    fn exceeds(&self, state: &State, frames: &[Frame], bytes_max: usize) -> bool {
        let bytes: usize = frames.iter().map(Frame::len).sum();
        !state.outbox.is_empty() && state.outbox.bytes() + bytes > bytes_max
    }

    /// Writes what can be written of `frames`, queues the rest.
    fn send_locked(&self, state: &mut State, frames: &[Frame], urgency: Urgency) -> Pushed {
        let mut rest = frames;
        // Of the first frame of `rest`.
        let mut begun = 0;
        while state.outbox.is_empty() && !rest.is_empty() {
            match self.try_write(rest, begun) {
                Ok(0) => return state.fail(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    state.written_bytes += written as u64;
                    begun += written;
                    while let [first, others @ ..] = rest
                        && first.len() <= begun
                    {
                        begun -= first.len();
                        rest = others;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return state.fail(error),
            }
        }
        if rest.is_empty() {
            return Pushed::Written;
        }
        let was_empty = state.outbox.is_empty();
        for frame in rest {
            state.outbox.push(frame.clone(), std::mem::take(&mut begun), urgency);
        }
        // While the outbox is not empty, the task waits for the transport already.
        if was_empty {
            state.wake();
        }
        Pushed::Queued
    }

    fn try_write(&self, frames: &[Frame], begun: usize) -> io::Result<usize> {
        if let [frame] = frames {
            return self.wire.try_write(&frame.as_bytes()[begun..]);
        }
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let mut used = 0;
        let mut skip = begun;
        for (slice, frame) in slices.iter_mut().zip(frames) {
            *slice = IoSlice::new(&frame.as_bytes()[skip..]);
            skip = 0;
            used += 1;
        }
        self.wire.try_write_vectored(&slices[..used])
    }

    /// Writes what is queued as far as possible; called by the connection's task alone.
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Flushed {
        let mut state = self.state.lock();
        for _ in 0..FLUSH_CALLS_MAX {
            if matches!(state.phase, Phase::Aborted) {
                return Flushed::Aborted;
            }
            if let Phase::Failed(error) = &mut state.phase {
                return Flushed::Failed(std::mem::replace(error, io::ErrorKind::BrokenPipe.into()));
            }
            if state.outbox.is_empty() && !state.drain_owed {
                state.sleep(cx.waker());
                return Flushed::Empty { closed: matches!(state.phase, Phase::Closing), drained: false };
            }
            match self.wire.poll_write_ready(cx) {
                // The queue may be empty because it was discarded: it counts as drained when the client reads again.
                Poll::Ready(Ok(())) if state.outbox.is_empty() => {
                    state.drain_owed = false;
                    state.sleep(cx.waker());
                    return Flushed::Empty { closed: matches!(state.phase, Phase::Closing), drained: true };
                }
                Poll::Ready(Ok(())) => self.flush_once(&mut state),
                Poll::Ready(Err(error)) => return Flushed::Failed(error),
                Poll::Pending => {
                    // The transport has the waker. But an abort comes from here, not from there.
                    state.sleep(cx.waker());
                    return Flushed::Blocked;
                }
            }
        }
        state.sleep(cx.waker());
        cx.waker().wake_by_ref();
        Flushed::Blocked
    }

    fn flush_once(&self, state: &mut State) {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let used = state.outbox.gather(&mut slices);
        match self.wire.try_write_vectored(&slices[..used]) {
            Ok(0) => _ = state.fail(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                state.written_bytes += written as u64;
                state.outbox.advance(written);
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => _ = state.fail(error),
        }
    }

    /// Tells the client that nothing more will come.
    pub(crate) fn shutdown(&self) {
        self.wire.shutdown();
    }

    /// The connection's task ends: refuses and frees everything.
    pub(crate) fn finish(&self) {
        let mut state = self.state.lock();
        *state = State { phase: Phase::Over, written_bytes: state.written_bytes, ..State::default() };
        drop(state);
        self.wire.shutdown();
    }
}

/// What a sweep over sessions wants to know. Between two sweeps, a client that had something queued and whose
/// `written_bytes` did not move is stalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// To be written, in bytes.
    pub queued_bytes: usize,
    /// Taken by the transport since the connection began.
    pub written_bytes: u64,
    /// Frames were refused and [`Socket::resume`] was not called since.
    pub lagging: bool,
}

impl State {
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

    fn fail(&mut self, error: io::Error) -> Pushed {
        self.phase = Phase::Failed(error);
        self.outbox = Outbox::default();
        self.wake();
        Pushed::Closed
    }
}
