//! Owns rooms: decides, journals, and keeps the clocks.
//!
//! In reading order:
//!
//! - [`room`]: the runtime that every kind of room gets. A room is a deterministic state machine; the runtime gives it a
//!   mailbox, exactly-once answers, a clock, durable frames, takeover and hand-over.
//! - [`table`]: the room in which hands are dealt, on the rules of [`holdem`].
//! - [`placement`]: which worker owns which room.
//! - [`lobby`]: what is told of all tables to those who look for one; [`replies`]: answers that are not frames.
//! - [`open`]: opening tables.
//! - [`config`], [`context`], [`worker`]: the settings, what rooms share, and all of it put together.
//! - `testing` (a feature): a kind of room for tests.
//! - [`flags`], [`process`]: the binary's command line, and the process. [`planted`]: a fault for tests to find.

pub mod config;
pub mod context;
pub mod flags;
pub mod lobby;
pub mod open;
pub mod placement;
pub mod planted;
pub mod process;
pub mod replies;
pub mod room;
pub mod table;
#[cfg(feature = "testing")]
pub mod testing;
pub mod worker;

pub use config::WorkerConfig;
pub use open::{OpenError, open_room, open_tables};
pub use room::{chance::Chance, kinds::Kinds};
pub use worker::{Failed, Worker};

/// The kinds of rooms that a house has.
pub fn kinds() -> Kinds {
    Kinds::default().with::<table::Table>()
}
