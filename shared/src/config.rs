//! Flags and environment variables that all binaries share.
