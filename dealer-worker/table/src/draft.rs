//! A decision in the making: a copy of the table on which events take effect at once.

use hands::HandRecord;
use protocol::{
    id::UserId,
    table::{TableEvent, TablePrivate, WaitingList},
    time::UnixMs,
};
use rooms::{
    planted::{Fault, is_planted},
    room::{Decision, Moment, counted, errands::Ask},
};

use super::{Event, Table, json, rail, waiting};

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
    /// Of the hand that has ended, if one has.
    record: Option<HandRecord>,
    /// What the chips are.
    currency: Option<String>,
    has_ended_a_hand: bool,
    /// Who waited before.
    waiting: WaitingList,
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
        Self {
            table: table.clone(),
            now,
            events: Vec::new(),
            seen: Vec::new(),
            outgoing: Vec::new(),
            record: None,
            currency: None,
            has_ended_a_hand: false,
            waiting: table.waiting.view(),
        }
    }

    /// The chips are of this currency: records of hands say so.
    #[must_use]
    pub fn in_currency(self, currency: &str) -> Self {
        Self { currency: Some(currency.to_owned()), ..self }
    }

    /// Whether a hand has ended: the next one does not begin in the same frame.
    pub(super) fn has_ended_a_hand(&self) -> bool {
        self.has_ended_a_hand
    }

    /// Decides a fact.
    ///
    /// # Panics
    /// If it cannot follow from the table as it is: a fault of ours.
    pub fn emit(&mut self, event: Event) {
        match event {
            Event::HandStarted { .. } | Event::Hand { .. } if self.table.log.at_ms() != self.now => {
                self.apply(Event::Timed { at_ms: self.now });
            }
            Event::HandEnded { at_ms, .. } => {
                self.record = self.table.record(at_ms);
                self.has_ended_a_hand = true;
            }
            _ => {}
        }
        let leaves = match &event {
            Event::Left { seat, .. } => self.table.seated(*seat).map(|player| player.user.clone()),
            _ => None,
        };
        self.apply(event);
        if let Some(user) = leaves {
            waiting::left(self, &user);
        }
    }

    fn apply(&mut self, event: Event) {
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

    /// Who has missed a call.
    pub fn missed_calls(&self) -> Vec<UserId> {
        let missed = self.events.iter().filter_map(|event| match event {
            Event::CallMissed { user, .. } => Some(user.clone()),
            _ => None,
        });
        missed.collect()
    }

    /// What is told of a hand that is over.
    fn tells(&mut self) -> Vec<Ask> {
        let record = self.record.take().filter(|_| !is_planted(Fault::TellsNoHands));
        let ask = |record: HandRecord| {
            let players = self.table.players();
            let stacks = players.map(|(_, player)| (player.user.clone(), player.stack)).collect();
            let record = HandRecord { stacks, currency: self.currency.take(), ..record };
            Ask { of: hands::SERVICE.into(), body: record.write(), wants_answer: false, goes_first: false }
        };
        record.map(ask).into_iter().collect()
    }

    /// What is to be committed.
    pub fn decision(mut self) -> Decision<Table> {
        let asks = self.tells();
        let tells_rail = rail::tell(&mut self);
        let Self { table, now: _, events, mut seen, waiting, .. } = self;
        let waiting_list = table.waiting.view();
        let is_line_news = waiting_list != waiting;
        if is_line_news && !is_planted(Fault::CallsInSilence) {
            seen.push(TableEvent::WaitingList { waiting_list: Box::new(waiting_list) });
        }
        let mut private_of = [false; holdem::seat::SEATS_MAX];
        let mut waiters = Vec::new();
        let (mut lobby, mut hands) = (is_line_news, 0u64);
        let is_said = |event: &Event| matches!(event, Event::Chat { .. });
        let is_talk = events.iter().any(is_said)
            && events.iter().all(|event| is_said(event) || matches!(event, Event::CardsTold { .. }));
        for event in &events {
            match event {
                // So that relays learn of a member who has no cards yet.
                Event::Seated { seat, .. } => {
                    private_of[usize::from(*seat)] = true;
                    lobby = true;
                }
                Event::Waits { user, .. } => waiters.push(user.clone()),
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
        let waiters = waiters.into_iter().filter(|user| table.seat_of(user).is_none());
        let privates = privates.chain(waiters.map(|user| (user, json(&TablePrivate::default())))).collect();
        let mut counts = counted("cardhouse_hands_total", hands);
        counts.extend(counted("cardhouse_hands_unrecorded_total", hands.saturating_sub(asks.len() as u64)));
        let (public, letters) = (json(&seen), Vec::new());
        Decision {
            public,
            privates,
            rail: table.for_the_rail().filter(|_| tells_rail),
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
