//! Flags and environment variables of the `dealer-worker` binary.

use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use money::Currency;
use ops::{
    config::{LogArgs, NodeArgs, OpsArgs, RedisArgs, SealArgs, ThreadArgs},
    flags,
    key_folder::{KeyFolderError, Manage},
    serve::HttpArgs,
};
use protocol::{
    id::RoomId,
    rail::{DELAY_MAX_MS, RailCards, RailConfig, VIEWERS_MAX},
    table::{AnteKind, BlindsOwed, ButtonRule, GameVariant, LimitKind, RakeRule, Straddles, TableConfig},
};
use rooms::{Bounds, WorkerConfig};
use traces::TraceArgs;

use crate::{
    opening::Opening,
    schedule::{self, BadSchedule, Template},
};

/// Owns tables: deals, keeps the clocks, and writes every hand to its journal.
///
/// Stops at SIGTERM once its tables have gone to other workers. Every flag can be given as the environment variable shown
/// beside it.
#[derive(Debug, Clone, Parser)]
#[command(name = "dealer-worker", version, subcommand_negates_reqs = true)]
pub struct Flags {
    /// Not to run, but to do something with the keys.
    #[command(subcommand)]
    pub task: Option<Task>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub worker: Bounds,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub tables: TableArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub floor: FloorArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub node: NodeArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub seal: SealArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub cage: CageArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub hands: HandArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub redis: RedisArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub threads: ThreadArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub http: HttpArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub ops: OpsArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub log: LogArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub traces: TraceArgs,
}

/// Where chips are kept that are somebody's.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The cage")]
pub struct CageArgs {
    /// Where the ledger is asked: a reception's --cage-listen, such as `http://reception:8091`; several separated by commas, of the same ledger.
    /// Without one, tables whose chips are somebody's have nobody to sell them
    #[arg(long, env = "CARDHOUSE_CAGE_URL", value_name = "URL", value_delimiter = ',')]
    pub cage_url: Vec<String>,
}

/// Whether players open tables of their own, and how large. What they do not choose of a table is as the flags of tables say.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Players' tables")]
pub struct FloorArgs {
    /// Players may open tables of their own, whose chips are nobody's. All workers of a house say the same
    #[arg(long, env = "CARDHOUSE_PLAYERS_TABLES", value_name = "BOOL", default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    pub players_tables: bool,
    /// So many of them one player may have open
    #[arg(long, env = "CARDHOUSE_PLAYERS_TABLES_MAX", value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub players_tables_max: u32,
    /// The largest big blind that a player may choose, chips
    #[arg(long, env = "CARDHOUSE_PLAYERS_BIG_BLIND_MAX", value_name = "CHIPS", default_value_t = 10_000)]
    pub players_big_blind_max: u64,
    /// A player's table at which nobody sits for so long closes, milliseconds
    #[arg(long, env = "CARDHOUSE_PLAYERS_IDLE_MS", value_name = "MS", default_value_t = 1_800_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    pub players_idle_ms: u64,
    /// There is an agency (a reception's --agency-url) that plays for AI players whom hosts of players' tables invite; without one none come. All
    /// workers of a house say the same
    #[arg(long, env = "CARDHOUSE_AGENCY", value_name = "BOOL", default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    pub agency: bool,
    /// Whoever finds no seat waits for one with others, and tables as the flags of tables say are opened for them. Their chips are nobody's:
    /// with a --table-currency nobody waits so. All workers of a house say the same
    #[arg(long, env = "CARDHOUSE_PLAY_NOW", value_name = "BOOL", default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    pub play_now: bool,
    /// So many must wait for a table to be opened for them
    #[arg(long, env = "CARDHOUSE_PLAY_NOW_PLAYERS", value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=10))]
    pub play_now_players: u8,
    /// So many tables are opened in this way at a time
    #[arg(long, env = "CARDHOUSE_PLAY_NOW_TABLES", value_name = "COUNT", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=2_048))]
    pub play_now_tables: u32,
    /// Such a table at which nobody sits for so long closes, milliseconds
    #[arg(long, env = "CARDHOUSE_PLAY_NOW_IDLE_MS", value_name = "MS", default_value_t = 60_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    pub play_now_idle_ms: u64,
    /// There are rooms in which work waits for whoever does it: for a coach that answers questions, and for agents of other people. All workers of a
    /// house say the same
    #[arg(long, env = "CARDHOUSE_JOBS", value_name = "BOOL", default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    pub jobs: bool,
    /// Whoever has taken a job has it for so long, and again from whatever he tells of it, milliseconds. Rooms that are there stay as they are
    #[arg(long, env = "CARDHOUSE_JOBS_LEASE_MS", value_name = "MS", default_value_t = 15_000, value_parser = clap::value_parser!(u64).range(1_000..=600_000))]
    pub jobs_lease_ms: u64,
}

