//! What makes a table's settings valid, taken together.

use holdem::RUNS_MAX;
use protocol::table::TableConfig;

use super::{
    Draft, Event,
    between::{PLAYERS_MIN, variant},
};

/// The largest buy-in, blind or ante that a table may be set to, chips: a table's sum stays far below what JSON
/// numbers carry.
pub const STAKE_MAX: u64 = 1 << 40;

/// Settings that describe no table, and which flags to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadConfig {
    /// The deck has no cards for so many, or one player is alone.
    #[error("this game is for 2 to {most} seats, as far as the deck reaches; --seats says {seats}")]
    Seats {
        /// What is set.
        seats: u8,
        /// What the game allows.
        most: usize,
    },
    /// Nothing to play for.
    #[error("the big blind is at least 1 chip; --big-blind says 0")]
    NoBigBlind,
    /// Blinds the wrong way round.
    #[error("the small blind is larger than the big blind: --small-blind {small}, --big-blind {big}")]
    SmallBlind {
        /// Chips.
        small: u64,
        /// Chips.
        big: u64,
    },
    /// Numbers that JSON and sums could not carry.
    #[error("{flag} comes to {chips} chips, more than a table counts, which is {STAKE_MAX}")]
    TooLarge {
        /// What says so.
        flag: &'static str,
        /// Chips.
        chips: u64,
    },
    /// Buy-ins the wrong way round, or none.
    #[error(
        "the smallest buy-in is at least 1 chip and at most the largest: --buy-in-min comes to {min} chips, --buy-in-max to {max}"
    )]
    BuyIns {
        /// Chips.
        min: u64,
        /// Chips.
        max: u64,
    },
    /// A buy-in that does not last for a hand.
    #[error(
        "whoever sits down with the smallest buy-in, {buy_in} chips, could not pay the big blind of {big} and the ante of {ante}: \
         lower --big-blind or --ante, or raise --buy-in-min"
    )]
    BuyInTooSmall {
        /// Chips.
        buy_in: u64,
        /// Chips.
        big: u64,
        /// Chips.
        ante: u64,
    },
    /// More than the pot.
    #[error("the rake is at most the pot, 10000 hundredths of a percent; --rake-basis-points says {0}")]
    Rake(u16),
    /// A rake that never comes.
    #[error("a rake of at most 0 chips is none: with --rake-basis-points set --rake-cap too")]
    NoRakeCap,
    /// Boards.
    #[error("a hand is run on 1 to {RUNS_MAX} boards; --runs-max says {0}")]
    Runs(u8),
    /// A time that makes no game.
    #[error("{flag} is from {least} to {most} milliseconds; it says {ms}")]
    Time {
        /// What says so.
        flag: &'static str,
        /// Milliseconds.
        ms: u64,
        /// Milliseconds.
        least: u64,
        /// Milliseconds.
        most: u64,
    },
}

/// Settings that a table cannot be changed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadChange {
    /// Not now.
    #[error("a hand is being played: settings change between hands")]
    InHand,
    /// Seats are where people sit.
    #[error("a table keeps its seats: it has {has}, and not {asked}")]
    Seats {
        /// So many it has.
        has: u8,
        /// So many are asked for.
        asked: u8,
    },
    /// They describe no table.
    #[error(transparent)]
    Config(#[from] BadConfig),
}

/// Sets a table to something else from its next hand on. Players keep their chips, their time banks and what they owe.
///
/// # Errors
/// [`BadChange`]; nothing has been decided.
pub fn change(draft: &mut Draft, config: TableConfig) -> Result<(), BadChange> {
    if draft.table().running().is_some() {
        return Err(BadChange::InHand);
    }
    let (has, asked) = (draft.table().config().seats, config.seats);
    if has != asked {
        return Err(BadChange::Seats { has, asked });
    }
    check(&config)?;
    draft.emit(Event::Configured { config: Box::new(config) });
    Ok(())
}

/// Milliseconds.
const SECOND: u64 = 1_000;
/// Milliseconds.
const MINUTE: u64 = 60 * SECOND;
/// Milliseconds.
const HOUR: u64 = 60 * MINUTE;

/// Checks settings before a table is opened with them.
///
/// # Errors
/// [`BadConfig`] says what is wrong.
pub fn check(config: &TableConfig) -> Result<(), BadConfig> {
    let most = variant(config).players_max();
    if !(usize::from(PLAYERS_MIN)..=most).contains(&usize::from(config.seats)) {
        return Err(BadConfig::Seats { seats: config.seats, most });
    }
    check_stakes(config)?;
    if config.rake.basis_points > 10_000 {
        return Err(BadConfig::Rake(config.rake.basis_points));
    }
    if config.rake.basis_points > 0 && config.rake.cap == 0 {
        return Err(BadConfig::NoRakeCap);
    }
    if !(1..=RUNS_MAX).contains(&usize::from(config.runs_max)) {
        return Err(BadConfig::Runs(config.runs_max));
    }
    for (flag, ms, least, most) in [
        ("--turn-ms", config.turn_ms, 1, HOUR),
        ("--bank-ms", config.bank_ms, 0, HOUR),
        ("--bank-refill-ms", config.bank_refill_ms, 0, HOUR),
        ("--pause-ms", config.pause_ms, 0, 10 * MINUTE),
        ("--runout-ms", config.runout_ms, 0, MINUTE),
        ("--away-ms", config.away_ms, 0, HOUR),
        ("--away-bank-ms", config.away_bank_ms, 0, HOUR),
        ("--away-refill-ms", config.away_refill_ms, 0, HOUR),
        ("--rathole-ms", config.rathole_ms, 0, 24 * HOUR),
        ("--sit-out-ms", config.sit_out_ms, 0, 24 * HOUR),
    ] {
        if !(least..=most).contains(&ms) {
            return Err(BadConfig::Time { flag, ms, least, most });
        }
    }
    Ok(())
}

/// The game is for so many players at most, as far as the deck reaches.
pub fn seats_max(config: &TableConfig) -> usize {
    variant(config).players_max()
}

fn check_stakes(config: &TableConfig) -> Result<(), BadConfig> {
    let TableConfig { small_blind: small, big_blind: big, ante, buy_in_min: min, buy_in_max: max, .. } =
        *config;
    if big == 0 {
        return Err(BadConfig::NoBigBlind);
    }
    if small > big {
        return Err(BadConfig::SmallBlind { small, big });
    }
    for (flag, chips) in [
        ("--big-blind", big),
        ("--ante", ante),
        ("--rake-cap", config.rake.cap),
        ("--buy-in-min", min),
        ("--buy-in-max", max),
    ] {
        if chips > STAKE_MAX {
            return Err(BadConfig::TooLarge { flag, chips });
        }
    }
    if min == 0 || min > max {
        return Err(BadConfig::BuyIns { min, max });
    }
    if min < big + ante {
        return Err(BadConfig::BuyInTooSmall { buy_in: min, big, ante });
    }
    Ok(())
}
