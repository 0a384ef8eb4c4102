//! Guests that are no players, in the simulator and in chaos.
//!
//! - [`stranger`]: who has no seat, and talks. [`teller`]: who uses [`counters`]. [`asker`]: who asks.
//!   [`flooder`]: who asks for too much. [`presser`]: who wants to watch where only so many may. [`circle`]: who opens tables and goes to those of others. [`waiter`]: who waits for a seat. [`seeker`]: who waits in a queue for one anywhere; both know [`seats`]. [`entrant`]: who plays a tournament.
//!   [`patron`]: who wants something done. [`workman`]: who does it.

pub mod asker;
pub mod circle;
pub mod counters;
pub mod entrant;
pub mod flooder;
pub mod patron;
pub mod presser;
mod seats;
pub mod seeker;
pub mod stranger;
pub mod teller;
pub mod waiter;
pub mod workman;
