//! How those watch a room who have no part in it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    id::UserId,
    object::{Object, Part, Unfit, word},
    table::Card,
};

/// The longest delay of a rail, milliseconds: a quarter of an hour.
pub const DELAY_MAX_MS: u32 = 900_000;

/// Whoever chooses that the rail sees cards [with the hand](RailCards::Delayed) has it see the table so much later at least, milliseconds: two minutes. Hands of
/// people are over by then, but for a few, and the cards of a hand that is not are not told before it is.
pub const CARDS_DELAY_MIN_MS: u32 = 120_000;

/// The most of whom it can be said that no more may watch.
pub const VIEWERS_MAX: u32 = 1_000;

/// What holds for the rail of a room, of whatever kind: the field `rail` beside `kind` in its settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RailConfig {
    /// So much later than players the rail gets everything, milliseconds: 0 (live) to [`DELAY_MAX_MS`].
    pub delay_ms: u32,
    /// Whether it sees the players' cards: of tables alone. Releases that do not know it do not open such a table.
    #[serde(skip_serializing_if = "RailCards::are_never")]
    pub cards: RailCards,
    /// So many users may watch at once who have no part in the room, each in as many sessions as he likes: to [`VIEWERS_MAX`]; 0: as many as come. Releases that do not know it do
    /// not open such a room.
    #[serde(skip_serializing_if = "is_unbounded")]
    pub viewers_max: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_unbounded(viewers_max: &u32) -> bool {
    *viewers_max == 0
}

impl RailConfig {
    /// A rail that sees everything so much later, and nobody's cards, and that is open to as many as come.
    pub const fn late(delay_ms: u32) -> Self {
        Self { delay_ms, cards: RailCards::Never, viewers_max: 0 }
    }

    /// Whether nothing is set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The same within its bounds, whatever is set.
    #[must_use]
    pub fn bounded(self) -> Self {
        let Self { delay_ms, cards, viewers_max } = self;
        Self { delay_ms: delay_ms.min(DELAY_MAX_MS), cards, viewers_max: viewers_max.min(VIEWERS_MAX) }
    }
}

/// Whether those who watch a table see its players' cards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RailCards {
    /// None but those that everybody is shown.
    #[default]
    Never,
    /// All of a hand when it is over, as late as the rest.
    AfterHand,
    /// All of a hand with it, as late as the rest, which is [`CARDS_DELAY_MIN_MS`] at least; and never before it is over.
    Delayed,
}

impl RailCards {
    /// By its word.
    pub fn of(word: &str) -> Option<Self> {
        [("never", Self::Never), ("after_hand", Self::AfterHand), ("delayed", Self::Delayed)]
            .into_iter()
            .find_map(|(name, cards)| (name == word).then_some(cards))
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    fn are_never(&self) -> bool {
        *self == Self::Never
    }
}

impl Part<'_> for RailCards {
    const IS: &'static str = "never, after_hand or delayed";

    fn read(json: &RawValue) -> Option<Self> {
        word(json)
    }
}

/// What a table tells its rail: the cards of one hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardsHeld {
    /// Which. It is over.
    pub hand: u64,
    /// All who were dealt in, by seat.
    pub seats: Vec<SeatCards>,
}

/// What one player held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatCards {
    /// Where.
    pub seat: u8,
    /// Who sat there then.
    pub user: UserId,
    /// His hole cards.
    pub cards: Vec<Card>,
}

/// What a player chooses of how those watch his table who have no seat there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RailChoice {
    /// So much later than players they get everything, milliseconds: 0 (live) to [`DELAY_MAX_MS`].
    pub delay_ms: u64,
    /// Whether they see cards.
    pub cards: RailCards,
    /// So many of them at once: to [`VIEWERS_MAX`]; 0: as many as come. Houses of earlier releases refuse it.
    #[serde(skip_serializing_if = "is_none")]
    pub viewers_max: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_none(viewers_max: &u64) -> bool {
    *viewers_max == 0
}

impl From<RailConfig> for RailChoice {
    fn from(RailConfig { delay_ms, cards, viewers_max }: RailConfig) -> Self {
        Self { delay_ms: delay_ms.into(), cards, viewers_max: viewers_max.into() }
    }
}

impl RailChoice {
    /// Whether nothing is chosen.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`Unfit`].
    pub(crate) fn read(mut fields: Object<'_>) -> Result<Self, Unfit> {
        let choice = Self {
            delay_ms: fields.optional("delay_ms")?.unwrap_or(0),
            cards: fields.optional("cards")?.unwrap_or_default(),
            viewers_max: fields.optional("viewers_max")?.unwrap_or(0),
        };
        fields.end()?;
        Ok(choice)
    }

    /// What a table is set to by it.
    ///
    /// # Errors
    /// A sentence that says what no house can do.
    pub fn config(self) -> Result<RailConfig, String> {
        let Self { delay_ms, cards, viewers_max } = self;
        let delay_ms = u32::try_from(delay_ms).ok().filter(|delay_ms| *delay_ms <= DELAY_MAX_MS);
        let Some(delay_ms) = delay_ms else {
            return Err(format!(
                "those who watch see the table {DELAY_MAX_MS} milliseconds later at most: `rail.delay_ms`"
            ));
        };
        if cards == RailCards::Delayed && delay_ms < CARDS_DELAY_MIN_MS {
            return Err(format!(
                "those who watch see cards with the hand only where they see the table {CARDS_DELAY_MIN_MS} milliseconds later or more: \
                 `rail.delay_ms`"
            ));
        }
        let Some(viewers_max) = u32::try_from(viewers_max).ok().filter(|most| *most <= VIEWERS_MAX) else {
            return Err(format!(
                "{VIEWERS_MAX} may watch at most, or, with 0, as many as come: `rail.viewers_max`"
            ));
        };
        Ok(RailConfig { delay_ms, cards, viewers_max })
    }
}
