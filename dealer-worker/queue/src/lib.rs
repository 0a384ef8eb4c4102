//! The queue in which players wait who look for a seat and find none, and the tables that it opens for them.
//!
//! ```text
//!  join        a table of the queue has a seat, or two wait and one is opened        sit
//! -----> waits ----------------------------------------------------------> called -----> seated
//!          |                    letter `Call`: on that table's list             |
//!          +-- leave, gone for long                                             +-- 30 s are over: see [`table::missed`]
//! ```
//!
//! A queue decides to *which table* somebody is sent, once; the table decides about its seats as any table does: whoever is sent is put on its
//! [waiting list](table::waiting), which calls him to the seat that is free. So seats are kept in one place, and whoever knows a table's waiting list
//! knows all that comes. Queue and tables write each other letters, each heard once.
//!
//! In reading order:
//!
//! - [`mod@line`]: who waits, which tables there are, and the facts that change it. [`director`]: what a queue is asked and told, and what follows.
//! - [`at_table`]: a table that a queue has opened.
//! - [`letters`]: what they write to each other.

pub mod at_table;
pub mod director;
pub mod letters;
pub mod line;

pub use at_table::QueueTable;
pub use director::{Queue, Settings};
