//! Time as it is told.

/// Milliseconds since 1970, UTC.
pub type UnixMs = u64;
