//! What is promised, and who judges it: [`promise`] names each, [`shadow`] reads the journals, whatever store they are in; [`money`] holds the
//! ledger against them.

pub mod counter;
pub mod money;
pub mod promise;
pub mod shadow;

pub use counter::judge_counters;
pub use money::{Books, judge_money};
pub use promise::Promise;
pub use shadow::{Shadow, digest};
