//! The port to the transport's sending half.
//!
//! Receiving needs no port of ours: [`tokio::io::AsyncRead`] is it. Sending does, because whoever has a frame for a socket
//! tries to write it at once, through a shared reference, without being the task that owns the connection.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

/// The sending half of an ordered byte stream.
pub trait Wire: Send + Sync {
    /// Writes what can be written now of `bytes`, which are not empty; says how many bytes were taken.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] when nothing can be written now; anything else ends the connection.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Like [`try_write`](Self::try_write), from several buffers in a row.
    ///
    /// # Errors
    ///
    /// As `try_write`.
    fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Ready when writing is worth a try after a `WouldBlock`; otherwise wakes the task, the one of the connection, when it
    /// is.
    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Tells the other end that nothing more will come. What fails here is over anyway, so nothing is returned.
    fn shutdown(&self);
}

impl Wire for OwnedWriteHalf {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        Self::try_write(self, bytes)
    }

    fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Self::try_write_vectored(self, slices)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream: &TcpStream = self.as_ref();
        stream.poll_write_ready(cx)
    }

    fn shutdown(&self) {
        let stream: &TcpStream = self.as_ref();
        // The half-close of the standard library takes `&mut` in tokio; the system call does not need it.
        let _ = socket2::SockRef::from(stream).shutdown(std::net::Shutdown::Write);
    }
}
