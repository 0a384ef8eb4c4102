//! The flags of `trials chaos`.

use std::path::PathBuf;

use clap::Args;
use loadtest::cluster::args::{Aof, ClusterArgs, RedisMode};
use money::Currency;
use ops::config::positive;
use tokio::time::Duration;

use super::fault::Kind;

/// Flags of `trials chaos`.
#[derive(Debug, Clone, Args)]
pub struct ChaosArgs {
    /// For how long things go wrong, minutes; may be a fraction
    #[arg(long, default_value_t = 5.0, value_parser = minutes)]
    pub minutes: f64,
    /// What goes wrong when follows from this
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// What the tables play for: the ledger is among what is killed, and says at the end whether a chip was made or lost
    #[arg(long, value_name = "CURRENCY")]
    pub table_currency: Option<Currency>,
    /// The ledger's tape is kept, and the database goes back to what it was some seconds ago: nothing that was answered is forgotten. So it is
    /// wherever that fault is asked for. Hands go back with the database, and are not judged then
    #[arg(long, requires = "table_currency")]
    pub keep_tape: bool,
    /// How Redis is run
    #[arg(long, value_enum, default_value_t = RedisMode::Single)]
    pub redis: RedisMode,
    /// How Redis writes its append-only file; with `everysec` a killed Redis may lose what it acknowledged last
    #[arg(long, value_enum, default_value_t = Aof::Always)]
    pub aof: Aof,
    /// How many bots
    #[arg(long, default_value_t = 60, value_parser = positive::<usize>)]
    pub bots: usize,
    /// How many tables
    #[arg(long, default_value_t = 10, value_parser = positive::<u32>)]
    pub tables: u32,
    /// How many relays
    #[arg(long, default_value_t = 3)]
    pub relays: usize,
    /// How many dealer workers
    #[arg(long, default_value_t = 3)]
    pub dealers: usize,
    /// How many pits besides, relay and dealer worker in one process: what befalls one of either may befall them
    #[arg(long, default_value_t = 0)]
    pub pits: usize,
    /// Mean thinking time of a bot, milliseconds
    #[arg(long, default_value_t = 300)]
    pub think_ms: u64,
    /// Only these kinds of fault, with commas [default: all that the form of Redis allows]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub only: Vec<Kind>,
    /// Never two faults at once
    #[arg(long)]
    pub one_at_a_time: bool,
    /// Time between two faults at most, once the tables have recovered, milliseconds
    #[arg(long, default_value_t = 3_000)]
    pub calm_ms_max: u64,
    /// Another flag for every relay; may be repeated
    #[arg(long, allow_hyphen_values = true)]
    pub relay_flag: Vec<String>,
    /// Another flag for every dealer worker; may be repeated
    #[arg(long, allow_hyphen_values = true)]
    pub dealer_flag: Vec<String>,
    /// When a promise is broken, leave what every process has logged here, and when which fault struck
    #[arg(long, value_name = "DIR")]
    pub logs: Option<PathBuf>,
    /// Do not build the binaries, take those that lie beside this one
    #[arg(long)]
    pub no_build: bool,
    /// A folder with the `relay` and `dealer-worker` of another release: every second relay and worker is one of those
    #[arg(long, value_name = "FOLDER")]
    pub older: Option<PathBuf>,
    /// How many counters: rooms that only tests have, which write to each other, pay to a till, and end; none with `--older` or `--pits`, or where
    /// Redis loses everything
    #[arg(long, default_value_t = 3)]
    pub counters: u32,
    /// Hands are written down in PostgreSQL by a reception that does nothing else; both are among what is killed, and what is written down is judged.
    /// So it is wherever one of these faults is asked for
    #[arg(long)]
    pub keep_hands: bool,
    /// Somebody says that hands are written down and does not write them, to see that it is seen
    #[arg(long, hide = true, requires = "keep_hands")]
    pub plant_unwritten_hands: bool,
    /// Beside the tables a tournament of so many entries is played to its winner; only where Redis loses nothing. Where tables play for a currency an
    /// entry costs chips of it, and each player's account is judged
    #[arg(long, value_name = "ENTRIES", value_parser = clap::value_parser!(u32).range(2..=50_000), conflicts_with = "older")]
    pub tournament: Option<u32>,
    /// How long a level of it lasts, seconds; there are twelve, and blinds grow twofold with each
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub tournament_level_seconds: u64,
    /// The tournament seats one player twice, to see that it is seen; only of programs that were built for tests
    #[arg(long, hide = true, requires = "tournament")]
    pub plant_second_seat: bool,
    /// Rooms of jobs take answers of whoever has had a job before, to see that it is seen; only of programs that were built for tests
    #[arg(long, hide = true)]
    pub plant_late_answers: bool,
    /// The till takes again what it has taken before, to see that it is seen
    #[arg(long, hide = true)]
    pub plant_forgetful_till: bool,
    /// Book a chip in the name of a table, to see that it is seen
    #[arg(long, hide = true, requires = "table_currency")]
    pub plant_forged_booking: bool,
    /// Give one of the players a chip of a table, to see that it is seen
    #[arg(long, hide = true, requires = "table_currency")]
    pub plant_slipped_chip: bool,
    /// The database goes back, and there is no tape, to see that it is seen
    #[arg(long, hide = true, requires = "table_currency", conflicts_with = "keep_tape")]
    pub plant_no_tape: bool,
    /// Publish frames that stand in no journal, to see that it is seen
    #[arg(long, hide = true)]
    pub plant_unwritten_frames: bool,
    /// Print one line of JSON at the end
    #[arg(long)]
    pub json: bool,
}

