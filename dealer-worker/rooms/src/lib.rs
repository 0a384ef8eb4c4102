//! Owns rooms of any kind: decides, journals, and keeps the clocks. It knows no kind.
//!
//! In reading order:
//!
//! - [`room`]: the runtime that every kind of room gets. A room is a deterministic state machine; the runtime gives it a
//!   mailbox, exactly-once answers, a clock, durable frames, letters, errands, takeover and hand-over.
//! - [`placement`]: which worker owns which room.
//! - [`lobby`]: what is told of all rooms to those who look for one; [`replies`]: answers that are not frames.
//! - [`open`]: opening rooms.
//! - `counts`: metrics of what is generic over the kind of room.
//! - [`config`], [`context`], [`worker`]: the settings, what rooms share, and all of it put together.
//! - [`testing`]: kinds of rooms for tests and the load generator. Not behind a feature: all that stands on this crate would be built once more for those
//!   who want it. [`planted`]: a fault for tests to find.

pub mod config;
pub mod context;
mod counts;
pub mod lobby;
pub mod open;
pub mod placement;
pub mod planted;
pub mod replies;
pub mod room;
pub mod testing;
pub mod worker;

pub use config::{Bounds, WorkerConfig};
pub use open::open_room;
pub use room::{chance::Chance, kinds::Kinds};
pub use worker::{Failed, Worker};
