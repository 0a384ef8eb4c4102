//! Plays a recorded hand through the engine, and says whether the stacks come out as recorded.

use super::cards::RecordedCards;
use super::decimal::Decimal;
use super::notation::{Notation, What};
use super::record::Record;
use crate::action::{Action, Refusal, RefusalCode};
use crate::card::Card;
use crate::chips::Chips;
use crate::deck::Deck;
use crate::event::{Event, PostKind};
use crate::hand::Hand;
use crate::player::ShowChoice;
use crate::seat::{SEATS_MAX, SeatIndex, SeatSet};
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
    pub(super) unknown_stacks: Vec<bool>,
    /// Whether the record's amounts were rounded; see [`Record::rounded`].
    rounded: bool,
    /// What may therefore lie between play and record, in millionths of a chip: 0 if only the noise of floats was taken off.
    pub(super) lost_millionths: u64,
    /// The same in whole chips.
    pub(super) tolerance: Chips,
    /// What players have more than the record says, because it has them act when they should have nothing left.
    given: [Chips; SEATS_MAX],
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
    /// A card that the game is played without.
    #[error("card {0} is not in this game's deck")]
    NotInTheDeck(Card),
    /// Cards for a player who is none, or more than the game deals.
    #[error("p{player} cannot be dealt these cards: each of {players} players gets {each}")]
    HoleCards {
        /// Who, from 1.
        player: usize,
        /// How many there are.
        players: usize,
        /// How many cards each gets.
        each: usize,
    },
    /// Cards at showdown that are not those dealt.
    #[error("p{player} shows other cards than he was dealt")]
    ShowsOthers {
        /// Who, from 1.
        player: usize,
    },
}

/// The parts of a chip in which losses by rounding are counted.
pub(super) const MILLION: u64 = 1_000_000;

/// So many chips may differ where parts of chips were lost.
fn whole_chips(lost_millionths: u64) -> Chips {
    /// What rounding the parts themselves to millionths may hide.
    const HIDDEN: u64 = 1_000;
    Chips((lost_millionths + HIDDEN) / MILLION)
}

/// Stands for a stack that was not recorded: more than any bet.
const UNKNOWN_STACK: Chips = Chips(1 << 48);

impl Replay {
    /// Plays the record.
    ///
    /// # Errors
    /// If it describes no hand, or the rules refuse an action.
    pub fn of(record: &Record) -> Result<Replay, ReplayError> {
        let dealt = RecordedCards::of(record)?;
        let deck = dealt.deck()?;
        let mut given = [Chips::ZERO; SEATS_MAX];
        loop {
            let mut replay = Replay::start(record, &deck, dealt.runs(), given)?;
            let Err(error) = replay.play_all(record, dealt.runs()) else { return Ok(replay) };
            // Programs that count in floats let players act whom the noise of their sums left less than any unit.
            let little = |seat: &SeatIndex| given[seat.index()] <= whole_chips(record.lost_millionths());
            let all_in: SeatSet = replay.all_in().filter(little).collect();
            if record.rounded.is_empty() || all_in.is_empty() {
                return Err(error);
            }
            all_in.iter().for_each(|seat| given[seat.index()] += Chips(1));
        }
    }

    /// The hand before the first action; players have so many chips more than the record says.
    fn start(
        record: &Record,
        deck: &Deck,
        runs: usize,
        given: [Chips; SEATS_MAX],
    ) -> Result<Replay, ReplayError> {
        let scale = record.scale();
        // A chip more is worth as much again from every player who calls it.
        let given_away = given.into_iter().sum::<Chips>().0 * record.players() as u64;
        let lost_millionths = record.lost_millionths() + given_away * MILLION;
        let mut setup = setup(record, scale, runs)?;
        setup.seats.iter_mut().for_each(|player| player.stack += given[player.seat.index()]);
        let mut events = Vec::new();
        let mut hand = Hand::start(&setup, deck.clone(), |event| events.push(event))?;
        for (seat, choice) in choices(record) {
            // Refused only when the blinds already put everybody all-in; then there is nothing to choose.
            let _ = hand.choose_at_showdown(seat, choice, |event| events.push(event));
        }
        Ok(Replay {
            setup,
            deck: deck.clone(),
            events,
            hand,
            scale,
            irregular_raises: 0,
            passed_over: 0,
            unknown_stacks: record.starting_stacks.iter().map(Option::is_none).collect(),
            rounded: !record.rounded.is_empty(),
            lost_millionths,
            tolerance: whole_chips(lost_millionths),
            given,
        })
    }

