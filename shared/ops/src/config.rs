//! Flags and environment variables that all binaries share, in groups to `#[command(flatten)]`.

use std::{fmt, io, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use broker::{
    members::Heartbeat,
    redis::{Durability, RedisConfig},
    seal::SealKey,
};
use clap::Args;
use protocol::id::NodeId;
use tokio::runtime::{Builder, Runtime};

use crate::{
    key_folder::{KeyFolder, KeyFolderError},
    listen::Address,
    outlet::{self, WhenFull},
    serve::{HostName, Hosts, OpsGuard, OpsToken, ops::BadTokenFile},
    telemetry::{LogError, LogFormat, init_logs},
};

/// Reads a bound that would forbid everything if it were 0.
///
/// # Errors
/// When it is 0, or not a number of the type.
pub fn positive<T: FromStr<Err: fmt::Display> + Default + PartialEq>(text: &str) -> Result<T, String> {
    match text.parse() {
        Ok(number) if number == T::default() => Err("it must be at least 1".into()),
        Ok(number) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads a number from 1 to `most`, where so many things are made or asked for at once.
pub fn up_to(most: usize) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |text| match positive(text)? {
        number if number <= most => Ok(number),
        _ => Err(format!("it must be at most {most}")),
    }
}

/// Logs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs")]
pub struct LogArgs {
    /// What to log: a level (error, warn, info, debug, trace), or a list such as `info,relay=debug`
    #[arg(long, env = "CARDHOUSE_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,
    /// How to log: `auto` writes for people on a terminal and JSON otherwise
    #[arg(long, env = "CARDHOUSE_LOG_FORMAT", default_value = "auto", value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// What may wait to be written when nobody reads the log, bytes; lines beyond it are dropped, and counted
    #[arg(long, env = "CARDHOUSE_LOG_BYTES_MAX", default_value_t = outlet::BYTES_MAX, value_name = "BYTES", value_parser = positive::<usize>)]
    pub log_bytes_max: usize,
}

impl LogArgs {
    /// Sets logs up.
    ///
    /// # Errors
    /// When the filter is none.
    pub fn init(&self) -> Result<(), LogError> {
        if let Some(errors) = outlet::errors() {
            errors.bound(self.log_bytes_max, WhenFull::Drop);
        }
        init_logs(&self.log, self.log_format)
    }
}

/// Where Redis is, and what is asked of it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Redis")]
pub struct RedisArgs {
    /// Redis: `redis://HOST:PORT`, `redis-sentinel://HOST:PORT?node=HOST:PORT&sentinelServiceName=NAME` or
    /// `redis-cluster://HOST:PORT?node=HOST:PORT`
    #[arg(
        long,
        env = "CARDHOUSE_REDIS_URL",
        default_value = "redis://127.0.0.1:6379",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub redis_url: String,
    /// What an acknowledged action survives: `async`, `wait-replicas=N` (or `wait-replicas=N/TIMEOUT_MS`), or `fsync`
    /// (needs `appendfsync always` in Redis)
    #[arg(long, env = "CARDHOUSE_DURABILITY", default_value = "async", value_name = "HOW")]
    pub durability: Durability,
    /// Connections to Redis for commands; each room uses one of them
    #[arg(long, env = "CARDHOUSE_REDIS_CONNECTIONS", default_value_t = 1, value_name = "COUNT", value_parser = up_to(1_000))]
    pub redis_connections: usize,
    /// Commands in flight on one connection before more are refused or wait
    #[arg(long, env = "CARDHOUSE_REDIS_IN_FLIGHT_MAX", default_value_t = 1_024, value_name = "COUNT", value_parser = positive::<usize>)]
    pub redis_in_flight_max: usize,
    /// When a command to Redis is given up, milliseconds
    #[arg(long, env = "CARDHOUSE_REDIS_COMMAND_TIMEOUT_MS", default_value_t = 2_000, value_name = "MS", value_parser = positive::<u64>)]
    pub redis_command_timeout_ms: u64,
    /// How long to wait for Redis at start, milliseconds
    #[arg(long, env = "CARDHOUSE_REDIS_CONNECT_TIMEOUT_MS", default_value_t = 10_000, value_name = "MS", value_parser = positive::<u64>)]
    pub redis_connect_timeout_ms: u64,
    /// Messages that wait on one subscriber connection before some are missed (and repaired from the journal)
    #[arg(
        long,
        env = "CARDHOUSE_REDIS_SUBSCRIBER_MESSAGES_MAX",
        default_value_t = 16_384,
        value_name = "COUNT",
        value_parser = up_to(1_000_000)
    )]
    pub redis_subscriber_messages_max: usize,
}

