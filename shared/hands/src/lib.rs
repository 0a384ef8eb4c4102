//! Finished hands: what tables say of them, how they are sent, and what is seen of them.
//!
//! A table tells of each hand that is over by an *errand* of its journal, to a service called [`SERVICE`]. The service seals the [`HandRecord`] and
//! puts it into the queue [`QUEUE`] as a [`Sent`]; a reception takes it from there and writes it into the database. What a body holds begins with a
//! version.
//!
//! In reading order:
//!
//! - [`record`]: a hand that is over; its place in the chain of the table's hands. [`name`]: what it is called; [`link`]: by what it is shared.
//! - [`sent`]: how it travels.
//! - [`seen`]: what somebody may see of it. [`told`]: that, as JSON, Open Hand History, PHH and text; [`utc`]: when it was, in their words.
//! - [`project`]: what everybody sees of a hand's events, while it is played and afterwards. [`replay`]: a hand once more, as its table told it.
//! - [`stats`]: what players did in it, counted.
//! - [`witness`]: what is signed of it; [`merkle`], [`checkpoint`]: of many at once. [`hex`]: how hashes are told.

use holdem::{
    HandRules,
    variant::{Limit, Variant},
};

pub mod checkpoint;
pub mod hex;
pub mod link;
pub mod merkle;
pub mod name;
pub mod project;
pub mod record;
pub mod replay;
pub mod seen;
pub mod sent;
pub mod stats;
#[cfg(feature = "testing")]
pub mod testing;
pub mod told;
pub mod utc;
pub mod witness;

pub use link::Link;
pub use name::Name;
pub use record::{HandRecord, Hash, Player};
pub use replay::Replay;
pub use seen::{Seen, Viewer};
pub use sent::Sent;

/// The service's name in errands.
pub const SERVICE: &str = "records";

/// The queue in which hands wait to be written down.
pub const QUEUE: &str = "hands";

/// Bytes that are none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// A later release wrote it.
    #[error("it has version {0}, which a later release has written")]
    Later(u8),
    /// It is something else.
    #[error("it is no hand: {0}")]
    Foreign(#[from] postcard::Error),
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// It is followed by something.
    #[error("it has {0} bytes too many")]
    TooLong(usize),
}

/// The game in a word that does not change, such as `nlhe`, and its blinds: `nlhe 1/2`.
pub fn game(rules: &HandRules) -> String {
    let limit = match rules.limit {
        Limit::NoLimit => "nl",
        Limit::PotLimit => "pl",
    };
    let variant = match rules.variant {
        Variant::Holdem => "he",
        Variant::ShortDeck => "sd",
        Variant::Omaha => "o4",
        Variant::Omaha5 => "o5",
        Variant::Omaha6 => "o6",
    };
    format!("{limit}{variant} {}/{}", rules.small_blind.0, rules.big_blind.0)
}

fn write<T: serde::Serialize>(version: u8, value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![version]).expect("what hands hold has known lengths")
}

fn read<T: serde::de::DeserializeOwned>(version: u8, bytes: &[u8]) -> Result<T, Unread> {
    let (found, rest) = bytes.split_first().ok_or(Unread::Empty)?;
    if *found != version {
        return Err(Unread::Later(*found));
    }
    match postcard::take_from_bytes(rest)? {
        (value, []) => Ok(value),
        (_, rest) => Err(Unread::TooLong(rest.len())),
    }
}
