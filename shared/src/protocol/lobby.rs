//! The lobby: what is known of every table without looking in.

use serde::{Deserialize, Serialize};

use crate::id::RoomId;

/// One table in the lobby.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSummary {
    /// Its room.
    pub room: RoomId,
    /// What people call it.
    pub name: String,
    /// The game, such as `NL Hold'em`.
    pub game: String,
    /// Chips.
    pub small_blind: u64,
    /// Chips.
    pub big_blind: u64,
    /// Chips.
    pub buy_in_min: u64,
    /// Chips.
    pub buy_in_max: u64,
    /// How many seats there are.
    pub seats: u8,
    /// How many are taken.
    pub taken: u8,
    /// How many players wait for the next hand or for the big blind.
    pub waiting: u8,
    /// Mean of the last pots (up to twenty), chips.
    pub average_pot: u64,
    /// Measured over the last minutes.
    pub hands_per_hour: u32,
}
