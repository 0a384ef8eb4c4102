//! Open Hand History JSON, specification 1.4.7 (hh-specs.handhistory.org).
//!
//! Player ids are seat numbers from 0, seats count from 1. An action's amount is what it puts in. A second and third
//! board are further rounds of the same street, and the flag `Run_It_Twice` is set. The specification knows no short
//! deck: it is told as hold'em. Amounts are exact decimals.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Occasion, View};
use crate::card::{Board, Card, HoleCards};
use crate::chips::Chips;
use crate::deck::Deck;
use crate::event::{Did, Event, PostKind, Street};
use crate::hand::Hand;
use crate::phh::decimal::Decimal;
use crate::seat::{SeatIndex, SeatSet};
use crate::setup::HandSetup;
use crate::variant::{Limit, Variant};

/// The version of the specification that is followed.
pub const SPEC_VERSION: &str = "1.4.7";

#[derive(Serialize)]
struct Document {
    ohh: History,
}

#[derive(Serialize)]
struct History {
    spec_version: &'static str,
    site_name: String,
    network_name: String,
    internal_version: &'static str,
    tournament: bool,
    game_number: String,
    start_date_utc: String,
    table_name: String,
    game_type: &'static str,
    bet_limit: BetLimit,
    table_size: u8,
    currency: String,
    dealer_seat: u8,
    small_blind_amount: Amount,
    big_blind_amount: Amount,
    ante_amount: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    hero_player_id: Option<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flags: Vec<&'static str>,
    players: Vec<PlayerEntry>,
    rounds: Vec<Round>,
    pots: Vec<PotEntry>,
}

#[derive(Serialize)]
struct BetLimit {
    bet_type: &'static str,
    bet_cap: Amount,
}

#[derive(Serialize)]
struct PlayerEntry {
    id: u8,
    seat: u8,
    name: String,
    starting_stack: Amount,
}

#[derive(Serialize)]
struct Round {
    id: usize,
    street: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cards: Vec<String>,
    actions: Vec<ActionEntry>,
}

#[derive(Serialize)]
struct ActionEntry {
    action_number: usize,
    player_id: u8,
    action: &'static str,
    amount: Amount,
    is_allin: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cards: Vec<String>,
}

#[derive(Serialize)]
struct PotEntry {
    number: u8,
    amount: Amount,
    rake: Amount,
    player_wins: Vec<Win>,
}

#[derive(Serialize)]
struct Win {
    player_id: u8,
    win_amount: Amount,
}

/// Written as a JSON number with its exact digits.
struct Amount(Decimal);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = RawValue::from_string(self.0.to_string()).map_err(serde::ser::Error::custom)?;
        number.serialize(serializer)
    }
}

/// The hand as Open Hand History JSON. Hole cards are told as `view` allows, or when they were shown.
pub fn render(setup: &HandSetup, events: &[Event], occasion: &Occasion, view: View) -> String {
    let mut writer = Writer {
        occasion,
        view,
        hand: Hand::new(setup, Deck::unknown()).expect("a hand that was played"),
        rounds: Vec::new(),
    };
    writer.open_round("Preflop", Vec::new());
    for event in events {
        writer.tell(event);
        writer.hand.apply(event);
    }
    let amount = |chips| Amount(occasion.amount(chips));
    let ante = setup.seats.iter().flat_map(|seat| &seat.posts);
    let ante = ante
        .filter(|post| matches!(post.kind, PostKind::Ante | PostKind::TableAnte))
        .map(|post| post.amount)
        .max();
    let history = History {
        spec_version: SPEC_VERSION,
        site_name: occasion.site.clone(),
        network_name: occasion.site.clone(),
        internal_version: env!("CARGO_PKG_VERSION"),
        tournament: occasion.tournament,
        game_number: occasion.hand.clone(),
        start_date_utc: occasion.started_at.clone(),
        table_name: occasion.table.clone(),
        game_type: match setup.rules.variant {
            Variant::Holdem | Variant::ShortDeck => "Holdem",
            Variant::Omaha | Variant::Omaha5 | Variant::Omaha6 => "Omaha",
        },
        bet_limit: BetLimit {
            bet_type: match setup.rules.limit {
                Limit::NoLimit => "NL",
                Limit::PotLimit => "PL",
            },
            bet_cap: amount(Chips::ZERO),
        },
        table_size: occasion.table_size,
        currency: occasion.currency.clone(),
        dealer_seat: setup.button.get() + 1,
        small_blind_amount: amount(setup.rules.small_blind),
        big_blind_amount: amount(setup.rules.big_blind),
        ante_amount: amount(ante.unwrap_or_default()),
        hero_player_id: match view {
            View::Player(seat) => Some(seat.get()),
            View::Public | View::All => None,
        },
        flags: if writer.hand.boards().len() > 1 { vec!["Run_It_Twice"] } else { Vec::new() },
        players: setup
            .seats
            .iter()
            .map(|player| PlayerEntry {
                id: player.seat.get(),
                seat: player.seat.get() + 1,
                name: occasion.name(player.seat),
                starting_stack: amount(player.stack),
            })
            .collect(),
        rounds: writer.rounds,
        pots: pots(events, occasion),
    };
    serde_json::to_string_pretty(&Document { ohh: history }).expect("strings and numbers serialize")
}

