//! Files of hands that show by themselves that they are what was played: who has one and the house's public keys needs neither the house nor its
//! database to see it. [`write`](mod@write) makes them, [`verify`](mod@verify) reads them.
//!
//! One JSON object a line. What a line is stands in `is`:
//!
//! | `is` | what it holds |
//! | --- | --- |
//! | `hands` | the first line: `version`, and `of`, whose hands they are: a user's, or `all` |
//! | `keys` | the house's public keys, a JWKS |
//! | `checkpoint` | `stated`: a [signed checkpoint](hands::checkpoint), before the first hand under it |
//! | `hand` | `hand`: all of it, as `GET /api/hands/{id}` tells it; `public`: the bytes that its hash is made of, in base64; `cards`: of each who was dealt in a commitment, or the cards with their salt; `checkpoint` and `path`: how its leaf leads to a signed root |
//! | `end` | the last line: `stated`, signed: how many hands there are, and the SHA-256 of all lines before |
//!
//! A hand with somebody who has deleted himself has no `public`, as his name stands in it: of such a hand only the signature at the end is shown.

pub mod verify;
pub mod write;

use serde::{Deserialize, Serialize};

/// The form of a file.
pub const VERSION: u64 = 1;

/// The `typ` of what is signed at the end.
pub const KIND: &str = "cardhouse.hands";

/// What is signed at the end of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Whose hands they are.
    pub of: String,
    /// How many.
    pub hands: u64,
    /// SHA-256 of all lines before, in hexadecimal digits.
    pub sha256: String,
    /// When it was made.
    pub at_ms: u64,
}

/// Whose hands are in a file of everybody's.
pub const ALL: &str = "all";
