//! The flags of `loadtest cluster`.

use clap::{Args, ValueEnum};
use money::Currency;
use ops::config::positive;

/// Flags of `loadtest cluster`; also how tests, chaos and benchmarks say what they want.
#[derive(Debug, Clone, Args)]
pub struct ClusterArgs {
    /// How many relays
    #[arg(long, default_value_t = 2)]
    pub relays: usize,
    /// How many dealer workers
    #[arg(long, default_value_t = 2)]
    pub dealers: usize,
    /// How many pits besides: relay and dealer worker in one process
    #[arg(long, default_value_t = 0, conflicts_with = "machines")]
    pub pits: usize,
    /// How many tables
    #[arg(long, default_value_t = 100, value_parser = positive::<u32>)]
    pub tables: u32,
    /// Reception keeps people, in a file that goes with the cluster
    #[arg(long)]
    pub accounts: bool,
    /// What the tables play for: reception keeps people and a ledger, of which everybody has enough
    #[arg(long, value_name = "CURRENCY")]
    pub table_currency: Option<Currency>,
    /// The ledger's tape is kept, in a folder that goes with the cluster
    #[arg(long, requires = "table_currency")]
    pub keep_tape: bool,
    /// Hands are written down
    #[arg(long)]
    pub keep_hands: bool,
    /// Players open tables of their own and invite AI players, for whom reception plays
    #[arg(long)]
    pub ai_players: bool,
    /// How Redis is run
    #[arg(long, value_enum, default_value_t = RedisMode::Single)]
    pub redis: RedisMode,
    /// Whether and how Redis writes its append-only file
    #[arg(long, value_enum, default_value_t = Aof::Everysec)]
    pub aof: Aof,
    /// Where nginx listens, loopback port [default: any free one]
    #[arg(long)]
    pub port: Option<u16>,
    /// What runs nginx [default: docker/edge/run of the source tree]
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../docker/edge/run"))]
    pub edge: std::path::PathBuf,
    /// The folder with the nginx templates [default: nginx/ of the source tree]
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../nginx"))]
    pub nginx_dir: std::path::PathBuf,
    /// The folder with the web client [default: web/ of the source tree]
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../web"))]
    pub web_dir: std::path::PathBuf,
    /// Another flag for reception, as `--reception-flag=--token-seconds=60`; may be repeated
    #[arg(long, allow_hyphen_values = true)]
    pub reception_flag: Vec<String>,
    /// Another flag for every relay, as `--relay-flag=--idle-ms=10000`; may be repeated
    #[arg(long, allow_hyphen_values = true)]
    pub relay_flag: Vec<String>,
    /// Another flag for every dealer worker, as `--dealer-flag=--pause-ms=500`; may be repeated
    #[arg(long, allow_hyphen_values = true)]
    pub dealer_flag: Vec<String>,
    /// Each relay and dealer worker on a machine of its own, as far as the network goes; needs root
    #[arg(long)]
    pub machines: bool,
    /// Do not build the binaries, take those that lie beside this one
    #[arg(long)]
    pub no_build: bool,
    /// A folder with the `relay` and `dealer-worker` of another release: every second relay and worker is one of those
    #[arg(long, value_name = "FOLDER")]
    pub older: Option<std::path::PathBuf>,
    /// A database in PostgreSQL in the place of the file; hands are written down there by a reception that does nothing else
    #[arg(skip)]
    pub postgres: Option<String>,
    /// Where dealer workers have their sealing keys, in the place of one in their environment
    #[arg(skip)]
    pub seal_key_dir: Option<std::path::PathBuf>,
    /// What is run in the place of `dealer-worker`
    #[arg(skip)]
    pub stand_in: Option<StandIn>,
}

/// A program that is more than a dealer worker, and has all its flags.
#[derive(Debug, Clone)]
pub struct StandIn {
    /// The program.
    pub program: std::path::PathBuf,
    /// What it is told before the flags of a dealer worker.
    pub words: Vec<String>,
    /// A flag for the URL of what it asks outside of the cluster, and the port of that on this machine.
    pub asks: Option<(String, u16)>,
}

impl Default for ClusterArgs {
    fn default() -> Self {
        #[derive(clap::Parser)]
        struct Flags {
            #[command(flatten)]
            args: ClusterArgs,
        }
        <Flags as clap::Parser>::parse_from(["cluster"]).args
    }
}

/// How Redis is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RedisMode {
    /// One server
    Single,
    /// A primary, a replica and three sentinels
    Sentinel,
    /// A cluster of three primaries with a replica each
    Cluster,
}

/// Whether and how Redis writes its append-only file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Aof {
    /// Memory only
    None,
    /// `appendfsync everysec`
    Everysec,
    /// `appendfsync always`
    Always,
}