/// A day at most.
fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.parse().ok().filter(|minutes| (0.0..=1_440.0).contains(minutes));
    minutes.ok_or_else(|| "it must be a number from 0 to 1440, such as 2.5".into())
}

impl Default for ChaosArgs {
    fn default() -> Self {
        #[derive(clap::Parser)]
        struct Flags {
            #[command(flatten)]
            args: ChaosArgs,
        }
        <Flags as clap::Parser>::parse_from(["chaos"]).args
    }
}

/// Short times at the tables, so that clocks run out, players are given up and hands end while things go wrong.
const TABLES: [&str; 6] = [
    "--turn-ms=5000",
    "--bank-ms=5000",
    "--pause-ms=300",
    "--runout-ms=100",
    "--away-ms=3000",
    "--sit-out-ms=60000",
];

impl ChaosArgs {
    /// How long things go wrong.
    pub fn stormy(&self) -> Duration {
        Duration::from_secs_f64(self.minutes.max(0.0) * 60.0)
    }

    /// The kinds of fault that happen.
    pub fn kinds(&self) -> Vec<Kind> {
        let possible = Kind::all().filter(|kind| kind.is_possible(self.redis));
        let is_asked = |kind: &Kind| match self.only.is_empty() {
            true => {
                kind.is_usual()
                    || kind.is_of_books() && self.keep_hands
                    || *kind == Kind::DatabaseRestored && self.keep_tape
            }
            false => self.only.contains(kind),
        };
        possible.filter(is_asked).collect()
    }

    /// Whether nodes reach Redis through links that can be bent.
    pub fn with_links(&self) -> bool {
        self.kinds().iter().any(|kind| kind.bends_links())
    }

    /// Whether Redis may lose entries that it has acknowledged: a failover goes to a replica that may lack some, and with
    /// `everysec` a killed server's file may.
    pub fn may_lose(&self) -> bool {
        self.redis != RedisMode::Single || self.aof != Aof::Always || self.flushes()
    }

    /// Whether Redis loses everything.
    pub fn flushes(&self) -> bool {
        self.only.contains(&Kind::RedisFlushed)
    }

    /// Whether the database goes back.
    pub fn restores(&self) -> bool {
        self.kinds().contains(&Kind::DatabaseRestored)
    }

    /// Whether hands are written down apart.
    pub fn keeps_hands(&self) -> bool {
        self.keep_hands || self.only.iter().any(|kind| kind.is_of_books())
    }

    /// How many counters there are: workers of another release know none, nor do pits, and nobody opens them again that are lost.
    pub fn counters(&self) -> u32 {
        if self.older.is_some() || self.pits > 0 || self.flushes() { 0 } else { self.counters }
    }

    /// The cluster for it.
    pub fn cluster(&self) -> ClusterArgs {
        let tables = TABLES.into_iter().map(str::to_owned);
        // So much of a tournament is told when it begins that a judge who looks a few times a second would miss what is trimmed.
        let kept = self.tournament.map(|_| "--keyframe-every=1024".to_owned());
        ClusterArgs {
            relays: self.relays,
            dealers: self.dealers,
            pits: self.pits,
            tables: self.tables,
            table_currency: self.table_currency,
            keep_tape: self.keep_tape || self.restores() && !self.plant_no_tape,
            redis: self.redis,
            aof: self.aof,
            relay_flag: self.relay_flag.clone(),
            dealer_flag: tables.chain(kept).chain(self.dealer_flag.iter().cloned()).collect(),
            machines: self.kinds().contains(&Kind::Partitioned),
            no_build: self.no_build,
            older: self.older.clone(),
            ..ClusterArgs::default()
        }
    }
}
