//! Plays a recorded hand through the engine, and says whether the stacks come out as recorded.

use smallvec::SmallVec;

use super::cards::RecordedCards;
use super::notation::{Notation, What};
use super::record::Record;
use super::toml::Decimal;
use crate::action::{Action, Refusal, RefusalCode};
use crate::card::Card;
use crate::chips::Chips;
use crate::deck::Deck;
use crate::event::{Did, Event, PostKind};
use crate::hand::Hand;
use crate::player::ShowChoice;
use crate::seat::SeatIndex;
use crate::setup::{HandRules, HandSetup, Post, Rake, SeatSetup, SetupError};

/// A recorded hand that was played through the engine.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The hand as set up; player `pN` has seat `N - 1`, the last one the button.
    pub setup: HandSetup,
    /// The deck in the order the record tells.
    pub deck: Deck,
    /// Everything that happened.
    pub events: Vec<Event>,
    /// The hand at its end, or where the record breaks off.
    pub hand: Hand,
    /// Digits behind the point: one chip is ten to the power of minus this.
    pub scale: u32,
    /// Raises that the rules refuse but the record tells: they stood because nobody objected in time (TDA 52).
    pub irregular_raises: usize,
    /// Players whom the record passes over for the rest of the hand: their hands are dead (TDA 53-B).
    pub passed_over: usize,
    /// Players whose recorded stack is unknown.
    unknown_stacks: Vec<bool>,
}

/// A record that describes no hand, or one that cannot have happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// An amount that is negative or too large.
    #[error("an amount is out of range")]
    Amount,
    /// The setup is not one.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// An action that the rules refuse.
    #[error("action {number} ({notation}): {refusal}")]
    Refused {
        /// Which entry, from 1.
        number: usize,
        /// The entry.
        notation: String,
        /// Why.
        refusal: Refusal,
    },
    /// More community cards than the hand has room for.
    #[error("the community cards do not fit the streets")]
    Board,
    /// A card is dealt twice.
    #[error("card {0} is dealt twice")]
    CardTwice(Card),
}

/// How a replay compares with its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The stacks are the recorded ones.
    Matches,
    /// Nothing is recorded to compare with, but the hand plays to where the record ends and no chip is lost.
    Consistent,
    /// They are not.
    Differs {
        /// As recorded.
        expected: Vec<Option<Decimal>>,
        /// As played, in chips.
        actual: Vec<Chips>,
    },
}

/// Stands for a stack that was not recorded: more than any bet.
const UNKNOWN_STACK: Chips = Chips(1 << 48);

impl Replay {
    /// Plays the record.
    ///
    /// # Errors
    /// If it describes no hand, or the rules refuse an action.
    pub fn of(record: &Record) -> Result<Replay, ReplayError> {
        let scale = record.scale();
        let dealt = RecordedCards::of(record);
        let deck = dealt.deck()?;
        let setup = setup(record, scale, dealt.runs())?;
        let mut events = Vec::new();
        let mut hand = Hand::start(&setup, deck.clone(), |event| events.push(event))?;
        for (seat, choice) in choices(record) {
            // Refused only when the blinds already put everybody all-in; then there is nothing to choose.
            let _ = hand.choose_at_showdown(seat, choice, |event| events.push(event));
        }
        let unknown_stacks = record.starting_stacks.iter().map(Option::is_none).collect();
        let mut replay =
            Replay { setup, deck, events, hand, scale, irregular_raises: 0, passed_over: 0, unknown_stacks };
        for (at, notation) in record.actions.iter().enumerate() {
            replay.fold_who_is_passed_over(&record.actions[at..]);
            replay.play(notation).map_err(|refusal| ReplayError::Refused {
                number: at + 1,
                notation: notation.to_string(),
                refusal,
            })?;
            replay.agree_on_runs(dealt.runs());
        }
        Ok(replay)
    }

