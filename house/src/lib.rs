//! Everything in one process: the newcomer's command.
//!
//! The parts are those of a cluster, joined by the memory adapters instead of Redis; so whatever is played here runs
//! there. Nothing survives a restart.
//!
//! In reading order:
//!
//! - [`config`]: what can be set.
//! - `house`: the composition, and its running.
//! - [`site`]: what is served under which path; `web`: the browser client's files.
//! - `bots`: the house's own players.
//! - [`outside`]: where others open it.

mod bots;
pub mod config;
mod house;
pub mod outside;
pub mod site;
mod web;

pub use config::Config;
pub use house::{House, OpenError};
