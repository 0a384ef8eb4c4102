//! Which nodes live.
