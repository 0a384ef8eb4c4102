//! A relay on memory adapters, spoken to over real sockets by another implementation of WebSocket.

mod closing;
mod commands;
mod keys;
mod late;
mod leading;
mod leaving;
mod limits;
mod listening;
mod lobby;
mod places;
mod presence;
mod questions;
mod revoked;
mod rooms;
mod slow;
mod stage;
mod talk;
