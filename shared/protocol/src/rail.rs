//! How those watch a room who have no part in it.

use serde::{Deserialize, Serialize};

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
