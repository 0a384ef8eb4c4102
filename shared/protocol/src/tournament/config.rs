//! What a tournament is set to.

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::{Map, Value};

use crate::{
    table::{AnteKind, GameVariant, LimitKind, config::keep_known},
    time::UnixMs,
};

/// The settings of a tournament. Times are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TournamentConfig {
    /// What people call it.
    pub name: String,
    /// Seats at each table.
    pub seats: u8,
    /// The game.
    pub variant: GameVariant,
    /// How much may be bet.
    pub limit: LimitKind,
    /// With fewer it is called off when it should begin.
    pub entries_min: u32,
    /// More are not taken.
    pub entries_max: u32,
    /// When it begins.
    pub starts: Starts,
    /// Who comes late may register until so many levels are over; 0: until it begins.
    pub late_levels: u32,
    /// What each begins with, chips of the tournament.
    pub stack: u64,
    /// What each entry adds to the prizes, play chips.
    pub buy_in: u64,
    /// The prizes come to so much at least.
    pub guarantee: u64,
    /// Blinds and breaks, in order. The last one lasts until the end.
    pub levels: Vec<Level>,
    /// Who pays the ante.
    pub ante_kind: AnteKind,
    /// How the prizes are divided.
    pub payouts: Payouts,
    /// When and how all tables play hand for hand.
    pub hand_for_hand: HandForHand,
    /// Whether the last table's seats and button are drawn anew.
    pub final_redraw: bool,
    /// For a turn.
    pub turn_ms: u64,
    /// The time bank that each begins with.
    pub bank_ms: u64,
    /// Between hands.
    pub pause_ms: u64,
    /// Between streets when no betting is left.
    pub runout_ms: u64,
    /// From the beginning to the first hand.
    pub deal_in_ms: u64,
    /// So long it is there to be seen after its end.
    pub linger_ms: u64,
}

/// When a tournament begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Starts {
    /// When all entries are taken: a sit & go.
    WhenFull,
    /// At this time.
    AtMs(UnixMs),
}

/// A part of a tournament's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Level {
    /// Hands are played with these blinds.
    Play {
        /// Chips.
        small_blind: u64,
        /// Chips.
        big_blind: u64,
        /// Chips.
        ante: u64,
        /// So long.
        ms: u64,
    },
    /// No hand begins.
    Break {
        /// So long.
        ms: u64,
    },
}

impl Level {
    /// How long it lasts.
    pub fn ms(self) -> u64 {
        match self {
            Self::Play { ms, .. } | Self::Break { ms } => ms,
        }
    }
}

/// How prizes are divided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payouts {
    /// By the number of entries.
    Auto,
    /// The first gets so many hundredths of a percent, the second, and so on: 10,000 together.
    Parts(Vec<u16>),
}

/// When all tables play hand for hand, and who of those that go out in one such hand has the better place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandForHand {
    /// It begins when so many are left who get no prize; 0: never.
    pub margin: u32,
    /// Who is better.
    pub ties: Ties,
    /// Each hand counts so long on the clock of levels.
    pub hand_ms: u64,
}

/// Who of those that went out in one hand for hand has the better place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// Whoever began the hand with more chips, at whatever table.
    Stacks,
    /// At one table whoever began with more chips; who went out at different tables shares.
    Tables,
}

impl Default for TournamentConfig {
    fn default() -> Self {
        Self {
            name: "Tournament".into(),
            seats: 6,
            variant: GameVariant::Holdem,
            limit: LimitKind::NoLimit,
            entries_min: 2,
            entries_max: 6,
            starts: Starts::WhenFull,
            late_levels: 0,
            stack: 1_500,
            buy_in: 100,
            guarantee: 0,
            levels: vec![Level::Play { small_blind: 10, big_blind: 20, ante: 0, ms: 600_000 }],
            ante_kind: AnteKind::BigBlind,
            payouts: Payouts::Auto,
            hand_for_hand: HandForHand { margin: 1, ties: Ties::Stacks, hand_ms: 120_000 },
            final_redraw: true,
            turn_ms: 15_000,
            bank_ms: 30_000,
            pause_ms: 2_500,
            runout_ms: 900,
            deal_in_ms: 5_000,
            linger_ms: 600_000,
        }
    }
}

/// Reads what a house of a later release may have said more of.
pub(super) fn of_any_house<'de, D: Deserializer<'de>>(from: D) -> Result<TournamentConfig, D::Error> {
    if !from.is_human_readable() {
        return TournamentConfig::deserialize(from);
    }
    let mut told = Value::Object(Map::deserialize(from)?);
    let known = serde_json::to_value(TournamentConfig::default()).map_err(D::Error::custom)?;
    if let (Value::Object(told), Value::Object(known)) = (&mut told, &known) {
        told.retain(|name, _| known.contains_key(name));
        if let (Some(told), Some(known)) = (told.get_mut("hand_for_hand"), known.get("hand_for_hand")) {
            keep_known(told, known);
        }
    }
    serde_json::from_value(told).map_err(D::Error::custom)
}
