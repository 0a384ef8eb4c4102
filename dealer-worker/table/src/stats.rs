//! The table's line in the lobby.

use broker::lobby::{Line, More};
use protocol::{
    id::RoomId,
    table::{GameVariant, LimitKind, SeatStatus},
    time::UnixMs,
};
use rooms::room::Room as _;
use serde::{Deserialize, Serialize};

use super::{Table, between::PLAYERS_MIN};

/// Over so many of the last hands.
const HANDS: usize = 20;

/// A table that has not ended a hand for so long deals none an hour, milliseconds.
const QUIET_MS: u64 = 5 * 60 * 1_000;

const HOUR_MS: u64 = 60 * 60 * 1_000;

/// The last hands, in a ring.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stats {
    pots: [u64; HANDS],
    ended_ms: [UnixMs; HANDS],
    count: u64,
}

impl Stats {
    pub(super) fn hand_ended(&mut self, pot: u64, at_ms: UnixMs) {
        let slot = usize::try_from(self.count % HANDS as u64).expect("below HANDS");
        self.pots[slot] = pot;
        self.ended_ms[slot] = at_ms;
        self.count += 1;
    }

    fn known(&self) -> usize {
        usize::try_from(self.count).unwrap_or(HANDS).min(HANDS)
    }

    fn average_pot(&self) -> u64 {
        let known = &self.pots[..self.known()];
        known.iter().sum::<u64>().checked_div(known.len() as u64).unwrap_or(0)
    }

    fn hands_per_hour(&self, now: UnixMs) -> u32 {
        let known = &self.ended_ms[..self.known()];
        let (Some(first), Some(last)) = (known.iter().min(), known.iter().max()) else { return 0 };
        if now.saturating_sub(*last) > QUIET_MS {
            return 0;
        }
        let between = known.len() as u64 - 1;
        let per_hour = (between * HOUR_MS).checked_div(last - first).unwrap_or(0);
        u32::try_from(per_hour).unwrap_or(u32::MAX)
    }
}

/// What a game is called in the lobby, such as `NL Hold'em`.
pub fn game_name(limit: LimitKind, variant: GameVariant) -> String {
    let limit = match limit {
        LimitKind::NoLimit => "NL",
        LimitKind::PotLimit => "PL",
    };
    let game = match variant {
        GameVariant::Holdem => "Hold'em",
        GameVariant::Omaha4 => "Omaha",
        GameVariant::Omaha5 => "Omaha 5",
        GameVariant::Omaha6 => "Omaha 6",
        GameVariant::ShortDeck => "Short Deck",
    };
    format!("{limit} {game}")
}

pub(super) fn line(table: &Table, room: &RoomId, now: UnixMs) -> Line {
    let config = table.config();
    let waits = |status| matches!(status, SeatStatus::Playing | SeatStatus::Waiting);
    let hand_runs = table.running().is_some();
    let waiting = table.players().filter(|(_, seat)| waits(seat.status) && !(hand_runs && seat.in_hand));
    let waiting = u8::try_from(waiting.count()).unwrap_or(u8::MAX);
    // Between two hands nobody is said to wait.
    let waiting = if hand_runs || waiting < PLAYERS_MIN { waiting } else { 0 };
    let mut more = More::of([
        ("small_blind", config.small_blind.into()),
        ("buy_in_min", config.buy_in_min.into()),
        ("buy_in_max", config.buy_in_max.into()),
        ("waiting", waiting.into()),
    ]);
    if table.waiting.in_line() > 0 {
        more.0.insert("in_line".into(), table.waiting.in_line().into());
    }
    Line {
        room: room.clone(),
        kind: Table::NAME.into(),
        name: config.name.clone(),
        game: game_name(config.limit, config.variant),
        big_blind: config.big_blind,
        seats: config.seats.into(),
        taken: u32::try_from(table.players().count() + table.waiting.kept()).unwrap_or(u32::MAX),
        average_pot: table.stats.average_pot(),
        hands_per_hour: table.stats.hands_per_hour(now),
        starts_ms: 0,
        more,
    }
}

#[cfg(test)]
mod tests {
    use broker::lobby::TableSummary;
    use protocol::table::TableConfig;

    use super::*;

    #[test]
    fn relays_of_the_releases_before_can_be_told_of_a_table() {
        let table = Table::new(TableConfig::default());
        let line = line(&table, &RoomId::new("t1").unwrap(), 0);
        let summary = TableSummary::of(&line).expect("a table that they know");
        assert_eq!(Line::from(summary), line, "and nothing of it is lost");
    }
}
