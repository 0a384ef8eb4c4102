//! Hands for the tests of those who keep them.

use std::collections::BTreeSet;

use holdem::{
    Action, Card, Chips, Deck, Event, Hand, HandRules, HandSetup, HoleCards, Limit, Rake, SEATS_MAX, Seed,
    ShowChoice, Variant,
};
use protocol::id::UserId;

use crate::{
    HandRecord, Hash, Player, Viewer,
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
    let players = vec![
        Player { seat: 0, user: user("ann"), name: "Ann".into() },
        Player { seat: 1, user: user("bob"), name: "Bob".into() },
    ];
    record(number, prev, setup, (0..).zip(events).collect(), players)
}

fn record(
    number: u64,
    prev: Hash,
    setup: HandSetup,
    events: Vec<(u32, Event)>,
    players: Vec<Player>,
) -> HandRecord {
    let (started_ms, ended_ms) = (START_MS + number * 1_000, START_MS + number * 1_000 + 900);
    let hash =
        chained(&prev, Begun { number, started_ms, setup: &setup, players: &players }, &events, ended_ms);
    let stacks = players.iter().map(|player| (player.user.clone(), 200)).collect();
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

/// A hand of any game, played at random by these, two to six: with all-ins, several boards, cards that are mucked, shown, or shown in part.
pub fn any_hand(seed: u64, number: u64, prev: Hash, users: &[UserId]) -> HandRecord {
    let mut random = Random(seed);
    let variants = [Variant::Holdem, Variant::Holdem, Variant::ShortDeck, Variant::Omaha, Variant::Omaha5];
    let variant = variants[random.below(variants.len() as u64) as usize];
    let limit = [Limit::NoLimit, Limit::PotLimit][random.below(2) as usize];
    let rake = Rake { basis_points: 500, caps: [Chips(random.below(3)); SEATS_MAX - 1] };
    let runs_max = 1 + u8::try_from(random.below(3)).unwrap();
    let rules =
        HandRules { variant, limit, rake, runs_max, ..HandRules::no_limit_holdem(Chips(1), Chips(2)) };
    let stacks: Vec<Chips> = users.iter().map(|_| Chips(2 + random.below(60))).collect();
    let button = u8::try_from(random.below(users.len() as u64)).unwrap();
    let setup = HandSetup::simple(rules, button, &stacks);
    let deck = Deck::shuffled(variant, &Seed(std::array::from_fn(|_| random.below(256) as u8)));
    let mut events = Vec::new();
    let mut hand = Hand::start(&setup, deck, |event| events.push(event)).unwrap();
    let seats: Vec<_> = hand.dealt_in().iter().collect();
    for seat in &seats {
        let choices = [ShowChoice::IfWinning, ShowChoice::Always, ShowChoice::Never];
        if let Some(choice) = choices.get(random.below(6) as usize)
            && !hand.ended()
        {
            hand.choose_at_showdown(*seat, *choice, |event| events.push(event)).unwrap();
        }
    }
    while !hand.ended() {
        if let Some(seat) = hand.to_act() {
            let legal = hand.legal_actions().unwrap();
            let passes = if legal.check { Action::Check } else { Action::Call };
            let action = match (random.below(8), legal.raise) {
                (0, _) if !legal.check => Action::Fold,
                (1, Some(raise)) => Action::RaiseTo(raise.max_to),
                (2, Some(raise)) => Action::RaiseTo(raise.min_to),
                _ => passes,
            };
            hand.act(seat, action, |event| events.push(event)).unwrap();
        } else {
            let most = u64::from(hand.runs_offered().expect("it waits for something"));
            let voter = hand.run_voters().next().expect("somebody has not answered");
            let boards = 1 + u8::try_from(random.below(most)).unwrap();
            hand.vote_runs(voter, boards, |event| events.push(event)).unwrap();
        }
    }
    for seat in seats {
        let first = hand.player(seat).and_then(|player| player.hole_cards().iter().next()).flatten();
        // Whose cards lie open already shows none.
        let _ = match random.below(4) {
            0 => hand.show(seat, |event| events.push(event)),
            1 => hand.show_some(seat, |card| Some(card) == first, |event| events.push(event)),
            _ => continue,
        };
    }
    let players = users.iter().zip(0..).map(|(user, seat)| {
        let (user, name) = (user.clone(), format!("Nick {seat}"));
        Player { seat, user, name }
    });
    record(number, prev, setup, (0..).zip(events).collect(), players.collect())
}

/// Numbers that follow from a seed (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// What a viewer was shown of everybody's cards, by seat and place: counted from the events alone, beside what [`crate::seen`] does.
fn shown(record: &HandRecord, viewer: Viewer<'_>, seat: holdem::SeatIndex) -> HoleCards {
    let mut known = [None; 6];
    let mut count = 0;
    let is_own = record.players.iter().any(|player| {
        player.seat == seat.get() && matches!(viewer, Viewer::User(user) if *user == player.user)
    });
    for (_, event) in &record.events {
        match event {
            Event::HoleDealt { seat: of, cards } if *of == seat => {
                count = cards.len();
                if is_own {
                    known.iter_mut().zip(cards.iter()).for_each(|(known, card)| *known = card);
                }
            }
            Event::Shown { seat: of, cards, .. } if *of == seat => {
                known.iter_mut().zip(cards.iter()).for_each(|(known, card)| *known = known.or(card));
            }
            _ => {}
        }
    }
    let mut cards = HoleCards::NONE;
    known[..count].iter().for_each(|card| cards.push(*card));
    cards
}

/// The cards that a viewer was shown.
pub fn may_see(record: &HandRecord, viewer: Viewer<'_>) -> BTreeSet<Card> {
    let mut cards: BTreeSet<Card> = record
        .events
        .iter()
        .flat_map(|(_, event)| match event {
            Event::StreetDealt { cards, .. } => cards.iter().flatten().collect(),
            _ => Vec::new(),
        })
        .collect();
    for dealt in &record.setup.seats {
        cards.extend(shown(record, viewer, dealt.seat).iter().flatten());
    }
    cards
}

/// The cards that were dealt, and that this viewer was not shown.
pub fn unseen(record: &HandRecord, viewer: Viewer<'_>) -> BTreeSet<Card> {
    let seen = may_see(record, viewer);
    let dealt = record.events.iter().flat_map(|(_, event)| match event {
        Event::HoleDealt { cards, .. } => cards.iter().flatten().collect(),
        _ => Vec::new(),
    });
    dealt.filter(|card| !seen.contains(card)).collect()
}

/// A hand that is the same to this viewer: everything that he was not shown is something else. What he is told of both must not differ by a byte.
pub fn same_to(record: &HandRecord, viewer: Viewer<'_>, seed: u64) -> HandRecord {
    let mut random = Random(seed);
    let seen = may_see(record, viewer);
    let mut others: Vec<Card> =
        record.setup.rules.variant.deck().filter(|card| !seen.contains(card)).collect();
    let mut another = |_: Card| others.swap_remove(random.below(others.len() as u64) as usize);
    let mut same = record.clone();
    let is_viewer = |seat: holdem::SeatIndex| {
        record.players.iter().any(|player| {
            player.seat == seat.get() && matches!(viewer, Viewer::User(user) if *user == player.user)
        })
    };
    for (_, event) in &mut same.events {
        match event {
            Event::HoleDealt { seat, cards } => {
                let known = shown(record, viewer, *seat);
                let mut changed = HoleCards::NONE;
                for (card, known) in cards.iter().zip(known.iter()) {
                    changed.push(known.or_else(|| card.map(&mut another)));
                }
                *cards = changed;
            }
            Event::ShowdownChosen { seat, choice } if !is_viewer(*seat) => {
                *choice = match choice {
                    ShowChoice::Always => ShowChoice::Never,
                    _ => ShowChoice::Always,
                };
            }
            _ => {}
        }
    }
    same
}

/// The cards that stand in a text, alone or one behind the other.
pub fn cards_in(text: &str) -> BTreeSet<Card> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '?');
    let cards = words.filter(|word| word.is_ascii()).filter_map(|word| {
        let pairs: Vec<&str> =
            word.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok()).collect();
        let is_cards = pairs.iter().all(|pair| *pair == "??" || pair.parse::<Card>().is_ok());
        is_cards.then(|| pairs.into_iter().filter_map(|pair| pair.parse().ok()).collect::<Vec<Card>>())
    });
    cards.flatten().collect()
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
