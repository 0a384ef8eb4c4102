//! A cash table and a cage: no chip is made or lost, whatever dies.

mod bank;
mod chips;
mod promises;
mod walk;
mod world;
