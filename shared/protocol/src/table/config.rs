//! What a table is set to.

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::{Map, Value};

/// The settings of a table. Times in milliseconds, chips in the smallest unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TableConfig {
    /// What people call it.
    pub name: String,
    /// 2 to 10.
    pub seats: u8,
    /// The game.
    pub variant: GameVariant,
    /// Its betting limit.
    pub limit: LimitKind,
    /// Chips.
    pub small_blind: u64,
    /// Chips; also the smallest bet.
    pub big_blind: u64,
    /// Who pays an ante.
    pub ante_kind: AnteKind,
    /// Chips a hand and payer; 0 for none.
    pub ante: u64,
    /// Which straddles are allowed.
    pub straddles: Straddles,
    /// Where the button goes when players leave.
    pub button_rule: ButtonRule,
    /// What those owe who come in late or missed blinds.
    pub blinds_owed: BlindsOwed,
    /// What the house takes.
    pub rake: RakeRule,
    /// Chips.
    pub buy_in_min: u64,
    /// Chips.
    pub buy_in_max: u64,
    /// Time for a turn.
    pub turn_ms: u64,
    /// Time bank of a player who sits down, used up after [`TableConfig::turn_ms`].
    pub bank_ms: u64,
    /// What the time bank grows by each hand, up to [`TableConfig::bank_ms`].
    pub bank_refill_ms: u64,
    /// Pause after a hand.
    pub pause_ms: u64,
    /// Pause after each street dealt with no betting left, so that people can follow.
    pub runout_ms: u64,
    /// Extra time for a turn of a player who is disconnected: once a hand at most, and out of [`TableConfig::away_bank_ms`].
    pub away_ms: u64,
    /// All the extra time that a player who sits down may have while disconnected.
    pub away_bank_ms: u64,
    /// What is left of it grows by so much each hand, up to [`TableConfig::away_bank_ms`].
    pub away_refill_ms: u64,
    /// A disconnected player sits out after so many turns missed.
    pub away_turns: u8,
    /// A player who sits out (disconnected or not) loses the seat after so long.
    pub sit_out_ms: u64,
    /// Who has left the table and sits down again within so long brings at least what he left with; 0 for no such rule.
    pub rathole_ms: u64,
    /// On how many boards the rest of a hand is dealt at most, when no betting is left and all who are in it agree: 1 to 3.
    pub runs_max: u8,
}

/// A game.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GameVariant {
    /// Texas hold'em.
    Holdem,
    /// Omaha with four hole cards.
    Omaha4,
    /// Omaha with five hole cards.
    Omaha5,
    /// Omaha with six hole cards.
    Omaha6,
    /// Short-deck (6+) hold'em.
    ShortDeck,
}

/// A betting limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// Any amount up to the stack.
    NoLimit,
    /// At most the pot.
    PotLimit,
}

/// Who pays an ante.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnteKind {
    /// Everybody.
    EachPlayer,
    /// The big blind for all, after the blind.
    BigBlind,
    /// The button for all.
    Button,
}

/// Which straddles are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Straddles {
    /// None.
    None,
    /// The player left of the big blind straddles every hand.
    UnderTheGun,
    /// The button straddles every hand.
    Button,
}

/// Where the button goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ButtonRule {
    /// The big blind moves on one player, the button and small blind follow where they may fall on an empty seat (TDA 32).
    Dead,
    /// The button always moves to the next player.
    Moving,
}

/// What is owed on sitting down and after missed blinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlindsOwed {
    /// Play money: nothing. Who sits out is not dealt in; who is back is dealt in at once.
    Nothing,
    /// Cash: newcomers and returners post, or wait for the big blind.
    PostOrWait,
    /// Tournaments: nobody misses a blind. Everybody with chips is dealt in, present or not, and keeps the seat; the clock
    /// plays at once for who sits out.
    NoneMissed,
}

/// What the house takes of a pot: no flop no drop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RakeRule {
    /// Hundredths of a percent of the pot, 0 to 10,000.
    pub basis_points: u16,
    /// At most so many chips a hand.
    pub cap: u64,
}

/// Reads the settings as clients get them: a later house may have more, which are passed over. Where tables are opened, a setting
/// that is not known is a mistake.
pub(super) fn of_any_house<'de, D: Deserializer<'de>>(from: D) -> Result<TableConfig, D::Error> {
    // Between processes of one house, whose format has no names.
    if !from.is_human_readable() {
        return TableConfig::deserialize(from);
    }
    let mut told = Value::Object(Map::deserialize(from)?);
    let known = serde_json::to_value(TableConfig::default()).map_err(D::Error::custom)?;
    keep_known(&mut told, &known);
    serde_json::from_value(told).map_err(D::Error::custom)
}

/// The same, put where it takes no space of others.
pub(super) fn boxed_of_any_house<'de, D: Deserializer<'de>>(from: D) -> Result<Box<TableConfig>, D::Error> {
    of_any_house(from).map(Box::new)
}

pub(crate) fn keep_known(told: &mut Value, known: &Value) {
    let (Value::Object(told), Value::Object(known)) = (told, known) else { return };
    told.retain(|name, _| known.contains_key(name));
    for (name, value) in told {
        keep_known(value, &known[name]);
    }
}

impl Default for TableConfig {
    /// A six-handed cash table at blinds 1/2, as the newcomer's command opens it.
    fn default() -> Self {
        Self {
            name: "Table".into(),
            seats: 6,
            variant: GameVariant::Holdem,
            limit: LimitKind::NoLimit,
            small_blind: 1,
            big_blind: 2,
            ante_kind: AnteKind::EachPlayer,
            ante: 0,
            straddles: Straddles::None,
            button_rule: ButtonRule::Dead,
            blinds_owed: BlindsOwed::PostOrWait,
            rake: RakeRule::default(),
            buy_in_min: 80,
            buy_in_max: 400,
            turn_ms: 15_000,
            bank_ms: 30_000,
            bank_refill_ms: 1_000,
            pause_ms: 2_500,
            runout_ms: 900,
            away_ms: 15_000,
            away_bank_ms: 45_000,
            away_refill_ms: 1_000,
            away_turns: 2,
            sit_out_ms: 300_000,
            rathole_ms: 30 * 60 * 1_000,
            runs_max: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_owe_blinds_and_keep_stacks_by_default() {
        let config = TableConfig::default();
        assert_eq!((config.blinds_owed, config.rathole_ms), (BlindsOwed::PostOrWait, 30 * 60 * 1_000));
    }

    #[test]
    fn settings_of_the_first_release_are_read_with_the_defaults_for_what_they_do_not_say() {
        let text = r#"{"name": "Aspen", "seats": 2, "variant": "holdem", "limit": "no_limit", "small_blind": 1, "big_blind": 2,
            "ante_kind": "each_player", "ante": 0, "straddles": "none", "button_rule": "dead", "blinds_owed": "nothing",
            "rake": {"basis_points": 0, "cap": 0}, "buy_in_min": 80, "buy_in_max": 400, "turn_ms": 15000, "bank_ms": 30000,
            "bank_refill_ms": 1000, "pause_ms": 2500, "runout_ms": 900, "away_ms": 15000, "away_turns": 2, "sit_out_ms": 300000,
            "runs_max": 1}"#;
        let config: TableConfig = serde_json::from_str(text).unwrap();
        let expected = TableConfig {
            name: "Aspen".into(),
            seats: 2,
            blinds_owed: BlindsOwed::Nothing,
            ..TableConfig::default()
        };
        assert_eq!(config, expected, "what they say stands");
    }
}
