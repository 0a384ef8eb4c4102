//! The state of one hand. It changes by [`Hand::apply`] and by nothing else, live and on replay alike.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::action::{Refusal, RefusalCode};
use crate::card::{BOARD_MAX, Board};
use crate::chips::Chips;
use crate::deck::Deck;
use crate::event::{Did, Event, PostKind, ShowReason, Street};
use crate::player::{Player, ShowChoice};
use crate::pot::{Contribution, Pots, divide};
use crate::seat::{SEATS_MAX, SeatIndex, SeatSet};
use crate::setup::{HandRules, HandSetup};

/// The most boards a hand is run on.
pub const RUNS_MAX: usize = 3;

/// One hand of poker, from the posts to the last chip awarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hand {
    pub(crate) rules: HandRules,
    pub(crate) button: SeatIndex,
    pub(crate) deck: Deck,
    pub(crate) players: [Option<Player>; SEATS_MAX],
    pub(crate) phase: Phase,
    pub(crate) street: Street,
    pub(crate) boards: [Board; RUNS_MAX],
    /// How many of the boards are in use.
    pub(crate) runs: u8,
    /// The total a player must have bet on this street to have called.
    pub(crate) level: Chips,
    /// The largest full bet or raise of the street: the least size of the next raise (TDA 43).
    pub(crate) full_raise: Chips,
    /// Who made the last bet or raise of the street.
    pub(crate) aggressor: Option<SeatIndex>,
    /// The first action before the flop is to the left of this seat.
    pub(crate) opens_after: SeatIndex,
    /// What dead and short blinds lack of full ones: before the flop the pot limit counts them as full (TDA 54-B).
    pub(crate) blinds_short: Chips,
    /// Chips that left the pots: awarded or raked.
    pub(crate) paid: Chips,
    pub(crate) rake: Chips,
}

/// What the hand waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// For posts and cards; never seen from outside.
    Starting,
    /// For this seat's action.
    Betting(SeatIndex),
    /// For nothing: the decision under way goes on; never seen from outside.
    Dealing,
    /// For the players' answers whether to run it more than once.
    RunVote,
    /// For nothing: it is over.
    Ended,
}

impl Hand {
    /// A hand before its first event: to replay events onto. [`Hand::start`] also decides the first ones.
    ///
    /// # Errors
    /// If the setup describes no hand.
    pub fn new(setup: &HandSetup, deck: Deck) -> Result<Hand, crate::SetupError> {
        setup.check()?;
        let mut players = [None; SEATS_MAX];
        for seat in &setup.seats {
            players[seat.seat.index()] = Some(Player::with(seat.stack));
        }
        Ok(Hand {
            rules: setup.rules,
            button: setup.button,
            deck,
            players,
            phase: Phase::Starting,
            street: Street::Preflop,
            boards: [Board::EMPTY; RUNS_MAX],
            runs: 1,
            level: Chips::ZERO,
            full_raise: setup.rules.big_blind,
            aggressor: None,
            opens_after: setup.button,
            blinds_short: setup.dead_small_blind(),
            paid: Chips::ZERO,
            rake: Chips::ZERO,
        })
    }

    /// Changes the state by one fact. The same function serves the decision that made the event, a replay from a
    /// journal, and an observer who sees hole cards face down.
    ///
    /// # Panics
    /// If the event cannot happen in this hand: it names a seat without a player or chips that are not there.
    pub fn apply(&mut self, event: &Event) {
        match *event {
            Event::Posted { seat, kind, amount, due } => {
                self.player_mut(seat).pay(kind, amount);
                if kind.is_live() {
                    // Short or not, a blind counts in full for those who call and raise it.
                    self.level = self.level.max(due);
                }
                match kind {
                    PostKind::SmallBlind => self.blinds_short += due - amount,
                    PostKind::BigBlind => {
                        self.opens_after = seat;
                        self.blinds_short += due - amount;
                    }
                    PostKind::Straddle => {
                        self.opens_after = seat;
                        self.full_raise = self.full_raise.max(due);
                    }
                    _ => {}
                }
            }
            Event::HoleDealt { seat, cards } => {
                self.player_mut(seat).hole = cards;
                self.deck.remove(cards.len());
                if self.seats().all(|(_, player)| !player.hole.is_empty()) {
                    self.pass_action(self.opens_after);
                }
            }
            Event::Acted { seat, did, .. } => self.apply_action(seat, did),
            Event::UncalledReturned { seat, amount } => {
                let player = self.player_mut(seat);
                player.stack += amount;
                player.matched -= amount;
                player.bet = player.bet.saturating_sub(amount);
            }
            Event::BetsCollected => {
                for player in self.players.iter_mut().flatten() {
                    player.bet = Chips::ZERO;
                }
                self.level = Chips::ZERO;
                self.phase = Phase::Dealing;
            }
            Event::RunsOffered { .. } => self.phase = Phase::RunVote,
            Event::RunsVoted { seat, boards } => self.player_mut(seat).boards_agreed = Some(boards),
            Event::RunsAgreed { boards } => {
                self.runs = boards;
                self.boards = [self.boards[0]; RUNS_MAX];
                self.phase = Phase::Dealing;
            }
            Event::StreetDealt { board, street, cards } => {
                self.deck.remove(BURNT + cards.len());
                for card in cards.iter() {
                    self.boards[board as usize].push(card);
                }
                if board == 0 {
                    self.street = street;
                    self.full_raise = self.rules.big_blind;
                    self.aggressor = None;
                    for player in self.players.iter_mut().flatten() {
                        player.acted = false;
                    }
                    self.pass_action(self.button);
                }
            }
            Event::Shown { seat, cards, why } => {
                let player = self.player_mut(seat);
                // Whoever shows some of them still holds the others.
                player.hole = cards.or(&player.hole);
                player.shown |= cards.known().is_some();
                debug_assert!(
                    why == ShowReason::Voluntary || !player.folded,
                    "a folded hand has no showdown"
                );
            }
            Event::ShowdownChosen { seat, choice } => self.player_mut(seat).at_showdown = choice,
            Event::Mucked { seat } => self.player_mut(seat).mucked = true,
            Event::RakeTaken { amount, .. } => {
                self.rake += amount;
                self.paid += amount;
            }
            Event::PotAwarded { seat, amount, .. } => {
                let player = self.player_mut(seat);
                player.won += amount;
                player.stack += amount;
                self.paid += amount;
            }
            Event::HandEnded => {
                debug_assert!(self.pot_total().is_zero(), "a hand ends when every chip has an owner");
                self.phase = Phase::Ended;
            }
        }
    }

