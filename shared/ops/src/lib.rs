//! The shell of a process.
//!
//! - [`flags`], [`config`], [`listen`], [`signals`]: how flags are read, those that all programs share, addresses to listen
//!   on, and being told to end.
//! - [`telemetry`], [`outlet`], [`readiness`]: logs, metrics, the way out for lines, health.
//! - [`serve`]: HTTP within bounds, and the address of who asks.
//! - `testing` (a feature): a pipe that nobody reads, and the variables that a program takes.

pub mod config;
pub mod flags;
pub mod listen;
pub mod outlet;
pub mod readiness;
pub mod serve;
pub mod signals;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
