//! A decision in the making: a copy of the table on which events take effect at once.

use protocol::{id::UserId, table::TableEvent, time::UnixMs};
use rooms::room::{Decision, Moment, counted};

use super::{Event, Table, json};

/// See the module.
#[derive(Debug)]
pub struct Draft {
    /// The table with all events so far.
    pub(super) table: Table,
    /// The time of the decision.
    pub(super) now: UnixMs,
    events: Vec<Event>,
    seen: Vec<TableEvent>,
    outgoing: Vec<Outgoing>,
}

/// Chips that go from the table to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// A player has left.
    Parting {
        /// From which seat.
        seat: u8,
        /// Who.
        user: UserId,
        /// All that lay before him, and what he had promised to bring.
        chips: u64,
    },
    /// Chips that were promised do not come.
    Lapsed {
        /// Whose seat.
        seat: u8,
        /// Who.
        user: UserId,
        /// So many.
        chips: u64,
    },
    /// The house has taken its share of a pot.
    Raked {
        /// So many.
        chips: u64,
    },
}

impl Draft {
    /// Nothing decided yet.
    pub fn of(table: &Table, Moment { now, at: _ }: Moment) -> Self {
        Self { table: table.clone(), now, events: Vec::new(), seen: Vec::new(), outgoing: Vec::new() }
    }

    /// Decides a fact.
    ///
    /// # Panics
    /// If it cannot follow from the table as it is: a fault of ours.
    pub fn emit(&mut self, event: Event) {
        let player = |seat: u8| self.table.seated(seat);
        let outgoing = match event {
            Event::Left { seat, .. } => player(seat).map(|player| {
                let (user, chips) = (player.user.clone(), player.stack + player.top_up);
                Outgoing::Parting { seat, user, chips }
            }),
            Event::TopUpLapsed { seat, amount } => {
                player(seat).map(|player| Outgoing::Lapsed { seat, user: player.user.clone(), chips: amount })
            }
            _ => None,
        };
        self.outgoing.extend(outgoing);
        let before = self.seen.len();
        self.table.apply_into(&event, &mut self.seen);
        let raked = self.seen[before..].iter().filter_map(|seen| match seen {
            TableEvent::Raked { amount, .. } => Some(Outgoing::Raked { chips: *amount }),
            _ => None,
        });
        self.outgoing.extend(raked);
        self.events.push(event);
    }

    /// What happens around the table: everybody sees it, and it changes nothing at the table itself.
    pub fn tell(&mut self, seen: TableEvent) {
        self.seen.push(seen);
    }

    /// The table with all events so far.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// What has gone from the table so far, in that order.
    pub fn outgoing(&self) -> &[Outgoing] {
        &self.outgoing
    }

    /// What is to be committed.
    pub fn decision(self) -> Decision<Table> {
        let Self { table, now: _, events, seen, outgoing: _ } = self;
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
                Event::Left { .. } | Event::Status { .. } | Event::Configured { .. } => lobby = true,
                _ => {}
            }
        }
        let privates = table.players().filter(|(seat, _)| private_of[usize::from(*seat)]);
        let privates = privates.map(|(seat, player)| (player.user.clone(), json(&table.private(seat))));
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
