//! What clients and the house say to each other: JSON text frames over WebSocket subprotocol `cardhouse.v1`, and the names and numbers in
//! them. It knows no network and no Redis: bots and other programs build on this alone.
//!
//! Read [`client_in`] and [`client_out`] first: each direction is one enum. What rooms of a kind add stands in a
//! module of its own ([`table`], [`hosted`], [`floor`], [`queue`], [`tournament`], [`talk`], [`jobs`]). `docs/protocol.md` is checked against these types by a test.
//!
//! - [`id`], [`time`]: names, positions in a journal, and time.
//! - [`bounds`]: what clients, relays and workers keep alike. [`code`]: why something is refused or closed. [`rail`]: how those watch who have no part in a room. [`lobby`]: what is shown of rooms to those who look for one.
//! - [`text`]: what people write for others to see. [`rights`]: what tokens say that people may do.
//! - `testing` (a feature): the messages of the document changed in every way.

pub mod bounds;
pub mod client_in;
pub mod client_out;
pub mod code;
pub mod floor;
pub mod hosted;
pub mod id;
pub mod jobs;
pub mod lobby;
mod object;
pub mod queue;
pub mod rail;
mod raw;
pub mod rights;
pub mod table;
pub mod talk;
#[cfg(feature = "testing")]
pub mod testing;
pub mod text;
pub mod time;
pub mod tournament;

pub use client_in::{BadMessage, ClientIn};
pub use client_out::ClientOut;
pub use code::{CloseCode, ErrorCode, RefusalCode};
pub use object::{Numeral, Unfit, WHOLE_MAX};

/// The WebSocket subprotocol that both sides must name.
pub const SUBPROTOCOL: &str = "cardhouse.v1";
