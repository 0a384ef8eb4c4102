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

use crate::state::{Cash, Event};

/// See the module.
pub(crate) struct Draft {
    /// The game with all that has happened to it so far. What it says of it is taken over at the end.
    pub(crate) table: table::Draft,
    /// All the rest, with all events so far; its own table is the one of before.
    pub(crate) cash: Cash,
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
            table: table::Draft::of(&cash.table, moment),
            cash: cash.clone(),
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
        self.cash.change(&event, self.moment.at);
        self.events.push(event);
    }

    /// The number of the next errand.
    pub(crate) fn next_errand(&self) -> u16 {
        u16::try_from(self.asks.len()).expect("a decision asks for little")
    }

    /// Asks the cage.
    pub(crate) fn ask(&mut self, ask: &Ask) {
        let wants_answer = matches!(ask, Ask::BuyIn(_) | Ask::TopUp(_) | Ask::Cut { .. });
        let goes_first = matches!(ask, Ask::Cut { .. });
        self.asks.push(errands::Ask { of: SERVICE.into(), body: ask.write(), wants_answer, goes_first });
    }

    /// Chips are asked for no more: whatever became of the asking, they go back.
    pub(crate) fn give_up(&mut self, of: ErrandId) {
        self.gives_up.push(of);
        self.ask(&Ask::Void { of });
    }

    /// Chips are the house's.
    pub(crate) fn absorb(&mut self, user: UserId, amount: u64) {
        let currency = self.cash.currency;
        self.ask(&Ask::Absorb(Share { user, currency, amount }));
    }

    /// A player learns that chips do not come.
    pub(crate) fn decline(&mut self, user: UserId, declined: Declined) {
        self.declined.push((user, declined));
    }

    /// What has gone from the table goes to whose it is.
    fn settle(&mut self) {
        let currency = self.cash.currency;
        let mut raked = 0;
        for outgoing in self.table.outgoing().to_vec() {
            match outgoing {
                table::Outgoing::Raked { chips } => raked += chips,
                table::Outgoing::Lapsed { seat, user, chips } => self.give_back(seat, user, chips),
                table::Outgoing::Parting { seat, user, chips } => self.pay_out(seat, user, chips),
            }
        }
        if raked > 0 {
            self.ask(&Ask::Rake { currency, amount: raked, hand: self.table.table().hand() });
        }
    }

    /// A player leaves with so many chips.
    fn pay_out(&mut self, seat: u8, user: UserId, amount: u64) {
        let stint = self.cash.stint(seat).expect("who leaves has brought chips").clone();
        if let Some((_, asked)) = stint.top_up {
            self.give_up(asked.of);
        }
        let share = Share { user, currency: self.cash.currency, amount };
        match amount {
            // The cage is to know that he plays no more.
            0 => self.ask(&Ask::CashOut(share)),
            _ if is_planted(Fault::PaysNobody) => {}
            _ if stint.is_forfeit => self.ask(&Ask::Absorb(share)),
            _ => self.ask(&Ask::CashOut(share)),
        }
        self.emit(Event::Ended { seat });
    }

    /// Chips that the player of a seat has brought, and that do not come on the table.
    pub(crate) fn give_back(&mut self, seat: u8, user: UserId, amount: u64) {
        let is_forfeit = self.cash.stint(seat).is_some_and(|stint| stint.is_forfeit);
        let share = Share { user, currency: self.cash.currency, amount };
        if amount > 0 {
            self.ask(&if is_forfeit { Ask::Absorb(share) } else { Ask::Return(share) });
        }
    }

    /// What is to be committed.
    pub(crate) fn decision(mut self) -> Decision<Cash> {
        self.settle();
        let Self { table, mut cash, moment, events, asks, gives_up, declined } = self;
        let at_the_table = table.decision();
        cash.table = at_the_table.after;
        let is_anything_else = !events.is_empty();
        // The game's facts first: what else follows from them reads no state of the game.
        let of_the_game = at_the_table.events.into_iter().map(Event::Table);
        let events: Vec<Event> = of_the_game.chain(events).collect();
        if !events.is_empty() {
            cash.last = moment.at;
        }
        let mut privates = at_the_table.privates;
        for (user, declined) in declined {
            let seat = cash.table.seat_of(&user);
            let private = seat.map(|seat| cash.table.private(seat)).unwrap_or_default();
            let private = TablePrivate { declined: Some(declined), ..private };
            let private = to_raw_value(&private).expect("what a table tells is JSON");
            privates.retain(|(other, _)| *other != user);
            privates.push((user, private));
        }
        Decision {
            events,
            public: at_the_table.public,
            privates,
            rail: None,
            asks,
            gives_up,
            letters: Vec::new(),
            lobby: at_the_table.lobby || is_anything_else,
            counts: at_the_table.counts,
            is_talk: at_the_table.is_talk,
            after: cash,
        }
    }
}