    fn apply_action(&mut self, seat: SeatIndex, did: Did) {
        let level = self.level;
        let player = self.player_mut(seat);
        player.acted = true;
        match did {
            Did::Fold => player.folded = true,
            Did::Check => {}
            Did::Call(amount) => player.raise_bet_to(player.bet + amount),
            Did::BetTo(to) | Did::RaiseTo(to) => {
                player.raise_bet_to(to);
                // A short all-in leaves the size of the least raise as it was.
                self.full_raise = self.full_raise.max(to - level);
                self.level = to;
                self.aggressor = Some(seat);
            }
        }
        self.pass_action(seat);
    }

    /// The variant, the limit, the blinds, the rake.
    pub fn rules(&self) -> &HandRules {
        &self.rules
    }

    /// Where the button is.
    pub fn button(&self) -> SeatIndex {
        self.button
    }

    /// The player of a seat that was dealt in.
    pub fn player(&self, seat: SeatIndex) -> Option<&Player> {
        self.players[seat.index()].as_ref()
    }

    /// All who were dealt in, by seat number.
    pub fn seats(&self) -> impl Iterator<Item = (SeatIndex, &Player)> + Clone {
        (0..)
            .map_while(SeatIndex::new)
            .zip(&self.players)
            .filter_map(|(seat, player)| player.as_ref().map(|player| (seat, player)))
    }

    /// The seats that were dealt in.
    pub fn dealt_in(&self) -> SeatSet {
        self.seats().map(|(seat, _)| seat).collect()
    }

    /// The seats that may still win something.
    pub fn live(&self) -> SeatSet {
        self.seats().filter(|(_, player)| player.live()).map(|(seat, _)| seat).collect()
    }

    /// The last street dealt.
    pub fn street(&self) -> Street {
        self.street
    }

    /// The boards in use: one, or as many as were agreed on.
    pub fn boards(&self) -> &[Board] {
        &self.boards[..self.runs as usize]
    }

    /// The first board.
    pub fn board(&self) -> &Board {
        &self.boards[0]
    }

    /// The total that has to be bet to stay in on this street.
    pub fn bet_level(&self) -> Chips {
        self.level
    }

    /// The size the next full raise has at least (TDA 43).
    pub fn full_raise(&self) -> Chips {
        self.full_raise
    }

    /// Whether every chip is where it belongs.
    pub fn ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// All chips in the middle, this street's bets included.
    pub fn pot_total(&self) -> Chips {
        let put_in: Chips = self.players.iter().flatten().map(Player::contributed).sum();
        put_in - self.paid
    }

    /// What the house took.
    pub fn rake(&self) -> Chips {
        self.rake
    }

    /// The pots of the streets before this one, the main pot first; bets of the current street are not in them yet.
    /// Before the first bets are collected there is nothing but antes; after the hand, what was played for.
    pub fn pots(&self) -> Pots {
        let contributions: SmallVec<[Contribution; SEATS_MAX]> = self
            .seats()
            .map(|(seat, player)| Contribution {
                seat,
                matched: player.matched - player.bet,
                dead: player.dead,
                live: !player.folded,
            })
            .collect();
        divide(&contributions)
    }

    /// The cards left to deal and those dealt. Secret.
    pub fn deck(&self) -> &Deck {
        &self.deck
    }

    /// Overwrites the order of the deck. For hands that are over: who reads them later learns no card that was not dealt.
    pub fn forget_deck(&mut self) {
        self.deck.forget();
    }

    /// Sets what shall be done with a player's cards at a showdown where he does not have to table them. Possible at any
    /// time before it.
    ///
    /// # Errors
    /// If the seat was not dealt in or the hand is over.
    pub fn choose_at_showdown(
        &mut self,
        seat: SeatIndex,
        choice: ShowChoice,
        mut sink: impl FnMut(Event),
    ) -> Result<(), Refusal> {
        if self.player(seat).is_none() || self.ended() {
            return Err(Refusal { code: RefusalCode::NotPossible, legal: None });
        }
        self.emit(Event::ShowdownChosen { seat, choice }, &mut sink);
        Ok(())
    }

    pub(crate) fn player_mut(&mut self, seat: SeatIndex) -> &mut Player {
        self.players[seat.index()].as_mut().expect("an event names a seat that was dealt in")
    }

    pub(crate) fn at(&self, seat: SeatIndex) -> &Player {
        self.players[seat.index()].as_ref().expect("a seat that was dealt in")
    }

    pub(crate) fn board_complete(&self, board: usize) -> bool {
        self.boards[board].len() == BOARD_MAX
    }
}

/// Cards burnt before each street.
pub(crate) const BURNT: usize = 1;
