//! What is promised, and who judges it: [`promise`] names each, [`shadow`] reads the journals, whatever store they are in; [`money`] holds the
//! ledger against them; [`hosted`] looks whether tables of players are gone, [`contest`] what a tournament has come to.

pub mod contest;
pub mod counter;
pub mod hosted;
pub mod money;
pub mod promise;
pub mod shadow;

pub use contest::judge_contest;
pub use counter::judge_counters;
pub use hosted::judge_hosted;
pub use money::{Books, judge_money};
pub use promise::Promise;
pub use shadow::{Shadow, digest};
