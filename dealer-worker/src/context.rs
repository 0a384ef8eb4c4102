//! What all rooms of a worker share.

use shared::{ports::Ports, seal::Sealer};

use crate::{config::WorkerConfig, lobby::Board, replies::Replies, room::switchboard::Switchboard};

/// See the module.
pub struct Context {
    /// The world.
    pub ports: Ports,
    /// The settings.
    pub config: WorkerConfig,
    /// Seals and opens records.
    pub sealer: Sealer,
    /// Where commands come from.
    pub switchboard: Switchboard,
    /// Where answers that are not frames go.
    pub replies: Replies,
    /// Where tables are written up for the lobby.
    pub board: Board,
}
