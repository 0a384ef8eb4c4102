//! A tournament and its tables without a runtime: letters arrive in order, hands are played by chance, time jumps to the next deadline.

#[path = "../../../cash/tests/money/bank.rs"]
#[allow(dead_code, reason = "tables have more faults to plant, and more words")]
mod bank;
mod promises;
mod stakes;
mod world;
