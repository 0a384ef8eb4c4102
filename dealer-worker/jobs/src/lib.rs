//! The room in which work waits for whoever does it: a durable queue, with leases.
//!
//! ```text
//!  put          an agent is ready            tell (the lease is extended)         done
//! -----> waits -------------------> taken --------------------------------> taken -----> has its answer
//!          ^                          |
//!          +--- nack, gone, late -----+---- reject, or the fifth time in vain ----> has failed
//! ```
//!
//! What is put, told and done is in the room's journal before anybody hears of it, so whatever process dies, each job that was acknowledged has *one* result: an
//! answer or a reason. Who takes a job has it for as long as he says something of it; then it is another's, and what the first one says of it
//! later is refused. Those who want something and those who do it are users of the house, over the protocol that all clients speak.
//!
//! In reading order:
//!
//! - [`mod@list`]: what waits, who does it, and the facts that change it.
//! - [`desk`]: what such a room is asked, and what follows.

pub mod desk;
pub mod list;

pub use desk::{Jobs, Settings};
