//! HTTP in front of the house: guest tokens, the public keys that relays check them with, health.
//!
//! It holds no state but its keys, so any number of replicas may stand behind the proxy if they share the key folder.
//!
//! In reading order:
//!
//! - [`api`]: the interface as a router; what the house serves too.
//! - [`error`]: how a client is refused.
//! - [`desk`]: who hands out the tokens; `guest`: whom they name.
//! - [`keyring`], [`key_dir`]: the keys in force, and where they come from.
//! - [`limit`]: how often one address may ask.
//! - `cors`: which other origins may read.
//! - [`config`]: flags of the binary.
//!
//! Not here: accounts and passwords; chips; TLS (Nginx does it).

pub mod api;
pub mod config;
mod cors;
pub mod desk;
pub mod error;
mod guest;
pub mod key_dir;
pub mod keyring;
pub mod limit;

pub use api::{ApiConfig, router};
pub use desk::{Desk, Issued};
pub use keyring::Keyring;
