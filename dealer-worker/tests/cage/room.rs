//! A table for two, as a model: each buys one chip, they play for it, and whoever leaves is paid.

use std::collections::{BTreeMap, BTreeSet};

use broker::{
    lobby::{Line, More},
    node::RoomSpec,
};
use protocol::{
    id::{Position, RoomId, UserId},
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use rooms::room::{
    BadSpec, Decision, Input, Moment, Refusal, Room,
    errands::{Ask, ErrandId, Outcome},
    record::{self, BadRecord},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    Faults,
    ledger::{Player, Request},
};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stakes {
    pub(crate) seats: BTreeMap<Player, Seat>,
    /// How often a chip has gone from the first player to the other.
    pub(crate) plays: i64,
    /// Where something was decided last: what stands before it is part of the history.
    last: Position,
    faults: Faults,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Seat {
    /// Waits for a buy-in.
    Reserved {
        of: ErrandId,
        /// Whose chips were paid out in a lost branch.
        is_paid: bool,
    },
    /// Bought by this errand.
    Taken { chips: i64, since: ErrandId },
    /// The player was paid in a lost branch: the chips are the house's.
    Forfeit { chips: i64 },
}

impl Seat {
    pub(crate) fn chips(&self) -> i64 {
        match self {
            Self::Reserved { .. } => 0,
            Self::Taken { chips, .. } | Self::Forfeit { chips } => *chips,
        }
    }

    fn add(&mut self, more: i64) {
        match self {
            Self::Reserved { .. } => unreachable!("only who has chips plays"),
            Self::Taken { chips, .. } | Self::Forfeit { chips } => *chips += more,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Event {
    Reserved(Player),
    Seated { player: Player, since: ErrandId },
    Freed(Player),
    GivenUp(Player),
    Played,
    Left(Player),
    TakenOver,
    Cut { epoch: u64, paid: BTreeSet<Player> },
}

/// What players do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Wish {
    Sit(Player),
    Leave(Player),
    GiveUp(Player),
    Play,
}

impl Stakes {
    pub(crate) fn new(faults: Faults) -> Self {
        Self { faults, ..Self::default() }
    }

    /// What may be wished for now.
    pub(crate) fn allows(&self, wish: Wish) -> bool {
        match wish {
            Wish::Sit(player) => !self.seats.contains_key(&player),
            Wish::Leave(player) => {
                self.seats.get(&player).is_some_and(|seat| !matches!(seat, Seat::Reserved { .. }))
            }
            Wish::GiveUp(player) => matches!(self.seats.get(&player), Some(Seat::Reserved { .. })),
            Wish::Play => {
                let [loser, winner] = [0, 1].map(|player| self.seats.get(&player));
                loser.is_some_and(|seat| seat.chips() > 0)
                    && winner.is_some_and(|seat| !matches!(seat, Seat::Reserved { .. }))
            }
        }
    }

    pub(crate) fn is_forfeit(&self, player: Player) -> bool {
        matches!(self.seats.get(&player), Some(Seat::Forfeit { .. }))
    }

    fn wishes(&self, wish: Wish) -> (Event, Option<(Request, bool)>, Option<ErrandId>) {
        match wish {
            Wish::Sit(player) => (Event::Reserved(player), Some((Request::BuyIn { player }, true)), None),
            Wish::Leave(player) => {
                let seat = &self.seats[&player];
                let request = match *seat {
                    Seat::Forfeit { chips } => Request::Absorb { player, chips },
                    _ => Request::CashOut { player, chips: seat.chips() },
                };
                (Event::Left(player), (seat.chips() > 0).then_some((request, false)), None)
            }
            Wish::GiveUp(player) => {
                let Seat::Reserved { of, .. } = self.seats[&player] else {
                    unreachable!("it waits for a buy-in")
                };
                (Event::GivenUp(player), Some((Request::Void { of }, false)), Some(of))
            }
            Wish::Play => (Event::Played, None, None),
        }
    }
}

impl Room for Stakes {
    type Event = Event;

    const KIND: u8 = 254;
    const SINCE: u16 = 3;
    const NAME: &'static str = "stakes";
    const SCHEMA: u16 = 1;

    fn read(_schema: u16, record: &mut &[u8]) -> Result<Self, BadRecord> {
        record::take(record)
    }

    fn read_events(_schema: u16, record: &mut &[u8]) -> Result<Vec<Event>, BadRecord> {
        record::take(record)
    }

    fn open(_spec: &RoomSpec) -> Result<Self, BadSpec> {
        Ok(Self::default())
    }

    fn decide(
        &self,
        input: Input<'_>,
        moment: Moment,
        _rng: &mut dyn Rng,
    ) -> Result<Decision<Self>, Refusal> {
        let (event, request, given_up) = match input {
            Input::Command { body, .. } => self.wishes(postcard::from_bytes(body).unwrap()),
            Input::TakenOver { .. } => {
                let before = Position::new(moment.at.epoch().0, moment.at.seq().0 - 1);
                let follows = if self.faults.cuts_at_its_keyframe { before } else { self.last };
                let cut = Request::Cut { epoch: moment.at.epoch(), follows };
                (Event::TakenOver, (!self.faults.tells_no_cut).then_some((cut, true)), None)
            }
            Input::Outcome { errand, outcome } => {
                let event = match (postcard::from_bytes(&errand.ask.body).unwrap(), outcome) {
                    (Request::BuyIn { player }, Outcome::Done(_)) => {
                        Event::Seated { player, since: errand.id }
                    }
                    (Request::BuyIn { player }, Outcome::Refused(_)) => Event::Freed(player),
                    (Request::Cut { epoch, .. }, Outcome::Done(paid)) => {
                        Event::Cut { epoch: epoch.0, paid: postcard::from_bytes(paid).unwrap() }
                    }
                    (request, outcome) => unreachable!("{request:?} wants no answer: {outcome:?}"),
                };
                (event, None, None)
            }
            _ => unreachable!("nothing else comes"),
        };
        let ask = |(request, wants_answer)| Ask {
            of: "cage".into(),
            body: postcard::to_stdvec::<Request>(&request).unwrap(),
            wants_answer,
            goes_first: matches!(request, Request::Cut { .. }) && !self.faults.cuts_in_turn,
        };
        let mut after = self.clone();
        after.apply(&event, moment.at);
        let asks = request.map(ask).into_iter().collect();
        let gives_up = given_up.into_iter().collect();
        Ok(Decision { events: vec![event], asks, gives_up, ..Decision::nothing(after) })
    }

    fn apply(&mut self, event: &Event, at: Position) {
        self.last = at;
        match event {
            Event::Reserved(player) => {
                let of = ErrandId { at, n: 0 };
                self.seats.insert(*player, Seat::Reserved { of, is_paid: false });
            }
            Event::Seated { player, since } => {
                let is_paid = matches!(self.seats.get(player), Some(Seat::Reserved { is_paid: true, .. }));
                let taken = Seat::Taken { chips: 1, since: *since };
                self.seats.insert(*player, if is_paid { Seat::Forfeit { chips: 1 } } else { taken });
            }
            Event::Freed(player) | Event::GivenUp(player) | Event::Left(player) => {
                self.seats.remove(player);
            }
            Event::Played => {
                self.plays += 1;
                for (player, change) in [(0, -1), (1, 1)] {
                    self.seats.get_mut(&player).expect("both are there").add(change);
                }
            }
            Event::TakenOver => {}
            Event::Cut { epoch, paid } => {
                let is_of_before = |of: &ErrandId| of.at.epoch().0 < *epoch || self.faults.sends_all_away;
                for player in paid {
                    match self.seats.get_mut(player) {
                        Some(Seat::Reserved { of, is_paid }) if is_of_before(of) => {
                            *is_paid = !self.faults.seats_the_paid;
                        }
                        Some(seat) => {
                            if let Seat::Taken { chips, since } = &*seat
                                && is_of_before(since)
                            {
                                *seat = Seat::Forfeit { chips: *chips };
                            }
                        }
                        None => {}
                    }
                }
            }
        }
    }

    fn deadline(&self) -> Option<UnixMs> {
        None
    }

    fn view(&self) -> Box<RawValue> {
        RawValue::from_string("null".into()).unwrap()
    }

    fn privates(&self) -> Vec<(UserId, Box<RawValue>)> {
        Vec::new()
    }

    fn is_member(&self, _user: &UserId) -> bool {
        false
    }

    fn members(&self) -> Vec<UserId> {
        Vec::new()
    }

    fn line(&self, room: &RoomId, _now: UnixMs) -> Option<Line> {
        Some(Line {
            room: room.clone(),
            kind: Self::NAME.into(),
            name: String::new(),
            game: String::new(),
            big_blind: 0,
            seats: 2,
            taken: 0,
            average_pot: 0,
            hands_per_hour: 0,
            starts_ms: 0,
            more: More::default(),
        })
    }
}
