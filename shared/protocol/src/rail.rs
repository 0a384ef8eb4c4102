//! How those watch a room who have no part in it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::object::{Object, Part, Unfit, word};

/// The longest delay of a rail, milliseconds: a quarter of an hour.
pub const DELAY_MAX_MS: u32 = 900_000;

/// What holds for the rail of a room, of whatever kind: the field `rail` beside `kind` in its settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RailConfig {
    /// So much later than players the rail gets everything, milliseconds: 0 (live) to [`DELAY_MAX_MS`].
    pub delay_ms: u32,
}

impl RailConfig {
    /// Whether nothing is set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The same within its bounds, whatever is set.
    #[must_use]
    pub fn bounded(self) -> Self {
        Self { delay_ms: self.delay_ms.min(DELAY_MAX_MS) }
    }
}

/// Whether those who watch a table see its players' cards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RailCards {
    /// None but those that everybody is shown.
    #[default]
    Never,
    /// When the hand is over, as late as the rest. No house shows them so yet.
    AfterHand,
    /// With the hand, as late as the rest. No house shows them so yet.
    Delayed,
}

impl Part<'_> for RailCards {
    const IS: &'static str = "never, after_hand or delayed";

    fn read(json: &RawValue) -> Option<Self> {
        word(json)
    }
}

/// What a player chooses of how those watch his table who have no seat there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RailChoice {
    /// So much later than players they get everything, milliseconds: 0 (live) to [`DELAY_MAX_MS`].
    pub delay_ms: u64,
    /// Whether they see cards.
    pub cards: RailCards,
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
        };
        fields.end()?;
        Ok(choice)
    }

    /// What a table is set to by it.
    ///
    /// # Errors
    /// A sentence that says what no house can do.
    pub fn config(self) -> Result<RailConfig, String> {
        if self.cards != RailCards::Never {
            return Err("those who watch are shown nobody's cards here: `rail.cards` is `never`".into());
        }
        match u32::try_from(self.delay_ms) {
            Ok(delay_ms) if delay_ms <= DELAY_MAX_MS => Ok(RailConfig { delay_ms }),
            _ => Err(format!(
                "those who watch see the table {DELAY_MAX_MS} milliseconds later at most: `rail.delay_ms`"
            )),
        }
    }
}
