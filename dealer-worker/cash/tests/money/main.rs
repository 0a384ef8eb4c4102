//! A cash table and a cage: no chip is made or lost, whatever dies.

mod bank;
mod promises;
mod walk;
mod world;
