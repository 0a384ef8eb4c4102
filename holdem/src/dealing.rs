//! The course of a hand between decisions: posts, cards, streets, and on to the showdown.

use smallvec::SmallVec;

use crate::action::{Refusal, RefusalCode};
use crate::card::{BOARD_MAX, Board, HoleCards};
use crate::chips::Chips;
use crate::deck::Deck;
use crate::event::{Event, PostKind, ShowReason, Street};
use crate::hand::{BURNT, Hand, Phase};
use crate::seat::{SEATS_MAX, SeatIndex};
use crate::setup::{AnteOrder, HandSetup, Post, SetupError};

impl Hand {
    /// Starts a hand: posts are paid, cards dealt, and unless everybody is all-in somebody is to act. The events are
    /// handed to `sink` in order.
    ///
    /// # Errors
    /// If the setup describes no hand.
    pub fn start(setup: &HandSetup, deck: Deck, mut sink: impl FnMut(Event)) -> Result<Hand, SetupError> {
        let mut hand = Hand::new(setup, deck)?;
        for (seat, post) in posts_in_order(setup) {
            if !post.amount.is_zero() {
                // Also when nothing is left to pay it with: the blind is due, and its seat decides who acts first.
                let amount = post.amount.min(hand.at(seat).stack);
                hand.emit(Event::Posted { seat, kind: post.kind, amount, due: post.amount }, &mut sink);
            }
        }
        hand.deal_hole_cards(&mut sink);
        hand.advance(&mut sink);
        Ok(hand)
    }

    pub(crate) fn emit(&mut self, event: Event, sink: &mut impl FnMut(Event)) {
        self.apply(&event);
        sink(event);
    }

    /// One card at a time, starting left of the button.
    fn deal_hole_cards(&mut self, sink: &mut impl FnMut(Event)) {
        let order: SmallVec<[SeatIndex; SEATS_MAX]> = self.dealt_in().clockwise_from(self.button).collect();
        let each = self.rules.variant.hole_cards();
        let mut hands = [HoleCards::NONE; SEATS_MAX];
        for round in 0..each {
            for (place, hole) in hands[..order.len()].iter_mut().enumerate() {
                hole.push(self.deck.peek(round * order.len() + place));
            }
        }
        for (seat, cards) in order.into_iter().zip(hands) {
            self.emit(Event::HoleDealt { seat, cards }, sink);
        }
    }

    /// Goes on until somebody has to decide or the hand is over.
    pub(crate) fn advance(&mut self, sink: &mut impl FnMut(Event)) {
        while self.phase == Phase::Dealing {
            if self.seats().any(|(_, player)| !player.bet.is_zero()) || self.street == Street::Preflop {
                self.close_round(sink);
            }
            if self.live().len() == 1 || self.board_complete(0) {
                self.settle(sink);
            } else if self.betting_over() {
                self.table_all_hands(sink);
                let max = self.runs_possible();
                if max > 1 && !self.runs_decided() {
                    self.emit(Event::RunsOffered { max }, sink);
                } else {
                    self.run_out(sink);
                    self.settle(sink);
                }
            } else {
                self.deal_street(0, sink);
            }
        }
    }

    /// What nobody matched goes back, the rest goes into the pots.
    fn close_round(&mut self, sink: &mut impl FnMut(Event)) {
        if let Some((seat, amount)) = self.uncalled() {
            self.emit(Event::UncalledReturned { seat, amount }, sink);
        }
        self.emit(Event::BetsCollected, sink);
    }

    /// The part of the largest contribution that nobody else, folded or not, has put in.
    fn uncalled(&self) -> Option<(SeatIndex, Chips)> {
        let (seat, top) = self.seats().max_by_key(|(_, player)| player.matched)?;
        let next =
            self.seats().filter(|&(other, _)| other != seat).map(|(_, player)| player.matched).max()?;
        let excess = top.matched - next;
        (!top.folded && !excess.is_zero()).then_some((seat, excess))
    }

    /// Whether at most one player could still bet.
    fn betting_over(&self) -> bool {
        self.seats().filter(|(_, player)| !player.folded && !player.stack.is_zero()).count() <= 1
    }

    /// TDA 16: all hands are tabled at once when betting is over with a player all-in.
    fn table_all_hands(&mut self, sink: &mut impl FnMut(Event)) {
        let order: SmallVec<[SeatIndex; SEATS_MAX]> = self.live().clockwise_from(self.button).collect();
        for seat in order {
            let player = self.at(seat);
            if !player.shown {
                let cards = player.hole;
                self.emit(Event::Shown { seat, cards, why: ShowReason::AllIn }, sink);
            }
        }
    }