    fn play_all(&mut self, record: &Record, runs: usize) -> Result<(), ReplayError> {
        let mut board = 0;
        for (at, notation) in record.actions.iter().enumerate() {
            match notation.what {
                Some(What::Board(cards)) => board += cards.len(),
                // Asked once more because of a raise by less than any unit, which was none.
                Some(What::CheckOrCall(_)) if self.rounded && board < self.hand.board().len() => continue,
                _ => {}
            }
            self.pass_what_rounding_left(&record.actions[at..]);
            self.fold_who_is_passed_over(&record.actions[at..]);
            self.play(notation).map_err(|refusal| ReplayError::Refused {
                number: at + 1,
                notation: notation.to_string(),
                refusal,
            })?;
            self.agree_on_runs(runs);
        }
        self.pass_what_rounding_left(&[]);
        self.agree_on_runs(runs);
        Ok(())
    }

    /// The players who put all they had in.
    fn all_in(&self) -> impl Iterator<Item = SeatIndex> + '_ {
        self.events.iter().filter_map(|event| match *event {
            Event::Acted { seat, all_in: true, .. } => Some(seat),
            _ => None,
        })
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
                if self.keeps_what_was_given(seat(player), to) {
                    let events = &mut self.events;
                    return self.hand.act_by_ruling(seat(player), to, |event| events.push(event));
                }
                (player, self.raise_as_meant(seat(player), to))
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

    /// Whether a raise is all that the record says a player has, but not what he has more.
    fn keeps_what_was_given(&self, seat: SeatIndex, to: Chips) -> bool {
        let all = self.all_of(seat);
        self.hand.bet_level() < to && to < all && all - to <= self.given[seat.index()]
    }

    /// The most a player can have in on this street.
    fn all_of(&self, seat: SeatIndex) -> Chips {
        self.hand.player(seat).map_or(Chips::ZERO, |player| player.bet() + player.stack())
    }

    /// A raise that rounding took past a limit, or on to the bet, is what it was before.
    fn raise_as_meant(&self, seat: SeatIndex, to: Chips) -> Action {
        let legal = self.hand.legal_actions().filter(|_| self.rounded && self.hand.to_act() == Some(seat));
        let Some(legal) = legal else { return Action::RaiseTo(to) };
        let near = |other: Chips| to.0.abs_diff(other.0) <= self.tolerance.0;
        let (level, all) = (self.hand.bet_level(), self.all_of(seat));
        match legal.raise {
            Some(range) if range.min_to <= to && to <= range.max_to => Action::RaiseTo(to),
            // A raise by less than any unit, after which somebody was asked again.
            Some(range) if to <= level && range.max_to == all && all - to <= self.given[seat.index()] => {
                Action::RaiseTo(all)
            }
            raise if legal.call.is_some() && near(level) && (to <= level || raise.is_none()) => Action::Call,
            Some(range) if near(range.min_to) => Action::RaiseTo(range.min_to),
            Some(range) if near(range.max_to) => Action::RaiseTo(range.max_to),
            _ => Action::RaiseTo(to),
        }
    }

    /// Checks or calls for whom the record has nothing to say because he was all-in, or all others were, where rounding left
    /// some chips.
    fn pass_what_rounding_left(&mut self, rest: &[Notation]) {
        let next = rest.iter().find_map(acting);
        while let Some(to_act) = self.hand.to_act().filter(|&to_act| Some(to_act) != next) {
            let remains = |seat| self.hand.player(seat).is_some_and(|player| player.stack() > self.tolerance);
            let mut others = self.hand.live().iter().filter(|&other| other != to_act);
            if self.tolerance.is_zero() || (remains(to_act) && others.any(remains)) {
                return;
            }
            let free = self.hand.legal_actions().is_some_and(|legal| legal.check);
            let action = if free { Action::Check } else { Action::Call };
            let events = &mut self.events;
            let passed = self.hand.act(to_act, action, |event| events.push(event));
            passed.expect("whoever is to act may check or call");
        }
    }

    /// Folds whoever is to act, as long as the record goes on with another player and never comes back to him.
    fn fold_who_is_passed_over(&mut self, rest: &[Notation]) {
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
}

/// Who acts.
fn acting(notation: &Notation) -> Option<SeatIndex> {
    match notation.what {
        Some(What::Fold(player) | What::CheckOrCall(player) | What::BetOrRaiseTo(player, _)) => {
            Some(seat(player))
        }
        _ => None,
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
