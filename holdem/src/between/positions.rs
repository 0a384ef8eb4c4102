//! Where button and blinds are in the next hand (TDA 32, 34).

use serde::{Deserialize, Serialize};

use crate::seat::{SeatIndex, SeatSet};

/// Button and blinds of a hand. Button and small blind may be empty seats: a dead button, a dead small blind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Positions {
    /// The button.
    pub button: SeatIndex,
    /// The small blind's place. Heads-up it is the button.
    pub small_blind: SeatIndex,
    /// The big blind; always a player.
    pub big_blind: SeatIndex,
}

/// How the button moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ButtonRule {
    /// The big blind goes to the next player, the small blind to the last big blind's seat and the button to the last
    /// small blind's, occupied or not: everybody pays each blind once a round (TDA 32).
    #[default]
    Dead,
    /// The button goes to the next player and the blinds to the two after him; who leaves or comes shifts them.
    Moving,
}

impl ButtonRule {
    /// The next positions, given who is `present` and who of them owes nothing (`settled`, at least two). Only someone
    /// who owes nothing takes button or small blind; the big blind takes whoever is next.
    pub(super) fn advance(self, last: Positions, present: SeatSet, settled: SeatSet) -> Positions {
        match self {
            ButtonRule::Dead => Positions {
                button: last.small_blind,
                small_blind: last.big_blind,
                big_blind: next(present, last.big_blind),
            },
            ButtonRule::Moving => {
                let from = |button| {
                    let small_blind = next(settled, button);
                    Positions { button, small_blind, big_blind: next(present, small_blind) }
                };
                // When others left, the next button may give the last big blind the same again: then one further.
                let mut candidates = settled.clockwise_from(last.button).map(from);
                let first = candidates.next().expect("at least two players are settled");
                std::iter::once(first)
                    .chain(candidates)
                    .find(|positions| positions.big_blind != last.big_blind)
                    .unwrap_or(first)
            }
        }
    }
}

impl Positions {
    /// Whether a seat lies between the button and the big blind, where nobody may enter the game: he would be dealt in
    /// without having had to pay.
    pub(super) fn between_button_and_big_blind(&self, seat: SeatIndex) -> bool {
        passes(self.button, self.big_blind, seat)
    }

    /// Whether a seat lies between the button and the small blind: the blinds have just passed it. A button that is to
    /// be put right ([`Positions::with_valid_button`]) leaves no such seat.
    pub(super) fn between_button_and_small_blind(&self, seat: SeatIndex) -> bool {
        self.has_valid_button() && passes(self.button, self.small_blind, seat)
    }

    /// Whether the button is where it belongs, between big blind and small blind. It is not with a dead button when
    /// players come or go next to heads-up play.
    fn has_valid_button(&self) -> bool {
        passes(self.big_blind, self.small_blind, self.button)
    }

    /// The same with the button on the last player before the small blind, if it was not where it belongs.
    #[must_use]
    pub(super) fn with_valid_button(self, dealt: SeatSet) -> Positions {
        if self.has_valid_button() {
            return self;
        }
        let button = dealt.clockwise_from(self.small_blind).filter(|&seat| seat != self.small_blind).last();
        Positions { button: button.unwrap_or(self.button), ..self }
    }
}

/// The first hand: the button at the first player at or left of a seat, the blinds at the next ones.
pub(super) fn first(present: SeatSet, at: SeatIndex) -> Positions {
    let button = if present.contains(at) { at } else { next(present, at) };
    let small_blind = if present.len() == 2 { button } else { next(present, button) };
    Positions { button, small_blind, big_blind: next(present, small_blind) }
}

/// Two players: the big blind is the next after the last one, so nobody has it twice running, and the other has button
/// and small blind (TDA 34-B).
pub(super) fn heads_up(last: Positions, dealt: SeatSet) -> Positions {
    let big_blind = next(dealt, last.big_blind);
    let button = next(dealt, big_blind);
    Positions { button, small_blind: button, big_blind }
}

/// Whether going clockwise from `from` to `to` one passes `seat` on the way. From a seat to itself is a full round.
pub(super) fn passes(from: SeatIndex, to: SeatIndex, seat: SeatIndex) -> bool {
    from.clockwise().take_while(|&at| at != to).any(|at| at == seat) && seat != from
}

fn next(seats: SeatSet, after: SeatIndex) -> SeatIndex {
    seats.clockwise_from(after).next().expect("at least two players are present")
}
