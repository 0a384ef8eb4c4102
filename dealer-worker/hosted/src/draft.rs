//! A decision in the making, and what follows from whatever has happened: who leaves, who is the host, whether the table is over.

use protocol::{
    hosted::HostLeaves,
    id::UserId,
    rights::Rights,
    table::{TableCommand, TableEvent},
    time::UnixMs,
};
use rooms::{
    planted::{Fault, is_planted},
    room::{
        Decision, Moment, Room as _,
        errands::Ask,
        letters::{Body, Said},
    },
};
use seats::Wanted;
use table::{
    commands::{self, Asker},
    waiting,
};

use crate::{
    Event, Hosted,
    ai::{self, Ai},
    door::Door,
    entering,
};

/// What a table writes to the floor when it is over: the version of that.
pub(crate) const CLOSED: &[u8] = &[1];

/// See the module.
pub(crate) struct Draft<'a> {
    before: &'a Hosted,
    /// The game with all that has happened to it so far. What it says of it is taken over at the end.
    pub(crate) table: table::Draft,
    /// All the rest, with all events so far, but for the ledger.
    pub(crate) door: Door,
    /// The AI players.
    pub(crate) ai: Ai,
    /// For whom of them somebody is to be asked.
    pub(crate) wanted: Vec<Wanted>,
    moment: Moment,
    events: Vec<Event>,
}

impl<'a> Draft<'a> {
    /// Nothing decided yet.
    pub(crate) fn of(before: &'a Hosted, moment: Moment) -> Self {
        let table = table::Draft::of(&before.table, moment);
        let (door, ai) = (before.door.clone(), before.ai.clone());
        Self { before, table, door, ai, wanted: Vec::new(), moment, events: Vec::new() }
    }

    pub(crate) fn now(&self) -> UnixMs {
        self.moment.now
    }

    /// Decides a fact that is none of the game.
    pub(crate) fn emit(&mut self, event: Event) {
        self.door.change(&event);
        self.events.push(event);
    }

    /// The same of the AI players.
    pub(crate) fn emit_ai(&mut self, event: ai::Event) {
        self.ai.change(&event);
        self.events.push(Event::Ai(event));
    }

    /// Seats on which nobody sits, and that are kept for nobody.
    pub(crate) fn free_seats(&self) -> usize {
        let table = self.table.table();
        let seats = usize::from(table.config().seats);
        let (called, _) = waiting::count(table);
        let taken = table.public().seats.iter().flatten().count();
        seats.saturating_sub(taken + called + self.door.kept.len())
    }

    /// Whether a user's seat ends with the hand, whatever he says.
    pub(crate) fn must_go(&self, user: &UserId) -> bool {
        self.door.is_closing || self.door.leaving.contains(user)
    }

    /// Does what follows, as far as the hand that may be on lets it.
    pub(crate) fn settle(&mut self) {
        self.release_seats();
        ai::follow(self);
        self.part();
        if self.has_lost_its_host() {
            match (self.door.host_leaves, self.before.door.ledger.senior(self.table.table())) {
                (HostLeaves::PassOn, None) => {}
                (HostLeaves::PassOn, Some(user)) => self.emit(Event::Host { user }),
                (HostLeaves::Close, _) if self.door.is_closing => {}
                (HostLeaves::Close, _) => {
                    self.emit(Event::Closing);
                    self.part();
                }
            }
        }
        self.set();
        self.call();
        ai::follow(self);
        let is_empty = self.table.table().is_empty();
        match (is_empty, self.door.empty_since) {
            (true, None) => self.emit(Event::Empty { since_ms: self.now() }),
            (false, Some(_)) => self.emit(Event::Taken),
            _ => {}
        }
        if self.door.is_closing && is_empty && !self.door.is_over {
            self.emit(Event::Over);
        }
    }

