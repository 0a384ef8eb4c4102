//! What was stored of a tournament's table beyond the game up to schema 2, in which directors decided nothing of single entries: read for ever.
//!
//! Frozen: a type that changes is written down here as it was.

use protocol::{
    id::RoomId,
    time::UnixMs,
    tournament::{Clock, TournamentConfig},
};
use rooms::room::letters::LetterId;
use serde::Deserialize;

use super::state::{self, Give, Hold, Player};

/// The part of a keyframe's record that is not the game.
#[derive(Deserialize)]
pub(super) struct Part {
    of: RoomId,
    number: u32,
    config: TournamentConfig,
    count_ms: u64,
    clock: Clock,
    players: Vec<Option<Player>>,
    began_with: Vec<(u8, u64)>,
    give: Option<Give>,
    hold: Option<Hold>,
    closes: Option<LetterId>,
    is_closed: bool,
    waits_until: Option<UnixMs>,
    counted_ms: UnixMs,
    level: u32,
}

impl Part {
    /// As this release knows it.
    pub(super) fn read(self) -> state::Part {
        let Self {
            of,
            number,
            config,
            count_ms,
            clock,
            players,
            began_with,
            give,
            hold,
            closes,
            is_closed,
            waits_until,
            counted_ms,
            level,
        } = self;
        state::Part {
            of,
            number,
            config,
            count_ms,
            clock,
            players,
            began_with,
            give,
            hold,
            closes,
            is_closed,
            waits_until,
            counted_ms,
            level,
            penalties: Vec::new(),
            expelled: Vec::new(),
        }
    }
}
