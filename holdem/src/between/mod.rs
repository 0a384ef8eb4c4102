//! Between hands: where the button goes, who is dealt in, who posts what.
//!
//! A table keeps one [`Rotation`]. Players who sit down or leave are told to it ([`Rotation::arrive`],
//! [`Rotation::leave`]); [`Rotation::next_hand`] then turns the seats as they are into a [`HandSetup`] and into the
//! rotation to keep once that hand is dealt. Nothing here is random and nothing is remembered elsewhere.
//!
//! ```
//! use holdem::between::{Ante, ButtonRule, EntryRule, Occupant, Rotation, Straddles, TableRules};
//! use holdem::{Chips, HandRules, SeatIndex};
//!
//! let rules = TableRules {
//!     hand: HandRules::no_limit_holdem(Chips(50), Chips(100)),
//!     ante: Ante::None,
//!     straddles: Straddles::None,
//!     button: ButtonRule::Dead,
//!     entry: EntryRule::PostBlinds,
//! };
//! let mut rotation = Rotation::new(SeatIndex::try_from(0)?);
//! let mut occupants = Vec::new();
//! for number in [0, 2, 5] {
//!     let seat = SeatIndex::try_from(number)?;
//!     rotation.arrive(seat);
//!     let stack = Chips(10_000);
//!     occupants.push(Occupant { seat, stack, sitting_out: false, posts_now: false, straddles: false });
//! }
//! let next = rotation.next_hand(&rules, &occupants).expect("three players");
//! assert_eq!(next.setup.button, SeatIndex::try_from(0)?);
//! // Hand::start(&next.setup, ...), and when that is done:
//! rotation = next.rotation;
//! assert_eq!(rotation.positions().map(|at| at.big_blind), Some(SeatIndex::try_from(5)?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`positions`]: the two ways a button moves, and heads-up (TDA 32, 34).
//! - this file: debts of missed blinds (Robert's Rules, section 3), antes, straddles.

pub mod positions;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

pub use positions::{ButtonRule, Positions};

use crate::chips::Chips;
use crate::event::PostKind;
use crate::seat::{SEATS_MAX, SeatIndex, SeatSet};
use crate::setup::{HandRules, HandSetup, Post, SeatSetup};

/// What a table has settled on, hand after hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRules {
    /// The game, the blinds, the rake.
    pub hand: HandRules,
    /// Antes, if any.
    pub ante: Ante,
    /// Which straddles are allowed.
    pub straddles: Straddles,
    /// How the button moves.
    pub button: ButtonRule,
    /// How players enter the game and what absence costs.
    pub entry: EntryRule,
}

/// Who pays an ante.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ante {
    /// Nobody.
    #[default]
    None,
    /// Every player this much.
    PerPlayer(Chips),
    /// The big blind this much for the table.
    BigBlind(Chips),
    /// The button this much for the table; nobody while the button is dead.
    Button(Chips),
}

/// Who may straddle: post twice the big blind, live, before the cards. At most one does in a hand, and none heads-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Straddles {
    /// Nobody.
    #[default]
    None,
    /// The player left of the big blind.
    UnderTheGun,
    /// The button.
    Button,
    /// Either; the button has the first say.
    Either,
}

/// How players enter and what absence costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryRule {
    /// Cash games: newcomers post a big blind or wait for theirs; who sits out is not dealt in and owes what he misses.
    #[default]
    PostBlinds,
    /// Tournaments: everybody with chips is dealt in, present or not, so nobody misses a blind. New players "are dealt in
    /// except between small blind and button" (TDA 8-A; 10-A says the same of a broken table's players, who "can get any
    /// seat including small or big blind or the button").
    Free,
    /// Play money: who sits out is not dealt in and owes nothing; new players enter as in tournaments.
    NothingOwed,
}

impl EntryRule {
    /// Whether a seat is one where who enters the game has to let the button pass.
    fn shuts_out(self, positions: &Positions, seat: SeatIndex) -> bool {
        match self {
            EntryRule::PostBlinds => positions.between_button_and_big_blind(seat),
            EntryRule::Free | EntryRule::NothingOwed => positions.between_button_and_small_blind(seat),
        }
    }
}

/// A player in a seat, as the table sees him between two hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occupant {
    /// Where.
    pub seat: SeatIndex,
    /// His chips; without any he is not dealt in.
    pub stack: Chips,
    /// Whether he does not want to be dealt in.
    pub sitting_out: bool,
    /// If he owes blinds: whether he pays them now to be dealt in, rather than wait for the big blind to reach him.
    pub posts_now: bool,
    /// Whether he straddles if he is in the place to.
    pub straddles: bool,
}

/// Blinds a player has to make good before he is dealt in outside the big blind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// A big blind, which will be live.
    pub big: bool,
    /// A small blind, which will be dead.
    pub small: bool,
}

