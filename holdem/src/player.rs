//! One player's side of a hand: chips, cards, and what he has done.

use serde::{Deserialize, Serialize};

use crate::card::HoleCards;
use crate::chips::Chips;
use crate::event::PostKind;

/// One player's side of a hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Player {
    pub(crate) started_with: Chips,
    pub(crate) stack: Chips,
    pub(crate) bet: Chips,
    pub(crate) matched: Chips,
    pub(crate) dead: Chips,
    pub(crate) won: Chips,
    pub(crate) folded: bool,
    /// Has acted since the street began, so that only a full raise re-opens the betting for him (TDA 47).
    pub(crate) acted: bool,
    pub(crate) hole: HoleCards,
    pub(crate) shown: bool,
    pub(crate) mucked: bool,
    pub(crate) at_showdown: ShowChoice,
    pub(crate) boards_agreed: Option<u8>,
}

/// What a player wants done with his cards at a showdown where he does not have to table them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ShowChoice {
    /// Show what wins or ties, muck what is beaten already.
    #[default]
    IfWinning,
    /// Always show.
    Always,
    /// Never show, and give up the pot unless all others did.
    Never,
}

impl Player {
    /// A player before the first post.
    pub(crate) fn with(stack: Chips) -> Player {
        Player {
            started_with: stack,
            stack,
            bet: Chips::ZERO,
            matched: Chips::ZERO,
            dead: Chips::ZERO,
            won: Chips::ZERO,
            folded: false,
            acted: false,
            hole: HoleCards::NONE,
            shown: false,
            mucked: false,
            at_showdown: ShowChoice::default(),
            boards_agreed: None,
        }
    }

    /// Chips when the hand began.
    pub fn started_with(&self) -> Chips {
        self.started_with
    }

    /// Chips behind now.
    pub fn stack(&self) -> Chips {
        self.stack
    }

    /// Chips bet on this street, live posts included.
    pub fn bet(&self) -> Chips {
        self.bet
    }

    /// Chips put in over the whole hand, antes and this street's bet included, returned bets not.
    pub fn contributed(&self) -> Chips {
        self.matched + self.dead
    }

    /// Chips awarded from the pots.
    pub fn won(&self) -> Chips {
        self.won
    }

    /// What the hand brought: awarded minus put in.
    pub fn net(&self) -> i64 {
        self.won.0 as i64 - self.contributed().0 as i64
    }

    /// Whether he gave up the hand.
    pub fn folded(&self) -> bool {
        self.folded
    }

    /// Whether he may still win something: neither folded nor mucked.
    pub fn live(&self) -> bool {
        !self.folded && !self.mucked
    }

    /// Whether he is in the hand without a chip behind.
    pub fn all_in(&self) -> bool {
        !self.folded && self.stack.is_zero() && self.won.is_zero()
    }

    /// His cards: secret unless [`Player::shown`].
    pub fn hole_cards(&self) -> &HoleCards {
        &self.hole
    }

    /// Whether his cards lie face up.
    pub fn shown(&self) -> bool {
        self.shown
    }

    /// Whether he gave up at showdown without showing.
    pub fn mucked(&self) -> bool {
        self.mucked
    }

    pub(crate) fn pay(&mut self, kind: PostKind, amount: Chips) {
        self.stack -= amount;
        match kind {
            PostKind::TableAnte | PostKind::DeadBlind => self.dead += amount,
            PostKind::Ante => self.matched += amount,
            PostKind::SmallBlind | PostKind::BigBlind | PostKind::Straddle | PostKind::OwedBlind => {
                self.matched += amount;
                self.bet += amount;
            }
        }
    }

    pub(crate) fn raise_bet_to(&mut self, to: Chips) {
        let more = to - self.bet;
        self.stack -= more;
        self.matched += more;
        self.bet = to;
    }
}
