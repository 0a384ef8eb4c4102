//! Hands for the tests of those who keep them.

use holdem::{Action, Chips, Deck, Hand, HandRules, HandSetup, Seed, Variant};
use protocol::id::UserId;

use crate::{
    HandRecord, Hash, Player,
    record::{Begun, chained},
};

/// The first hand begins a second after that.
pub const START_MS: u64 = 1_700_000_000_000;

fn user(name: &str) -> UserId {
    UserId::new(name).expect("a name")
}

/// A hand of ann and bob that goes to showdown, behind one of this hash.
pub fn hand(number: u64, prev: Hash) -> HandRecord {
    let setup =
        HandSetup::simple(HandRules::no_limit_holdem(Chips(1), Chips(2)), 0, &[Chips(200), Chips(200)]);
    let deck = Deck::shuffled(Variant::Holdem, &Seed([u8::try_from(number % 251).unwrap(); 32]));
    let mut events = Vec::new();
    let mut hand = Hand::start(&setup, deck, |event| events.push(event)).unwrap();
    while let Some(seat) = hand.to_act() {
        let action = if hand.legal_actions().unwrap().check { Action::Check } else { Action::Call };
        hand.act(seat, action, |event| events.push(event)).unwrap();
    }
    let events: Vec<_> = (0..).zip(events).collect();
    let players = vec![
        Player { seat: 0, user: user("ann"), name: "Ann".into() },
        Player { seat: 1, user: user("bob"), name: "Bob".into() },
    ];
    let (started_ms, ended_ms) = (START_MS + number * 1_000, START_MS + number * 1_000 + 900);
    let hash =
        chained(&prev, Begun { number, started_ms, setup: &setup, players: &players }, &events, ended_ms);
    let stacks = vec![(user("ann"), 200), (user("bob"), 200)];
    let table = "Reno".into();
    HandRecord {
        table,
        seats: 6,
        number,
        started_ms,
        ended_ms,
        currency: None,
        setup,
        events,
        players,
        stacks,
        prev,
        hash,
    }
}

/// Hands 1 to this one, one behind the other.
pub fn chain(count: u64) -> Vec<HandRecord> {
    let mut prev = [0; 32];
    (1..=count)
        .map(|number| {
            let hand = hand(number, prev);
            prev = hand.hash;
            hand
        })
        .collect()
}
