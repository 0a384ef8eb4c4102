//! Bounds that hold between two programs: each keeps its own side, and refuses at its start a setting that would break the other's.

/// A client's question at most, bytes of JSON.
pub const QUESTION_BYTES_MAX: usize = 1_024;

/// What a room answers at most, bytes of JSON. A relay keeps room for one such answer of each client.
pub const ANSWER_BYTES_MAX: usize = 32 * 1_024;
