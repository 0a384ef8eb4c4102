//! Flags and environment variables of the house: what is played, who plays along, and every limit.

use std::{num::NonZeroU32, ops::RangeInclusive, path::PathBuf};

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use dealer_worker::{
    Opening,
    flags::{FloorArgs, ScheduleError, TableArgs},
    schedule::{self, Template},
};
use ops::{
    config::{LogArgs, OpsArgs},
    flags,
    listen::Address,
    serve::HttpArgs,
};
use player::{Style, Temper};
use protocol::{hosted::AiLevel, table::TableConfig, tournament::Starts};
use reception::{
    archive::{Hands, VerifyArgs},
    cage_args::CurrencyArgs,
    coach::CoachArgs,
    config::{KeptArgs, TokenArgs},
    oidc::OidcArgs,
};
use relay::RelayConfig;
use traces::TraceArgs;

use crate::data;

/// How many tables a house may have: more want a cluster.
const TABLES: RangeInclusive<i64> = 1..=1_000;

/// More bots for tournaments would be a crowd.
const CONTESTANTS_MAX: u32 = 24;

/// What a newcomer sets, which `-h` shows alone.
const FIRST: [&str; 13] = [
    "listen",
    "data",
    "memory",
    "tables",
    "seats",
    "variant",
    "limit",
    "small_blind",
    "big_blind",
    "turn_ms",
    "stakes",
    "bots",
    "bot_style",
];

/// Their heading, where it is to stand.
const BOTS: (&str, &[&str]) = ("Bots", &["bots_fill", "bot_think_min_ms", "bot_think_more_ms"]);

/// What to do instead of opening the house.
#[derive(Debug, Clone, Subcommand)]
pub enum Task {
    /// Say whether a file of hands is what the house has made: whole, in order, and nothing changed. Needs nothing but the file
    Verify(VerifyArgs),
    /// What is done with hands that the house keeps; it may be open meanwhile
    #[command(subcommand)]
    Hands(Hands),
}

/// Reads a multiple of the stakes.
fn times(text: &str) -> Result<NonZeroU32, String> {
    text.trim().parse().map_err(|_| "each multiple is a whole number from 1, as in 1,2,5".into())
}

/// A card house in one process: tables, bots, and a page to play on.
///
/// Open the address that it prints in a browser. Tables, chips and accounts are kept in a folder, and go on
/// when the house is opened again. Every flag can be given as the environment variable shown beside it.
#[derive(Debug, Clone, Parser)]
#[command(name = "house", version)]
pub struct Config {
    /// Where to listen. 8080 is for this machine alone, :8080 lets others in; port 0 takes any free one
    #[arg(long, env = "CARDHOUSE_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: Address,

    /// Not to open the house, but to do something with what it keeps
    #[command(subcommand)]
    pub task: Option<Task>,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub data: DataArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub tables: TableArgs,

    /// Multiples of the blinds, ante and buy-ins, separated by commas: tables take them in turn
    #[arg(
        long,
        env = "CARDHOUSE_STAKES",
        value_name = "TIMES",
        value_delimiter = ',',
        default_value = "1,2,5,25",
        value_parser = times
    )]
    pub stakes: Vec<NonZeroU32>,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub floor: FloorArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub chips: CurrencyArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub kept: KeptArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub bots: BotArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub coach: CoachArgs,

    #[command(flatten, next_help_heading = "Tokens")]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub tokens: TokenArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub oidc: OidcArgs,

    #[command(flatten, next_help_heading = "Connections")]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub relay: RelayConfig,

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

impl Config {
    /// Reads the command line and the environment. On a mistake, or for `--help`, prints and exits.
    pub fn from_command_line() -> Self {
        let config: Self = flags::read_as(&Self::our_command());
        Self { data: config.data.or_usual(), ..config }
    }

    /// The defaults of a house that keeps nothing.
    ///
    /// # Panics
    /// Never: the defaults are valid, which a test shows.
    pub fn defaults() -> Self {
        flags::read_from(&Self::our_command(), vec!["house".into()]).expect("the defaults are valid")
    }

    /// The tournaments that it offers: those of the file, or a newcomer's.
    ///
    /// # Errors
    /// [`ScheduleError`] names the file and the line.
    pub fn schedule(&self) -> Result<Vec<Template>, ScheduleError> {
        Ok(self.tables.schedule()?.unwrap_or_else(schedule::of_a_newcomer))
    }

