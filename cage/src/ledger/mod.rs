//! Whose chips are where: a ledger with two sides, in which every chip at every table is somebody's.
//!
//! Rooms ask by errands ([`money::Ask`]); [`answer`] answers each name once and for ever, in one transaction. What a request moves it moves by
//! *transfers* between accounts (players', tables', the house's), and a balance changes with a transfer alone: the database sees to
//! that. A broker that loses the end of a journal can neither make nor lose a chip: a successor says from where it goes on (a *cut*), and where nothing is left
//! everybody is paid at the last recorded hand ([`mod@settle`]).
//!
//! - `answer`: what rooms ask; `request`: names, fingerprints and outcomes; `cut`, `lost`, `void`, `in_play`: parts of it.
//! - [`currency`], [`account`]: what there is of what, and whose; [`grant`]: play money that is given away.
//! - [`mod@balances`], [`mod@statement`]: what players see.
//! - [`replay`]: what stands on the tape, and not here.
//! - [`mod@adjust`]: what staff move by hand; [`mod@audit`]: whether all of it is right; [`table_account`]: whether a table holds what it ought to.

pub mod account;
pub mod adjust;
mod answer;
pub mod audit;
pub mod balances;
pub mod currency;
mod cut;
pub mod grant;
mod in_play;
mod lost;
pub mod replay;
mod request;
pub mod settle;
pub mod statement;
pub mod table_account;
mod void;

pub use adjust::{Adjusted, Adjustment, adjust, freeze};
pub use answer::{Answer, answer};
pub use audit::audit;
pub use balances::balances;
pub use currency::{Definition, define};
pub use grant::refill;
pub use settle::{Settlement, settle};
pub use statement::statement;
pub use table_account::{account_of_table, compare};
