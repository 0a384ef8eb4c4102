//! What happens at a table, as everybody sees it.

use serde::{Deserialize, Serialize};

use super::{
    card::Card,
    command::ActKind,
    config::TableConfig,
    view::{PotView, RaiseLimits, SeatStatus},
    waiting_list::WaitingList,
};
use crate::{
    hosted::HostedView,
    id::{RoomId, UserId},
    time::UnixMs,
};

/// One fact. Tag `e`. [`TableView::apply`](super::TableView::apply) says what each changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "e", rename_all = "snake_case")]
pub enum TableEvent {
    /// A player has taken a seat; the chips come into the table's count.
    Seated {
        /// Where.
        seat: u8,
        /// Who.
        user: UserId,
        /// The name to show. No two at a table look alike.
        name: String,
        /// A bot of the house.
        #[serde(default)]
        bot: bool,
        /// Chips brought.
        stack: u64,
        /// Whether the next hand is theirs, or they wait for the big blind.
        status: SeatStatus,
        /// Time bank.
        bank_ms: u64,
    },
    /// A seat waits for a player's chips, which come from what he owns in this house; nobody else may take it. `seated` or `freed` follows.
    Reserved {
        /// Where.
        seat: u8,
        /// For whom.
        user: UserId,
        /// The name to show.
        name: String,
    },
    /// A seat that was reserved is free again: the chips have not come.
    Freed {
        /// Where.
        seat: u8,
    },
    /// Who waits for a seat and who is called to one, in the place of what was seen before.
    WaitingList {
        /// What is seen now.
        waiting_list: Box<WaitingList>,
    },
    /// A player of a tournament goes to another table with all chips; `left` comes before it.
    Moved {
        /// From which seat.
        seat: u8,
        /// Who.
        user: UserId,
        /// The table to watch from now on.
        to: RoomId,
    },
    /// A player of a tournament has lost the last chip; `left` comes before it.
    Busted {
        /// From which seat.
        seat: u8,
        /// Who.
        user: UserId,
    },
    /// The host's doing: all that everybody sees of it, in the place of what was seen before. Only at tables that players have opened.
    Hosted {
        /// What is seen now.
        hosted: Box<HostedView>,
    },
    /// A player has left with all chips, which leave the table's count.
    Left {
        /// Where.
        seat: u8,
        /// Chips taken.
        stack: u64,
    },
    /// A player will bring more chips when the hand has ended; with what was promised before they are the seat's `top_up`.
    TopUpPromised {
        /// Where.
        seat: u8,
        /// Chips.
        amount: u64,
    },
    /// A player has brought more chips, promised or at once.
    ToppedUp {
        /// Where.
        seat: u8,
        /// Chips brought.
        amount: u64,
    },
    /// The hand has ended, and of the chips that were promised so many are not brought: the stack would be above the largest
    /// buy-in, or, from nothing, below the smallest.
    TopUpLapsed {
        /// Where.
        seat: u8,
        /// Chips that stay with the player.
        amount: u64,
    },
    /// A player sits out, is back, waits, or will leave after the hand.
    Status {
        /// Where.
        seat: u8,
        /// What now.
        status: SeatStatus,
    },
    /// A player's connection is gone, or is back.
    Away {
        /// Where.
        seat: u8,
        /// Gone?
        away: bool,
    },
    /// The table is set to something else from the next hand on. It has as many seats as before.
    Configured {
        /// All its settings.
        #[serde(deserialize_with = "super::config::boxed_of_any_house")]
        config: Box<TableConfig>,
    },
    /// A new hand. Clears what the last one left on the table.
    HandStarted {
        /// Its number at this table, from 1.
        hand: u64,
        /// The button; may be an empty seat (dead button).
        button: u8,
        /// Who is dealt in, from the button's left.
        seats: Vec<u8>,
    },
    /// A forced bet; antes and dead blinds go into the pot, the others count as a bet.
    Posted {
        /// Who.
        seat: u8,
        /// Which.
        blind: BlindKind,
        /// Chips (less than asked when all-in).
        amount: u64,
    },
    /// Hole cards are dealt, so many to each in the hand; each sees their own in `private`.
    Dealt {
        /// How many each.
        cards: u8,
    },
    /// It is somebody's turn.
    Turn(TurnView),
    /// Somebody draws on the time bank: a later deadline for the same turn.
    Bank {
        /// Who.
        seat: u8,
        /// The turn's new deadline.
        deadline_ms: UnixMs,
    },
    /// Somebody acted (or the clock did for them).
    Acted(Acted),
    /// The part of a bet that nobody called goes back.
    Returned {
        /// Who.
        seat: u8,
        /// Chips.
        amount: u64,
    },
    /// The street's bets are in; the pots stand so now.
    Collected {
        /// Main pot first.
        pots: Vec<PotView>,
    },
    /// No betting is left, and the hands lie face up: these players are asked on how many boards the rest shall be dealt. Told again, for
    /// those who have not answered, when they have longer.
    RunsOffered {
        /// At most so many.
        max: u8,
        /// Whose answer is awaited.
        seats: Vec<u8>,
        /// Whoever has not answered by then wants one.
        deadline_ms: UnixMs,
    },
    /// A player has answered.
    RunsVoted {
        /// Who.
        seat: u8,
        /// 1, or more up to what was offered.
        boards: u8,
    },
    /// The rest is dealt on so many boards, each of which begins with the cards that lie there.
    RunsAgreed {
        /// The least that anybody wanted.
        boards: u8,
    },
    /// Board cards.
    Street {
        /// Which.
        street: StreetName,
        /// The new cards.
        cards: Vec<Card>,
        /// Which board: 0, or more when a hand is run more than once.
        run: u8,
    },
    /// A hand is face up, or after its end some of its cards.
    Shown {
        /// Whose.
        seat: u8,
        /// The hole cards that are face up now.
        cards: Vec<Card>,
        /// What they make, in words; empty before the board is there, and of some of them.
        rank: String,
        /// What they make on each board that is complete.
        #[serde(default)]
        hands: Vec<MadeHand>,
    },
    /// A hand is given up unseen at showdown.
    Mucked {
        /// Whose.
        seat: u8,
    },
    /// The house takes its part of a pot.
    Raked {
        /// Which pot.
        pot: u8,
        /// Chips.
        amount: u64,
    },
    /// Chips go from a pot to a winner.
    Won {
        /// Who.
        seat: u8,
        /// Which pot.
        pot: u8,
        /// Chips.
        amount: u64,
        /// For the best hand on which board; 0 where nobody had to show.
        #[serde(default)]
        run: u8,
    },
    /// The hand is over.
    HandEnded {
        /// Its number.
        hand: u64,
        /// When the next one begins at the earliest.
        next_ms: UnixMs,
        /// What all hands that are face up make on each board: known only now for those that were shown before the board was there.
        #[serde(default)]
        hands: Vec<MadeHand>,
    },
    /// A time bank has changed.
    BankLeft {
        /// Whose.
        seat: u8,
        /// What is left.
        bank_ms: u64,
    },
    /// Somebody says something. Changes nothing.
    Chat {
        /// Who.
        user: UserId,
        /// The name to show.
        name: String,
        /// A bot of the house.
        #[serde(default)]
        bot: bool,
        /// What.
        text: String,
    },
    /// Acknowledged frames were lost by the broker and this owner could not restore them. Changes nothing.
    HistoryLost {
        /// How many frames, if known.
        frames: u64,
    },
}

