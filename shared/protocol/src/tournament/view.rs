//! A tournament as everybody sees it: the state of a keyframe.

use serde::{Deserialize, Serialize};

use super::config::TournamentConfig;
use crate::{
    id::{RoomId, UserId},
    time::UnixMs,
};

/// The state of a tournament. It is small, however many take part: pages of the rest are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TournamentView {
    /// The settings.
    #[serde(deserialize_with = "super::config::of_any_house")]
    pub config: TournamentConfig,
    /// What entries cost and prizes are, if they are somebody's chips; else they are play chips that are told and not paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What an entry costs beside its `buy_in`, for the house.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fee: u64,
    /// How far it is.
    pub phase: Phase,
    /// Whether one may register.
    pub open: bool,
    /// How many take part or did.
    pub entries: u32,
    /// How many of them have chips.
    pub left: u32,
    /// How many places have a prize.
    pub paid: u32,
    /// What the prizes come to, play chips.
    pub pool: u64,
    /// The best prizes.
    pub prizes: Vec<Prize>,
    /// The clock of the levels; null before it begins.
    pub clock: Option<Clock>,
    /// Whether all tables play one hand at a time.
    pub hand_for_hand: bool,
    /// How many tables there are.
    pub tables: u32,
    /// The best ten: those that play by their chips, then those that are out by their places.
    pub top: Vec<Standing>,
    /// The next of its kind, once that takes entries.
    pub next: Option<RoomId>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How far a tournament is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It has not begun.
    Registering,
    /// It is being played.
    Running,
    /// It is over.
    Ended,
    /// It was called off.
    Cancelled,
}

/// Prizes of places that get the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prize {
    /// The best of them, from 1.
    pub from: u32,
    /// The worst of them.
    pub to: u32,
    /// What each gets, play chips.
    pub each: u64,
}

/// The clock of a tournament's levels: whoever has it knows the level at any time. It does not tick.
///
/// So much of the levels has passed at a time `now`: `max(0, (stopped_ms or now) - base_ms - offset_ms)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Grows with each change.
    pub version: u32,
    /// When the first level began, or will.
    pub base_ms: UnixMs,
    /// So much of the time since then does not count; less than 0: so much more does.
    pub offset_ms: i64,
    /// It stands still since then.
    pub stopped_ms: Option<UnixMs>,
    /// And no hand begins.
    pub paused: bool,
}

/// Where somebody stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The number of the entry.
    pub entry: u32,
    /// Who.
    pub user: UserId,
    /// The name to show.
    pub name: String,
    /// A bot of the house.
    pub bot: bool,
    /// Chips, as far as the tournament has been told.
    pub stack: u64,
    /// The table to play at.
    pub table: Option<RoomId>,
    /// The place, once it is certain.
    pub place: Option<u32>,
    /// The prize for it, play chips.
    pub prize: u64,
}