/// The name of the queue for tables as the flags say.
const QUEUE: &str = "queue-1";

impl FloorArgs {
    /// What the rooms of the floor are set to.
    pub fn settings(&self, table: TableConfig) -> floor::Settings {
        floor::Settings {
            // What waits for a hand to end comes before the next one.
            table: TableConfig { pause_ms: table.pause_ms.max(1), ..table },
            tables_max: self.players_tables_max,
            big_blind_max: self.players_big_blind_max,
            idle_ms: self.players_idle_ms,
        }
    }

    /// What the rooms of jobs are set to, if there are any.
    pub fn work(&self) -> Option<jobs::Settings> {
        self.jobs.then(|| jobs::Settings { lease_ms: self.jobs_lease_ms, ..jobs::Settings::default() })
    }

    /// What the queue is set to, if there is one; `None` too where chips are somebody's, which none of its tables asks for.
    pub fn queue(&self, tables: &TableArgs) -> Option<queue::Settings> {
        (self.play_now && tables.table_currency.is_none()).then(|| queue::Settings {
            id: RoomId::new(QUEUE).expect("a name"),
            table: tables.config(),
            opens_at: self.play_now_players,
            tables_max: self.play_now_tables,
            idle_ms: self.play_now_idle_ms,
        })
    }
}

/// What becomes of hands that are over.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Hands")]
pub struct HandArgs {
    /// Put hands that are over into a queue, from which receptions write them down (their --keep-hands): without one that does, Redis keeps them
    /// all
    #[arg(long, env = "CARDHOUSE_KEEP_HANDS")]
    pub keep_hands: bool,
}

/// What to do instead of running.
#[derive(Debug, Clone, Subcommand)]
pub enum Task {
    /// See and change the keys that seal, in --seal-key-dir, while workers run
    #[command(subcommand)]
    SealKeys(Manage),
}

/// Under which headings `--help` shows the settings of tables.
pub const GROUPS: &[(&str, &[&str])] = &[
    ("The game", &["variant", "limit", "small_blind", "big_blind", "ante", "ante_kind", "straddles"]),
    (
        "The game",
        &[
            "moving_button",
            "blinds_owed",
            "runs_max",
            "rake_basis_points",
            "rake_cap",
            "buy_in_min",
            "buy_in_max",
        ],
    ),
    ("Times at a table", &["turn_ms", "bank_ms", "bank_refill_ms", "pause_ms", "runout_ms"]),
    ("Times at a table", &["away_ms", "away_bank_ms", "away_refill_ms", "away_turns"]),
    ("Times at a table", &["sit_out_ms", "rathole_ms"]),
];

impl Flags {
    /// Reads the command line and the environment. On a mistake, or for `--help`, prints and exits.
    pub fn from_command_line() -> Self {
        flags::read_as(&flags::grouped(Self::command(), GROUPS))
    }

    /// The settings of the worker.
    ///
    /// # Errors
    /// If the folder of sealing keys cannot be read.
    pub fn config(&self) -> Result<WorkerConfig, KeyFolderError> {
        let (seal_key, seal_keys_older) = self.seal.keys()?;
        Ok(WorkerConfig {
            node: self.node.node_id("dealer"),
            seal_key,
            seal_keys_older,
            heartbeat: self.node.heartbeat(),
            bounds: self.worker,
        })
    }
}

/// More than any cluster has been seen to carry.
const TABLES_MAX: i64 = 1_000_000;

