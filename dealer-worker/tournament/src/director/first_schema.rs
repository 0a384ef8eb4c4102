//! What was stored of a tournament in schema 1, in which no owner waited to hear what had been said before: read for ever.
//!
//! Frozen: a type that changes is written down here as it was.

use std::collections::BTreeMap;

use protocol::{
    id::{RoomId, UserId},
    time::UnixMs,
    tournament::{Clock, Phase, Prize},
};
use serde::Deserialize;

use super::{
    state::{self, Entrant, Holding, Kept, TableState},
    tally::Tally,
};

/// The record of a keyframe.
#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct Tournament {
    settings: Kept,
    phase: Phase,
    entrants: BTreeMap<u32, Entrant>,
    by_user: BTreeMap<UserId, u32>,
    entries: u32,
    tables: BTreeMap<u32, TableState>,
    clock: Option<Clock>,
    is_closed: bool,
    prizes: Vec<Prize>,
    out: Vec<Vec<u32>>,
    placed: u32,
    hold: Option<Holding>,
    last_table: Option<u32>,
    next: Option<RoomId>,
    ended_ms: Option<UnixMs>,
    is_over: bool,
    adjusted: i64,
}

impl Tournament {
    /// The tournament as this release knows it. Whoever takes it over waits.
    pub(super) fn read(self) -> state::Tournament {
        let Self {
            settings,
            phase,
            entrants,
            by_user,
            entries,
            tables,
            clock,
            is_closed,
            prizes,
            out,
            placed,
            hold,
            last_table,
            next,
            ended_ms,
            is_over,
            adjusted,
        } = self;
        state::Tournament {
            settings,
            phase,
            entrants: entrants.into_iter().collect(),
            by_user: by_user.into_iter().collect(),
            entries,
            tables: tables.into_iter().collect(),
            clock,
            is_closed,
            prizes,
            out: (0..).zip(out).collect(),
            placed,
            hold,
            last_table,
            next,
            ended_ms,
            is_over,
            adjusted,
            waits_until: None,
            directed: BTreeMap::new(),
            stakes: None,
            tally: Tally::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use rooms::room::{Room as _, record};

    use super::*;

    /// They held what is held now but for its last words, so they are what stands before those.
    #[test]
    fn tournaments_of_schemas_1_to_3_are_read_and_nothing_behind_them() {
        let settings = serde_json::from_value(serde_json::json!({
            "id": "cup-1", "template": "cup", "number": 1, "repeats": true, "every_ms": 60_000,
            "tournament": protocol::tournament::TournamentConfig::default(),
        }));
        let mut tournament = state::Tournament::new(settings.unwrap());
        let at = protocol::id::Position::new(1, 1);
        for (entry, name) in [(1, "ann"), (2, "bob"), (3, "cyd")] {
            let (user, name) = (UserId::new(name).unwrap(), name.to_uppercase());
            tournament.change(&state::Event::Registered { entry, user, name }, at);
        }
        let clock = crate::clock::from(1_700_000_000_000);
        tournament
            .change(&state::Event::Started { clock, tables: 2, seating: vec![(1, 1), (2, 2), (3, 1)] }, at);
        tournament.waits_until = None;
        let written = record::put(Vec::new(), &tournament);
        let (before, last) = written.split_at(written.len() - 3);
        assert_eq!(last, [0, 0, 0], "nothing is waited for, nothing directed, and nothing to be paid");
        let third = [before, &[0, 0, 7, 8, 9]].concat();
        let mut rest = &third[..];
        assert_eq!(state::Tournament::read(3, &mut rest).unwrap(), tournament);
        assert_eq!(rest, [7, 8, 9]);
        let second = [before, &[0, 7, 8, 9]].concat();
        let mut rest = &second[..];
        assert_eq!(state::Tournament::read(2, &mut rest).unwrap(), tournament);
        assert_eq!(rest, [7, 8, 9]);
        let behind = [before, &[7, 8, 9]].concat();
        let mut rest = &behind[..];
        assert_eq!(state::Tournament::read(1, &mut rest).unwrap(), tournament);
        assert_eq!(rest, [7, 8, 9]);
        assert_eq!(record::put(Vec::new(), &record::take::<Tournament>(&mut &before[..]).unwrap()), before);
    }
}
