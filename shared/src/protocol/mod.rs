//! What clients and the house say to each other: JSON text frames over WebSocket subprotocol `cardhouse.v1`.
//!
//! Read [`client_in`] and [`client_out`] first: each direction is one enum. What rooms of a kind add stands in a
//! module of its own ([`table`]). `docs/protocol.md` is checked against these types by a test.

pub mod client_in;
pub mod client_out;
pub mod code;
pub mod lobby;
mod object;
mod raw;
pub mod table;

pub use client_in::{BadMessage, ClientIn};
pub use client_out::ClientOut;
pub use code::{CloseCode, ErrorCode, RefusalCode};
pub use object::{Numeral, Unfit, WHOLE_MAX};

/// The WebSocket subprotocol that both sides must name.
pub const SUBPROTOCOL: &str = "cardhouse.v1";
