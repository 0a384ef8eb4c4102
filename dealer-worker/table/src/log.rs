//! The log of the hand that is played, from which its record is made; and the chain of those before.

use std::sync::Arc;

use hands::{
    HandRecord, Hash, Player,
    record::{Begun, chained},
};
use holdem::HandSetup;
use protocol::time::UnixMs;
use serde::{Deserialize, Serialize};

use super::Table;

/// Events of a hand that are kept at most. One that has more is not recorded, and that is told: no hand of people comes near.
const EVENTS_MAX: usize = 512;

/// What a table knows of its hands beyond the game.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Log {
    /// When what is decided now is decided.
    at_ms: UnixMs,
    /// The hand that is played; none where an earlier release has begun it, which kept no log.
    running: Option<Box<Running>>,
    /// The hash of the last hand that was recorded.
    head: Hash,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Running {
    number: u64,
    started_ms: UnixMs,
    // Shared, since each decision is made on a copy of the table; written like what they hold.
    setup: Arc<HandSetup>,
    players: Arc<[Player]>,
    events: Vec<(u32, holdem::Event)>,
    /// There were more.
    is_cut: bool,
}

impl Log {
    /// What follows is decided then.
    pub(super) fn at(&mut self, at_ms: UnixMs) {
        self.at_ms = at_ms;
    }

    /// When the last thing was that stands in the log.
    pub(super) fn at_ms(&self) -> UnixMs {
        self.at_ms
    }

    /// When the hand that is played has begun, if that is known.
    pub(super) fn started_ms(&self) -> Option<UnixMs> {
        self.running.as_ref().map(|running| running.started_ms)
    }

    /// A hand begins.
    pub(super) fn begin(&mut self, number: u64, setup: &HandSetup, players: Vec<Player>) {
        // In the words of a release before this one, which do not say when.
        if self.at_ms == 0 {
            return;
        }
        let (started_ms, setup, players) = (self.at_ms, Arc::new(setup.clone()), players.into());
        let running = Running { number, started_ms, setup, players, events: Vec::new(), is_cut: false };
        self.running = Some(Box::new(running));
    }

    /// Something happens in it.
    pub(super) fn note(&mut self, event: &holdem::Event) {
        let Some(running) = &mut self.running else { return };
        if running.events.len() < EVENTS_MAX {
            let after_ms = self.at_ms.saturating_sub(running.started_ms);
            running.events.push((u32::try_from(after_ms).unwrap_or(u32::MAX), *event));
        } else {
            running.is_cut = true;
        }
    }

    /// It is over.
    pub(super) fn end(&mut self, ended_ms: UnixMs) {
        if let Some(running) = self.running.take()
            && !running.is_cut
        {
            self.head = running.hash(&self.head, ended_ms);
        }
    }
}

impl Running {
    fn hash(&self, prev: &Hash, ended_ms: UnixMs) -> Hash {
        let Self { number, started_ms, setup, players, events, is_cut: _ } = self;
        let begun = Begun { number: *number, started_ms: *started_ms, setup, players };
        chained(prev, begun, events, ended_ms)
    }
}

impl Table {
    /// The record of the hand that ends now, without what lies before everybody then; nothing where there is none.
    pub(super) fn record(&self, ended_ms: UnixMs) -> Option<HandRecord> {
        let running = self.log.running.as_deref().filter(|running| !running.is_cut)?;
        let hash = running.hash(&self.log.head, ended_ms);
        let Running { number, started_ms, setup, players, events, is_cut: _ } = running;
        let config = self.config();
        Some(HandRecord {
            table: config.name.clone(),
            seats: config.seats,
            number: *number,
            started_ms: *started_ms,
            ended_ms,
            currency: None,
            setup: HandSetup::clone(setup),
            events: events.clone(),
            players: players.to_vec(),
            stacks: Vec::new(),
            prev: self.log.head,
            hash,
        })
    }

    /// Who is dealt into a hand that is set up so.
    pub(super) fn dealt_in(&self, setup: &HandSetup) -> Vec<Player> {
        let seats = setup.seats.iter().map(|dealt| dealt.seat.get());
        let player = |seat: u8| {
            self.seated(seat).map(|player| Player {
                seat,
                user: player.user.clone(),
                name: player.name.clone(),
            })
        };
        seats.filter_map(player).collect()
    }
}
