//! How strong strategies are: matches in the engine, without tables, servers and clocks.
//!
//! - [`deal`]: one deal, played by a strategy in each seat; [`adjusted`]: what it brought, by the equities where all chips are in
//!   before the river.
//! - [`duplicate`]: a match, each deal of it as often as there are seats; [`tally`]: its mean and how sure that is.
//! - `short`: what is pushed with a short stack. [`count`]: how often hands win when all chips are in before the flop. [`args`]: the command line.

pub mod adjusted;
pub mod args;
pub mod count;
pub mod deal;
pub mod duplicate;
mod short;
pub mod tally;
