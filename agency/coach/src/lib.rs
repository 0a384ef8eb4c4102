//! The coach: a language model answers what players ask about poker.
//!
//! Questions wait as jobs of the work `coach` in [rooms](protocol::jobs) that keep them whoever dies. A [`Coach`] takes as many as it can answer at a
//! time, asks a model behind an interface as OpenAI's, and tells what comes piece by piece, so that the asker sees the answer grow. Coaches come, go
//! and die as they like: what one has begun another begins anew, and the asker has one whole answer in the end.
//!
//! In reading order:
//!
//! - [`prompt`]: what the model is told, and that is all that it is told.
//! - [`events`]: server-sent events out of bytes; [`chunk`]: what one of them says of the answer.
//! - [`model`]: one answer of the model, with its deadlines, bounds and retries.
//! - [`budget`]: how much somebody may ask on one day.
//! - [`leases`]: which jobs are held and what is to be said of them: without I/O.
//! - [`mod@coach`]: all of it behind one connection.

pub mod budget;
pub mod chunk;
pub mod coach;
pub mod events;
pub mod leases;
pub mod model;
pub mod prompt;

pub use budget::{Budget, Limits};
pub use coach::{Coach, CoachConfig, coach};
pub use model::{Key, Model, ModelConfig};
