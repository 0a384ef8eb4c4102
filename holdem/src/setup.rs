//! All that is decided before a hand: rules, seats, stacks, button, and who posts what.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::chips::Chips;
use crate::event::PostKind;
use crate::seat::{SEATS_MAX, SeatIndex, SeatSet};
use crate::variant::{Limit, Variant};

/// A hand before its first event. `between` makes one from a table's seats; [`HandSetup::simple`] from stacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandSetup {
    /// The game.
    pub rules: HandRules,
    /// Where the button is. The seat may be empty: a dead button (TDA 32).
    pub button: SeatIndex,
    /// The players dealt in, in any order, each seat once, two to ten.
    pub seats: SmallVec<[SeatSetup; SEATS_MAX]>,
}

/// What stays the same from hand to hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandRules {
    /// Deck, hole cards, ranking.
    pub variant: Variant,
    /// Bet limit.
    pub limit: Limit,
    /// The small blind's size. What is posted is in the seats' posts.
    pub small_blind: Chips,
    /// The big blind's size: the least bet, and the least first raise. At least 1.
    pub big_blind: Chips,
    /// Whether a player whose stack does not cover both pays the ante before the blind.
    pub ante_order: AnteOrder,
    /// The house's share.
    pub rake: Rake,
    /// The most boards players may agree on once betting is over with players all-in; 1 (no agreement is asked) to 3.
    pub runs_max: u8,
}

/// Which debt a short stack pays first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AnteOrder {
    /// Ante first, the blind from what is left.
    #[default]
    BeforeBlinds,
    /// Blind first, the ante from what is left.
    AfterBlinds,
}

/// The house's share of the pots: a part of all of them up to a cap. No flop, no drop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rake {
    /// Hundredths of a percent of what was won, rounded down. 0 is no rake, 10,000 the most.
    pub basis_points: u16,
    /// The most for one hand, by the number of players dealt in: entry `n - 2` for `n` players.
    pub caps: [Chips; SEATS_MAX - 1],
}

impl Rake {
    /// No rake.
    pub const NONE: Rake = Rake { basis_points: 0, caps: [Chips::ZERO; SEATS_MAX - 1] };

    /// The rake of a hand in which `pot` chips are won by the players dealt in.
    pub(crate) fn of(&self, pot: Chips, players: usize) -> Chips {
        /// Basis points of the whole.
        const WHOLE: u128 = 10_000;
        let part = u128::from(pot.0) * u128::from(self.basis_points) / WHOLE;
        Chips(part as u64).min(self.caps[players - 2])
    }
}

/// One player dealt in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatSetup {
    /// Where.
    pub seat: SeatIndex,
    /// Chips before any post; at least 1.
    pub stack: Chips,
    /// What must be paid before the cards, at most one of each kind, in any order.
    pub posts: SmallVec<[Post; 3]>,
}

/// A forced bet that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Post {
    /// For what.
    pub kind: PostKind,
    /// How much is due; a shorter stack pays what it has.
    pub amount: Chips,
}

/// A setup that describes no hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// Fewer than two players, or more than the deck or the table serves.
    #[error("{0} players cannot be dealt in")]
    Players(usize),
    /// A seat is named twice.
    #[error("seat {0} is named twice")]
    SeatTwice(SeatIndex),
    /// A player without chips.
    #[error("seat {0} has no chips")]
    NoChips(SeatIndex),
    /// Stacks or forced bets past [`Chips::TABLE_MAX`].
    #[error("more chips than a table holds")]
    TooManyChips,
    /// No big blind: there would be no least bet.
    #[error("the big blind is at least one chip")]
    NoBigBlind,
    /// A rake above the whole.
    #[error("the rake is at most 10,000 basis points")]
    Rake,
    /// Not 1 to 3 boards.
    #[error("a hand is run on one to three boards")]
    Runs,
}

impl HandRules {
    /// No-limit hold'em with these blinds, without rake, run once.
    pub const fn no_limit_holdem(small_blind: Chips, big_blind: Chips) -> HandRules {
        HandRules {
            variant: Variant::Holdem,
            limit: Limit::NoLimit,
            small_blind,
            big_blind,
            ante_order: AnteOrder::BeforeBlinds,
            rake: Rake::NONE,
            runs_max: 1,
        }
    }
}

impl HandSetup {
    /// Adjacent seats from 0 with these stacks, blinds posted left of the button (heads-up the button posts the small
    /// blind), nothing owed.
    ///
    /// # Panics
    /// With fewer than two stacks or more than ten, or a button past them.
    pub fn simple(rules: HandRules, button: u8, stacks: &[Chips]) -> HandSetup {
        let count = stacks.len() as u8;
        assert!(
            (2..=SEATS_MAX as u8).contains(&count) && button < count,
            "two to ten players, one of them the button"
        );
        let seat = |number: u8| SeatIndex::new(number % count).expect("fewer than ten");
        let small = if count == 2 { seat(button) } else { seat(button + 1) };
        let big = seat(small.get() + 1);
        let seats = stacks.iter().zip(0..).map(|(&stack, number)| {
            let mut posts = SmallVec::new();
            if seat(number) == small {
                posts.push(Post { kind: PostKind::SmallBlind, amount: rules.small_blind });
            } else if seat(number) == big {
                posts.push(Post { kind: PostKind::BigBlind, amount: rules.big_blind });
            }
            SeatSetup { seat: seat(number), stack, posts }
        });
        HandSetup { rules, button: seat(button), seats: seats.collect() }
    }

    /// The small blind that nobody posts because its seat is empty (TDA 32); nothing heads-up or when one is posted.
    pub(crate) fn dead_small_blind(&self) -> Chips {
        let posted =
            self.seats.iter().flat_map(|seat| &seat.posts).any(|post| post.kind == PostKind::SmallBlind);
        if posted { Chips::ZERO } else { self.rules.small_blind }
    }

    /// Says what is wrong with the setup, if anything is.
    pub(crate) fn check(&self) -> Result<(), SetupError> {
        let count = self.seats.len();
        if count < 2 || count > self.rules.variant.players_max() {
            return Err(SetupError::Players(count));
        }
        let mut seen = SeatSet::EMPTY;
        let mut total = Chips::ZERO;
        let too_many = |chips: Chips| chips > Chips::TABLE_MAX;
        for player in &self.seats {
            if seen.contains(player.seat) {
                return Err(SetupError::SeatTwice(player.seat));
            }
            seen.insert(player.seat);
            if player.stack.is_zero() {
                return Err(SetupError::NoChips(player.seat));
            }
            total = total.checked_add(player.stack).ok_or(SetupError::TooManyChips)?;
            if too_many(total) || player.posts.iter().any(|post| too_many(post.amount)) {
                return Err(SetupError::TooManyChips);
            }
        }
        if self.rules.big_blind.is_zero() {
            return Err(SetupError::NoBigBlind);
        }
        if too_many(self.rules.big_blind) || too_many(self.rules.small_blind) {
            return Err(SetupError::TooManyChips);
        }
        if self.rules.rake.basis_points > 10_000 {
            return Err(SetupError::Rake);
        }
        if !(1..=crate::hand::RUNS_MAX).contains(&(self.rules.runs_max as usize)) {
            return Err(SetupError::Runs);
        }
        Ok(())
    }
}
