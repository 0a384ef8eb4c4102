//! A transport in memory whose other end reads when the test says so.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use parking_lot::Mutex;
use ws::Wire;

/// Both ends of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pipe(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// Everything that was written.
    taken: Vec<u8>,
    /// How many bytes it takes before it is full.
    room: usize,
    /// Of the task that waits for room.
    waker: Option<Waker>,
    calls: usize,
    broken: bool,
}

impl Pipe {
    pub(crate) fn with_room(room: usize) -> Self {
        let pipe = Self::default();
        pipe.make_room(room);
        pipe
    }

    /// Keeps `bytes` without allocating.
    pub(crate) fn with_reserve(self, bytes: usize) -> Self {
        self.0.lock().taken.reserve(bytes);
        self
    }

    /// The other end reads.
    pub(crate) fn make_room(&self, bytes: usize) {
        let mut inner = self.0.lock();
        inner.room = inner.room.saturating_add(bytes);
        if bytes > 0
            && let Some(waker) = inner.waker.take()
        {
            waker.wake();
        }
    }

    /// The other end is gone.
    pub(crate) fn break_off(&self) {
        self.0.lock().broken = true;
        self.make_room(1);
    }

    pub(crate) fn taken(&self) -> Vec<u8> {
        self.0.lock().taken.clone()
    }

    /// How many writes were tried.
    pub(crate) fn calls(&self) -> usize {
        self.0.lock().calls
    }

    pub(crate) fn is_awaited(&self) -> bool {
        self.0.lock().waker.is_some()
    }

    /// Whether nobody else holds an end.
    pub(crate) fn is_sole(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl Wire for Pipe {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write_vectored(&[IoSlice::new(bytes)])
    }

    fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut inner = self.0.lock();
        inner.calls += 1;
        if inner.broken {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if inner.room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut written = 0;
        for slice in slices {
            let fits = slice.len().min(inner.room);
            inner.taken.extend_from_slice(&slice[..fits]);
            inner.room -= fits;
            written += fits;
        }
        Ok(written)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.0.lock();
        if inner.room > 0 || inner.broken {
            return Poll::Ready(Ok(()));
        }
        inner.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn shutdown(&self) {}
}

/// Counts how often its task is woken.
#[derive(Debug, Default)]
pub(crate) struct Alarm(AtomicUsize);

impl Alarm {
    pub(crate) fn rings(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
