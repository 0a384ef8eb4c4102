//! Owns rooms: decides, journals, keeps the clocks.
