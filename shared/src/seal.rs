//! Sealing of a room's secrets.
