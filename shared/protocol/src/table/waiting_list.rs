//! Who waits for a seat at a full table, and who is called to one that has come free.

use serde::{Deserialize, Serialize};

use crate::{id::UserId, time::UnixMs};

/// A table's waiting list: a keyframe's `state.waiting_list`, left out while it is empty, and the event `waiting_list`, which replaces it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingList {
    /// In the order in which they are called.
    pub waiting: Vec<Waiting>,
    /// Who is called, the first first.
    pub called: Vec<Call>,
}

/// Somebody on the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Who.
    pub user: UserId,
    /// The name to show.
    pub name: String,
    /// Is not here at the moment, and is passed over until he is.
    pub away: bool,
}

/// A seat on which nobody but one who has waited may sit down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Which.
    pub seat: u8,
    /// Who.
    pub user: UserId,
    /// The name to show.
    pub name: String,
    /// Whoever has not sat down by then has lost the seat and his place on the list.
    pub until_ms: UnixMs,
}

impl WaitingList {
    /// Whether nobody waits and nobody is called.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.called.is_empty()
    }
}
