//! What is promised, and who judges it: [`promise`] names each, [`shadow`] reads the journals, whatever store they are in; [`money`] holds the
//! ledger against them; [`hosted`] looks whether tables of players are gone, [`contest`] what a tournament has come to, [`kept`]
//! which hands were written down, [`settled`] what was paid where nothing was left. [`mod@audit`] has reception hold the ledger of a
//! cluster against its tables.

pub mod audit;
pub mod contest;
pub mod counter;
pub mod hosted;
pub mod kept;
pub mod money;
pub mod promise;
pub mod settled;
pub mod shadow;

pub use audit::Auditor;
pub use contest::judge_contest;
pub use counter::{is_in_directory, judge_counters};
pub use hosted::{judge_closed, judge_hosted};
pub use kept::{Pushed, Recorded, judge_kept, names_of, recorded};
pub use money::{Books, judge_money, judge_stakes};
pub use promise::Promise;
pub use settled::{Settled, judge_settled};
pub use shadow::{Shadow, digest};
