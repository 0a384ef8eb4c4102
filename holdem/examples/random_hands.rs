//! Plays random hands and writes what the engine said at every step: `random_hands COUNT SEED`
//!
//! One JSON object a line: the setup in PHH's terms (players from the left of the button, heads-up blinds reversed), all
//! cards, every decision with the legal actions and the action taken, the pots at every new street, the final stacks.
//! `tests/pokerkit/compare.py` plays the same hands through PokerKit. The last line says how long the engine takes for
//! the same hands when nothing is written down.

use std::io::{BufWriter, Write, stdout};
use std::time::Instant;

use holdem::phh::{record::Record, record_of};
use holdem::{
    Action, AnteOrder, Card, Chips, Deck, Hand, HandRules, HandSetup, LegalActions, Limit, Post, PostKind,
    Rake, SeatIndex, SeatSetup, Seed, Variant,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let &[count, seed] = numbers.as_slice() else {
        eprintln!("usage: random_hands COUNT SEED");
        std::process::exit(2);
    };
    let mut random = StdRng::seed_from_u64(seed);
    let mut out = BufWriter::new(stdout().lock());
    let mut engine = std::time::Duration::ZERO;
    let mut actions_played = 0;
    for number in 0..count {
        let (setup, deck) = (random_setup(&mut random), Seed(random.random()));
        let played = play(&setup, &deck, &mut random);
        let started = Instant::now();
        replay(&setup, &deck, &played.actions);
        engine += started.elapsed();
        actions_played += played.actions.len();
        writeln!(out, "{}", describe(number, &setup, &played))?;
    }
    writeln!(out, "{}", json!({ "engine_seconds": engine.as_secs_f64(), "actions": actions_played }))?;
    out.flush()
}

/// A table of any size and game; very short stacks often, so that blinds and antes put players all-in.
fn random_setup(random: &mut StdRng) -> HandSetup {
    const GAMES: [(Variant, Limit); 6] = [
        (Variant::Holdem, Limit::NoLimit),
        (Variant::Holdem, Limit::NoLimit),
        (Variant::Holdem, Limit::PotLimit),
        (Variant::ShortDeck, Limit::NoLimit),
        (Variant::Omaha, Limit::PotLimit),
        (Variant::Omaha, Limit::NoLimit),
    ];
    let (variant, limit) = GAMES[random.random_range(0..GAMES.len())];
    let players = random.random_range(2..=variant.players_max().min(9)) as u8;
    let big_blind = Chips(random.random_range(2..=100));
    let small_blind = Chips(random.random_range(1..=big_blind.0));
    let stacks: Vec<Chips> = (0..players).map(|_| Chips(random_stack(random, big_blind.0))).collect();
    let rules = HandRules { variant, limit, ..HandRules::no_limit_holdem(small_blind, big_blind) };
    let mut setup = HandSetup::simple(rules, players - 1, &stacks);
    add_antes(&mut setup, random);
    if players > 2 {
        add_straddles_and_debts(&mut setup, random);
    }
    debug_assert_eq!((setup.rules.ante_order, setup.rules.rake), (AnteOrder::BeforeBlinds, Rake::NONE));
    setup
}

fn random_stack(random: &mut StdRng, big_blind: u64) -> u64 {
    match random.random_range(0..10) {
        0..2 => random.random_range(1..=2 * big_blind),
        2..6 => random.random_range(big_blind..=10 * big_blind),
        6..9 => random.random_range(big_blind..=50 * big_blind),
        _ => random.random_range(big_blind..=300 * big_blind),
    }
}

fn add_antes(setup: &mut HandSetup, random: &mut StdRng) {
    let ante = Chips(random.random_range(1..=setup.rules.big_blind.0));
    let big_blind =
        setup.seats.iter().position(|seat| seat.posts.iter().any(|p| p.kind == PostKind::BigBlind));
    let last = setup.seats.len() - 1;
    let payers: Vec<(usize, PostKind)> = match random.random_range(0..8) {
        0 => (0..=last).map(|at| (at, PostKind::Ante)).collect(),
        1 => (0..=last).map(|at| (at, PostKind::TableAnte)).collect(),
        2 => vec![(big_blind.expect("a big blind is posted"), PostKind::TableAnte)],
        3 => vec![(last, PostKind::TableAnte)],
        _ => Vec::new(),
    };
    for (at, kind) in payers {
        setup.seats[at].posts.push(Post { kind, amount: ante });
    }
}

fn add_straddles_and_debts(setup: &mut HandSetup, random: &mut StdRng) {
    let amount = Chips(2 * setup.rules.big_blind.0);
    let free = |seat: &SeatSetup| seat.posts.iter().all(|post| !post.kind.is_live());
    let last = setup.seats.len() - 1;
    match random.random_range(0..10) {
        0 if last > 2 => setup.seats[2].posts.push(Post { kind: PostKind::Straddle, amount }),
        1 if free(&setup.seats[last]) => {
            setup.seats[last].posts.push(Post { kind: PostKind::Straddle, amount })
        }
        2 if free(&setup.seats[last]) => {
            setup.seats[last].posts.push(Post { kind: PostKind::OwedBlind, amount: setup.rules.big_blind });
        }
        _ => {}
    }
    // A dead small blind.
    if random.random_range(0..20) == 0 {
        setup.seats[0].posts.retain(|post| post.kind != PostKind::SmallBlind);
    }
}