    fn play(&mut self, notation: &Notation) -> Result<(), Refusal> {
        let (player, action) = match notation.what {
            Some(What::Fold(player)) => (player, Action::Fold),
            // Records may tell the check of a player whom nobody was left to bet against.
            Some(What::CheckOrCall(player))
                if self.hand.ended() && self.hand.live().contains(seat(player)) =>
            {
                return Ok(());
            }
            Some(What::CheckOrCall(player)) => {
                let call = self.hand.legal_actions().is_some_and(|legal| legal.call.is_some());
                (player, if call { Action::Call } else { Action::Check })
            }
            Some(What::BetOrRaiseTo(player, amount)) => {
                let to = chips(amount, self.scale).unwrap_or(Chips(u64::MAX));
                (player, Action::RaiseTo(to))
            }
            _ => return Ok(()),
        };
        let events = &mut self.events;
        match self.hand.act(seat(player), action, |event| events.push(event)) {
            Err(Refusal {
                code: RefusalCode::RaiseTooSmall | RefusalCode::RaiseTooLarge | RefusalCode::RaiseClosed,
                ..
            }) => {
                let Action::RaiseTo(to) = action else { unreachable!("only a raise is refused so") };
                self.irregular_raises += 1;
                self.hand.act_by_ruling(seat(player), to, |event| events.push(event))
            }
            other => other,
        }
    }

    /// Folds whoever is to act, as long as the record goes on with another player and never comes back to him.
    fn fold_who_is_passed_over(&mut self, rest: &[Notation]) {
        let acting = |notation: &Notation| match notation.what {
            Some(What::Fold(player) | What::CheckOrCall(player) | What::BetOrRaiseTo(player, _)) => {
                Some(seat(player))
            }
            _ => None,
        };
        let Some(next) = rest.first().and_then(acting) else { return };
        while let Some(to_act) = self.hand.to_act().filter(|&to_act| to_act != next) {
            if rest.iter().filter_map(acting).any(|later| later == to_act) {
                return;
            }
            self.passed_over += 1;
            let events = &mut self.events;
            let folded = self.hand.act(to_act, Action::Fold, |event| events.push(event));
            folded.expect("whoever is to act may fold");
        }
    }

    fn agree_on_runs(&mut self, runs: usize) {
        let events = &mut self.events;
        while let Some(voter) = { self.hand.run_voters().next() } {
            let vote = self.hand.vote_runs(voter, runs as u8, |event| events.push(event));
            vote.expect("the offer is open to its voters");
        }
    }

    /// An amount of chips as the record would write it.
    pub fn amount(&self, chips: Chips) -> Decimal {
        Decimal { units: chips.0 as i64, scale: self.scale }.trimmed()
    }

    /// The stacks now, in the record's order.
    pub fn stacks(&self) -> Vec<Chips> {
        self.hand.seats().map(|(_, player)| player.stack()).collect()
    }

    /// Compares with what the record says. Where a pot did not divide evenly a record may tell halves, or give the odd
    /// chip to another winner than TDA 20 does: then a chip per such pot is let pass. The format knows no rake; the
    /// field `_rake` tells what winners may lack together.
    pub fn verdict(&self, record: &Record) -> Verdict {
        let expected = match (&record.finishing_stacks, &record.winnings) {
            (Some(stacks), _) => stacks,
            (None, Some(winnings)) => return self.verdict_on_winnings(winnings),
            (None, None) => return Verdict::Consistent,
        };
        let rake = record.rake().unwrap_or(Decimal::from(0));
        let odd_chips = self.uneven_parts(rake.units != 0);
        // Units fine enough for both sides.
        let scale = expected.iter().flatten().map(|stack| stack.scale).chain([self.scale, rake.scale]).max();
        let scale = scale.expect("two of them are given");
        let fine = |amount: Decimal| i128::from(amount.units) * 10_i128.pow(scale - amount.scale);
        let slack = i128::from(odd_chips) * 10_i128.pow(scale - self.scale);
        let mut lacking = 0;
        let matches = expected.iter().zip(self.hand.seats()).all(|(expected, (seat, player))| {
            let Some(expected) = expected.filter(|_| !self.undecided(seat)) else { return true };
            if self.unknown_stacks[seat.index()] {
                return true;
            }
            let difference = fine(self.amount(player.stack())) - fine(expected);
            lacking += difference;
            let may_lack = if player.won().is_zero() { 0 } else { fine(rake) };
            (-slack..=may_lack + slack).contains(&difference) && (!player.won().is_zero() || difference == 0)
        });
        let matches = matches && (self.is_undecided() || (lacking - fine(rake)).abs() <= slack);
        match (matches, self.is_undecided()) {
            (true, false) => Verdict::Matches,
            (true, true) => Verdict::Consistent,
            (false, _) => Verdict::Differs { expected: expected.clone(), actual: self.stacks() },
        }
    }

