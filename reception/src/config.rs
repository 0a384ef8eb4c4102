//! Flags and environment variables of the `reception` binary.

use std::{path::PathBuf, time::Duration};

use axum::http::HeaderValue;
use clap::{Parser, Subcommand};
use ops::{
    config::{LogArgs, OpsArgs, positive},
    key_folder::Manage,
    listen::Address,
    serve::{Front, HostName, HttpArgs, Limits, TrustProxy},
};

use crate::{
    agency::AgencyArgs,
    api::ApiConfig,
    archive::{Hands, VerifyArgs},
    cage_args::CageArgs,
    coach::CoachArgs,
    database::DatabaseArgs,
    oidc::OidcArgs,
};

/// HTTP in front of a Cardhouse cluster: guests, accounts, and the public keys that relays check tokens with.
///
/// Stops at SIGTERM once open requests are answered. Every flag can be given as the environment variable shown
/// beside it.
#[derive(Debug, Clone, Parser)]
#[command(name = "reception", version)]
pub struct Config {
    /// Not to serve, but to do something with the keys.
    #[command(subcommand)]
    pub task: Option<Task>,

    /// Where to listen: 8090 is for this machine alone, :8090 for everybody, 127.0.0.1:8090, `[::]:8090` and localhost:8090 are what
    /// they say; port 0 takes any free one, told in the log
    #[arg(
        long,
        env = "CARDHOUSE_RECEPTION_LISTEN",
        default_value = "127.0.0.1:8090",
        value_name = "ADDRESS"
    )]
    pub listen: Address,

    /// Folder of the signing keys: Ed25519 in PKCS #8 PEM, *.pem. All are published, the newest signs. If there is
    /// none, one is made
    #[arg(
        long,
        env = "CARDHOUSE_KEY_DIR",
        global = true,
        default_value = "keys",
        value_name = "FOLDER",
        help_heading = "Keys of tokens"
    )]
    pub key_dir: PathBuf,

    /// Folder of the keys that sign hands which are kept, as that of tokens' keys [default: the folder hands in that one]. Where it can be neither read
    /// nor made, hands are not signed, and the log says so
    #[arg(
        long,
        env = "CARDHOUSE_HAND_KEY_DIR",
        global = true,
        value_name = "FOLDER",
        help_heading = "Hands"
    )]
    pub hand_key_dir: Option<PathBuf>,

    /// How often the key folder is read again, milliseconds
    #[arg(long, env = "CARDHOUSE_KEY_REREAD_MS", default_value_t = 5_000, value_name = "MS", help_heading = "Keys of tokens", value_parser = clap::value_parser!(u64).range(100..))]
    pub key_reread_ms: u64,

    /// How old a new key's file must be before it signs, milliseconds: longer than relays keep the published keys
    #[arg(
        long,
        env = "CARDHOUSE_KEY_SETTLE_MS",
        global = true,
        default_value_t = 90_000,
        value_name = "MS",
        help_heading = "Keys of tokens"
    )]
    pub key_settle_ms: u64,

    /// How long open requests may take after SIGTERM before they are cut, milliseconds
    #[arg(long, env = "CARDHOUSE_DRAIN_MS", default_value_t = 5_000, value_name = "MS")]
    pub drain_ms: u64,

    /// Believe proxies about a client's address, which they write into X-Forwarded-For: a number of proxies, one behind
    /// the other (alone: 1), or their networks, such as 10.0.0.0/8,fd00::/8. Only behind proxies that set that header
    #[arg(long, env = "CARDHOUSE_TRUST_PROXY", value_name = "PROXIES", num_args = 0..=1, default_value = "false", default_missing_value = "1", hide_default_value = true)]
    pub trust_proxy: TrustProxy,

    /// A name by which pages may reach the interface, such as cards.example; .cards.example for all below it, * for any.
    /// Several separated by commas. Addresses, localhost and this machine's name always may, and behind a trusted proxy
    /// all do unless one is named
    #[arg(long = "host", env = "CARDHOUSE_HOSTS", value_name = "NAME", value_delimiter = ',')]
    pub hosts: Vec<HostName>,

    /// Connections at most
    #[arg(long, env = "CARDHOUSE_CONNECTIONS_MAX", value_name = "COUNT", default_value_t = Limits::default().connections_max, value_parser = positive::<usize>)]
    pub connections_max: usize,

    /// Connections at most from one address: an IPv4 address or an IPv6 /64
    #[arg(long, env = "CARDHOUSE_CONNECTIONS_PER_ADDRESS_MAX", value_name = "COUNT", default_value_t = Limits::default().connections_per_address_max, value_parser = positive::<usize>)]
    pub connections_per_address_max: usize,

    /// Other origins whose pages may use the interface, such as `https://cards.example`; several separated by commas
    #[arg(long, env = "CARDHOUSE_ALLOW_ORIGIN", value_delimiter = ',')]
    pub allow_origin: Vec<HeaderValue>,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would become the help's heading")]
    pub tokens: TokenArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would become the help's heading")]
    pub people: DatabaseArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would become the help's heading")]
    pub oidc: OidcArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would become the help's heading")]
    pub cage: CageArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would become the help's heading")]
    pub hands: HandArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would become the help's heading")]
    pub agency: AgencyArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would become the help's heading")]
    pub coach: CoachArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would become the help's heading")]
    pub http: HttpArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would become the help's heading")]
    pub ops: OpsArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would become the help's heading")]
    pub log: LogArgs,
}

