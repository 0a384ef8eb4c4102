//! RFC 6455, the server's side: a lean codec without buffers while idle, and a byte-bounded outbox.
//!
//! A relay holds tens of thousands of sockets of which few speak at any moment, and sends one frame to thousands of
//! them. So an idle connection owns no buffer at all, a frame is encoded once and shared, and a write is tried
//! on the spot, by whoever has something to send, before anything is queued.
//!
//! In reading order:
//!
//! - [`handshake`]: the opening handshake, as pure functions over request headers.
//! - [`frame`]: a server's frame, encoded once, shared by every socket that gets it.
//! - [`close`]: close codes, which ones may travel, what each says.
//! - [`decoder`]: bytes in, messages out, without I/O; borrows from the read buffer where it can.
//! - [`wire`]: the port to the transport's sending half: TCP in production, memory in the simulator.
//! - [`socket`]: the sending side of a connection, shared by all who send to it. Behind its lock: `line`, and in that
//!   `outbox`, the frames that could not be written yet.
//! - [`connection`]: the task of a connection: reads, decodes, flushes, closes.
//!
//! Not here: TLS (Nginx does it), compression (off), timers (the relay sweeps its sessions), clients.

pub mod close;
pub mod connection;
pub mod decoder;
pub mod frame;
pub mod handshake;
mod head;
mod line;
mod mask;
mod outbox;
pub mod socket;
pub mod wire;

pub use close::CloseCode;
pub use connection::{Connection, Ended, Handler};
pub use decoder::{Decoder, Event, Violation};
pub use frame::Frame;
pub use socket::{Backlog, Pushed, Socket};
pub use wire::Wire;
