//! The shell of a process.
//!
//! - [`flags`], [`config`], [`listen`], [`signals`]: how flags are read, those that all programs share, addresses to listen
//!   on, and being told to end.
//! - [`key_folder`]: keys as files that are changed while programs run.
//! - [`telemetry`], [`outlet`], [`readiness`]: logs, metrics, the way out for lines, health.
//! - [`serve`]: HTTP within bounds, and the address of who asks.
//! - `testing` (a feature): a pipe that nobody reads, and the variables that a program takes.

pub mod config;
pub mod flags;
pub mod key_folder;
pub mod listen;
pub mod outlet;
pub mod readiness;
pub mod serve;
pub mod signals;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
