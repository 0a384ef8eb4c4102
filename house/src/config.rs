//! Flags and environment variables of the house: what is played, who plays along, and every limit.

use std::{net::SocketAddr, num::NonZeroU32, str::FromStr};

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, ValueEnum};
use reception::config::TokenArgs;
use relay::RelayConfig;
use shared::{
    config::{LogArgs, OpsArgs},
    protocol::table::{GameVariant, LimitKind, TableConfig},
};

/// A card house in one process: tables, bots, and a page to play on.
///
/// Open the address that it prints in a browser. Everything is kept in memory: nothing survives a restart. Every
/// flag can be given as the environment variable shown beside it.
#[derive(Debug, Clone, Parser)]
#[command(name = "house", version)]
pub struct Config {
    /// Where to listen: address and port. 0.0.0.0:8080 lets others in, port 0 takes any free one
    #[arg(long, env = "CARDHOUSE_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub tables: TableArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub bots: BotArgs,

    #[command(flatten, next_help_heading = "Tokens")]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub tokens: TokenArgs,

    #[command(flatten, next_help_heading = "Connections")]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub relay: RelayConfig,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub ops: OpsArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub log: LogArgs,
}

impl Config {
    /// Reads the command line and the environment. On a mistake, or for `--help`, prints and exits.
    pub fn from_command_line() -> Self {
        Self::from_arg_matches(&Self::our_command().get_matches()).unwrap_or_else(|error| error.exit())
    }

    /// The defaults.
    ///
    /// # Panics
    /// Never: the defaults are valid, which a test shows.
    pub fn defaults() -> Self {
        let matches = Self::our_command().get_matches_from(["house"]);
        Self::from_arg_matches(&matches).expect("the defaults are valid")
    }

    /// With defaults that differ from those of the parts: clients of a house that closes have no other relay to go
    /// to, so it does not keep them waiting; and whoever plays need not read what every part does.
    fn our_command() -> clap::Command {
        let with = |value: &'static str| move |flag: clap::Arg| flag.default_value(value);
        Self::command()
            .mut_arg("drain_ms", with("0"))
            .mut_arg("close_ms", with("500"))
            .mut_arg("log", with("warn"))
    }
}

/// What is played.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tables")]
pub struct TableArgs {
    /// How many tables
    #[arg(long, env = "CARDHOUSE_TABLES", value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub tables: u32,

    /// Seats of each: 2 to 10
    #[arg(long, env = "CARDHOUSE_SEATS", value_name = "COUNT", default_value_t = default_table().seats)]
    pub seats: u8,

    /// The game
    #[arg(long, env = "CARDHOUSE_VARIANT", default_value = "holdem")]
    pub variant: VariantArg,

    /// How much may be bet
    #[arg(long, env = "CARDHOUSE_LIMIT", default_value = "no-limit")]
    pub limit: LimitArg,

    /// Small and big blind, chips; several separated by commas: tables take them in turn
    #[arg(
        long,
        env = "CARDHOUSE_BLINDS",
        value_name = "SMALL/BIG",
        value_delimiter = ',',
        default_value = "1/2,2/5,5/10,25/50"
    )]
    pub blinds: Vec<Blinds>,

    /// Ante of every player, chips
    #[arg(long, env = "CARDHOUSE_ANTE", value_name = "CHIPS", default_value_t = 0)]
    pub ante: u64,

    /// The smallest buy-in, big blinds
    #[arg(long, env = "CARDHOUSE_BUY_IN_MIN", value_name = "BIG_BLINDS", default_value = "40")]
    pub buy_in_min: NonZeroU32,

    /// The largest buy-in, big blinds
    #[arg(long, env = "CARDHOUSE_BUY_IN_MAX", value_name = "BIG_BLINDS", default_value = "200")]
    pub buy_in_max: NonZeroU32,

    /// Time for a turn, milliseconds
    #[arg(long, env = "CARDHOUSE_TURN_MS", value_name = "MS", default_value_t = default_table().turn_ms)]
    pub turn_ms: u64,

    /// Time bank, used when the turn's time is up, milliseconds
    #[arg(long, env = "CARDHOUSE_BANK_MS", value_name = "MS", default_value_t = default_table().bank_ms)]
    pub bank_ms: u64,

    /// What the time bank grows by each hand, milliseconds
    #[arg(long, env = "CARDHOUSE_BANK_REFILL_MS", value_name = "MS", default_value_t = default_table().bank_refill_ms)]
    pub bank_refill_ms: u64,

    /// Pause after a hand, milliseconds
    #[arg(long, env = "CARDHOUSE_PAUSE_MS", value_name = "MS", default_value_t = default_table().pause_ms)]
    pub pause_ms: u64,

    /// Pause after each street when everybody is all-in, milliseconds
    #[arg(long, env = "CARDHOUSE_RUNOUT_MS", value_name = "MS", default_value_t = default_table().runout_ms)]
    pub runout_ms: u64,

    /// Extra time for the turn of a player whose connection is gone, milliseconds
    #[arg(long, env = "CARDHOUSE_AWAY_MS", value_name = "MS", default_value_t = default_table().away_ms)]
    pub away_ms: u64,

    /// After so many missed turns a player whose connection is gone sits out
    #[arg(long, env = "CARDHOUSE_AWAY_TURNS", value_name = "COUNT", default_value_t = default_table().away_turns)]
    pub away_turns: u8,

    /// A player who sits out for so long loses the seat, milliseconds
    #[arg(long, env = "CARDHOUSE_SIT_OUT_MS", value_name = "MS", default_value_t = default_table().sit_out_ms)]
    pub sit_out_ms: u64,
}

