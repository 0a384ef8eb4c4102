//! A decision in the making: a copy of the tournament on which events take effect at once, what everybody sees of them, letters and errands.

use protocol::{
    id::{ErrandId, RoomId},
    tournament::TournamentEvent as Seen,
};
use rooms::room::{
    Decision, Moment, counted,
    errands::Ask,
    json,
    letters::{Reference, Said},
};
use serde_json::{Map, Value};

use super::{
    state::{Event, Tournament},
    view,
};
use crate::letters::{self, ToTable};

/// See the module.
pub(super) struct Draft {
    /// The tournament with all events so far.
    pub(super) room: Tournament,
    pub(super) moment: Moment,
    /// What everybody saw of it before.
    before: Map<String, Value>,
    events: Vec<Event>,
    seen: Vec<Seen>,
    asks: Vec<Ask>,
    /// What is asked no more.
    pub(super) gives_up: Vec<ErrandId>,
    letters: Vec<Said>,
}

impl Draft {
    /// Nothing decided yet.
    pub(super) fn of(room: &Tournament, moment: Moment) -> Self {
        Self {
            room: room.clone(),
            moment,
            before: view::live(room),
            events: Vec::new(),
            seen: Vec::new(),
            asks: Vec::new(),
            gives_up: Vec::new(),
            letters: Vec::new(),
        }
    }

    /// Decides a fact.
    pub(super) fn emit(&mut self, event: Event) {
        self.seen.extend(view::seen(&self.room, &event));
        self.room.change(&event, self.moment.at);
        self.events.push(event);
    }

    /// Asks for something to be done outside. Answers the errand's number.
    pub(super) fn ask(&mut self, ask: Ask) -> u16 {
        let n = u16::try_from(self.asks.len()).expect("a decision asks for little");
        self.asks.push(ask);
        n
    }

    /// Tells a table.
    pub(super) fn write(&mut self, table: u32, what: &ToTable, re: Option<Reference>) {
        let to: RoomId = self.room.room_of(table);
        self.letters.push(Said { to, re: re.into_iter().collect(), body: letters::write(what) });
    }

    /// What is to be committed.
    pub(super) fn decision(mut self) -> Decision<Tournament> {
        debug_assert!(self.room.is_counted_right(), "what is counted along is what there is");
        let now = view::live(&self.room);
        let changed = now.iter().filter(|(name, value)| self.before.get(*name) != Some(value));
        let set: Map<String, Value> = changed.map(|(name, value)| (name.clone(), value.clone())).collect();
        let lobby = !set.is_empty();
        if lobby {
            self.seen.push(Seen::Now { set });
        }
        let ended = self.events.iter().any(|event| matches!(event, Event::Ended { .. }));
        let counts = counted("cardhouse_tournaments_ended_total", u64::from(ended));
        let Self { room, events, seen, asks, gives_up, letters, .. } = self;
        let public = json(&seen);
        Decision { public, events, asks, gives_up, letters, lobby, counts, ..Decision::nothing(room) }
    }
}