    /// What the table of this number is set to, counted from 0.
    pub fn table(&self, number: usize) -> Opening {
        let Opening { config: base, currency, rail } = self.tables.opening();
        let times = u64::from(self.stakes[number % self.stakes.len()].get());
        let config = TableConfig {
            small_blind: base.small_blind.saturating_mul(times),
            big_blind: base.big_blind.saturating_mul(times),
            ante: base.ante.saturating_mul(times),
            buy_in_min: base.buy_in_min.saturating_mul(times),
            buy_in_max: base.buy_in_max.saturating_mul(times),
            ..base
        };
        Opening { config, currency, rail }
    }

    /// With defaults that differ from those of the parts: clients of a house that closes have no other relay to go
    /// to, so it does not keep them waiting; and whoever plays need not read what every part does.
    pub fn our_command() -> clap::Command {
        let with = |value: &'static str| move |flag: clap::Arg| flag.default_value(value);
        let groups = dealer_worker::flags::GROUPS.iter().chain(&[BOTS]).chain(relay::config::GROUPS);
        let groups: Vec<_> =
            [("To begin with", FIRST.as_slice())].into_iter().chain(groups.copied()).collect();
        flags::grouped(Self::command(), &groups)
            // Some of the beginning are named in groups of the parts, too.
            .mut_args(|flag| match FIRST.iter().any(|name| flag.get_id() == name) {
                true => flag.help_heading("To begin with"),
                false => flag.hide_short_help(true),
            })
            .after_help("These are for the beginning; --help lists all of them.")
            .after_long_help("A flag wins over its variable. An empty variable counts as not set.")
            .mut_arg("tables", |flag| {
                let flag = flag.help("How many tables there are, named t1 to tN");
                flag.default_value("4").value_parser(clap::value_parser!(u32).range(TABLES))
            })
            .mut_arg("players_tables", with("true"))
            .mut_arg("play_now", with("true"))
            .mut_arg("jobs", with("true"))
            .mut_arg("drain_ms", with("0"))
            .mut_arg("close_ms", with("500"))
            .mut_arg("log", with("warn"))
    }
}

/// What outlives the house.
#[derive(Debug, Clone, Default, Args)]
pub struct DataArgs {
    /// The folder in which tables, accounts and keys are kept [default: cardhouse where your programs keep their things, which is
    /// ~/.local/share]
    #[arg(long = "data", id = "data", env = "CARDHOUSE_DATA", global = true, value_name = "FOLDER")]
    pub folder: Option<PathBuf>,

    /// Keep nothing, whatever --data says: there are guests alone, and nothing is left of them or of the tables
    #[arg(long, env = "CARDHOUSE_MEMORY")]
    pub memory: bool,
}

impl DataArgs {
    /// With the usual folder where none is named, and none where nothing is to be kept.
    fn or_usual(self) -> Self {
        let folder = if self.memory { None } else { self.folder.or_else(data::usual) };
        Self { folder, ..self }
    }
}

/// Who plays along.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Bots")]
pub struct BotArgs {
    /// Bots at each table; they leave a seat free unless --bots-fill
    #[arg(long, env = "CARDHOUSE_BOTS", value_name = "COUNT", default_value_t = 4)]
    pub bots: u8,

    /// Let bots take the last seat of a table too
    #[arg(long, env = "CARDHOUSE_BOTS_FILL")]
    pub bots_fill: bool,

    /// How strong bots are, which their names then say, or of which temper
    #[arg(long, env = "CARDHOUSE_BOT_STYLE", value_name = "STYLE", value_enum, default_value_t = BotStyle::Sensible)]
    pub bot_style: BotStyle,

    /// AI players whom players may invite to tables of their own, all together; 0: none
    #[arg(long, env = "CARDHOUSE_AI_PLAYERS", value_name = "COUNT", default_value_t = 32)]
    pub ai_players: u16,

    /// A bot thinks at least so long, milliseconds
    #[arg(long, env = "CARDHOUSE_BOT_THINK_MIN_MS", value_name = "MS", default_value_t = 700)]
    pub bot_think_min_ms: u64,

    /// And so much longer on average, milliseconds
    #[arg(long, env = "CARDHOUSE_BOT_THINK_MORE_MS", value_name = "MS", default_value_t = 1_800)]
    pub bot_think_more_ms: u64,
}

/// How the house's bots play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BotStyle {
    /// The other three in turn
    Sensible,
    /// Few hands, played for their worth
    Tight,
    /// What books recommend
    Solid,
    /// Many hands, and now and then a bluff
    Loose,
    /// By the looks of their cards: beaten by who knows the game
    Easy,
    /// As people who know the game: the tempers in turn
    Medium,
    /// Reckon what each action brings, and know what is best with a short stack
    Hard,
}

