//! Observed readiness.
