//! A tournament and its tables without a runtime: letters arrive in order, hands are played by chance, time jumps to the next deadline.

mod promises;
mod world;
