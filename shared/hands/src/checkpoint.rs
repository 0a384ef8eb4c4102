//! What the house signs of the hands that were written down since it signed last: from then on it cannot say that they were others.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::{Hash, hex};

/// The `use` of keys that sign checkpoints, in the house's JWKS: programs that check tokens take no such key.
pub const PURPOSE: &str = "hands";

/// The `typ` of a signed checkpoint.
pub const KIND: &str = "cardhouse.checkpoint";

/// By what the next checkpoint names one that was stated so, with its signature.
pub fn hash(stated: &str) -> Hash {
    digest(&SHA256, stated.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// A checkpoint. It is signed as a JWS (RFC 7515), of which these are the payload's fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Its number, from 1.
    pub n: u64,
    /// When it was signed.
    pub at_ms: u64,
    /// The [hash] of the signed checkpoint before; zeros before the first.
    #[serde(with = "hex::serde")]
    pub prev: Hash,
    /// The [root](crate::merkle::Tree::root) over the [leaves](crate::witness::leaf) of the hands.
    #[serde(with = "hex::serde")]
    pub root: Hash,
    /// How many hands they are.
    pub hands: u64,
    /// How many entries the audit had.
    pub audit: u64,
    /// The hash of its last one.
    #[serde(with = "hex::serde")]
    pub audit_hash: Hash,
}
