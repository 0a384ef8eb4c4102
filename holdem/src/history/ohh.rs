//! Open Hand History JSON, specification 1.4.7 (hh-specs.handhistory.org).
//!
//! Player ids are seat numbers from 0, seats count from 1, actions of a round from 0. An action's amount is what it puts in. A
//! second and third board are further rounds of the same street, and the flag `Run_It_Twice` is set. Whatever was shown or
//! mucked stands in one showdown round at the end, whenever that was. Before the flop there is no `Bet`: who opens a game
//! without blinds raises the antes. A view without a hero is flagged `Observed`. The specification knows no short deck: it
//! is told as hold'em. Amounts are exact decimals.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Occasion, Speed, Tournament, View};
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
    #[serde(skip_serializing_if = "Option::is_none")]
    tournament: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tournament_info: Option<TournamentInfo>,
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
struct TournamentInfo {
    tournament_number: String,
    name: String,
    start_date_utc: String,
    currency: String,
    buyin_amount: Amount,
    fee_amount: Amount,
    initial_stack: u64,
    #[serde(rename = "type")]
    tables: &'static str,
    flags: Vec<&'static str>,
    speed: SpeedEntry,
}

#[derive(Serialize)]
struct SpeedEntry {
    #[serde(rename = "type")]
    speed: &'static str,
    round_time: u32,
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
    writer.tell_showdown(events);
    let hero = match view {
        View::Player(seat) => Some(seat).filter(|&seat| writer.hand.dealt_in().contains(seat)),
        View::Public | View::All => None,
    };
    let flags =
        [(writer.hand.boards().len() > 1).then_some("Run_It_Twice"), hero.is_none().then_some("Observed")];
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
        tournament: occasion.tournament.is_some().then_some(true),
        tournament_info: occasion.tournament.as_ref().map(tournament_info),
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
        hero_player_id: hero.map(SeatIndex::get),
        flags: flags.into_iter().flatten().collect(),
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

fn tournament_info(tournament: &Tournament) -> TournamentInfo {
    TournamentInfo {
        tournament_number: tournament.number.clone(),
        name: tournament.name.clone(),
        start_date_utc: tournament.started_at.clone(),
        currency: tournament.currency.clone(),
        buyin_amount: Amount(tournament.buy_in),
        fee_amount: Amount(tournament.fee),
        initial_stack: tournament.initial_stack.0,
        tables: if tournament.multi_table { "MTT" } else { "STT" },
        flags: if tournament.sit_and_go { vec!["SNG"] } else { Vec::new() },
        speed: SpeedEntry {
            speed: match tournament.speed {
                Speed::Normal => "Normal",
                Speed::Turbo => "Turbo",
                Speed::Hyper => "Hyper-Turbo",
            },
            round_time: tournament.level_seconds,
        },
    }
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
    let won = last.into_iter().flat_map(|last| 0..=last).map(entry).filter(|pot| !pot.player_wins.is_empty());
    won.zip(0..).map(|(pot, number)| PotEntry { number, ..pot }).collect()
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
                    Did::BetTo(to) if self.hand.street() > Street::Preflop => ("Bet", to - bet),
                    Did::BetTo(to) | Did::RaiseTo(to) => ("Raise", to - bet),
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
            _ => {}
        }
    }

    /// What was seen of the cards at the end, when they lay open before that as well: it belongs to no betting round.
    fn tell_showdown(&mut self, events: &[Event]) {
        let shows = |by: SeatIndex| {
            events.iter().any(|event| matches!(event, Event::Shown { seat, .. } if *seat == by))
        };
        let told = |event: &Event| match *event {
            Event::Shown { seat, ref cards, .. } => Some((seat, "Shows Cards", names(cards))),
            // Who mucked and then showed has shown.
            Event::Mucked { seat } if shows(seat) => None,
            Event::Mucked { seat } if self.view.sees(seat) => {
                let cards = self.hand.player(seat).map(|player| names(player.hole_cards()));
                Some((seat, "Mucks Cards", cards.unwrap_or_default()))
            }
            Event::Mucked { seat } => Some((seat, "Mucks Cards", Vec::new())),
            _ => None,
        };
        let told: Vec<_> = events.iter().filter_map(told).collect();
        if !told.is_empty() {
            self.open_round("Showdown", Vec::new());
        }
        for (seat, action, cards) in told {
            self.act(seat, action, Chips::ZERO, false, cards);
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
        let action_number = actions.len();
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
