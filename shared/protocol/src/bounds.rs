//! Bounds that hold between two programs: each keeps its own side, and refuses at its start a setting that would break the other's.

/// Answers that a room remembers of each session, and so commands that a relay lets wait for one: a client that comes back can repeat
/// all that it has not seen answered.
pub const ANSWERS_PER_SESSION_MAX: usize = 16;

/// A client's message at most, whatever a relay is set to, bytes; and so what a room's mailbox must hold at least.
pub const MESSAGE_BYTES_MAX: u32 = 64 * 1_024;

/// A client's question at most, bytes of JSON.
pub const QUESTION_BYTES_MAX: usize = 1_024;

/// What a room answers at most, bytes of JSON. A relay keeps room for one such answer of each client.
pub const ANSWER_BYTES_MAX: usize = 32 * 1_024;
