//! A decision in the making: a copy of the table on which events take effect at once.

use protocol::{
    table::{TableEvent, TablePrivate},
    time::UnixMs,
};
use rooms::room::{Decision, Moment, counted};

use super::{Event, Table, json};

/// See the module.
pub(super) struct Draft {
    /// The table with all events so far.
    pub(super) table: Table,
    /// The time of the decision.
    pub(super) now: UnixMs,
    events: Vec<Event>,
    seen: Vec<TableEvent>,
}

impl Draft {
    /// Nothing decided yet.
    pub(super) fn of(table: &Table, Moment { now, at: _ }: Moment) -> Self {
        Self { table: table.clone(), now, events: Vec::new(), seen: Vec::new() }
    }

    /// Decides a fact.
    pub(super) fn emit(&mut self, event: Event) {
        self.table.apply_into(&event, &mut self.seen);
        self.events.push(event);
    }

    /// What is to be committed.
    pub(super) fn decision(self) -> Decision<Table> {
        let Self { table, now: _, events, seen } = self;
        let mut private_of = [false; holdem::seat::SEATS_MAX];
        let (mut lobby, mut hands) = (false, 0u64);
        let is_talk = !events.is_empty() && events.iter().all(|event| matches!(event, Event::Chat { .. }));
        for event in &events {
            match event {
                // So that relays learn of a member who has no cards yet.
                Event::Seated { seat, .. } => {
                    private_of[usize::from(*seat)] = true;
                    lobby = true;
                }
                Event::HandStarted { setup, .. } => {
                    setup.seats.iter().for_each(|dealt| private_of[dealt.seat.index()] = true);
                    lobby = true;
                }
                Event::HandEnded { .. } => {
                    lobby = true;
                    hands += 1;
                }
                Event::Left { .. } | Event::Status { .. } => lobby = true,
                _ => {}
            }
        }
        let privates = table.players().filter(|(seat, _)| private_of[usize::from(*seat)]);
        let privates = privates.map(|(seat, player)| {
            let private: TablePrivate = table.private(seat);
            (player.user.clone(), json(&private))
        });
        let privates = privates.collect();
        let counts = counted("cardhouse_hands_total", hands);
        let (public, asks, letters) = (json(&seen), Vec::new(), Vec::new());
        Decision {
            public,
            privates,
            rail: None,
            events,
            asks,
            gives_up: Vec::new(),
            letters,
            after: table,
            lobby,
            counts,
            is_talk,
        }
    }
}