impl RedisArgs {
    /// The configuration of the connections.
    pub fn config(&self) -> RedisConfig {
        RedisConfig {
            connections: self.redis_connections,
            in_flight_max: self.redis_in_flight_max,
            command_timeout_ms: self.redis_command_timeout_ms,
            connect_timeout_ms: self.redis_connect_timeout_ms,
            subscriber_messages_max: self.redis_subscriber_messages_max,
            durability: self.durability,
            ..RedisConfig::new(&self.redis_url)
        }
    }
}

/// This node among the others.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Node")]
pub struct NodeArgs {
    /// This node's name, new at every start [default: the role and a random number]
    #[arg(long, env = "CARDHOUSE_NODE_ID", value_name = "NAME")]
    pub node_id: Option<NodeId>,
    /// Between two heartbeats, milliseconds (less where four would not fit into the time after which a node is dead)
    #[arg(long, env = "CARDHOUSE_BEAT_MS", default_value_t = 500, value_name = "MS", value_parser = positive::<u64>)]
    pub beat_ms: u64,
    /// Silence after which a node is dead and its rooms are taken over, milliseconds (from 500)
    #[arg(long, env = "CARDHOUSE_DEAD_AFTER_MS", default_value_t = 2_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(500..))]
    pub dead_after_ms: u64,
}

impl NodeArgs {
    /// The name given, or `role` and a random number.
    ///
    /// # Panics
    /// If `role` is not the short plain word that it should be.
    pub fn node_id(&self, role: &str) -> NodeId {
        let random = || NodeId::new(&format!("{role}-{:016x}", rand::random::<u64>()));
        self.node_id.clone().unwrap_or_else(|| random().expect("a role is a short plain word"))
    }

    /// The pace of heartbeats.
    pub fn heartbeat(&self) -> Heartbeat {
        Heartbeat::new(self.beat_ms, self.dead_after_ms)
    }
}

/// The secrets of rooms in the journal.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Sealing")]
pub struct SealArgs {
    /// The key that seals cards and randomness in the journal: 32 bytes as 64 hexadecimal digits or base64, the same for all
    /// dealer workers
    #[arg(
        long,
        env = "CARDHOUSE_SEAL_KEY",
        hide_env_values = true,
        required_unless_present = "seal_key_dir",
        conflicts_with = "seal_key_dir",
        value_name = "KEY"
    )]
    pub seal_key: Option<SealKey>,
    /// An earlier key that still opens what it has sealed; may be repeated, in the variable with commas
    #[arg(
        long,
        env = "CARDHOUSE_SEAL_KEYS_OLDER",
        hide_env_values = true,
        conflicts_with = "seal_key_dir",
        value_delimiter = ',',
        value_name = "KEY"
    )]
    pub seal_key_older: Vec<SealKey>,
    /// In place of both: a folder with a key in each *.key, the same for all dealer workers. All open; the newest seals. It is read
    /// again while the program runs, so that keys can be changed (`seal-keys`)
    #[arg(long, env = "CARDHOUSE_SEAL_KEY_DIR", global = true, value_name = "FOLDER")]
    pub seal_key_dir: Option<PathBuf>,
    /// How often that folder is read again, milliseconds
    #[arg(long, env = "CARDHOUSE_SEAL_KEY_REREAD_MS", default_value_t = 5_000, value_name = "MS", value_parser = clap::value_parser!(u64).range(100..))]
    pub seal_key_reread_ms: u64,
    /// How old a new key's file must be before it seals, milliseconds: by then every worker must have read it
    #[arg(
        long,
        env = "CARDHOUSE_SEAL_KEY_SETTLE_MS",
        default_value_t = 30_000,
        global = true,
        value_name = "MS"
    )]
    pub seal_key_settle_ms: u64,
}

impl SealArgs {
    /// The folder of keys, if there is one.
    pub fn folder(&self) -> Option<KeyFolder> {
        let settle = Duration::from_millis(self.seal_key_settle_ms);
        self.seal_key_dir.as_ref().map(|path| KeyFolder::new(path, "key", settle))
    }

    /// The key that seals, and those that open too.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn keys(&self) -> Result<(SealKey, Vec<SealKey>), KeyFolderError> {
        let Some(folder) = self.folder() else {
            let key = self.seal_key.clone().expect("there is a key where there is no folder");
            return Ok((key, self.seal_key_older.clone()));
        };
        let (current, mut older) = folder.read(parse_seal_key)?.apart();
        // The newest of them is the likeliest.
        older.reverse();
        Ok((current, older))
    }
}

