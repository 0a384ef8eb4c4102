//! A house that plays for chips that are somebody's: the ledger and the tables say the same, while people play and after it was killed.
//!
//! `CARDHOUSE_MONEY_AUDITS` says how often it is looked at while bots play, `CARDHOUSE_MONEY_KILLS` how often a house is killed.

mod audited;
mod contest;
mod found;
mod killed;
mod lost;
mod players;
#[path = "../process/mod.rs"]
mod process;
mod regularly;
mod restored;
mod staff;

use std::{env, time::Duration};

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(180);

/// Three tables that play for PLAY, each with bots of the house, quickly.
const FLAGS: [&str; 18] = [
    "--tables",
    "3",
    "--table-currency",
    "PLAY",
    "--currency",
    "PLAY:0:1000000:0",
    "--rake-basis-points",
    "500",
    "--rake-cap",
    "3",
    "--pause-ms",
    "20",
    "--bots",
    "2",
    "--bot-think-min-ms",
    "0",
    "--bot-think-more-ms",
    "20",
];

/// How often something is done, unless the environment says otherwise.
fn times(variable: &str, usually: u32) -> u32 {
    env::var(variable).map_or(usually, |times| times.parse().unwrap())
}