/// What was won, pot by pot.
fn pots(events: &[Event], occasion: &Occasion) -> Vec<PotEntry> {
    let awards = || {
        events.iter().filter_map(|event| match *event {
            Event::PotAwarded { pot, seat, amount, .. } => Some((pot, seat, amount)),
            _ => None,
        })
    };
    let last = awards().map(|(pot, ..)| pot).max();
    let amount = |chips| Amount(occasion.amount(chips));
    let entry = |number: u8| {
        let rake = events.iter().find_map(|event| match *event {
            Event::RakeTaken { pot, amount } if pot == number => Some(amount),
            _ => None,
        });
        let rake = rake.unwrap_or_default();
        let of_pot = || awards().filter(move |&(pot, ..)| pot == number);
        let winners: SeatSet = of_pot().map(|(_, seat, _)| seat).collect();
        let won = |by: SeatIndex| of_pot().filter(|&(_, seat, _)| seat == by).map(|(.., won)| won).sum();
        let wins = winners.iter().map(|seat| Win { player_id: seat.get(), win_amount: amount(won(seat)) });
        let total: Chips = of_pot().map(|(.., won)| won).sum();
        PotEntry { number, amount: amount(total + rake), rake: amount(rake), player_wins: wins.collect() }
    };
    last.map_or_else(Vec::new, |last| {
        (0..=last).map(entry).filter(|pot| !pot.player_wins.is_empty()).collect()
    })
}

struct Writer<'a> {
    occasion: &'a Occasion,
    view: View,
    /// The hand before the event that is told.
    hand: Hand,
    rounds: Vec<Round>,
}

impl Writer<'_> {
    fn open_round(&mut self, street: &'static str, cards: Vec<String>) {
        self.rounds.push(Round { id: self.rounds.len(), street, cards, actions: Vec::new() });
    }

    fn tell(&mut self, event: &Event) {
        match *event {
            Event::Posted { seat, kind, amount, .. } if !amount.is_zero() => {
                let all_in = amount == self.stack(seat);
                self.act(seat, post_name(kind), amount, all_in, Vec::new());
            }
            Event::HoleDealt { seat, ref cards } if self.view.sees(seat) => {
                self.act(seat, "Dealt Cards", Chips::ZERO, false, names(cards));
            }
            Event::Acted { seat, did, all_in } => {
                let bet = self.hand.player(seat).map_or(Chips::ZERO, |player| player.bet());
                let (name, amount) = match did {
                    Did::Fold => ("Fold", Chips::ZERO),
                    Did::Check => ("Check", Chips::ZERO),
                    Did::Call(amount) => ("Call", amount),
                    Did::BetTo(to) => ("Bet", to - bet),
                    Did::RaiseTo(to) => ("Raise", to - bet),
                };
                self.act(seat, name, amount, all_in, Vec::new());
            }
            Event::StreetDealt { street, ref cards, .. } => {
                let name = match street {
                    Street::Preflop => "Preflop",
                    Street::Flop => "Flop",
                    Street::Turn => "Turn",
                    Street::River => "River",
                };
                self.open_round(name, board_names(cards));
            }
            Event::Shown { seat, ref cards, .. } => {
                self.open_showdown();
                self.act(seat, "Shows Cards", Chips::ZERO, false, names(cards));
            }
            Event::Mucked { seat } => {
                self.open_showdown();
                self.act(seat, "Mucks Cards", Chips::ZERO, false, Vec::new());
            }
            _ => {}
        }
    }

    /// Showing belongs to a round of its own once the board is complete; all-in hands are shown on their street.
    fn open_showdown(&mut self) {
        let last = self.rounds.last().map(|round| round.street);
        if self.hand.street() == Street::River && last != Some("Showdown") {
            self.open_round("Showdown", Vec::new());
        }
    }

    fn stack(&self, seat: SeatIndex) -> Chips {
        self.hand.player(seat).map_or(Chips::ZERO, |player| player.stack())
    }

    fn act(
        &mut self,
        seat: SeatIndex,
        action: &'static str,
        amount: Chips,
        is_allin: bool,
        cards: Vec<String>,
    ) {
        let amount = Amount(self.occasion.amount(amount));
        let actions = &mut self.rounds.last_mut().expect("a round is open from the start").actions;
        let action_number = actions.len() + 1;
        actions.push(ActionEntry { action_number, player_id: seat.get(), action, amount, is_allin, cards });
    }
}

fn post_name(kind: PostKind) -> &'static str {
    match kind {
        PostKind::Ante | PostKind::TableAnte => "Post Ante",
        PostKind::SmallBlind => "Post SB",
        PostKind::BigBlind => "Post BB",
        PostKind::Straddle => "Straddle",
        PostKind::OwedBlind => "Post Extra Blind",
        PostKind::DeadBlind => "Post Dead",
    }
}

fn names(cards: &HoleCards) -> Vec<String> {
    cards.iter().flatten().map(|card: Card| card.to_string()).collect()
}

fn board_names(cards: &Board) -> Vec<String> {
    cards.iter().flatten().map(|card: Card| card.to_string()).collect()
}