/// Tables to open at start; those that exist stay as they are.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tables")]
pub struct TableArgs {
    /// What the chips of new tables are, such as PLAY: a currency of the ledger, from which players bring them and to which they go back.
    /// Without one, chips are nobody's
    #[arg(long, env = "CARDHOUSE_TABLE_CURRENCY", value_name = "CODE")]
    pub table_currency: Option<Currency>,
    /// Open tables t1 to tN, unless they are there
    #[arg(long, env = "CARDHOUSE_TABLES", default_value_t = 0, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(..=TABLES_MAX))]
    pub tables: u32,
    /// Tournaments to offer, as a file of templates says; those that are there stay as they are. `none`: none
    #[arg(long, env = "CARDHOUSE_SCHEDULE", value_name = "FILE")]
    pub schedule: Option<PathBuf>,
    /// Show new tables so much later to all who have no seat there, milliseconds: 0 (live) to 900000. Nodes of releases before show nothing of
    /// such tables, and cannot own them
    #[arg(long, env = "CARDHOUSE_RAIL_DELAY_MS", default_value_t = 0, value_name = "MS", value_parser = clap::value_parser!(u32).range(..=i64::from(DELAY_MAX_MS)))]
    pub rail_delay_ms: u32,
    /// Whether all who have no seat at new tables see its players' cards: never, after_hand (when the hand is over) or delayed (with the hand, which
    /// wants --rail-delay-ms 120000 or more)
    #[arg(long, env = "CARDHOUSE_RAIL_CARDS", default_value = "never", value_name = "WHEN", value_parser = rail_cards)]
    pub rail_cards: RailCards,
    /// So many may watch a new table at once who have no part in it: to 1000; 0: as many as come. Nodes of releases before show nothing of
    /// such tables, and cannot own them
    #[arg(long, env = "CARDHOUSE_RAIL_VIEWERS_MAX", default_value_t = 0, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(..=i64::from(VIEWERS_MAX)))]
    pub rail_viewers_max: u32,
    /// Seats of each: 2 to 10, but at most 8 at omaha5 and 7 at omaha6, where the deck has no more cards
    #[arg(long, env = "CARDHOUSE_SEATS", default_value_t = table().seats, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(2..=10))]
    pub seats: u8,
    /// The game
    #[arg(long, env = "CARDHOUSE_VARIANT", default_value = "holdem")]
    pub variant: VariantArg,
    /// How much may be bet
    #[arg(long, env = "CARDHOUSE_LIMIT", default_value = "no-limit")]
    pub limit: LimitArg,
    /// Small blind, chips
    #[arg(long, env = "CARDHOUSE_SMALL_BLIND", default_value_t = table().small_blind, value_name = "CHIPS")]
    pub small_blind: u64,
    /// Big blind, chips
    #[arg(long, env = "CARDHOUSE_BIG_BLIND", default_value_t = table().big_blind, value_name = "CHIPS")]
    pub big_blind: u64,
    /// Ante, chips
    #[arg(long, env = "CARDHOUSE_ANTE", default_value_t = 0, value_name = "CHIPS")]
    pub ante: u64,
    /// Who pays the ante
    #[arg(long, env = "CARDHOUSE_ANTE_KIND", default_value = "each-player")]
    pub ante_kind: AnteArg,
    /// Who straddles
    #[arg(long, env = "CARDHOUSE_STRADDLES", default_value = "none")]
    pub straddles: StraddlesArg,
    /// Move the button to the next player always, rather than let it fall on an empty seat
    #[arg(long, env = "CARDHOUSE_MOVING_BUTTON")]
    pub moving_button: bool,
    /// What newcomers owe, and those who missed blinds
    #[arg(long, env = "CARDHOUSE_BLINDS_OWED", default_value = "post-or-wait")]
    pub blinds_owed: BlindsOwedArg,
    /// On how many boards the rest of a hand is dealt at most, when no betting is left and all who are in it agree
    #[arg(long, env = "CARDHOUSE_RUNS_MAX", default_value_t = 1, value_name = "BOARDS", value_parser = clap::value_parser!(u8).range(1..=3))]
    pub runs_max: u8,
    /// Rake, hundredths of a percent of the pot
    #[arg(long, env = "CARDHOUSE_RAKE_BASIS_POINTS", default_value_t = 0, value_name = "BASIS_POINTS")]
    pub rake_basis_points: u16,
    /// The most rake of a hand, chips
    #[arg(long, env = "CARDHOUSE_RAKE_CAP", default_value_t = 0, value_name = "CHIPS")]
    pub rake_cap: u64,
    /// The smallest buy-in, big blinds
    #[arg(long, env = "CARDHOUSE_BUY_IN_MIN", default_value_t = 40, value_name = "BIG_BLINDS")]
    pub buy_in_min: u64,
    /// The largest buy-in, big blinds
    #[arg(long, env = "CARDHOUSE_BUY_IN_MAX", default_value_t = 200, value_name = "BIG_BLINDS")]
    pub buy_in_max: u64,
    /// Time for a turn, milliseconds
    #[arg(long, env = "CARDHOUSE_TURN_MS", default_value_t = table().turn_ms, value_name = "MS")]
    pub turn_ms: u64,
    /// Time bank, used when the turn's time is up, milliseconds
    #[arg(long, env = "CARDHOUSE_BANK_MS", default_value_t = table().bank_ms, value_name = "MS")]
    pub bank_ms: u64,
    /// What the time bank grows by each hand, milliseconds
    #[arg(long, env = "CARDHOUSE_BANK_REFILL_MS", default_value_t = table().bank_refill_ms, value_name = "MS")]
    pub bank_refill_ms: u64,
    /// Pause after a hand, milliseconds
    #[arg(long, env = "CARDHOUSE_PAUSE_MS", default_value_t = table().pause_ms, value_name = "MS")]
    pub pause_ms: u64,
    /// Pause after each street when no betting is left, milliseconds
    #[arg(long, env = "CARDHOUSE_RUNOUT_MS", default_value_t = table().runout_ms, value_name = "MS")]
    pub runout_ms: u64,
    /// Extra time for the turn of a player whose connection is gone, once a hand, milliseconds
    #[arg(long, env = "CARDHOUSE_AWAY_MS", default_value_t = table().away_ms, value_name = "MS")]
    pub away_ms: u64,
    /// All such extra time of a player who sits down, milliseconds
    #[arg(long, env = "CARDHOUSE_AWAY_BANK_MS", default_value_t = table().away_bank_ms, value_name = "MS")]
    pub away_bank_ms: u64,
    /// What is left of it grows by so much each hand, milliseconds
    #[arg(long, env = "CARDHOUSE_AWAY_REFILL_MS", default_value_t = table().away_refill_ms, value_name = "MS")]
    pub away_refill_ms: u64,
    /// A player sits out after so many turns missed in a row
    #[arg(long, env = "CARDHOUSE_AWAY_TURNS", default_value_t = table().away_turns, value_name = "COUNT")]
    pub away_turns: u8,
    /// A player who sits out, or is disconnected, for so long loses the seat, milliseconds
    #[arg(long, env = "CARDHOUSE_SIT_OUT_MS", default_value_t = table().sit_out_ms, value_name = "MS")]
    pub sit_out_ms: u64,
    /// Who leaves and sits down again within so long brings the same stack or more; 0 for no such rule, milliseconds
    #[arg(long, env = "CARDHOUSE_RATHOLE_MS", default_value_t = table().rathole_ms, value_name = "MS")]
    pub rathole_ms: u64,
}

