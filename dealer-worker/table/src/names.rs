//! What users are called at a table.

use protocol::{
    id::UserId,
    text::{Looks, PlayerName},
};

use super::Table;

/// The name under which everybody sees a user: that of the seat, or what the token says, with a number if somebody seated looks
/// alike. So nobody, neither at the table nor on the rail, can be taken for a player.
pub(super) fn shown(table: &Table, user: &UserId, name: &str) -> String {
    if let Some(player) = table.seat_of(user).and_then(|seat| table.seated(seat)) {
        return player.name.clone();
    }
    let taken: Vec<Looks> = table.players().map(|(_, player)| Looks::of(&player.name)).collect();
    PlayerName::salvaged(name).unlike(&taken).as_str().to_owned()
}