impl BotStyle {
    /// Of bot `i`.
    pub fn of(self, i: usize) -> Style {
        match self {
            Self::Sensible | Self::Medium => agents::style(AiLevel::Medium, i),
            Self::Easy => agents::style(AiLevel::Easy, i),
            Self::Hard => agents::style(AiLevel::Hard, i),
            Self::Tight => Style::Sensible(Temper::Tight),
            Self::Solid => Style::Sensible(Temper::Solid),
            Self::Loose => Style::Sensible(Temper::Loose),
        }
    }

    /// What its bots' names say of their strength.
    pub fn level(self) -> Option<&'static str> {
        match self {
            Self::Easy => Some(AiLevel::Easy.word()),
            Self::Medium => Some(AiLevel::Medium.word()),
            Self::Hard => Some(AiLevel::Hard.word()),
            Self::Sensible | Self::Tight | Self::Solid | Self::Loose => None,
        }
    }
}

impl BotArgs {
    /// How many bots play at a table with so many seats.
    pub fn at_a_table(&self, seats: u8) -> u8 {
        self.bots.min(if self.bots_fill { seats } else { seats.saturating_sub(1) })
    }
}

impl BotArgs {
    /// How many bots play tournaments: so many that one of each template can begin when somebody has come.
    pub fn contestants(&self, schedule: &[Template]) -> usize {
        let others = |template: &Template| match template.tournament.starts {
            Starts::WhenFull => template.tournament.entries_max.saturating_sub(1),
            Starts::AtMs(_) => 0,
        };
        let most = schedule.iter().map(others).sum::<u32>().min(CONTESTANTS_MAX);
        if self.bots == 0 { 0 } else { usize::try_from(most).unwrap_or(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_has_an_environment_variable_and_a_help_line() {
        ops::flags::assert_explained(&Config::our_command());
    }

    #[test]
    fn no_bot_of_the_house_plays_at_random_and_by_default_tempers_mix() {
        for style in BotStyle::value_variants() {
            assert!((0..6).all(|i| style.of(i) != Style::RandomLegal), "{style:?}");
        }
        let style = Config::defaults().bots.bot_style;
        assert!(style.of(0) != style.of(1) && style.of(1) != style.of(2) && style.of(2) != style.of(0));
    }

    #[test]
    fn bots_leave_the_last_seat_free_unless_they_are_told_to_fill_it() {
        let bots = |bots, bots_fill| BotArgs { bots, bots_fill, ..Config::defaults().bots };
        assert_eq!(bots(4, false).at_a_table(6), 4);
        assert_eq!(bots(9, false).at_a_table(6), 5);
        assert_eq!(bots(9, true).at_a_table(6), 6);
        assert_eq!(bots(0, true).at_a_table(6), 0);
    }

    #[test]
    fn a_house_that_is_told_nothing_keeps_its_things_and_one_that_is_to_keep_nothing_has_no_folder() {
        let args =
            |folder: Option<&str>, memory| DataArgs { folder: folder.map(Into::into), memory }.or_usual();
        assert_eq!(args(Some("here"), false).folder, Some("here".into()));
        assert_eq!(args(Some("here"), true).folder, None);
        assert_eq!(args(None, true).folder, None);
        assert_eq!(args(None, false).folder, data::usual());
        assert_eq!(Config::defaults().data.folder, None, "who does not ask for it gets none");
    }

    #[test]
    fn tables_take_the_stakes_in_turn() {
        let config = Config::defaults();
        let tables: Vec<_> = (0..5).map(|number| config.table(number).config).collect();
        assert_eq!((tables[2].small_blind, tables[2].big_blind), (5, 10));
        assert_eq!((tables[2].buy_in_min, tables[2].buy_in_max), (400, 2_000));
        assert_eq!(tables[4], tables[0]);
        assert_eq!(config.tables.tables, 4);
    }

    #[test]
    fn the_short_help_is_a_newcomers_flags_and_the_long_one_sets_them_apart() {
        let mut command = Config::our_command();
        let short = command.render_help().to_string();
        let flags = short.lines().filter_map(|line| line.trim_start().strip_prefix("--"));
        let flags: Vec<_> = flags.filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(flags, FIRST.map(|name| name.replace('_', "-")));
        assert!(short.contains("--help lists all of them"), "{short}");
        let long = command.render_long_help().to_string();
        let heads = long.lines().filter(|line| line.ends_with(':') && !line.starts_with(' '));
        let heads: Vec<_> = heads.map(|line| line.trim_end_matches(':')).collect();
        assert_eq!(
            heads[..6],
            ["Commands", "Options", "To begin with", "The game", "Times at a table", "Bots"],
            "{long}"
        );
        for flag in command.get_arguments().filter(|flag| flag.get_env().is_some()) {
            assert!(flag.get_help_heading().is_some(), "{}", flag.get_id());
        }
    }
}
