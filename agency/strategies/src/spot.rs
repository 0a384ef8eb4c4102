//! What a player may know when it is his turn, and nothing else.

use holdem::{
    Action, Board, Chips, Hand, HandRules, HoleCards, LegalActions, Player, SEATS_MAX, SeatIndex, Street,
};
use smallvec::SmallVec;

/// A decision that is due, as its player sees it: his own cards, and what everybody sees.
///
/// There is no way from here to the deck or to the cards of others: a strategy that looks for them does not compile.
///
/// ```compile_fail
/// fn peeks(spot: &strategies::Spot) -> holdem::Deck {
///     spot.deck.clone()
/// }
/// ```
/// ```compile_fail
/// fn peeks(spot: &strategies::Spot) -> holdem::HoleCards {
///     spot.players[0].hole
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Variant, limit, blinds.
    pub rules: HandRules,
    /// Where the button is.
    pub button: SeatIndex,
    /// Whose turn it is.
    pub me: SeatIndex,
    /// His cards; none, or face down, where they are not known (yet).
    pub hole: HoleCards,
    /// The first board.
    pub board: Board,
    /// How far the hand is.
    pub street: Street,
    /// All who were dealt in, by seat number.
    pub players: SmallVec<[Seen; SEATS_MAX]>,
    /// All chips in the middle, the bets of this street included.
    pub pot: u64,
    /// What he may do.
    pub legal: LegalActions,
    /// What was done in this hand so far, oldest first. Less than all where somebody came to see the hand later.
    pub deeds: Vec<Deed>,
    /// In a tournament: what the places that are left pay, the first place first. Empty where chips are chips.
    pub prizes: Vec<u64>,
}

/// A player, as everybody sees him.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Where.
    pub seat: SeatIndex,
    /// Chips behind.
    pub stack: u64,
    /// Chips bet on this street.
    pub bet: u64,
    /// Whether he has given up the hand.
    pub folded: bool,
}

/// What somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deed {
    /// Who.
    pub seat: SeatIndex,
    /// On which street.
    pub street: Street,
    /// What.
    pub did: Did,
    /// The chips that it put in.
    pub paid: u64,
    /// What it would have cost to stay in.
    pub owed: u64,
    /// What lay in the middle before.
    pub pot: u64,
}

/// What somebody can do, without its amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// Gave up the hand.
    Fold,
    /// Put nothing in.
    Check,
    /// Paid what was asked.
    Call,
    /// Asked for more.
    Raise,
}

impl Spot {
    /// What the player to act may know of a hand; `None` if nobody is to act.
    pub fn of(hand: &Hand, deeds: &[Deed]) -> Option<Self> {
        let me = hand.to_act()?;
        let seen = |(seat, player): (SeatIndex, &Player)| Seen {
            seat,
            stack: player.stack().0,
            bet: player.bet().0,
            folded: player.folded(),
        };
        Some(Self {
            rules: *hand.rules(),
            button: hand.button(),
            me,
            hole: hand.player(me).map_or(HoleCards::NONE, |player| *player.hole_cards()),
            board: *hand.board(),
            street: hand.street(),
            players: hand.seats().map(seen).collect(),
            pot: hand.pot_total().0,
            legal: hand.legal_actions()?,
            deeds: deeds.to_vec(),
            prizes: Vec::new(),
        })
    }

    /// The one whose turn it is.
    pub fn mine(&self) -> Seen {
        let nobody = Seen { seat: self.me, stack: 0, bet: 0, folded: false };
        self.players.iter().find(|player| player.seat == self.me).copied().unwrap_or(nobody)
    }

    /// Others who are in the hand.
    pub fn opponents(&self) -> impl Iterator<Item = &Seen> + Clone {
        self.players.iter().filter(|player| player.seat != self.me && !player.folded)
    }

    /// All who were dealt in, in the order in which they act before the flop.
    pub fn in_order(&self) -> SmallVec<[&Seen; SEATS_MAX]> {
        let seen = |seat: SeatIndex| self.players.iter().find(|player| player.seat == seat);
        let mut order: SmallVec<[&Seen; SEATS_MAX]> = self.button.clockwise().filter_map(seen).collect();
        // Both blinds are behind everybody else, and first on later streets. With two the button is the small blind, and last so far.
        match order.len() {
            0 | 1 => {}
            2 => order.reverse(),
            _ => order.rotate_left(2),
        }
        order
    }

    /// Players in the hand who act after this one before the flop, if nobody raises.
    pub fn still_to_act(&self) -> usize {
        let order = self.in_order();
        let after = order.iter().skip_while(|player| player.seat != self.me).skip(1);
        after.filter(|player| !player.folded).count()
    }

    /// What a call puts in, 0 where there is nothing to call.
    pub fn call(&self) -> u64 {
        self.legal.call.map_or(0, |call| call.0)
    }

    /// The highest bet of the street.
    pub fn highest(&self) -> u64 {
        self.players.iter().map(|player| player.bet).max().unwrap_or(0)
    }

    /// The big blind.
    pub fn big_blind(&self) -> u64 {
        self.rules.big_blind.0
    }

    /// What a call costs as a part of what could then be won: 0.0 (free) to about 0.5.
    pub fn price(&self) -> f64 {
        let call = self.call() as f64;
        call / (self.pot as f64 + call).max(1.0)
    }

    /// Checks, or gives up where that costs something.
    pub fn check_or_fold(&self) -> Action {
        if self.legal.call.is_none() { Action::Check } else { Action::Fold }
    }

    /// Stays in.
    pub fn call_or_check(&self) -> Action {
        if self.legal.call.is_none() { Action::Check } else { Action::Call }
    }

    /// Raises to the total on this street, as near as is legal; where no raise is, stays in.
    pub fn raise_to(&self, to: u64) -> Action {
        match self.legal.raise {
            Some(range) => Action::RaiseTo(Chips(to.clamp(range.min_to.0, range.max_to.0))),
            None => self.call_or_check(),
        }
    }

    /// The street's total for a raise by a part of the pot after calling.
    pub fn pot_part(&self, part: f64) -> u64 {
        self.highest() + ((self.pot + self.call()) as f64 * part) as u64
    }

    /// Everything.
    pub fn all_in(&self) -> Action {
        self.raise_to(u64::MAX)
    }
}

impl Deed {
    /// What the player to act is about to do; `None` if nobody is to act.
    pub fn of(hand: &Hand, action: Action) -> Option<Self> {
        let seat = hand.to_act()?;
        let owed = hand.legal_actions()?.call.map_or(0, |call| call.0);
        let bet = hand.player(seat)?.bet().0;
        let (did, paid) = match action {
            Action::Fold => (Did::Fold, 0),
            Action::Check => (Did::Check, 0),
            Action::Call => (Did::Call, owed),
            Action::RaiseTo(to) => (Did::Raise, to.0.saturating_sub(bet)),
        };
        Some(Self { seat, street: hand.street(), did, paid, owed, pot: hand.pot_total().0 })
    }
}
