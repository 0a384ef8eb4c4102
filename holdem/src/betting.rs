//! Whose turn it is, what he may do, and what his action does: TDA 43 (raise sizes), 47 (re-opening), 48 (no cap).

use crate::action::{Action, LegalActions, RaiseKind, RaiseRange, Refusal, RefusalCode};
use crate::chips::Chips;
use crate::event::{Did, Event, Street};
use crate::hand::{Hand, Phase};
use crate::player::Player;
use crate::seat::SeatIndex;
use crate::variant::Limit;

impl Hand {
    /// The seat whose action is due.
    pub fn to_act(&self) -> Option<SeatIndex> {
        match self.phase {
            Phase::Betting(seat) => Some(seat),
            _ => None,
        }
    }

    /// What the seat to act may do.
    pub fn legal_actions(&self) -> Option<LegalActions> {
        let seat = self.to_act()?;
        let player = self.at(seat);
        let owed = self.call_level(seat).saturating_sub(player.bet);
        Some(LegalActions {
            fold: true,
            check: owed.is_zero(),
            call: (!owed.is_zero()).then(|| owed.min(player.stack)),
            raise: self.raise_range(seat, player),
        })
    }

    /// What is done for a player whose time is up: a check if it is free, else a fold.
    pub fn timeout_action(&self) -> Option<Action> {
        let legal = self.legal_actions()?;
        Some(if legal.check { Action::Check } else { Action::Fold })
    }

    /// A player acts. The events that follow, up to the next decision, are applied and handed to `sink` in order.
    ///
    /// # Errors
    /// A [`Refusal`] with the legal actions; then nothing has changed.
    pub fn act(
        &mut self,
        seat: SeatIndex,
        action: Action,
        mut sink: impl FnMut(Event),
    ) -> Result<(), Refusal> {
        let did = self.decide(seat, action)?;
        self.carry_out(seat, did, &mut sink);
        Ok(())
    }

    /// A raise that the rules refuse but that stands, because it was noticed too late to be corrected (TDA 52). For
    /// replays of hands that were played so.
    ///
    /// # Errors
    /// If it is not the seat's turn, or it is no raise, or more than he has.
    pub(crate) fn act_by_ruling(
        &mut self,
        seat: SeatIndex,
        to: Chips,
        mut sink: impl FnMut(Event),
    ) -> Result<(), Refusal> {
        let refuse = |code| Err(Refusal { code, legal: self.legal_actions() });
        if self.to_act() != Some(seat) {
            return refuse(RefusalCode::NotYourTurn);
        }
        let player = self.at(seat);
        if to <= self.level {
            return refuse(RefusalCode::RaiseTooSmall);
        }
        if to > player.bet + player.stack {
            return refuse(RefusalCode::RaiseTooLarge);
        }
        let did = if self.level.is_zero() { Did::BetTo(to) } else { Did::RaiseTo(to) };
        self.carry_out(seat, did, &mut sink);
        Ok(())
    }

    fn carry_out(&mut self, seat: SeatIndex, did: Did, sink: &mut impl FnMut(Event)) {
        let player = self.at(seat);
        let left = match did {
            Did::Fold | Did::Check => player.stack,
            Did::Call(amount) => player.stack - amount,
            Did::BetTo(to) | Did::RaiseTo(to) => player.stack - (to - player.bet),
        };
        let all_in = left.is_zero();
        self.emit(Event::Acted { seat, did, all_in }, sink);
        self.advance(sink);
    }

    fn decide(&self, seat: SeatIndex, action: Action) -> Result<Did, Refusal> {
        let Some(to_act) = self.to_act() else {
            return Err(Refusal { code: RefusalCode::NoActionDue, legal: None });
        };
        if to_act != seat {
            return Err(Refusal { code: RefusalCode::NotYourTurn, legal: None });
        }
        let legal = self.legal_actions().expect("a seat is to act");
        let refuse = |code| Err(Refusal { code, legal: Some(legal) });
        match (action, legal.call, legal.raise) {
            (Action::Fold, ..) => Ok(Did::Fold),
            (Action::Check, None, _) => Ok(Did::Check),
            (Action::Check, Some(_), _) => refuse(RefusalCode::BetToCall),
            (Action::Call, Some(amount), _) => Ok(Did::Call(amount)),
            (Action::Call, None, _) => refuse(RefusalCode::NothingToCall),
            (Action::RaiseTo(_), _, None) => refuse(RefusalCode::RaiseClosed),
            (Action::RaiseTo(to), _, Some(range)) if to < range.min_to => refuse(RefusalCode::RaiseTooSmall),
            (Action::RaiseTo(to), _, Some(range)) if to > range.max_to => refuse(RefusalCode::RaiseTooLarge),
            (Action::RaiseTo(to), _, Some(range)) => Ok(match range.kind {
                RaiseKind::Bet => Did::BetTo(to),
                RaiseKind::Raise => Did::RaiseTo(to),
            }),
        }
    }

    /// What a player must have bet to stay in. It is the street's level, unless none of the others can reach it (after
    /// a short blind): more than the largest of them can bet would only come back.
    fn call_level(&self, seat: SeatIndex) -> Chips {
        self.level.min(self.others_reach(seat))
    }

    /// The largest total on this street that another player in the hand has bet or could bet.
    fn others_reach(&self, seat: SeatIndex) -> Chips {
        let others = self.seats().filter(|&(other, player)| other != seat && !player.folded);
        others.map(|(_, player)| player.bet + player.stack).max().unwrap_or_default()
    }

    fn raise_range(&self, seat: SeatIndex, player: &Player) -> Option<RaiseRange> {
        let all_in_to = player.bet + player.stack;
        if all_in_to <= self.level || self.others_reach(seat) <= self.level || !self.open_for(player) {
            return None;
        }
        let max_to = match self.rules.limit {
            Limit::NoLimit => all_in_to,
            Limit::PotLimit => all_in_to.min(self.pot_limit(player)),
        };
        let kind = if self.level.is_zero() { RaiseKind::Bet } else { RaiseKind::Raise };
        Some(RaiseRange { kind, min_to: (self.level + self.full_raise).min(max_to), max_to })
    }

    /// TDA 47: short all-ins re-open the betting for a player who has acted only when together they amount to a full
    /// raise over what he has matched.
    fn open_for(&self, player: &Player) -> bool {
        !player.acted || self.level.saturating_sub(player.bet) >= self.full_raise
    }

    /// The total a pot-sized raise reaches: the call, and then as much as the pot holds after it (TDA 54).
    fn pot_limit(&self, player: &Player) -> Chips {
        let short = if self.street == Street::Preflop { self.blinds_short } else { Chips::ZERO };
        self.level + self.pot_total() + short + self.level.saturating_sub(player.bet)
    }

    /// Gives the turn to the next player left of `from` (the last to act, or where a street begins) who has something
    /// to decide; if there is none the round is over.
    pub(crate) fn pass_action(&mut self, from: SeatIndex) {
        let next = from.clockwise().find(|&seat| self.has_decision(seat));
        self.phase = next.map_or(Phase::Dealing, Phase::Betting);
    }

    /// Whether a player has to match a bet, or may still open or raise against somebody who could call it.
    fn has_decision(&self, seat: SeatIndex) -> bool {
        let Some(player) = self.player(seat) else { return false };
        if player.folded || player.stack.is_zero() {
            return false;
        }
        player.bet < self.call_level(seat) || (!player.acted && self.others_reach(seat) > self.level)
    }
}
