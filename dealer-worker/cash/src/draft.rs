//! A decision in the making: what happens at the table, and what the cage is asked because of it.

use money::{Ask, Body as _, SERVICE, Share};
use protocol::{
    id::{ErrandId, UserId},
    table::{Declined, TablePrivate},
    time::UnixMs,
};
use rooms::{
    planted::{Fault, is_planted},
    room::{Decision, Moment, errands},
};
use serde_json::value::to_raw_value;
use table::waiting;

use crate::state::{Cash, Chips, Event, Stint};

/// See the module.
pub(crate) struct Draft {
    /// The game with all that has happened to it so far. What it says of it is taken over at the end.
    pub(crate) table: table::Draft,
    /// All the rest, with all events so far.
    pub(crate) chips: Chips,
    pub(crate) moment: Moment,
    events: Vec<Event>,
    asks: Vec<errands::Ask>,
    gives_up: Vec<ErrandId>,
    declined: Vec<(UserId, Declined)>,
}

impl Draft {
    /// Nothing decided yet.
    pub(crate) fn of(cash: &Cash, moment: Moment) -> Self {
        Self {
            table: table::Draft::of(&cash.table, moment).in_currency(cash.chips.currency.as_str()),
            chips: cash.chips.clone(),
            moment,
            events: Vec::new(),
            asks: Vec::new(),
            gives_up: Vec::new(),
            declined: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> UnixMs {
        self.moment.now
    }

    /// Decides a fact that is not one of the game.
    pub(crate) fn emit(&mut self, event: Event) {
        self.chips.change(&event, self.moment.at);
        self.events.push(event);
    }

    /// The number of the next errand.
    pub(crate) fn next_errand(&self) -> u16 {
        u16::try_from(self.asks.len()).expect("a decision asks for little")
    }

    /// Asks the cage.
    pub(crate) fn ask(&mut self, ask: &Ask) {
        let (wants_answer, goes_first) = (ask.wants_answer(), ask.goes_first());
        self.asks.push(errands::Ask { of: SERVICE.into(), body: ask.write(), wants_answer, goes_first });
    }

    /// Chips are asked for no more: whatever became of the asking, they go back.
    pub(crate) fn give_up(&mut self, of: ErrandId) {
        self.gives_up.push(of);
        self.ask(&Ask::Void { of });
    }

    /// So many chips go from the table, to the player or to the house.
    pub(crate) fn give(&mut self, ask: fn(Share) -> Ask, user: UserId, amount: u64) {
        self.ask(&ask(Share { user, currency: self.chips.currency, amount }));
    }

    /// A player learns that chips do not come.
    pub(crate) fn decline(&mut self, user: UserId, declined: Declined) {
        self.declined.push((user, declined));
    }

    /// What has gone from the table goes to whose it is.
    fn settle(&mut self) {
        let mut raked = 0;
        for outgoing in self.table.outgoing().to_vec() {
            match outgoing {
                table::Outgoing::Raked { chips } => raked += chips,
                table::Outgoing::Lapsed { seat, user, chips } => self.give_back(seat, user, chips),
                table::Outgoing::Parting { seat, user, chips } => self.pay_out(seat, user, chips),
            }
        }
        if raked > 0 {
            let (currency, hand) = (self.chips.currency, self.table.table().hand());
            self.ask(&Ask::Rake { currency, amount: raked, hand });
        }
    }

    /// A player leaves with so many chips.
    fn pay_out(&mut self, seat: u8, user: UserId, amount: u64) {
        let Stint { is_forfeit, top_up, .. } = *self.chips.stint(seat).expect("who leaves has brought chips");
        if let Some((_, asked)) = top_up {
            self.give_up(asked.of);
        }
        // Of nothing, too: the cage is to know that he plays no more.
        if amount == 0 || !is_planted(Fault::PaysNobody) {
            let is_the_houses = is_forfeit && amount > 0;
            let amount = amount + u64::from(is_planted(Fault::PaysOneTooMany));
            self.give(if is_the_houses { Ask::Absorb } else { Ask::CashOut }, user, amount);
        }
        self.emit(Event::Ended { seat });
    }

    /// Chips that the player of a seat has brought, and that do not come on the table.
    pub(crate) fn give_back(&mut self, seat: u8, user: UserId, amount: u64) {
        let is_forfeit = self.chips.stint(seat).is_some_and(|stint| stint.is_forfeit);
        if amount > 0 {
            self.give(if is_forfeit { Ask::Absorb } else { Ask::Return }, user, amount);
        }
    }

    /// What is to be committed.
    pub(crate) fn decision(mut self) -> Decision<Cash> {
        let reserved: Vec<u8> = self.chips.reserved.iter().map(|reserved| reserved.seat).collect();
        waiting::call(&mut self.table, |seat| reserved.contains(&seat));
        self.settle();
        let Self { table, mut chips, moment, events, mut asks, gives_up, declined } = self;
        let at_the_table = table.decision();
        // Behind those that the events name by their numbers.
        asks.extend(at_the_table.asks);
        let is_anything_else = !events.is_empty();
        // The game's facts first: what else follows from them reads no state of the game.
        let of_the_game = at_the_table.events.into_iter().map(Event::Table);
        let events: Vec<Event> = of_the_game.chain(events).collect();
        if !events.is_empty() {
            chips.last = moment.at;
        }
        let after = Cash { table: at_the_table.after, chips };
        let mut privates = at_the_table.privates;
        for (user, declined) in declined {
            let seat = after.table.seat_of(&user);
            let private = seat.map(|seat| after.table.private(seat)).unwrap_or_default();
            let private = TablePrivate { declined: Some(declined), ..private };
            let private = to_raw_value(&private).expect("what a table tells is JSON");
            privates.retain(|(other, _)| *other != user);
            privates.push((user, private));
        }
        Decision {
            events,
            public: at_the_table.public,
            privates,
            rail: at_the_table.rail,
            asks,
            gives_up,
            letters: Vec::new(),
            lobby: at_the_table.lobby || is_anything_else,
            counts: at_the_table.counts,
            is_talk: at_the_table.is_talk,
            after,
        }
    }
}
