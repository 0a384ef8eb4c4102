//! The state of a cash table, and what each event does to it.

use money::Currency;
use protocol::{
    id::{ErrandId, Position, UserId},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};
use table::Table;

/// A table, and where its chips come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cash {
    /// The game.
    pub(crate) table: Table,
    /// All the rest.
    pub(crate) chips: Chips,
}

/// Where the chips of a table come from. Changed by [`Chips::change`] and by nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chips {
    /// What they are.
    pub(crate) currency: Currency,
    /// Seats that wait for chips, in the order in which they were taken.
    pub(crate) reserved: Vec<Reservation>,
    /// What is known of the chips of each seat that is taken.
    pub(crate) stints: Vec<Option<Stint>>,
    /// Where something was decided last: what stands before it is part of the history.
    pub(crate) last: Position,
}

/// A seat that waits for chips.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reservation {
    pub(crate) seat: u8,
    pub(crate) user: UserId,
    /// What the token said that others see.
    pub(crate) name: String,
    /// What they saw when the seat was reserved.
    pub(crate) shown: String,
    pub(crate) amount: u64,
    /// Would rather wait for the big blind than post.
    pub(crate) waits: bool,
    /// The connection is gone.
    pub(crate) away: bool,
    /// The buy-in.
    pub(crate) asked: Asked,
    /// Its chips were paid out in a lost branch.
    pub(crate) is_paid: bool,
}

/// Chips that the cage is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) of: ErrandId,
    pub(crate) at_ms: UnixMs,
}

/// From sitting down to leaving.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stint {
    /// The buy-in that it began with.
    pub(crate) since: ErrandId,
    /// The player was paid in a lost branch: the chips are the house's.
    pub(crate) is_forfeit: bool,
    /// A top-up that the cage has not answered.
    pub(crate) top_up: Option<(u64, Asked)>,
}

/// One fact, in the words of the journal's records. Where it names an errand by its number, the errand is one of the same frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Of the game.
    Table(table::Event),
    /// A seat waits for chips.
    Reserved {
        /// Where.
        seat: u8,
        /// Who.
        user: UserId,
        /// The name that the token says.
        name: String,
        /// The name to show.
        shown: String,
        /// Chips.
        amount: u64,
        /// Waits for the big blind rather than post.
        waits: bool,
        /// When.
        at_ms: UnixMs,
        /// The buy-in's number.
        n: u16,
    },
    /// The player for whom a seat waits is gone, or is back.
    ReservedAway {
        /// Where.
        seat: u8,
        /// Gone?
        away: bool,
    },
    /// A seat waits no more. If its chips have come, the player sits down in the same frame.
    Released {
        /// Where.
        seat: u8,
    },
    /// A player has sat down with the chips of this buy-in.
    Began {
        /// Where.
        seat: u8,
        /// The buy-in.
        since: ErrandId,
    },
    /// A player has left.
    Ended {
        /// Where.
        seat: u8,
    },
    /// The cage is asked for a top-up.
    TopUpAsked {
        /// Where.
        seat: u8,
        /// Chips.
        amount: u64,
        /// When.
        at_ms: UnixMs,
        /// The top-up's number.
        n: u16,
    },
    /// The cage has answered a top-up, or it was given up.
    TopUpOver {
        /// Where.
        seat: u8,
    },
    /// This worker has opened the table or taken it over, and has told the cage from where it goes on.
    TakenOver,
    /// The cage has told whom it has paid in a lost branch.
    Cut,
    /// The player of a seat, or for whom it waits, was paid in a lost branch.
    Forfeited {
        /// Where.
        seat: u8,
    },
}

impl Cash {
    /// A table without players.
    pub(crate) fn new(currency: Currency, table: Table) -> Self {
        let stints = vec![None; usize::from(table.config().seats)];
        let chips = Chips { currency, reserved: Vec::new(), stints, last: Position::default() };
        Self { table, chips }
    }
}

impl Chips {
    /// Nothing was decided yet. It may be that the store has lost all that there was: so the first thing that is decided tells the cage that
    /// nothing was.
    pub(crate) fn is_new(&self) -> bool {
        self.last == Position::default()
    }

    pub(crate) fn reservation(&self, seat: u8) -> Option<&Reservation> {
        self.reserved.iter().find(|reserved| reserved.seat == seat)
    }

    pub(crate) fn reservation_of(&self, user: &UserId) -> Option<&Reservation> {
        self.reserved.iter().find(|reserved| reserved.user == *user)
    }

    pub(crate) fn stint(&self, seat: u8) -> Option<&Stint> {
        self.stints.get(usize::from(seat))?.as_ref()
    }

    /// Top-ups that the cage has not answered, by seat.
    pub(crate) fn top_ups(&self) -> impl Iterator<Item = (u8, u64, Asked)> {
        let stints = (0u8..).zip(&self.stints);
        stints.filter_map(|(seat, stint)| stint.as_ref()?.top_up.map(|(amount, asked)| (seat, amount, asked)))
    }

    /// When the cage was asked for each of the chips that it has not answered about.
    pub(crate) fn asked_at(&self) -> impl Iterator<Item = UnixMs> {
        let reserved = self.reserved.iter().map(|reserved| reserved.asked.at_ms);
        reserved.chain(self.top_ups().map(|(_, _, asked)| asked.at_ms))
    }

    /// Does what an event of the frame there says. What happens to the game itself is done by the table: see [`Event::Table`].
    pub(crate) fn change(&mut self, event: &Event, at: Position) {
        self.last = at;
        match event {
            Event::Table(_) | Event::TakenOver | Event::Cut => {}
            Event::Reserved { seat, user, name, shown, amount, waits, at_ms, n } => {
                let asked = Asked { of: ErrandId { at, n: *n }, at_ms: *at_ms };
                let (user, name, shown) = (user.clone(), name.clone(), shown.clone());
                let (seat, amount, waits) = (*seat, *amount, *waits);
                let reserved = Reservation {
                    seat,
                    user,
                    name,
                    shown,
                    amount,
                    waits,
                    away: false,
                    asked,
                    is_paid: false,
                };
                self.reserved.push(reserved);
            }
            Event::ReservedAway { seat, away } => {
                let reserved = self.reserved.iter_mut().find(|reserved| reserved.seat == *seat);
                reserved.expect("it is reserved").away = *away;
            }
            Event::Released { seat } => self.reserved.retain(|reserved| reserved.seat != *seat),
            Event::Began { seat, since } => {
                let stint = Stint { since: *since, is_forfeit: false, top_up: None };
                self.stints[usize::from(*seat)] = Some(stint);
            }
            Event::Ended { seat } => self.stints[usize::from(*seat)] = None,
            Event::TopUpAsked { seat, amount, at_ms, n } => {
                let asked = Asked { of: ErrandId { at, n: *n }, at_ms: *at_ms };
                self.stint_mut(*seat).top_up = Some((*amount, asked));
            }
            Event::TopUpOver { seat } => self.stint_mut(*seat).top_up = None,
            Event::Forfeited { seat } => {
                match self.reserved.iter_mut().find(|reserved| reserved.seat == *seat) {
                    Some(reserved) => reserved.is_paid = true,
                    None => self.stint_mut(*seat).is_forfeit = true,
                }
            }
        }
    }

    fn stint_mut(&mut self, seat: u8) -> &mut Stint {
        self.stints[usize::from(seat)].as_mut().expect("a seat that is taken has chips from somewhere")
    }
}
