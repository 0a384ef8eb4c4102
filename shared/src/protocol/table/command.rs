//! What a player may ask of a table.

use serde::{Deserialize, Serialize};

/// The `do` of a command. Tag `a`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "a", rename_all = "snake_case", deny_unknown_fields)]
pub enum TableCommand {
    /// Take a seat with so many chips.
    Sit {
        /// Which; any free one, if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seat: Option<u8>,
        /// Chips, within the table's limits.
        buy_in: u64,
        /// Wait for the big blind instead of posting at once, where blinds are owed on sitting down.
        #[serde(default)]
        wait_for_big_blind: bool,
    },
    /// Stand up with all chips: at once, or when the hand that one is in has ended (this hand is folded when its
    /// turn comes).
    Leave,
    /// Bring more chips; they come into play with the next hand.
    TopUp {
        /// Chips; with the stack at most the table's largest buy-in.
        amount: u64,
    },
    /// Take no part in further hands.
    SitOut,
    /// Take part again.
    ComeBack {
        /// Wait for the big blind instead of posting what was missed.
        #[serde(default)]
        wait_for_big_blind: bool,
    },
    /// Act in the hand.
    Act {
        /// The hand that it answers.
        hand: u64,
        /// The turn that it answers: another than the current one is refused as late, so that an action never hits
        /// the next street.
        turn: u64,
        /// What.
        kind: ActKind,
        /// For `bet` and `raise`: the total on this street after it, chips.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<u64>,
    },
    /// Show one's cards after a hand that one need not show (until the next one begins).
    Show,
    /// Say something to the table.
    Chat {
        /// One [`Line`](crate::text::Line).
        text: String,
    },
}

/// A betting action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActKind {
    /// Give the hand up.
    Fold,
    /// Pass, when there is nothing to call.
    Check,
    /// Match the bet, or go all-in for less.
    Call,
    /// The first bet of a street.
    Bet,
    /// More than the bet.
    Raise,
}
