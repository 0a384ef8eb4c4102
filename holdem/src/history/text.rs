//! A page that a person reads: one line per event, a heading per street.

use std::fmt::Write;

use super::{Occasion, View, winners};
use crate::chips::Chips;
use crate::deck::Deck;
use crate::evaluate::strength;
use crate::event::{Did, Event, PostKind, ShowReason, Street};
use crate::hand::Hand;
use crate::seat::SeatIndex;
use crate::setup::HandSetup;
use crate::variant::{Limit, Variant};

/// The hand as text. Hole cards are told as `view` allows, or when they were shown.
pub fn render(setup: &HandSetup, events: &[Event], occasion: &Occasion, view: View) -> String {
    let mut page = String::new();
    write_page(&mut page, setup, events, occasion, view).expect("writing to a string does not fail");
    page
}

fn write_page(
    page: &mut String,
    setup: &HandSetup,
    events: &[Event],
    occasion: &Occasion,
    view: View,
) -> std::fmt::Result {
    let rules = &setup.rules;
    let amount = |chips: Chips| occasion.amount(chips);
    writeln!(
        page,
        "Hand {}: {} {}/{} {}",
        occasion.hand,
        game(rules.variant, rules.limit),
        amount(rules.small_blind),
        amount(rules.big_blind),
        occasion.currency
    )?;
    writeln!(
        page,
        "Table {}, {}, button on seat {}",
        occasion.table,
        occasion.started_at,
        setup.button.get() + 1
    )?;
    for player in &setup.seats {
        writeln!(
            page,
            "Seat {}: {} ({})",
            player.seat.get() + 1,
            occasion.name(player.seat),
            amount(player.stack)
        )?;
    }
    let mut hand = Hand::new(setup, Deck::unknown()).expect("a hand that was played");
    for event in events {
        hand.apply(event);
        if let Some(line) = line(&hand, event, occasion, view) {
            writeln!(page, "{line}")?;
        }
    }
    writeln!(page, "--- Summary ---")?;
    for (board, number) in hand.boards().iter().zip(1..).filter(|(board, _)| !board.is_empty()) {
        writeln!(
            page,
            "Board{}: {board}",
            if hand.boards().len() > 1 { format!(" {number}") } else { String::new() }
        )?;
    }
    if !hand.rake().is_zero() {
        writeln!(page, "Rake {}", amount(hand.rake()))?;
    }
    for seat in winners(events).iter() {
        let player = hand.player(seat).expect("a winner was dealt in");
        writeln!(
            page,
            "{} won {}, has {}",
            occasion.name(seat),
            amount(player.won()),
            amount(player.stack())
        )?;
    }
    Ok(())
}

fn line(hand: &Hand, event: &Event, occasion: &Occasion, view: View) -> Option<String> {
    let name = |seat: SeatIndex| occasion.name(seat);
    let amount = |chips: Chips| occasion.amount(chips);
    Some(match *event {
        Event::Posted { seat, kind, amount: paid, due } => {
            let short = if paid < due { " (all-in)" } else { "" };
            format!("{} posts {} {}{short}", name(seat), post_name(kind), amount(paid))
        }
        Event::HoleDealt { seat, ref cards } if view.sees(seat) => format!("{} is dealt {cards}", name(seat)),
        Event::HoleDealt { .. } | Event::BetsCollected | Event::ShowdownChosen { .. } | Event::HandEnded => {
            return None;
        }
        Event::Acted { seat, did, all_in } => {
            let did = match did {
                Did::Fold => "folds".to_owned(),
                Did::Check => "checks".to_owned(),
                Did::Call(paid) => format!("calls {}", amount(paid)),
                Did::BetTo(to) => format!("bets {}", amount(to)),
                Did::RaiseTo(to) => format!("raises to {}", amount(to)),
            };
            format!("{} {did}{}", name(seat), if all_in { " and is all-in" } else { "" })
        }
        Event::UncalledReturned { seat, amount: back } => {
            format!("{} takes back {}", name(seat), amount(back))
        }
        Event::RunsOffered { max } => format!("The players may agree on up to {max} boards"),
        Event::RunsVoted { seat, boards } => format!("{} agrees to {boards}", name(seat)),
        Event::RunsAgreed { boards } => format!("It is run on {boards}"),
        Event::StreetDealt { board, street, ref cards } => {
            let street = match street {
                Street::Preflop => "Preflop",
                Street::Flop => "Flop",
                Street::Turn => "Turn",
                Street::River => "River",
            };
            let which = if board > 0 { format!(" of board {}", board + 1) } else { String::new() };
            format!(
                "--- {street}{which}: {cards} (board {}, pot {}) ---",
                hand.boards()[board as usize],
                amount(hand.pot_total())
            )
        }
        Event::Shown { seat, ref cards, why } => {
            let class = hand.boards().first().and_then(|board| strength(hand.rules().variant, cards, board));
            let class = class.map(|strength| format!(" ({})", strength.class())).unwrap_or_default();
            let verb = if why == ShowReason::AllIn { "tables" } else { "shows" };
            format!("{} {verb} {cards}{class}", name(seat))
        }
        Event::Mucked { seat } => format!("{} mucks", name(seat)),
        Event::RakeTaken { pot, amount: taken } => {
            format!("The house takes {} from {}", amount(taken), pot_name(pot))
        }
        Event::PotAwarded { pot, board, seat, amount: won } => {
            let on = if hand.boards().len() > 1 { format!(" on board {}", board + 1) } else { String::new() };
            format!("{} wins {} from {}{on}", name(seat), amount(won), pot_name(pot))
        }
    })
}

fn game(variant: Variant, limit: Limit) -> String {
    let limit = match limit {
        Limit::NoLimit => "No-limit",
        Limit::PotLimit => "Pot-limit",
    };
    let variant = match variant {
        Variant::Holdem => "hold'em",
        Variant::ShortDeck => "short-deck hold'em",
        Variant::Omaha => "Omaha",
        Variant::Omaha5 => "five-card Omaha",
        Variant::Omaha6 => "six-card Omaha",
    };
    format!("{limit} {variant}")
}

fn post_name(kind: PostKind) -> &'static str {
    match kind {
        PostKind::Ante | PostKind::TableAnte => "ante",
        PostKind::SmallBlind => "small blind",
        PostKind::BigBlind => "big blind",
        PostKind::Straddle => "a straddle of",
        PostKind::OwedBlind => "an owed big blind of",
        PostKind::DeadBlind => "a dead small blind of",
    }
}

fn pot_name(pot: u8) -> String {
    if pot == 0 { "the main pot".to_owned() } else { format!("side pot {pot}") }
}
