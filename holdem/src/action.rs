//! What a player may do, what he asks for, and how he is refused.

use serde::{Deserialize, Serialize};

use crate::chips::Chips;

/// What a player does when it is his turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// Gives up the hand.
    Fold,
    /// Stays in without putting chips in; only when there is nothing to call.
    Check,
    /// Matches the bet, or goes all-in for less.
    Call,
    /// Bets or raises **to** this total on the current street.
    RaiseTo(Chips),
}

/// What the player to act may do, with exact limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalActions {
    /// Always so for the player to act, even when a check is free.
    pub fold: bool,
    /// Whether there is nothing to call.
    pub check: bool,
    /// The chips a call puts in, all-in calls for less included; `None` if there is nothing to call.
    pub call: Option<Chips>,
    /// Betting or raising; `None` if the player may not.
    pub raise: Option<RaiseRange>,
}

/// The totals a player may bet or raise to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaiseRange {
    /// Whether it opens the betting of the street or tops a bet.
    pub kind: RaiseKind,
    /// The least total on this street. Equal to `max_to` when only an all-in is possible, which may be short.
    pub min_to: Chips,
    /// The largest total on this street: the whole stack, or the pot limit.
    pub max_to: Chips,
}

/// The word for putting chips in beyond a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RaiseKind {
    /// The first wager of a street.
    Bet,
    /// A wager on top of another (a blind is one).
    Raise,
}

/// Why an action was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RefusalCode {
    /// Nobody is to act: the hand is over, or waits for something else.
    NoActionDue,
    /// It is another seat's turn.
    NotYourTurn,
    /// A check although there is a bet to call.
    BetToCall,
    /// A call although there is nothing to call.
    NothingToCall,
    /// The betting was not re-opened for this player (TDA 47), or nobody is left who could call.
    RaiseClosed,
    /// Less than the least bet or raise (TDA 43).
    RaiseTooSmall,
    /// More than the stack or the pot limit.
    RaiseTooLarge,
    /// The seat is not in the hand, or what it asks for cannot be chosen now.
    NotPossible,
}

/// An action was refused; the hand is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}", self.code.sentence())]
pub struct Refusal {
    /// Why.
    pub code: RefusalCode,
    /// What the seat may do instead; `None` if it is not its turn.
    pub legal: Option<LegalActions>,
}

impl RefusalCode {
    /// A sentence for a human.
    pub const fn sentence(self) -> &'static str {
        match self {
            RefusalCode::NoActionDue => "no action is due in this hand",
            RefusalCode::NotYourTurn => "it is another player's turn",
            RefusalCode::BetToCall => "there is a bet to call: check is not possible",
            RefusalCode::NothingToCall => "there is nothing to call",
            RefusalCode::RaiseClosed => "the betting is not open for a raise by this player",
            RefusalCode::RaiseTooSmall => "a raise must be at least the largest bet or raise of the street",
            RefusalCode::RaiseTooLarge => "that is more than may be bet",
            RefusalCode::NotPossible => "that choice is not open to this player now",
        }
    }
}
