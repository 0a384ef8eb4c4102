//! The simulator: the real relays, dealer workers, tables and clients in one thread under a paused clock, with everything
//! that goes wrong drawn from one seed.
//!
//! In reading order:
//!
//! - [`plan`]: what a seed decides. [`mod@run`]: one run from its plan to its verdict. [`command`]: many of them.
//! - `world`: the house and its processes. `guest`: who is there, over a `pipe`, moved by a [`Mind`](player::Mind): a bot of
//!   the swarm, or one of the other [guests](crate::guests). `standing`: what reception knows of guests. `crowded`: how a guest is to be answered
//!   where many ask. `railbird`: what it is told as one of the rail, `queued`: of those who wait for a seat. `viewer`: what it watches where only so many may. `cashier`: whose the chips are. `archive`: which hands were
//!   written down.
//! - `pits`: processes that are relay and dealer worker. `faults`: what goes wrong with single operations, and tripwires.
//! - [`planted`]: faults that the judges must catch.
//! - [`tournament`]: a tournament of any size by itself, with nothing around its rooms.
//!
//! What is promised, and how it is judged, is in [`judge`](crate::judge).

mod agent;
mod archive;
mod cashier;
pub mod command;
mod crowded;
mod faults;
mod guest;
mod pipe;
mod pits;
pub mod plan;
pub mod planted;
mod queued;
mod railbird;
pub mod run;
mod standing;
pub mod tournament;
mod viewer;
mod world;

pub use crate::judge::Promise;
pub use plan::Plan;
pub use planted::Planted;
pub use run::{Verdict, run};
