//! A decision in the making: what happens in the game, and what the tournament is told because of it.

use protocol::id::UserId;
use rooms::room::{
    Decision, Moment,
    letters::{LetterId, Reference, Said},
};

use super::state::{Event, Part, TournamentTable};
use crate::letters::{self, ToTournament};

/// See the module.
pub(super) struct Draft {
    /// The game with all that has happened to it so far.
    pub(super) table: table::Draft,
    /// All the rest, with all events so far.
    pub(super) part: Part,
    pub(super) moment: Moment,
    events: Vec<Event>,
    letters: Vec<Said>,
}

impl Draft {
    /// Nothing decided yet.
    pub(super) fn of(room: &TournamentTable, moment: Moment) -> Self {
        Self {
            table: table::Draft::of(&room.table, moment),
            part: room.part.clone(),
            moment,
            events: Vec::new(),
            letters: Vec::new(),
        }
    }

    /// Decides a fact that is not one of the game.
    pub(super) fn emit(&mut self, event: Event) {
        self.part.change(&event);
        self.events.push(event);
    }

    /// Tells the tournament, which needs not say these letters of its once more.
    pub(super) fn write(&mut self, what: &ToTournament, uses_up: impl IntoIterator<Item = LetterId>) {
        let of = &self.part.of;
        let re = uses_up.into_iter().map(|letter| Reference { from: of.clone(), letter }).collect();
        self.letters.push(Said { to: of.clone(), re, body: letters::write(what) });
    }

    /// Who sits in a seat goes, with all that lies before him.
    pub(super) fn lets_go(&mut self, seat: u8) -> Option<(UserId, u64)> {
        let player = self.table.table().seated(seat)?;
        let gone = (player.user.clone(), player.stack);
        self.table.emit(table::Event::Left { seat, at_ms: self.moment.now });
        self.emit(Event::Went { seat });
        Some(gone)
    }

    /// What is to be committed.
    pub(super) fn decision(self) -> Decision<TournamentTable> {
        let Self { table, part, moment: _, events, letters } = self;
        let decided = table.decision();
        // The game's facts first: what else follows from them reads no state of the game.
        let of_the_game = decided.events.into_iter().map(Event::Table);
        let events = of_the_game.chain(events).collect();
        let after = TournamentTable { table: decided.after, part };
        Decision {
            events,
            public: decided.public,
            privates: decided.privates,
            // Tables of strangers tell their rail nothing.
            rail: None,
            asks: decided.asks,
            gives_up: Vec::new(),
            letters,
            after,
            lobby: decided.lobby,
            counts: decided.counts,
            is_talk: decided.is_talk,
        }
    }
}
