//! What the same work takes at the least: the kernel's sockets, or Redis, and nothing else. Measured beside the product in every
//! run, by processes of its own, so that both are measured alike.
//!
//! - [`tcp`]: connections that are held, and one buffer written to all of them.
//! - [`hops`]: two publications through Redis.
//! - [`upgrade`]: WebSockets opened, and a token checked on each.
//! - [`child`]: starting one of these as a process; [`orders`]: what such a process is told.

pub mod child;
pub mod hops;
pub mod orders;
pub mod tcp;
pub mod upgrade;

use clap::Subcommand;

pub use child::FloorProcess;

/// What a floor's process is; `trials floor`, started by the benchmarks alone.
#[derive(Debug, Clone, Subcommand)]
pub enum Floor {
    /// Holds TCP connections; for each line `go RATE SECONDS BYTES` on standard input writes frames to all of them
    Tcp,
    /// Answers every message on a command channel with one of so many bytes on a frame channel
    Hops {
        /// Loopback port of Redis
        #[arg(long)]
        redis_port: u16,
        /// Channels
        #[arg(long)]
        channels: usize,
        /// Bytes of an answer
        #[arg(long)]
        bytes: usize,
    },
    /// Opens WebSockets, checks the token of the first message, and answers it
    Upgrade {
        /// The public keys
        #[arg(long)]
        keys: String,
    },
}

/// Runs until standard input ends: when the benchmark ends, whatever way, so does its floor.
///
/// # Errors
/// When it cannot listen or connect.
pub async fn command(floor: Floor) -> anyhow::Result<()> {
    match floor {
        Floor::Tcp => tcp::serve().await,
        Floor::Hops { redis_port, channels, bytes } => hops::serve(redis_port, channels, bytes).await,
        Floor::Upgrade { keys } => upgrade::serve(&keys).await,
    }
}