fn table() -> TableConfig {
    TableConfig::default()
}

/// A schedule that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// The file is not there, or may not be read.
    #[error("--schedule {0}: {1}")]
    File(PathBuf, std::io::Error),
    /// It says something else than it should.
    #[error("--schedule {0}, {1}")]
    Bad(PathBuf, BadSchedule),
}

fn rail_cards(word: &str) -> Result<RailCards, String> {
    RailCards::of(word).ok_or_else(|| "it is never, after_hand or delayed".into())
}

impl TableArgs {
    /// The tournaments to offer; `None` if nothing is said of them.
    ///
    /// # Errors
    /// [`ScheduleError`] names the file, and the line.
    pub fn schedule(&self) -> Result<Option<Vec<Template>>, ScheduleError> {
        let Some(path) = &self.schedule else { return Ok(None) };
        if path.as_os_str() == "none" {
            return Ok(Some(Vec::new()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| ScheduleError::File(path.clone(), error))?;
        schedule::read(&text).map(Some).map_err(|bad| ScheduleError::Bad(path.clone(), bad))
    }

    /// What each table is opened with; the name comes with its number.
    pub fn opening(&self) -> Opening {
        let rail = RailConfig {
            delay_ms: self.rail_delay_ms,
            cards: self.rail_cards,
            viewers_max: self.rail_viewers_max,
        };
        Opening { config: self.config(), currency: self.table_currency, rail }
    }

    /// The settings of each table.
    pub fn config(&self) -> TableConfig {
        TableConfig {
            seats: self.seats,
            variant: match self.variant {
                VariantArg::Holdem => GameVariant::Holdem,
                VariantArg::Omaha4 => GameVariant::Omaha4,
                VariantArg::Omaha5 => GameVariant::Omaha5,
                VariantArg::Omaha6 => GameVariant::Omaha6,
                VariantArg::ShortDeck => GameVariant::ShortDeck,
            },
            limit: match self.limit {
                LimitArg::NoLimit => LimitKind::NoLimit,
                LimitArg::PotLimit => LimitKind::PotLimit,
            },
            small_blind: self.small_blind,
            big_blind: self.big_blind,
            ante_kind: match self.ante_kind {
                AnteArg::EachPlayer => AnteKind::EachPlayer,
                AnteArg::BigBlind => AnteKind::BigBlind,
                AnteArg::Button => AnteKind::Button,
            },
            ante: self.ante,
            straddles: match self.straddles {
                StraddlesArg::None => Straddles::None,
                StraddlesArg::UnderTheGun => Straddles::UnderTheGun,
                StraddlesArg::Button => Straddles::Button,
            },
            button_rule: if self.moving_button { ButtonRule::Moving } else { ButtonRule::Dead },
            blinds_owed: match self.blinds_owed {
                BlindsOwedArg::Nothing => BlindsOwed::Nothing,
                BlindsOwedArg::PostOrWait => BlindsOwed::PostOrWait,
                BlindsOwedArg::NoneMissed => BlindsOwed::NoneMissed,
            },
            rake: RakeRule { basis_points: self.rake_basis_points, cap: self.rake_cap },
            buy_in_min: self.big_blind.saturating_mul(self.buy_in_min),
            buy_in_max: self.big_blind.saturating_mul(self.buy_in_max),
            turn_ms: self.turn_ms,
            bank_ms: self.bank_ms,
            bank_refill_ms: self.bank_refill_ms,
            pause_ms: self.pause_ms,
            runout_ms: self.runout_ms,
            away_ms: self.away_ms,
            away_bank_ms: self.away_bank_ms,
            away_refill_ms: self.away_refill_ms,
            away_turns: self.away_turns,
            sit_out_ms: self.sit_out_ms,
            rathole_ms: self.rathole_ms,
            runs_max: self.runs_max,
            name: table().name,
        }
    }
}

/// A game, as a flag.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum VariantArg {
    /// Texas hold'em
    Holdem,
    /// Omaha with four hole cards
    Omaha4,
    /// Omaha with five hole cards
    Omaha5,
    /// Omaha with six hole cards
    Omaha6,
    /// Short-deck hold'em
    ShortDeck,
}

/// A betting limit, as a flag.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LimitArg {
    /// Up to the stack
    NoLimit,
    /// Up to the pot
    PotLimit,
}