impl Owed {
    /// Nothing.
    pub const NOTHING: Owed = Owed { big: false, small: false };
    /// What a newcomer owes.
    pub const NEWCOMER: Owed = Owed { big: true, small: false };

    /// Both debts together: nobody owes a blind twice.
    #[must_use]
    pub const fn and(self, other: Owed) -> Owed {
        Owed { big: self.big || other.big, small: self.small || other.small }
    }

    fn anything(self) -> bool {
        self.big || self.small
    }
}

/// What a table must remember from hand to hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    first_button: SeatIndex,
    last: Option<Positions>,
    owed: [Owed; SEATS_MAX],
    /// Who was never dealt in and never passed by the big blind: he cannot have missed a small one.
    newcomers: SeatSet,
}

/// The next hand, ready to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextHand {
    /// For [`Hand::start`](crate::Hand::start).
    pub setup: HandSetup,
    /// The rotation to keep once the hand has started.
    pub rotation: Rotation,
    /// Who wants in and has to wait: he owes blinds and waits for the big blind, or he sits between button and big
    /// blind and has to let the button pass.
    pub waiting: SeatSet,
}

impl Rotation {
    /// A table before its first hand; the button starts at the first player at or left of `first_button` (drawn by the
    /// caller).
    pub const fn new(first_button: SeatIndex) -> Rotation {
        Rotation { first_button, last: None, owed: [Owed::NOTHING; SEATS_MAX], newcomers: SeatSet::EMPTY }
    }

    /// As it was remembered before newcomers were told apart.
    pub const fn remembered(
        first_button: SeatIndex,
        last: Option<Positions>,
        owed: [Owed; SEATS_MAX],
    ) -> Rotation {
        Rotation { first_button, last, owed, newcomers: SeatSet::EMPTY }
    }

    /// A player sat down. He owes a big blind unless the game has not begun.
    pub fn arrive(&mut self, seat: SeatIndex) {
        if self.last.is_some() {
            self.owed[seat.index()] = Owed::NEWCOMER;
            self.newcomers.insert(seat);
        } else {
            self.owed[seat.index()] = Owed::NOTHING;
        }
    }

    /// A player who left with these debts sat down again, here or in another seat: leaving does not pay them.
    pub fn come_again(&mut self, seat: SeatIndex, debts: Owed) {
        self.arrive(seat);
        if self.last.is_some() && debts.anything() {
            self.owed[seat.index()] = Owed::NEWCOMER.and(debts);
            self.newcomers.remove(seat);
        }
    }

    /// A player left his seat; what he owed is for the table to remember, should he come again. `None` for a newcomer who
    /// has not been in the game.
    pub fn leave(&mut self, seat: SeatIndex) -> Option<Owed> {
        let owed = std::mem::take(&mut self.owed[seat.index()]);
        let was_in = !self.newcomers.contains(seat);
        self.newcomers.remove(seat);
        was_in.then_some(owed)
    }

    /// Where the button starts.
    pub fn first_button(&self) -> SeatIndex {
        self.first_button
    }

    /// What a seat's player owes.
    pub fn owed(&self, seat: SeatIndex) -> Owed {
        self.owed[seat.index()]
    }

    /// Which blinds have passed a seat by from this rotation to the next one, where its player was not dealt in.
    pub fn missed(&self, next: &Rotation, seat: SeatIndex) -> Owed {
        let (Some(last), Some(next)) = (self.last, next.last) else { return Owed::NOTHING };
        Owed {
            big: positions::passes(last.big_blind, next.big_blind, seat),
            // Next to heads-up play the small blind may not move, or go another way; whoever had the big one was due for it.
            small: seat == last.big_blind
                || positions::passes(last.small_blind, next.small_blind.left(), seat),
        }
    }

    /// Button and blinds of the last hand.
    pub fn positions(&self) -> Option<Positions> {
        self.last
    }

