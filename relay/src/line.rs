//! What a relay sends over: TCP in production, anything else in a simulation.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use tokio::net::tcp::OwnedWriteHalf;
use ws::Wire;

/// The sending half of a client's connection.
///
/// An enum and not a type parameter: a room's watchers stand in one list, whatever they are connected by, and a
/// call through TCP stays static.
pub enum Line {
    /// A socket.
    Tcp(OwnedWriteHalf),
    /// A simulation's.
    Other(Box<dyn Wire>),
}

impl Wire for Line {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(wire) => Wire::try_write(wire, bytes),
            Self::Other(wire) => wire.try_write(bytes),
        }
    }

    fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(wire) => Wire::try_write_vectored(wire, slices),
            Self::Other(wire) => wire.try_write_vectored(slices),
        }
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(wire) => Wire::poll_write_ready(wire, cx),
            Self::Other(wire) => wire.poll_write_ready(cx),
        }
    }

    fn shutdown(&self) {
        match self {
            Self::Tcp(wire) => Wire::shutdown(wire),
            Self::Other(wire) => wire.shutdown(),
        }
    }
}
