//! A hand as JSON. Seats count from 0 and chips are whole numbers, as on the wire; a card is like `"As"`, and `null` where it is face down.
//! Events have the words of the wire (`docs/protocol.md`), and `at_ms` after the hand began.

use holdem::{
    Card, Chips, Did, Event, Hand, HoleCards, PostKind, Street,
    variant::{Limit, Variant},
};
use serde_json::{Value, json};

use super::{About, replayed};
use crate::{Seen, game, hex::digits};

/// All of it.
pub fn hand(seen: &Seen, about: About<'_>) -> Value {
    let mut events = Vec::with_capacity(seen.events.len());
    let over = replayed(seen, |at_ms, event, hand| events.extend(told(at_ms, event, hand)));
    let mut all = head(seen, about, &over);
    all["events"] = events.into();
    all["prev"] = digits(&seen.prev).into();
    all["hash"] = digits(&seen.hash).into();
    all
}

/// What lists tell: all but its course.
pub fn line(seen: &Seen, about: About<'_>) -> Value {
    head(seen, about, &replayed(seen, |_, _, _| ()))
}

/// What may not lead back to the hand as others know it.
const LEADS_BACK: [&str; 10] =
    ["room", "number", "table", "started_ms", "ended_ms", "void", "you", "net", "prev", "hash"];

/// All of it under another name, without what leads back to the hand as others know it: for collections of many.
pub fn nameless(seen: &Seen, about: About<'_>, id: &str) -> Value {
    let mut told = hand(seen, about);
    told["id"] = id.into();
    let fields = told.as_object_mut().expect("a hand is an object");
    LEADS_BACK.iter().for_each(|field| drop(fields.remove(*field)));
    told
}

fn head(seen: &Seen, About { name, money, is_void }: About<'_>, over: &Hand) -> Value {
    let rules = &seen.setup.rules;
    let net = |player: &holdem::Player, before: Chips| signed(player.stack()) - signed(before);
    let mut own_net = None;
    let players: Vec<Value> = seen
        .setup
        .seats
        .iter()
        .map(|dealt| {
            let player = over.player(dealt.seat).expect("who was dealt in plays");
            let net = net(player, dealt.stack);
            if seen.you == Some(dealt.seat) {
                own_net = Some(net);
            }
            let who = seen.players.iter().find(|who| who.seat == dealt.seat);
            json!({
                "seat": dealt.seat.get(),
                "user": who.and_then(|who| who.user.as_ref()),
                "name": who.and_then(|who| who.name.as_deref()),
                "stack": dealt.stack.0,
                "net": net,
                "cards": hole(player.hole_cards()),
            })
        })
        .collect();
    let won: u64 = seen
        .events
        .iter()
        .map(|(_, event)| match event {
            Event::PotAwarded { amount, .. } => amount.0,
            _ => 0,
        })
        .sum();
    json!({
        "id": name.to_string(),
        "room": name.room,
        "number": seen.number,
        "table": seen.table,
        "seats": seen.seats,
        "game": game(rules),
        "variant": match rules.variant {
            Variant::Holdem => "holdem",
            Variant::ShortDeck => "short_deck",
            Variant::Omaha => "omaha4",
            Variant::Omaha5 => "omaha5",
            Variant::Omaha6 => "omaha6",
        },
        "limit": match rules.limit {
            Limit::NoLimit => "no_limit",
            Limit::PotLimit => "pot_limit",
        },
        "small_blind": rules.small_blind.0,
        "big_blind": rules.big_blind.0,
        "currency": seen.currency,
        "digits": money.digits(),
        "started_ms": seen.started_ms,
        "ended_ms": seen.ended_ms,
        "void": is_void,
        "button": seen.setup.button.get(),
        "you": seen.you.map(holdem::SeatIndex::get),
        "net": own_net,
        "pot": won + over.rake().0,
        "rake": over.rake().0,
        "players": players,
        "boards": over.boards().iter().map(|board| cards(board.iter())).collect::<Vec<_>>(),
    })
}

/// An event, in the light of the hand before it. What is seen by its effects is not told.
fn told(at_ms: u32, event: &Event, hand: &Hand) -> Option<Value> {
    let bet = |seat| hand.player(seat).map_or(Chips::ZERO, holdem::Player::bet);
    let mut told = match *event {
        Event::Posted { seat, kind, amount, .. } => {
            let blind = match kind {
                PostKind::Ante | PostKind::TableAnte => "ante",
                PostKind::SmallBlind => "small",
                PostKind::BigBlind => "big",
                PostKind::Straddle => "straddle",
                PostKind::OwedBlind => "live",
                PostKind::DeadBlind => "dead",
            };
            json!({ "e": "posted", "seat": seat.get(), "blind": blind, "amount": amount.0 })
        }
        Event::HoleDealt { seat, ref cards } => {
            json!({ "e": "dealt", "seat": seat.get(), "cards": hole(cards) })
        }
        Event::Acted { seat, did, all_in } => {
            let (kind, to) = match did {
                Did::Fold => ("fold", bet(seat)),
                Did::Check => ("check", bet(seat)),
                Did::Call(amount) => ("call", bet(seat) + amount),
                Did::BetTo(to) => ("bet", to),
                Did::RaiseTo(to) => ("raise", to),
            };
            let amount = (to - bet(seat)).0;
            json!({ "e": "acted", "seat": seat.get(), "kind": kind, "amount": amount, "to": to.0, "all_in": all_in })
        }
        Event::UncalledReturned { seat, amount } => {
            json!({ "e": "returned", "seat": seat.get(), "amount": amount.0 })
        }
        Event::RunsOffered { max } => json!({ "e": "runs_offered", "max": max }),
        Event::RunsVoted { seat, boards } => {
            json!({ "e": "runs_voted", "seat": seat.get(), "boards": boards })
        }
        Event::RunsAgreed { boards } => json!({ "e": "runs_agreed", "boards": boards }),
        Event::StreetDealt { board, street, cards: ref dealt } => {
            let street = match street {
                Street::Preflop => "preflop",
                Street::Flop => "flop",
                Street::Turn => "turn",
                Street::River => "river",
            };
            json!({ "e": "street", "street": street, "cards": cards(dealt.iter()), "run": board })
        }
        Event::Shown { seat, ref cards, .. } => {
            json!({ "e": "shown", "seat": seat.get(), "cards": hole(cards) })
        }
        Event::Mucked { seat } => json!({ "e": "mucked", "seat": seat.get() }),
        Event::RakeTaken { pot, amount } => json!({ "e": "raked", "pot": pot, "amount": amount.0 }),
        Event::PotAwarded { pot, board, seat, amount } => {
            json!({ "e": "won", "seat": seat.get(), "pot": pot, "amount": amount.0, "run": board })
        }
        Event::BetsCollected | Event::ShowdownChosen { .. } | Event::HandEnded => return None,
    };
    told["at_ms"] = at_ms.into();
    Some(told)
}

fn cards(of: impl Iterator<Item = Option<Card>>) -> Vec<Option<String>> {
    of.map(|card| card.map(|card| card.to_string())).collect()
}

fn hole(of: &HoleCards) -> Vec<Option<String>> {
    cards(of.iter())
}

fn signed(chips: Chips) -> i64 {
    i64::try_from(chips.0).unwrap_or(i64::MAX)
}