    /// Seats that are kept for who sits now, or that somebody has in spite of it, are kept no more.
    fn release_seats(&mut self) {
        let table = self.table.table();
        let is_needless =
            |seat: u8, user: &UserId| table.seated(seat).is_some() || table.seat_of(user).is_some();
        let kept = self.door.kept.iter();
        let needless: Vec<u8> =
            kept.filter(|kept| is_needless(kept.seat, &kept.user)).map(|kept| kept.seat).collect();
        needless.into_iter().for_each(|seat| self.emit(Event::Released { seat }));
    }

    /// Whoever may not sit down waits no more; the others are called to the seats that are free and not kept.
    fn call(&mut self) {
        for user in waiting::users(self.table.table()) {
            if entering::may_wait(self, &user).is_err() {
                waiting::forget(&mut self.table, &user);
            }
        }
        ai::make_room(self);
        self.part();
        let kept: Vec<u8> = self.door.kept.iter().map(|kept| kept.seat).collect();
        waiting::call(&mut self.table, |seat| kept.contains(&seat));
    }

    /// Whoever is to leave does, unless he is in the hand that is on: he plays it to its end, so that nobody is kicked out of a pot.
    fn part(&mut self) {
        let players = self.table.table().public().seats.iter().flatten();
        let all =
            if self.door.is_closing { players.map(|seat| seat.user.clone()).collect() } else { Vec::new() };
        let whom: Vec<UserId> = all.into_iter().chain(self.door.leaving.clone()).collect();
        for user in whom {
            let seat = self.table.table().seat_of(&user);
            if seat.is_some_and(|seat| self.table.table().in_running_hand(seat)) {
                continue;
            }
            if seat.is_some() && !is_planted(Fault::KeepsKicked) {
                let asker = Asker { user: &user, name: "", rights: Rights::default() };
                let left = commands::follow(&mut self.table, asker, TableCommand::Leave);
                left.expect("who has a seat may leave");
            }
            if self.door.leaving.contains(&user) {
                self.emit(Event::Gone { user });
            }
        }
    }

    /// Whether the host has given up his seat, or lost it.
    fn has_lost_its_host(&self) -> bool {
        let host = &self.door.host;
        self.before.table.seat_of(host).is_some() && self.table.table().seat_of(host).is_none()
    }

    /// Sets the table otherwise, if that waits and no hand is on.
    fn set(&mut self) {
        if self.table.table().is_playing() {
            return;
        }
        if let Some(config) = self.door.pending.clone() {
            // It fitted when it was asked for, and a table keeps its seats.
            let changed = table::settings::change(&mut self.table, *config);
            debug_assert!(changed.is_ok(), "{changed:?}");
            self.emit(Event::Set);
        }
    }

    /// What is to be committed.
    pub(crate) fn decision(mut self) -> Decision<Hosted> {
        let hosted = self.door.view(&self.ai);
        let is_seen = hosted != self.before.door.view(&self.before.ai);
        if is_seen {
            self.table.tell(TableEvent::Hosted { hosted: Box::new(hosted) });
        }
        let Self { before, table, door, ai: _, wanted, moment, events } = self;
        let at_the_table = table.decision();
        // The game's facts first: what else follows from them reads no state of the game.
        let of_the_game = at_the_table.events.into_iter().map(Event::Table);
        let events: Vec<Event> = of_the_game.chain(events).collect();
        let mut after = before.clone();
        events.iter().for_each(|event| after.apply(event, moment.at));
        let is_over = door.is_over && !before.door.is_over;
        let body = || Body::new(CLOSED).expect("it is short");
        let letters = is_over.then(|| Said { to: door.floor.clone(), re: Vec::new(), body: body() });
        let mut asks = at_the_table.asks;
        if !wanted.is_empty() {
            let (of, body) = (seats::SERVICE.into(), seats::write(&wanted));
            asks.push(Ask { of, body, wants_answer: true, goes_first: false });
        }
        Decision {
            events,
            public: at_the_table.public,
            privates: at_the_table.privates,
            rail: at_the_table.rail,
            asks,
            letters: letters.into_iter().collect(),
            lobby: at_the_table.lobby || is_seen,
            counts: at_the_table.counts,
            is_talk: at_the_table.is_talk,
            ..Decision::nothing(after)
        }
    }
}
