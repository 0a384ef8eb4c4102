//! The facts of a hand. Nothing changes a [`Hand`](crate::Hand) but these.

use serde::{Deserialize, Serialize};

use crate::card::{Board, HoleCards};
use crate::chips::Chips;
use crate::player::ShowChoice;
use crate::seat::SeatIndex;

/// One fact of a hand, in the order they happen. All amounts are chips; "to" is the total on the current street.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A forced bet. `amount` is less than `due` when the stack did not suffice.
    Posted {
        /// Who pays.
        seat: SeatIndex,
        /// For what.
        kind: PostKind,
        /// What was paid.
        amount: Chips,
        /// What was due.
        due: Chips,
    },
    /// A player's hole cards. **Private** to the seat: others get [`Event::public`].
    HoleDealt {
        /// Whose cards.
        seat: SeatIndex,
        /// The cards.
        cards: HoleCards,
    },
    /// A player acted.
    Acted {
        /// Who.
        seat: SeatIndex,
        /// What he did.
        did: Did,
        /// Whether it took his last chip.
        all_in: bool,
    },
    /// Part of a wager that nobody matched goes back (before any rake).
    UncalledReturned {
        /// Whose wager.
        seat: SeatIndex,
        /// How much goes back.
        amount: Chips,
    },
    /// A betting round is over and its bets lie in the pots.
    BetsCollected,
    /// Betting is over before the river with players all-in: who is still in may agree on several boards.
    RunsOffered {
        /// The most boards.
        max: u8,
    },
    /// A player's answer to the offer.
    RunsVoted {
        /// Who.
        seat: SeatIndex,
        /// The most boards he agrees to; 1 declines.
        boards: u8,
    },
    /// How many boards will be dealt: the least that anyone agreed to.
    RunsAgreed {
        /// The number of boards, 1 to 3.
        boards: u8,
    },
    /// Community cards, after a burn.
    StreetDealt {
        /// Which board, from 0; beyond 0 only when it is run more than once.
        board: u8,
        /// The street these cards make.
        street: Street,
        /// The new cards only.
        cards: Board,
    },
    /// A player has said beforehand what to do with his cards at showdown. **Private** to the seat.
    ShowdownChosen {
        /// Who.
        seat: SeatIndex,
        /// What.
        choice: ShowChoice,
    },
    /// A player tables his cards, or after the hand some of them.
    Shown {
        /// Who.
        seat: SeatIndex,
        /// All his cards, in the order dealt; those that stay down are not known.
        cards: HoleCards,
        /// Why they are seen.
        why: ShowReason,
    },
    /// A player gives up his claim at showdown without showing.
    Mucked {
        /// Who.
        seat: SeatIndex,
    },
    /// The house takes its share of a pot, before the pot is awarded.
    RakeTaken {
        /// Which pot: 0 is the main pot.
        pot: u8,
        /// How much.
        amount: Chips,
    },
    /// A player wins a pot, or his share of it.
    PotAwarded {
        /// Which pot: 0 is the main pot.
        pot: u8,
        /// On which board he won it.
        board: u8,
        /// Who.
        seat: SeatIndex,
        /// How much, odd chips included.
        amount: Chips,
    },
    /// All chips are where they belong.
    HandEnded,
}

impl Event {
    /// What everybody may see of the event: dealt hole cards turned face down, a choice for the showdown not at all.
    pub fn public(&self) -> Option<Event> {
        match *self {
            Event::HoleDealt { seat, ref cards } => Some(Event::HoleDealt { seat, cards: cards.face_down() }),
            Event::ShowdownChosen { .. } => None,
            other => Some(other),
        }
    }
}

/// What a forced bet is for. Live money counts toward the player's bet of the first street, dead money does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PostKind {
    /// Paid by every player for himself. Dead, but matched: who pays less can win only as much from each other.
    Ante,
    /// Paid by one player (big blind or button) for the table. Dead; lies in the main pot (TDA 32 and RP on big-blind antes).
    TableAnte,
    /// Live.
    SmallBlind,
    /// Live. Action starts to the left of the big blind.
    BigBlind,
    /// Live. Action starts to the left of the last straddle, which thereby buys the last action.
    Straddle,
    /// A big blind owed by a player who enters or returns: live, and he acts in his turn.
    OwedBlind,
    /// A missed small blind: dead, lies in the main pot.
    DeadBlind,
}

impl PostKind {
    /// Whether it counts toward the player's bet.
    pub const fn is_live(self) -> bool {
        !matches!(self, PostKind::Ante | PostKind::TableAnte | PostKind::DeadBlind)
    }
}

/// A player's action as it took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Did {
    /// Gave up the hand.
    Fold,
    /// Put nothing in.
    Check,
    /// Put this much in to match the bet, or all he had.
    Call(Chips),
    /// Opened the betting to this total.
    BetTo(Chips),
    /// Raised to this total.
    RaiseTo(Chips),
}

/// Why hole cards are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ShowReason {
    /// Betting is over with a player all-in: every hand is tabled at once (TDA 16).
    AllIn,
    /// In turn at showdown (TDA 17).
    Showdown,
    /// After the hand, without having to.
    Voluntary,
}

/// The stages of a hand's board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Street {
    /// No board yet.
    #[default]
    Preflop,
    /// Three cards.
    Flop,
    /// Four cards.
    Turn,
    /// Five cards.
    River,
}

impl Street {
    /// The street after this one.
    pub const fn next(self) -> Option<Street> {
        match self {
            Street::Preflop => Some(Street::Flop),
            Street::Flop => Some(Street::Turn),
            Street::Turn => Some(Street::River),
            Street::River => None,
        }
    }

    /// How many cards are added to the board on this street.
    pub const fn cards(self) -> usize {
        match self {
            Street::Preflop => 0,
            Street::Flop => 3,
            Street::Turn | Street::River => 1,
        }
    }
}