/// A sealing key in a file.
///
/// # Errors
/// What it must be.
pub fn parse_seal_key(text: &str) -> Result<SealKey, String> {
    text.parse().map_err(|error: broker::seal::BadSealKey| error.to_string())
}

/// How much of the machine one process uses.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Threads")]
pub struct ThreadArgs {
    /// Threads that do the work. One costs the least for each message, since no thread has to wake another; a room grows by
    /// more processes, and more threads let one process use more cores
    #[arg(long, env = "CARDHOUSE_THREADS", default_value_t = 1, value_name = "COUNT",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: u16,
}

impl ThreadArgs {
    /// The runtime of the process.
    ///
    /// # Errors
    /// When the system gives no threads or descriptors.
    pub fn runtime(self) -> io::Result<Runtime> {
        match self.threads {
            0 | 1 => Builder::new_current_thread().enable_all().build(),
            more => Builder::new_multi_thread().worker_threads(more.into()).enable_all().build(),
        }
    }
}

/// Where operators look.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Operations")]
pub struct OpsArgs {
    /// Where `/metrics`, `/livez` and `/readyz` are served, apart from what is public; written as `--listen` is, port 0 takes
    /// a free one
    #[arg(long, env = "CARDHOUSE_OPS_LISTEN", default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub ops_listen: Address,
    /// A name by which that address may be asked, such as `relay-1`; may be repeated or a list with commas. Addresses,
    /// `localhost` and this machine's name always may. Who only looks may use any name where others than this machine reach
    /// it, unless one is given
    #[arg(long = "ops-host", env = "CARDHOUSE_OPS_HOSTS", value_name = "NAME", value_delimiter = ',')]
    pub ops_hosts: Vec<HostName>,
    /// Demanded, as `Authorization: Bearer TOKEN`, of whoever changes something there (`POST /drain`)
    #[arg(long, env = "CARDHOUSE_OPS_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub ops_token: Option<OpsToken>,
    /// A file with that token instead, such as a mounted secret
    #[arg(long, env = "CARDHOUSE_OPS_TOKEN_FILE", value_name = "FILE", conflicts_with = "ops_token")]
    pub ops_token_file: Option<PathBuf>,
}

impl OpsArgs {
    /// Who may ask there, where that is `address`.
    ///
    /// # Errors
    /// When the token's file has none.
    pub fn guard(&self, address: SocketAddr) -> Result<OpsGuard, BadTokenFile> {
        let from_file = self.ops_token_file.as_deref().map(OpsToken::read).transpose()?;
        Ok(OpsGuard {
            hosts: Hosts::new(self.ops_hosts.clone()),
            only_here: address.ip().is_loopback(),
            token: self.ops_token.clone().or(from_file),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct All {
        #[command(flatten)]
        log: LogArgs,
        #[command(flatten)]
        redis: RedisArgs,
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        seal: SealArgs,
        #[command(flatten)]
        threads: ThreadArgs,
        #[command(flatten)]
        ops: OpsArgs,
    }

    #[test]
    fn every_flag_has_help_and_a_variable_and_every_time_its_unit() {
        All::command().debug_assert();
        let command = All::command();
        for flag in command.get_arguments().filter(|flag| flag.get_id() != "help") {
            let help = flag.get_help().unwrap_or_else(|| panic!("{} has no help", flag.get_id())).to_string();
            assert!(
                flag.get_env().is_some_and(|env| env.to_string_lossy().starts_with("CARDHOUSE_")),
                "{help}"
            );
            if flag.get_id().as_str().ends_with("_ms") {
                assert!(help.contains("milliseconds"), "{help}");
            }
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_parts() {
        let key = SealKey::random().to_hex();
        let all = All::try_parse_from(["x", "--seal-key", &key]).unwrap();
        assert_eq!(
            format!("{:?}", all.redis.config()),
            format!("{:?}", RedisConfig::new(&all.redis.redis_url))
        );
        assert_eq!(all.node.heartbeat(), Heartbeat::default());
        assert_ne!(all.node.node_id("relay"), all.node.node_id("relay"));
        assert!(All::try_parse_from(["x", "--seal-key", "short"]).is_err());
        assert!(All::try_parse_from(["x", "--seal-key", &key, "--dead-after-ms", "499"]).is_err());
        assert!(All::try_parse_from(["x", "--seal-key", &key, "--redis-connections", "0"]).is_err());
        assert!(All::try_parse_from(["x", "--seal-key", &key, "--threads", "0"]).is_err());
        drop((all.log, all.seal.keys(), all.threads, all.ops));
    }
}