/// A hand on a complete board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeHand {
    /// Whose.
    pub seat: u8,
    /// On which board.
    pub run: u8,
    /// What it is.
    pub class: HandClass,
    /// The ranks that decide within the class, the most important first: one letter for each pair, three or four, then the kickers; of a
    /// straight its top alone. `7AKT` is a pair of sevens with ace, king and ten.
    pub ranks: String,
    /// The five cards, in the same order.
    pub cards: Vec<Card>,
}

/// What a hand is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandClass {
    /// Nothing.
    HighCard,
    /// Two of a rank.
    OnePair,
    /// Two pairs.
    TwoPair,
    /// Three of a rank.
    ThreeOfAKind,
    /// Five ranks in a row.
    Straight,
    /// Five of a suit.
    Flush,
    /// Three of a rank and two of another.
    FullHouse,
    /// Four of a rank.
    FourOfAKind,
    /// Five ranks in a row of one suit.
    StraightFlush,
}

/// A forced bet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlindKind {
    /// Into the pot.
    Ante,
    /// Counts as a bet.
    Small,
    /// Counts as a bet.
    Big,
    /// Counts as a bet.
    Straddle,
    /// A missed or newcomer's blind that counts as a bet.
    Live,
    /// A missed small blind: into the pot.
    Dead,
}

/// A street with cards of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreetName {
    /// Hole cards only.
    Preflop,
    /// Three board cards.
    Flop,
    /// The fourth.
    Turn,
    /// The fifth.
    River,
    /// Hands are compared, or all but one have folded.
    Showdown,
}

/// Whose turn it is, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnView {
    /// Counts up within the hand from 1; an action names it.
    pub turn: u64,
    /// Who.
    pub seat: u8,
    /// When the clock acts for them, the server's clock.
    pub deadline_ms: UnixMs,
    /// What a call costs (all-in for less included); `None` when checking is free.
    pub call: Option<u64>,
    /// The limits of a bet or raise; `None` when there can be none.
    pub raise: Option<RaiseLimits>,
}

/// An action as it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// Who.
    pub seat: u8,
    /// What.
    pub kind: ActKind,
    /// Chips that went from the stack into the bet.
    pub amount: u64,
    /// The street's total of this player after it.
    pub to: u64,
    /// Whether the stack is empty now.
    pub all_in: bool,
    /// Whether the clock acted.
    pub timeout: bool,
}
