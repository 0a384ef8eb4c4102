//! Rules of poker as dealt in the best card rooms: pure, deterministic, no I/O, no clock, no randomness of its own.
