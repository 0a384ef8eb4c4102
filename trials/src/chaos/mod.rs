//! Chaos: the real processes are killed, stopped, cut off and restarted while bots play, and everything that anybody is
//! told is held against the journals: `trials chaos`.
//!
//! In reading order:
//!
//! - [`args`]: the flags. [`fault`]: what can go wrong, and when it does. [`mod@run`]: from the first process to the verdict.
//! - [`strike`]: does it to the processes; [`link`]: to the way between a node and Redis.
//! - [`crowd`]: who plays, talks, counts and works; `badge`: tokens of those who work; [`till`]: what counters pay to; [`cup`]: a tournament. [`judge`](crate::judge): who judges; [`hearing`] brings the one before the other.
//! - [`books`]: where hands are written down, and what is wrong there. [`backup`]: what a database goes back to.
//! - [`recovery`]: how long it takes until tables go on; [`pauses`]: what a hand-over costs; [`counters`]: what nodes count.
//! - [`planted`]: a fault of the house, to see that it is seen. [`report`]: the result.

pub mod args;
pub mod backup;
mod badge;
pub mod books;
pub mod counters;
pub mod crowd;
pub mod cup;
pub mod fault;
pub mod hearing;
pub mod link;
pub mod pauses;
pub mod planted;
pub mod recovery;
pub mod report;
pub mod run;
pub mod strike;
pub mod till;

pub use args::ChaosArgs;
pub use fault::Kind;
pub use report::Report;
pub use run::{command, run};