    /// Winnings are pots collected after an unrecorded rake: whoever is said to have won has, and not more than he won.
    /// Collections write zeros for everybody where they do not know.
    fn verdict_on_winnings(&self, winnings: &[Decimal]) -> Verdict {
        if winnings.iter().all(|won| won.units == 0) {
            return Verdict::Consistent;
        }
        let fits = winnings.iter().zip(self.hand.seats()).all(|(recorded, (seat, player))| {
            let scale = recorded.scale.max(self.scale);
            let recorded = i128::from(recorded.units) * 10_i128.pow(scale - recorded.scale);
            let won = player.won() + self.blind_returned(seat) + Chips(u64::from(self.uneven_parts(false)));
            let won = i128::from(won.0) * 10_i128.pow(scale - self.scale);
            self.undecided(seat) || (recorded <= won && (recorded > 0) == (player.won().0 > 0))
        });
        if fits {
            return Verdict::Consistent;
        }
        let actual = self.hand.seats().map(|(_, player)| player.won()).collect();
        Verdict::Differs { expected: winnings.iter().copied().map(Some).collect(), actual }
    }

    /// What a player got back of his blind because everybody folded to it: some sites call that won and not returned.
    fn blind_returned(&self, seat: SeatIndex) -> Chips {
        let raised = self.events.iter().any(
            |event| matches!(event, Event::Acted { seat: who, did: Did::BetTo(_) | Did::RaiseTo(_), .. } if *who == seat),
        );
        let returned = self.events.iter().find_map(|event| match *event {
            Event::UncalledReturned { seat: who, amount } if who == seat && !raised => Some(amount),
            _ => None,
        });
        returned.unwrap_or_default()
    }

    /// How many parts of pots did not divide evenly among their winners; after a rake that is told apart from the pots
    /// any of them may.
    fn uneven_parts(&self, raked: bool) -> u32 {
        let mut shares: SmallVec<[(u8, u8, Chips, Chips); 16]> = SmallVec::new();
        for event in &self.events {
            if let Event::PotAwarded { pot, board, amount, .. } = *event {
                match shares.iter_mut().find(|share| (share.0, share.1) == (pot, board)) {
                    Some(share) => (share.2, share.3) = (share.2.min(amount), share.3.max(amount)),
                    None => shares.push((pot, board, amount, amount)),
                }
            }
        }
        shares.iter().filter(|(_, _, least, most)| raked || least != most).count() as u32
    }

    /// Whether the record leaves open who won, because cards at showdown are unknown.
    fn is_undecided(&self) -> bool {
        self.hand.ended()
            && self.hand.live().len() > 1
            && self.hand.live().iter().any(|seat| self.unseen(seat))
    }

    fn undecided(&self, seat: SeatIndex) -> bool {
        self.is_undecided() && self.hand.live().contains(seat)
    }

    fn unseen(&self, seat: SeatIndex) -> bool {
        let incomplete = self.hand.boards().iter().any(|board| board.known().is_none());
        self.hand.player(seat).is_some_and(|player| player.hole_cards().known().is_none()) || incomplete
    }
}

