//! What chips there are, and where dealer workers ask for them.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use broker::seal::SealKey;
use cage::ledger::Definition;
use ops::{config::parse_seal_key, key_folder::KeyFolder, listen::Address};

/// The key and those that were before it.
type Keys = (SealKey, Vec<SealKey>);

/// What chips there are.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The cage")]
pub struct CurrencyArgs {
    /// A currency: EUR:2 has two digits behind the point; play money is like PLAY:0:10000:2000, of which everybody begins with 10000 and may
    /// have 2000 again once a day. Several separated by commas; they are kept with the people, and without this they stay as they are
    /// there, or are PLAY:0:10000:2000 if there is none
    #[arg(long = "currency", env = "CARDHOUSE_CURRENCIES", value_name = "CURRENCY", value_delimiter = ',')]
    pub currencies: Vec<Definition>,
    /// So often the ledger is held against the tables, seconds; 0: only when staff asks
    #[arg(long, env = "CARDHOUSE_AUDIT_SECONDS", value_name = "SECONDS", default_value_t = 300)]
    pub audit_seconds: u32,
    /// Folder of the tape, on another disk than the database: what the ledger decides stands there before it is answered, and what a database that
    /// has gone back lacks is applied from there at the start. Each reception has one of its own; off unless given
    #[arg(long, env = "CARDHOUSE_TAPE_DIR", value_name = "FOLDER")]
    pub tape_dir: Option<PathBuf>,
}

/// See the module.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The cage")]
pub struct CageArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub chips: CurrencyArgs,
    /// Where dealer workers ask the ledger (their --cage-url): an address inside the house, where no client comes; off unless given. Needs the
    /// database and the key that dealer workers seal with
    #[arg(long, env = "CARDHOUSE_CAGE_LISTEN", value_name = "ADDRESS")]
    pub cage_listen: Option<Address>,
    /// The key that dealer workers seal with, by which they are known: 32 bytes as 64 hexadecimal digits or base64
    #[arg(
        long,
        env = "CARDHOUSE_SEAL_KEY",
        hide_env_values = true,
        conflicts_with = "seal_key_dir",
        value_name = "KEY"
    )]
    pub seal_key: Option<SealKey>,
    /// An earlier one, by which they are known too; may be repeated, in the variable with commas
    #[arg(
        long,
        env = "CARDHOUSE_SEAL_KEYS_OLDER",
        hide_env_values = true,
        conflicts_with = "seal_key_dir",
        value_delimiter = ',',
        value_name = "KEY"
    )]
    pub seal_key_older: Vec<SealKey>,
    /// In place of both: their folder of keys, which is read again while the program runs
    #[arg(long, env = "CARDHOUSE_SEAL_KEY_DIR", value_name = "FOLDER")]
    pub seal_key_dir: Option<PathBuf>,
}

impl CageArgs {
    /// The keys by which dealer workers are known.
    ///
    /// # Errors
    /// When there is none, or the folder cannot be read.
    pub fn keys(&self) -> anyhow::Result<Keys> {
        if let Some(path) = &self.seal_key_dir {
            return Ok(KeyFolder::new(path, "key", Duration::ZERO).read(parse_seal_key)?.apart());
        }
        let key = self.seal_key.clone();
        let key =
            key.context("--cage-listen needs the key of dealer workers: --seal-key or --seal-key-dir")?;
        Ok((key, self.seal_key_older.clone()))
    }
}
