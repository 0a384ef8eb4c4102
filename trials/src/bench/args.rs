//! The flags of `trials bench`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use money::Currency;
use ops::config::positive;
use protocol::rail::DELAY_MAX_MS;

use super::directory::House;

/// Flags of `trials bench`. The defaults are the workloads as they are defined; smaller ones are for trying out.
#[derive(Debug, Clone, Args)]
pub struct BenchArgs {
    /// What to measure
    #[arg(value_enum)]
    pub workload: Workload,
    /// One JSON object on the last line of standard output
    #[arg(long)]
    pub json: bool,
    /// Counted runs; one more comes before them as a warm-up
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    pub runs: u64,
    /// Write a report with plots, one self-contained file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// `tables`, `chat`, `money`: how many relays; of `tables` a list measures each, to show how cost grows
    #[arg(long, value_delimiter = ',', default_value = "2", value_parser = positive::<usize>)]
    pub relays: Vec<usize>,
    /// `tables`: how many tables of six; a list measures each. `chat`, `lobby`, `money`: how many rooms of six, how many are listed, how many tables, the first number
    #[arg(long, value_delimiter = ',', default_value = "300", value_parser = positive::<usize>)]
    pub tables: Vec<usize>,
    /// `tables`, `chat`: the players of a table sit at different relays, as behind an edge that does not know of `?near=`
    #[arg(long)]
    pub apart: bool,
    /// `tables`: beside the same tables on relays and a dealer worker others on so many pits, relay and dealer worker in one process each, in turns;
    /// with their players where their table is
    #[arg(long, value_name = "COUNT", value_parser = positive::<usize>, conflicts_with_all = ["table_currency", "apart"])]
    pub pits: Option<usize>,
    /// `tables`: hands are written down
    #[arg(long)]
    pub keep_hands: bool,
    /// `tables`: beside the same tables others that are played for this, in turns
    #[arg(long, value_name = "CURRENCY")]
    pub table_currency: Option<Currency>,
    /// `tables`, `chat`, `money`: accepted actions, or lines, a second; a list measures each, the last one gives the figures without a prefix
    #[arg(long, value_delimiter = ',', default_value = "1000,3000", value_parser = positive::<u64>)]
    pub rate: Vec<u64>,
    /// Length of a counted run of `tables`, `chat`, `money`, `rail` and `lobby`, seconds
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// `idle`: connections
    #[arg(long, default_value_t = 10_000, value_parser = positive::<usize>)]
    pub connections: usize,
    /// `idle`: how long silence is watched, seconds
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub idle_seconds: u64,
    /// `rail`: spectators
    #[arg(long, default_value_t = 5_000, value_parser = positive::<usize>)]
    pub spectators: usize,
    /// `rail`: of these so many stop reading in a run of its own
    #[arg(long, default_value_t = 500)]
    pub stalled: usize,
    /// `rail`: frames a second
    #[arg(long, default_value_t = 20, value_parser = positive::<u64>)]
    pub frames: u64,
    /// `rail`: they are shown the table so much later, milliseconds; 0: live
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(DELAY_MAX_MS)))]
    pub rail_delay_ms: u32,
    /// `lobby`: viewers
    #[arg(long, default_value_t = 10_000, value_parser = positive::<usize>)]
    pub viewers: usize,
    /// `lobby`: different views that they look at
    #[arg(long, default_value_t = 200, value_parser = positive::<usize>)]
    pub views: usize,
    /// `return`: seated players
    #[arg(long, default_value_t = 3_000, value_parser = positive::<usize>)]
    pub players: usize,
    /// `rights`: sockets, spread over three relays
    #[arg(long, default_value_t = 3_000, value_parser = positive::<usize>)]
    pub sockets: usize,
    /// `rooms`: so many rooms open and end beside the tables
    #[arg(long, default_value_t = 1_000, value_parser = positive::<u32>)]
    pub churned: u32,
    /// `money`: so many buy-ins a second are due
    #[arg(long, default_value_t = 50, value_parser = positive::<u64>)]
    pub buy_ins: u64,
    /// `money`: the ledger is in PostgreSQL, in the place of SQLite
    #[arg(long)]
    pub postgres: bool,
    /// `money`: and then the cage stands still for so many seconds while the tables are played
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub cage_away: Option<u64>,
    /// `directory`: how many rooms and workers; a list measures each
    #[arg(long, value_name = "ROOMS/WORKERS", value_delimiter = ',', default_value = "10000/20,110000/100")]
    pub houses: Vec<House>,
    /// Do not build the programs of the cluster, take those that lie beside this one
    #[arg(long)]
    pub no_build: bool,
}

impl BenchArgs {
    /// Each pace, and how its figures' names begin: those of the last have no prefix.
    pub fn paces(&self) -> impl Iterator<Item = (u64, String)> {
        self.rate.iter().enumerate().map(|(index, &rate)| {
            let is_last = index + 1 == self.rate.len();
            (rate, if is_last { String::new() } else { format!("at_{rate}_per_s_") })
        })
    }
}

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// Memory and CPU of connections that say nothing
    Idle,
    /// Latency and CPU of play at many tables
    Tables,
    /// Latency and CPU of talk in many rooms
    Chat,
    /// Buy-ins at tables whose chips are somebody's, while these are played
    Money,
    /// One table before thousands of spectators
    Rail,
    /// Thousands of viewers of a lobby by views
    Lobby,
    /// Everybody is cut off and comes back
    Return,
    /// Rooms that write to each other, and rooms that open and end beside tables that are played
    Rooms,
    /// Users are banned while their sockets are open
    Rights,
    /// How much the load generator itself could do
    Ceiling,
    /// What it costs workers to know which rooms there are and whose; one run, without processes
    Directory,
    /// All of them but `directory` and `money`
    All,
}

impl Workload {
    /// Whether `one` is to be measured.
    pub fn includes(self, one: Self) -> bool {
        self == Self::All || self == one
    }
}
