//! What a table says of its chips when it is asked: how many lie there, and what it has asked of the cage that is not settled. It is right up to
//! the frame that the answer names, so the ledger can be held against it while people play.

use protocol::id::{ErrandId, Position};
use serde::{Deserialize, Serialize};

use crate::{Ask, Body as _, Currency};

/// What the question's tag `about` says.
pub const ABOUT: &str = "chips";

/// The `q` of the question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    about: String,
}

impl Question {
    /// Of chips.
    pub fn of_chips() -> Self {
        Self { about: ABOUT.into() }
    }

    /// Whether a question, given as the JSON text of its `q`, is that one.
    pub fn is_asked(question: &[u8]) -> bool {
        serde_json::from_slice::<Self>(question).is_ok_and(|question| question.is_of_chips())
    }

    /// Whether it is that question.
    pub fn is_of_chips(&self) -> bool {
        self.about == ABOUT
    }
}

/// The `body` of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdings {
    /// The question's.
    pub about: String,
    /// What the chips are.
    pub currency: Currency,
    /// How many lie at the table: stacks, bets, pots, and what comes to stacks after the hand.
    pub chips: u64,
    /// What was asked of the cage up to there, and is not settled: it may have been done or not.
    pub open: Vec<Open>,
}

impl Holdings {
    /// So many chips lie there, and these errands, by their names and bodies, were asked of the cage and are not settled. What a later release has
    /// written is left out.
    pub fn of<'a>(currency: Currency, chips: u64, asked: impl Iterator<Item = (ErrandId, &'a [u8])>) -> Self {
        let open = asked.filter_map(|(id, body)| {
            let ask = Ask::read(body).ok()?;
            Some(Open { id, does: Does::of(&ask) })
        });
        Self { about: ABOUT.into(), currency, chips, open: open.collect() }
    }
}

/// An errand that is not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Its name.
    pub id: ErrandId,
    /// What it does.
    pub does: Does,
}

/// What an errand does to the table's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// So many chips come, which do not lie there yet.
    Brings(u64),
    /// So many chips go, which lie there no more.
    Takes(u64),
    /// Chips that another errand brings are given up.
    GivesUp(ErrandId),
    /// What was decided behind this position in earlier epochs is no part of the history.
    Cuts(Position),
}

impl Does {
    /// What the cage is asked, as far as it moves chips of the table.
    pub fn of(ask: &Ask) -> Self {
        match ask {
            Ask::BuyIn(stake) | Ask::TopUp(stake) => Self::Brings(stake.amount),
            Ask::CashOut(share) | Ask::Return(share) | Ask::Absorb(share) => Self::Takes(share.amount),
            Ask::Rake { amount, .. } => Self::Takes(*amount),
            Ask::Void { of } => Self::GivesUp(*of),
            Ask::Cut { follows } => Self::Cuts(*follows),
        }
    }
}
