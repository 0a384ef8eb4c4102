//! Writes a hand's events as a PHH record.

use super::decimal::Decimal;
use super::notation::{Notation, What};
use super::record::{RAKE_FIELD, Record};
use crate::card::HoleCards;
use crate::chips::Chips;
use crate::event::{Did, Event, PostKind};
use crate::hand::Hand;
use crate::seat::{SEATS_MAX, SeatIndex};
use crate::setup::HandSetup;

/// The record of a hand from its setup and its events. `scale` is the number of digits behind the point that the chips
/// of the record have (0: a chip is one unit, 2: a chip is a hundredth).
///
/// Seats become positions: `p1` is left of the button, which the last player has. The seat numbers, counted from 1, are
/// kept in `seats` if they are not the positions. A dead small blind is told as an ante, which it is to the pot.
pub fn record_of(setup: &HandSetup, events: &[Event], scale: u32) -> Record {
    let mut order: Vec<SeatIndex> = setup.seats.iter().map(|player| player.seat).collect();
    let place = |seat: SeatIndex| setup.button.clockwise().position(|at| at == seat);
    order.sort_unstable_by_key(|&seat| place(seat));
    let count = order.len();
    let mut index = [0; SEATS_MAX];
    for (at, seat) in order.iter().enumerate() {
        index[seat.index()] = at;
    }
    let amount = |chips: Chips| Decimal { units: chips.0 as i64, scale }.trimmed();
    let player =
        |seat: SeatIndex| setup.seats.iter().find(|player| player.seat == seat).expect("a seat of the setup");
    let due = |seat: SeatIndex, kinds: &[PostKind]| -> i64 {
        player(seat)
            .posts
            .iter()
            .filter(|post| kinds.contains(&post.kind))
            .map(|post| post.amount.0 as i64)
            .sum()
    };
    let reversed_if_heads_up = |mut list: Vec<Decimal>| {
        if count == 2 {
            list.reverse();
        }
        list
    };
    let decimal = |units| Decimal { units, scale }.trimmed();
    let forced = |seat| {
        let live = [PostKind::SmallBlind, PostKind::BigBlind, PostKind::Straddle];
        decimal(due(seat, &live) - due(seat, &[PostKind::OwedBlind]))
    };
    let antes = |seat| decimal(due(seat, &[PostKind::Ante, PostKind::TableAnte, PostKind::DeadBlind]));

    let mut hand =
        Hand::new(setup, crate::deck::Deck::unknown()).expect("the setup of a hand that was played");
    let mut actions = Vec::new();
    for event in events {
        let at = |seat: SeatIndex| index[seat.index()];
        let what = match *event {
            Event::HoleDealt { seat, cards } => Some(What::Hole(at(seat), cards)),
            Event::StreetDealt { cards, .. } => Some(What::Board(cards)),
            Event::Acted { seat, did, .. } => Some(match did {
                Did::Fold => What::Fold(at(seat)),
                Did::Check | Did::Call(_) => What::CheckOrCall(at(seat)),
                Did::BetTo(to) | Did::RaiseTo(to) => What::BetOrRaiseTo(at(seat), amount(to)),
            }),
            Event::Shown { seat, cards, .. } => Some(What::Show(at(seat), cards)),
            Event::Mucked { seat } => Some(What::Muck(at(seat))),
            _ => None,
        };
        actions.extend(what.map(|what| Notation { what: Some(what), comment: None }));
        hand.apply(event);
    }
    let of_all =
        |what: &dyn Fn(SeatIndex) -> Chips| order.iter().map(|&seat| amount(what(seat))).collect::<Vec<_>>();
    let after = |seat: SeatIndex| hand.player(seat).expect("a player of the hand");
    let numbers: Vec<u8> = order.iter().map(|seat| seat.get() + 1).collect();
    let mut other = Vec::new();
    let plain = numbers.iter().zip(1..).all(|(&number, position)| number == position);
    if !plain {
        other.push(("seats".to_owned(), format!("{numbers:?}")));
    }
    if !hand.rake().is_zero() {
        other.push((RAKE_FIELD.to_owned(), amount(hand.rake()).to_string()));
    }
    Record {
        name: String::new(),
        variant: setup.rules.variant,
        limit: setup.rules.limit,
        ante_trimming: setup
            .seats
            .iter()
            .any(|seat| seat.posts.iter().any(|post| post.kind == PostKind::Ante)),
        antes: reversed_if_heads_up(order.iter().map(|&seat| antes(seat)).collect()),
        blinds_or_straddles: reversed_if_heads_up(order.iter().map(|&seat| forced(seat)).collect()),
        min_bet: amount(setup.rules.big_blind),
        starting_stacks: of_all(&|seat| player(seat).stack).into_iter().map(Some).collect(),
        actions,
        finishing_stacks: Some(of_all(&|seat| after(seat).stack()).into_iter().map(Some).collect()),
        winnings: Some(of_all(&|seat| after(seat).won())),
        other,
        rounded: Vec::new(),
    }
}

/// The record as a player may see it who did not see the cards that were not shown.
#[must_use]
pub fn without_unseen_cards(mut record: Record, viewer: Option<usize>) -> Record {
    let shown: Vec<usize> = record
        .actions
        .iter()
        .filter_map(|action| match action.what {
            Some(What::ShowDealt(player)) => Some(player),
            // Who has shown some of the cards has not shown the others.
            Some(What::Show(player, cards)) => cards.known().map(|_| player),
            _ => None,
        })
        .collect();
    for action in &mut record.actions {
        if let Some(What::Hole(player, cards)) = &mut action.what
            && !shown.contains(player)
            && viewer != Some(*player)
        {
            *cards = HoleCards::hidden(cards.len());
        }
    }
    record
}
