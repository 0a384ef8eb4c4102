//! Everything in one process: the newcomer's command.
//!
//! The parts are those of a cluster, joined by the memory adapters instead of Redis; so whatever is played here runs
//! there. What outlives a house is in a folder: tables, accounts and keys.
//!
//! In reading order:
//!
//! - [`config`]: what can be set.
//! - `house`: the composition, and its running.
//! - [`data`]: the folder with what outlives it; `office`: who has accounts there, and who gets tokens; `cashier`: its ledger.
//! - [`site`]: what is served under which path; `web`: the browser client's files.
//! - `bots`: the house's own players, and its coach.
//! - [`outside`]: where others open it.

mod bots;
mod cashier;
pub mod config;
pub mod data;
mod house;
pub mod office;
pub mod outside;
pub mod site;
mod web;

pub use config::Config;
pub use house::{House, Kept, OpenError};
