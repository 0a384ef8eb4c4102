//! Traces of single commands: when a relay has read one, when its room has decided it, when that was in the journal, when it went out to
//! those who watch.
//!
//! Nodes tell each other nothing for it. The name of a command's trace follows from the command (`otel::name`), which every node on its way
//! knows; so does whether it is traced at all.
//!
//! - [`Command`], [`Step`]: what is traced.
//! - [`flags`]: whether, and where traces go.
//! - `otel` (the feature): `name`, the names of traces; [`Span`] and [`Spans`], steps that are under way; `exporter`, the way to the collector.
//! - `off`: the same without the feature, where nothing is told and nothing is kept.
//! - `testing` (a feature): a collector.

pub mod flags;
#[cfg(not(feature = "otel"))]
mod off;
#[cfg(feature = "otel")]
mod otel;
#[cfg(feature = "testing")]
pub mod testing;

use protocol::id::{RoomId, SessionId, UserId};

pub use self::flags::{NotStarted, TraceArgs};
#[cfg(not(feature = "otel"))]
pub use self::off::{Span, Spans, Traces};
#[cfg(feature = "otel")]
pub use self::otel::{Span, Spans, Traces};

/// Which command.
#[derive(Debug, Clone, Copy)]
pub struct Command<'a> {
    /// Whose.
    pub user: &'a UserId,
    /// In which session.
    pub session: SessionId,
    /// The client's counter.
    pub n: u64,
    /// To which room.
    pub room: &'a RoomId,
}

/// What is done with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A relay has it until its client has the answer: what all other steps belong to.
    Command,
    /// The same where a client says it once more, on another connection.
    Repeat,
    /// The room decides.
    Decide,
    /// What was decided is stored.
    Commit,
    /// A relay hands the frame to all who watch.
    Deliver,
}
