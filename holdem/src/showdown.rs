//! Who shows, in which order (TDA 16, 17), and who wins how much (TDA 20, 21).

use smallvec::SmallVec;

use crate::action::{Refusal, RefusalCode};
use crate::card::Card;
use crate::chips::Chips;
use crate::evaluate::{Strength, strength};
use crate::event::{Event, ShowReason, Street};
use crate::hand::{Hand, Phase, RUNS_MAX};
use crate::player::ShowChoice;
use crate::pot::Pots;
use crate::seat::{SEATS_MAX, SeatIndex, SeatSet};

/// Each seat's strength on each board, where known.
type Strengths = [[Option<Strength>; RUNS_MAX]; SEATS_MAX];

impl Hand {
    /// Shows hands if more than one is live, takes the rake, awards the pots, ends the hand.
    pub(crate) fn settle(&mut self, sink: &mut impl FnMut(Event)) {
        let pots = self.pots();
        let strengths = self.strengths();
        if self.live().len() > 1 {
            self.show_hands(&pots, &strengths, sink);
        }
        let rakes = self.rake_of(&pots);
        // The outermost side pot is settled first, as at a live table.
        for number in (0..pots.len()).rev() {
            let (pot, rake) = (pots[number], rakes[number]);
            if !rake.is_zero() {
                self.emit(Event::RakeTaken { pot: number as u8, amount: rake }, sink);
            }
            self.award(number as u8, pot.amount - rake, pot.eligible, &strengths, sink);
        }
        self.emit(Event::HandEnded, sink);
    }

    fn strengths(&self) -> Strengths {
        let mut strengths = [[None; RUNS_MAX]; SEATS_MAX];
        if self.live().len() > 1 {
            for seat in self.live().iter() {
                for (board, slot) in self.boards().iter().zip(&mut strengths[seat.index()]) {
                    *slot = strength(self.rules.variant, &self.at(seat).hole, board);
                }
            }
        }
        strengths
    }

    /// TDA 17: the last to bet or raise on the last street shows first, without a bet the first seat left of the
    /// button; then clockwise. TDA 16: with a player all-in everybody tables his hand.
    fn show_hands(&mut self, pots: &Pots, strengths: &Strengths, sink: &mut impl FnMut(Event)) {
        let must_table = self.live().iter().any(|seat| self.at(seat).all_in());
        let first = self.live().clockwise_from(self.button).next().expect("more than one hand is live");
        let first = self.aggressor.filter(|&seat| self.live().contains(seat)).unwrap_or(first);
        let order: SmallVec<[SeatIndex; SEATS_MAX]> = std::iter::once(first)
            .chain(self.live().clockwise_from(first).filter(|&seat| seat != first))
            .collect();
        let mut shown: SeatSet = order.iter().copied().filter(|&seat| self.at(seat).shown).collect();
        for seat in order {
            if self.at(seat).shown || self.live().len() == 1 {
                continue;
            }
            let cards = self.at(seat).hole;
            let wants = match self.at(seat).at_showdown {
                _ if must_table => true,
                ShowChoice::Always => true,
                ShowChoice::Never => false,
                ShowChoice::IfWinning => self.not_beaten(seat, shown, pots, strengths),
            };
            if wants {
                let why = if must_table { ShowReason::AllIn } else { ShowReason::Showdown };
                self.emit(Event::Shown { seat, cards, why }, sink);
                shown.insert(seat);
            } else {
                self.emit(Event::Mucked { seat }, sink);
            }
        }
    }

    /// Whether the seat wins or ties some pot on some board against the hands shown so far.
    fn not_beaten(&self, seat: SeatIndex, shown: SeatSet, pots: &Pots, strengths: &Strengths) -> bool {
        pots.iter().filter(|pot| pot.eligible.contains(seat)).any(|pot| {
            (0..self.boards().len()).any(|board| {
                let rivals =
                    pot.eligible.and(shown).iter().filter_map(|rival| strengths[rival.index()][board]);
                strengths[seat.index()][board].is_some_and(|own| rivals.max().is_none_or(|best| own >= best))
            })
        })
    }

    /// The rake of each pot. The whole hand's rake is what percentage and cap give for the sum; a pot bears what its
    /// chips add to it, so the main pot comes first.
    fn rake_of(&self, pots: &Pots) -> SmallVec<[Chips; SEATS_MAX]> {
        let players = self.dealt_in().len();
        let (mut won, mut taken) = (Chips::ZERO, Chips::ZERO);
        pots.iter()
            .map(|pot| {
                if self.street == Street::Preflop {
                    return Chips::ZERO;
                }
                won += pot.amount;
                let rake = self.rules.rake.of(won, players) - taken;
                taken += rake;
                rake
            })
            .collect()
    }

    /// Awards one pot: an equal part to each board, each part to the best hands on it. Odd chips go to the first board,
    /// and among winners one each from the first seat left of the button on (TDA 20).
    fn award(
        &mut self,
        pot: u8,
        amount: Chips,
        eligible: SeatSet,
        strengths: &Strengths,
        sink: &mut impl FnMut(Event),
    ) {
        let claims = eligible.and(self.live());
        // When everybody eligible has mucked, the pot goes to who is still in the hand.
        let claims = if claims.is_empty() { self.live() } else { claims };
        for (board, part) in split(amount, self.boards().len()).enumerate() {
            let best = claims.iter().filter_map(|seat| strengths[seat.index()][board]).max();
            let winners: SeatSet =
                claims.iter().filter(|seat| strengths[seat.index()][board] == best).collect();
            let winners = if winners.is_empty() { claims } else { winners };
            for (seat, share) in winners.clockwise_from(self.button).zip(split(part, winners.len())) {
                if !share.is_zero() {
                    let board = board as u8;
                    self.emit(Event::PotAwarded { pot, board, seat, amount: share }, sink);
                }
            }
        }
    }

    /// After the hand a player may show cards that were not seen: a winner who was not called, or a mucked hand.
    ///
    /// # Errors
    /// If the hand is not over, or the seat has no unseen cards.
    pub fn show(&mut self, seat: SeatIndex, sink: impl FnMut(Event)) -> Result<(), Refusal> {
        self.show_some(seat, |_| true, sink)
    }

    /// The same of some of the cards. Those that were shown before are to be among them: the event tells all that are face up now.
    ///
    /// # Errors
    /// If the hand is not over, the seat has no unseen cards, or none of them is wanted.
    pub fn show_some(
        &mut self,
        seat: SeatIndex,
        wanted: impl Fn(Card) -> bool,
        mut sink: impl FnMut(Event),
    ) -> Result<(), Refusal> {
        let refusal = Refusal { code: RefusalCode::NotPossible, legal: None };
        let player = self.player(seat).filter(|player| self.phase == Phase::Ended && !player.shown);
        let hole = player.map(|player| player.hole).filter(|hole| hole.known().is_some()).ok_or(refusal)?;
        let cards = hole.only(wanted);
        if cards.iter().all(|card| card.is_none()) {
            return Err(refusal);
        }
        self.emit(Event::Shown { seat, cards, why: ShowReason::Voluntary }, &mut sink);
        Ok(())
    }
}

/// Equal parts of an amount, the first ones a chip larger where it does not divide.
fn split(amount: Chips, parts: usize) -> impl Iterator<Item = Chips> {
    let parts = parts as u64;
    (0..parts).map(move |part| Chips(amount.0 / parts + u64::from(part < amount.0 % parts)))
}