struct Played {
    record: Record,
    actions: Vec<(SeatIndex, Action)>,
    steps: Vec<Value>,
    hand: Hand,
}

fn play(setup: &HandSetup, seed: &Seed, random: &mut StdRng) -> Played {
    let mut events = Vec::new();
    let deck = Deck::shuffled(setup.rules.variant, seed);
    let mut hand = Hand::start(setup, deck, |event| events.push(event)).expect("a playable setup");
    let mut steps = Vec::new();
    let mut actions = Vec::new();
    while let Some(seat) = hand.to_act() {
        let legal = hand.legal_actions().expect("a seat is to act");
        let action = choose(&legal, random);
        steps.push(json!({
            "player": seat.get(),
            "street": hand.street() as u8,
            "pot": hand.pot_total().0,
            "pots": pots_between_streets(&hand),
            "call": legal.call.map_or(0, |call| call.0),
            "raise": legal.raise.map(|range| [range.min_to.0, range.max_to.0]),
            "do": match action {
                Action::Fold => json!("f"),
                Action::Check | Action::Call => json!("cc"),
                Action::RaiseTo(to) => json!(to.0),
            },
        }));
        actions.push((seat, action));
        hand.act(seat, action, |event| events.push(event)).expect("a legal action");
    }
    let record = record_of(setup, &events, 0);
    Played { record, actions, steps, hand }
}

/// The pots when no bets lie before the players; else nothing, as bets belong to no pot yet.
fn pots_between_streets(hand: &Hand) -> Option<Vec<Value>> {
    let quiet = hand.seats().all(|(_, player)| player.bet().0 == 0);
    quiet.then(|| {
        let pots = hand.pots();
        let filled = pots.iter().filter(|pot| pot.amount.0 > 0);
        filled
            .map(|pot| json!([pot.amount.0, pot.eligible.iter().map(SeatIndex::get).collect::<Vec<_>>()]))
            .collect()
    })
}

/// Mostly calls and raises, of which many all-in, so that side pots are common.
fn choose(legal: &LegalActions, random: &mut StdRng) -> Action {
    let passive = if legal.check { Action::Check } else { Action::Call };
    match (random.random_range(0..20), legal.raise) {
        (0..3, _) if !legal.check => Action::Fold,
        (3..9, Some(range)) => Action::RaiseTo(match random.random_range(0..4) {
            0 => range.min_to,
            1 => range.max_to,
            2 => Chips(random.random_range(range.min_to.0..=range.max_to.0.min(3 * range.min_to.0))),
            _ => Chips(random.random_range(range.min_to.0..=range.max_to.0)),
        }),
        _ => passive,
    }
}

fn replay(setup: &HandSetup, seed: &Seed, actions: &[(SeatIndex, Action)]) {
    let mut events = 0;
    let deck = Deck::shuffled(setup.rules.variant, seed);
    let mut hand = Hand::start(setup, deck, |_| events += 1).expect("a playable setup");
    for &(seat, action) in actions {
        hand.act(seat, action, |_| events += 1).expect("a legal action");
    }
    std::hint::black_box((hand, events));
}

fn describe(number: u64, setup: &HandSetup, played: &Played) -> Value {
    let Played { record, steps, hand, .. } = played;
    let numbers = |list: &[holdem::phh::decimal::Decimal]| list.iter().map(|d| d.units).collect::<Vec<_>>();
    json!({
        "hand": number,
        "phh": record.to_string(),
        "variant": match setup.rules.variant {
            Variant::Holdem => "holdem",
            Variant::ShortDeck => "short_deck",
            Variant::Omaha | Variant::Omaha5 | Variant::Omaha6 => "omaha",
        },
        "pot_limit": setup.rules.limit == Limit::PotLimit,
        "trim": record.ante_trimming,
        "antes": numbers(&record.antes),
        "blinds": numbers(&record.blinds_or_straddles),
        "small_blind": setup.rules.small_blind.0,
        "min_bet": record.min_bet.units,
        "stacks": record.starting_stacks.iter().flatten().map(|d| d.units).collect::<Vec<_>>(),
        "hole": hand.seats().map(|(_, player)| player.hole_cards().to_string()).collect::<Vec<_>>(),
        "board": hand.board().iter().flatten().map(|card: Card| card.to_string()).collect::<Vec<_>>(),
        "steps": steps,
        "final": hand.seats().map(|(_, player)| player.stack().0).collect::<Vec<_>>(),
    })
}