fn default_table() -> TableConfig {
    TableConfig::default()
}

impl TableArgs {
    /// What the table of this number is set to, counted from 0.
    pub fn table(&self, number: usize) -> TableConfig {
        let blinds = self.blinds[number % self.blinds.len()];
        TableConfig {
            seats: self.seats,
            variant: self.variant.into(),
            limit: self.limit.into(),
            small_blind: blinds.small,
            big_blind: blinds.big,
            ante: self.ante,
            buy_in_min: blinds.big.saturating_mul(self.buy_in_min.get().into()),
            buy_in_max: blinds.big.saturating_mul(self.buy_in_max.get().into()),
            turn_ms: self.turn_ms,
            bank_ms: self.bank_ms,
            bank_refill_ms: self.bank_refill_ms,
            pause_ms: self.pause_ms,
            runout_ms: self.runout_ms,
            away_ms: self.away_ms,
            away_turns: self.away_turns,
            sit_out_ms: self.sit_out_ms,
            ..TableConfig::default()
        }
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

    /// A bot thinks at least so long, milliseconds
    #[arg(long, env = "CARDHOUSE_BOT_THINK_MIN_MS", value_name = "MS", default_value_t = 700)]
    pub bot_think_min_ms: u64,

    /// And so much longer on average, milliseconds
    #[arg(long, env = "CARDHOUSE_BOT_THINK_MORE_MS", value_name = "MS", default_value_t = 1_800)]
    pub bot_think_more_ms: u64,
}

impl BotArgs {
    /// How many bots play at a table with so many seats.
    pub fn at_a_table(&self, seats: u8) -> u8 {
        self.bots.min(if self.bots_fill { seats } else { seats.saturating_sub(1) })
    }
}

/// Small and big blind, chips; on the command line `1/2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blinds {
    /// Not above the big blind.
    pub small: u64,
    /// At least 1.
    pub big: u64,
}

impl FromStr for Blinds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers =
            text.split_once('/').and_then(|(small, big)| Some((small.parse().ok()?, big.parse().ok()?)));
        match numbers {
            Some((small, big)) if big > 0 && small <= big => Ok(Self { small, big }),
            _ => Err("blinds are written SMALL/BIG, such as 1/2, the small one not above the big one".into()),
        }
    }
}

/// [`GameVariant`] on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VariantArg {
    /// Texas hold'em
    Holdem,
    /// Omaha with four hole cards
    Omaha4,
    /// Omaha with five hole cards
    Omaha5,
    /// Omaha with six hole cards
    Omaha6,
    /// Short-deck (6+) hold'em
    ShortDeck,
}

impl From<VariantArg> for GameVariant {
    fn from(variant: VariantArg) -> Self {
        match variant {
            VariantArg::Holdem => Self::Holdem,
            VariantArg::Omaha4 => Self::Omaha4,
            VariantArg::Omaha5 => Self::Omaha5,
            VariantArg::Omaha6 => Self::Omaha6,
            VariantArg::ShortDeck => Self::ShortDeck,
        }
    }
}

/// [`LimitKind`] on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LimitArg {
    /// Any amount up to the stack
    NoLimit,
    /// At most the pot
    PotLimit,
}

impl From<LimitArg> for LimitKind {
    fn from(limit: LimitArg) -> Self {
        match limit {
            LimitArg::NoLimit => Self::NoLimit,
            LimitArg::PotLimit => Self::PotLimit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_has_an_environment_variable_and_a_help_line() {
        let command = Config::our_command();
        command.clone().debug_assert();
        for flag in
            command.get_arguments().filter(|flag| !["help", "version"].contains(&flag.get_id().as_str()))
        {
            let name = flag.get_env().and_then(|name| name.to_str());
            assert!(name.is_some_and(|name| name.starts_with("CARDHOUSE_")), "{}", flag.get_id());
            assert!(flag.get_help().is_some(), "{}", flag.get_id());
        }
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
    fn tables_take_the_blinds_in_turn() {
        let mut tables = Config::defaults().tables;
        tables.blinds = vec![Blinds { small: 1, big: 2 }, Blinds { small: 5, big: 10 }];
        let second = tables.table(3);
        assert_eq!((second.small_blind, second.buy_in_min, second.buy_in_max), (5, 400, 2_000));
        assert_eq!(tables.table(2).big_blind, 2);
    }

    #[test]
    fn blinds_that_are_none_are_refused() {
        assert_eq!("0/1".parse(), Ok(Blinds { small: 0, big: 1 }));
        for text in ["", "1", "2/1", "0/0", "1/2/3", "-1/2", "a/b"] {
            assert!(text.parse::<Blinds>().is_err(), "{text:?}");
        }
    }
}
