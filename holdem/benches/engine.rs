//! How fast the engine is, with nothing but the engine: whole hands of random play at six seats, and one decision.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use holdem::{Action, Chips, Deck, Hand, HandRules, HandSetup, LegalActions, Seed, Variant};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

const SEATS: usize = 6;
/// Hands that are dealt in turn, so that no one hand decides the figure.
const HANDS: usize = 1_000;

fn setup() -> HandSetup {
    let rules = HandRules::no_limit_holdem(Chips(50), Chips(100));
    HandSetup::simple(rules, 0, &[Chips(10_000); SEATS])
}

fn random_action(legal: &LegalActions, random: &mut SmallRng) -> Action {
    match (random.random_range(0..10), legal.raise) {
        (0..2, _) if !legal.check => Action::Fold,
        (2..4, Some(range)) => Action::RaiseTo(Chips(random.random_range(range.min_to.0..=range.max_to.0))),
        _ if legal.check => Action::Check,
        _ => Action::Call,
    }
}

/// Plays a hand to its end and says how many actions it had.
fn play(setup: &HandSetup, deck: Deck, random: &mut SmallRng) -> u64 {
    let mut actions = 0;
    let mut hand = Hand::start(setup, deck, |event| _ = black_box(event)).expect("a playable setup");
    while let Some(seat) = hand.to_act() {
        let legal = hand.legal_actions().expect("a seat is to act");
        hand.act(seat, random_action(&legal, random), |event| _ = black_box(event)).expect("a legal action");
        actions += 1;
    }
    actions
}

fn benches(criterion: &mut Criterion) {
    let setup = setup();
    let decks: Vec<Deck> = (0..HANDS)
        .map(|number| {
            let mut seed = Seed([0; 32]);
            seed.0[..8].copy_from_slice(&number.to_le_bytes());
            Deck::shuffled(Variant::Holdem, &seed)
        })
        .collect();
    let all =
        |random: &mut SmallRng| -> u64 { decks.iter().map(|deck| play(&setup, deck.clone(), random)).sum() };
    let actions = all(&mut SmallRng::seed_from_u64(1));

    let mut group = criterion.benchmark_group("random play at six seats");
    group.throughput(Throughput::Elements(HANDS as u64));
    group.bench_function("hands", |b| b.iter(|| all(&mut SmallRng::seed_from_u64(1))));
    group.throughput(Throughput::Elements(actions));
    group.bench_function("actions", |b| b.iter(|| all(&mut SmallRng::seed_from_u64(1))));
    group.finish();

    let hand = Hand::start(&setup, decks[0].clone(), |_| ()).expect("a playable setup");
    let seat = hand.to_act().expect("under the gun");
    criterion.bench_function("one legal_actions and act", |b| {
        b.iter_batched_ref(
            || hand.clone(),
            |hand| {
                let legal = hand.legal_actions();
                black_box(legal);
                hand.act(seat, Action::Call, |event| _ = black_box(event))
            },
            BatchSize::SmallInput,
        );
    });
    criterion
        .bench_function("shuffle", |b| b.iter(|| Deck::shuffled(Variant::Holdem, black_box(&Seed([7; 32])))));
}

criterion_group!(engine, benches);
criterion_main!(engine);