/// Who pays an ante, as a flag.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum AnteArg {
    /// Everybody
    EachPlayer,
    /// The big blind for all
    BigBlind,
    /// The button for all
    Button,
}

/// What is owed on sitting down and after missed blinds, as a flag.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum BlindsOwedArg {
    /// Play money: nothing; who is back is dealt in at once
    Nothing,
    /// Cash: newcomers and returners post, or wait for the big blind
    PostOrWait,
    /// Tournaments: everybody is dealt in, present or not, so nobody misses a blind
    NoneMissed,
}

/// Who straddles, as a flag.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum StraddlesArg {
    /// Nobody
    None,
    /// The player left of the big blind
    UnderTheGun,
    /// The button
    Button,
}

#[cfg(test)]
mod tests {
    use broker::seal::SealKey;

    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_parts() {
        let key = SealKey::random();
        let flags = Flags::try_parse_from(["dealer-worker", "--seal-key", &key.to_hex()]).unwrap();
        let config = flags.config().unwrap();
        let defaults = WorkerConfig::new(config.node.clone(), key);
        assert_eq!(format!("{config:?}"), format!("{defaults:?}"));
        assert_eq!(flags.tables.config(), TableConfig::default());
    }

    #[test]
    fn every_flag_has_help_and_a_variable_and_every_time_its_unit() {
        for flag in Flags::command().get_arguments().filter(|flag| flag.get_env().is_some()) {
            let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(flag.get_env().is_some_and(|env| env.to_string_lossy().starts_with("CARDHOUSE_")));
            assert!(
                !help.is_empty()
                    && (!flag.get_id().as_str().ends_with("_ms") || help.contains("milliseconds"))
            );
        }
    }
}