/// What is kept of hands that are over.
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(next_help_heading = "Hands")]
pub struct HandArgs {
    /// Write down hands that dealer workers put into the queue (their --keep-hands). Needs the database, Redis and the key that dealer workers
    /// seal with
    #[arg(long, env = "CARDHOUSE_KEEP_HANDS")]
    pub keep_hands: bool,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would become the help's heading")]
    pub kept: KeptArgs,
}

/// For how long.
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(next_help_heading = "Hands")]
pub struct KeptArgs {
    /// How long hands are kept, days; 0: for ever
    #[arg(long, env = "CARDHOUSE_KEEP_HANDS_DAYS", default_value_t = 365, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(..=36_500))]
    pub keep_hands_days: u32,
}

/// What to do instead of serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Task {
    /// See and change the keys of tokens while replicas run
    #[command(subcommand)]
    Keys(Manage),
    /// The same with the keys that sign hands that are kept
    #[command(subcommand)]
    HandKeys(Manage),
    /// Make staff of the house; needs the database
    #[command(subcommand)]
    Admin(Admin),
    /// What is done with hands that are kept; needs the database
    #[command(subcommand)]
    Hands(Hands),
    /// Say whether a file of hands is what the house has made: whole, in order, and nothing changed. Needs nothing but the file
    Verify(VerifyArgs),
    /// What is done with the ledger's tape
    #[command(subcommand)]
    Tape(Tape),
}

/// What is done with the ledger's tape.
#[derive(Debug, Clone, Subcommand)]
pub enum Tape {
    /// Say whether a tape is whole: each line as it was written, and in order. Needs nothing but the folder, also of a reception that runs
    Check {
        /// The folder
        folder: PathBuf,
    },
}

/// What is done about staff.
#[derive(Debug, Clone, Subcommand)]
pub enum Admin {
    /// Make an admin of the member with this handle, who is made if there is none, and print a link by which the password is
    /// set, once, within 30 minutes
    Create {
        /// What the admin signs in with
        handle: String,
    },
}

impl Config {
    /// How the interface is served.
    pub fn front(&self) -> Front {
        let limits = Limits {
            connections_max: self.connections_max,
            connections_per_address_max: self.connections_per_address_max,
            files_kept: 0,
        };
        let farewell = Duration::from_millis(self.drain_ms);
        Front::new(self.http, limits, self.trust_proxy.clone()).with_farewell(farewell)
    }
}

/// How long a token is valid where it is all that a guest has, seconds.
const TOKEN_SECONDS: u64 = 3_600;

/// How long one is valid that is refreshed by another, seconds: a stolen one is worth no more.
const PEOPLES_TOKEN_SECONDS: u64 = 600;

/// The part of the flags that the house has too.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Tokens")]
pub struct TokenArgs {
    /// How long a token is valid, seconds. Clients refresh theirs before [default: 3600; where people are kept 600, as their
    /// refresh tokens last]
    #[arg(long, env = "CARDHOUSE_TOKEN_SECONDS", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(10..=31_536_000))]
    pub token_seconds: Option<u64>,

    /// New guests and refreshed tokens of one address (IPv4 address or IPv6 /64) in the long run, a minute; 0: no
    /// limit
    #[arg(long, env = "CARDHOUSE_TOKENS_PER_MINUTE", default_value_t = 600, value_name = "COUNT")]
    pub tokens_per_minute: u32,

    /// How many of them an address that was quiet may have at once
    #[arg(long, env = "CARDHOUSE_TOKENS_BURST", default_value_t = 1_000, value_name = "COUNT")]
    pub tokens_burst: u32,
}

impl TokenArgs {
    /// How long a token is valid, milliseconds, where people are kept or not.
    pub fn token_ms(&self, people: bool) -> u64 {
        let otherwise = if people { PEOPLES_TOKEN_SECONDS } else { TOKEN_SECONDS };
        self.token_seconds.unwrap_or(otherwise) * 1_000
    }

    /// What the interface allows, together with what the house takes from its relay's flags.
    pub fn api(&self, hosts: Vec<HostName>, allow_origin: Vec<HeaderValue>) -> ApiConfig {
        ApiConfig {
            tokens_per_minute: self.tokens_per_minute,
            tokens_burst: self.tokens_burst,
            hosts,
            allow_origin,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_flag_has_an_environment_variable_and_a_help_line() {
        ops::flags::assert_explained(&Config::command());
    }
}
