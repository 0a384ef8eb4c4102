//! HTTP in front of the house: guests, accounts, the public keys that relays check tokens with, health.
//!
//! It holds no state but its keys, so any number of replicas may stand behind the proxy if they share the key folder; and the database,
//! if there is one.
//!
//! In reading order:
//!
//! - [`api`]: the interface as a router; what the house serves too.
//! - [`error`]: how a client is refused.
//! - [`desk`]: who hands out the tokens; `guest`: whom they name.
//! - [`people`]: who has an account, and what that means; [`passwords`]: which are good, and what they cost.
//! - [`oidc`]: by whose word people sign in, beside passwords.
//! - [`revocations`]: how tokens become void before they end. [`seats`]: who sits where. [`floor`]: what tables say of their chips.
//! - [`database`]: where the database and its keys are. [`cage_api`], [`cage_args`]: the ledger in it, as dealer workers ask it.
//! - [`recorder`]: hands that are over, into the database. [`agency`]: who plays for AI players. [`coach`]: who answers what players ask.
//! - [`proof`]: hands in files that show by themselves that they are what was played. [`archive`]: such files, and others of many hands, for operators.
//! - [`keyring`], [`key_dir`]: the keys in force, and where they come from.
//! - [`limit`]: how often one address may ask.
//! - `cors`: which other origins may read.
//! - [`config`]: flags of the binary.
//!
//! Not here: whose chips are where (`cage`); TLS (Nginx does it).

pub mod agency;
pub mod api;
pub mod archive;
pub mod cage_api;
pub mod cage_args;
pub mod coach;
pub mod config;
mod cors;
pub mod database;
pub mod desk;
pub mod error;
pub mod floor;
mod guest;
pub mod key_dir;
pub mod keyring;
pub mod limit;
pub mod oidc;
pub mod passwords;
pub mod people;
pub mod proof;
pub mod recorder;
pub mod revocations;
pub mod seats;

pub use api::{ApiConfig, router, router_with_people};
pub use desk::{Desk, Issued};
pub use keyring::Keyring;
pub use people::People;