    /// The next hand with these players, or `None` while fewer than two can play.
    pub fn next_hand(&self, rules: &TableRules, occupants: &[Occupant]) -> Option<NextHand> {
        let present: SeatSet = occupants
            .iter()
            .filter(|o| !o.stack.is_zero() && (rules.entry == EntryRule::Free || !o.sitting_out))
            .map(|o| o.seat)
            .collect();
        if present.len() < 2 {
            return None;
        }
        let posting: SeatSet = match rules.entry {
            EntryRule::PostBlinds => occupants.iter().filter(|o| o.posts_now).map(|o| o.seat).collect(),
            EntryRule::Free | EntryRule::NothingOwed => present,
        };
        let settled: SeatSet = present.iter().filter(|&seat| !self.owed(seat).anything()).collect();
        // A game that fell apart begins anew: with fewer than two players who are even, nobody owes anything.
        let settled = if settled.len() < 2 { present } else { settled };

        let (positions, dealt) = match self.last {
            None => (positions::first(present, self.first_button), present),
            Some(last) => {
                // Who owes nothing by the rule may take button and small blind from the first hand on.
                let takers = if rules.entry == EntryRule::PostBlinds { settled } else { present };
                let planned = rules.button.advance(last, present, takers);
                let dealt: SeatSet = present
                    .iter()
                    .filter(|&seat| {
                        seat == planned.big_blind
                            || settled.contains(seat)
                            || (posting.contains(seat) && !rules.entry.shuts_out(&planned, seat))
                    })
                    .collect();
                if dealt.len() == 2 {
                    (positions::heads_up(last, dealt), dealt)
                } else {
                    (planned.with_valid_button(dealt), dealt)
                }
            }
        };
        let mut rotation = Rotation { last: Some(positions), ..*self };
        for occupant in occupants {
            let seat = occupant.seat;
            if dealt.contains(seat) {
                rotation.owed[seat.index()] = Owed::NOTHING;
                rotation.newcomers.remove(seat);
            } else if rules.entry == EntryRule::PostBlinds {
                let missed = self.missed(&rotation, seat);
                let small = missed.small && !self.newcomers.contains(seat);
                rotation.owed[seat.index()] = self.owed(seat).and(Owed { small, ..missed });
                if missed.big {
                    rotation.newcomers.remove(seat);
                }
            }
        }
        let seats = occupants.iter().filter(|o| dealt.contains(o.seat)).map(|occupant| SeatSetup {
            seat: occupant.seat,
            stack: occupant.stack,
            posts: self.posts(rules, &positions, dealt, settled, occupant.seat),
        });
        let mut setup = HandSetup { rules: rules.hand, button: positions.button, seats: seats.collect() };
        add_straddle(&mut setup, rules, &positions, dealt, occupants);
        let waiting = present.iter().filter(|&seat| !dealt.contains(seat)).collect();
        Some(NextHand { setup, rotation, waiting })
    }

    /// What one player posts, straddles aside.
    fn posts(
        &self,
        rules: &TableRules,
        positions: &Positions,
        dealt: SeatSet,
        settled: SeatSet,
        seat: SeatIndex,
    ) -> SmallVec<[Post; 3]> {
        let mut posts = SmallVec::new();
        let mut post = |kind, amount: Chips| {
            if !amount.is_zero() {
                posts.push(Post { kind, amount });
            }
        };
        if seat == positions.big_blind {
            post(PostKind::BigBlind, rules.hand.big_blind);
        } else if seat == positions.small_blind {
            post(PostKind::SmallBlind, rules.hand.small_blind);
        } else if !settled.contains(seat) && rules.entry == EntryRule::PostBlinds {
            let owed = self.owed(seat);
            if owed.big {
                post(PostKind::OwedBlind, rules.hand.big_blind);
            }
            if owed.small {
                post(PostKind::DeadBlind, rules.hand.small_blind);
            }
        }
        debug_assert!(dealt.contains(seat), "only who is dealt in posts");
        match rules.ante {
            Ante::PerPlayer(ante) => post(PostKind::Ante, ante),
            Ante::BigBlind(ante) if seat == positions.big_blind => post(PostKind::TableAnte, ante),
            Ante::Button(ante) if seat == positions.button => post(PostKind::TableAnte, ante),
            _ => {}
        }
        posts
    }
}

/// Adds the straddle of the player who is in the place to, wants to, has the chips, and posts no other blind.
fn add_straddle(
    setup: &mut HandSetup,
    rules: &TableRules,
    positions: &Positions,
    dealt: SeatSet,
    occupants: &[Occupant],
) {
    // Too large a blind is for `HandSetup` to refuse.
    let Some(amount) = rules.hand.big_blind.checked_add(rules.hand.big_blind) else { return };
    let wants =
        |seat: SeatIndex| occupants.iter().any(|o| o.seat == seat && o.straddles && o.stack >= amount);
    let under_the_gun = dealt.clockwise_from(positions.big_blind).next().filter(|_| dealt.len() > 2);
    let button = Some(positions.button).filter(|&seat| dealt.len() > 2 && dealt.contains(seat));
    let places = match rules.straddles {
        Straddles::None => [None, None],
        Straddles::UnderTheGun => [under_the_gun, None],
        Straddles::Button => [button, None],
        Straddles::Either => [button, under_the_gun],
    };
    if let Some(seat) = places.into_iter().flatten().find(|&seat| wants(seat))
        && let Some(player) = setup.seats.iter_mut().find(|player| player.seat == seat)
        && player.posts.iter().all(|post| !post.kind.is_live())
    {
        player.posts.push(Post { kind: PostKind::Straddle, amount });
    }
}