    /// How many boards the rules allow and the rest of the deck suffices for.
    fn runs_possible(&self) -> u8 {
        let on_board = self.boards[0].len();
        let burns = [0, 3, 4].iter().filter(|&&street| street >= on_board).count() * BURNT;
        let left = self.rules.variant.deck().count().saturating_sub(self.deck.dealt());
        let enough_for = left / (BOARD_MAX - on_board + burns);
        self.rules.runs_max.min(enough_for as u8)
    }

    fn runs_decided(&self) -> bool {
        let mut answers =
            self.seats().filter(|(_, player)| player.live()).map(|(_, player)| player.boards_agreed);
        self.runs > 1
            || answers.clone().any(|boards| boards == Some(1))
            || answers.all(|boards| boards.is_some())
    }

    /// Answers the offer to run the hand on several boards. When all players still in have answered, or one of them wants a single
    /// board, the least number is dealt and the hand goes on to its end.
    ///
    /// # Errors
    /// If there is no offer, the seat has no say or has answered already, or the number is not offered.
    pub fn vote_runs(
        &mut self,
        seat: SeatIndex,
        boards: u8,
        mut sink: impl FnMut(Event),
    ) -> Result<(), Refusal> {
        let may = self.run_voters().any(|voter| voter == seat);
        if !may || !(1..=self.runs_possible()).contains(&boards) {
            return Err(Refusal { code: RefusalCode::NotPossible, legal: None });
        }
        self.emit(Event::RunsVoted { seat, boards }, &mut sink);
        if self.runs_decided() {
            let agreed = self.live().iter().filter_map(|seat| self.at(seat).boards_agreed).min();
            self.emit(Event::RunsAgreed { boards: agreed.unwrap_or(1) }, &mut sink);
            self.advance(&mut sink);
        }
        Ok(())
    }

    /// The seats whose answer to the offer of several boards is awaited; none when there is no offer.
    pub fn run_voters(&self) -> impl Iterator<Item = SeatIndex> + '_ {
        let offered = self.phase == Phase::RunVote;
        self.seats()
            .filter(move |(_, player)| offered && player.live() && player.boards_agreed.is_none())
            .map(|(seat, _)| seat)
    }

    /// On how many boards at most the rest may be dealt, while that is asked.
    pub fn runs_offered(&self) -> Option<u8> {
        (self.phase == Phase::RunVote).then(|| self.runs_possible())
    }

    fn run_out(&mut self, sink: &mut impl FnMut(Event)) {
        for board in 0..self.runs as usize {
            while !self.board_complete(board) {
                self.deal_street(board, sink);
            }
        }
    }

    /// Burns a card and deals the next street of a board.
    fn deal_street(&mut self, board: usize, sink: &mut impl FnMut(Event)) {
        let street = match self.boards[board].len() {
            0 => Street::Flop,
            3 => Street::Turn,
            _ => Street::River,
        };
        let cards = (0..street.cards()).fold(Board::EMPTY, |mut cards, ahead| {
            cards.push(self.deck.peek(BURNT + ahead));
            cards
        });
        self.emit(Event::StreetDealt { board: board as u8, street, cards }, sink);
    }
}

/// Forced bets in the order they are paid: by kind, and left of the button first within a kind.
fn posts_in_order(setup: &HandSetup) -> SmallVec<[(SeatIndex, Post); 2 * SEATS_MAX]> {
    let rank = |kind| match (kind, setup.rules.ante_order) {
        (PostKind::Ante | PostKind::TableAnte, AnteOrder::BeforeBlinds) => 0,
        (PostKind::SmallBlind, _) => 1,
        (PostKind::BigBlind, _) => 2,
        (PostKind::OwedBlind, _) => 3,
        (PostKind::DeadBlind, _) => 4,
        (PostKind::Straddle, _) => 5,
        (PostKind::Ante | PostKind::TableAnte, AnteOrder::AfterBlinds) => 6,
    };
    let place = |seat: SeatIndex| setup.button.clockwise().position(|at| at == seat);
    let mut posts: SmallVec<[(SeatIndex, Post); 2 * SEATS_MAX]> = SmallVec::new();
    for player in &setup.seats {
        posts.extend(player.posts.iter().map(|&post| (player.seat, post)));
    }
    posts.sort_unstable_by_key(|&(seat, post)| (rank(post.kind), place(seat), post.amount));
    posts
}
