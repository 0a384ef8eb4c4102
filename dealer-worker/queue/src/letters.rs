//! What a queue and its tables write to each other. Each text begins with the version of these words.

use protocol::id::UserId;
use rooms::room::letters::Body;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The version of these words.
const VERSION: u8 = 1;

/// From a queue to one of its tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToTable {
    /// Somebody is to have a seat.
    Call {
        /// Who.
        user: UserId,
        /// The name that the token says.
        name: String,
    },
}

/// From a table to its queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToQueue {
    /// How it stands at the table.
    Seats {
        /// So many were sent to it so far.
        heard: u64,
        /// So many sit there, or are called or wait.
        taken: u8,
        /// So many seats are for whoever comes.
        free: u8,
        /// These were called since, and did not come.
        missed: Vec<UserId>,
    },
    /// It is no more.
    Over,
}

/// A letter that says this.
///
/// # Panics
/// Never: a table has few players.
pub fn write<T: Serialize>(what: &T) -> Body {
    let bytes = postcard::to_stdvec(&(VERSION, what)).expect("words have known lengths");
    Body::new(bytes).expect("a letter speaks of a table's players at most")
}

/// What a letter says; `None`: these are no words of this release.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    let (version, what): (u8, T) = postcard::from_bytes(body).ok()?;
    (version == VERSION).then_some(what)
}