fn seat(player: usize) -> SeatIndex {
    SeatIndex::new(player as u8).expect("a record has at most ten players")
}

fn chips(amount: Decimal, scale: u32) -> Result<Chips, ReplayError> {
    let units = amount.trimmed().in_units(scale).and_then(|units| u64::try_from(units).ok());
    units.map(Chips).filter(|&chips| chips <= Chips::TABLE_MAX).ok_or(ReplayError::Amount)
}

/// What each player is recorded to have done with his cards at the end. Who shows unknown cards where others are seen is
/// beaten, as far as the record tells; where nobody's cards are seen the record leaves open who won.
fn choices(record: &Record) -> impl Iterator<Item = (SeatIndex, ShowChoice)> + '_ {
    let seen = |action: &Notation| match action.what {
        Some(What::Show(_, cards)) => cards.known().is_some(),
        Some(What::ShowDealt(_)) => true,
        _ => false,
    };
    let unseen = if record.actions.iter().any(seen) { ShowChoice::Never } else { ShowChoice::Always };
    record
        .actions
        .iter()
        .filter_map(move |action| match action.what {
            Some(What::Show(player, _) | What::ShowDealt(player)) if seen(action) => {
                Some((player, ShowChoice::Always))
            }
            Some(What::Show(player, _)) => Some((player, unseen)),
            Some(What::Muck(player)) => Some((player, ShowChoice::Never)),
            _ => None,
        })
        .filter(|&(player, _)| player < record.players())
        .map(|(player, choice)| (seat(player), choice))
}

/// Who posts what. The specification lists blinds by player, heads-up in reverse.
fn setup(record: &Record, scale: u32, runs: usize) -> Result<HandSetup, ReplayError> {
    let count = record.players();
    let by_seat = |list: &[Decimal], index: usize| if count == 2 { list[1 - index] } else { list[index] };
    let blind = |index: usize| by_seat(&record.blinds_or_straddles, index);
    let (small, big) = if count == 2 { (1, 0) } else { (0, 1) };
    // Without blinds left of the button the largest post (a button blind) opens the betting.
    let opener = if blind(big).units > 0 {
        big
    } else {
        (0..count).max_by_key(|&index| blind(index).in_units(scale)).unwrap_or(big)
    };
    let kind = |index: usize| match index {
        _ if blind(index).units < 0 => PostKind::OwedBlind,
        index if index == opener => PostKind::BigBlind,
        index if index == small => PostKind::SmallBlind,
        index if blind(index).in_units(scale) > blind(opener).in_units(scale) => PostKind::Straddle,
        _ => PostKind::OwedBlind,
    };
    let uniform = record.antes.iter().all(|ante| ante.trimmed() == record.antes[0].trimmed());
    let ante_kind = if uniform && record.ante_trimming { PostKind::Ante } else { PostKind::TableAnte };
    let seats = record.starting_stacks.iter().enumerate().map(|(index, stack)| {
        let live = blind(index);
        let live = chips(Decimal { units: live.units.abs(), ..live }, scale)?;
        let ante = chips(by_seat(&record.antes, index), scale)?;
        let due = [Post { kind: kind(index), amount: live }, Post { kind: ante_kind, amount: ante }];
        Ok(SeatSetup {
            seat: seat(index),
            stack: stack.map_or(Ok(UNKNOWN_STACK), |stack| chips(stack, scale))?,
            posts: due.into_iter().filter(|post| !post.amount.is_zero()).collect(),
        })
    });
    let small_blind =
        if kind(small) == PostKind::SmallBlind { chips(blind(small), scale)? } else { Chips::ZERO };
    let rules = HandRules {
        variant: record.variant,
        limit: record.limit,
        rake: Rake::NONE,
        runs_max: runs as u8,
        ..HandRules::no_limit_holdem(small_blind, chips(record.min_bet, scale)?)
    };
    Ok(HandSetup { rules, button: seat(count - 1), seats: seats.collect::<Result<_, ReplayError>>()? })
}
