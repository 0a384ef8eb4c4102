//! The facts of a table, in its own words: what the journal's sealed records hold.

use holdem::{
    HandSetup, Seed,
    between::{Owed, Rotation},
};
use protocol::{
    id::UserId,
    table::{SeatStatus, TableConfig},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

/// One fact. What each changes stands in `Table::apply_into`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A player has taken a seat.
    Seated {
        /// Where.
        seat: u8,
        /// Who.
        user: UserId,
        /// The name to show.
        name: String,
        /// Chips brought.
        stack: u64,
        /// Waits for the big blind rather than post.
        waits: bool,
        /// The blinds owed since an earlier stay.
        debts: Owed,
    },
    /// A player has left with all chips.
    Left {
        /// Where.
        seat: u8,
        /// When.
        at_ms: UnixMs,
    },
    /// Chips that will be brought after the hand.
    TopUpPromised {
        /// Where.
        seat: u8,
        /// Chips.
        amount: u64,
    },
    /// A player has brought more chips.
    ToppedUp {
        /// Where.
        seat: u8,
        /// Chips.
        amount: u64,
    },
    /// Of the chips that were promised so many are not brought.
    TopUpLapsed {
        /// Where.
        seat: u8,
        /// Chips.
        amount: u64,
    },
    /// A player sits out, is back, waits, or will leave.
    Status {
        /// Where.
        seat: u8,
        /// What now.
        status: SeatStatus,
        /// Waits for the big blind rather than post what is owed.
        waits: bool,
        /// When.
        at_ms: UnixMs,
    },
    /// A player's connection is gone, or is back.
    Away {
        /// Where.
        seat: u8,
        /// Gone?
        away: bool,
        /// When.
        at_ms: UnixMs,
    },
    /// A new hand: the seed decides every card of it.
    HandStarted {
        /// Players, stacks, forced bets, button.
        setup: Box<HandSetup>,
        /// What the table remembers of button and blinds.
        rotation: Rotation,
        /// The secret that the shuffle follows from.
        seed: Seed,
    },
    /// A fact of the hand.
    Hand {
        /// Which.
        event: holdem::Event,
        /// The clock acted for the player.
        timeout: bool,
    },
    /// It is somebody's turn until then.
    Turn {
        /// When the clock acts.
        deadline_ms: UnixMs,
    },
    /// The turn lasts longer.
    Extended {
        /// The new deadline.
        deadline_ms: UnixMs,
        /// Why.
        by: Extension,
    },
    /// A time bank has changed.
    BankLeft {
        /// Whose.
        seat: u8,
        /// What is left.
        bank_ms: u64,
    },
    /// So much of the extra time for the disconnected is used.
    AwayBank {
        /// Whose.
        seat: u8,
        /// Of [`away_bank_ms`](protocol::table::TableConfig::away_bank_ms).
        used_ms: u64,
    },
    /// No betting is left: what follows is decided, and shown street by street.
    RunOut {
        /// All that is still to be shown.
        events: Vec<holdem::Event>,
        /// When the next street is.
        at_ms: UnixMs,
    },
    /// The street after this one is shown then.
    Paced {
        /// When.
        at_ms: UnixMs,
    },
    /// The hand is over and paid.
    HandEnded {
        /// When.
        at_ms: UnixMs,
        /// When the next may begin.
        next_ms: UnixMs,
    },
    /// Somebody says something.
    Chat {
        /// Who.
        user: UserId,
        /// The name to show.
        name: String,
        /// What.
        text: String,
    },
    /// Frames were lost for good.
    HistoryLost {
        /// How many.
        frames: u64,
    },
    /// The table is set to something else from the next hand on; see [`settings::change`](super::settings::change).
    Configured {
        /// All its settings, as many seats as before among them.
        config: Box<TableConfig>,
    },
    /// The players are asked on how many boards the rest of the hand shall be dealt, or have longer to answer.
    Runs {
        /// Whoever has not answered by then wants one.
        deadline_ms: UnixMs,
    },
    /// What follows of a hand is decided then: for the [log](super::log).
    Timed {
        /// When.
        at_ms: UnixMs,
    },
    /// Somebody waits for a seat, behind all others.
    Waits {
        /// Who.
        user: UserId,
        /// The name to show.
        name: String,
    },
    /// Somebody who waits is gone, or is back.
    WaiterAway {
        /// Who.
        user: UserId,
        /// Since when; nothing: is back.
        since_ms: Option<UnixMs>,
    },
    /// Somebody who waits is called to a seat, or has longer to answer.
    Called {
        /// Which.
        seat: u8,
        /// Who.
        user: UserId,
        /// Until when it is kept for him.
        until_ms: UnixMs,
    },
    /// Somebody neither waits nor is called any more.
    WaitsNoMore {
        /// Who.
        user: UserId,
    },
    /// Somebody was called and has not come, or has gone before he has played: see [`missed`](super::missed).
    CallMissed {
        /// Who.
        user: UserId,
        /// When.
        at_ms: UnixMs,
        /// He may not wait at this table until then.
        until_ms: UnixMs,
    },
    /// The rail is told who held what in a hand that is over; see [`rail`](super::rail).
    CardsTold {
        /// Its number.
        hand: u64,
    },
}

/// Why a turn lasts longer than the table's turn time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Extension {
    /// The player draws on the time bank.
    Bank,
    /// The player is disconnected.
    Protection,
    /// The table has changed hands in the middle of the turn.
    Takeover,
}
